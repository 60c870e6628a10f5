//! What it costs, what it may cost, and what is moved for it.

use rust_decimal::Decimal;
use strat_model::*;
use strat_planner::*;

use crate::choosing::{fleet, reprice, web};
use crate::common::*;

#[test]
fn a_price_change_moves_nothing_by_itself() {
    let cloud = ["east", "west"].map(name).to_vec();
    let mut intent = fleet(6, |web| {
        web.placement.sites = cloud;
        web.placement.prefer = Preference::Cost;
    });
    let mut facts = facts();
    let world = realise(&place(&intent, &facts, &empty()).expect("a place"));
    reprice(&mut facts, "east", 200);
    assert_eq!(web(&intent, &facts, &world), ["east/a medium on_demand x6"]);
    // West now costs half: it is moved for half the price, and not for more than half.
    intent.machines[0].placement.move_threshold = Some(51);
    assert_eq!(web(&intent, &facts, &world), ["east/a medium on_demand x6"]);
    intent.machines[0].placement.move_threshold = Some(50);
    assert_eq!(
        web(&intent, &facts, &world),
        ["west/w1 medium on_demand x6"]
    );
    let explained = explain(
        &intent,
        &facts,
        &world,
        &local("machines.web"),
        &PlaceOptions::default(),
    )
    .expect("known");
    assert_eq!(
        explained.moved.as_deref(),
        Some("moving saves 50 % of the price, and `move_threshold` is 50 %")
    );
}

fn budget(monthly: &str, sites: &[&str]) -> BudgetIntent {
    BudgetIntent {
        name: name("cap"),
        monthly: monthly.parse().expect("money"),
        sites: sites.iter().map(|site| name(site)).collect(),
        allow_unpriced: false,
        origin: None,
    }
}

fn plan_in(intent: &Intent, facts: &Facts, world: &Inventory) -> Plan {
    let desired = place(intent, facts, world).expect("a place");
    diff(&desired, world, facts, None, &DiffOptions::default())
}

#[test]
fn a_plan_above_its_budget_says_so() {
    // Three at 0.20 an hour are 438 a month.
    let mut intent = fleet(3, |web| web.placement.sites = vec![name("east")]);
    for (monthly, sites, exceeded) in [
        ("438 USD", &[][..], false),
        ("437.99 USD", &[], true),
        ("437.99 USD", &["east"], true),
        ("1 USD", &["west"], false),
    ] {
        intent.budgets = vec![budget(monthly, sites)];
        let plan = plan_in(&intent, &facts(), &empty());
        assert_eq!(
            plan.over_budget().count() == 1,
            exceeded,
            "{monthly} {sites:?}"
        );
    }
}

#[test]
fn a_plan_that_only_lowers_the_cost_is_never_over_budget() {
    let mut intent = fleet(6, |web| web.placement.sites = vec![name("east")]);
    let world = realise(&place(&intent, &facts(), &empty()).expect("a place"));
    intent.budgets = vec![budget("100 USD", &[])];
    intent.machines[0].count = 5;
    assert_eq!(plan_in(&intent, &facts(), &world).over_budget().count(), 0);
    intent.machines[0].count = 7;
    assert_eq!(plan_in(&intent, &facts(), &world).over_budget().count(), 1);
}

#[test]
fn what_costs_nobody_knows_what_is_over_every_budget() {
    let mut facts = facts();
    for offer in &mut facts.get_mut(&name("east")).expect("east").offers {
        offer.price_hour = None;
    }
    let mut intent = fleet(1, |web| web.placement.sites = vec![name("east")]);
    intent.budgets = vec![budget("1000000 USD", &[])];
    assert_eq!(plan_in(&intent, &facts, &empty()).over_budget().count(), 1);
    intent.budgets[0].allow_unpriced = true;
    assert_eq!(plan_in(&intent, &facts, &empty()).over_budget().count(), 0);
    // Our own hardware without a price is paid for.
    let mut owned = fleet(1, |web| web.placement.sites = vec![name("dc1")]);
    owned.budgets = vec![budget("1 USD", &[])];
    assert_eq!(plan_in(&owned, &facts, &empty()).over_budget().count(), 0);
}

#[test]
fn the_cost_has_a_range_over_what_it_may_fall_back_to() {
    let intent = fleet(2, |web| web.placement.sites = vec![name("east")]);
    let cost = plan_in(&intent, &facts(), &empty()).cost;
    let text = |amount: Decimal| amount.normalize().to_string();
    assert_eq!(cost.monthly_after.map(text).as_deref(), Some("292"));
    // Two at 0.40 instead of 0.20, when the medium ones run out.
    let range = cost.fallback.expect("a range");
    assert_eq!(
        (text(range.low), text(range.high)),
        ("292".to_owned(), "584".to_owned())
    );
    // What runs already does not fall back.
    let world = realise(&place(&intent, &facts(), &empty()).expect("a place"));
    assert_eq!(plan_in(&intent, &facts(), &world).cost.fallback, None);
}
