//! `strat fmt`: one canonical layout of HCL.
//!
//! Only the spaces between tokens change, by the rules of `terraform fmt` (`hclwrite/format.go`):
//! two spaces for each level, one around operators, the `=` of neighbouring attributes in one
//! column, and so the comments behind them, within `${ }` and `%{ }` too. Line breaks, blank lines,
//! comments and every piece of text stay as they are, so every value does. One thing differs: a line
//! such as `}, {` stands where the line stands that opened the bracket.

mod layout;
mod space;

use std::sync::Arc;

use strat_model::Diagnostic;

use crate::notation::{self, Notation};
use crate::source::without_byte_order_mark;
use crate::syntax::{self, Kind, Lexer, Token};
use crate::topology::deep;

/// The canonical layout of an HCL text.
///
/// # Errors
/// Everything that is wrong with a text that is not valid HCL; the places are in a file named as
/// empty.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let text = without_byte_order_mark(text);
    let name: Arc<str> = Arc::from("");
    deep(|| syntax::hcl_body(0, &name, text).map(drop))?;
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
