//! What a region asks for a size: one cell of the snapshot.

use rust_decimal::Decimal;
use strat_model::{CapacityKind, Money};

/// `PRICE[,SPOT][/ZONES]`, where `?` is a price that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    price: &'a str,
    spot: Option<&'a str>,
    /// Bit n: the region's n-th zone has it. `None`: all have.
    zones: Option<u32>,
}

impl<'a> Cell<'a> {
    /// Reads one; `None` where the size is not sold.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let (prices, zones) = match text.split_once('/') {
            Some((prices, mask)) => (prices, Some(u32::from_str_radix(mask, 16).ok()?)),
            None => (text, None),
        };
        let (price, spot) = match prices.split_once(',') {
            Some((price, spot)) => (price, Some(spot)),
            None => (prices, None),
        };
        Some(Self { price, spot, zones })
    }

    /// The price of an hour on demand.
    pub(crate) fn on_demand(self) -> Option<Money> {
        money(self.price)
    }

    /// Each way to buy it, with its price.
    pub(crate) fn capacities(self) -> impl Iterator<Item = (CapacityKind, Option<Money>)> {
        let spot = self.spot.map(|spot| (CapacityKind::Spot, money(spot)));
        [(CapacityKind::OnDemand, money(self.price))]
            .into_iter()
            .chain(spot)
    }

    /// Those of a region's zones that have it.
    pub(crate) fn zones(self, all: &[&'a str]) -> Vec<&'a str> {
        let has = |index: usize| {
            self.zones
                .is_none_or(|mask| mask.checked_shr(index as u32).unwrap_or(0) & 1 == 1)
        };
        let zones = all.iter().enumerate().filter(|(index, _)| has(*index));
        zones.map(|(_, zone)| *zone).collect()
    }
}

/// An amount of US dollars; what is no number is not known.
fn money(text: &str) -> Option<Money> {
    text.parse::<Decimal>().ok().map(Money::usd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_what_is_known_and_nothing_more() {
        let check = |text, on_demand: Option<&str>, spot: &[Option<&str>], zones: &[&str]| {
            let cell = Cell::parse(text).expect(text);
            let shown = |price: Option<Money>| price.map(|price| price.amount.to_string());
            assert_eq!(shown(cell.on_demand()).as_deref(), on_demand, "{text}");
            let sold = cell.capacities().skip(1);
            let sold: Vec<_> = sold.map(|(_, price)| shown(price)).collect();
            let sold: Vec<_> = sold.iter().map(Option::as_deref).collect();
            assert_eq!(sold, spot, "{text}");
            assert_eq!(cell.zones(&["a", "b", "c"]), zones, "{text}");
        };
        check("0.096", Some("0.096"), &[], &["a", "b", "c"]);
        check("0.096,?/5", Some("0.096"), &[None], &["a", "c"]);
        check("?/2", None, &[], &["b"]);
        check("?,0.0125", None, &[Some("0.0125")], &["a", "b", "c"]);
        assert_eq!(Cell::parse(""), None);
    }
}
