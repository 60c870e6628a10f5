//! Templates: text with values in it.

use std::sync::Arc;

use strat_model::TemplatePart;

use super::{Binding, Evaluator, Scope};
use crate::ast::{Expr, Part};
use crate::report::Outcome;
use crate::span::Span;
use crate::value::{Ref, Unknown, Value, part_bytes, text_of};

/// A text that is being put together.
#[derive(Default)]
struct Text {
    /// The pieces before `text`; empty as long as all is known.
    parts: Vec<TemplatePart>,
    text: String,
    /// What `parts` count for.
    flushed: usize,
    /// Where the template stands.
    span: Span,
    sensitive: bool,
    /// What the text waits for, and whether it can be filled in place.
    unknown: Option<Unknown>,
    opaque: bool,
}

impl Text {
    fn unknown(&mut self, unknown: &Unknown) {
        match &unknown.parts {
            Some(parts) => {
                for part in parts.iter() {
                    match part {
                        TemplatePart::Text(text) => self.text.push_str(text),
                        attribute @ TemplatePart::Attribute { .. } => {
                            self.flush();
                            self.put(attribute.clone());
                        }
                    }
                }
            }
            None => self.opaque = true,
        }
        self.unknown.get_or_insert_with(|| unknown.clone());
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.put(TemplatePart::Text(text));
        }
    }

    fn put(&mut self, part: TemplatePart) {
        self.flushed += part_bytes(&part);
        self.parts.push(part);
    }

    /// What it counts for as far as it has come.
    fn bytes(&self) -> usize {
        self.flushed + self.text.len()
    }

    fn finish(mut self) -> Value {
        let sensitive = self.sensitive;
        let value = match self.unknown.take() {
            None => Value::string(&self.text),
            Some(unknown) if self.opaque => unknown.opaque(),
            Some(unknown) => {
                self.flush();
                Value::Unknown(Unknown {
                    parts: Some(Arc::new(self.parts)),
                    bytes: self.flushed,
                    ..unknown
                })
            }
        };
        value.marked(sensitive)
    }
}

impl Evaluator<'_> {
    /// The text of a template.
    /// It stands at `span`.
    pub(super) fn template(
        &mut self,
        parts: &[Part],
        span: Span,
        scope: &Scope<'_>,
    ) -> Outcome<Value> {
        let mut text = Text {
            span,
            ..Text::default()
        };
        self.render(parts, scope, &mut text)?;
        Ok(text.finish())
    }

    fn render(&mut self, parts: &[Part], scope: &Scope<'_>, out: &mut Text) -> Outcome<()> {
        let mut result = Ok(());
        for part in parts {
            let done = match part {
                Part::Text(text) => {
                    out.text.push_str(text);
                    Ok(())
                }
                Part::Interpolation(expr) => self.interpolate(expr, scope, out),
                Part::If { condition, yes, no } => self.render_if(condition, yes, no, scope, out),
                Part::For {
                    key_var,
                    value_var,
                    collection,
                    parts,
                } => {
                    let names = (key_var.as_deref(), &**value_var);
                    self.render_for(names, collection, parts, scope, out)
                }
            };
            result = result.and(done);
            self.text_fits(out.bytes(), out.span)?;
        }
        result
    }

    fn render_if(
        &mut self,
        condition: &Expr,
        yes: &[Part],
        no: &[Part],
        scope: &Scope<'_>,
        out: &mut Text,
    ) -> Outcome<()> {
        let (value, hidden) = self.eval(condition, scope)?.reveal();
        out.sensitive = out.sensitive || hidden;
        if let Value::Unknown(unknown) = &value {
            out.opaque = true;
            out.unknown(unknown);
            return Ok(());
        }
        let branch = match self.bool(&value, condition.span, "the condition of an `if`")? {
            true => yes,
            false => no,
        };
        self.render(branch, scope, out)
    }

    fn render_for(
        &mut self,
        (key_var, value_var): (Option<&str>, &str),
        collection: &Expr,
        parts: &[Part],
        scope: &Scope<'_>,
        out: &mut Text,
    ) -> Outcome<()> {
        let (value, hidden) = self.eval(collection, scope)?.reveal();
        out.sensitive = out.sensitive || hidden;
        let items = match self.items(value, collection.span)? {
            Ok(items) => items,
            Err(unknown) => {
                out.opaque = true;
                out.unknown(&unknown);
                return Ok(());
            }
        };
        for (key, value) in items {
            let (key, value) = (key.marked(hidden), value.marked(hidden));
            let scope = scope.with(Binding::Variable(value_var, &value));
            match key_var {
                Some(name) => {
                    let scope = scope.with(Binding::Variable(name, &key));
                    self.render(parts, &scope, out)?;
                }
                None => self.render(parts, &scope, out)?,
            }
        }
        Ok(())
    }

    fn interpolate(&mut self, expr: &Expr, scope: &Scope<'_>, out: &mut Text) -> Outcome<()> {
        let (value, hidden) = self.eval(expr, scope)?.reveal();
        out.sensitive = out.sensitive || hidden;
        if let Value::Unknown(unknown) = &value {
            out.unknown(unknown);
            return Ok(());
        }
        self.goes_through(value.size().bytes, expr.span)?;
        if let Some(text) = text_of(&value) {
            out.text.push_str(&text);
            return Ok(());
        }
        let found = value.describe();
        let help = match &value {
            Value::List(_) => {
                Some("join it: `join(\", \", …)`, or write `jsonencode(…)`".to_owned())
            }
            Value::Map(_) => Some("write `jsonencode(…)` or `yamlencode(…)`".to_owned()),
            Value::Null => Some("give it a default: `coalesce(…, \"\")`".to_owned()),
            Value::Ref(Ref::Thing { addr, .. }) => {
                Some(format!("name one of its attributes, such as `{addr}.id`"))
            }
            _ => None,
        };
        Err(self.fail(
            expr.span,
            "wrong_type",
            format!("a text cannot hold {found}"),
            format!("this is {found}"),
            help,
        ))
    }
}
