//! Budgets of bursts that cannot pay the fewest machines.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use strat_model::burst::BurstIntent;
use strat_model::{CapacityKind, Currency, Diagnostic, Intent, Inventory, Money, Name, SiteFacts};
use strat_planner::{FleetPlace, fleet_places};

/// The hours of the shortest month: what is too dear then is too dear in every month.
const MONTH_H: u32 = 28 * 24;

/// The budgets that cannot pay what a burst is sure to ask for, by what is known of its fleet's sites. A
/// fleet of which one site is not known may find something cheaper there, so nothing is said of it.
pub(crate) fn unpaid(intent: &Intent, facts: &BTreeMap<Name, SiteFacts>) -> Vec<Diagnostic> {
    let bursts = intent.bursts.iter();
    bursts
        .filter_map(|burst| of(intent, facts, burst))
        .collect()
}

/// The sites whose prices decide whether a burst has a budget that pays.
pub(crate) fn sites_that_matter(intent: &Intent) -> Vec<&Name> {
    let limited = |burst: &&BurstIntent| {
        let cost = &burst.policy.cost;
        cost.hourly.is_some() || cost.monthly.is_some()
    };
    let bursts = intent.bursts.iter().filter(limited);
    let fleets = bursts.filter_map(|burst| {
        let mut machines = intent.machines.iter();
        machines.find(|machine| machine.common.addr == burst.fleet)
    });
    fleets.flat_map(|fleet| &fleet.placement.sites).collect()
}

fn of(
    intent: &Intent,
    facts: &BTreeMap<Name, SiteFacts>,
    burst: &BurstIntent,
) -> Option<Diagnostic> {
    let policy = &burst.policy;
    let mut machines = intent.machines.iter();
    let fleet = machines.find(|machine| machine.common.addr == burst.fleet)?;
    if !fleet
        .placement
        .sites
        .iter()
        .all(|site| facts.contains_key(site))
    {
        return None;
    }
    let places = fleet_places(intent, facts, &Inventory::default(), &burst.fleet);
    let least = (format!("{}", burst.fleet), policy.min);
    let windows = policy.windows.iter();
    let windows = windows.map(|window| (format!("the window `{}`", window.name), window.min));
    for (who, count) in std::iter::once(least).chain(windows) {
        let Some(hour) = cheapest(&places, count) else {
            continue;
        };
        // A window need not last for a month.
        let always = count == policy.min;
        let month = hour * Decimal::from(MONTH_H);
        let limits = [
            ("hourly", policy.cost.hourly, hour, "hour"),
            (
                "monthly",
                policy.cost.monthly.filter(|_| always),
                month,
                "month",
            ),
        ];
        let too_dear = |limit: &Option<Money>, cost: Decimal| {
            limit.filter(|limit| limit.currency == Currency::Usd && limit.amount < cost)
        };
        for (setting, limit, cost, time) in limits {
            let Some(limit) = too_dear(&limit, cost) else {
                continue;
            };
            let cost = cost.round_dp(2).normalize();
            let message = format!(
                "`burst.{}` may cost {limit} in an {time}, and the {count} machines that {who} asks for cost {cost} USD at least",
                policy.name
            );
            let message = message.replace("an month", "a month");
            let help = format!("raise `{setting}` in its `cost`, or ask for fewer machines");
            let finding = Diagnostic::error("unpaid_min", message)
                .at(burst.origin.as_ref(), "cannot be paid")
                .help(help);
            return Some(finding);
        }
    }
    None
}

/// What so many machines cost in an hour where they are cheapest, in US dollars; `None` where the price of
/// nothing is known, or there is no room for so many.
fn cheapest(places: &[FleetPlace], count: u32) -> Option<Decimal> {
    let price = |place: &FleetPlace| {
        let usd = place
            .price_hour
            .filter(|price| price.currency == Currency::Usd);
        let owned = place.capacity == CapacityKind::Owned;
        usd.map(|price| price.amount)
            .or(owned.then_some(Decimal::ZERO))
    };
    let mut priced: Vec<(Decimal, u32)> = places
        .iter()
        .filter_map(|place| Some((price(place)?, place.room.unwrap_or(u32::MAX))))
        .collect();
    priced.sort();
    let (mut left, mut hour) = (count, Decimal::ZERO);
    for (price, room) in priced {
        let here = left.min(room);
        hour += price * Decimal::from(here);
        left -= here;
    }
    (left == 0).then_some(hour)
}
