//! Sizes and money.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Why a string is no size or amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}")]
pub struct UnitError {
    text: String,
    what: &'static str,
}

impl UnitError {
    pub(crate) fn new(text: &str, what: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            what,
        }
    }
}

/// A number of bytes. Parsed from and shown as `16GiB`, `8TiB`, `500MB`; serialised as a number.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    const UNITS: [(&'static str, u64); 8] = [
        ("TiB", 1 << 40),
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];

    /// `n` binary gigabytes.
    #[must_use]
    pub const fn gib(n: u64) -> Self {
        Self(n << 30)
    }

    /// Whole and begun GiB, for clouds that sell disks by the GiB.
    #[must_use]
    pub const fn ceil_gib(self) -> u64 {
        self.0.div_ceil(1 << 30)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = Self::UNITS
            .iter()
            .find(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size));
        match unit {
            Some((unit, size)) => f.pad(&format!("{}{unit}", self.0 / size)),
            None => f.pad(&format!("{}B", self.0)),
        }
    }
}

impl FromStr for Bytes {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let fail = || UnitError::new(text, "a size such as `16GiB` or `500MB`");
        // `bytesize` would take a bare number as bytes; a size without a unit is a slip here.
        if !text.ends_with(['B', 'b']) {
            return Err(fail());
        }
        text.parse::<bytesize::ByteSize>()
            .map(|size| Self(size.as_u64()))
            .map_err(|_| fail())
    }
}

/// An ISO 4217 currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "ISO 4217 names them")]
pub enum Currency {
    Usd,
    Eur,
    Gbp,
    Chf,
}

impl Currency {
    /// The three letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Chf => "CHF",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An exact amount in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Money {
    /// The amount, exact.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = crate::schema::DECIMAL)))]
    pub amount: Decimal,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// An amount of US dollars.
    #[must_use]
    pub const fn usd(amount: Decimal) -> Self {
        Self {
            amount,
            currency: Currency::Usd,
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.amount, self.currency))
    }
}

impl FromStr for Money {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let fail = || UnitError::new(text, "an amount such as `500 USD`");
        let (amount, currency) = text.split_once(' ').ok_or_else(fail)?;
        let currency = match currency.trim() {
            "USD" => Currency::Usd,
            "EUR" => Currency::Eur,
            "GBP" => Currency::Gbp,
            "CHF" => Currency::Chf,
            _ => return Err(fail()),
        };
        let amount = amount.trim().parse().map_err(|_| fail())?;
        Ok(Self { amount, currency })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_round_trip() {
        for text in ["16GiB", "8TiB", "500MB", "1536MiB", "1B", "0B"] {
            assert_eq!(text.parse::<Bytes>().expect(text).to_string(), text);
        }
        assert_eq!("1024MiB".parse::<Bytes>(), Ok(Bytes::gib(1)));
        for text in ["", "16", "GiB", "-1GiB", "16 G"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }

    #[test]
    fn money_is_exact() {
        let money: Money = "0.1 USD".parse().expect("money");
        assert_eq!(
            money.amount + money.amount + money.amount,
            "0.3".parse().expect("decimal")
        );
        assert!("500".parse::<Money>().is_err());
        assert!("x USD".parse::<Money>().is_err());
    }
}
