//! Exact decimals as JSON numbers.

use rust_decimal::Decimal;
use serde_json::{Number, Value};

/// An amount as a JSON number; as text where a number would lose digits.
pub(crate) fn decimal(amount: Decimal) -> Value {
    let exact = amount.normalize();
    let number = exact.to_string().parse().ok().and_then(Number::from_f64);
    let number = number.filter(|number| number.to_string().parse::<Decimal>() == Ok(exact));
    number.map_or_else(|| Value::String(exact.to_string()), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_is_lost() {
        let of = |text: &str| decimal(text.parse().expect("decimal")).to_string();
        assert_eq!(of("0.192"), "0.192");
        assert_eq!(of("1.500"), "1.5");
        assert_eq!(of("0.1234567890123456789"), "\"0.1234567890123456789\"");
    }
}
