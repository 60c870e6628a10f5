//! The colours, each with its one meaning.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// What is made.
pub(crate) const CREATE: Style = AnsiColor::Green.on_default();
/// What is changed.
pub(crate) const UPDATE: Style = AnsiColor::Yellow.on_default();
/// What is made anew.
pub(crate) const REPLACE: Style = AnsiColor::Magenta.on_default();
/// What goes, and what went wrong.
pub(crate) const DELETE: Style = AnsiColor::Red.on_default();
/// What is adopted or let go, and what is only worth knowing.
pub(crate) const NOTE: Style = AnsiColor::Cyan.on_default();
/// What is less important than the rest of its line.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Headings.
pub(crate) const BOLD: Style = Style::new().bold();

/// `text` in a style.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}
