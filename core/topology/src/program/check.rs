//! Every reference and call, checked before anything is evaluated: also those in branches that
//! this run's inputs would not take.

use strat_model::{Diagnostic, Noun};

use super::Program;
use super::walk::{Found, Walker};
use crate::ast::Ident;
use crate::functions;
use crate::hints;
use crate::report::{Sink, nearest, suggest};
use crate::span::Span;

/// The words that begin a reference, besides the nouns.
pub(crate) const ROOTS: [&str; 6] = ["var", "local", "site", "module", "each", "count"];

/// A reference to nothing.
#[derive(Clone, Copy)]
pub(crate) enum UnknownName<'a> {
    /// A single word.
    Word,
    /// `root.name`
    Declared(&'a Ident),
}

/// The finding for a reference whose first word is `root` and that leads nowhere. What was meant is
/// looked for only if the finding will be shown: there may be a hundred thousand names to look among.
pub(crate) fn unknown_root(
    program: &Program,
    sink: &Sink,
    root: &str,
    span: Span,
    name: UnknownName<'_>,
) -> Diagnostic {
    if !sink.listens() {
        let finding = Diagnostic::error("unknown_reference", "this is not known here");
        return finding.at(&program.origin(span), "not known here");
    }
    let roots = || ROOTS.into_iter().chain(Noun::ALL.map(Noun::as_str));
    let UnknownName::Declared(name) = name else {
        let help = if roots().any(|known| known == root) {
            Some(format!("name what you mean: `{root}.…`"))
        } else if program.variables.contains_key(root) {
            Some(format!("did you mean `var.{root}`?"))
        } else if program.locals.contains_key(root) {
            Some(format!("did you mean `local.{root}`?"))
        } else {
            Some(format!("a text stands in quotes: `\"{root}\"`"))
        };
        let mut finding =
            Diagnostic::error("unknown_reference", format!("`{root}` is not known here"))
                .at(&program.origin(span), "not known here");
        finding.help = help;
        return finding;
    };
    let text = &*name.text;
    let place = span.to(name.span);
    let (message, names): (String, Vec<&str>) = match root {
        "var" => (
            format!("there is no variable `{text}`"),
            program.variables.keys().map(|k| &**k).collect(),
        ),
        "local" => (
            format!("there is no local `{text}`"),
            program.locals.keys().map(|k| &**k).collect(),
        ),
        "site" => (
            format!("there is no site `{text}`"),
            program.sites.keys().map(AsRef::as_ref).collect(),
        ),
        "module" => (
            format!("there is no module `{text}`"),
            program.module_calls.keys().map(|k| &**k).collect(),
        ),
        _ => match Noun::parse(root) {
            Some(noun) => (format!("there is no {root} `{text}`"), program.names(noun)),
            None => {
                let mut finding =
                    Diagnostic::error("unknown_reference", format!("`{root}` is not known here"))
                        .at(&program.origin(span), "not known here");
                finding.help = match hints::foreign_root(root) {
                    Some(help) => Some(help.to_owned()),
                    None => suggest(root, "a reference begins with", roots()),
                };
                return finding;
            }
        },
    };
    let help = elsewhere(program, root, text, &names)
        .or_else(|| suggest(text, "there are", names.iter().copied()))
        .or_else(|| Some(declare(root, text)));
    let mut finding = Diagnostic::error("unknown_reference", message)
        .at(&program.origin(place), "nothing of this name");
    finding.help = help;
    finding
}

/// The same name under another word: `machine.web` for the fleet `machines.web`.
fn elsewhere(program: &Program, root: &str, text: &str, names: &[&str]) -> Option<String> {
    if nearest(text, names.iter().copied()).is_some() {
        return None;
    }
    let noun = Noun::ALL
        .into_iter()
        .filter(|noun| noun.as_str() != root)
        .filter(|noun| nearest(root, [noun.as_str()]).is_some())
        .find(|noun| program.thing(*noun, text).is_some());
    match noun {
        Some(noun) => Some(format!("did you mean `{}.{text}`?", noun.as_str())),
        None if root == "var" && program.locals.contains_key(text) => {
            Some(format!("did you mean `local.{text}`?"))
        }
        None if root == "local" && program.variables.contains_key(text) => {
            Some(format!("did you mean `var.{text}`?"))
        }
        None => None,
    }
}

fn declare(root: &str, name: &str) -> String {
    match root {
        "var" => format!("declare it: `variable \"{name}\" {{ … }}`"),
        "local" => format!("declare it: `locals {{ {name} = … }}`"),
        _ => format!("declare it: `{root} \"{name}\" {{ … }}`"),
    }
}

/// Checks all references and calls of a program.
pub(crate) fn check_references(program: &Program, sink: &mut Sink) {
    let mut check = |found: Found<'_>| match found {
        Found::Word(name, span) => {
            let finding = unknown_root(program, sink, name, span, UnknownName::Word);
            sink.push(finding);
        }
        Found::Reference(root, span, name) => reference(program, sink, (root, span), name),
        Found::Call(call) => {
            if let Some(finding) = functions::unknown(&call.name, &program.files) {
                sink.push(finding);
            }
        }
        // What a module gives is known when it was written out.
        Found::ModuleOutput(..) => {}
    };
    let mut walker = Walker::new(&mut check);
    for local in program.locals.values().chain(&program.locals_again) {
        walker.expr(&local.value);
    }
    let blocks = program.topology.iter();
    let blocks = blocks
        .chain(
            program
                .again
                .iter()
                .filter(|block| &*block.keyword.text != "variable"),
        )
        .chain(program.sites.values())
        .chain(program.module_outputs.values())
        .chain(program.bursts.values())
        .chain(program.checks.values())
        .chain(program.reaches.values())
        .chain(program.outputs.values());
    for block in blocks {
        walker.body(&block.body);
    }
    for thing in &program.things {
        walker.body(&thing.block.body);
    }
    for input in program.module_inputs.values() {
        input.given.iter().for_each(|given| walker.expr(given));
    }
    for variable in program.variables.values() {
        walker.variable(variable);
    }
}

fn reference(program: &Program, sink: &mut Sink, (root, span): (&str, Span), name: &Ident) {
    let known = match root {
        "each" | "count" => true,
        "var" => {
            program.variables.contains_key(&name.text)
                || program.module_inputs.contains_key(&name.text)
        }
        "path" => &*name.text == "module",
        "module" => program.module_calls.contains_key(&name.text),
        "local" => program.locals.contains_key(&name.text),
        "site" => {
            program.sites.contains_key(&*name.text) || program.site_groups.contains_key(&*name.text)
        }
        _ => Noun::parse(root).is_some_and(|noun| program.thing(noun, &name.text).is_some()),
    };
    if !known {
        let finding = unknown_root(program, sink, root, span, UnknownName::Declared(name));
        sink.push(finding);
    }
}
