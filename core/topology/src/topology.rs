//! A topology from its text to its intent.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use strat_model::{Diagnostic, Intent, Inventory, Name, Origin, Severity};
use strat_parallel::STACK_BYTES;

use crate::ast::{Block, Body};
use crate::eval::Evaluator;
use crate::expand::{Given, check_sources, expand};
use crate::inputs::{Inputs, VariableDoc};
use crate::notation::Notation;
use crate::outputs::{Known, Output, checked_output, description, output};
use crate::program::{Program, check_references, collect, collect_module};
use crate::report::Sink;
use crate::source::{SourceFile, Sources};
use crate::span::Files;
use crate::value::to_plain_json;
use crate::{data, decode, notation, schema, syntax};

/// A topology, parsed.
#[derive(Clone)]
pub struct Topology {
    program: Arc<Program>,
}

/// A topology, evaluated with some inputs.
#[derive(Clone)]
pub struct Evaluated {
    /// What it asks for.
    pub intent: Intent,
    /// What is worth a look, though nothing stops.
    pub warnings: Vec<Diagnostic>,
    program: Arc<Program>,
    inputs: Inputs,
    lazy: bool,
}

/// Names only: the text may hold secrets.
impl fmt::Debug for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self
            .program
            .topology
            .as_ref()
            .and_then(|block| block.labels.first());
        f.debug_struct("Topology")
            .field("name", &name.map(|label| &label.text))
            .finish_non_exhaustive()
    }
}

/// The intent and the warnings: the text may hold secrets.
impl fmt::Debug for Evaluated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluated")
            .field("intent", &self.intent)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

impl Topology {
    /// Parses the text of a topology. What its blocks say is looked at by [`Topology::evaluate`],
    /// so that one run tells of everything.
    ///
    /// # Errors
    /// Everything that is not well-formed, and what else is surely wrong with the shape of the rest.
    pub fn parse(sources: &Sources) -> Result<Self, Vec<Diagnostic>> {
        deep(|| {
            let mut files = Files::default();
            let mut bodies = Vec::new();
            let mut problems = Vec::new();
            for source in sources.files() {
                let file = files.add(source.name.clone());
                let (body, found) = body_of(file, source);
                bodies.push(body);
                problems.extend(source.with_not_utf8(found));
            }
            let (modules, found) = modules(sources, &mut files);
            problems.extend(found);
            let mut program = collect(files.clone(), sources.base_dir().to_owned(), bodies);
            let mut library = BTreeMap::new();
            for (folder, bodies) in modules {
                let module = collect_module(files.clone(), folder.clone(), bodies);
                program.problems.extend(module.problems.iter().cloned());
                library.insert(folder, module);
            }
            program.library = Arc::new(library);
            check_sources(&mut program);
            if !problems.is_empty() {
                let certain = program.problems.into_iter();
                problems.extend(certain.filter(|finding| is_certain(finding, sources)));
                return Err(in_order(problems));
            }
            Ok(Self {
                program: Arc::new(program),
            })
        })
    }

    pub(crate) fn shared(&self) -> &Arc<Program> {
        &self.program
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Evaluates the topology.
    ///
    /// # Errors
    /// Every finding, errors first, if there is any error.
    pub fn evaluate(&self, inputs: &Inputs) -> Result<Evaluated, Vec<Diagnostic>> {
        let (evaluated, findings) = self.check(inputs);
        let is_error = |finding: &Diagnostic| finding.severity == Severity::Error;
        if findings.iter().any(is_error) {
            return Err(findings);
        }
        Ok(evaluated)
    }

    /// Evaluates the topology as far as it can be, so that further checks can tell what else is wrong:
    /// an instance that is wrong is left out, and the rest is there. Gives every finding too, errors
    /// first.
    #[must_use]
    pub fn check(&self, inputs: &Inputs) -> (Evaluated, Vec<Diagnostic>) {
        self.look(inputs, false)
    }

    /// As [`Topology::check`], for who needs no more than the sites, whose the things are, and the
    /// outputs: if all that is wrong is that variables have no value, that is an error only where
    /// one of those needs it. Also gives the names of these variables.
    #[must_use]
    pub fn check_sites(&self, inputs: &Inputs) -> (Evaluated, Vec<Diagnostic>, Vec<String>) {
        let (evaluated, findings) = self.look(inputs, false);
        let is_error = |finding: &&Diagnostic| finding.severity == Severity::Error;
        let mut errors = findings.iter().filter(is_error).peekable();
        if errors.peek().is_none() || !errors.all(|finding| finding.code == "missing_variable") {
            return (evaluated, findings, Vec::new());
        }
        let given = inputs.given_in_files();
        let variables = self.program.variables.iter();
        let missing = variables.filter(|(name, block)| {
            let name = &***name;
            let env = name == "env" && inputs.env.is_some();
            let given = inputs.vars.contains_key(name) || given.contains(name) || env;
            !given && block.body.attribute("default").is_none()
        });
        let missing = missing.map(|(name, _)| name.to_string()).collect();
        let (evaluated, findings) = self.look(inputs, true);
        (evaluated, findings, missing)
    }

    /// Evaluates; `lazy`: without what needs a variable that has no value.
    fn look(&self, inputs: &Inputs, lazy: bool) -> (Evaluated, Vec<Diagnostic>) {
        deep(|| {
            let (whole, found) = expand(&self.program, Given { inputs, lazy });
            let program = &*whole;
            let mut ev = Evaluator::new(program);
            ev.lazy = lazy;
            found.into_iter().for_each(|finding| ev.sink.push(finding));
            for problem in &program.problems {
                ev.sink.push(problem.clone());
            }
            check_references(program, &mut ev.sink);
            ev.resolve_variables(inputs);
            let owner = decode::owner(&mut ev);
            if !lazy {
                ev.all_locals();
            }
            let intent = decode::decode(&mut ev, owner);
            for block in program.outputs.values().filter(|_| !lazy) {
                // A failure has been reported.
                let _ = checked_output(&mut ev, block);
            }
            if !lazy {
                decode::guards::of_whole(&mut ev);
            }
            let findings = ev.sink.finish();
            let evaluated = Evaluated {
                intent,
                warnings: findings.clone(),
                program: Arc::new(program.for_outputs()),
                inputs: inputs.clone(),
                lazy,
            };
            (evaluated, findings)
        })
    }

    /// The variables, by name.
    #[must_use]
    pub fn variables(&self) -> Vec<VariableDoc> {
        deep(|| {
            let mut ev = Evaluator::new(&self.program);
            let variables = self.program.variables.iter();
            variables
                .map(|(name, block)| ev.document(name, block))
                .collect()
        })
    }
}

/// The bodies of the files of every module, by its folder.
type Modules = Vec<(std::path::PathBuf, Vec<Body>)>;

/// Parses the modules' files, and adds them to the files.
fn modules(sources: &Sources, files: &mut Files) -> (Modules, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let modules = sources.modules().map(|(folder, own)| {
        let bodies = own.iter().map(|source| {
            let file = files.add(source.name.clone());
            let (body, found) = body_of(file, source);
            problems.extend(source.with_not_utf8(found));
            body
        });
        (folder.to_owned(), bodies.collect())
    });
    let modules = modules.collect();
    (modules, problems)
}

/// What a file of a topology or module says.
pub(crate) fn body_of(file: u32, source: &SourceFile) -> (Body, Vec<Diagnostic>) {
    match notation::of(&source.name) {
        Notation::Hcl => syntax::hcl_body(file, &source.name, &source.text),
        other => data::data_body(file, &source.name, &source.text, other, false),
    }
}

/// Whether a finding about the shape of a topology holds although something else in its text could
/// not be read. What seems to be missing may be in that, and what seems to be in a block may be
/// behind one that is not closed.
fn is_certain(finding: &Diagnostic, sources: &Sources) -> bool {
    match &*finding.code {
        "unknown_attribute" | "duplicate_attribute" | "bad_name" | "extra_label" => true,
        "unknown_block" => !finding.labels.iter().any(|label| {
            let files = sources.files().iter();
            let mut file = files.filter(|file| file.name == label.origin.file);
            let range = label.origin.start as usize..label.origin.end as usize;
            let word = file.next().and_then(|file| file.text.get(range));
            word.is_some_and(|word| schema::FILE.iter().any(|block| block.keyword == word))
        }),
        _ => false,
    }
}

/// Findings as a run tells them.
fn in_order(findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut sink = Sink::default();
    findings.into_iter().for_each(|finding| sink.push(finding));
    sink.finish()
}

impl Evaluated {
    /// The outputs, with what `inventory` says of the topology's things.
    #[must_use]
    pub fn outputs(&self, inventory: &Inventory) -> BTreeMap<String, Output> {
        if self.program.outputs.is_empty() {
            return BTreeMap::new();
        }
        deep(|| {
            let known = Known::of(inventory, &self.intent.owner);
            let mut ev = Evaluator::new(&self.program);
            ev.lazy = self.lazy;
            ev.resolve_variables(&self.inputs);
            ev.known = Some(&known);
            // For the labels; whose the topology is, is known.
            let _ = decode::owner(&mut ev);
            let outputs = self.program.outputs.iter();
            outputs
                .map(|(name, block)| (name.to_string(), output(&mut ev, block, &known)))
                .collect()
        })
    }

    /// What does not hold, of what the topology says must hold, with what `inventory` says of its
    /// things: conditions of blocks and outputs are errors, those of checks are warnings. What is not
    /// known yet is left out.
    #[must_use]
    pub fn conditions(&self, inventory: &Inventory) -> Vec<Diagnostic> {
        if self.lazy {
            return Vec::new();
        }
        deep(|| {
            let known = Known::of(inventory, &self.intent.owner);
            let mut ev = Evaluator::new(&self.program);
            ev.resolve_variables(&self.inputs);
            ev.known = Some(&known);
            let _ = decode::owner(&mut ev);
            for thing in 0..self.program.things.len() {
                decode::guards::of_thing(&mut ev, thing);
            }
            decode::guards::of_whole(&mut ev);
            let mut findings = ev.sink.finish();
            // What else is worth a look was told when the topology was read.
            let told =
                |finding: &Diagnostic| self.warnings.contains(finding) && finding.code != "check";
            findings.retain(|finding| !told(finding));
            findings
        })
    }

    /// The place of an attribute of a site, or of the site's head where it has none of that name.
    #[must_use]
    pub fn site_origin(&self, site: &Name, attribute: &str) -> Option<Origin> {
        self.place_in(self.program.sites.get(site)?, attribute)
    }

    /// The place of an attribute of the `lease` block, or of the block's head where it has none of
    /// that name.
    #[must_use]
    pub fn lease_origin(&self, attribute: &str) -> Option<Origin> {
        self.place_in(self.program.lease()?, attribute)
    }

    fn place_in(&self, block: &Block, attribute: &str) -> Option<Origin> {
        let attribute = block.body.attribute(attribute);
        let span = attribute.map_or(block.head, |a| a.value.span);
        Some(self.program.origin(span))
    }
}

/// Runs `f` where expressions may nest: callers' stacks may be small, so on one of its own, unless the
/// caller's is one. The thread stays the same, so that its memory is freed where it was taken.
pub(crate) fn deep<T>(f: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_BYTES / 2, STACK_BYTES, f)
}

impl Evaluator<'_> {
    fn document(&mut self, name: &Arc<str>, block: &Block) -> VariableDoc {
        let sensitive = self.variable_sensitive(block);
        let default = block.body.attribute("default");
        let default = default.map(|default| {
            let value = self.constant(&default.value).ok();
            let json = value
                .filter(|_| !sensitive)
                .and_then(|value| to_plain_json(&value));
            json.unwrap_or(serde_json::Value::Null)
        });
        VariableDoc {
            name: name.to_string(),
            ty: self.type_text(block),
            description: description(self, block),
            default,
            sensitive,
        }
    }
}
