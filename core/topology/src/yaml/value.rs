//! YAML nodes as values, by the core schema of YAML 1.2 (section 10.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use num_bigint::BigInt;
use saphyr_parser::Tag;

use super::{Node, NodeKind};
use crate::value::{Number, TOO_LARGE, Value, text_of};

/// The text of a key; `None` for a list or a map.
pub(crate) fn key(key: &Node) -> Option<Arc<str>> {
    match &key.kind {
        NodeKind::Scalar { text, plain: true } if text.is_empty() => Some(Arc::from("")),
        NodeKind::Scalar { text, plain } => {
            Some(text_of(&scalar(text, *plain)).unwrap_or_else(|| Arc::from(text.as_str())))
        }
        _ => None,
    }
}

/// The value of a node. Keys become strings.
pub(crate) fn to_value(node: &Node) -> Result<Value, &'static str> {
    Ok(match &node.kind {
        NodeKind::Scalar { text, plain } => scalar(text, *plain),
        NodeKind::List(items) => {
            Value::list(items.iter().map(to_value).collect::<Result<Vec<_>, _>>()?)
        }
        NodeKind::Map(pairs) => {
            let mut map = BTreeMap::new();
            for (key, value) in pairs {
                if is_null(key) {
                    return Err("a key is null; put it in quotes if it is text");
                }
                let key = self::key(key).ok_or("a key is a list or a map")?;
                map.insert(key, to_value(value)?);
            }
            Value::map(map)
        }
    })
}

/// Whether a key is a word for null. One that is left out is an empty text.
fn is_null(key: &Node) -> bool {
    matches!(&key.kind, NodeKind::Scalar { text, plain: true }
        if !text.is_empty() && scalar(text, true) == Value::Null)
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
        _ => match number(text) {
            Some(Ok(number)) => Value::Number(number),
            // What is no number that can be had was refused where it was read.
            Some(Err(_)) | None => Value::string(text),
        },
    }
}

/// Whether a scalar is read by the schema, by its quotes and its tag; or why it cannot be read so.
pub(super) fn is_plain(text: &str, untagged: bool, tag: Option<&Tag>) -> Result<bool, String> {
    let plain = match tag {
        None => untagged,
        Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => false,
        Some(tag) if tag.is_yaml_core_schema() => match (&*tag.suffix, scalar(text, true)) {
            ("str", _) => false,
            ("int" | "float", Value::Number(_))
            | ("bool", Value::Bool(_))
            | ("null", Value::Null) => true,
            ("int" | "float" | "bool" | "null", _) => {
                return Err(format!("this is no `!!{}`", tag.suffix));
            }
            _ => return Err(unknown_tag(tag)),
        },
        Some(tag) => return Err(unknown_tag(tag)),
    };
    match number(text).filter(|_| plain) {
        Some(Err(why)) => Err(why.to_owned()),
        _ => Ok(plain),
    }
}

/// What is said of a tag that stands where it means nothing.
pub(super) fn unknown_tag(tag: &Tag) -> String {
    let name = match tag.is_yaml_core_schema() {
        true => format!("!!{}", tag.suffix),
        false => format!("{}{}", tag.handle, tag.suffix),
    };
    format!(
        "the tag `{name}` is not known here: there are `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!seq` and `!!map`"
    )
}

/// The number of a plain scalar, if it is written as one; or why there is no such number.
pub(crate) fn number(text: &str) -> Option<Result<Number, &'static str>> {
    let whole = |digits: &str, radix| {
        let number = BigInt::parse_bytes(digits.as_bytes(), radix)?;
        Some(Number::from_int(number).ok_or(TOO_LARGE))
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return whole(digits, 16).filter(|_| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return whole(digits, 8).filter(|_| digits.bytes().all(|b| b.is_ascii_digit()));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Err("there is no number for this; in quotes it is a text"));
    }
    is_decimal(unsigned).then(|| Number::parse(text).ok_or(TOO_LARGE))
}

/// Whether a text without its sign is `.5`, `5`, `5.` or `5.5`, perhaps with an exponent.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent = exponent.map(|e| e.strip_prefix(['-', '+']).unwrap_or(e));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    (!whole.is_empty() || !fraction.is_empty())
        && digits(whole)
        && digits(fraction)
        && exponent.is_none_or(|e| !e.is_empty() && digits(e))
}
