//! Whether a plan still says what would be planned now.

use std::collections::BTreeMap;

use strat_model::{Inventory, Resource, ResourceId};
use strat_planner::{Change, Plan};

/// What is not as it was when `old` was made, one sentence each; nothing if `old` may be applied.
///
/// `fresh` is what would be planned now, from the same topology, for the same purpose and limits.
/// The world has moved where a target is gone or has another fingerprint; where `fresh` differs
/// all the same, the topology or what is on offer has.
pub(crate) fn moved(old: &Plan, fresh: &Plan, inventory: &Inventory) -> Vec<String> {
    let mut moved = Vec::new();
    let now: BTreeMap<(&str, &ResourceId), &Resource> = inventory
        .resources()
        .map(|(site, resource)| ((site.as_str(), &resource.id), resource))
        .collect();
    for change in &old.changes {
        for target in &change.targets {
            match now.get(&(change.site.as_str(), &target.id)) {
                None => moved.push(format!("{} is gone since the plan was made", change.addr)),
                Some(resource) if resource.fingerprint() != target.fingerprint => {
                    moved.push(format!("{} was changed since the plan was made", change.addr));
                }
                Some(_) => {}
            }
        }
    }
    let (old, fresh) = (by_addr(old), by_addr(fresh));
    for (addr, changes) in &old {
        if fresh.get(addr) != Some(changes) && !moved.iter().any(|text| text.starts_with(addr)) {
            moved.push(match fresh.get(addr) {
                None => format!("{addr} needs no change any more"),
                Some(_) => format!("{addr} is to be something else now"),
            });
        }
    }
    for addr in fresh.keys().filter(|addr| !old.contains_key(*addr)) {
        moved.push(format!("{addr} needs a change that the plan does not have"));
    }
    moved.dedup();
    moved
}

/// What a plan does at each address, as its disk form has it: there user data is its digest alone.
fn by_addr(plan: &Plan) -> BTreeMap<String, Vec<serde_json::Value>> {
    let mut by_addr: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    for change in &plan.changes {
        let done = serde_json::to_value(effect(change)).unwrap_or_default();
        by_addr.entry(change.addr.to_string()).or_default().push(done);
    }
    by_addr
}

/// A change without its words: why it is done may be told differently later.
fn effect(change: &Change) -> Change {
    Change {
        reason: String::new(),
        cause: strat_planner::Cause::Topology,
        ..change.clone()
    }
}
