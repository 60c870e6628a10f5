//! Numbers: exact, of any length that is written.
//!
//! A number is a fraction of whole numbers in lowest terms, so that sums, products and quotients
//! lose nothing: `1 / 3 * 3` is 1. Whole numbers of 64 bits, which is nearly all of them, are kept
//! as such.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Neg;
use std::sync::Arc;

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{One as _, Signed as _, ToPrimitive as _, Zero as _};

use super::shortest::shortest;

/// The most digits before and after the point.
pub(crate) const MAX_DIGITS: usize = 10_000;
/// The same in bits, `MAX_DIGITS` times the binary logarithm of 10, rounded up.
const MAX_BITS: u64 = 33_220;

/// What a number that is too large is told to be.
pub(crate) const TOO_LARGE: &str = "a number has at most 10,000 digits";

/// A number.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Number(Repr);

/// A value has one form only: what fits in `Small` is never `Exact`.
#[derive(Clone, PartialEq, Eq)]
enum Repr {
    Small(i64),
    Exact(Arc<BigRational>),
}

impl Number {
    pub(crate) const ZERO: Self = Self(Repr::Small(0));
    pub(crate) const ONE: Self = Self(Repr::Small(1));

    /// Reads a decimal number, with or without a sign, a fraction and an exponent. `None` if it is
    /// none, or has more than [`MAX_DIGITS`].
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(small) = text.parse::<i64>() {
            return Some(Self(Repr::Small(small)));
        }
        if text.len() > 4 * MAX_DIGITS {
            return None;
        }
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || digits.len() > 2 * MAX_DIGITS {
            return None;
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits: BigInt = digits.parse().ok()?;
        if digits.is_zero() {
            return Some(Self::ZERO);
        }
        let digits = if text.starts_with('-') {
            -digits
        } else {
            digits
        };
        let scale = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let shift = u32::try_from(scale.unsigned_abs()).ok()?;
        if shift as usize > 2 * MAX_DIGITS {
            return None;
        }
        let shift = BigInt::from(10).pow(shift);
        Self::bounded(if scale < 0 {
            BigRational::new(digits, shift)
        } else {
            BigRational::from(digits * shift)
        })
    }

    /// The number of a double, by the shortest decimal that stands for it; `None` if it is none.
    pub(crate) fn from_f64(double: f64) -> Option<Self> {
        double
            .is_finite()
            .then(|| Self::parse(&double.to_string()))?
    }

    /// A whole number of any size that a number may have.
    pub(crate) fn from_int(int: BigInt) -> Option<Self> {
        Self::bounded(BigRational::from(int))
    }

    fn bounded(ratio: BigRational) -> Option<Self> {
        if ratio.is_integer()
            && let Some(small) = ratio.numer().to_i64()
        {
            return Some(Self(Repr::Small(small)));
        }
        let bits = ratio.numer().bits().max(ratio.denom().bits());
        (bits <= MAX_BITS).then(|| Self(Repr::Exact(Arc::new(ratio))))
    }

    fn ratio(&self) -> BigRational {
        match &self.0 {
            Repr::Small(small) => BigRational::from(BigInt::from(*small)),
            Repr::Exact(ratio) => ratio.as_ref().clone(),
        }
    }

    /// The result of an operation: of small numbers where it fits, else of fractions.
    fn operate(
        &self,
        other: &Self,
        small: fn(i64, i64) -> Option<i64>,
        exact: fn(BigRational, BigRational) -> BigRational,
    ) -> Option<Self> {
        if let (Repr::Small(a), Repr::Small(b)) = (&self.0, &other.0)
            && let Some(small) = small(*a, *b)
        {
            return Some(Self(Repr::Small(small)));
        }
        Self::bounded(exact(self.ratio(), other.ratio()))
    }

    /// The sum; `None` if it is too large, as for every operation.
    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        self.operate(other, i64::checked_add, |a, b| a + b)
    }

    pub(crate) fn minus(&self, other: &Self) -> Option<Self> {
        self.operate(other, i64::checked_sub, |a, b| a - b)
    }

    pub(crate) fn times(&self, other: &Self) -> Option<Self> {
        self.operate(other, i64::checked_mul, |a, b| a * b)
    }

    /// The quotient; also `None` if `other` is zero.
    pub(crate) fn over(&self, other: &Self) -> Option<Self> {
        let whole = |a: i64, b: i64| (a.checked_rem(b)? == 0).then(|| a.checked_div(b))?;
        if other.is_zero() {
            return None;
        }
        self.operate(other, whole, |a, b| a / b)
    }

    /// What is left of a division to a whole number towards zero, with this number's sign.
    pub(crate) fn remainder(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        self.operate(other, i64::checked_rem, |a, b| a % b)
    }

    /// The number to a power. It is exact where the exponent is whole, and else as exact as a
    /// double; `None` where there is no real value, or it is too large.
    pub(crate) fn power(&self, exponent: &Self) -> Option<Self> {
        let Some(times) = exponent.to_i64() else {
            return Self::from_f64(self.to_f64().powf(exponent.to_f64()));
        };
        if times < 0 && self.is_zero() {
            return None;
        }
        let ratio = self.ratio();
        let bits = ratio.numer().bits().max(ratio.denom().bits());
        let unit = ratio.numer().abs().is_one() && ratio.is_integer();
        if !unit && !self.is_zero() && (bits - 1).saturating_mul(times.unsigned_abs()) > MAX_BITS {
            return None;
        }
        // Of 0, 1 and -1 only the parity counts.
        let times = if unit || self.is_zero() {
            times.rem_euclid(2) + 2 * i64::from(times != 0)
        } else {
            times
        };
        Self::bounded(ratio.pow(i32::try_from(times).ok()?))
    }

    /// The logarithm to a base, as exact as a double; `None` where there is no real value.
    pub(crate) fn logarithm(&self, base: &Self) -> Option<Self> {
        Self::from_f64(self.to_f64().ln() / base.to_f64().ln())
    }

    pub(crate) fn abs(&self) -> Self {
        if self.is_negative() {
            -self
        } else {
            self.clone()
        }
    }

    /// The greatest whole number that is not above this one.
    pub(crate) fn floor(&self) -> Self {
        self.rounded(BigRational::floor)
    }

    /// The least whole number that is not below this one.
    pub(crate) fn ceil(&self) -> Self {
        self.rounded(BigRational::ceil)
    }

    fn rounded(&self, round: fn(&BigRational) -> BigRational) -> Self {
        match &self.0 {
            Repr::Small(_) => self.clone(),
            // A whole number beside a number is not larger than it but by one.
            Repr::Exact(ratio) => Self::bounded(round(ratio)).unwrap_or_else(|| self.clone()),
        }
    }

    /// What a number beyond 64 bits counts for in the bytes of a value: its own bytes, and a sixteenth
    /// of their square, because that is how the time grows in which it is reduced or written out.
    pub(crate) fn weight(&self) -> usize {
        match &self.0 {
            Repr::Small(_) => 0,
            Repr::Exact(ratio) => {
                let bits = ratio.numer().bits() + ratio.denom().bits();
                let bytes = usize::try_from(bits / 8).unwrap_or(usize::MAX);
                bytes.saturating_add(bytes.saturating_mul(bytes) / 16)
            }
        }
    }

    pub(crate) const fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Small(0))
    }

    pub(crate) fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Small(small) => *small < 0,
            Repr::Exact(ratio) => ratio.is_negative(),
        }
    }

    /// The whole number, if it is one that fits.
    pub(crate) const fn to_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Small(small) => Some(small),
            Repr::Exact(_) => None,
        }
    }

    /// The whole number of any size, if it is one.
    pub(crate) fn to_int(&self) -> Option<BigInt> {
        match &self.0 {
            Repr::Small(small) => Some(BigInt::from(*small)),
            Repr::Exact(ratio) => ratio.is_integer().then(|| ratio.to_integer()),
        }
    }

    /// The nearest double; infinite beyond them.
    pub(crate) fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The digits of this number without its sign, rounded to so many after the point, half to
    /// even. The last `places` of them are those after the point.
    pub(crate) fn digits(&self, places: u32) -> BigInt {
        let ratio = self.ratio().abs();
        let (above, below) = ratio.into_raw();
        let (quotient, rest) = (above * BigInt::from(10).pow(places)).div_rem(&below);
        match (rest * 2_u32).cmp(&below) {
            Ordering::Less => quotient,
            Ordering::Equal if quotient.is_even() => quotient,
            _ => quotient + 1_u32,
        }
    }
}

impl fmt::Display for Number {
    /// All digits, without an exponent; those of a fraction without end as far as 512 bits tell
    /// them apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratio = match &self.0 {
            Repr::Small(small) => return write!(f, "{small}"),
            Repr::Exact(ratio) => ratio,
        };
        if ratio.is_integer() {
            return write!(f, "{}", ratio.numer());
        }
        let sign = if ratio.is_negative() { "-" } else { "" };
        let text = match finite_places(ratio.denom()) {
            Some(places) => pointed(&self.digits(places), i64::from(places)),
            None => {
                let (digits, places) = shortest(&ratio.abs());
                pointed(&digits, places)
            }
        };
        write!(f, "{sign}{text}")
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How many digits after the point a fraction of that denominator has; `None` if it never ends.
fn finite_places(denominator: &BigInt) -> Option<u32> {
    let twos = denominator.trailing_zeros().unwrap_or(0);
    let mut rest = denominator >> twos;
    let mut fives = 0_u64;
    loop {
        let (quotient, left) = rest.div_rem(&BigInt::from(5));
        if !left.is_zero() {
            break;
        }
        rest = quotient;
        fives += 1;
    }
    rest.is_one().then(|| u32::try_from(twos.max(fives)).ok())?
}

/// Digits with a point before the last `places` of them, without needless zeros.
fn pointed(digits: &BigInt, places: i64) -> String {
    let mut text = digits.to_string();
    let Ok(places) = usize::try_from(places) else {
        let zeros = usize::try_from(places.unsigned_abs()).unwrap_or(0);
        text.extend(std::iter::repeat_n('0', zeros));
        return text;
    };
    let text = format!("{text:0>width$}", width = places + 1);
    let (whole, fraction) = text.split_at(text.len() - places);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    }
}

impl Neg for &Number {
    type Output = Number;

    fn neg(self) -> Number {
        if let Repr::Small(small) = self.0
            && let Some(small) = small.checked_neg()
        {
            return Number(Repr::Small(small));
        }
        // A number and its opposite have as many digits.
        Number::bounded(-self.ratio()).unwrap_or_else(|| self.clone())
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Small(a), Repr::Small(b)) => a.cmp(b),
            _ => self.ratio().cmp(&other.ratio()),
        }
    }
}

impl From<i64> for Number {
    fn from(int: i64) -> Self {
        Self(Repr::Small(int))
    }
}

impl From<u64> for Number {
    fn from(int: u64) -> Self {
        i64::try_from(int).map_or_else(
            |_| Self(Repr::Exact(Arc::new(BigRational::from(BigInt::from(int))))),
            Self::from,
        )
    }
}
