//! Functions of numbers.

use num_bigint::BigInt;

use super::{Args, FnResult, Function, pure};
use crate::value::{Number, TOO_LARGE, Value};

pub(super) static TABLE: &[Function] = &[
    pure(
        "abs",
        (1, 1),
        abs,
        "abs(number)",
        "The number without its sign.",
        "abs(-3) == 3",
    ),
    pure(
        "ceil",
        (1, 1),
        ceil,
        "ceil(number)",
        "The next whole number at or above.",
        "ceil(2.1) == 3",
    ),
    pure(
        "floor",
        (1, 1),
        floor,
        "floor(number)",
        "The next whole number at or below.",
        "floor(2.9) == 2",
    ),
    pure(
        "log",
        (2, 2),
        log,
        "log(number, base)",
        "The logarithm to a base.",
        "log(8, 2) == 3",
    ),
    pure(
        "max",
        (1, ANY),
        max,
        "max(number...)",
        "The greatest.",
        "max(1, 3, 2) == 3",
    ),
    pure(
        "min",
        (1, ANY),
        min,
        "min(number...)",
        "The least.",
        "min(1, 3, 2) == 1",
    ),
    pure(
        "parseint",
        (2, 2),
        parse_int,
        "parseint(text, base)",
        "The whole number of a text in base 2 to 62.",
        "parseint(\"ff\", 16) == 255",
    ),
    pure(
        "pow",
        (2, 2),
        pow,
        "pow(number, exponent)",
        "The number to a power.",
        "pow(2, 10) == 1024",
    ),
    pure(
        "signum",
        (1, 1),
        signum,
        "signum(number)",
        "-1, 0 or 1.",
        "signum(-7) == -1",
    ),
    pure(
        "sum",
        (1, 1),
        sum,
        "sum(numbers)",
        "The sum of a list.",
        "sum([1, 2, 3]) == 6",
    ),
];

const ANY: usize = usize::MAX;

/// A result, which is none where it has too many digits.
fn number(number: Option<Number>) -> FnResult {
    match number {
        Some(number) => Ok(Value::Number(number)),
        None => Args::error(0, format!("gives a number that is too large: {TOO_LARGE}")),
    }
}

fn abs(args: &Args<'_>) -> FnResult {
    Ok(Value::Number(args.number(0)?.abs()))
}

fn ceil(args: &Args<'_>) -> FnResult {
    Ok(Value::Number(args.number(0)?.ceil()))
}

fn floor(args: &Args<'_>) -> FnResult {
    Ok(Value::Number(args.number(0)?.floor()))
}

fn log(args: &Args<'_>) -> FnResult {
    match args.number(0)?.logarithm(&args.number(1)?) {
        Some(log) => Ok(Value::Number(log)),
        None => Args::error(0, "takes a number above 0 and a base that is not 1"),
    }
}

fn max(args: &Args<'_>) -> FnResult {
    number(args.numbers()?.into_iter().max())
}

fn min(args: &Args<'_>) -> FnResult {
    number(args.numbers()?.into_iter().min())
}

fn parse_int(args: &Args<'_>) -> FnResult {
    let base = args.int(1)?;
    let Some(base) = u32::try_from(base).ok().filter(|b| (2..=62).contains(b)) else {
        return Args::error(1, "takes a base from 2 to 62");
    };
    let Value::String(text) = args.value(0) else {
        let found = args.value(0).describe();
        return Args::error(0, format!("takes a text, not {found}"));
    };
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let wrong = || Args::error(0, format!("takes a whole number in base {base}"));
    if digits.is_empty() {
        return wrong();
    }
    if digits.len() > MAX_WIDTH {
        return Args::error(0, format!("takes at most {MAX_WIDTH} digits"));
    }
    let mut int = BigInt::ZERO;
    for digit in digits.chars() {
        let Some(digit) = digit_of(digit, base) else {
            return wrong();
        };
        int = int * base + digit;
    }
    number(Number::from_int(if text.starts_with('-') {
        -int
    } else {
        int
    }))
}

/// The most digits that `parseint` takes.
const MAX_WIDTH: usize = 10_000;

/// A digit of a base up to 62: above 36, upper case letters come after lower case ones.
fn digit_of(digit: char, base: u32) -> Option<u32> {
    let value = match digit {
        'A'..='Z' if base > 36 => u32::from(digit) - u32::from('A') + 36,
        _ => digit.to_digit(36)?,
    };
    (value < base).then_some(value)
}

fn pow(args: &Args<'_>) -> FnResult {
    let (base, exponent) = (args.number(0)?, args.number(1)?);
    match base.power(&exponent) {
        Some(power) => Ok(Value::Number(power)),
        None if base.is_negative() && exponent.to_int().is_none() => {
            Args::error(0, "has no real value: a root of a number below 0")
        }
        None if base.is_zero() => Args::error(1, "has no value: 0 to a power below 0"),
        None => number(None),
    }
}

fn signum(args: &Args<'_>) -> FnResult {
    let value = args.number(0)?;
    Ok(Value::int(if value.is_zero() {
        0_i64
    } else if value.is_negative() {
        -1
    } else {
        1
    }))
}

fn sum(args: &Args<'_>) -> FnResult {
    let items = args.list(0)?;
    if items.is_empty() {
        return Args::error(0, "takes a list that is not empty");
    }
    let mut sum = Some(Number::ZERO);
    for item in items {
        let Some(item) = item.to_number() else {
            return Args::error(
                0,
                format!("takes a list of numbers, and {} is in it", item.describe()),
            );
        };
        sum = sum.and_then(|sum| sum.plus(&item));
    }
    number(sum)
}
