//! HCL text to the tree.
//!
//! There is one reading of text: [`Lexer`]. The parser, the formatter and what is told of mistakes
//! all read its tokens, so none of them can take another end of a heredoc than the others. The
//! grammar is that of HCL's native syntax (`hclsyntax/spec.md`, and its parser where the two
//! differ). Why it is our own stands in `docs/adr/0001-own-hcl-parser.md`.

mod body;
mod collection;
mod escape;
mod expr;
mod lexer;
mod parser;
mod postfix;
mod source;
mod template;
mod token;

use std::sync::Arc;

use strat_model::Diagnostic;

use crate::ast::{Body, Expr, Part};
use parser::Parser;

pub(crate) use lexer::Lexer;
pub(crate) use source::{Places, Source};
pub(crate) use token::{Kind, Token};

/// The deepest nesting of an expression, a template or blocks. Every operator of a chain and every
/// `.name` counts as a level, because each nests the tree by one.
pub(crate) const MAX_LEVELS: usize = 1000;

/// Parses a whole HCL file: what can be read of it, and what is wrong. What is broken is left out.
pub(crate) fn hcl_body(file: u32, name: &Arc<str>, text: &str) -> (Body, Vec<Diagnostic>) {
    let mut parser = Parser::new(Source::file(file, name, text), Lexer::code(text));
    let body = parser.file();
    (body, parser.problems)
}

/// Parses one HCL expression.
pub(crate) fn hcl_expression(source: Source<'_>) -> Result<Expr, Vec<Diagnostic>> {
    let lexer = Lexer::code(source.text);
    let mut parser = Parser::new(source, lexer);
    let expr = parser.only_expression();
    parser.finish(expr)
}

/// Parses a whole text as a template, as `templatefile` does.
pub(crate) fn template(source: Source<'_>) -> Result<Vec<Part>, Vec<Diagnostic>> {
    let text = source.text;
    if !text.contains("${") && !text.contains("%{") {
        let part = (!text.is_empty()).then(|| Part::Text(Arc::from(text)));
        return Ok(part.into_iter().collect());
    }
    let mut parser = Parser::new(source, Lexer::template(text));
    let parts = parser.whole_template();
    parser.finish(parts)
}
