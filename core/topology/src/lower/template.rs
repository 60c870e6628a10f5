//! Templates: text with interpolations and directives.

use std::sync::Arc;

use hcl_edit::template::{Directive, Element, Strip, Template};
use strat_model::Diagnostic;

use super::Lowering;
use crate::ast::Part;
use crate::syntax;

/// Parses a whole text as a template, as `templatefile` does.
pub(crate) fn template_text(
    file: u32,
    name: &Arc<str>,
    text: &str,
) -> Result<Vec<Part>, Vec<Diagnostic>> {
    template_parts_at(Lowering::new(file, name.clone(), text))
}

/// Parses the text of `lowering` as a template.
pub(super) fn template_parts_at(mut lowering: Lowering<'_>) -> Result<Vec<Part>, Vec<Diagnostic>> {
    let text = lowering.text;
    if !text.contains("${") && !text.contains("%{") {
        return Ok(if text.is_empty() {
            Vec::new()
        } else {
            vec![Part::Text(Arc::from(text))]
        });
    }
    let parsed = hcl_edit::parser::parse_template(text)
        .map_err(|error| vec![syntax::explain_template(&lowering.name, text, &error)])?;
    let parts = lowering.parts(parsed.iter(), parsed.len());
    let problems = lowering.into_problems();
    if problems.is_empty() {
        Ok(parts)
    } else {
        Err(problems)
    }
}

impl Lowering<'_> {
    /// Lowers the elements of a template, with the white space taken off where `~` says so.
    pub(super) fn parts<'t>(
        &mut self,
        elements: impl Iterator<Item = &'t Element>,
        len: usize,
    ) -> Vec<Part> {
        let mut parts = Vec::with_capacity(len);
        let mut trim_next = false;
        for element in elements {
            match element {
                Element::Literal(literal) => {
                    let text = literal.as_str();
                    let text = if trim_next { text.trim_start() } else { text };
                    trim_next = trim_next && text.is_empty();
                    if !text.is_empty() {
                        parts.push(Part::Text(Arc::from(text)));
                    }
                    continue;
                }
                Element::Interpolation(inner) => {
                    trim_last(&mut parts, inner.strip.strip_start());
                    trim_next = inner.strip.strip_end();
                    parts.push(Part::Interpolation(self.expr(&inner.expr)));
                }
                Element::Directive(directive) => {
                    let (start, end) = outer_strip(directive);
                    trim_last(&mut parts, start);
                    trim_next = end;
                    parts.push(self.directive(directive));
                }
            }
        }
        parts
    }

    fn directive(&mut self, directive: &Directive) -> Part {
        match directive {
            Directive::If(inner) => {
                let yes_end = inner
                    .else_expr
                    .as_ref()
                    .map_or(inner.endif_expr.strip, |e| e.strip);
                Part::If {
                    condition: self.expr(&inner.if_expr.cond_expr),
                    yes: self.inner(&inner.if_expr.template, inner.if_expr.strip, yes_end),
                    no: inner.else_expr.as_ref().map_or_else(Vec::new, |e| {
                        self.inner(&e.template, e.strip, inner.endif_expr.strip)
                    }),
                }
            }
            Directive::For(inner) => {
                let word = |ident: &hcl_edit::Ident| Arc::from(ident.as_str());
                let head = &inner.for_expr;
                Part::For {
                    key_var: head.key_var.as_ref().map(|key| word(key.value())),
                    value_var: word(head.value_var.value()),
                    collection: self.expr(&head.collection_expr),
                    parts: self.inner(&head.template, head.strip, inner.endfor_expr.strip),
                }
            }
        }
    }

    /// The template between two directives, `before` and `after` it.
    fn inner(&mut self, template: &Template, before: Strip, after: Strip) -> Vec<Part> {
        let mut parts = self.parts(template.iter(), template.len());
        if before.strip_end()
            && let Some(Part::Text(text)) = parts.first_mut()
        {
            *text = Arc::from(text.trim_start());
        }
        trim_last(&mut parts, after.strip_start());
        parts
    }
}

fn outer_strip(directive: &Directive) -> (bool, bool) {
    match directive {
        Directive::If(inner) => (
            inner.if_expr.strip.strip_start(),
            inner.endif_expr.strip.strip_end(),
        ),
        Directive::For(inner) => (
            inner.for_expr.strip.strip_start(),
            inner.endfor_expr.strip.strip_end(),
        ),
    }
}

fn trim_last(parts: &mut [Part], trim: bool) {
    if trim && let Some(Part::Text(text)) = parts.last_mut() {
        *text = Arc::from(text.trim_end());
    }
}
