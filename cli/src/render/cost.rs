//! Money, for people.

use rust_decimal::Decimal;
use stratiform::model::Name;
use stratiform::planner::{BudgetState, Cost};

use super::style::{BOLD, DELETE, DIM, paint};

/// What the plan does to the monthly bill, by site where there are several, and to the budgets;
/// nothing when no price is known at all, or nothing costs other than before.
pub(crate) fn cost(cost: &Cost) -> Option<String> {
    let (before, after) = (cost.monthly_before, cost.monthly_after);
    if before.is_none() && after.is_none() && cost.budgets.is_empty() || !is_worth_telling(cost) {
        return None;
    }
    let mut text = format!(
        "{} {} {} a month",
        paint(BOLD, "Cost:"),
        change(before, after),
        cost.currency
    );
    if let (Some(before), Some(after)) = (before, after) {
        let sign = if after >= before { "+" } else { "-" };
        text.push_str(&format!(" ({sign}{})", amount_text((after - before).abs())));
    }
    if let Some(range) = cost.fallback {
        let note = format!(
            "; {} to {} if what was chosen runs out",
            amount_text(range.low),
            amount_text(range.high)
        );
        text.push_str(&paint(DIM, note));
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
    if cost.sites.len() > 1 {
        sites(&mut text, cost);
    }
    for budget in &cost.budgets {
        text.push_str(&self::budget(budget, cost));
    }
    match cost.gap {
        Some(gap) if gap.is_zero() => {}
        Some(gap) => {
            let percent = (gap * Decimal::ONE_HUNDRED).round_dp(2).normalize();
            let note = format!("Placement is within {percent} % of the best there may be.\n");
            text.push_str(&paint(DIM, note));
        }
        None => text.push_str(&paint(
            DIM,
            "How good the placement is could not be proven.\n",
        )),
    }
    Some(text)
}

/// Whether anything costs other than before, a budget is too small, or the placement may not be the best.
fn is_worth_telling(cost: &Cost) -> bool {
    let moved = |before, after| before != after;
    moved(cost.monthly_before, cost.monthly_after)
        || cost
            .sites
            .values()
            .any(|site| moved(site.monthly_before, site.monthly_after))
        || cost.budgets.iter().any(|budget| budget.exceeded)
        || cost.gap.is_some_and(|gap| !gap.is_zero())
}

fn change(before: Option<Decimal>, after: Option<Decimal>) -> String {
    let known = |amount: Option<Decimal>| amount.map_or_else(|| "unknown".to_owned(), amount_text);
    format!("{} -> {}", known(before), known(after))
}

/// A line for each site.
fn sites(text: &mut String, cost: &Cost) {
    let width = cost.sites.keys().map(|site| site.as_str().len()).max();
    for (site, part) in &cost.sites {
        let amounts = change(part.monthly_before, part.monthly_after);
        let width = width.unwrap_or(0);
        text.push_str(&format!("  {:width$}  {amounts}\n", site.as_str()));
    }
}

/// How much of a budget is spent after the plan.
fn budget(budget: &BudgetState, cost: &Cost) -> String {
    let sites: Vec<_> = budget.sites.iter().map(Name::as_str).collect();
    let mut line = format!(
        "Budget {}: {} of {} {} a month",
        budget.name,
        amount_text(budget.after),
        amount_text(budget.monthly),
        cost.currency
    );
    if !sites.is_empty() {
        line.push_str(&format!(" at {}", sites.join(", ")));
    }
    if budget.unpriced > 0 {
        line.push_str(&format!(", and {} of unknown price", budget.unpriced));
    }
    if budget.exceeded {
        return format!("{}\n", paint(DELETE, format!("{line}: too much")));
    }
    format!("{line}\n")
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
