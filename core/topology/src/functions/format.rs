//! `format`: the verbs of Go that topologies use.

use std::iter::Peekable;
use std::str::Chars;

use rust_decimal::prelude::ToPrimitive as _;

use super::{Args, FnResult};
use crate::value::{Value, text_of, to_json};

/// The widest that a value is padded to.
const MAX_WIDTH: usize = 1024;

/// `%[flags][width][.precision]verb`
#[derive(Default)]
struct Verb {
    left: bool,
    zero: bool,
    plus: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

pub(super) fn format(args: &Args<'_>) -> FnResult {
    render(&args.text(0)?, &args.all()[1..]).map(Value::string)
}

pub(super) fn format_list(args: &Args<'_>) -> FnResult {
    let spec = args.text(0)?;
    let rest = &args.all()[1..];
    let lengths = rest.iter().filter_map(|value| match value {
        Value::List(items) => Some(items.len()),
        _ => None,
    });
    let lengths: Vec<usize> = lengths.collect();
    let rows = lengths.first().copied().unwrap_or(1);
    if lengths.iter().any(|length| *length != rows) {
        return Args::error(1, "takes lists of one length");
    }
    let mut lines = Vec::with_capacity(rows);
    for row in 0..rows {
        let values = rest.iter().map(|value| match value {
            Value::List(items) => items[row].clone(),
            other => other.clone(),
        });
        let values: Vec<Value> = values.collect();
        lines.push(Value::string(render(&spec, &values)?));
    }
    Ok(Value::list(lines))
}

fn render(spec: &str, values: &[Value]) -> FnResult<String> {
    let mut out = String::new();
    let mut next = 0;
    let mut chars = spec.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let verb = read(&mut chars)?;
        if verb.letter == '%' {
            out.push('%');
            continue;
        }
        let Some(value) = values.get(next) else {
            return Args::error(0, format!("has no value for `%{}`", verb.letter));
        };
        next += 1;
        let text = verb.text(value, next)?;
        pad(&verb, &text, &mut out);
    }
    if next < values.len() {
        return Args::error(next + 1, "has more values than places");
    }
    Ok(out)
}

fn read(chars: &mut Peekable<Chars<'_>>) -> FnResult<Verb> {
    let mut verb = Verb::default();
    while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '0' | '+' | ' ' | '#')) {
        match flag {
            '-' => verb.left = true,
            '0' => verb.zero = true,
            '+' => verb.plus = true,
            _ => {}
        }
    }
    verb.width = digits(chars).unwrap_or(0);
    if chars.next_if_eq(&'.').is_some() {
        verb.precision = Some(digits(chars).unwrap_or(0));
    }
    if verb.width > MAX_WIDTH || verb.precision.is_some_and(|p| p > MAX_WIDTH) {
        return Args::error(0, "takes widths up to 1024");
    }
    match chars.next() {
        Some(letter) => {
            verb.letter = letter;
            Ok(verb)
        }
        None => Args::error(
            0,
            "ends in the middle of a `%`; write `%%` for the sign itself",
        ),
    }
}

fn digits(chars: &mut Peekable<Chars<'_>>) -> Option<usize> {
    let mut number = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        number = Some(
            number
                .unwrap_or(0_usize)
                .saturating_mul(10)
                .saturating_add(digit as usize),
        );
    }
    number
}

impl Verb {
    fn text(&self, value: &Value, at: usize) -> FnResult<String> {
        let number = || {
            let number = value.to_number();
            number.map_or_else(
                || {
                    Args::error(
                        at,
                        format!(
                            "takes a number for `%{}`, not {}",
                            self.letter,
                            value.describe()
                        ),
                    )
                },
                Ok,
            )
        };
        let int = || {
            let int = value.to_int();
            int.map_or_else(
                || {
                    Args::error(
                        at,
                        format!(
                            "takes a whole number for `%{}`, not {}",
                            self.letter,
                            value.describe()
                        ),
                    )
                },
                Ok,
            )
        };
        let text = match self.letter {
            's' | 'v' => {
                let text = text_of(value).map(|text| text.to_string());
                let text = text.or_else(|| to_json(value).map(|json| json.to_string()));
                let text = text.unwrap_or_default();
                match self.precision {
                    Some(most) => text.chars().take(most).collect(),
                    None => text,
                }
            }
            'q' => serde_json::Value::String(text_of(value).unwrap_or_default().to_string())
                .to_string(),
            'd' => int()?.to_string(),
            'x' => match value {
                Value::String(text) if value.to_int().is_none() => {
                    text.bytes().map(|byte| format!("{byte:02x}")).collect()
                }
                _ => format!("{:x}", int()?),
            },
            'X' => format!("{:X}", int()?),
            'o' => format!("{:o}", int()?),
            'b' => format!("{:b}", int()?),
            'f' | 'F' => format!("{:.*}", self.precision.unwrap_or(6), number()?),
            'e' => format!("{:e}", number()?.to_f64().unwrap_or_default()),
            'g' => number()?.normalize().to_string(),
            't' => match value.to_bool() {
                Some(bool) => bool.to_string(),
                None => {
                    return Args::error(
                        at,
                        format!("takes true or false for `%t`, not {}", value.describe()),
                    );
                }
            },
            other => return Args::error(0, format!("does not know `%{other}`")),
        };
        let signed = matches!(self.letter, 'd' | 'f' | 'F' | 'g') && self.plus;
        Ok(if signed && !text.starts_with('-') {
            format!("+{text}")
        } else {
            text
        })
    }
}

fn pad(verb: &Verb, text: &str, out: &mut String) {
    let missing = verb.width.saturating_sub(text.chars().count());
    let fill = |c: char, out: &mut String| out.extend(std::iter::repeat_n(c, missing));
    if verb.left {
        out.push_str(text);
        fill(' ', out);
    } else if verb.zero {
        let sign = text.len() - text.trim_start_matches(['-', '+']).len();
        out.push_str(&text[..sign]);
        fill('0', out);
        out.push_str(&text[sign..]);
    } else {
        fill(' ', out);
        out.push_str(text);
    }
}
