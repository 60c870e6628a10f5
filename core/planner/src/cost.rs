//! What machines cost a month.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use strat_model::{CapacityKind, Currency, Money, Name, SiteFacts, Spec};

use crate::plan::{Cost, SiteCost};
use crate::{Desired, InventoryIndex};

/// Hours of a month, as the clouds' own calculators count (8,760 a year / 12).
const HOURS_A_MONTH: u32 = 730;

/// The cost of what is and of what is to be. Only amounts in US dollars are added up; other
/// currencies count as unpriced.
pub(crate) fn cost(
    desired: &Desired,
    index: &InventoryIndex<'_>,
    facts: &BTreeMap<Name, SiteFacts>,
) -> Cost {
    let mut sites: BTreeMap<Name, (Tally, Tally)> = BTreeMap::new();
    let mut unpriced = 0;
    let prices = prices(facts);
    for (addr, found) in index.addrs() {
        for resource in found {
            if let Spec::Machine(spec) = &resource.spec {
                let key = (
                    &addr.site,
                    &spec.zone,
                    spec.machine_type.as_str(),
                    spec.capacity,
                );
                let price = prices.get(&key).copied().and_then(usd);
                sites.entry(addr.site.clone()).or_default().0.add(price, 1);
            }
        }
    }
    for (addr, entry) in &desired.entries {
        for goal in &entry.goals {
            if matches!(goal.spec, Spec::Machine(_)) {
                let price = goal.price_hour.and_then(usd);
                unpriced += if price.is_none() { goal.count } else { 0 };
                let (_, after) = sites.entry(addr.site.clone()).or_default();
                after.add(price, goal.count);
            }
        }
    }
    let total = |of: fn(&(Tally, Tally)) -> Tally| {
        let all = sites.values().map(of);
        all.fold(Tally::default(), Tally::and).monthly()
    };
    Cost {
        currency: Currency::Usd,
        monthly_before: total(|(before, _)| *before),
        monthly_after: total(|(_, after)| *after),
        unpriced,
        sites: sites
            .into_iter()
            .map(|(site, cost)| (site, site_cost(cost)))
            .collect(),
    }
}

type PriceKey<'a> = (&'a Name, &'a Name, &'a str, CapacityKind);

fn prices(facts: &BTreeMap<Name, SiteFacts>) -> HashMap<PriceKey<'_>, Money> {
    let offers = facts
        .iter()
        .flat_map(|(site, facts)| facts.offers.iter().map(move |offer| (site, offer)));
    offers
        .filter_map(|(site, offer)| {
            let key = (
                site,
                &offer.zone,
                offer.machine_type.as_str(),
                offer.capacity,
            );
            Some((key, offer.price_hour?))
        })
        .collect()
}

fn usd(money: Money) -> Option<Decimal> {
    (money.currency == Currency::Usd).then_some(money.amount)
}

/// What some machines cost.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    sum: Decimal,
    machines: u64,
    priced: u64,
}

impl Tally {
    fn add(&mut self, price: Option<Decimal>, count: u32) {
        self.machines += u64::from(count);
        if let Some(price) = price {
            self.priced += u64::from(count);
            self.sum += price * Decimal::from(HOURS_A_MONTH) * Decimal::from(count);
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            sum: self.sum + other.sum,
            machines: self.machines + other.machines,
            priced: self.priced + other.priced,
        }
    }

    /// No machine costs nothing; machines of which no price is known cost nobody knows what.
    fn monthly(self) -> Option<Decimal> {
        (self.machines == 0 || self.priced > 0).then_some(self.sum)
    }
}

fn site_cost((before, after): (Tally, Tally)) -> SiteCost {
    SiteCost {
        monthly_before: before.monthly(),
        monthly_after: after.monthly(),
    }
}
