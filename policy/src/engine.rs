//! Policies that were read, and what they say of a plan.

use std::collections::BTreeMap;
use std::path::PathBuf;

use regorus::{Engine, Value as Rego};
use serde_json::Value;
use stratiform::model::Origin;
use stratiform::policy::{Policies, PolicyError, PolicyPlace, Ruling, Verdict};
use stratiform::topology::Sources;

use crate::{STEPS_MAX, files, steps, verdicts};

/// The rules that say something: by package (`data.labels`), by name, where each of its parts stands.
type Rules = BTreeMap<String, BTreeMap<String, Vec<PolicyPlace>>>;

/// Policies in Rego, from folders and files.
#[derive(Debug, Clone)]
pub struct RegoPolicies {
    sources: Sources,
}

impl RegoPolicies {
    /// Reads all `.rego` files of folders, and checks them.
    ///
    /// # Errors
    /// If one cannot be read or is wrong, with its place; if a folder has none; if no rule among them
    /// could ever deny or warn.
    pub fn read(paths: &[PathBuf]) -> Result<Self, PolicyError> {
        let policies = Self {
            sources: files::read(paths)?,
        };
        let (mut engine, rules) = policies.engine()?;
        if rules.is_empty() {
            return Err(PolicyError::new(
                "no policy has a rule that could deny or warn",
                "name the rules `deny` or `warn`, or `deny_…` and `warn_…`: \
                 `deny contains msg if { … }`",
            ));
        }
        // What is wrong with a rule, such as a function that does not exist, is found when all are
        // prepared for an evaluation.
        engine.set_input(Rego::new_object());
        for package in rules.keys() {
            match policies.evaluate(&mut engine, package) {
                Err(error) if is_of_the_text(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(policies)
    }

    fn engine(&self) -> Result<(Engine, Rules), PolicyError> {
        let mut engine = Engine::new();
        engine.set_execution_timer_config(steps::bound());
        for file in self.sources.files() {
            let (name, text) = (file.name.to_string(), file.text.to_string());
            let added = engine.add_policy(name, text);
            added.map_err(|error| self.wrong(&error.to_string()))?;
        }
        let packages = engine.get_packages();
        let packages = packages.map_err(|error| self.wrong(&error.to_string()))?;
        let mut rules = Rules::new();
        for (package, module) in packages.into_iter().zip(engine.get_modules()) {
            for rule in &module.policy {
                let span = rule.span();
                let text = span.text();
                let text = text.strip_prefix("default").map_or(text, str::trim_start);
                let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
                let name = &text[..end.unwrap_or(text.len())];
                if ruling(name).is_some() {
                    let place = PolicyPlace {
                        file: span.source.get_path().to_owned(),
                        line: span.line,
                    };
                    let of_package = rules.entry(package.clone()).or_default();
                    of_package.entry(name.to_owned()).or_default().push(place);
                }
            }
        }
        Ok((engine, rules))
    }

    /// The value of a package: an object with the value of each of its rules.
    fn evaluate(&self, engine: &mut Engine, package: &str) -> Result<Rego, PolicyError> {
        let results = engine.eval_query(package.to_owned(), false);
        let mut results = results.map_err(|error| self.wrong(&error.to_string()))?;
        let first = results
            .result
            .pop()
            .and_then(|mut one| one.expressions.pop());
        Ok(first.map_or(Rego::Undefined, |one| one.value))
    }

    /// What the engine says is wrong, with the place that it names.
    fn wrong(&self, text: &str) -> PolicyError {
        if text.contains("exceeded time limit") {
            return PolicyError::new(
                format!("judging the plan takes a policy more than {STEPS_MAX} steps"),
                "let its rules look at each change or thing once, not at each pair of them",
            );
        }
        let mut lines = text.lines().map(str::trim);
        let place = lines.find_map(|line| line.strip_prefix("--> "));
        let message = text.rsplit("error: ").next().unwrap_or(text).trim();
        match place.and_then(|place| self.origin(place)) {
            Some(origin) => PolicyError::at(message, &origin, self.sources.clone()),
            None => PolicyError::new(message, "correct the policy"),
        }
    }

    /// The place that `policies/labels.rego:4:13` names.
    fn origin(&self, place: &str) -> Option<Origin> {
        let mut parts = place.rsplitn(3, ':');
        let column: usize = parts.next()?.parse().ok()?;
        let line: usize = parts.next()?.parse().ok()?;
        let name = parts.next()?;
        let file = self
            .sources
            .files()
            .iter()
            .find(|file| *file.name == *name)?;
        let mut before = 0;
        let mut lines = file.text.split_inclusive('\n');
        for _ in 1..line {
            before += lines.next()?.len();
        }
        let own = lines.next().unwrap_or_default();
        let within: usize = own.chars().take(column - 1).map(char::len_utf8).sum();
        let start = (before + within).min(file.text.len());
        let next = file.text[start..].chars().next().map_or(0, char::len_utf8);
        Some(Origin {
            file: file.name.clone(),
            start: u32::try_from(start).ok()?,
            end: u32::try_from(start + next).ok()?,
        })
    }
}

impl Policies for RegoPolicies {
    fn judge(&self, document: &Value) -> Result<Vec<Verdict>, PolicyError> {
        let (mut engine, rules) = self.engine()?;
        let input = Rego::from_json_str(&document.to_string());
        engine.set_input(input.map_err(|error| self.wrong(&error.to_string()))?);
        let mut said = Vec::new();
        for (package, names) in &rules {
            let values = self.evaluate(&mut engine, package)?;
            for (name, places) in names {
                let Some(ruling) = ruling(name) else { continue };
                let value = &values[name.as_str()];
                let rule = format!("{package}.{name}");
                let found = verdicts::of(value, ruling, &rule, places);
                said.extend(found.map_err(|why| self.misshapen(&why, places))?);
            }
        }
        Ok(said)
    }
}

impl RegoPolicies {
    /// A rule whose value is none that says something.
    fn misshapen(&self, why: &str, places: &[PolicyPlace]) -> PolicyError {
        let place = places
            .first()
            .map(|one| format!("{}:{}:1", one.file, one.line));
        match place.and_then(|place| self.origin(&place)) {
            Some(origin) => PolicyError::at(why, &origin, self.sources.clone()),
            None => PolicyError::new(why, "correct the policy"),
        }
    }
}

/// Whether an error is one that every plan would show: a word that the language does not know. What
/// only goes wrong without a plan, such as a sum of nothing, is told when there is one.
fn is_of_the_text(error: &PolicyError) -> bool {
    let message = &error.finding.message;
    [
        "could not find function",
        "is unsafe",
        "undefined",
        "conflict",
    ]
    .iter()
    .any(|word| message.contains(word))
}

/// What a rule of this name does.
fn ruling(name: &str) -> Option<Ruling> {
    let is = |word: &str| {
        let rest = name.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    if is("deny") || is("violation") {
        Some(Ruling::Deny)
    } else if is("warn") {
        Some(Ruling::Warn)
    } else {
        None
    }
}
