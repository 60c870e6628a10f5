//! The validations of variables.

use std::sync::Arc;

use strat_model::Diagnostic;

use super::GIVEN_IN_FILE;
use crate::ast::{Block, Expr, ExprKind};
use crate::eval::{Evaluator, ROOT};
use crate::expand::Rewriter;
use crate::report::{Failed, Outcome};
use crate::span::Span;
use crate::value::text_of;

impl Evaluator<'_> {
    /// A refused value counts as none, so that nothing further is said of what it leads to.
    pub(super) fn validate(
        &mut self,
        name: &Arc<str>,
        block: &Block,
        span: Option<Span>,
        how: &str,
    ) {
        let mut refused = false;
        for validation in block.body.blocks("validation") {
            let Some(condition) = validation.body.attribute("condition") else {
                continue;
            };
            let Ok(value) = self.eval(&condition.value, &ROOT) else {
                continue;
            };
            let holds = self.bool(&value.revealed(), condition.value.span, "a condition");
            if holds != Ok(false) {
                continue;
            }
            let message = validation.body.attribute("message");
            let message = message.and_then(|m| self.eval(&m.value, &ROOT).ok());
            let message = match message {
                Some(value) if !value.is_sensitive() => text_of(&value),
                _ => None,
            };
            let message = message.unwrap_or_else(|| Arc::from("its validation does not hold"));
            let condition = self.files.origin(condition.value.span);
            let mut finding = Diagnostic::error(
                "validation",
                format!("the value of `{name}` is refused: {message}"),
            )
            .at(&condition, "this does not hold");
            let hidden = self.variable_sensitive(block);
            if let Some(span) = span.filter(|_| !hidden) {
                let place = self.files.origin(span);
                finding = finding.at(&place, how);
            }
            // What a file of values holds is in no finding.
            if how != GIVEN_IN_FILE {
                finding.help = self.offending(name, span.is_none());
            }
            self.report(finding);
            refused = true;
        }
        if refused {
            self.variables.insert(name.clone(), Err(Failed));
        }
    }

    /// Holds what a module is given against the variable's validations. `var.name` of itself is known
    /// while they are looked at.
    pub(crate) fn check_input(
        &mut self,
        block: &Block,
        name: &str,
        value: &crate::value::Value,
        head: Span,
    ) -> Outcome<()> {
        let mut result = Ok(());
        for validation in block.body.blocks("validation") {
            let Some(condition) = validation.body.attribute("condition") else {
                continue;
            };
            // In a module, the variable is called by the module's way to it.
            let var = crate::value::Value::map([(std::sync::Arc::from(name), value.clone())]);
            let scope = ROOT.with_variable("var", &var);
            let own = unprefixed(&condition.value, name);
            let holds = self.eval(&own, &scope)?;
            if holds.unknown().is_some()
                || self.bool(&holds.revealed(), condition.value.span, "a condition") != Ok(false)
            {
                continue;
            }
            let message = validation.body.attribute("message");
            let message = message.and_then(|m| self.eval(&m.value, &ROOT).ok());
            let message = match message {
                Some(value) if !value.is_sensitive() => text_of(&value),
                _ => None,
            };
            let message = message.unwrap_or_else(|| Arc::from("its validation does not hold"));
            let finding = Diagnostic::error(
                "validation",
                format!("the value of `{name}` is refused: {message}"),
            )
            .at(&self.files.origin(head), "given by this module")
            .at(
                &self.files.origin(condition.value.span),
                "this does not hold",
            );
            result = Err(self.report(finding));
        }
        result
    }

    /// The value that was refused, if it may be shown.
    fn offending(&self, name: &Arc<str>, from_command: bool) -> Option<String> {
        let value = self.variables.get(name)?.as_ref().ok()?;
        if value.is_sensitive() {
            return None;
        }
        let json = crate::value::to_json(value)?;
        Some(if from_command {
            let text = text_of(value).map_or_else(|| json.to_string(), |text| text.to_string());
            format!("it was given as `{name} = {text}`")
        } else {
            format!("it is {json}; give `{name}` another value")
        })
    }
}

/// A condition that names its module's own variable by that name alone.
fn unprefixed(condition: &Expr, name: &str) -> Expr {
    let mut condition = condition.clone();
    Rewriter::new(&mut |root, ident| {
        if root == "var"
            && ident
                .text
                .rsplit_once('.')
                .is_some_and(|(_, own)| own == name)
        {
            ident.text = Arc::from(name);
        }
        None
    })
    .expr(&mut condition);
    condition
}

/// The first reference in an expression, besides variables of its own `for`s.
pub(super) fn reference(expr: &Expr, bound: &mut Vec<Arc<str>>) -> Option<Span> {
    match &expr.kind {
        ExprKind::Name(name) => (!bound.contains(name)).then_some(expr.span),
        ExprKind::For(inner) => {
            if let Some(found) = reference(&inner.collection, bound) {
                return Some(found);
            }
            let before = bound.len();
            bound.extend(inner.key_var.clone());
            bound.push(inner.value_var.clone());
            let rest = inner
                .key
                .iter()
                .chain([&inner.value])
                .chain(&inner.condition);
            let found = rest.into_iter().find_map(|e| reference(e, bound));
            bound.truncate(before);
            found
        }
        _ => {
            let mut found = None;
            expr.for_each_child(&mut |child| {
                if found.is_none() {
                    found = reference(child, bound);
                }
            });
            found
        }
    }
}
