//! Operators.

use super::{Evaluator, Scope};
use crate::ast::{BinaryOp, Expr, UnaryOp};
use crate::report::{Outcome, brief};
use crate::span::Span;
use crate::value::{Number, TOO_LARGE, Value};

impl Evaluator<'_> {
    pub(super) fn unary(&mut self, op: UnaryOp, value: Value, span: Span) -> Outcome<Value> {
        let (value, sensitive) = value.reveal();
        if let Value::Unknown(unknown) = &value {
            return Ok(unknown.opaque().marked(sensitive));
        }
        let value = match op {
            UnaryOp::Negate => Value::Number(-&self.number(&value, span, "-", sensitive)?),
            UnaryOp::Not => Value::Bool(!self.bool(&value, span, "what `!` turns round")?),
        };
        Ok(value.marked(sensitive))
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        sides: &(Expr, Expr),
        scope: &Scope<'_>,
    ) -> Outcome<Value> {
        let (left, right) = sides;
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            return self.logical(op, left, right, scope);
        }
        let left_value = self.eval(left, scope);
        let right_value = self.eval(right, scope);
        let (a, a_hidden) = left_value?.reveal();
        let (b, b_hidden) = right_value?.reveal();
        let hidden = a_hidden || b_hidden || a.is_sensitive() || b.is_sensitive();
        if let Some(unknown) = a.unknown().or_else(|| b.unknown()) {
            return Ok(unknown.opaque().marked(hidden));
        }
        let (left_size, right_size) = (a.size().bytes, b.size().bytes);
        self.goes_through(left_size.min(right_size), left.span)?;
        let value = match op {
            BinaryOp::Equal => Value::Bool(a.revealed() == b.revealed()),
            BinaryOp::NotEqual => Value::Bool(a.revealed() != b.revealed()),
            _ => {
                let a = self.number(&a, left.span, op.as_str(), hidden);
                let b = self.number(&b, right.span, op.as_str(), hidden);
                self.arithmetic(op, &a?, &b?, left.span.to(right.span))?
            }
        };
        Ok(value.marked(hidden))
    }

    /// `&&` and `||` leave the right side alone when the left decides.
    fn logical(
        &mut self,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
        scope: &Scope<'_>,
    ) -> Outcome<Value> {
        let decides = op == BinaryOp::Or;
        let mut sensitive = false;
        for side in [left, right] {
            let (value, hidden) = self.eval(side, scope)?.reveal();
            sensitive = sensitive || hidden;
            if let Value::Unknown(unknown) = &value {
                return Ok(unknown.opaque().marked(sensitive));
            }
            let what = format!("each side of `{}`", op.as_str());
            if self.bool(&value, side.span, &what)? == decides {
                return Ok(Value::Bool(decides).marked(sensitive));
            }
        }
        Ok(Value::Bool(!decides).marked(sensitive))
    }

    fn arithmetic(&mut self, op: BinaryOp, a: &Number, b: &Number, span: Span) -> Outcome<Value> {
        self.goes_through(a.weight().saturating_add(b.weight()), span)?;
        let number = match op {
            BinaryOp::Less => return Ok(Value::Bool(a < b)),
            BinaryOp::LessEqual => return Ok(Value::Bool(a <= b)),
            BinaryOp::Greater => return Ok(Value::Bool(a > b)),
            BinaryOp::GreaterEqual => return Ok(Value::Bool(a >= b)),
            BinaryOp::Add => a.plus(b),
            BinaryOp::Subtract => a.minus(b),
            BinaryOp::Multiply => a.times(b),
            BinaryOp::Divide | BinaryOp::Remainder if b.is_zero() => {
                return Err(self.fail(
                    span,
                    "division_by_zero",
                    "this divides by zero",
                    "the right side is 0",
                    None,
                ));
            }
            BinaryOp::Divide => a.over(b),
            BinaryOp::Remainder => a.remainder(b),
            BinaryOp::Equal | BinaryOp::NotEqual => {
                return Ok(Value::Bool((a == b) == (op == BinaryOp::Equal)));
            }
            BinaryOp::And | BinaryOp::Or => None,
        };
        number.map(Value::Number).ok_or_else(|| {
            self.fail(
                span,
                "number_range",
                "the result is too large for a number",
                "overflows",
                Some(TOO_LARGE.to_owned()),
            )
        })
    }

    fn number(&mut self, value: &Value, span: Span, op: &str, hidden: bool) -> Outcome<Number> {
        value.to_number().ok_or_else(|| {
            let found = value.describe();
            let text = match value {
                Value::String(text) if !hidden => format!("`{}` is not a number", brief(text)),
                _ => format!("this is {found}"),
            };
            self.fail(
                span,
                "wrong_type",
                format!("`{op}` takes numbers, not {found}"),
                text,
                None,
            )
        })
    }
}
