//! Fleets whose count a burst holds.

use strat_model::burst::{BurstIntent, BurstPolicy};

use super::*;

fn burst(fleet: &str, max: u32) -> BurstIntent {
    BurstIntent {
        fleet: local(fleet),
        policy: BurstPolicy::new("web", 0, max),
        origin: None,
    }
}

/// A shop whose fleet `web` runs with so many machines, and its topology, which says another count.
fn running(count: u32, says: u32, max: u32) -> (Intent, Inventory) {
    let mut intent = shop();
    let fleet = |intent: &mut Intent, count| {
        let mut machines = intent.machines.iter_mut();
        let web = machines.find(|machine| machine.common.addr == local("machines.web"));
        web.expect("a fleet").count = count;
    };
    fleet(&mut intent, count);
    let inventory = realise(&placed(&intent, &empty()));
    fleet(&mut intent, says);
    intent.bursts = vec![burst("machines.web", max)];
    (intent, inventory)
}

#[test]
fn what_runs_is_kept_within_its_bounds() {
    for (runs, says, max, kept) in [(9, 3, 60, 9), (9, 3, 5, 5), (2, 3, 60, 3), (9, 9, 9, 9)] {
        let (intent, inventory) = running(runs, says, max);
        let plan = plan_of(&intent, &inventory);
        let held = &plan.held[&local("machines.web")];
        assert_eq!((held.count, held.least, held.most), (kept, says, max));
        let by_action = |action: Action| -> u32 {
            let changes = plan.changes.iter().filter(|change| change.action == action);
            changes.map(|change| change.count).sum()
        };
        assert_eq!(
            by_action(Action::Delete),
            runs.saturating_sub(kept),
            "{runs} {says} {max}"
        );
        assert_eq!(
            by_action(Action::Create),
            kept.saturating_sub(runs),
            "{runs} {says} {max}"
        );
        if runs == kept {
            assert_eq!(lines(&plan), Vec::<String>::new());
        }
    }
}

#[test]
fn the_first_apply_makes_the_fewest() {
    let (intent, _) = running(0, 3, 60);
    let desired = placed(&intent, &empty());
    assert_eq!(desired.count(&local("machines.web")), 3);
}

#[test]
fn what_cannot_be_seen_is_not_scaled() {
    let (intent, mut inventory) = running(9, 3, 60);
    for site in inventory.sites.values_mut() {
        let why = "it gave no answer".to_owned();
        site.coverage
            .insert(Kind::Machine, Coverage::Partial { why });
    }
    let plan = plan_of(&intent, &inventory);
    assert_eq!(lines(&plan), Vec::<String>::new());
    assert!(!plan.withheld.is_empty());
}

#[test]
fn a_rollout_scales_nothing() {
    let (mut intent, inventory) = running(9, 3, 60);
    for machine in &mut intent.machines {
        machine.size = Size::AtLeast {
            cpu: 4,
            memory: Bytes::gib(8),
        };
    }
    let desired = placed(&intent, &inventory);
    assert_eq!(desired.count(&local("machines.web")), 9);
}
