//! Types of variables, and conversion to them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::ast::{Call, Expr, ExprKind};
use crate::report::nearest;
use crate::span::Span;
use crate::value::{Items, Map, Value, text_of};

mod unify;

pub(crate) use unify::{alike, unify};

/// The type of a variable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    Any,
    String,
    Number,
    Bool,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(BTreeMap<Arc<str>, Field>),
}

/// A field of an object type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    ty: Type,
    /// `optional(type, default)`
    optional: bool,
    default: Option<Value>,
}

/// Why an expression is no type: where, what, and what to do.
#[derive(Debug)]
pub(crate) struct TypeError {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// Where in a value a conversion failed, and why. It never holds the value itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    path: String,
    pub(crate) wanted: String,
    pub(crate) found: String,
}

impl Mismatch {
    fn new(wanted: &Type, found: &Value) -> Self {
        Self {
            path: String::new(),
            wanted: wanted.to_string(),
            found: found.describe(),
        }
    }

    /// The same without the way to the place, which may hold keys of a sensitive map.
    pub(crate) fn without_path(self) -> Self {
        Self {
            path: String::new(),
            ..self
        }
    }

    fn within(mut self, step: impl fmt::Display) -> Self {
        self.path = format!("{step}{}", self.path);
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.wanted, self.found)?;
        if self.path.is_empty() {
            Ok(())
        } else {
            write!(f, " at `{}`", self.path.trim_start_matches('.'))
        }
    }
}

const WORDS: [&str; 9] = [
    "string", "number", "bool", "any", "list", "set", "map", "tuple", "object",
];

impl Type {
    /// Reads a type expression. `constant` evaluates the default of an `optional`.
    pub(crate) fn parse(
        expr: &Expr,
        constant: &mut dyn FnMut(&Expr) -> Option<Value>,
    ) -> Result<Self, TypeError> {
        match &expr.kind {
            ExprKind::Name(word) => Self::word(word, expr.span),
            // A quoted type is an old habit that is still understood.
            ExprKind::Literal(Value::String(word)) => Self::word(word, expr.span),
            ExprKind::Call(call) => Self::call(call, expr.span, constant),
            _ => Err(TypeError {
                span: expr.span,
                message: "this is not a type".to_owned(),
                help: Some(
                    "write `string`, `number`, `bool`, `list(…)`, `map(…)` or `object({ … })`"
                        .to_owned(),
                ),
            }),
        }
    }

    fn word(word: &str, span: Span) -> Result<Self, TypeError> {
        Ok(match word {
            "string" => Self::String,
            "number" => Self::Number,
            "bool" => Self::Bool,
            "any" => Self::Any,
            "list" => Self::List(Box::new(Self::Any)),
            "set" => Self::Set(Box::new(Self::Any)),
            "map" => Self::Map(Box::new(Self::Any)),
            _ => {
                return Err(TypeError {
                    span,
                    message: format!("there is no type `{word}`"),
                    help: Some(match nearest(word, WORDS) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("there are: `{}`", WORDS.join("`, `")),
                    }),
                });
            }
        })
    }

    fn call(
        call: &Call,
        span: Span,
        constant: &mut dyn FnMut(&Expr) -> Option<Value>,
    ) -> Result<Self, TypeError> {
        let fail = |message: &str| TypeError {
            span,
            message: message.to_owned(),
            help: None,
        };
        let word = &*call.name.text;
        let [arg] = call.args.as_slice() else {
            return Err(fail(&format!("`{word}` takes one type")));
        };
        match (word, &arg.kind) {
            ("list", _) => Ok(Self::List(Box::new(Self::parse(arg, constant)?))),
            ("set", _) => Ok(Self::Set(Box::new(Self::parse(arg, constant)?))),
            ("map", _) => Ok(Self::Map(Box::new(Self::parse(arg, constant)?))),
            ("tuple", ExprKind::List(items)) => Ok(Self::Tuple(
                items
                    .iter()
                    .map(|item| Self::parse(item, constant))
                    .collect::<Result<_, _>>()?,
            )),
            ("object", ExprKind::Object(items)) => {
                let mut fields = BTreeMap::new();
                for (key, value) in items {
                    let ExprKind::Literal(Value::String(name)) = &key.kind else {
                        return Err(fail("the fields of an object type are words"));
                    };
                    fields.insert(name.clone(), Field::parse(value, constant)?);
                }
                Ok(Self::Object(fields))
            }
            ("tuple", _) => Err(fail("write `tuple([string, number])`")),
            ("object", _) => Err(fail("write `object({ name = string })`")),
            ("optional", _) => Err(fail("`optional` stands only inside `object({ … })`")),
            _ => Self::word(word, call.name.span)
                .and_then(|_| Err(fail(&format!("`{word}` takes nothing in parentheses")))),
        }
    }

    /// What a value of it is, for people: `a list`.
    pub(crate) const fn title(&self) -> &'static str {
        match self {
            Self::Any => "null",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "a bool",
            Self::List(_) | Self::Tuple(_) => "a list",
            Self::Set(_) => "a set",
            Self::Map(_) | Self::Object(_) => "a map",
        }
    }

    /// `value` as this type, by the usual rules: numbers and bools become strings and back where
    /// the text reads so; lists, sets and maps convert item by item.
    pub(crate) fn convert(&self, value: &Value) -> Result<Value, Mismatch> {
        let fail = || Mismatch::new(self, value);
        let mixed = || Mismatch {
            found: format!("{} whose items have no type in common", value.describe()),
            ..fail()
        };
        if let Value::Sensitive(inner) = value {
            return self.convert(inner).map(|value| value.marked(true));
        }
        if matches!(value, Value::Null | Value::Unknown(_)) {
            return Ok(value.clone());
        }
        Ok(match (self, value) {
            (Self::Any, _) => value.clone(),
            (Self::String, Value::Ref(_)) => return Err(fail()),
            (Self::String, _) => Value::String(text_of(value).ok_or_else(fail)?),
            (Self::Number, _) => Value::Number(value.to_number().ok_or_else(fail)?),
            (Self::Bool, _) => Value::Bool(value.to_bool().ok_or_else(fail)?),
            (Self::List(item), Value::List(items)) => {
                Value::list_of_one_type(convert_all(item, items).ok_or_else(mixed)??)
            }
            (Self::Set(item), Value::List(items)) => {
                Value::set(convert_all(item, items).ok_or_else(mixed)??)
            }
            (Self::Map(item), Value::Map(items)) if **item == Self::Any => {
                let values = alike(items.values().cloned().collect()).ok_or_else(mixed)?;
                let map: Map = items.keys().cloned().zip(values).collect();
                Value::Map(Arc::new(map.uniform()))
            }
            (Self::Map(item), Value::Map(items)) => {
                let convert = |(key, value): (&Arc<str>, &Value)| match item.convert(value) {
                    Ok(value) => Ok((key.clone(), value)),
                    Err(mismatch) => Err(mismatch.within(format_args!("[{key:?}]"))),
                };
                let map = items.iter().map(convert).collect::<Result<Map, _>>()?;
                Value::Map(Arc::new(map.uniform()))
            }
            (Self::Tuple(types), Value::List(items)) if types.len() == items.len() => {
                let convert = |(at, (ty, item)): (usize, (&Self, &Value))| {
                    ty.convert(item)
                        .map_err(|mismatch| mismatch.within(format_args!("[{at}]")))
                };
                let pairs = types.iter().zip(items.iter()).enumerate();
                Value::List(Arc::new(pairs.map(convert).collect::<Result<Items, _>>()?))
            }
            (Self::Object(fields), Value::Map(items)) => object(fields, items)?,
            _ => return Err(fail()),
        })
    }
}

/// An attribute of a literal that its object type does not have.
pub(crate) struct UnknownAttribute<'e> {
    pub(crate) name: &'e str,
    pub(crate) span: Span,
    /// Those that it has.
    pub(crate) known: Vec<Arc<str>>,
}

impl Type {
    /// The attributes of a literal that its object types do not have, which a conversion drops.
    pub(crate) fn unknown_attributes<'e>(&self, expr: &'e Expr) -> Vec<UnknownAttribute<'e>> {
        let mut found = Vec::new();
        self.look_for_unknown(expr, &mut found);
        found
    }

    fn look_for_unknown<'e>(&self, expr: &'e Expr, found: &mut Vec<UnknownAttribute<'e>>) {
        match (self, &expr.kind) {
            (Self::List(item) | Self::Set(item), ExprKind::List(items)) => {
                items
                    .iter()
                    .for_each(|expr| item.look_for_unknown(expr, found));
            }
            (Self::Tuple(types), ExprKind::List(items)) => {
                let pairs = types.iter().zip(items);
                pairs.for_each(|(ty, expr)| ty.look_for_unknown(expr, found));
            }
            (Self::Map(item), ExprKind::Object(items)) => {
                let values = items.iter().map(|(_, expr)| expr);
                values.for_each(|expr| item.look_for_unknown(expr, found));
            }
            (Self::Object(fields), ExprKind::Object(items)) => {
                for (key, expr) in items {
                    let ExprKind::Literal(Value::String(name)) = &key.kind else {
                        continue;
                    };
                    match fields.get(name) {
                        Some(field) => field.ty.look_for_unknown(expr, found),
                        None => found.push(UnknownAttribute {
                            name,
                            span: key.span,
                            known: fields.keys().cloned().collect(),
                        }),
                    }
                }
            }
            _ => {}
        }
    }
}

impl Field {
    /// A field that must be given.
    const fn of(ty: Type) -> Self {
        Self {
            ty,
            optional: false,
            default: None,
        }
    }

    fn parse(
        expr: &Expr,
        constant: &mut dyn FnMut(&Expr) -> Option<Value>,
    ) -> Result<Self, TypeError> {
        if let ExprKind::Call(call) = &expr.kind
            && &*call.name.text == "optional"
            && let [ty, rest @ ..] = call.args.as_slice()
            && rest.len() <= 1
        {
            let ty = Type::parse(ty, constant)?;
            let default = rest.first().and_then(constant);
            let default = default.map(|value| ty.convert(&value)).transpose();
            let default = default.map_err(|mismatch| TypeError {
                span: expr.span,
                message: format!("the default of this field has the wrong type: {mismatch}"),
                help: None,
            })?;
            return Ok(Self {
                ty,
                optional: true,
                default,
            });
        }
        Type::parse(expr, constant).map(Self::of)
    }
}

/// The items of a list or set, as one type; `None` if they have no type in common.
fn convert_all(item: &Type, items: &[Value]) -> Option<Result<Vec<Value>, Mismatch>> {
    if *item == Type::Any {
        return alike(items.to_vec()).map(Ok);
    }
    let convert = |(at, value): (usize, &Value)| {
        item.convert(value)
            .map_err(|mismatch| mismatch.within(format_args!("[{at}]")))
    };
    Some(items.iter().enumerate().map(convert).collect())
}

/// Fields that the type does not have are dropped.
fn object(fields: &BTreeMap<Arc<str>, Field>, items: &Map) -> Result<Value, Mismatch> {
    let mut map = BTreeMap::new();
    for (name, field) in fields {
        let value = match items.get(name) {
            Some(Value::Null) | None if field.optional => {
                field.default.clone().unwrap_or(Value::Null)
            }
            Some(value) => field
                .ty
                .convert(value)
                .map_err(|mismatch| mismatch.within(format_args!(".{name}")))?,
            None => {
                return Err(Mismatch {
                    path: String::new(),
                    wanted: format!("an object with `{name}`"),
                    found: "one without".to_owned(),
                });
            }
        };
        map.insert(name.clone(), value);
    }
    Ok(Value::map(map))
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => write!(f, "any"),
            Self::String => write!(f, "string"),
            Self::Number => write!(f, "number"),
            Self::Bool => write!(f, "bool"),
            Self::List(item) => write!(f, "list({item})"),
            Self::Set(item) => write!(f, "set({item})"),
            Self::Map(item) => write!(f, "map({item})"),
            Self::Tuple(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "tuple([{}])", items.join(", "))
            }
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, field)| {
                    if field.optional {
                        format!("{name} = optional({})", field.ty)
                    } else {
                        format!("{name} = {}", field.ty)
                    }
                });
                let fields: Vec<String> = fields.collect();
                write!(f, "object({{ {} }})", fields.join(", "))
            }
        }
    }
}
