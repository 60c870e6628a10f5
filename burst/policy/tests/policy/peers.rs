//! What went wrong with others, as they told it in their trackers: one test for each.

use jiff::SignedDuration;
use strat_burst_policy::{Action, Op, RanOut, Reading, State};
use strat_model::CapacityKind;
use strat_model::burst::{Cron, Missing, Signal, SignalKind, Window, WindowStart, Zone};

use crate::bench::{Bench, limited, offer, offers, place, settings, steps};

fn aws() -> strat_burst_policy::Place {
    place("aws", CapacityKind::OnDemand, "0.10")
}

/// kedacore/keda 2244: the metrics API timed out, and the deployment went to 0.
#[test]
fn keda_2244_no_answer_is_not_zero() {
    let mut bench = Bench::new(settings(0, 8), offers(0)).with(&aws(), 5);
    bench.minutes(30, 50.0);
    for _ in 0..24 * 60 {
        bench.signal("rps", Reading::Nothing);
        let decision = bench.step(60);
        assert_eq!(decision.steps, []);
        assert_eq!(decision.alarms.len(), 1);
    }
    assert_eq!(bench.have(), 5);
}

/// kedacore/keda 7239 and 7411: with 0 replicas the fallback was never looked at, and stayed there.
#[test]
fn keda_7239_and_7411_the_number_for_missing_values_counts_at_zero_too() {
    let mut with = settings(0, 6);
    with.signals[0].missing = Missing::Machines(2);
    let mut bench = Bench::new(with, offers(0));
    bench.step(60);
    bench.step(60);
    assert_eq!(bench.have(), 2);
}

/// kedacore/keda 6659: the fallback of one trigger overrode the higher number of another.
#[test]
fn keda_6659_a_fallback_is_a_need_among_others() {
    let mut with = settings(0, 60);
    with.signals[0].missing = Missing::Machines(3);
    let utilisation = SignalKind::Utilisation { target: 0.5 };
    with.signals.push(Signal::new("cpu", "q", utilisation));
    with.down.after_s = 0;
    let mut bench = Bench::new(with, offers(0)).with(&aws(), 10);
    bench.signal("cpu", Reading::of(0.75));
    let decision = bench.decide();
    assert_eq!((decision.want, decision.decided_by.as_str()), (15, "cpu"));
}

/// A window from one cron line to another, as KEDA has them, in our terms.
fn window(name: &str, line: &str, hours: u64, min: u32) -> Window {
    Window {
        name: name.to_owned(),
        from: WindowStart::Cron(Cron::parse(line).expect(line)),
        for_s: hours * 3600,
        tz: Zone::new("Europe/Prague").expect("a zone"),
        min,
    }
}

/// kedacore/keda 4677: from `30 6 * * 1-5` to `10 22 * * *` lasted from Friday to Sunday, since the
/// end was looked for before the next beginning. A window with a length cannot.
#[test]
fn keda_4677_friday_ends_on_friday() {
    let mut with = settings(0, 60);
    with.windows = vec![window("work", "30 6 * * 1-5", 16, 3)];
    let mut bench = Bench::new(with, Vec::new());
    let mut want = |at: &str| {
        bench.inputs.at = at.parse().expect("a time");
        bench.demand(0.0);
        bench.decide().want
    };
    assert_eq!(want("2026-12-04T05:30:00Z"), 3);
    assert_eq!(want("2026-12-04T21:00:00Z"), 3);
    for gone in [
        "2026-12-04T21:30:00Z",
        "2026-12-05T12:00:00Z",
        "2026-12-06T12:00:00Z",
    ] {
        assert_eq!(want(gone), 0, "{gone}");
    }
    assert_eq!(want("2026-12-07T05:30:00Z"), 3);
}

/// kedacore/keda 2031: the same line as start and end scaled up and never down. There is no end to
/// be the same; the shortest window is a second, and ends.
#[test]
fn keda_2031_a_window_ends() {
    let mut with = settings(0, 60);
    with.interval_s = 1;
    let mut shortest = window("w", "31 * * * *", 0, 3);
    shortest.for_s = 0;
    with.windows = vec![shortest.clone()];
    assert!(strat_burst_policy::Policy::new(with.clone()).is_err());
    shortest.for_s = 1;
    with.windows = vec![shortest];
    let mut bench = Bench::new(with, Vec::new());
    bench.demand(0.0);
    bench.inputs.at = "2026-11-30T08:31:00Z".parse().expect("a time");
    assert_eq!(bench.decide().want, 3);
    bench.inputs.at = "2026-11-30T08:31:01Z".parse().expect("a time");
    bench.demand(0.0);
    assert_eq!(bench.decide().want, 0);
}

/// kedacore/keda 6665: where one schedule ends and the next begins, the count went 10, 12, 11.
#[test]
fn keda_6665_windows_that_meet_do_not_flap() {
    let mut with = settings(0, 60);
    with.windows = vec![
        window("early", "0 6 * * *", 4, 10),
        window("late", "0 10 * * *", 4, 10),
    ];
    let mut bench = Bench::new(with, offers(0)).with(&aws(), 10);
    bench.inputs.at = "2026-11-30T08:50:00Z".parse().expect("a time");
    for second in 0..20 * 60 {
        bench.demand(0.0);
        let decision = bench.step(1);
        assert_eq!(
            (decision.want, decision.action),
            (10, Action::None),
            "{second}"
        );
    }
}

/// kubernetes-sigs/karpenter 2388: 6,000 evictions a day, nodes replaced by nodes of the same size.
/// A load that stays changes nothing.
#[test]
fn karpenter_2388_what_runs_and_does_is_left_alone() {
    let dc = place("dc", CapacityKind::Owned, "0");
    let spot = place("aws", CapacityKind::Spot, "0.03");
    let mut all = offers(4);
    all.push(offer(&spot, None, 60));
    // The cheaper spot offer is no reason to move what was bought.
    let mut bench = Bench::new(settings(0, 60), all)
        .with(&dc, 4)
        .with(&aws(), 10);
    let decisions = bench.minutes(24 * 60, 140.0);
    assert!(decisions.iter().all(|decision| decision.steps.is_empty()));
}

/// aws/karpenter-provider-aws 3577 and 3921: a node was replaced by its like, over and over. What
/// came home stays at home.
#[test]
fn karpenter_3577_and_3921_nothing_moves_twice() {
    let dc = place("dc", CapacityKind::Owned, "0.02");
    let mut bench = Bench::new(settings(0, 60), vec![offer(&dc, Some(5), 120)]).with(&aws(), 5);
    let decisions = bench.minutes(24 * 60, 50.0);
    let made: u32 = decisions
        .iter()
        .map(|decision| steps(decision, Op::Create))
        .sum();
    let gone: u32 = decisions
        .iter()
        .map(|decision| steps(decision, Op::Drain))
        .sum();
    assert_eq!((made, gone), (5, 5));
    assert_eq!((bench.at_site("dc"), bench.at_site("aws")), (5, 0));
}

/// kubernetes-sigs/karpenter 3198: 2,700 claims were made and deleted against an offer that had run
/// out. One machine is tried, after a time that doubles.
#[test]
fn karpenter_3198_a_stock_out_is_asked_again_seldom_and_with_one() {
    let mut bench = Bench::new(settings(0, 200), vec![offer(&aws(), None, 180)]);
    let mut asked = Vec::new();
    for minute in 0..24 * 60 {
        bench.demand(1000.0);
        let decision = bench.step(60);
        assert!(!decision.steps.is_empty() || limited(&decision, "stock"));
        let count = steps(&decision, Op::Create);
        if count > 0 {
            asked.push((minute, count));
            // There is none to be had.
            bench.inputs.machines.clear();
            let times = bench.inputs.offers[0]
                .ran_out
                .map_or(1, |ran_out| ran_out.times + 1);
            let at = bench.inputs.at;
            bench.inputs.offers[0].ran_out = Some(RanOut { at, times });
        }
    }
    assert!(asked.len() < 32, "{asked:?}");
    assert!(asked[1..].iter().all(|(_, count)| *count == 1), "{asked:?}");
}

/// aws/karpenter-provider-aws 5789: at the account's limit for spot there was no way to on-demand.
#[test]
fn karpenter_5789_at_the_limit_of_one_offer_the_next_is_asked() {
    let spot = place("aws", CapacityKind::Spot, "0.03");
    let mut bench = Bench::new(
        settings(0, 60),
        vec![offer(&spot, Some(2), 60), offer(&aws(), None, 180)],
    );
    bench.inputs.history.needs.clear();
    for _ in 0..4 {
        bench.demand(60.0);
        bench.step(60);
    }
    let bought = |kind| {
        let machines = bench.inputs.machines.iter();
        machines
            .filter(|machine| machine.place.capacity == kind)
            .count()
    };
    assert_eq!(bought(CapacityKind::Spot), 2);
    assert_eq!(bought(CapacityKind::OnDemand), 4);
}

/// kubernetes/autoscaler 6128, and nodes that never join: one machine that did not register kept the
/// group from growing for ever. It is released and told, and another offer is asked.
#[test]
fn cluster_autoscaler_6128_a_machine_that_never_joins_is_replaced() {
    let broken = place("aws", CapacityKind::OnDemand, "0.05");
    let mut bench = Bench::new(
        settings(0, 60),
        vec![offer(&broken, None, 120), offer(&aws(), None, 180)],
    );
    bench.add(
        &broken,
        State::Pending,
        bench.inputs.at - SignedDuration::from_mins(11),
    );
    bench.demand(10.0);
    let decision = bench.decide();
    assert_eq!(decision.inventory.late, 1);
    assert_eq!(
        (steps(&decision, Op::Release), steps(&decision, Op::Create)),
        (1, 1)
    );
    let create = decision.steps.iter().find(|step| step.op == Op::Create);
    assert_eq!(
        create.map(|step| step.usd_hour.to_string()).as_deref(),
        Some("0.10")
    );
    assert!(decision.alarms[0].contains("i-00001"));
}

/// hashicorp/nomad-autoscaler 272: one cooldown for both directions made it slow upward or restless
/// downward.
#[test]
fn nomad_272_up_is_at_once_and_down_is_slow() {
    let mut bench = Bench::new(settings(0, 60), offers(0)).with(&aws(), 10);
    bench.minutes(20, 100.0);
    let up = bench.minutes(1, 130.0).remove(0);
    assert_eq!(up.action, Action::Up);
    let again = bench.minutes(1, 200.0).remove(0);
    assert_eq!(again.action, Action::Up);
    let down = bench.minutes(14, 50.0);
    assert!(down.iter().all(|decision| decision.action != Action::Down));
}

/// hashicorp/nomad-autoscaler 610: two evaluations in a row scaled twice for one need.
#[test]
fn nomad_610_what_is_on_its_way_counts() {
    let mut bench = Bench::new(settings(0, 60), offers(0)).with(&aws(), 10);
    bench.demand(200.0);
    assert_eq!(steps(&bench.step(1), Op::Create), 10);
    bench.demand(200.0);
    assert_eq!(bench.step(1).steps, []);
}

/// hashicorp/nomad-autoscaler 672: while nodes drained, nothing was decided at all.
#[test]
fn nomad_672_a_drain_does_not_keep_it_from_growing() {
    let mut bench = Bench::new(settings(0, 60), offers(0)).with(&aws(), 10);
    let since = bench.inputs.at;
    bench.inputs.machines[0].state = State::Draining { since, done: false };
    bench.demand(150.0);
    let decision = bench.decide();
    assert_eq!(
        (steps(&decision, Op::Resume), steps(&decision, Op::Create)),
        (1, 5)
    );
}

/// hashicorp/nomad-autoscaler 1290: nodes were drained that the group, at its minimum, would not
/// let go.
#[test]
fn nomad_1290_nothing_is_drained_that_has_to_stay() {
    let mut bench = Bench::new(settings(4, 60), offers(0)).with(&aws(), 5);
    bench.minutes(20, 0.0);
    bench.minutes(120, 0.0);
    assert_eq!(bench.have(), 4);
    let decisions = bench.minutes(120, 0.0);
    assert!(
        decisions
            .iter()
            .all(|decision| steps(decision, Op::Drain) == 0)
    );
}

/// hashicorp/nomad-autoscaler 424 and 530: with no node left, how busy they are is not a number, and
/// there was no way back from 0.
#[test]
fn nomad_424_and_530_utilisation_never_asks_for_none() {
    let mut with = settings(0, 60);
    with.signals = vec![Signal::new(
        "cpu",
        "q",
        SignalKind::Utilisation { target: 0.7 },
    )];
    let mut bench = Bench::new(with, offers(0)).with(&aws(), 3);
    for _ in 0..180 {
        bench.signal("cpu", Reading::of(0.0));
        bench.step(60);
    }
    assert_eq!(bench.have(), 1);
    // And from none, by whatever accident, there is one again.
    bench.inputs.machines.clear();
    bench.signal("cpu", Reading::of(0.0));
    assert_eq!(steps(&bench.step(60), Op::Create), 1);
}

/// hashicorp/nomad-autoscaler 612: checks that failed left one that said "fewer", and it went down.
/// kubernetes/kubernetes 99394: the same, where one metric of two was not to be had.
#[test]
fn nomad_612_and_kubernetes_99394_it_shrinks_only_where_all_are_good() {
    let mut with = settings(0, 60);
    with.signals.push(Signal::new(
        "cpu",
        "q",
        SignalKind::Utilisation { target: 0.7 },
    ));
    let mut bench = Bench::new(with, offers(0)).with(&aws(), 10);
    for minute in 0..59 {
        bench.signal("cpu", Reading::of(0.1));
        let decision = bench.step(60);
        assert_eq!(decision.steps, [], "minute {minute}");
    }
}

/// kubernetes/kubernetes PR 127193: one sample that was missing for a day held the most machines for
/// eight hours, at twice the cost. A hold has a limit; then the signals that are good decide, and
/// somebody is told all the time.
#[test]
fn kubernetes_127193_a_hold_ends() {
    let mut with = settings(0, 60);
    with.signals.push(Signal::new(
        "cpu",
        "q",
        SignalKind::Utilisation { target: 0.7 },
    ));
    let mut bench = Bench::new(with, offers(0)).with(&aws(), 40);
    let mut first = None;
    for minute in 0..8 * 60 {
        bench.demand(100.0);
        let decision = bench.step(60);
        assert!(
            decision
                .alarms
                .iter()
                .any(|alarm| alarm.starts_with("cpu is missing"))
        );
        if decision.action == Action::Down && first.is_none() {
            first = Some(minute);
        }
    }
    assert!(
        first.is_some_and(|minute| (60..=77).contains(&minute)),
        "{first:?}"
    );
    assert!(bench.have() <= 11);
}

/// aws-samples/aws-eda-slurm-cluster 55: after a failed resume, instances ran that the scheduler
/// took for powered down, idle and paid for. What is there is counted and goes, whatever was thought
/// of it.
#[test]
fn slurm_55_what_runs_is_counted_even_if_it_came_late() {
    let mut bench = Bench::new(settings(0, 60), offers(0));
    // Three that nobody waits for any more are found running.
    let made = bench.inputs.at - SignedDuration::from_hours(3);
    for _ in 0..3 {
        bench.add(&aws(), State::Ready { warm: true }, made);
    }
    bench.demand(0.0);
    assert_eq!(bench.step(60).inventory.ready, 3);
    // 15 minutes, then one each 15 minutes, and not more than half within an hour.
    bench.minutes(4 * 60, 0.0);
    assert_eq!(bench.inputs.machines.len(), 0);
}

/// A spot notice: the replacement starts at the notice, not when the machine is gone.
#[test]
fn a_spot_notice_starts_the_replacement() {
    let spot = place("aws", CapacityKind::Spot, "0.03");
    let mut bench = Bench::new(settings(0, 60), offers(0)).with(&spot, 4);
    bench.inputs.machines[1].reclaimed = true;
    bench.demand(40.0);
    let decision = bench.decide();
    assert_eq!(steps(&decision, Op::Create), 1);
    // The cloud takes it back; nobody drains it for the second time.
    assert_eq!(steps(&decision, Op::Drain), 0);
}
