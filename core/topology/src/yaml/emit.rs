//! Values as YAML, in the form that Terraform gives them: strings are quoted as in JSON, which every
//! reader of YAML takes, or stand in a block of lines where they have several.

use std::fmt::Write as _;

use crate::value::{MAX_VALUE_BYTES, Value, text_of};

/// The YAML of a value; `None` if something in it has none, or it is larger than a value may be.
pub(crate) fn emit(value: &Value) -> Option<String> {
    let mut out = String::new();
    node(value, 0, Place::Top, &mut out)?;
    // A plain word alone might go on, so the document is ended.
    if matches!(value, Value::Null | Value::Number(_) | Value::Bool(_)) {
        out.push_str("...\n");
    }
    Some(out)
}

/// What stands before a value on its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing, at the left edge.
    Top,
    /// A dash and a space.
    Dash,
    /// A key and a colon.
    Key,
}

/// Writes a value, ending in a line break. Its further lines are indented by `indent`.
fn node(value: &Value, indent: usize, place: Place, out: &mut String) -> Option<()> {
    // Indentation alone may make much of little.
    if out.len() > MAX_VALUE_BYTES {
        return None;
    }
    match value {
        Value::List(items) if !items.is_empty() => {
            // The items of a key's list stand below the key, not to its right.
            let indent = if place == Place::Key {
                out.push('\n');
                indent.saturating_sub(2)
            } else {
                indent
            };
            for (at, item) in items.iter().enumerate() {
                if at > 0 || place != Place::Dash {
                    pad(indent, out);
                }
                out.push_str("- ");
                node(item, indent + 2, Place::Dash, out)?;
            }
        }
        Value::Map(items) if !items.is_empty() => {
            if place == Place::Key {
                out.push('\n');
            }
            for (at, (key, item)) in items.iter().enumerate() {
                if at > 0 || place != Place::Dash {
                    pad(indent, out);
                }
                let _ = write!(out, "{}:", quoted(key));
                node(item, indent + 2, Place::Key, out)?;
            }
        }
        scalar => {
            if place == Place::Key {
                out.push(' ');
            }
            match scalar {
                Value::Null => out.push_str("null"),
                Value::List(_) => out.push_str("[]"),
                Value::Map(_) => out.push_str("{}"),
                Value::Number(_) | Value::Bool(_) => out.push_str(&text_of(scalar)?),
                Value::String(text) if is_block(text) => {
                    block(text, indent.max(2), out);
                    return Some(());
                }
                Value::String(text) => out.push_str(&quoted(text)),
                Value::Ref(_) => out.push_str(&quoted(&text_of(scalar)?)),
                Value::Unknown(_) | Value::Sensitive(_) => return None,
            }
            out.push('\n');
        }
    }
    Some(())
}

/// Whether a text can stand as a block of lines: it has several, the first is not indented, and no
/// sign or space in it is lost on the way.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with(' ')
        && !text.contains(" \n")
        && !text.contains(|c: char| {
            (c.is_control() && c != '\n') || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')
        })
}

fn block(text: &str, indent: usize, out: &mut String) {
    let ends = text.len() - text.trim_end_matches('\n').len();
    out.push_str(match ends {
        0 => "|-\n",
        1 => "|\n",
        _ => "|+\n",
    });
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if !line.is_empty() {
            pad(indent, out);
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}
