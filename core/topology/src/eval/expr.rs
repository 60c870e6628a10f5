//! Expressions of every form.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Binding, Evaluator, MAX_DEPTH, Scope};
use crate::ast::{Expr, ExprKind, ForExpr};
use crate::report::{Outcome, brief};
use crate::span::Span;
use crate::types::{Type, unify};
use crate::value::{ITEM_BYTES, MAX_VALUE_BYTES, Map, Unknown, Value, text_of};

impl Evaluator<'_> {
    /// The value of an expression.
    pub(crate) fn eval(&mut self, expr: &Expr, scope: &Scope<'_>) -> Outcome<Value> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fail(
                expr.span,
                "too_deep",
                "this is nested too deeply",
                format!("more than {MAX_DEPTH} levels of expressions and references"),
                Some("take it apart with `locals`".to_owned()),
            ));
        }
        self.step(expr.span)?;
        self.depth += 1;
        let value = self.eval_kind(expr, scope);
        self.depth -= 1;
        let value = self.bounded(value?, expr.span)?;
        if let ExprKind::List(_)
        | ExprKind::Object(_)
        | ExprKind::Template(_)
        | ExprKind::Splat(..)
        | ExprKind::For(_) = expr.kind
        {
            self.made(value.own_bytes(), expr.span)?;
        }
        Ok(value)
    }

    fn eval_kind(&mut self, expr: &Expr, scope: &Scope<'_>) -> Outcome<Value> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Literal(value) => Ok(value.clone()),
            ExprKind::List(items) => self.list(items, scope),
            ExprKind::Object(items) => self.object(items, scope),
            ExprKind::Template(parts) => self.template(parts, span, scope),
            ExprKind::Name(name) => self.name(name, span, scope),
            ExprKind::Attr(inner) => self.attr_of(&inner.0, &inner.1, span, scope),
            ExprKind::Index(base, key) => {
                // Both are evaluated, so that both are told of.
                let base_value = self.eval(base, scope);
                let key_value = self.eval(key, scope);
                self.index(base_value?, &key_value?, base.span, key.span)
            }
            ExprKind::Splat(base, each) => self.splat(base, each, scope),
            ExprKind::SplatItem => Ok(scope.item().cloned().unwrap_or(Value::Null)),
            ExprKind::Call(call) => self.call(call, span, scope),
            ExprKind::Unary(op, inner) => {
                let value = self.eval(inner, scope)?;
                self.unary(*op, value, inner.span)
            }
            ExprKind::Binary(op, sides) => self.binary(*op, sides, scope),
            ExprKind::Conditional(three) => self.conditional(three, scope),
            ExprKind::For(inner) => self.for_expr(inner, span, scope),
        }
    }

    fn list(&mut self, items: &[Expr], scope: &Scope<'_>) -> Outcome<Value> {
        let values: Vec<_> = items.iter().map(|item| self.eval(item, scope)).collect();
        let values: Outcome<Vec<Value>> = values.into_iter().collect();
        Ok(Value::list(values?))
    }

    fn object(&mut self, items: &[(Expr, Expr)], scope: &Scope<'_>) -> Outcome<Value> {
        let mut map = BTreeMap::new();
        let mut failed = None;
        for (key, value) in items {
            let name = self.eval(key, scope).and_then(|k| self.key(&k, key.span));
            let value = self.eval(value, scope);
            match (name, value) {
                (Ok(name), Ok(value)) => {
                    map.insert(name, value);
                }
                (Err(why), _) | (_, Err(why)) => failed = Some(why),
            }
        }
        failed.map_or_else(|| Ok(Value::map(map)), Err)
    }

    /// The key of a map: a string that is known and not sensitive.
    fn key(&mut self, value: &Value, span: Span) -> Outcome<Arc<str>> {
        if let Some(text) = text_of(value) {
            return Ok(text);
        }
        let found = value.describe();
        Err(self.fail(
            span,
            "wrong_type",
            format!("the key of a map is a string, not {found}"),
            format!("this is {found}"),
            None,
        ))
    }

    fn name(&mut self, name: &Arc<str>, span: Span, scope: &Scope<'_>) -> Outcome<Value> {
        // A variable is looked for in every scope around.
        self.steps_of((self.depth / 64) as u64, span)?;
        match scope.variable(name) {
            Some(value) => Ok(value.clone()),
            None => Err(self.unknown_name(name, span, scope)),
        }
    }

    fn conditional(&mut self, three: &[Expr; 3], scope: &Scope<'_>) -> Outcome<Value> {
        let [condition, yes, no] = three;
        let (value, sensitive) = self.eval(condition, scope)?.reveal();
        if let Value::Unknown(unknown) = &value {
            return Ok(unknown.opaque().marked(sensitive));
        }
        let (branch, other) = match self.bool(&value, condition.span, "a condition")? {
            true => (yes, no),
            false => (no, yes),
        };
        let value = self.eval(branch, scope)?;
        self.goes_through(value.size().bytes, branch.span)?;
        let value = self.like_other(value, other, branch.span.to(other.span), scope)?;
        Ok(value.marked(sensitive))
    }

    /// The value of a conditional as the type that both its branches have in common. The other one
    /// is evaluated for its type alone, where that is not plain: what is wrong with it is not told.
    fn like_other(
        &mut self,
        value: Value,
        other: &Expr,
        span: Span,
        scope: &Scope<'_>,
    ) -> Outcome<Value> {
        let Some(ty) = Type::of(&value).filter(|ty| *ty != Type::Any) else {
            return Ok(value);
        };
        let other = match plain_type(other) {
            Some(other) => other,
            None => {
                self.sink.hush();
                let other = self.eval(other, scope);
                self.sink.loud();
                match other.ok().and_then(|other| Type::of(&other)) {
                    Some(other) => other,
                    None => return Ok(value),
                }
            }
        };
        if ty == other {
            return Ok(value);
        }
        let types = [ty, other];
        let converted = unify(&types).map(|common| common.convert(&value));
        if let Some(Ok(value)) = converted {
            return Ok(value);
        }
        let [chosen, other] = types;
        Err(self.fail(
            span,
            "wrong_type",
            "the two sides of a condition have no type in common",
            format!("one is {}, the other {}", chosen.title(), other.title()),
            Some("make both of one type, as with `tostring(…)`".to_owned()),
        ))
    }

    fn splat(&mut self, base: &Expr, each: &Expr, scope: &Scope<'_>) -> Outcome<Value> {
        let (value, sensitive) = self.eval(base, scope)?.reveal();
        let items: Vec<Value> = match value {
            Value::Unknown(unknown) => return Ok(unknown.opaque().marked(sensitive)),
            Value::Null => Vec::new(),
            Value::List(items) => items.to_vec(),
            // The instances of a block with `for_each`, in the order of their keys.
            Value::Map(items) if is_instances(&items) => items.values().cloned().collect(),
            single => vec![single],
        };
        self.goes_through(items.len().saturating_mul(ITEM_BYTES), base.span)?;
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let item = item.marked(sensitive);
            values.push(self.eval(each, &scope.with(Binding::Item(&item)))?);
        }
        Ok(Value::list(values).marked(sensitive))
    }

    fn for_expr(&mut self, inner: &ForExpr, span: Span, scope: &Scope<'_>) -> Outcome<Value> {
        let (collection, mut sensitive) = self.eval(&inner.collection, scope)?.reveal();
        let items = match self.items(collection, inner.collection.span)? {
            Ok(items) => items,
            Err(unknown) => return Ok(unknown.opaque().marked(sensitive)),
        };
        let mut list = Vec::new();
        let mut room = MAX_VALUE_BYTES;
        let mut groups: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        for (key, value) in items {
            let (key, value) = (key.marked(sensitive), value.marked(sensitive));
            let scope = scope.with(Binding::Variable(&inner.value_var, &value));
            let scope = match &inner.key_var {
                Some(name) => &scope.with(Binding::Variable(name, &key)),
                None => &scope,
            };
            match self.wanted(inner, scope)? {
                Wanted::Yes => {}
                Wanted::No => continue,
                Wanted::Hidden(wanted) => {
                    sensitive = true;
                    if !wanted {
                        continue;
                    }
                }
                Wanted::Unknown(unknown) => return Ok(unknown.opaque()),
            }
            let Some(key_expr) = &inner.key else {
                let value = self.eval(&inner.value, scope)?;
                room = self.room(room, 0, &value, span)?;
                list.push(value);
                continue;
            };
            let (key, hidden) = self.eval(key_expr, scope)?.reveal();
            sensitive = sensitive || hidden;
            if let Value::Unknown(unknown) = &key {
                return Ok(unknown.opaque());
            }
            let key = self.key(&key, key_expr.span)?;
            let value = self.eval(&inner.value, scope)?;
            room = self.room(room, key.len(), &value, span)?;
            let group = groups.entry(key.clone()).or_default();
            group.push(value);
            if group.len() > 1 && !inner.grouping {
                return Err(self.fail(
                    key_expr.span,
                    "duplicate_key",
                    if hidden {
                        "two items have the same key".to_owned()
                    } else {
                        format!("two items have the key `{}`", brief(&key))
                    },
                    "not unique",
                    Some(
                        "make the keys unique, or group the values with `...` after the value"
                            .to_owned(),
                    ),
                ));
            }
        }
        let value = if inner.key.is_none() {
            Value::list(list)
        } else if inner.grouping {
            Value::map(groups.into_iter().map(|(k, v)| (k, Value::list(v))))
        } else {
            Value::map(
                groups
                    .into_iter()
                    .filter_map(|(k, mut v)| Some((k, v.pop()?))),
            )
        };
        Ok(value.marked(sensitive))
    }

    fn wanted(&mut self, inner: &ForExpr, scope: &Scope<'_>) -> Outcome<Wanted> {
        let Some(condition) = &inner.condition else {
            return Ok(Wanted::Yes);
        };
        let (value, hidden) = self.eval(condition, scope)?.reveal();
        if let Value::Unknown(unknown) = value {
            return Ok(Wanted::Unknown(unknown));
        }
        let wanted = self.bool(&value, condition.span, "the condition of a `for`")?;
        Ok(match (hidden, wanted) {
            (true, wanted) => Wanted::Hidden(wanted),
            (false, true) => Wanted::Yes,
            (false, false) => Wanted::No,
        })
    }

    /// The keys and values of a list or map; the inner error is an unknown collection.
    pub(crate) fn items(
        &mut self,
        value: Value,
        span: Span,
    ) -> Outcome<Result<Vec<(Value, Value)>, Unknown>> {
        self.goes_through(value.own_bytes(), span)?;
        Ok(Ok(match value {
            // A set has no indices: each item is its own key.
            Value::List(items) if items.is_set() => items
                .iter()
                .map(|item| (item.clone(), item.clone()))
                .collect(),
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(at, item)| (Value::int(at as u64), item.clone()))
                .collect(),
            Value::Map(items) => items
                .iter()
                .map(|(key, item)| (Value::String(key.clone()), item.clone()))
                .collect(),
            Value::Unknown(unknown) => return Ok(Err(unknown)),
            other => {
                let found = other.describe();
                return Err(self.fail(
                    span,
                    "wrong_type",
                    format!("a `for` goes over a list or a map, not {found}"),
                    format!("this is {found}"),
                    None,
                ));
            }
        }))
    }

    /// The bool that `what` needs.
    pub(crate) fn bool(&mut self, value: &Value, span: Span, what: &str) -> Outcome<bool> {
        value.to_bool().ok_or_else(|| {
            let found = value.describe();
            self.fail(
                span,
                "wrong_type",
                format!("{what} is true or false, not {found}"),
                format!("this is {found}"),
                None,
            )
        })
    }
}

/// The type of an expression that has one whatever its parts are, or that is a literal.
fn plain_type(expr: &Expr) -> Option<Type> {
    use crate::ast::{BinaryOp, UnaryOp};
    match &expr.kind {
        ExprKind::Literal(value) => Type::of(value),
        ExprKind::Template(_) => Some(Type::String),
        ExprKind::Unary(UnaryOp::Negate, _) => Some(Type::Number),
        ExprKind::Unary(UnaryOp::Not, _) => Some(Type::Bool),
        ExprKind::Binary(op, _) => Some(match op {
            BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Remainder => Type::Number,
            BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
            | BinaryOp::And
            | BinaryOp::Or => Type::Bool,
        }),
        _ => None,
    }
}

/// Whether a `for` takes an item.
enum Wanted {
    Yes,
    No,
    /// As decided by something sensitive.
    Hidden(bool),
    Unknown(Unknown),
}

/// Whether a map holds the instances of a block.
pub(crate) fn is_instances(map: &Map) -> bool {
    map.values().next().is_some_and(|first| {
        matches!(first, Value::Ref(crate::value::Ref::Thing { addr, .. }) if addr.key.is_some())
    })
}
