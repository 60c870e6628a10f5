//! What went wrong with others, as they told it in their trackers: machines that do not come, and machines
//! that go. One test for each.

use jiff::SignedDuration;
use strat_burst_policy::{Op, RanOut, State};
use strat_model::CapacityKind;
use strat_model::burst::{BurstPolicy, Step};

use crate::bench::{Bench, offer, offers, place, settings, steps};

fn aws() -> strat_burst_policy::Place {
    place("aws", CapacityKind::OnDemand, "0.10")
}

/// A burst that grows by as many machines at once as are needed.
fn at_once(min: u32) -> BurstPolicy {
    let mut settings = settings(min, 60);
    settings.up.step = Step::Machines(60);
    settings
}

/// kubernetes/autoscaler 3490: the group of the highest priority had no capacity, and the next one was not
/// asked before the time for a node to come was over, again and again. What has run out is known at once,
/// and the next offer is asked in the next round.
#[test]
fn cluster_autoscaler_3490_what_has_run_out_holds_nobody_up() {
    let first = place("aws", CapacityKind::Spot, "0.03");
    let mut bench = Bench::new(
        settings(0, 60),
        vec![offer(&first, None, 120), offer(&aws(), None, 180)],
    );
    bench.inputs.offers[0].ran_out = Some(RanOut {
        at: bench.inputs.at,
        times: 1,
    });
    bench = bench.with(&aws(), 5);
    bench.demand(100.0);
    let decision = bench.decide();
    assert_eq!(steps(&decision, Op::Create), 5);
    assert!(decision.steps.iter().all(|step| !step.spot));
}

/// aws/karpenter-provider-aws 3525: a node that failed to join was never ended, others were evicted for it,
/// and consolidation stood still until somebody deleted it. It goes when it is late, nothing that works goes
/// for it, and the fleet is as large as it is to be.
#[test]
fn karpenter_3525_a_machine_that_fails_costs_none_that_works() {
    let mut bench = Bench::new(settings(0, 60), offers(0)).with(&aws(), 10);
    bench.minutes(20, 100.0);
    let long_ago = bench.inputs.at - SignedDuration::from_mins(11);
    bench.add(&aws(), State::Pending, long_ago);
    let late = bench.inputs.machines.last().expect("one").id.clone();
    bench.demand(100.0);
    let decision = bench.decide();
    assert_eq!(steps(&decision, Op::Drain), 0);
    let gone: Vec<&String> = decision
        .steps
        .iter()
        .filter(|step| step.op == Op::Release)
        .flat_map(|step| &step.ids)
        .collect();
    assert_eq!(gone, [&late]);
}

/// hashicorp/nomad-autoscaler 376: evaluations came faster than actions ended, and drained more and more
/// nodes until none was left. What drains counts as gone, and half of an hour's machines stay.
#[test]
fn nomad_376_many_decisions_in_a_row_drain_no_more_than_one_does() {
    let mut bench = Bench::new(settings(0, 60), offers(0)).with(&aws(), 20);
    bench.minutes(20, 200.0);
    bench.minutes(30, 120.0);
    let before = bench.have();
    assert!(before >= 12, "{before}");
    for _ in 0..600 {
        bench.demand(120.0);
        bench.step(1);
    }
    let working = bench.inputs.machines.iter();
    let working = working.filter(|one| matches!(one.state, State::Ready { .. }));
    assert!(working.count() >= 12);
}

/// kubernetes/autoscaler 6524: a node that had not registered in time was no longer removed, and its group
/// was asked for nothing more. The late one goes, and then the same offer is asked again.
#[test]
fn cluster_autoscaler_6524_the_only_offer_is_asked_again_after_one_that_never_joined() {
    let mut bench = Bench::new(settings(0, 60), offers(0)).with(&aws(), 5);
    let asked = bench.inputs.at - SignedDuration::from_mins(11);
    bench.add(&aws(), State::Pending, asked);
    bench.demand(60.0);
    let decision = bench.step(60);
    assert_eq!(steps(&decision, Op::Release), 1, "{decision:?}");
    assert_eq!(steps(&decision, Op::Create), 0, "not while it is there");
    bench.demand(60.0);
    assert_eq!(steps(&bench.step(60), Op::Create), 1);
    bench.minutes(5, 60.0);
    assert_eq!((bench.have(), bench.decide().inventory.late), (6, 0));
}

/// skypilot-org/skypilot 656: a launch of which a part had come failed over to another region, and the part
/// ran on beside it. What came counts, wherever the rest is asked.
#[test]
fn skypilot_656_what_came_in_part_counts_wherever_the_rest_is_asked() {
    let spot = place("aws", CapacityKind::Spot, "0.03");
    let both = vec![offer(&spot, None, 120), offer(&aws(), None, 180)];
    let mut bench = Bench::new(at_once(0), both);
    bench.demand(40.0);
    assert_eq!(steps(&bench.decide(), Op::Create), 4);
    // Two of them came; then there was none left.
    let now = bench.inputs.at;
    (0..2).for_each(|_| bench.add(&spot, State::Pending, now));
    bench.inputs.offers[0].ran_out = Some(RanOut { at: now, times: 1 });
    bench.pass(60);
    bench.demand(40.0);
    let decision = bench.step(60);
    assert_eq!(steps(&decision, Op::Create), 2, "{decision:?}");
    assert!(decision.steps.iter().all(|step| !step.spot));
    for decision in bench.minutes(60, 40.0) {
        assert_eq!(decision.inventory.by_site["aws"], 4, "{decision:?}");
    }
}

/// skypilot-org/skypilot 4410: a job that was cancelled while its cluster was being launched left the cluster
/// running. What boots when the need ends is counted, and goes.
#[test]
fn skypilot_4410_what_boots_when_the_need_ends_goes_too() {
    let dc = place("dc", CapacityKind::Owned, "0");
    let mut bench = Bench::new(at_once(2), offers(0)).with(&dc, 2);
    bench.demand(120.0);
    assert_eq!(steps(&bench.step(60), Op::Create), 10);
    bench.minutes(6 * 60, 5.0);
    assert_eq!((bench.at_site("dc"), bench.at_site("aws")), (2, 0));
}

/// kubernetes-sigs/karpenter 1019, as those who cite it tell it: two nodes were replaced with one about every
/// four minutes, and what had gone was made again at once. A load that goes to and fro every four minutes makes
/// machines once, and none that goes comes back.
#[test]
fn karpenter_1019_a_load_that_goes_to_and_fro_moves_nothing_to_and_fro() {
    let dc = place("dc", CapacityKind::Owned, "0");
    let mut bench = Bench::new(at_once(2), offers(4))
        .with(&dc, 4)
        .with(&aws(), 6);
    let (mut made, mut gone) = (0, 0);
    for four in 0..(12 * 15) {
        let demand = if four % 2 == 0 { 105.0 } else { 85.0 };
        for decision in bench.minutes(4, demand) {
            made += steps(&decision, Op::Create) + steps(&decision, Op::Resume);
            gone += steps(&decision, Op::Drain);
        }
    }
    assert!(made <= 1 && gone == 0, "{made} made, {gone} gone");
}
