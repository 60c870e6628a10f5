//! What signals say, good and bad, and that a decision can be made again.

use jiff::SignedDuration;
use strat_burst_policy::{Reading, Record, ReplayError};
use strat_model::CapacityKind;
use strat_model::burst::{Missing, Queue, Signal, SignalKind, Step, WaitGoal};

use crate::bench::{Bench, offers, place, settings};

#[test]
fn each_kind_of_bad_value_is_told_apart_and_holds() {
    let aws = place("aws", CapacityKind::OnDemand, "0.10");
    let mut with = settings(0, 60);
    with.down.after_s = 0;
    with.signals[0].sane = Some((1.0, 5000.0));
    let mut bench = Bench::new(with, offers(0)).with(&aws, 6);
    let state = |bench: &Bench| {
        let decision = bench.decide();
        assert_eq!(decision.steps, [], "{decision:?}");
        assert_eq!(decision.alarms.len(), 1);
        format!("{:?}", decision.signals[0].state)
    };
    assert_eq!(state(&bench), "Missing");
    bench.signal("rps", Reading::Nothing);
    assert_eq!(state(&bench), "Missing");
    bench.demand(f64::NAN);
    assert_eq!(state(&bench), "Nan");
    bench.demand(f64::INFINITY);
    assert_eq!(state(&bench), "Nan");
    bench.demand(0.0);
    assert_eq!(state(&bench), "Insane");
    bench.demand(1e9);
    assert_eq!(state(&bench), "Insane");
    bench.demand(10.0);
    bench.inputs.at += SignedDuration::from_secs(121);
    assert_eq!(state(&bench), "Stale");
    // A clock that went back makes a sample one from the future.
    bench.inputs.at -= SignedDuration::from_secs(242);
    assert_eq!(state(&bench), "Stale");
}

#[test]
fn a_missing_value_may_be_the_most_or_a_number() {
    let aws = place("aws", CapacityKind::OnDemand, "0.10");
    let mut with = settings(0, 60);
    with.up.step = Step::Percent(1000);
    with.signals[0].missing = Missing::Max;
    let bench = Bench::new(with.clone(), offers(0)).with(&aws, 6);
    assert_eq!(bench.decide().want, 60);
    with.signals[0].missing = Missing::Machines(9);
    with.tolerance_percent = 0;
    let bench = Bench::new(with.clone(), offers(0)).with(&aws, 6);
    assert_eq!(bench.decide().want, 9);
    // A number lets none go before the hold is over.
    let mut bench = Bench::new(with, offers(0)).with(&aws, 20);
    bench.inputs.signals.clear();
    let decisions: Vec<_> = (0..60).map(|_| bench.step(60)).collect();
    assert!(decisions.iter().all(|decision| decision.want == 20));
    (0..120).for_each(|_| {
        bench.step(60);
    });
    assert_eq!(bench.have(), 9);
}

#[test]
fn the_wait_of_a_moving_load_counts_those_who_are_still_served() {
    let goal = WaitGoal {
        service_s: 600.0,
        slots: 10,
        queue: Queue::Shared,
        within_s: 60.0,
        share: 0.9,
        variability: 1.0,
        patience_s: None,
    };
    let mut with = settings(0, 1000);
    with.signals = vec![Signal::new("calls", "q", SignalKind::Wait(goal))];
    with.down.after_s = 0;
    let mut bench = Bench::new(with, offers(1000));
    for _ in 0..60 {
        bench.signal("calls", Reading::of(1.0));
        bench.step(60);
    }
    let busy = bench.decide().need;
    // 600 erlangs on 10 slots each.
    assert!((60..70).contains(&busy), "{busy}");
    // Nobody calls any more, but those who did are served for another ten minutes.
    bench.signal("calls", Reading::of(0.0));
    let after = bench.step(60).need;
    assert!((50..=busy).contains(&after), "{after}");
    for _ in 0..60 {
        bench.signal("calls", Reading::of(0.0));
        bench.step(60);
    }
    assert!(bench.decide().need <= 1);
}

#[test]
fn a_decision_is_made_again_to_the_byte() {
    let aws = place("aws", CapacityKind::OnDemand, "0.10");
    let mut bench = Bench::new(settings(1, 60), offers(2)).with(&aws, 3);
    bench.minutes(20, 31.7);
    bench.demand(64.3);
    let record = Record::of(&bench.policy, &bench.inputs).expect("JSON");
    let text = serde_json::to_string(&record).expect("JSON");
    let mut read: Record = serde_json::from_str(&text).expect("a record");
    assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
    read.replay().expect("the same");
    // Whoever changes the decision or the inputs is found out.
    read.decision.want += 1;
    assert!(matches!(read.replay(), Err(ReplayError::Differs { .. })));
    read.decision.want -= 1;
    read.inputs.paused = true;
    assert!(matches!(read.replay(), Err(ReplayError::Changed { .. })));
}
