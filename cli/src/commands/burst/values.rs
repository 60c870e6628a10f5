//! Values on the command line of `strat burst`.

use strat_burst::simulate::Between;
use strat_burst::simulate::shapes::{SHAPES, Shape};
use stratiform::model::{Currency, Money};

/// A time such as `90s`, `10m`, `2h` or `28d`, in seconds.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no time: write 90s, 10m, 2h or 28d");
    let split = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(split.ok_or_else(wrong)?);
    let unit = match unit.trim() {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return Err(wrong()),
    };
    let number: Option<u64> = number.parse().ok();
    number.and_then(|n| n.checked_mul(unit)).ok_or_else(wrong)
}

/// A time between two others: `9h..10h`.
pub(super) fn between(text: &str) -> Result<Between, String> {
    let wrong = || format!("`{text}` is no time between two others: write 9h..10h");
    let (from, until) = text.split_once("..").ok_or_else(wrong)?;
    let (from_s, until_s) = (seconds(from.trim())?, seconds(until.trim())?);
    if from_s >= until_s {
        return Err(wrong());
    }
    Ok(Between { from_s, until_s })
}

/// A share such as `5%`, from 0 to 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no share: write 5%");
    let number = text.trim().strip_suffix('%').ok_or_else(wrong)?;
    let percent: f64 = number.trim().parse().map_err(|_| wrong())?;
    if (0.0..=100.0).contains(&percent) {
        Ok(percent / 100.0)
    } else {
        Err(wrong())
    }
}

/// An amount of US dollars.
pub(super) fn dollars(text: &str) -> Result<Money, String> {
    let money: Option<Money> = text.parse().ok();
    let usd = |money: &Money| money.currency == Currency::Usd && !money.amount.is_sign_negative();
    money
        .filter(usd)
        .ok_or_else(|| format!("`{text}` is no price: write '0.10 USD'"))
}

/// A number above zero.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    number
        .filter(|number| number.is_finite() && *number > 0.0)
        .ok_or_else(|| format!("`{text}` is no number above zero"))
}

/// The shape of a trace.
pub(super) fn shape(text: &str) -> Result<Shape, String> {
    let known = SHAPES.iter().find(|(name, _)| *name == text);
    known.map(|(_, shape)| *shape).ok_or_else(|| {
        let names: Vec<&str> = SHAPES.iter().map(|(name, _)| *name).collect();
        format!(
            "there is no shape `{text}`: use one of {}",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_read_and_refused() {
        assert_eq!(seconds("28d"), Ok(28 * 86_400));
        assert_eq!(seconds("90s"), Ok(90));
        assert!(seconds("90").is_err() && seconds("").is_err() && seconds("1y").is_err());
        let hour = Between {
            from_s: 9 * 3600,
            until_s: 10 * 3600,
        };
        assert_eq!(between("9h..10h"), Ok(hour));
        assert!(between("10h..9h").is_err() && between("9h").is_err());
        assert_eq!(share("5%"), Ok(0.05));
        assert!(share("5").is_err() && share("101%").is_err());
        assert!(dollars("0.10 USD").is_ok() && dollars("0.10 EUR").is_err());
        assert!(positive("0").is_err() && positive("inf").is_err());
        assert!(shape("office").is_ok());
        assert!(shape("offce").expect_err("none").contains("wikipedia"));
    }
}
