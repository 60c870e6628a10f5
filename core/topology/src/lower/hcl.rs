//! HCL bodies and blocks.

use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::structure::{BlockLabel, Body as HclBody, Structure};
use strat_model::Diagnostic;

use super::Lowering;
use crate::ast::{Attribute, Block, Body, Expr, Ident};
use crate::syntax;

/// Parses a whole HCL file.
pub(crate) fn hcl_body(file: u32, name: &Arc<str>, text: &str) -> Result<Body, Vec<Diagnostic>> {
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
        lowered
    }

    fn block(&mut self, block: &hcl_edit::structure::Block) -> Block {
        let keyword = self.ident(&block.ident);
        let labels: Vec<Ident> = block
            .labels
            .iter()
            .map(|label| Ident {
                text: Arc::from(label.as_str()),
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
