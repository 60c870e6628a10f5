//! Every machine gets an address at every moment of a plan.

use proptest::prelude::*;
use strat_model::*;
use strat_planner::*;

use crate::common::*;

/// A fleet: how many, in which of two subnets, what they do at their first boot, how many give way at once.
type Wanted = (u32, bool, u8, u32);

/// Fleets in subnets of eleven addresses at one site.
fn crowd(wanted: &[(&str, Wanted)]) -> Intent {
    let mut intent = shop();
    intent.volumes.clear();
    intent.buckets.clear();
    for subnet in &mut intent.subnets {
        subnet.newbits = 8;
    }
    let fleet = |(text, (count, other, boots, wave)): &(&str, Wanted)| {
        let single = text.starts_with("machine.");
        let mut fleet = machines(text, if single { 1 } else { *count });
        fleet.subnet = local(if *other { "subnet.data" } else { "subnet.app" });
        fleet.user_data = Some(UserData::text(format!("#cloud-config {boots}")));
        fleet.rollout.wave = Wave::Machines(*wave);
        let mut placement = (*fleet.placement).clone();
        placement.sites = vec![name("west")];
        fleet.placement = placement.into();
        (!single || *count > 0).then_some(fleet)
    };
    intent.machines = wanted.iter().filter_map(fleet).collect();
    intent
}

fn crowded_facts() -> Facts {
    let mut facts = facts();
    for site in facts.values_mut() {
        site.capabilities.reserved_addresses.fixed = 5;
    }
    facts
}

/// The plan from one crowd to another, and what is wrong with it; `None` where it is refused.
fn planned(before: &Intent, after: &Intent) -> Option<(Plan, Vec<PlanFault>)> {
    let facts = crowded_facts();
    let world = realise(&place(before, &facts, &empty()).ok()?);
    let desired = place(after, &facts, &world).ok()?;
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    let graph = lower(&plan, &world, &facts);
    let faults = lint(&plan, &graph, &world, &facts);
    Some((plan, faults))
}

#[test]
fn waves_are_as_large_as_there_are_addresses() {
    let rolled = |count, wave| {
        let of = |boots| crowd(&[("machines.web", (count, false, boots, wave))]);
        let (plan, faults) = planned(&of(1), &of(2)).expect("a plan");
        assert_eq!(faults, []);
        let rollout = plan.rollouts[&local("machines.web")].clone();
        (rollout.wave, rollout.destroy_first)
    };
    assert_eq!(rolled(5, 5), (5, false));
    assert_eq!(rolled(8, 5), (3, false));
    assert_eq!(rolled(11, 5), (5, true));
}

#[test]
fn a_full_subnet_has_its_one_machine_go_first_and_nothing_else_of_its_site() {
    let of = |boots| {
        crowd(&[
            ("machine.db", (1, false, boots, 1)),
            ("machines.api", (5, true, boots, 2)),
            ("machines.web", (10, false, 1, 1)),
        ])
    };
    let (plan, faults) = planned(&of(1), &of(2)).expect("a plan");
    assert_eq!(faults, []);
    assert!(plan.tight.is_empty(), "{:?}", plan.tight);
    assert!(plan.rollouts[&local("machine.db")].destroy_first);
    assert!(!plan.rollouts[&local("machines.api")].destroy_first);
}

#[test]
fn what_grows_waits_for_what_shrinks_and_what_rolls_rolls_on() {
    let of = |web, api, boots| {
        crowd(&[
            ("machines.api", (api, false, boots, 2)),
            ("machines.web", (web, false, boots, 2)),
        ])
    };
    // Six and five; then two and nine, all of them other machines.
    let (plan, faults) = planned(&of(6, 5, 1), &of(2, 9, 2)).expect("a plan");
    assert_eq!(faults, []);
    assert_eq!(plan.rollouts.len(), 2, "{:?}", plan.crowded);
    let first: Vec<GoesFirst> = plan.crowded.values().copied().collect();
    assert_eq!(first, [GoesFirst::Surplus]);
}

#[test]
fn fleets_that_change_places_do_not_wait_for_each_other() {
    let of = |turned| {
        crowd(&[
            ("machines.api", (11, turned, 1, 3)),
            ("machines.web", (11, !turned, 1, 3)),
        ])
    };
    let (_, faults) = planned(&of(false), &of(true)).expect("a plan");
    assert_eq!(faults, []);
}

/// A part of the topology that frees no address for itself is withheld.
#[test]
fn a_part_that_has_no_address_in_the_end_is_withheld() {
    let of = |web, api| {
        crowd(&[
            ("machines.api", (api, false, 1, 1)),
            ("machines.web", (web, false, 1, 1)),
        ])
    };
    let facts = crowded_facts();
    let world = realise(&place(&of(6, 5), &facts, &empty()).expect("a place"));
    let desired = place(&of(2, 9), &facts, &world).expect("a place");
    let options = DiffOptions {
        targets: vec!["machines.api".parse().expect("a target")],
        ..DiffOptions::default()
    };
    let part = diff(&desired, &world, &facts, None, &options);
    assert!(part.is_empty(), "{:?}", crate::lines(&part));
    let withheld = part.withheld.iter().map(|held| held.why.as_str());
    assert_eq!(
        withheld.collect::<Vec<_>>(),
        ["subnet.app@west has no address for all that is to be there in the end"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is changed to whatever: at no moment of the plan is there a machine without an address.
    #[test]
    fn no_moment_lacks_an_address(
        before in prop::collection::vec((0_u32..8, any::<bool>(), 0_u8..2, 1_u32..4), 4),
        after in prop::collection::vec((0_u32..8, any::<bool>(), 0_u8..2, 1_u32..4), 4),
        gone in prop::collection::vec(prop::bool::weighted(0.2), 4),
    ) {
        let names = ["machine.db", "machines.api", "machines.web", "machines.work"];
        let all: Vec<(&str, Wanted)> = names.into_iter().zip(before).collect();
        let kept = names.into_iter().zip(after).zip(gone);
        let kept: Vec<(&str, Wanted)> = kept.filter(|(_, gone)| !gone).map(|(one, _)| one).collect();
        if let Some((plan, faults)) = planned(&crowd(&all), &crowd(&kept)) {
            prop_assert_eq!(faults, [], "{:#?} {:?} {:?}", crate::lines(&plan), plan.crowded, plan.rollouts);
            prop_assert!(plan.withheld.is_empty(), "{:?} {:#?} {:?}", plan.withheld, crate::lines(&plan), plan.crowded);
        }
    }
}
