//! `strat fmt`: one canonical layout of HCL.
//!
//! Only white space changes: two spaces for each level, one around operators, the `=` of
//! neighbouring attributes in one column, and so the comments behind them. Line breaks, blank
//! lines, comments and the text of heredocs stay as they are.

mod layout;
mod space;
mod token;

use std::sync::Arc;

use strat_model::Diagnostic;

use crate::source::without_byte_order_mark;
use crate::syntax;
use crate::topology::deep;
use token::{Kind, Token, tokens};

/// The canonical layout of an HCL text.
///
/// # Errors
/// If the text is not valid HCL; its place is in a file named as empty.
pub fn format(text: &str) -> Result<String, Diagnostic> {
    let text = without_byte_order_mark(text);
    let text = text.replace("\r\n", "\n");
    let parsed = deep(|| hcl_edit::parser::parse_body(&text).map(drop));
    if let Err(error) = parsed {
        let name: Arc<str> = Arc::from("");
        let mut found = syntax::explain(&name, &text, &error);
        return Err(found.swap_remove(0));
    }
    let before = tokens(&text);
    let formatted = layout::layout(&before);
    // Nothing but white space may have changed; if a rule here is ever wrong, the text wins.
    let same = essence(&tokens(&formatted)) == essence(&before);
    Ok(if same { formatted } else { text })
}

/// The tokens but for the line breaks at the end.
fn essence<'a, 't>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let last = tokens.iter().rposition(|token| token.kind != Kind::Newline);
    &tokens[..last.map_or(0, |last| last + 1)]
}
