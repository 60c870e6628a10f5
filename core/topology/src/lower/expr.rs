//! HCL expressions.

use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{
    BinaryOperator, Expression, ObjectKey, Traversal, TraversalOperator, UnaryOperator,
};
use strat_model::Diagnostic;

use super::Lowering;
use crate::ast::{BinaryOp, Call, Expr, ExprKind, ForExpr, Ident, Part, UnaryOp};
use crate::value::{Number, TOO_LARGE, Value};

impl Lowering<'_> {
    /// Lowers an expression.
    pub(super) fn expr(&mut self, expr: &Expression) -> Expr {
        let span = self.of(expr);
        let kind = match expr {
            Expression::Null(_) => ExprKind::Literal(Value::Null),
            Expression::Bool(bool) => ExprKind::Literal(Value::Bool(*bool.value())),
            Expression::Number(_) => self.number(expr),
            Expression::String(text) => ExprKind::Literal(Value::String(self.words.get(text))),
            Expression::Array(items) => {
                ExprKind::List(items.iter().map(|item| self.expr(item)).collect())
            }
            Expression::Object(items) => ExprKind::Object(
                items
                    .iter()
                    .map(|(key, value)| (self.object_key(key), self.expr(value.expr())))
                    .collect(),
            ),
            Expression::StringTemplate(template) => self.string_template(template),
            Expression::HeredocTemplate(heredoc) => {
                simplify(self.parts(heredoc.template.iter(), heredoc.template.len()))
            }
            Expression::Parenthesis(inner) => return self.expr(inner.inner()),
            Expression::Variable(name) => ExprKind::Name(self.words.get(name)),
            Expression::Conditional(inner) => ExprKind::Conditional(Box::new([
                self.expr(&inner.cond_expr),
                self.expr(&inner.true_expr),
                self.expr(&inner.false_expr),
            ])),
            Expression::FuncCall(call) => self.call(call),
            Expression::Traversal(traversal) => return self.traversal(traversal),
            Expression::UnaryOp(op) => ExprKind::Unary(
                match op.operator.value() {
                    UnaryOperator::Neg => UnaryOp::Negate,
                    UnaryOperator::Not => UnaryOp::Not,
                },
                Box::new(self.expr(&op.expr)),
            ),
            Expression::BinaryOp(op) => ExprKind::Binary(
                binary(*op.operator.value()),
                Box::new((self.expr(&op.lhs_expr), self.expr(&op.rhs_expr))),
            ),
            Expression::ForExpr(inner) => self.for_expr(inner),
        };
        Expr { kind, span }
    }

    /// Numbers are read from the text: the parser's own are doubles, and lose digits.
    fn number(&mut self, expr: &Expression) -> ExprKind {
        let text = expr
            .span()
            .and_then(|range| self.text.get(range))
            .unwrap_or_default();
        // The sign may stand apart: `- 1`.
        let number = match text.strip_prefix('-') {
            Some(rest) => Number::parse(rest.trim_start()).map(|number| -&number),
            None => Number::parse(text),
        };
        if let Some(number) = number {
            return ExprKind::Literal(Value::Number(number));
        }
        let origin = strat_model::Origin {
            file: self.name.clone(),
            start: self.of(expr).start,
            end: self.of(expr).end,
        };
        self.problems.push(
            Diagnostic::error("number_range", "this number cannot be represented")
                .at(&origin, "too large, or too many digits")
                .help(TOO_LARGE),
        );
        ExprKind::Literal(Value::Null)
    }

    fn object_key(&mut self, key: &ObjectKey) -> Expr {
        match key {
            ObjectKey::Ident(ident) => Expr {
                kind: ExprKind::Literal(Value::String(self.words.get(ident))),
                span: self.span(ident.span()),
            },
            ObjectKey::Expression(expr) => self.expr(expr),
        }
    }

    fn string_template(&mut self, template: &hcl_edit::template::StringTemplate) -> ExprKind {
        let mut parts = self.parts(template.iter(), template.len());
        // `"${x}"` is `x` itself, whatever its type.
        if matches!(parts.as_slice(), [Part::Interpolation(_)])
            && let Some(Part::Interpolation(inner)) = parts.pop()
        {
            return inner.kind;
        }
        simplify(parts)
    }

    fn call(&mut self, call: &hcl_edit::expr::FuncCall) -> ExprKind {
        let mut name = self.ident(&call.name.name);
        for namespace in call.name.namespace.iter().rev() {
            name = Ident {
                text: Arc::from(format!("{}::{}", namespace.as_str(), name.text)),
                span: self.span(namespace.span()).to(name.span),
            };
        }
        ExprKind::Call(Box::new(Call {
            name,
            args: call.args.iter().map(|arg| self.expr(arg)).collect(),
            expand: call.args.expand_final(),
        }))
    }

    fn for_expr(&mut self, inner: &hcl_edit::expr::ForExpr) -> ExprKind {
        let word = |ident: &hcl_edit::Ident| Arc::from(ident.as_str());
        ExprKind::For(Box::new(ForExpr {
            key_var: inner.intro.key_var.as_ref().map(|key| word(key.value())),
            value_var: word(inner.intro.value_var.value()),
            collection: self.expr(&inner.intro.collection_expr),
            key: inner.key_expr.as_ref().map(|key| self.expr(key)),
            value: self.expr(&inner.value_expr),
            condition: inner.cond.as_ref().map(|cond| self.expr(&cond.expr)),
            grouping: inner.grouping,
        }))
    }

    fn traversal(&mut self, traversal: &Traversal) -> Expr {
        let base = self.expr(&traversal.expr);
        self.operators(base, &traversal.operators)
    }

    fn operators(
        &mut self,
        mut base: Expr,
        operators: &[hcl_edit::Decorated<TraversalOperator>],
    ) -> Expr {
        for (at, operator) in operators.iter().enumerate() {
            let own = self.of(operator);
            let span = base.span.to(own);
            let kind = match operator.value() {
                TraversalOperator::GetAttr(name) => {
                    let name = self.ident(name);
                    ExprKind::Attr(Box::new((base, name)))
                }
                TraversalOperator::Index(index) => {
                    let index = self.expr(index);
                    ExprKind::Index(Box::new(base), Box::new(index))
                }
                TraversalOperator::LegacyIndex(index) => {
                    let index = Expr {
                        kind: ExprKind::Literal(Value::Number(
                            Number::parse(&index.value().to_string()).unwrap_or(Number::ZERO),
                        )),
                        span: own,
                    };
                    ExprKind::Index(Box::new(base), Box::new(index))
                }
                TraversalOperator::FullSplat(_) => {
                    let item = splat_item(own);
                    let each = self.operators(item, &operators[at + 1..]);
                    let span = span.to(each.span);
                    return splat(base, each, span);
                }
                TraversalOperator::AttrSplat(_) => {
                    let rest = &operators[at + 1..];
                    let attributes = rest
                        .iter()
                        .take_while(|op| matches!(op.value(), TraversalOperator::GetAttr(_)))
                        .count();
                    let item = splat_item(own);
                    let each = self.operators(item, &rest[..attributes]);
                    let span = span.to(each.span);
                    return self.operators(splat(base, each, span), &rest[attributes..]);
                }
            };
            base = Expr { kind, span };
        }
        base
    }
}

fn splat_item(span: crate::span::Span) -> Expr {
    Expr {
        kind: ExprKind::SplatItem,
        span,
    }
}

fn splat(base: Expr, each: Expr, span: crate::span::Span) -> Expr {
    Expr {
        kind: ExprKind::Splat(Box::new(base), Box::new(each)),
        span,
    }
}

/// A template without places is a string.
fn simplify(parts: Vec<Part>) -> ExprKind {
    match parts.as_slice() {
        [] => ExprKind::Literal(Value::string("")),
        [Part::Text(text)] => ExprKind::Literal(Value::String(text.clone())),
        _ => ExprKind::Template(parts),
    }
}

fn binary(operator: BinaryOperator) -> BinaryOp {
    match operator {
        BinaryOperator::Eq => BinaryOp::Equal,
        BinaryOperator::NotEq => BinaryOp::NotEqual,
        BinaryOperator::LessEq => BinaryOp::LessEqual,
        BinaryOperator::GreaterEq => BinaryOp::GreaterEqual,
        BinaryOperator::Less => BinaryOp::Less,
        BinaryOperator::Greater => BinaryOp::Greater,
        BinaryOperator::Plus => BinaryOp::Add,
        BinaryOperator::Minus => BinaryOp::Subtract,
        BinaryOperator::Mul => BinaryOp::Multiply,
        BinaryOperator::Div => BinaryOp::Divide,
        BinaryOperator::Mod => BinaryOp::Remainder,
        BinaryOperator::And => BinaryOp::And,
        BinaryOperator::Or => BinaryOp::Or,
    }
}
