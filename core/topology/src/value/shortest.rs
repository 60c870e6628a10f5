//! The shortest decimal of a fraction that never ends.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_rational::BigRational;

/// The precision that a fraction without end is written to: that of numbers in HCL, which keeps
/// them as floating point numbers of so many bits.
const BITS: i64 = 512;

/// The digits of a positive number, and how many of them are after the point, which may be less
/// than none. They are the fewest that tell it from its neighbours of [`BITS`] bits, as those of
/// Go's `big.Float.Text('f', -1)`.
pub(super) fn shortest(number: &BigRational) -> (BigInt, i64) {
    let (mantissa, exponent) = rounded(number);
    let inclusive = mantissa.is_even();
    // In halves of the last bit, so that the bounds are whole.
    let (middle, exponent) = (mantissa * 2, exponent - 1);
    let (lower, upper) = (&middle - 1, &middle + 1);
    let mut places = first_places(&middle, exponent);
    loop {
        // Both sides times what makes them whole.
        let unit = power(10, -places) * power(2, -exponent);
        let scale = power(10, places) * power(2, exponent);
        let (down, rest) = (&middle * &scale).div_rem(&unit);
        let (lower, upper) = (&lower * &scale, &upper * &scale);
        let up: BigInt = &down + 1;
        let good_down = within((&down * &unit).cmp(&lower), Ordering::Greater, inclusive);
        let good_up = within((&up * &unit).cmp(&upper), Ordering::Less, inclusive);
        match (good_down, good_up) {
            (true, true) => {
                let nearer_up = match (rest << 1_u8).cmp(&unit) {
                    Ordering::Less => false,
                    Ordering::Equal => down.is_odd(),
                    Ordering::Greater => true,
                };
                return (if nearer_up { up } else { down }, places);
            }
            (true, false) => return (down, places),
            (false, true) => return (up, places),
            (false, false) => places += 1,
        }
    }
}

fn within(found: Ordering, wanted: Ordering, inclusive: bool) -> bool {
    found == wanted || (inclusive && found == Ordering::Equal)
}

/// The nearest number of [`BITS`] bits, half to even: mantissa and binary exponent.
fn rounded(number: &BigRational) -> (BigInt, i64) {
    let (above, below) = (number.numer(), number.denom());
    let bits = |int: &BigInt| i64::try_from(int.bits()).unwrap_or(i64::MAX);
    let mut exponent = bits(above) - bits(below) - BITS;
    loop {
        let divisor = below * power(2, exponent);
        let (quotient, rest) = (above * power(2, -exponent)).div_rem(&divisor);
        match bits(&quotient).cmp(&BITS) {
            Ordering::Less => exponent -= 1,
            Ordering::Greater => exponent += 1,
            Ordering::Equal => {
                let up = match (rest << 1_u8).cmp(&divisor) {
                    Ordering::Less => false,
                    Ordering::Equal => quotient.is_odd(),
                    Ordering::Greater => true,
                };
                return (quotient + i32::from(up), exponent);
            }
        }
    }
}

/// With how many digits after the point the search begins: so few that none is left out.
fn first_places(mantissa: &BigInt, exponent: i64) -> i64 {
    // 0.30103 is the decimal logarithm of 2, rounded up.
    let bits = i64::try_from(mantissa.bits()).unwrap_or(i64::MAX) + exponent;
    let digits = bits * 30_103 / 100_000 + 1;
    // Of 154 digits, one in ten billion ends in so many noughts or nines that these are too many;
    // then it is written with the noughts.
    144 - digits
}

/// A power, or 1 for what is below none.
fn power(base: u32, exponent: i64) -> BigInt {
    BigInt::from(base).pow(u32::try_from(exponent).unwrap_or(0))
}
