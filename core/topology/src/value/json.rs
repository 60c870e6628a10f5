//! Values from and to JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Number, Ref, Value};

/// JSON with the digits of its numbers as they are: a number of any length is written whole, where
/// `serde_json` has the nearest double. Its `Display` writes it on one line, and with `{:#}` on
/// several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Json {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// The digits of a number.
    Number(String),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Self>),
    /// An object, its keys sorted.
    Object(BTreeMap<String, Self>),
}

impl Json {
    /// The same as `serde_json` has it: a number that is neither a double nor a whole number of 64
    /// bits becomes the nearest double.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(bool) => Value::Bool(*bool),
            Self::Number(digits) => match digits.parse::<i64>() {
                Ok(int) => Value::from(int),
                Err(_) => digits.parse::<f64>().map_or(Value::Null, Value::from),
            },
            Self::String(text) => Value::String(text.clone()),
            Self::Array(items) => items.iter().map(Self::to_value).collect(),
            Self::Object(items) => {
                let pairs = items
                    .iter()
                    .map(|(key, item)| (key.clone(), item.to_value()));
                Value::Object(pairs.collect())
            }
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::Number(digits) => match digits.parse::<i64>() {
                Ok(int) => serializer.serialize_i64(int),
                Err(_) => RawValue::from_string(digits.clone())
                    .map_err(serde::ser::Error::custom)?
                    .serialize(serializer),
            },
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(items) => serializer.collect_map(items),
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if f.alternate() {
            serde_json::to_string_pretty(self)
        } else {
            serde_json::to_string(self)
        };
        f.write_str(&text.map_err(|_| fmt::Error)?)
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(bool) => Self::Bool(bool),
            serde_json::Value::Number(number) => Self::Number(number.to_string()),
            serde_json::Value::String(text) => Self::String(text),
            serde_json::Value::Array(items) => {
                Self::Array(items.into_iter().map(Self::from).collect())
            }
            serde_json::Value::Object(items) => Self::Object(
                items
                    .into_iter()
                    .map(|(key, value)| (key, Self::from(value)))
                    .collect(),
            ),
        }
    }
}

/// The JSON of a value; `None` if anything in it is unknown. A thing is its address; what is
/// sensitive is shown, so the caller has looked for it.
pub(crate) fn to_json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Number(number) => Json::Number(number.to_string()),
        Value::String(text) => Json::String(text.as_ref().to_owned()),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect::<Option<_>>()?),
        Value::Map(items) => Json::Object(
            items
                .iter()
                .map(|(key, value)| Some((key.as_ref().to_owned(), to_json(value)?)))
                .collect::<Option<_>>()?,
        ),
        Value::Ref(Ref::Site(name)) => Json::String(name.to_string()),
        Value::Ref(Ref::Thing { addr, .. }) => Json::String(addr.to_string()),
        Value::Unknown(_) => return None,
        Value::Sensitive(inner) => to_json(inner)?,
    })
}

/// The same as `serde_json` has it, by [`Json::to_value`].
pub(crate) fn to_plain_json(value: &Value) -> Option<serde_json::Value> {
    to_json(value).map(|json| json.to_value())
}

/// The first whole number in a value that `serde_json` would not have whole.
pub(crate) fn too_long_for_plain(value: &Value) -> Option<&Number> {
    match value {
        Value::Number(number) => {
            let long = number.to_i64().is_none() && number.to_int().is_some();
            let rounded = || Number::from_f64(number.to_f64());
            (long && rounded().as_ref() != Some(number)).then_some(number)
        }
        Value::List(items) => items.iter().find_map(too_long_for_plain),
        Value::Map(items) => items.values().find_map(too_long_for_plain),
        Value::Sensitive(inner) => too_long_for_plain(inner),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Ref(_) | Value::Unknown(_) => None,
    }
}
