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
    let mut sites: BTreeMap<Name, SiteCost> = BTreeMap::new();
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
                let cost = sites.entry(addr.site.clone()).or_default();
                add(&mut cost.monthly_before, price, 1);
            }
        }
    }
    for (addr, entry) in &desired.entries {
        for goal in &entry.goals {
            if matches!(goal.spec, Spec::Machine(_)) {
                let price = goal.price_hour.and_then(usd);
                unpriced += if price.is_none() { goal.count } else { 0 };
                let cost = sites.entry(addr.site.clone()).or_default();
                add(&mut cost.monthly_after, price, goal.count);
            }
        }
    }
    let total = |of: fn(&SiteCost) -> Option<Decimal>| {
        let known: Vec<_> = sites.values().filter_map(of).collect();
        (!known.is_empty()).then(|| known.into_iter().sum())
    };
    Cost {
        currency: Currency::Usd,
        monthly_before: total(|cost| cost.monthly_before),
        monthly_after: total(|cost| cost.monthly_after),
        unpriced,
        sites,
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

fn add(sum: &mut Option<Decimal>, price: Option<Decimal>, count: u32) {
    if let Some(price) = price {
        *sum.get_or_insert(Decimal::ZERO) +=
            price * Decimal::from(HOURS_A_MONTH) * Decimal::from(count);
    }
}
