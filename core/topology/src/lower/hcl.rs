//! HCL bodies and blocks.

use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::structure::{BlockLabel, Body as HclBody, Structure};
use strat_model::Diagnostic;

use super::{Lowering, Words};
use crate::ast::{Attribute, Block, Body, Expr, Ident};
use crate::topology::STACK_BYTES;
use crate::{scan, syntax};

/// How long, in bytes, the parts are at least in which a file is parsed. The parser's tree takes a
/// hundred times the memory of its text, so it is made of one part at a time.
const PART_BYTES: usize = 4 << 10;
/// How many parts a thread has at least, so that it is worth its start.
const PARTS_PER_THREAD: usize = 8;
/// The most threads that parse one file.
const THREADS_MAX: usize = 8;

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
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(THREADS_MAX).min(parts.len() / PARTS_PER_THREAD);
    let run = |parts: &[Range<usize>]| blocks(file, name, text, parts);
    let blocks = if threads < 2 {
        run(&parts)?
    } else {
        std::thread::scope(|scope| {
            let mut shares = parts.chunks(parts.len().div_ceil(threads));
            let ours = shares.next()?;
            let spawn = |share| {
                let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
                builder.spawn_scoped(scope, move || run(share)).ok()
            };
            let running: Vec<_> = shares.map(spawn).collect();
            let mut blocks = run(ours)?;
            for thread in running {
                blocks.extend(thread?.join().ok()??);
            }
            Some(blocks)
        })?
    };
    Some(Body {
        attributes: Vec::new(),
        blocks,
    })
}

/// The blocks in some parts of a text.
fn blocks(file: u32, name: &Arc<str>, text: &str, parts: &[Range<usize>]) -> Option<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut words = Words::default();
    for range in parts {
        let part = &text[range.clone()];
        let parsed = hcl_edit::parser::parse_body(part).ok()?;
        let mut lowering = Lowering::new(file, name.clone(), part)
            .starting_at(u32::try_from(range.start).ok()?)
            .knowing(words);
        let lowered = lowering.body(&parsed);
        if !lowered.attributes.is_empty() || !lowering.problems.is_empty() {
            return None;
        }
        blocks.extend(lowered.blocks);
        words = lowering.words;
    }
    Some(blocks)
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
        let mut lowered = Body::default();
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
        // They stay for as long as the topology, and there may be a hundred thousand of them.
        lowered.attributes.shrink_to_fit();
        lowered.blocks.shrink_to_fit();
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
