//! From each notation's own tree to [`crate::ast`].

mod data;
mod expr;
mod hcl;
mod template;

pub(crate) use data::data_body;
use hcl::hcl_expression_at;
pub(crate) use hcl::{hcl_body, hcl_expression};
use rustc_hash::FxHashSet;
use template::template_parts_at;
pub(crate) use template::template_text;

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use strat_model::Diagnostic;

use crate::ast::Ident;
use crate::span::Span;

/// What lowering one file needs to know.
pub(crate) struct Lowering<'a> {
    file: u32,
    text: &'a str,
    /// Where the text begins in its file, for an expression inside a string of another notation.
    offset: u32,
    /// The place of everything, where single places cannot be told.
    fixed: Option<Span>,
    name: Arc<str>,
    problems: Vec<Diagnostic>,
    words: Words,
}

/// The words of a text. Most stand there often, and are kept once.
#[derive(Default)]
struct Words(FxHashSet<Arc<str>>);

impl Words {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let word: Arc<str> = Arc::from(text);
        self.0.insert(word.clone());
        word
    }
}

impl<'a> Lowering<'a> {
    /// For the text of `file`, shown as `name`.
    pub(crate) fn new(file: u32, name: Arc<str>, text: &'a str) -> Self {
        Self {
            file,
            text,
            offset: 0,
            fixed: None,
            name,
            problems: Vec::new(),
            words: Words::default(),
        }
    }

    /// The same, with words that were seen before.
    fn knowing(mut self, words: Words) -> Self {
        self.words = words;
        self
    }

    /// The same for a text that begins at `offset` of its file.
    pub(crate) fn starting_at(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }

    /// The same for a text whose single places cannot be told.
    pub(crate) fn always_at(mut self, span: Span) -> Self {
        self.fixed = Some(span);
        self
    }

    /// What was found wrong.
    pub(crate) fn into_problems(self) -> Vec<Diagnostic> {
        self.problems
    }

    fn span(&self, range: Option<Range<usize>>) -> Span {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        let range = range.unwrap_or(0..0);
        let at = |n: usize| {
            u32::try_from(n)
                .unwrap_or(u32::MAX)
                .saturating_add(self.offset)
        };
        Span {
            file: self.file,
            start: at(range.start),
            end: at(range.end),
        }
    }

    fn of(&self, node: &impl hcl_edit::Span) -> Span {
        self.span(node.span())
    }

    fn ident(&mut self, ident: &hcl_edit::Decorated<hcl_edit::Ident>) -> Ident {
        Ident {
            text: self.words.get(ident),
            span: self.span(ident.span()),
        }
    }
}
