//! Findings for text that is no HCL.

use std::sync::Arc;

use hcl_edit::parser::Error;
use strat_model::{Diagnostic, Origin};

/// The finding for a parse error.
pub(crate) fn explain(name: &Arc<str>, text: &str, error: &Error) -> Diagnostic {
    let start = error.location().offset().min(text.len());
    let end = text[start..]
        .chars()
        .next()
        .map_or(start, |c| start + c.len_utf8());
    let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let origin = Origin {
        file: name.clone(),
        start: at(start),
        end: at(end),
    };
    Diagnostic::error(
        "syntax",
        format!("this is not valid HCL: {}", error.message()),
    )
    .at(&origin, "here")
}
