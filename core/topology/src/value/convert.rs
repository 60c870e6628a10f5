//! Conversions between the simple types.

use std::sync::Arc;

use super::{Number, Ref, Value};

/// The text of a value that has one by itself: strings, numbers, bools and sites.
pub(crate) fn text_of(value: &Value) -> Option<Arc<str>> {
    Some(match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => Arc::from(number.to_string()),
        Value::Bool(true) => Arc::from("true"),
        Value::Bool(false) => Arc::from("false"),
        Value::Ref(Ref::Site(name)) => Arc::from(name.as_str()),
        Value::Null
        | Value::List(_)
        | Value::Map(_)
        | Value::Ref(Ref::Thing { .. })
        | Value::Unknown(_)
        | Value::Sensitive(_) => return None,
    })
}

impl Value {
    /// The number, also of a string that reads as one.
    pub(crate) fn to_number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(number.clone()),
            Self::String(text) => Number::parse(text),
            _ => None,
        }
    }

    /// The bool, also of the strings `true`, `false`, `1` and `0`.
    pub(crate) fn to_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(bool) => Some(*bool),
            Self::String(text) => match &**text {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The whole number, where it is one and fits.
    pub(crate) fn to_int(&self) -> Option<i64> {
        self.to_number()?.to_i64()
    }
}

/// A total order of values, for sets: by type, then by content; null comes last.
pub(crate) fn order(a: &Value, b: &Value) -> std::cmp::Ordering {
    const fn rank(value: &Value) -> u8 {
        match value {
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            Value::String(_) => 3,
            Value::Ref(_) => 4,
            Value::List(_) => 5,
            Value::Map(_) => 6,
            Value::Unknown(_) => 7,
            Value::Sensitive(_) => 8,
            Value::Null => 9,
        }
    }
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Ref(Ref::Site(a)), Value::Ref(Ref::Site(b))) => a.cmp(b),
        (Value::Ref(Ref::Thing { addr: a, .. }), Value::Ref(Ref::Thing { addr: b, .. })) => {
            a.cmp(b)
        }
        (Value::List(a), Value::List(b)) => a.len().cmp(&b.len()).then_with(|| {
            let unequal = a.iter().zip(b.iter()).map(|(a, b)| order(a, b));
            unequal
                .into_iter()
                .find(|o| o.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        }),
        (Value::Map(a), Value::Map(b)) => a.len().cmp(&b.len()).then_with(|| {
            let pairs = a.iter().zip(b.iter());
            pairs
                .map(|((ka, va), (kb, vb))| ka.cmp(kb).then_with(|| order(va, vb)))
                .find(|o| o.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        }),
        (Value::Sensitive(a), Value::Sensitive(b)) => order(a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}
