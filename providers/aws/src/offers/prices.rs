//! On-demand prices, from a snapshot.
//!
//! AWS's price list is a service of its own with gigabytes of it, and changes seldom. So the
//! prices of Linux instances are built in, with their origin and date at the head of the file;
//! `scripts/aws-prices` writes it. A price that is not in it is not known, and never zero.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use strat_model::Money;

/// One line a type, one column a region.
const PRICES: &str = include_str!("prices.tsv");

/// The price of an hour of each type in a region.
pub(super) fn of_region(region: &str) -> BTreeMap<&'static str, Money> {
    let mut lines = PRICES.lines().filter(|line| !line.starts_with('#'));
    let mut columns = lines.next().unwrap_or_default().split('\t');
    let Some(column) = columns.position(|column| column == region) else {
        return BTreeMap::new();
    };
    let priced = lines.filter_map(|line| {
        let mut cells = line.split('\t');
        let machine_type = cells.next()?;
        let amount: Decimal = cells.nth(column.checked_sub(1)?)?.parse().ok()?;
        Some((machine_type, Money::usd(amount)))
    });
    priced.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_those_of_the_region() {
        let check = |region, machine_type, expect: Option<&str>| {
            let price = of_region(region)
                .get(machine_type)
                .map(|p| p.amount.to_string());
            assert_eq!(price.as_deref(), expect, "{machine_type} in {region}");
        };
        check("us-east-1", "m5.large", Some("0.096"));
        check("eu-central-1", "m5.large", Some("0.115"));
        check("ap-south-1", "m5.large", None);
        check("us-east-1", "m99.large", None);
        check("moon-north-1", "m5.large", None);
    }

    #[test]
    fn the_snapshot_says_where_and_when_it_is_from() {
        assert!(PRICES.starts_with("# On-demand prices") && PRICES.contains("as of 20"));
        assert_eq!(
            of_region("us-east-1").len(),
            773,
            "the types that the source has a price for"
        );
    }
}
