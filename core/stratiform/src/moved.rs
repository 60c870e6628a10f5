//! Whether a plan still says what would be planned now.

use std::collections::BTreeMap;

use strat_model::{Inventory, Resource, ResourceId};
use strat_planner::{Change, Plan};

/// What of the world is not as it was when a plan was made, one sentence each: targets that are
/// gone or have another fingerprint.
pub(crate) fn world(old: &Plan, inventory: &Inventory) -> Vec<String> {
    let now: BTreeMap<(&str, &ResourceId), &Resource> = inventory
        .resources()
        .map(|(site, resource)| ((site.as_str(), &resource.id), resource))
        .collect();
    let mut moved = Vec::new();
    for change in &old.changes {
        for target in &change.targets {
            match now.get(&(change.site.as_str(), &target.id)) {
                None => moved.push(format!("{} is gone since the plan was made", change.addr)),
                Some(resource) if resource.fingerprint() != target.fingerprint => {
                    moved.push(format!(
                        "{} was changed since the plan was made",
                        change.addr
                    ));
                }
                Some(_) => {}
            }
        }
    }
    moved.dedup();
    moved
}

/// Where a plan differs from what would be planned now, of a world whose things are as they were:
/// then the topology has moved, or what is on offer, or there is more in the world.
pub(crate) fn topology(old: &Plan, fresh: &Plan) -> Vec<String> {
    let given = (&old.lookups, &fresh.lookups);
    let waves = (&old.rollouts, &fresh.rollouts);
    let (old, fresh) = (by_addr(old), by_addr(fresh));
    let mut moved = Vec::new();
    for (addr, changes) in &old {
        match fresh.get(addr) {
            None => moved.push(format!("{addr} needs no change any more")),
            Some(now) if !is_same(changes, now) => {
                moved.push(format!("{addr} is to be something else now"));
            }
            Some(_) => {}
        }
    }
    for one in given.0 {
        let now = given.1.iter().find(|now| now.addr == one.addr);
        if now.is_none_or(|now| now.id != one.id) {
            let (addr, id) = (&one.addr, &one.id);
            moved.push(format!("{addr}, which is looked up, is not {id} any more"));
        }
    }
    for (addr, rollout) in waves.0 {
        if waves.1.get(addr).is_some_and(|now| now != rollout) {
            moved.push(format!("{addr} is to be rolled out in other waves now"));
        }
    }
    for addr in fresh.keys().filter(|addr| !old.contains_key(*addr)) {
        moved.push(format!("{addr} needs a change that the plan does not have"));
    }
    moved
}

/// What a plan does at each address.
fn by_addr(plan: &Plan) -> BTreeMap<String, Vec<&Change>> {
    let mut by_addr: BTreeMap<String, Vec<&Change>> = BTreeMap::new();
    for change in &plan.changes {
        let addr = change.addr.to_string();
        by_addr.entry(addr).or_default().push(change);
    }
    by_addr
}

/// Whether changes do the same, as their disk form has it: there user data is its digest alone.
/// What has no disk form is the same as nothing.
fn is_same(old: &[&Change], now: &[&Change]) -> bool {
    let form = |change: &Change| serde_json::to_value(effect(change)).ok();
    let same = |(old, now): (&&Change, &&Change)| match (form(old), form(now)) {
        (Some(old), Some(now)) => old == now,
        _ => false,
    };
    old.len() == now.len() && old.iter().zip(now).all(same)
}

/// A change without its words: why it is done may be told differently later.
fn effect(change: &Change) -> Change {
    Change {
        reason: String::new(),
        cause: strat_planner::Cause::Topology,
        ..change.clone()
    }
}
