//! What machines cost a month.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rustc_hash::FxHashMap;
use strat_model::{BudgetIntent, CapacityKind, Currency, Money, Name, SiteFacts, Spec};

use crate::bill::{BudgetState, Cost, CostRange, SiteCost};
use crate::{Desired, InventoryIndex};

/// Hours of a month, as the clouds' own calculators count (8,760 a year / 12).
pub const HOURS_A_MONTH: u32 = 730;

/// The cost of what is and of what is to be. Only amounts in US dollars are added up; other
/// currencies count as unpriced.
pub(crate) fn cost(
    desired: &Desired,
    index: &InventoryIndex<'_>,
    facts: &BTreeMap<Name, SiteFacts>,
) -> Cost {
    let mut sites: BTreeMap<Name, (Tally, Tally)> = BTreeMap::new();
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
                let (before, _) = sites.entry(addr.site.clone()).or_default();
                before.add(price, spec.capacity, 1);
            }
        }
    }
    for (addr, entry) in &desired.entries {
        for goal in &entry.goals {
            if let Spec::Machine(spec) = &goal.spec {
                let price = goal.price_hour.and_then(usd);
                let (_, after) = sites.entry(addr.site.clone()).or_default();
                after.add(price, spec.capacity, goal.count);
            }
        }
    }
    let total = |of: fn(&(Tally, Tally)) -> Tally| {
        let all = sites.values().map(of);
        all.fold(Tally::default(), Tally::and)
    };
    let (before, after) = (total(|(before, _)| *before), total(|(_, after)| *after));
    let budgets = desired.budgets.iter();
    Cost {
        currency: Currency::Usd,
        monthly_before: before.monthly(),
        monthly_after: after.monthly(),
        unpriced: u32::try_from(after.machines - after.priced).unwrap_or(u32::MAX),
        fallback: after.monthly().and_then(|now| range(now, desired.fallback)),
        gap: desired.gap,
        budgets: budgets.map(|budget| state(budget, &sites)).collect(),
        sites: sites
            .into_iter()
            .map(|(site, cost)| (site, site_cost(cost)))
            .collect(),
    }
}

/// What a month may come to; `None` where there is only one possibility.
fn range(now: Decimal, (lower, higher): (Decimal, Decimal)) -> Option<CostRange> {
    let month = Decimal::from(HOURS_A_MONTH);
    let varies = !(lower.is_zero() && higher.is_zero());
    varies.then(|| CostRange {
        low: now - lower * month,
        high: now + higher * month,
    })
}

/// How a budget stands. What only lowers the cost is never refused, nor what leaves it as it is.
fn state(budget: &BudgetIntent, sites: &BTreeMap<Name, (Tally, Tally)>) -> BudgetState {
    let counted = |site: &Name| budget.sites.is_empty() || budget.sites.contains(site);
    let mut before = Tally::default();
    let mut after = Tally::default();
    for (_, (was, is)) in sites.iter().filter(|(site, _)| counted(site)) {
        before = before.and(*was);
        after = after.and(*is);
    }
    let unpriced = if budget.allow_unpriced {
        0
    } else {
        after.unknown()
    };
    let more_unknown = !budget.allow_unpriced && after.unknown() > before.unknown();
    BudgetState {
        name: budget.name.clone(),
        sites: budget.sites.clone(),
        monthly: budget.monthly.amount,
        before: before.sum,
        after: after.sum,
        unpriced: u32::try_from(unpriced).unwrap_or(u32::MAX),
        allow_unpriced: budget.allow_unpriced,
        exceeded: more_unknown || (after.sum > budget.monthly.amount && after.sum > before.sum),
        origin: budget.origin.clone(),
    }
}

type PriceKey<'a> = (&'a Name, &'a Name, &'a str, CapacityKind);

fn prices(facts: &BTreeMap<Name, SiteFacts>) -> FxHashMap<PriceKey<'_>, Money> {
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
    /// Our own hardware without a price: it is paid for.
    paid: u64,
}

impl Tally {
    fn add(&mut self, price: Option<Decimal>, capacity: CapacityKind, count: u32) {
        self.machines += u64::from(count);
        match price {
            Some(price) => {
                self.priced += u64::from(count);
                self.sum += price * Decimal::from(HOURS_A_MONTH) * Decimal::from(count);
            }
            None if capacity == CapacityKind::Owned => self.paid += u64::from(count),
            None => {}
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            sum: self.sum + other.sum,
            machines: self.machines + other.machines,
            priced: self.priced + other.priced,
            paid: self.paid + other.paid,
        }
    }

    /// Machines that cost nobody knows what.
    const fn unknown(self) -> u64 {
        self.machines - self.priced - self.paid
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
