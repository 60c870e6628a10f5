//! Functions of numbers.

use rust_decimal::prelude::{FromPrimitive as _, Signed as _, ToPrimitive as _};
use rust_decimal::{Decimal, MathematicalOps as _};

use super::{Args, FnResult, Function, pure};
use crate::value::Value;

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
        "The whole number of a text in base 2 to 36.",
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

fn number(number: Option<Decimal>) -> FnResult {
    match number {
        Some(number) => Ok(Value::Number(number.normalize())),
        None => Args::error(0, "gives a number that is too large"),
    }
}

fn abs(args: &Args<'_>) -> FnResult {
    number(Some(args.number(0)?.abs()))
}

fn ceil(args: &Args<'_>) -> FnResult {
    number(Some(args.number(0)?.ceil()))
}

fn floor(args: &Args<'_>) -> FnResult {
    number(Some(args.number(0)?.floor()))
}

fn log(args: &Args<'_>) -> FnResult {
    let (value, base) = (args.number(0)?.to_f64(), args.number(1)?.to_f64());
    let log = value.zip(base).map(|(value, base)| value.log(base));
    match log
        .filter(|log| log.is_finite())
        .and_then(Decimal::from_f64)
    {
        Some(log) => number(Some(log)),
        None => Args::error(0, "takes a number above 0 and a base above 0 that is not 1"),
    }
}

fn max(args: &Args<'_>) -> FnResult {
    number(args.numbers()?.into_iter().max())
}

fn min(args: &Args<'_>) -> FnResult {
    number(args.numbers()?.into_iter().min())
}

fn parse_int(args: &Args<'_>) -> FnResult {
    let base = u32::try_from(args.int(1)?)
        .ok()
        .filter(|b| (2..=36).contains(b));
    let Some(base) = base else {
        return Args::error(1, "takes a base from 2 to 36");
    };
    match i64::from_str_radix(&args.text(0)?, base) {
        Ok(int) => Ok(Value::int(int)),
        Err(_) => Args::error(0, format!("takes a whole number in base {base}")),
    }
}

fn pow(args: &Args<'_>) -> FnResult {
    let (base, exponent) = (args.number(0)?, args.number(1)?);
    let power = match args.value(1).to_int() {
        Some(exponent) => base.checked_powi(exponent),
        None => base.checked_powd(exponent),
    };
    number(power)
}

fn signum(args: &Args<'_>) -> FnResult {
    let value = args.number(0)?;
    number(Some(if value.is_zero() {
        Decimal::ZERO
    } else {
        value.signum()
    }))
}

fn sum(args: &Args<'_>) -> FnResult {
    let mut sum = Some(Decimal::ZERO);
    for item in args.list(0)? {
        let Some(item) = item.to_number() else {
            return Args::error(
                0,
                format!("takes a list of numbers, and {} is in it", item.describe()),
            );
        };
        sum = sum.and_then(|sum| sum.checked_add(item));
    }
    number(sum)
}
