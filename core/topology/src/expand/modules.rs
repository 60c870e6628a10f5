//! Modules: the files of a folder, written out once for each use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strat_model::{Diagnostic, Name, Noun};

use super::sites::substitute_each;
use super::{Given, Rewriter};
use crate::ast::{Attribute, Block, Body, Expr, ExprKind, Ident};
use crate::functions::cleaned;
use crate::program::{Program, Thing};
use crate::report::suggest;
use crate::span::Span;
use crate::value::Value;

/// The deepest that modules may stand in modules.
const MAX_DEPTH: usize = 8;

/// The attributes of a `module` block that are no inputs.
pub(crate) const META: [&str; 3] = ["source", "for_each", "count"];

/// A use of a module.
#[derive(Debug, Clone)]
pub(crate) enum ModuleCall {
    /// Once.
    One,
    /// Once for each key.
    Keyed(Vec<Arc<str>>),
    /// So many times.
    Indexed(u64),
    /// Something is wrong with it, which was told.
    Failed,
}

/// A value that a module is given.
#[derive(Debug, Clone)]
pub(crate) struct ModuleInput {
    /// What the `module` block says; `None` for the default.
    pub(crate) given: Option<Expr>,
    /// The module's `variable` block.
    pub(crate) block: Block,
    /// The `module` block.
    pub(crate) head: Span,
}

/// A `module` block that is still to be written out.
struct Pending {
    /// The way to it: `eu`, `eu.db`.
    path: Arc<str>,
    block: Block,
    /// The folder that its source is relative to.
    folder: PathBuf,
}

/// Writes out all modules, those in modules too.
pub(super) fn expand(program: &mut Program, given: Given<'_>, findings: &mut Vec<Diagnostic>) {
    let blocks = std::mem::take(&mut program.modules);
    let folder = program.base_dir.clone();
    let mut pending: Vec<Pending> = blocks
        .into_iter()
        .map(|(name, block)| Pending {
            path: Arc::from(name.as_str()),
            block,
            folder: folder.clone(),
        })
        .collect();
    for _ in 0..MAX_DEPTH {
        if pending.is_empty() {
            break;
        }
        let calls = calls(program, &pending, given, findings);
        let mut next = Vec::new();
        for (one, (call, is_set)) in pending.into_iter().zip(calls) {
            let written = Write {
                program,
                findings,
                next: &mut next,
            }
            .call(&one, &call, is_set);
            let call = if written { call } else { ModuleCall::Failed };
            program.module_calls.insert(one.path, call);
        }
        program.sort_things();
        pending = next;
    }
    if let Some(one) = pending.first() {
        let place = program.origin(one.block.head);
        let message = format!("modules stand in modules more than {MAX_DEPTH} times");
        let finding = Diagnostic::error("too_deep", message).at(&place, "one too many");
        findings.push(finding.help("a module cannot use itself"));
        for one in pending {
            program.module_calls.insert(one.path, ModuleCall::Failed);
        }
    }
}

/// How often each is used, and whether for each item of a set, whose value is its key.
fn calls(
    program: &Program,
    pending: &[Pending],
    given: Given<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<(ModuleCall, bool)> {
    let mut ev = given.evaluator(program);
    let calls = pending.iter().map(|one| {
        let body = &one.block.body;
        match (body.attribute("for_each"), body.attribute("count")) {
            (None, None) => (ModuleCall::One, false),
            (Some(over), None) => match ev.items_of(&over.value) {
                Ok(items) => {
                    let is_set = items.iter().any(|(_, is_set)| *is_set);
                    let keys = items.into_iter().map(|(key, _)| key);
                    (ModuleCall::Keyed(keys.collect()), is_set)
                }
                Err(_) => (ModuleCall::Failed, false),
            },
            (None, Some(count)) => match ev.count(count) {
                Ok(count) => (ModuleCall::Indexed(count), false),
                Err(_) => (ModuleCall::Failed, false),
            },
            (Some(over), Some(_)) => {
                let message = "a module has `count` or `for_each`, not both";
                let help = "keep `for_each` where each has a name of its own".to_owned();
                let span = over.name.span;
                ev.fail(
                    span,
                    "count_and_for_each",
                    message,
                    "one of the two",
                    Some(help),
                );
                (ModuleCall::Failed, false)
            }
        }
    });
    let calls = calls.collect();
    findings.extend(ev.sink.finish());
    calls
}

/// Writes one use into the program.
struct Write<'w> {
    program: &'w mut Program,
    findings: &'w mut Vec<Diagnostic>,
    next: &'w mut Vec<Pending>,
}

impl Write<'_> {
    /// Whether it could be written.
    fn call(&mut self, one: &Pending, call: &ModuleCall, is_set: bool) -> bool {
        let Some(folder) = source(&one.block, &one.folder) else {
            // What is wrong with it was told with the block's shape.
            return false;
        };
        let library = Arc::clone(&self.program.library);
        let Some(module) = library.get(&folder) else {
            return false;
        };
        self.unknown_inputs(one, module);
        let over = one
            .block
            .body
            .attribute("for_each")
            .map(|a| a.value.clone());
        let mut write = |suffix: Option<&str>, block: &Block| {
            let path: Arc<str> = match suffix {
                Some(suffix) => format!("{}.{suffix}", one.path).into(),
                None => one.path.clone(),
            };
            self.instance(&path, block, module, &folder);
        };
        match call {
            ModuleCall::Failed => return false,
            ModuleCall::One => write(None, &one.block),
            ModuleCall::Keyed(keys) => {
                for key in keys {
                    let mut block = one.block.clone();
                    // Of a set, an item's value is its key; of a map it is looked up.
                    let over = over.as_ref().filter(|_| !is_set);
                    substitute_each(&mut block, key, over);
                    write(Some(key), &block);
                }
            }
            ModuleCall::Indexed(count) => {
                for index in 0..*count {
                    let mut block = one.block.clone();
                    substitute_index(&mut block, index);
                    write(Some(&index.to_string()), &block);
                }
            }
        }
        true
    }

    /// What a `module` block says and the module does not know.
    fn unknown_inputs(&mut self, one: &Pending, module: &Program) {
        for attribute in &one.block.body.attributes {
            let name = &*attribute.name.text;
            if META.contains(&name) || module.variables.contains_key(name) {
                continue;
            }
            let known = module.variables.keys().map(|name| &**name);
            let place = self.program.origin(attribute.name.span);
            let message = format!("the module has no variable `{name}`");
            let mut finding = Diagnostic::error("unknown_attribute", message);
            finding = finding.at(&place, "not an input of this module");
            finding.help = match name {
                "version" => Some("a folder has no versions; take the line out".to_owned()),
                "providers" => Some(
                    "sites are values here: give the module a variable, and `site.east` for it"
                        .to_owned(),
                ),
                _ => suggest(name, "it takes", known),
            };
            self.findings.push(finding);
        }
    }

    fn instance(&mut self, path: &Arc<str>, block: &Block, module: &Program, folder: &Path) {
        let here = self.relative(folder);
        for (name, variable) in &module.variables {
            let given = block.body.attribute(name).map(|a| a.value.clone());
            let input = ModuleInput {
                given,
                block: inside(path, &here, variable.clone()),
                head: block.head,
            };
            let inputs = &mut self.program.module_inputs;
            inputs.insert(format!("{path}.{name}").into(), input);
        }
        for (name, local) in &module.locals {
            let full: Arc<str> = format!("{path}.{name}").into();
            let mut body = Body {
                attributes: vec![local.clone()],
                blocks: Vec::new(),
            };
            rename(path, &here, &mut body);
            if let Some(Attribute { value, .. }) = body.attributes.pop() {
                let name = Ident {
                    text: full.clone(),
                    span: local.name.span,
                };
                self.program.locals.insert(full, Attribute { name, value });
            }
        }
        for (name, output) in &module.outputs {
            let outputs = &mut self.program.module_outputs;
            let output = inside(path, &here, output.clone());
            outputs.insert(format!("{path}.{name}").into(), output);
        }
        for (name, check) in &module.checks {
            if let Some(name) = self.name(path, name, check) {
                let check = inside(path, &here, check.clone());
                self.program.checks.insert(name, check);
            }
        }
        for thing in &module.things {
            let Some(name) = self.name(path, &thing.name, &thing.block) else {
                continue;
            };
            if self.program.thing(thing.noun, name.as_str()).is_some() {
                let place = self.program.origin(block.head);
                let message = format!("the {} `{name}` is declared twice", thing.noun.as_str());
                let finding = Diagnostic::error("duplicate_name", message);
                let finding = finding.at(&place, "the module has one of this name");
                let help = "give the other block, or the module, another name";
                self.findings.push(finding.help(help));
                continue;
            }
            let block = inside(path, &here, thing.block.clone());
            let thing = Thing::new(thing.noun, name, block, &self.program.files);
            self.program.things.push(thing);
        }
        for (name, inner) in &module.modules {
            self.next.push(Pending {
                path: format!("{path}.{name}").into(),
                block: inside(path, &here, inner.clone()),
                folder: folder.to_owned(),
            });
        }
    }

    /// What is called `name` in the module at `path`.
    fn name(&mut self, path: &str, name: &Name, block: &Block) -> Option<Name> {
        let full = Name::new(format!("{path}.{name}"));
        if let Err(error) = &full {
            let place = self.program.origin(block.head);
            let finding = Diagnostic::error("bad_name", error.to_string());
            let finding = finding.at(&place, "its name, behind that of its module");
            self.findings.push(finding.help("shorten one of the names"));
        }
        full.ok()
    }

    /// A module's folder, as functions that read files have it.
    fn relative(&self, folder: &Path) -> String {
        let base = cleaned(&self.program.base_dir);
        let relative = folder
            .strip_prefix(&base)
            .ok()
            .filter(|_| base.as_os_str() != ".");
        relative.unwrap_or(folder).display().to_string()
    }
}

/// Tells of every `module` block whose source is no folder of a module.
pub(crate) fn check_sources(program: &mut Program) {
    let mut findings = Vec::new();
    let library = Arc::clone(&program.library);
    let mut check = |one: &Program| {
        for block in one.modules.values() {
            findings.extend(wrong_source(&library, &one.base_dir, block, program));
        }
    };
    check(program);
    library.values().for_each(check);
    program.problems.extend(findings);
}

fn wrong_source(
    library: &BTreeMap<PathBuf, Program>,
    folder: &Path,
    block: &Block,
    program: &Program,
) -> Option<Diagnostic> {
    let attribute = block.body.attribute("source")?;
    let place = program.origin(attribute.value.span);
    let finding = |message: String| Diagnostic::error("bad_module_source", message);
    let Some(source) = source(block, folder) else {
        let (label, help) = match &attribute.value.kind {
            ExprKind::Literal(Value::String(text)) => (
                "not a folder here",
                if text.contains("::") || text.contains("://") || text.contains(".git") {
                    "nothing is fetched: clone the repository beside the topology, and name the \
                     folder"
                } else {
                    "there is no registry of modules, and nothing is fetched; a folder begins with \
                     `./` or `../`"
                },
            ),
            _ => (
                "not a text",
                "write it out: modules are read before anything is evaluated",
            ),
        };
        let finding = finding("a module's source is a folder, such as `./modules/shop`".to_owned());
        return Some(finding.at(&place, label).help(help));
    };
    if library.contains_key(&source) {
        return None;
    }
    let message = format!("the folder `{}` holds no module", source.display());
    let finding = finding(message).at(&place, "no files of a topology are there");
    Some(finding.help("a source is relative to the folder of the file that names it"))
}

/// The folder of a module, from the folder of the file that uses it. `None` if its source is no
/// folder.
pub(crate) fn source(block: &Block, folder: &Path) -> Option<PathBuf> {
    let source = block.body.attribute("source")?;
    let ExprKind::Literal(Value::String(text)) = &source.value.kind else {
        return None;
    };
    let local = text.starts_with("./") || text.starts_with("../");
    local.then(|| cleaned(&folder.join(&**text)))
}

fn substitute_index(block: &mut Block, index: u64) {
    Rewriter::new(&mut |root, name| {
        let is_it = (root, &*name.text) == ("count", "index");
        is_it.then(|| ExprKind::Literal(Value::int(index)))
    })
    .body(&mut block.body);
}

/// A block of a module, with what it refers to under the names of the whole.
fn inside(path: &str, folder: &str, mut block: Block) -> Block {
    rename(path, folder, &mut block.body);
    block
}

fn rename(path: &str, folder: &str, body: &mut Body) {
    Rewriter::new(&mut |root, name| {
        match root {
            "path" if &*name.text == "module" => {
                return Some(ExprKind::Literal(Value::string(folder)));
            }
            "var" | "local" | "module" => {}
            root if Noun::parse(root).is_some() => {}
            _ => return None,
        }
        name.text = format!("{path}.{}", name.text).into();
        None
    })
    .body(body);
}
