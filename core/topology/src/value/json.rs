//! Values from and to JSON.

use std::sync::Arc;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::Value as Json;

use super::convert::parse_number;
use super::{Ref, Value, canonical_number};

/// A value of some JSON. Numbers beyond 28 digits are `None`.
pub(crate) fn from_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => Value::Number(parse_number(&number.to_string())?),
        Json::String(text) => Value::string(text),
        Json::Array(items) => Value::List(Arc::new(
            items.iter().map(from_json).collect::<Option<_>>()?,
        )),
        Json::Object(items) => Value::Map(Arc::new(
            items
                .iter()
                .map(|(key, value)| Some((Arc::from(key.as_str()), from_json(value)?)))
                .collect::<Option<_>>()?,
        )),
    })
}

/// The JSON of a value; `None` if anything in it is unknown. A thing is its address; what is
/// sensitive is shown, so the caller has looked for it.
pub(crate) fn to_json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Number(number) => number_to_json(*number),
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

/// Whole numbers stay whole; fractions become the nearest double, which is what JSON readers use.
fn number_to_json(number: Decimal) -> Json {
    let number = number.normalize();
    if let Some(int) = number.to_i64().filter(|_| number.fract().is_zero()) {
        return Json::from(int);
    }
    let float = canonical_number(number).parse::<f64>().unwrap_or(f64::NAN);
    serde_json::Number::from_f64(float).map_or(Json::Null, Json::Number)
}
