//! A failure, for people.

use std::fmt::Write as _;

use super::style::{BOLD, DELETE, DIM, NOTE, paint};
use super::wrap::words;
use stratiform::model::ErrorView;

use crate::failure::Failure;

/// What failed, why, and what to do next.
pub(crate) fn failure(failure: &Failure, width: usize) -> String {
    let mut text = String::new();
    if failure.findings.is_some() {
        return text;
    }
    let view = &failure.view;
    let head = paint(DELETE.bold(), "error:");
    let _ = writeln!(text, "{head} {}", paint(BOLD, &view.message));
    details(&mut text, "  ", view, &view.reference(), width);
    text
}

/// What stands below the message: what the vendor is to be asked about, the causes, the help.
pub(crate) fn details(
    text: &mut String,
    indent: &str,
    view: &ErrorView,
    reference: &str,
    width: usize,
) {
    if !reference.is_empty() {
        hanging(text, &format!("{indent}from: "), reference, width);
    }
    for cause in &view.causes {
        hanging(text, &format!("{indent}because: "), cause, width);
    }
    if let Some(help) = &view.help {
        help_line(text, indent, help, width);
    }
}

/// `help: …`, indented, on as many lines as it takes.
pub(crate) fn help_line(text: &mut String, indent: &str, help: &str, width: usize) {
    let room = width.saturating_sub(indent.len() + 6).max(20);
    let mut head = paint(NOTE, "help:");
    for paragraph in help.lines() {
        for line in words(paragraph, room) {
            let _ = writeln!(text, "{indent}{head} {line}");
            head = "     ".to_owned();
        }
    }
}

fn hanging(text: &mut String, head: &str, body: &str, width: usize) {
    let room = width.saturating_sub(head.len()).max(20);
    let mut lines = words(body, room).into_iter();
    let first = lines.next().unwrap_or_default();
    let _ = writeln!(text, "{}{first}", paint(DIM, head));
    for line in lines {
        let _ = writeln!(text, "{:indent$}{line}", "", indent = head.len());
    }
}
