//! Findings for text that is no HCL: the parser's word for it, and a guess at the slip.

use std::sync::Arc;

use hcl_edit::parser::Error;
use strat_model::{Diagnostic, Origin};

use crate::scan::{Problem, Scan};

/// The findings for a parse error of a whole file.
pub(crate) fn explain(name: &Arc<str>, text: &str, error: &Error) -> Vec<Diagnostic> {
    let at = error.location().offset().min(text.len());
    if error.message().contains("redefined attribute") {
        return vec![twice(name, text, at)];
    }
    match unclosed(name, text) {
        // What is not closed is noticed only later, by something that does not fit.
        // So is a quote on the line that did not fit.
        Some((start, finding)) if start <= at || !text[at..start].contains('\n') => {
            vec![finding]
        }
        Some((_, finding)) => vec![explain_part(name, text, error), finding],
        None => vec![explain_part(name, text, error)],
    }
}

/// The finding for a parse error of a template or of a single expression.
pub(crate) fn explain_part(name: &Arc<str>, text: &str, error: &Error) -> Diagnostic {
    let at = error.location().offset().min(text.len());
    let message = error.message();
    let message = if message.starts_with("invalid expression") {
        "a value is expected here".to_owned()
    } else {
        message.replace('\n', "\\n")
    };
    let finding = Diagnostic::error("syntax", format!("this is not valid HCL: {message}"));
    let finding = finding.at(&origin(name, text, at), "here");
    match guess(text, at, error.message()) {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// The finding for a parse error of a template.
pub(crate) fn explain_template(name: &Arc<str>, text: &str, error: &Error) -> Diagnostic {
    let at = error.location().offset().min(text.len());
    let message = error.message().replace('\n', "\\n");
    let finding = Diagnostic::error("syntax", format!("this is no template: {message}"));
    let finding = finding.at(&origin(name, text, at), "here");
    let line_start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let open = ["$", "%"].into_iter().find(|sign| {
        let begun = text[line_start..at].rfind(&format!("{sign}{{"));
        begun.is_some_and(|begun| !text[line_start + begun..at].contains('}'))
    });
    match open {
        Some(sign) => finding.help(format!(
            "write `{sign}{sign}{{` for a `{sign}{{` that is not the topology's own, such as a shell's"
        )),
        None => finding,
    }
}

fn origin(name: &Arc<str>, text: &str, at: usize) -> Origin {
    let mut start = at.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let next = text[start..].chars().next();
    let end = next.map_or(start, |c| start + c.len_utf8());
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Origin {
        file: name.clone(),
        start: number(start),
        end: number(end),
    }
}

/// The word that begins at `at`.
fn word(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')));
    &rest[..end.unwrap_or(rest.len())]
}

/// An attribute that is set a second time.
fn twice(name: &Arc<str>, text: &str, at: usize) -> Diagnostic {
    let word = word(text, at);
    let place = |at: usize| {
        let mut origin = origin(name, text, at);
        origin.end = origin.start + u32::try_from(word.len()).unwrap_or(0);
        origin
    };
    let first = Scan::of(text).sibling_attribute(text, at, word).map(place);
    Diagnostic::error("duplicate_attribute", format!("`{word}` is set twice"))
        .at(&place(at), "set again here")
        .at(first.as_ref(), "first set here")
        .help("remove one of the two")
}

/// A bracket or quote that is never closed, and where: the parser notices it only at the end of
/// what it swallows.
fn unclosed(name: &Arc<str>, text: &str) -> Option<(usize, Diagnostic)> {
    let (start, message, label, help) = match Scan::of(text).problem? {
        Problem::Unclosed { at, bracket } => (
            at,
            format!("this `{bracket}` is never closed"),
            "opened here",
            format!("add the closing `{}`", closing(bracket)),
        ),
        Problem::Quote { at } => (
            at,
            "this text is never closed".to_owned(),
            "opened here",
            "add the closing `\"`; a text of several lines is written `<<EOT`".to_owned(),
        ),
        Problem::Heredoc { at, end } => (
            at,
            format!("this text has no end: no line holds `{end}` alone"),
            "begun here",
            format!("add a line with `{end}`"),
        ),
        Problem::Stray { at, found, open } => {
            return Some((
                open.map_or(at, |(from, _)| from),
                stray(name, text, at, found, open),
            ));
        }
    };
    let finding = Diagnostic::error("syntax", message);
    Some((
        start,
        finding.at(&origin(name, text, start), label).help(help),
    ))
}

/// A bracket that closes nothing, or not what is open.
fn stray(
    name: &Arc<str>,
    text: &str,
    at: usize,
    found: char,
    open: Option<(usize, char)>,
) -> Diagnostic {
    let place = origin(name, text, at);
    let Some((from, bracket)) = open else {
        return Diagnostic::error("syntax", format!("this `{found}` closes nothing"))
            .at(&place, "nothing is open here")
            .help("remove it, or add what it should close");
    };
    let wanted = closing(bracket);
    let message = format!("this `{found}` does not close the `{bracket}` before it");
    Diagnostic::error("syntax", message)
        .at(&place, format!("`{wanted}` was expected"))
        .at(&origin(name, text, from), "opened here")
        .help(format!("add the closing `{wanted}`"))
}

const fn closing(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// What may have been meant.
fn guess(text: &str, at: usize, message: &str) -> Option<String> {
    let line_start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let before = text[line_start..at].trim();
    let rest = text[at..].lines().next().unwrap_or_default().trim_start();
    let name = word(line.trim_start(), 0);
    if message.contains("nested levels") || message.contains("chained") {
        return Some("take it apart with `locals`".to_owned());
    }
    if rest.starts_with('\'') {
        return Some("a text stands in double quotes: `\"…\"`".to_owned());
    }
    if message.contains("escape") {
        return Some("a backslash itself is written `\\\\`".to_owned());
    }
    if rest.is_empty() && before.ends_with('=') {
        return Some(format!("`{name}` has no value after the `=`"));
    }
    if message == "expected `{`" && before.starts_with(name) && before.ends_with('"') {
        let value = before[name.len()..].trim();
        return Some(format!("an attribute is set with `=`: `{name} = {value}`"));
    }
    if rest.starts_with(':') && before == name {
        return Some(format!("an attribute is set with `=`: `{name} = …`"));
    }
    let ends_value = line.trim_end().ends_with(',');
    if message.contains("newline") && ends_value {
        return Some("no comma stands between the attributes of a block".to_owned());
    }
    if message.contains("invalid structure") && !name.is_empty() {
        return Some(format!(
            "set an attribute with `{name} = …`, open a block with `{name} {{`"
        ));
    }
    if message.contains("invalid block body") || message.contains("newline") {
        return Some("every attribute and block stands on a line of its own".to_owned());
    }
    if message.contains("object item") {
        return Some(
            "the items of a map stand on lines of their own, or with `,` between them".to_owned(),
        );
    }
    None
}
