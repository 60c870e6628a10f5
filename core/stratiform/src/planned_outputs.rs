//! What a plan changes of a topology's outputs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strat_model::{Inventory, LocalAddr, Loss, Name, ResourceId};
use strat_planner::{Action, Mode, Plan};
use strat_topology::{Evaluated, Output};

/// An output that applying a plan changes.
///
/// Nothing remembers what an output said before its own text was changed: what it says now is what the
/// topology makes of what is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutputChange {
    /// Its name.
    pub name: String,
    /// What it says now; `null` where that is nothing yet, or sensitive.
    pub before: Value,
    /// What it will say; `null` where that is known after the apply, or nothing any more, or sensitive.
    pub after: Value,
    /// Whether what it will say is known only after the apply.
    pub waits: bool,
    /// Whether its values are not shown.
    pub sensitive: bool,
}

/// The outputs that a plan changes, by name.
pub(crate) fn changes(
    evaluated: &Evaluated,
    inventory: &Inventory,
    plan: &Plan,
) -> Vec<OutputChange> {
    let now = evaluated.outputs(inventory);
    if now.is_empty() || plan.is_empty() {
        return Vec::new();
    }
    let comes = |action| matches!(action, Action::Create | Action::Replace);
    let is_made = plan.changes.iter().any(|change| comes(change.action));
    let then = match plan.mode {
        Mode::Apply => evaluated.outputs(&after(inventory, plan)),
        Mode::Destroy => Default::default(),
    };
    let change = |(name, now): (String, Output)| {
        let ends = plan.mode == Mode::Destroy;
        let then = then.get(&name).and_then(|then| then.value.as_ref());
        let (before, after) = (value(now.value.as_ref()), value(then));
        let waits = then.is_none() && !ends;
        // What nobody knows before and after is told where something is made that it may wait for.
        let is_same = before == after && !(waits && is_made);
        if is_same || now.error.is_some() {
            return None;
        }
        let shown = |value: Value| if now.sensitive { Value::Null } else { value };
        Some(OutputChange {
            name,
            before: shown(before),
            after: shown(after),
            waits,
            sensitive: now.sensitive,
        })
    };
    now.into_iter().filter_map(change).collect()
}

fn value<T: Serialize>(value: Option<&T>) -> Value {
    value.map_or(Value::Null, |value| {
        serde_json::to_value(value).unwrap_or_default()
    })
}

/// What will be there, as far as that is known now: nothing of blocks that something is made for, and not
/// what goes.
fn after(inventory: &Inventory, plan: &Plan) -> Inventory {
    let mut made: BTreeSet<&LocalAddr> = BTreeSet::new();
    let mut gone: BTreeSet<(&Name, &ResourceId)> = BTreeSet::new();
    let mut moved: BTreeSet<(&Name, &ResourceId)> = BTreeSet::new();
    for change in &plan.changes {
        let targets = change.targets.iter();
        let targets = targets.map(|target| (&change.site, &target.id));
        match change.action {
            Action::Create | Action::Replace => {
                made.insert(&change.addr.local);
            }
            Action::Delete | Action::Forget => gone.extend(targets),
            Action::Update | Action::Adopt | Action::NoOp => {
                let takes = change.transition.as_ref();
                let moves = |loss| takes.is_some_and(|takes| takes.loses.contains(&loss));
                if moves(Loss::DynamicAddress) || moves(Loss::PublicAddress) {
                    moved.extend(targets);
                }
            }
        }
    }
    let mut then = inventory.clone();
    for (site, seen) in &mut then.sites {
        seen.resources.retain(|resource| {
            let of_made = resource
                .mark
                .as_ref()
                .is_some_and(|mark| made.contains(&mark.addr.local));
            !of_made && !gone.contains(&(site, &resource.id))
        });
        for resource in &mut seen.resources {
            if moved.contains(&(site, &resource.id)) {
                resource.attributes.remove("public_ip");
            }
        }
    }
    then
}
