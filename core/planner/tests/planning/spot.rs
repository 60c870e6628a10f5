//! Capacity that is bought as spot.

use rust_decimal::Decimal;
use strat_model::*;
use strat_planner::*;

use crate::choosing::{fleet, goals, web};
use crate::common::*;

fn with_spot(mut facts: Facts, site: &str) -> Facts {
    let offers = &mut facts.get_mut(&name(site)).expect("site").offers;
    let spot: Vec<Offer> = offers
        .iter()
        .map(|offer| Offer {
            capacity: CapacityKind::Spot,
            price_hour: offer
                .price_hour
                .map(|price| Money::usd(price.amount / Decimal::from(4))),
            ..offer.clone()
        })
        .collect();
    offers.extend(spot);
    facts
}

#[test]
fn spot_is_used_up_to_its_share_above_the_base() {
    let facts = with_spot(facts(), "east");
    let mut intent = fleet(10, |web| {
        web.placement.sites = vec![name("east")];
        web.placement.spot = SpotIntent {
            on_demand_base: 4,
            share_percent: 50,
        };
    });
    let before = place(&intent, &facts, &empty()).expect("a place");
    assert_eq!(
        goals(&before, "machines.web"),
        ["east/a medium on_demand x7", "east/a medium spot x3"]
    );
    // All of it stays, and a smaller share gives up what is too much.
    let world = realise(&before);
    assert_eq!(web(&intent, &facts, &world).len(), 2);
    intent.machines[0].placement.spot.share_percent = 20;
    assert_eq!(
        web(&intent, &facts, &world),
        ["east/a medium on_demand x9", "east/a medium spot x1"]
    );
    let desired = place(&intent, &facts, &world).expect("a place");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    let actions: Vec<_> = plan.changes.iter().map(|c| (c.action, c.count)).collect();
    assert_eq!(actions, [(Action::Replace, 2)], "{:#?}", plan.changes);
}

/// Some clouds count what is bought as spot apart: then neither takes of the other's quota, in what stays
/// and in what is made.
#[test]
fn spot_takes_nothing_of_the_quota_on_demand_where_it_is_counted_apart() {
    let mut facts = with_spot(facts(), "east");
    let mut intent = fleet(10, |web| {
        web.placement.sites = vec![name("east")];
        web.placement.spot = SpotIntent {
            on_demand_base: 4,
            share_percent: 50,
        };
    });
    let east = facts.get_mut("east").expect("east");
    let spot = east.offers.iter_mut();
    spot.filter(|offer| offer.capacity == CapacityKind::Spot)
        .for_each(|offer| offer.family = "std-spot".to_owned());
    let cpu = |machines: u64| {
        let mut medium = east.offers.iter();
        let medium = medium.find(|offer| offer.machine_type == "medium");
        machines * u64::from(medium.expect("a medium").cpu)
    };
    let quota = |family: &str, limit: u64, used: u64| Quota {
        family: Some(family.to_owned()),
        cpu_limit: cpu(limit),
        cpu_used: cpu(used),
    };
    let quotas = [(0, 0), (7, 3)]
        .map(|(demand, spot)| vec![quota("std", 8, demand), quota("std-spot", 3, spot)]);
    let [none, all] = quotas;
    facts.get_mut("east").expect("east").quotas = none;
    let before = place(&intent, &facts, &empty()).expect("a place");
    let lines = ["east/a medium on_demand x7", "east/a medium spot x3"];
    assert_eq!(goals(&before, "machines.web"), lines);
    // All of it stays where both are used up, and one more is no more spot.
    let world = realise(&before);
    facts.get_mut("east").expect("east").quotas = all;
    assert_eq!(web(&intent, &facts, &world), lines);
    intent.machines[0].count = 11;
    let more = ["east/a medium on_demand x8", "east/a medium spot x3"];
    assert_eq!(web(&intent, &facts, &world), more);
}
