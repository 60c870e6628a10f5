//! The digits of a number, for `format`: the forms of Go's `strconv`.

use crate::value::Number;

/// A number without its sign: 0.d₁d₂d₃… times a power of ten, without noughts at either end.
pub(super) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    pub(super) fn of(number: &Number) -> Self {
        let text = number.to_string();
        let unsigned = text.trim_start_matches('-');
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        let mut decimal = Self {
            negative: number.is_negative(),
            digits: digits[leading..].to_vec(),
            exponent: length(whole.as_bytes()) - i64::try_from(leading).unwrap_or(i64::MAX),
        };
        decimal.trim();
        decimal
    }

    fn trim(&mut self) {
        let zeros = self.digits.iter().rev().take_while(|d| **d == b'0').count();
        self.digits.truncate(self.digits.len() - zeros);
        if self.digits.is_empty() {
            self.exponent = 0;
        }
    }

    /// Rounded to so many digits, half to even.
    fn rounded(&self, keep: i64) -> Self {
        let mut result = Self {
            negative: self.negative,
            digits: self.digits.clone(),
            exponent: self.exponent,
        };
        if keep >= length(&self.digits) {
            return result;
        }
        let Ok(keep) = usize::try_from(keep) else {
            result.digits.clear();
            result.exponent = 0;
            return result;
        };
        let odd = keep > 0 && !(self.digits[keep - 1] - b'0').is_multiple_of(2);
        let up = match self.digits[keep] {
            b'5' => self.digits.len() > keep + 1 || odd,
            digit => digit > b'5',
        };
        result.digits.truncate(keep);
        if up {
            result.count_up();
        }
        result.trim();
        result
    }

    /// One more at the last digit.
    fn count_up(&mut self) {
        while let Some(digit) = self.digits.pop() {
            if digit < b'9' {
                self.digits.push(digit + 1);
                return;
            }
        }
        self.digits.push(b'1');
        self.exponent += 1;
    }

    /// `%f`: so many digits after the point.
    pub(super) fn plain(&self, places: usize) -> String {
        let places = i64::try_from(places).unwrap_or(i64::MAX);
        let decimal = self.rounded(self.exponent.saturating_add(places));
        decimal.signed(decimal.pointed(places))
    }

    fn signed(&self, text: String) -> String {
        if self.negative {
            format!("-{text}")
        } else {
            text
        }
    }

    /// The digit at a power of ten below the point; `1` is the first after it.
    fn digit(&self, at: i64) -> char {
        let index = usize::try_from(at - 1 + self.exponent).ok();
        let digit = index.and_then(|index| self.digits.get(index));
        char::from(*digit.unwrap_or(&b'0'))
    }

    fn pointed(&self, places: i64) -> String {
        let mut text: String = if self.exponent > 0 {
            (1 - self.exponent..=0).map(|at| self.digit(at)).collect()
        } else {
            "0".to_owned()
        };
        if places > 0 {
            text.push('.');
            text.extend((1..=places).map(|at| self.digit(at)));
        }
        text
    }

    /// `%e`: one digit before the point, so many after it, and an exponent.
    pub(super) fn scientific(&self, places: usize, upper: bool) -> String {
        let places = i64::try_from(places).unwrap_or(i64::MAX);
        let decimal = self.rounded(places.saturating_add(1));
        decimal.signed(decimal.with_exponent(places, upper))
    }

    fn with_exponent(&self, places: i64, upper: bool) -> String {
        let unit = Self {
            negative: false,
            digits: self.digits.clone(),
            exponent: i64::from(!self.digits.is_empty()),
        };
        let exponent = self.exponent - unit.exponent;
        let (letter, sign) = (
            if upper { 'E' } else { 'e' },
            if exponent < 0 { '-' } else { '+' },
        );
        format!(
            "{}{letter}{sign}{:02}",
            unit.pointed(places),
            exponent.unsigned_abs()
        )
    }

    /// `%g`: the shorter of the two, to so many digits in all.
    pub(super) fn general(&self, digits: Option<usize>, upper: bool) -> String {
        let most = digits.map(|digits| i64::try_from(digits.max(1)).unwrap_or(i64::MAX));
        let decimal = self.rounded(most.unwrap_or(i64::MAX));
        let own = length(&decimal.digits);
        // Go's rule: `%e` below -4, or from the precision on, which is 6 where none is given.
        let limit = match most {
            None => 6,
            Some(most) if most > own && own >= decimal.exponent => own,
            Some(most) => most,
        };
        let exponent = decimal.exponent - 1;
        let text = if !decimal.digits.is_empty() && (exponent < -4 || exponent >= limit) {
            decimal.with_exponent(own - 1, upper)
        } else {
            decimal.pointed((own - decimal.exponent).max(0))
        };
        decimal.signed(text)
    }
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}
