//! Values as YAML. Strings are quoted as in JSON, which every reader of YAML takes.

use std::fmt::Write as _;

use crate::value::{Value, text_of};

/// The YAML of a value; `None` if something in it has none.
pub(crate) fn emit(value: &Value) -> Option<String> {
    let mut out = String::new();
    node(value, 0, false, &mut out)?;
    Some(out)
}

/// Writes a value, ending in a line break. `inline` if something stands before it on the line.
fn node(value: &Value, indent: usize, inline: bool, out: &mut String) -> Option<()> {
    match value {
        Value::List(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 || !inline {
                    pad(indent, out);
                }
                out.push_str("- ");
                node(item, indent + 2, true, out)?;
            }
        }
        Value::Map(items) if !items.is_empty() => {
            for (at, (key, item)) in items.iter().enumerate() {
                if at > 0 || !inline {
                    pad(indent, out);
                }
                let _ = write!(out, "{}:", quoted(key));
                let nested = match item {
                    Value::List(items) => !items.is_empty(),
                    Value::Map(items) => !items.is_empty(),
                    _ => false,
                };
                out.push(if nested { '\n' } else { ' ' });
                node(item, indent + 2, !nested, out)?;
            }
        }
        scalar => {
            match scalar {
                Value::Null => out.push_str("null"),
                Value::List(_) => out.push_str("[]"),
                Value::Map(_) => out.push_str("{}"),
                Value::Number(_) | Value::Bool(_) => out.push_str(&text_of(scalar)?),
                Value::String(text) => out.push_str(&quoted(text)),
                Value::Ref(_) => out.push_str(&quoted(&text_of(scalar)?)),
                Value::Unknown(_) | Value::Sensitive(_) => return None,
            }
            out.push('\n');
        }
    }
    Some(())
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}
