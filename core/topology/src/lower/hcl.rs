//! HCL bodies and blocks.

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::structure::{BlockLabel, Body as HclBody, Structure};
use strat_model::Diagnostic;
use strat_parallel::in_order;

use super::{Lowering, Words};
use crate::ast::{Attribute, Block, Body, Expr, Ident};
use crate::{scan, syntax};

/// How long, in bytes, the parts are at least in which a file is parsed. The parser's tree takes a
/// hundred times the memory of its text, so it is made of one part at a time.
const PART_BYTES: usize = 2 << 10;
/// How many parts a thread has at least, so that it is worth being woken.
const PARTS_MIN: usize = 8;

/// Parses a whole HCL file.
pub(crate) fn hcl_body(file: u32, name: &Arc<str>, text: &str) -> Result<Body, Vec<Diagnostic>> {
    match in_parts(file, name, text) {
        Some(body) => Ok(body),
        None => whole(file, name, text),
    }
}

/// Parses a file part by part; `None` where that might differ from parsing it as a whole: anything
/// is wrong with it, or attributes stand outside the blocks.
fn in_parts(file: u32, name: &Arc<str>, text: &str) -> Option<Body> {
    let cuts = scan::cuts(text, PART_BYTES)?;
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([text.len()]);
    let parts: Vec<Range<usize>> = starts.zip(ends).map(|(from, to)| from..to).collect();
    let part = |words: &mut Words, at: usize| blocks(file, name, text, &parts[at], words);
    let mut blocks = Vec::new();
    in_order(parts.len(), PARTS_MIN, Words::default, part, |part| {
        blocks.extend(part.ok_or(())?);
        Ok::<_, ()>(())
    })
    .ok()?;
    Some(Body {
        attributes: Vec::new(),
        blocks,
    })
}

/// The blocks in a part of a text.
fn blocks(
    file: u32,
    name: &Arc<str>,
    text: &str,
    range: &Range<usize>,
    words: &mut Words,
) -> Option<Vec<Block>> {
    let part = &text[range.clone()];
    let parsed = hcl_edit::parser::parse_body(part).ok()?;
    let mut lowering = Lowering::new(file, name.clone(), part)
        .starting_at(u32::try_from(range.start).ok()?)
        .knowing(std::mem::take(words));
    let lowered = lowering.body(&parsed);
    let is_whole = lowered.attributes.is_empty() && lowering.problems.is_empty();
    *words = lowering.words;
    is_whole.then_some(lowered.blocks)
}

fn whole(file: u32, name: &Arc<str>, text: &str) -> Result<Body, Vec<Diagnostic>> {
    let parsed =
        hcl_edit::parser::parse_body(text).map_err(|error| syntax::explain(name, text, &error))?;
    let mut lowering = Lowering::new(file, name.clone(), text);
    let body = lowering.body(&parsed);
    let problems = lowering.into_problems();
    if problems.is_empty() {
        Ok(body)
    } else {
        Err(problems)
    }
}

/// Parses one HCL expression.
pub(crate) fn hcl_expression(
    file: u32,
    name: &Arc<str>,
    text: &str,
) -> Result<Expr, Vec<Diagnostic>> {
    hcl_expression_at(Lowering::new(file, name.clone(), text))
}

/// Parses the text of `lowering` as one expression.
pub(super) fn hcl_expression_at(mut lowering: Lowering<'_>) -> Result<Expr, Vec<Diagnostic>> {
    let text = lowering.text;
    let parsed = hcl_edit::parser::parse_expr(text)
        .map_err(|error| vec![syntax::explain_part(&lowering.name, text, &error)])?;
    let expr = lowering.expr(&parsed);
    let problems = lowering.into_problems();
    if problems.is_empty() {
        Ok(expr)
    } else {
        Err(problems)
    }
}

impl Lowering<'_> {
    fn body(&mut self, body: &HclBody) -> Body {
        // They stay for as long as the topology, and there may be a hundred thousand of them.
        let attributes = body.attributes().count();
        let mut lowered = Body {
            attributes: Vec::with_capacity(attributes),
            blocks: Vec::with_capacity(body.len() - attributes),
        };
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => lowered.attributes.push(Attribute {
                    name: self.ident(&attribute.key),
                    value: self.expr(&attribute.value),
                }),
                Structure::Block(block) => {
                    let block = self.block(block);
                    lowered.blocks.push(block);
                }
            }
        }
        lowered
    }

    fn block(&mut self, block: &hcl_edit::structure::Block) -> Block {
        let keyword = self.ident(&block.ident);
        let labels: Vec<Ident> = block
            .labels
            .iter()
            .map(|label| Ident {
                text: self.words.get(label.as_str()),
                span: match label {
                    BlockLabel::Ident(ident) => self.span(ident.span()),
                    BlockLabel::String(string) => self.span(string.span()),
                },
            })
            .collect();
        let head = labels
            .last()
            .map_or(keyword.span, |label| keyword.span.to(label.span));
        Block {
            keyword,
            labels,
            body: self.body(&block.body),
            head,
        }
    }
}
