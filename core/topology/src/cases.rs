//! Tests of a topology: files that end in `.test.hcl` say what is run, and what must hold then.

mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use strat_model::{Diagnostic, Inventory, Origin};

use crate::ast::{Block, Expr, ExprKind};
use crate::decode;
use crate::eval::{Evaluator, ROOT, Scope};
use crate::expand::{Given, expand};
use crate::inputs::Inputs;
use crate::outputs::{Known, with_things};
use crate::report::Sink;
use crate::source::SourceFile;
use crate::syntax::hcl_body;
use crate::topology::{Topology, deep};
use crate::value::{Number, Value, text_of};

/// The ending of files of tests.
pub const TEST_ENDING: &str = ".test.hcl";

/// A file of tests, read.
#[derive(Debug, Clone)]
pub struct TestFile {
    /// The text.
    pub file: SourceFile,
    /// What is run, in order, on one world.
    pub runs: Vec<TestRun>,
}

/// One run of a file of tests.
#[derive(Debug, Clone)]
pub struct TestRun {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub origin: Origin,
    /// Whether its plan is applied, or only made.
    pub applies: bool,
    /// The values of variables that it gives, and those of the whole file: as files of values, whose
    /// places are those of the test's own file.
    pub values: Vec<SourceFile>,
    /// What is done to the world before it, each as a line of words with its place.
    pub disturb: Vec<(String, Origin)>,
    /// The codes of what it is to fail by; empty where it is to succeed.
    pub expect_failures: Vec<String>,
    /// The bursts whose decisions it asks for.
    pub bursts: Vec<TestBurst>,
}

/// A burst whose decision is asked for, and what its signals say.
#[derive(Debug, Clone)]
pub struct TestBurst {
    /// Its name.
    pub name: String,
    /// Where that stands.
    pub origin: Origin,
    /// The values of signals, by name.
    pub values: BTreeMap<String, f64>,
}

/// What conditions may name, besides what the topology declares.
#[derive(Debug, Clone, Default)]
pub struct TestWords {
    /// `plan`
    pub plan: serde_json::Value,
    /// `output`
    pub output: serde_json::Value,
    /// `resources`
    pub resources: serde_json::Value,
    /// `decision`
    pub decision: serde_json::Value,
}

/// A condition that was looked at.
#[derive(Debug, Clone)]
pub struct Held {
    /// Where it stands.
    pub origin: Origin,
    /// Why it does not hold, if it does not.
    pub broken: Option<Broken>,
}

/// Why a condition does not hold.
#[derive(Debug, Clone)]
pub enum Broken {
    /// It is false.
    False {
        /// What the test says then.
        message: Option<String>,
        /// Both sides of a comparison: as they stand in the text, and what they are.
        sides: Vec<(String, String)>,
    },
    /// It cannot be evaluated.
    Wrong(Vec<Diagnostic>),
}

impl Topology {
    /// Looks at every condition of a run, which may name all that the topology declares, and `plan`,
    /// `output`, `resources` and `decision` as `words` has them. What only an apply tells is known as far as
    /// `inventory` has it.
    #[must_use]
    pub fn hold(
        &self,
        inputs: &Inputs,
        inventory: Option<&Inventory>,
        test: &TestFile,
        run: &str,
        words: &TestWords,
    ) -> Vec<Held> {
        deep(|| {
            let lazy = true;
            let (whole, _) = expand(self.shared(), Given { inputs, lazy });
            let mut ev = Evaluator::new(&whole);
            ev.lazy = lazy;
            let number = ev.files.add(test.file.name.clone());
            let (body, _) = hcl_body(number, &test.file.name, &test.file.text);
            ev.resolve_variables(inputs);
            let owner = decode::owner(&mut ev);
            // What is wrong with the topology is told by the run itself.
            ev.sink = Sink::default();
            let known = inventory.zip(owner.ok());
            let known = known.map(|(inventory, owner)| Known::of(inventory, &owner));
            ev.known = known.as_ref();
            let none = Known::default();
            let known = known.as_ref().unwrap_or(&none);
            let [plan, output, resources, decision] = [
                &words.plan,
                &words.output,
                &words.resources,
                &words.decision,
            ]
            .map(value_of);
            let scope = ROOT.with_variable("plan", &plan);
            let scope = scope.with_variable("output", &output);
            let scope = scope.with_variable("resources", &resources);
            let scope = scope.with_variable("decision", &decision);
            let mut runs = body.blocks("run");
            let own = runs.find(|block| block.labels.iter().any(|label| *label.text == *run));
            let asserts = own
                .into_iter()
                .flat_map(|block| block.body.blocks("assert"));
            let text = &test.file.text;
            asserts
                .filter_map(|assert| looked_at(&mut ev, assert, &scope, known, text))
                .collect()
        })
    }
}

fn looked_at(
    ev: &mut Evaluator<'_>,
    assert: &Block,
    scope: &Scope<'_>,
    known: &Known<'_>,
    text: &str,
) -> Option<Held> {
    let condition = &assert.body.attribute("condition")?.value;
    let value = ev.eval(condition, scope).and_then(|value| {
        let value = value.revealed();
        if value.unknown().is_some() {
            let cause = value.unknown().map(|unknown| unknown.cause.clone());
            return Err(ev.fail(
                condition.span,
                "unknown_value",
                "what the condition names is known only after an apply",
                format!("`{}` is not known yet", cause.unwrap_or_default()),
                Some("set `command = apply`, or name what a plan has".to_owned()),
            ));
        }
        ev.bool(&value, condition.span, "a condition")
    });
    let broken = match value {
        Ok(true) => None,
        Ok(false) => {
            let message = assert.body.attribute("error_message");
            let message = message.and_then(|one| ev.eval(&one.value, scope).ok());
            let message = message.and_then(|value| text_of(&value.revealed()));
            Some(Broken::False {
                message: message.map(|text| text.to_string()),
                sides: sides(ev, condition, scope, known, text),
            })
        }
        Err(_) => Some(Broken::Wrong(std::mem::take(&mut ev.sink).finish())),
    };
    Some(Held {
        origin: ev.files.origin(condition.span),
        broken,
    })
}

/// What each side of a comparison is, where the condition is one.
fn sides(
    ev: &mut Evaluator<'_>,
    condition: &Expr,
    scope: &Scope<'_>,
    known: &Known<'_>,
    text: &str,
) -> Vec<(String, String)> {
    let ExprKind::Binary(_, both) = &condition.kind else {
        return Vec::new();
    };
    let of = |ev: &mut Evaluator<'_>, side: &Expr| {
        if matches!(side.kind, ExprKind::Literal(_)) {
            return None;
        }
        let value = ev.eval(side, scope).ok()?;
        let shown = match value.is_sensitive() {
            true => "(sensitive value)".to_owned(),
            false => format!("{}", with_things(&value, known)?),
        };
        let written = text.get(side.span.start as usize..side.span.end as usize)?;
        Some((written.to_owned(), shown))
    };
    let sides = [of(ev, &both.0), of(ev, &both.1)];
    sides.into_iter().flatten().collect()
}

/// A value of JSON, with the digits that its numbers have there.
fn value_of(json: &serde_json::Value) -> Value {
    use serde_json::Value as J;
    match json {
        J::Null => Value::Null,
        J::Bool(bool) => Value::Bool(*bool),
        J::Number(number) => {
            let text = number.to_string();
            Number::parse(&text).map_or_else(|| Value::string(text), Value::Number)
        }
        J::String(text) => Value::string(text),
        J::Array(items) => Value::list(items.iter().map(value_of)),
        J::Object(items) => {
            let pairs = items.iter();
            Value::map(pairs.map(|(key, item)| (Arc::from(key.as_str()), value_of(item))))
        }
    }
}
