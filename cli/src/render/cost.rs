//! Money, for people.

use rust_decimal::Decimal;
use stratiform::planner::Cost;

use super::style::{BOLD, DIM, paint};

/// What the plan does to the monthly bill; nothing when no price is known at all.
pub(crate) fn cost(cost: &Cost) -> Option<String> {
    let (before, after) = (cost.monthly_before, cost.monthly_after);
    if before.is_none() && after.is_none() {
        return None;
    }
    let known = |amount: Option<Decimal>| amount.map_or_else(|| "unknown".to_owned(), amount_text);
    let mut text = format!(
        "{} {} -> {} {} a month",
        paint(BOLD, "Cost:"),
        known(before),
        known(after),
        cost.currency
    );
    if let (Some(before), Some(after)) = (before, after) {
        let sign = if after >= before { "+" } else { "-" };
        text.push_str(&format!(" ({sign}{})", amount_text((after - before).abs())));
    }
    if cost.unpriced > 0 {
        let noun = if cost.unpriced == 1 {
            "machine"
        } else {
            "machines"
        };
        let note = format!(", without {} {noun} of unknown price", cost.unpriced);
        text.push_str(&paint(DIM, note));
    }
    text.push('\n');
    Some(text)
}

/// An amount with two decimals and thousands apart.
pub(crate) fn amount_text(amount: Decimal) -> String {
    let text = format!("{:.2}", amount.round_dp(2));
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{cents}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_cents_and_groups() {
        for (amount, text) in [
            ("0", "0.00"),
            ("5.1", "5.10"),
            ("999.999", "1,000.00"),
            ("1234567.891", "1,234,567.89"),
            ("-1234.5", "-1,234.50"),
        ] {
            let amount: Decimal = amount.parse().expect("decimal");
            assert_eq!(amount_text(amount), text);
        }
    }
}
