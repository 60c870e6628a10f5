//! A loss that is survived: whichever site is lost, as many machines as are needed are left.

use proptest::prelude::*;
use strat_burst_policy::{Decision, Op, Place};
use strat_model::CapacityKind;
use strat_model::burst::{BurstPolicy, Step, Survive};

use crate::bench::{Bench, limited, offer, place, settings, steps};

fn dc() -> Place {
    place("dc", CapacityKind::Owned, "0")
}

fn cloud(site: &str, usd: &str) -> Place {
    place(site, CapacityKind::OnDemand, usd)
}

/// A burst of machines that carry 10 each, any one site of which may be lost.
fn surviving(min: u32, max: u32) -> BurstPolicy {
    let mut settings = settings(min, max);
    settings.survive = Some(Survive::Site);
    settings.up.step = Step::Machines(60);
    settings.down.step = Step::Percent(100);
    settings
}

/// How many are left where the fullest site is lost.
fn left(decision: &Decision) -> u32 {
    let sites = &decision.inventory.by_site;
    let all: u32 = sites.values().sum();
    all - sites.values().max().copied().unwrap_or(0)
}

fn three_sites() -> Bench {
    let offers = vec![
        offer(&dc(), Some(8), 60),
        offer(&cloud("aws", "0.10"), None, 120),
        offer(&cloud("gcp", "0.12"), None, 120),
    ];
    Bench::new(surviving(2, 60), offers)
}

#[test]
fn whichever_site_is_lost_as_many_as_are_needed_are_left() {
    let mut bench = three_sites();
    bench.minutes(10, 40.0);
    let decision = bench.decide();
    assert_eq!(left(&decision), 4, "{decision:?}");
    // Two at each: four would be needed at each of two.
    assert_eq!(decision.inventory.have(), 6);
    // It is lost, and what is left carries the load; the rest comes where it can.
    bench.inputs.machines.retain(|one| one.place.site != "gcp");
    bench.inputs.offers.retain(|one| one.place.site != "gcp");
    bench.demand(40.0);
    let decision = bench.step(60);
    assert_eq!(decision.inventory.have(), 4);
    bench.minutes(10, 40.0);
    let decision = bench.decide();
    assert_eq!((left(&decision), decision.inventory.have()), (4, 8));
}

#[test]
fn on_the_way_down_what_is_dear_goes_first_and_the_loss_stays_survived() {
    let mut bench = three_sites();
    bench.minutes(10, 160.0);
    assert_eq!(left(&bench.decide()), 16);
    for decision in bench.minutes(5 * 60, 40.0) {
        assert!(left(&decision) >= 4, "{decision:?}");
    }
    let decision = bench.decide();
    // Four at home and at the cheaper cloud cost less than two at each.
    assert_eq!(
        (left(&decision), decision.inventory.have()),
        (4, 8),
        "{decision:?}"
    );
    assert_eq!(decision.cost.hour_after.to_string(), "0.40");
    for decision in bench.minutes(60, 40.0) {
        assert_eq!(decision.steps, [], "settled is settled");
    }
}

/// A site that is full, or the only one: what is needed is there all the same, and what a loss would mean is
/// told.
#[test]
fn where_it_cannot_be_what_is_needed_is_there_and_the_risk_is_told() {
    let only = vec![offer(&cloud("aws", "0.10"), None, 120)];
    let mut bench = Bench::new(surviving(0, 60), only);
    bench.minutes(10, 40.0);
    let decision = bench.decide();
    assert_eq!(decision.inventory.have(), 4);
    assert!(limited(&decision, "survive"), "{decision:?}");
    let told = "if aws were lost, 0 machines would be left, and 4 are needed";
    assert_eq!(decision.alarms, [told]);
    assert_eq!(decision.steps, []);
    // The budget is stronger.
    let mut settings = surviving(0, 60);
    settings.cost.hourly = Some("0.30 USD".parse().expect("money"));
    let offers = vec![
        offer(&dc(), Some(8), 60),
        offer(&cloud("aws", "0.10"), None, 120),
    ];
    let mut bench = Bench::new(settings, offers);
    bench.minutes(10, 40.0);
    let decision = bench.decide();
    assert_eq!((bench.at_site("aws"), bench.at_site("dc")), (3, 3));
    assert!(limited(&decision, "budget"), "{decision:?}");
}

#[test]
fn zones_of_one_site_are_survived_like_sites() {
    let mut settings = surviving(0, 60);
    settings.survive = Some(Survive::Zone);
    let zone = |zone: &str| Place {
        zone: zone.to_owned(),
        ..cloud("aws", "0.10")
    };
    let offers = ["a", "b", "c"].map(|name| offer(&zone(name), None, 60));
    let mut bench = Bench::new(settings, offers.to_vec());
    bench.demand(60.0);
    let decision = bench.decide();
    let counts: Vec<u32> = decision.steps.iter().map(|step| step.count).collect();
    assert_eq!(
        (steps(&decision, Op::Create), &counts[..]),
        (9, &[3, 3, 3][..])
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever loads came by: nothing that is let go leaves too few after a loss, `max` and the budget are
    /// kept, and in the end a loss is survived with no machine more than that takes.
    #[test]
    fn loads_come_and_go_and_the_loss_stays_survived(
        loads in prop::collection::vec(0.0..200.0_f64, 5..15),
        owned in 0..12_u32,
        last in 0.0..150.0_f64,
    ) {
        let mut bench = three_sites();
        bench.inputs.offers[0].room = Some(owned);
        for load in &loads {
            let before = bench.decide();
            for decision in bench.minutes(7, *load) {
                let counts = &decision.inventory;
                prop_assert!(counts.have() + steps(&decision, Op::Create) <= 60);
                let down = steps(&decision, Op::Drain);
                if down > 0 {
                    let mut sites = counts.by_site.clone();
                    for step in decision.steps.iter().filter(|step| step.op == Op::Drain) {
                        *sites.get_mut(&step.site).expect("a site") -= step.count;
                    }
                    // What drains is counted by site, too, so that this is a bound from above.
                    let all: u32 = sites.values().sum();
                    prop_assert!(all >= decision.want, "{before:?} {decision:?}");
                }
            }
        }
        bench.minutes(5 * 60, last);
        let decision = bench.decide();
        let sites = &decision.inventory.by_site;
        prop_assert!(left(&decision) >= decision.want, "{decision:?}");
        prop_assert!(decision.steps.is_empty(), "{decision:?}");
        // No site has more than it takes: one less at the fullest leaves too few, or as many as elsewhere.
        let most = sites.values().max().copied().unwrap_or(0);
        let fullest = sites.values().filter(|count| **count == most).count();
        prop_assert!(fullest > 1 || most <= 1, "{decision:?}");
    }
}
