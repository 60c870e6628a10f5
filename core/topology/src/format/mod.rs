//! `strat fmt`: one canonical layout of HCL.
//!
//! Only the spaces between tokens change, by the rules of `terraform fmt` (`hclwrite/format.go`):
//! two spaces for each level, one around operators, the `=` of neighbouring attributes in one
//! column, and so the comments behind them, within `${ }` and `%{ }` too. Line breaks, blank lines,
//! comments and every piece of text stay as they are, so every value does. One thing differs: a line
//! such as `}, {` stands where the line stands that opened the bracket.

mod layout;
mod space;

use strat_model::Diagnostic;

use crate::notation::{self, Notation};
use crate::source::{SourceFile, without_byte_order_mark};
use crate::syntax::{self, Kind, Lexer, Token};
use crate::topology::deep;

/// The canonical layout of an HCL text.
///
/// # Errors
/// Everything that is wrong with a text that is not valid HCL; the places are in a file named as
/// empty.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    format_file(&SourceFile::new("", text))
}

/// The canonical layout of a file.
///
/// # Errors
/// Everything that is wrong with a file that is not valid HCL, or not UTF-8.
pub fn format_file(file: &SourceFile) -> Result<String, Vec<Diagnostic>> {
    let text = without_byte_order_mark(&file.text);
    let (_, problems) = deep(|| syntax::hcl_body(0, &file.name, text));
    let problems = file.with_not_utf8(problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(layout::layout(text, &tokens(text)))
}

/// Whether [`format()`] can lay out a file of that name: it is neither YAML nor JSON, which have
/// formatters of their own.
#[must_use]
pub fn is_formatted(name: &str) -> bool {
    notation::of(name) == Notation::Hcl
}

/// The tokens of a text.
fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer::code(text);
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next();
        if token.kind == Kind::End {
            return tokens;
        }
        tokens.push(token);
    }
}
