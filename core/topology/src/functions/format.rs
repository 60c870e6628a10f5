//! `format`: the verbs of Go's `fmt`, as HCL has them.

use std::iter::Peekable;
use std::str::Chars;

use unicode_segmentation::UnicodeSegmentation as _;

use super::decimal::Decimal;
use super::encoding::go_json;
use super::{Args, FnResult};
use crate::value::{ITEM_BYTES, Json, Number, Value, text_of, to_json};

/// The widest that a value is padded to.
const MAX_WIDTH: usize = 1024;

/// `%[flags][width][.precision][[argument]]verb`
#[derive(Default)]
struct Verb {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    sharp: bool,
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
    let mut made = 0_usize;
    for row in 0..rows {
        let values = rest.iter().map(|value| match value {
            Value::List(items) => items[row].clone(),
            other => other.clone(),
        });
        let values: Vec<Value> = values.collect();
        let line = render(&spec, &values)?;
        made = made.saturating_add(line.len() + ITEM_BYTES);
        Args::room(1, made)?;
        lines.push(Value::string(line));
    }
    Ok(Value::list_of_one_type(lines))
}

/// The values of a call, and which of them comes next.
struct Values<'a> {
    all: &'a [Value],
    next: usize,
    /// How many are in use: up to the last one that was asked for.
    used: usize,
}

impl<'a> Values<'a> {
    fn take(&mut self, verb: char) -> FnResult<(&'a Value, usize)> {
        let at = self.next;
        self.next += 1;
        self.used = self.used.max(self.next);
        match self.all.get(at) {
            Some(value) => Ok((value, at + 1)),
            None => Args::error(0, format!("has no value for `%{verb}`")),
        }
    }
}

fn render(spec: &str, values: &[Value]) -> FnResult<String> {
    let mut out = String::new();
    let mut values = Values {
        all: values,
        next: 0,
        used: 0,
    };
    let mut chars = spec.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let verb = read(&mut chars, &mut values)?;
        let (value, at) = values.take(verb.letter)?;
        out.push_str(&verb.text(value, at)?);
        Args::room(at, out.len())?;
    }
    if values.used < values.all.len() {
        return Args::error(values.used + 1, "has more values than places");
    }
    Ok(out)
}

fn read(chars: &mut Peekable<Chars<'_>>, values: &mut Values<'_>) -> FnResult<Verb> {
    let mut verb = Verb::default();
    while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '0' | '+' | ' ' | '#')) {
        match flag {
            '-' => verb.left = true,
            '0' => verb.zero = true,
            '+' => verb.plus = true,
            ' ' => verb.space = true,
            _ => verb.sharp = true,
        }
    }
    if let Some(width) = measure(chars, values)? {
        verb.left = verb.left || width < 0;
        verb.width = bounded(width)?;
    }
    if chars.next_if_eq(&'.').is_some() {
        let precision = measure(chars, values)?.unwrap_or(0);
        // As in Go, a precision below none is none at all.
        verb.precision = (precision >= 0).then(|| bounded(precision)).transpose()?;
    }
    if chars.next_if_eq(&'[').is_some() {
        let at = digits(chars).unwrap_or(0);
        if at == 0 || chars.next_if_eq(&']').is_none() {
            return Args::error(0, "takes the number of a value as `%[2]s`, from 1");
        }
        values.next = at - 1;
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

/// A width or precision: digits, or `*` for the next value.
fn measure(chars: &mut Peekable<Chars<'_>>, values: &mut Values<'_>) -> FnResult<Option<i64>> {
    if chars.next_if_eq(&'*').is_none() {
        return Ok(digits(chars).map(|n| i64::try_from(n).unwrap_or(i64::MAX)));
    }
    let (value, at) = values.take('*')?;
    match value.to_int() {
        Some(int) => Ok(Some(int)),
        None => Args::error(
            at,
            format!("takes a whole number for `*`, not {}", value.describe()),
        ),
    }
}

fn bounded(measure: i64) -> FnResult<usize> {
    match usize::try_from(measure.unsigned_abs()) {
        Ok(measure) if measure <= MAX_WIDTH => Ok(measure),
        _ => Args::error(0, "takes widths up to 1024"),
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
        let letter = self.letter;
        if !"vtbdoxXeEfgGsq".contains(letter) {
            return Args::error(0, format!("does not know `%{letter}`"));
        }
        if letter != 'v' && *value == Value::Null {
            return self.wrong(at, "a value", value);
        }
        match letter {
            'v' => match value {
                Value::String(text) if !self.sharp => Ok(self.padded(text)),
                Value::Number(number) if !self.sharp => {
                    Ok(self.padded(&Decimal::of(number).general(None, false)))
                }
                _ => Ok(
                    self.padded(&to_json(value).map_or_else(String::new, |json| go_json(&json)))
                ),
            },
            't' => match value.to_bool() {
                Some(bool) => Ok(bool.to_string()),
                None => self.wrong(at, "true or false", value),
            },
            's' | 'q' => {
                let Some(text) = text_of(value) else {
                    return self.wrong(at, "a text", value);
                };
                let text: String = match self.precision {
                    Some(most) if most > 0 => text.graphemes(true).take(most).collect(),
                    _ => text.to_string(),
                };
                Ok(self.padded(&match letter {
                    's' => text,
                    _ => go_json(&Json::String(text)),
                }))
            }
            _ => match value.to_number() {
                Some(number) => self.number(&number, value, at),
                None => self.wrong(at, "a number", value),
            },
        }
    }

    fn wrong(&self, at: usize, wants: &str, value: &Value) -> FnResult<String> {
        let (letter, found) = (self.letter, value.describe());
        Args::error(at, format!("takes {wants} for `%{letter}`, not {found}"))
    }

    fn number(&self, number: &Number, value: &Value, at: usize) -> FnResult<String> {
        let decimal = Decimal::of(number);
        let places = self.precision.unwrap_or(6);
        let text = match self.letter {
            'e' => decimal.scientific(places, false),
            'E' => decimal.scientific(places, true),
            'f' => decimal.plain(places),
            'g' => decimal.general(self.precision, false),
            'G' => decimal.general(self.precision, true),
            _ => return self.whole(number, value, at),
        };
        let text = text.strip_prefix('-').unwrap_or(&text);
        let zeros = self.zero && !self.left;
        let sign = self.sign(number);
        Ok(self.spaced(sign, "", if zeros { self.width } else { 0 }, text))
    }

    fn whole(&self, number: &Number, value: &Value, at: usize) -> FnResult<String> {
        let Some(int) = number.to_int() else {
            return self.wrong(at, "a whole number", value);
        };
        let (radix, prefix) = match self.letter {
            'b' => (2, "0b"),
            'o' => (8, "0"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let mut digits = int.magnitude().to_str_radix(radix);
        if self.letter == 'X' {
            digits.make_ascii_uppercase();
        }
        let prefix = if self.sharp { prefix } else { "" };
        let sign = self.sign(number);
        match self.precision {
            Some(0) if number.is_zero() => Ok(String::new()),
            Some(least) => Ok(self.spaced(sign, prefix, 0, &format!("{digits:0>least$}"))),
            None => {
                let zeros = self.zero && !self.left;
                Ok(self.spaced(sign, prefix, if zeros { self.width } else { 0 }, &digits))
            }
        }
    }

    fn sign(&self, number: &Number) -> &'static str {
        match (number.is_negative(), self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        }
    }

    /// Sign, prefix and digits, with noughts between to `filled` characters, then padded.
    fn spaced(&self, sign: &str, prefix: &str, filled: usize, digits: &str) -> String {
        let room = filled.saturating_sub(sign.len() + prefix.len());
        let text = format!("{sign}{prefix}{digits:0>room$}");
        match (self.left, self.width) {
            (true, width) => format!("{text:<width$}"),
            (false, width) => format!("{text:>width$}"),
        }
    }

    /// Padded by what is seen as one character.
    fn padded(&self, text: &str) -> String {
        if self.width == 0 {
            return text.to_owned();
        }
        let missing = self.width.saturating_sub(text.graphemes(true).count());
        let fill = if self.zero { "0" } else { " " }.repeat(missing);
        if self.left {
            format!("{text}{fill}")
        } else {
            format!("{fill}{text}")
        }
    }
}
