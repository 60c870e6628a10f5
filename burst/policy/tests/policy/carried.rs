//! What a machine carries, measured from load and utilisation.

use strat_burst_policy::{Op, Place, Policy, Reading, Record};
use strat_model::CapacityKind;
use strat_model::burst::{BurstPolicy, Signal, SignalKind};

use crate::bench::{Bench, offer, place, steps};

fn dc() -> Place {
    place("dc", CapacityKind::Owned, "0")
}

fn aws() -> Place {
    place("aws", CapacityKind::OnDemand, "0.10")
}

fn measured() -> BurstPolicy {
    let mut settings = BurstPolicy::new("web", 2, 60);
    settings.signals = vec![
        Signal::new("rps", "q", SignalKind::Measured),
        Signal::new("cpu", "q", SignalKind::Utilisation { target: 0.7 }),
    ];
    settings
}

/// What a machine really carries at the target.
fn really(site: &str) -> f64 {
    match site {
        "dc" => 100.0,
        _ => 40.0,
    }
}

/// A minute of a load: how busy the machines are follows from what they really carry.
fn minute(bench: &mut Bench, demand: f64) -> strat_burst_policy::Decision {
    let working = bench
        .inputs
        .machines
        .iter()
        .filter(|one| matches!(one.state, strat_burst_policy::State::Ready { .. }));
    let carry: f64 = working.map(|one| really(&one.place.site)).sum();
    bench.demand(demand);
    bench.signal("cpu", Reading::of(0.7 * demand / carry.max(1.0)));
    bench.step(60)
}

/// A day of load from 200 to 1,400 in whole minutes.
fn load(minute: u32) -> f64 {
    800.0 - 600.0 * (f64::from(minute) / 1440.0 * std::f64::consts::TAU).cos()
}

#[test]
fn each_offer_is_told_apart_by_the_mixes_of_a_day() {
    let offers = vec![offer(&dc(), Some(8), 60), offer(&aws(), None, 120)];
    let mut bench = Bench::new(measured(), offers).with(&dc(), 4);
    for at in 0..2 * 1440 {
        minute(&mut bench, load(at));
    }
    let known = &bench.inputs.history.carried;
    let off = |key: &str, really: f64| (known[key].each / really - 1.0).abs();
    assert!(off("dc/m/owned", 100.0) < 0.05, "{known:?}");
    assert!(off("aws/m/on_demand", 40.0) < 0.10, "{known:?}");
}

/// A crowd that comes within a minute: target tracking sees machines that are full, and no more than that.
/// Where it is known what a machine carries, all that are needed are asked for at once.
#[test]
fn a_crowd_is_met_at_once_by_what_was_learnt() {
    let asked = |settings: BurstPolicy| {
        let offers = vec![offer(&dc(), Some(60), 60)];
        let mut bench = Bench::new(settings, offers).with(&dc(), 4);
        for _ in 0..60 {
            minute(&mut bench, 380.0);
        }
        bench.demand(750.0);
        // They are full: whoever waits is not seen in that.
        bench.signal("cpu", Reading::of(0.75));
        steps(&bench.decide(), Op::Create)
    };
    assert_eq!(asked(measured()), 4, "eight machines of 100 each");
    let mut tracking = measured();
    tracking.signals.remove(0);
    assert_eq!(asked(tracking), 1);
}

/// Until something was learnt, utilisation decides alone; values that say nothing teach nothing; what was
/// learnt is in the record, and decided again to the byte.
#[test]
fn only_what_says_something_is_learnt_and_a_record_has_it() {
    let offers = vec![offer(&dc(), Some(60), 60)];
    let mut bench = Bench::new(measured(), offers).with(&dc(), 4);
    let first = minute(&mut bench, 380.0);
    assert!(!first.signals[0].used && first.signals[1].used, "{first:?}");
    assert_eq!(first.want, 4);
    let known = bench.inputs.history.carried.clone();
    for (demand, busy) in [
        (Reading::Nothing, Reading::of(0.6)),
        (Reading::of(5000.0), Reading::NotANumber),
        (Reading::of(900.0), Reading::of(1.0)),
        (Reading::of(3.0), Reading::of(0.02)),
        (Reading::of(0.0), Reading::of(0.5)),
    ] {
        bench.signal("rps", demand);
        bench.signal("cpu", busy);
        let policy = bench.policy.clone();
        let decision = bench.decide();
        let mut history = bench.inputs.history.clone();
        history.note(&policy, &bench.inputs, &decision);
        assert_eq!(history.carried, known, "{demand:?} {busy:?}");
    }
    for _ in 0..10 {
        minute(&mut bench, 380.0);
    }
    let decision = minute(&mut bench, 380.0);
    assert!(decision.signals[0].used, "{decision:?}");
    let record = Record::of(&bench.policy, &bench.inputs).expect("JSON");
    let text = serde_json::to_string(&record).expect("JSON");
    let read: Record = serde_json::from_str(&text).expect("a record");
    assert_eq!(read.inputs.history.carried, bench.inputs.history.carried);
    read.replay().expect("the same to the byte");
}

/// Letting strong machines go for what weak ones carry too little of would make them anew at once.
#[test]
fn machines_of_two_sizes_do_not_come_and_go() {
    let offers = vec![offer(&dc(), Some(4), 60), offer(&aws(), None, 120)];
    let mut bench = Bench::new(measured(), offers).with(&dc(), 4);
    for at in 0..2 * 1440 {
        minute(&mut bench, load(at));
    }
    for _ in 0..180 {
        minute(&mut bench, 900.0);
    }
    for _ in 0..240 {
        let decision = minute(&mut bench, 900.0);
        assert_eq!(decision.steps, [], "{decision:?}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let refused = |signals: Vec<Signal>| {
        let mut settings = measured();
        settings.signals = signals;
        Policy::new(settings).is_err()
    };
    let all = measured().signals;
    assert!(refused(vec![all[0].clone()]));
    let mut busy = all[1].clone();
    busy.name = "disk".to_owned();
    assert!(refused(vec![all[0].clone(), all[1].clone(), busy]));
    let mut second = all[0].clone();
    second.name = "other".to_owned();
    assert!(refused(vec![all[0].clone(), all[1].clone(), second]));
}
