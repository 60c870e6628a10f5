//! YAML nodes as values, by the core schema of YAML 1.2 (section 10.3).

use std::sync::Arc;

use super::{Node, NodeKind};
use crate::value::{Map, Number, Value, text_of};

/// The value of a node. Keys become strings; of equal keys the last one counts.
pub(crate) fn to_value(node: &Node) -> Result<Value, &'static str> {
    Ok(match &node.kind {
        NodeKind::Scalar { text, plain } => scalar(text, *plain),
        NodeKind::List(items) => {
            Value::list(items.iter().map(to_value).collect::<Result<Vec<_>, _>>()?)
        }
        NodeKind::Map(pairs) => {
            let mut map = Map::new();
            for (key, value) in pairs {
                let key = match &key.kind {
                    NodeKind::Scalar { text, plain: true } if text.is_empty() => Arc::from(""),
                    NodeKind::Scalar { text, plain } => {
                        text_of(&scalar(text, *plain)).unwrap_or_else(|| Arc::from(text.as_str()))
                    }
                    _ => return Err("a key is a list or a map"),
                };
                map.insert(key, to_value(value)?);
            }
            Value::Map(Arc::new(map))
        }
    })
}

/// The value of a scalar.
pub(crate) fn scalar(text: &str, plain: bool) -> Value {
    if !plain {
        return Value::string(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::string(text), Value::Number),
    }
}

/// The number of a plain scalar, if it is one.
fn number(text: &str) -> Option<Number> {
    let radix = |digits: &str, radix| i64::from_str_radix(digits, radix).ok().map(Number::from);
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    let good = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
    text.chars().all(good).then(|| Number::parse(text))?
}
