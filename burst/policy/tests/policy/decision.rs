//! What is decided, step by step, in the order of the design.

use crate::bench::{Bench, limited, offer, offers, place, settings, start, steps};
use jiff::SignedDuration;
use strat_burst_policy::{Action, BatchMachine, Op, State};
use strat_model::CapacityKind;
use strat_model::burst::{BurstClass, LostThen, Overdue, Step, Window, WindowStart, Zone};

#[test]
fn owned_hardware_is_filled_before_anything_is_bought() {
    let dc = place("dc", CapacityKind::Owned, "0");
    let mut bench = Bench::new(settings(2, 60), offers(4)).with(&dc, 2);
    bench.demand(20.0);
    assert_eq!(bench.step(60).action, Action::None);
    bench.demand(70.0);
    // The room was 4, of which 2 are used; a step doubles at most.
    let decision = bench.step(60);
    assert_eq!((decision.need, decision.want), (7, 4));
    assert!(limited(&decision, "up.step"));
    assert_eq!(bench.at_site("dc"), 4);
    bench.demand(70.0);
    let decision = bench.step(60);
    assert_eq!(decision.want, 7);
    assert_eq!((bench.at_site("dc"), bench.at_site("aws")), (4, 3));
    assert_eq!(decision.cost.hour_after.to_string(), "0.30");
    // What is on its way is not asked for again.
    bench.demand(70.0);
    assert_eq!(bench.step(60).action, Action::None);
}

#[test]
fn the_fleet_shrinks_by_steps_and_comes_home() {
    let (dc, aws) = (
        place("dc", CapacityKind::Owned, "0"),
        place("aws", CapacityKind::OnDemand, "0.10"),
    );
    let mut bench = Bench::new(settings(2, 60), offers(4))
        .with(&dc, 4)
        .with(&aws, 6);
    bench.minutes(20, 100.0);
    let decisions = bench.minutes(120, 20.0);
    // The last high value has to be 15 minutes ago, then at most three of ten go each 15 minutes.
    let first = decisions.iter().position(|d| d.action == Action::Down);
    assert_eq!(first, Some(14));
    for decision in &decisions {
        assert!(steps(decision, Op::Drain) <= 3);
        let drained = decision.steps.iter().filter(|step| step.op == Op::Drain);
        let dear = drained.clone().all(|step| step.site == "aws");
        // The bought ones go before any of our own.
        assert!(dear || bench.at_site("aws") == 0, "{drained:?}");
    }
    assert_eq!(bench.at_site("aws"), 0);
    bench.minutes(120, 20.0);
    assert_eq!((bench.at_site("dc"), bench.have()), (2, 2));
}

/// Where rounds take longer than their interval, or are run once in a while, what was needed is known all the
/// same: a fleet that never shrinks costs money for nothing. A break that is unlike the rest is one.
#[test]
fn rounds_that_take_long_or_are_few_shrink_the_fleet_too() {
    let aws = place("aws", CapacityKind::OnDemand, "0.10");
    for (interval_s, after_s, apart_s) in [(1, 3, 10), (1, 60, 10), (60, 900, 900), (60, 60, 240)] {
        let mut with = settings(2, 60);
        with.interval_s = interval_s;
        with.down.after_s = after_s;
        with.down.min_age_s = 0;
        let fleet = || Bench::new(with.clone(), offers(0)).with(&aws, 6);
        let mut bench = fleet();
        for _ in 0..6 {
            bench.demand(60.0);
            bench.step(apart_s);
        }
        bench.demand(40.0);
        let first = bench.step(apart_s);
        assert_eq!(steps(&first, Op::Drain), 0, "one low value is not enough");
        let rounds = i64::try_from(after_s).expect("a time") / apart_s + 3;
        let mut told = 0;
        for _ in 0..rounds {
            bench.demand(40.0);
            told += steps(&bench.step(apart_s), Op::Drain);
        }
        assert!(told > 0, "{interval_s} {after_s} {apart_s}");
        // After a break nobody knows what was needed meanwhile.
        let mut bench = fleet();
        for _ in 0..20 {
            bench.demand(60.0);
            bench.step(apart_s);
        }
        bench.pass(40 * apart_s);
        bench.demand(40.0);
        assert_eq!(steps(&bench.step(apart_s), Op::Drain), 0, "{apart_s}");
    }
}

#[test]
fn machines_that_drain_are_taken_back_before_any_is_bought() {
    let aws = place("aws", CapacityKind::OnDemand, "0.10");
    let mut bench = Bench::new(settings(0, 60), offers(0)).with(&aws, 8);
    let since = bench.inputs.at - SignedDuration::from_secs(30);
    for machine in bench.inputs.machines.iter_mut().take(3) {
        machine.state = State::Draining { since, done: false };
    }
    bench.demand(90.0);
    let decision = bench.decide();
    assert_eq!(steps(&decision, Op::Resume), 3);
    assert_eq!(steps(&decision, Op::Create), 1);
}

#[test]
fn a_pause_does_nothing_and_says_so() {
    let mut bench = Bench::new(settings(0, 60), offers(4));
    bench.inputs.paused = true;
    bench.demand(30.0);
    let decision = bench.decide();
    assert_eq!(decision.action, Action::Hold);
    assert_eq!(decision.steps, []);
    assert!(limited(&decision, "pause"));
}

#[test]
fn a_window_asks_for_machines_before_it_opens() {
    let mut with = settings(1, 60);
    with.windows = vec![Window {
        name: "sale".to_owned(),
        from: WindowStart::At("2026-11-30T09:00".parse().expect("local")),
        for_s: 3600,
        tz: Zone::new("UTC").expect("a zone"),
        min: 20,
    }];
    let mut bench = Bench::new(with, offers(60));
    // The slowest offer boots in 180 s, and the next decision is 60 s away.
    bench.inputs.at = "2026-11-30T08:55:59Z".parse().expect("a time");
    bench.demand(5.0);
    assert_eq!(bench.decide().want, 1);
    bench.inputs.at = "2026-11-30T08:56:00Z".parse().expect("a time");
    bench.demand(5.0);
    let decision = bench.decide();
    assert_eq!(
        (decision.want, decision.decided_by.as_str()),
        (20, "window sale")
    );
    assert_eq!(steps(&decision, Op::Create), 20);
}

#[test]
fn what_cannot_be_paid_is_not_made_and_nothing_is_deleted_for_it() {
    let aws = place("aws", CapacityKind::OnDemand, "0.10");
    let mut with = settings(0, 100);
    with.cost.hourly = Some("1.00 USD".parse().expect("money"));
    let mut bench = Bench::new(with.clone(), offers(0)).with(&aws, 8);
    bench.demand(150.0);
    let decision = bench.decide();
    assert_eq!(steps(&decision, Op::Create), 2);
    assert!(limited(&decision, "budget"));
    assert_eq!(decision.cost.hour_after.to_string(), "1.00");
    // More than can be paid runs already, by a limit that was lowered: they stay.
    with.cost.hourly = Some("0.10 USD".parse().expect("money"));
    let mut bench = Bench::new(with.clone(), offers(0)).with(&aws, 8);
    bench.demand(150.0);
    assert_eq!(bench.decide().steps, []);
    // The month: 0.9 hours of nothing are left of it.
    with.cost.hourly = None;
    with.cost.monthly = Some("100 USD".parse().expect("money"));
    let mut bench = Bench::new(with, offers(0)).with(&aws, 8);
    bench.inputs.spent.month_to_date = "98.9".parse().expect("a number");
    bench.demand(150.0);
    let decision = bench.decide();
    assert_eq!(steps(&decision, Op::Create), 2, "{decision:?}");
    // A machine on our own hardware costs nothing, and may be had all the same.
    bench.inputs.offers = offers(5);
    assert_eq!(steps(&bench.decide(), Op::Create), 7);
}

#[test]
fn batch_gives_way_before_money_is_spent() {
    let dc = place("dc", CapacityKind::Owned, "0");
    let batch = |id: &str, priority, hours, grace_s| BatchMachine {
        id: id.to_owned(),
        site: "dc".to_owned(),
        zone: "dc-a".to_owned(),
        priority,
        made: start() - SignedDuration::from_hours(hours),
        grace_s,
        giving_way: None,
    };
    let mut with = settings(2, 60);
    with.priority = 100;
    let mut bench = Bench::new(with.clone(), offers(2)).with(&dc, 2);
    bench.inputs.batch = vec![
        batch("b1", 10, 5, 60),
        batch("b2", 10, 1, 60),
        batch("b3", 50, 1, 60),
        batch("b4", 100, 1, 60),
    ];
    bench.demand(40.0);
    let decision = bench.step(60);
    let step = decision.steps.first().expect("a step");
    // The least important, and of those the youngest; nothing is bought.
    assert_eq!(
        (step.op, &step.ids[..]),
        (Op::Preempt, &["b2".to_owned(), "b1".to_owned()][..])
    );
    assert_eq!(steps(&decision, Op::Create), 0);
    // While they leave, nobody else is asked; when they have left, their room is used.
    bench.demand(40.0);
    assert_eq!(bench.step(60).steps, []);
    bench
        .inputs
        .batch
        .retain(|batch| batch.giving_way.is_none());
    bench.inputs.offers[0].room = Some(2);
    bench.demand(40.0);
    bench.step(60);
    assert_eq!(bench.at_site("dc"), 4);
    // One that is as important does not give way, and the cloud fills in.
    bench.demand(80.0);
    let decision = bench.step(60);
    assert_eq!(steps(&decision, Op::Preempt), 1);
    assert_eq!(steps(&decision, Op::Create), 3);
    // A batch burst takes nobody's place.
    with.class = BurstClass::Batch;
    let mut bench = Bench::new(with, offers(2)).with(&dc, 2);
    bench.inputs.batch = vec![batch("b1", 10, 5, 60)];
    bench.demand(40.0);
    assert_eq!(steps(&bench.decide(), Op::Preempt), 0);
}

#[test]
fn where_the_grace_is_longer_than_a_boot_clouds_start_beside() {
    let dc = place("dc", CapacityKind::Owned, "0");
    let mut with = settings(2, 60);
    with.priority = 100;
    let mut bench = Bench::new(with, offers(2)).with(&dc, 2);
    bench.inputs.batch = vec![BatchMachine {
        id: "b1".to_owned(),
        site: "dc".to_owned(),
        zone: "dc-a".to_owned(),
        priority: 0,
        made: start(),
        grace_s: 900,
        giving_way: None,
    }];
    bench.demand(30.0);
    let decision = bench.step(60);
    assert_eq!(steps(&decision, Op::Preempt), 1);
    assert_eq!(steps(&decision, Op::Create), 1);
    // Its place is free later: the bought machine comes home, and no number changes on the way.
    bench.minutes(14, 30.0);
    bench.inputs.batch.clear();
    bench.inputs.offers[0].room = Some(1);
    let decisions = bench.minutes(10, 30.0);
    assert_eq!(steps(&decisions[0], Op::Create), 1, "{:?}", decisions[0]);
    assert!(
        decisions
            .iter()
            .all(|decision| decision.inventory.ready >= 3)
    );
    assert_eq!((bench.at_site("dc"), bench.at_site("aws")), (3, 0));
    assert_eq!(bench.inputs.history.moving, 0);
}

#[test]
fn a_move_that_does_not_pay_is_not_made() {
    let (dc, aws) = (
        place("dc", CapacityKind::Owned, "0.099"),
        place("aws", CapacityKind::OnDemand, "0.10"),
    );
    let mut bench = Bench::new(settings(0, 60), vec![offer(&dc, Some(9), 120)]).with(&aws, 3);
    bench.demand(30.0);
    assert_eq!(bench.decide().steps, []);
}

#[test]
fn victims_go_in_order() {
    let (dc, aws, spot) = (
        place("dc", CapacityKind::Owned, "0"),
        place("aws", CapacityKind::OnDemand, "0.10"),
        place("aws", CapacityKind::Spot, "0.03"),
    );
    let mut with = settings(0, 60);
    with.down.after_s = 0;
    with.down.step = Step::Percent(100);
    let mut bench = Bench::new(with, Vec::new())
        .with(&dc, 2)
        .with(&spot, 2)
        .with(&aws, 2);
    bench.inputs.machines[0].healthy = false;
    bench.demand(30.0);
    let decision = bench.decide();
    let ids: Vec<&str> = decision
        .steps
        .iter()
        .flat_map(|s| &s.ids)
        .map(String::as_str)
        .collect();
    // The one that does not work, then the dearest.
    assert_eq!(ids, ["i-00001", "i-00005", "i-00006"]);
    // Young ones stay, whatever they cost.
    for machine in &mut bench.inputs.machines[4..] {
        machine.made = bench.inputs.at;
    }
    let decision = bench.decide();
    let ids: Vec<&str> = decision
        .steps
        .iter()
        .flat_map(|s| &s.ids)
        .map(String::as_str)
        .collect();
    assert_eq!(ids, ["i-00001", "i-00003", "i-00004"]);
    // Of equals, the one in the fuller zone; and of those the one that has used most of its hour.
    bench.inputs.machines.truncate(4);
    bench.inputs.machines.drain(..2);
    bench.add(
        &spot,
        State::Ready { warm: true },
        start() - SignedDuration::from_mins(110),
    );
    for machine in &mut bench.inputs.machines {
        machine.place.billed_s = 3600;
    }
    bench.inputs.machines[0].place.zone = "aws-b".to_owned();
    bench.demand(20.0);
    let ids = bench.decide().steps[0].ids.clone();
    assert_eq!(ids, ["i-00007"]);
}

#[test]
fn no_more_than_half_goes_within_an_hour() {
    let aws = place("aws", CapacityKind::OnDemand, "0.10");
    let mut with = settings(0, 60);
    with.down.after_s = 60;
    with.down.step = Step::Percent(100);
    with.down.at_once = 100;
    let mut bench = Bench::new(with, offers(0)).with(&aws, 40);
    bench.minutes(5, 400.0);
    let decisions = bench.minutes(50, 0.0);
    let gone: u32 = decisions
        .iter()
        .map(|decision| steps(decision, Op::Drain))
        .sum();
    assert_eq!(gone, 20);
    assert!(decisions.iter().any(|decision| limited(decision, "brake")));
    bench.minutes(60, 0.0);
    assert_eq!(bench.have(), 10);
}

#[test]
fn a_site_that_is_not_seen_loses_nothing() {
    let (dc, aws) = (
        place("dc", CapacityKind::Owned, "0"),
        place("aws", CapacityKind::OnDemand, "0.10"),
    );
    let mut with = settings(0, 60);
    with.down.after_s = 0;
    let mut bench = Bench::new(with.clone(), offers(9))
        .with(&dc, 5)
        .with(&aws, 5);
    bench
        .inputs
        .unseen
        .insert("aws".to_owned(), bench.inputs.at);
    bench.demand(10.0);
    let decision = bench.decide();
    assert_eq!(decision.steps, []);
    assert!(limited(&decision, "unseen"));
    assert_eq!(decision.inventory.unseen, 5);
    // They count as running; nothing is made for them either, nor asked of that site.
    bench.demand(120.0);
    let decision = bench.decide();
    assert_eq!(steps(&decision, Op::Create), 2);
    assert!(decision.steps.iter().all(|step| step.site == "dc"));
    // Unless the topology says that they are to be replaced, after a time.
    with.lost.then = LostThen::Replace;
    let mut bench = Bench::new(with, offers(20)).with(&dc, 5).with(&aws, 5);
    bench
        .inputs
        .unseen
        .insert("aws".to_owned(), bench.inputs.at);
    bench.minutes(3, 100.0);
    assert_eq!(bench.at_site("dc"), 5);
    let decision = bench.minutes(1, 100.0).remove(0);
    assert_eq!(steps(&decision, Op::Create), 5);
    assert_eq!(
        steps(&decision, Op::Drain) + steps(&decision, Op::Release),
        0
    );
}

#[test]
fn what_drains_too_long_is_kept_or_goes_as_was_said() {
    let aws = place("aws", CapacityKind::OnDemand, "0.10");
    for (overdue, goes) in [(Overdue::Keep, 0), (Overdue::Delete, 1)] {
        let mut with = settings(1, 60);
        with.drain.overdue = overdue;
        let mut bench = Bench::new(with, offers(0)).with(&aws, 2);
        let since = bench.inputs.at - SignedDuration::from_mins(6);
        bench.inputs.machines[0].state = State::Draining { since, done: false };
        bench.demand(10.0);
        let decision = bench.decide();
        assert_eq!(steps(&decision, Op::Release), goes);
        assert_eq!(decision.alarms.is_empty(), overdue == Overdue::Delete);
    }
}
