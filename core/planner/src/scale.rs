//! How one decision of a burst changes its fleet.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{CapacityKind, Kind, LocalAddr, Name, ResourceId};

use crate::plan::{Action, Change};

/// What a fleet under a burst is to become. It says how many there are to be, and not how many are to
/// be added, so that a plan which is made again after half of it was done asks for the other half.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scale {
    /// The burst, for people: `burst.web`.
    pub by: String,
    /// Where at least so many machines are to be, without those that go. Where more run, they stay.
    pub places: Vec<ScalePlace>,
    /// The machines that go.
    pub leaving: BTreeSet<(Name, ResourceId)>,
    /// What the marks of machines are to say of their draining, by site and id.
    pub drains: BTreeMap<(Name, ResourceId), String>,
}

/// Machines of one kind in one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalePlace {
    /// The site.
    pub site: Name,
    /// The zone.
    pub zone: Name,
    /// The cloud's name for the size.
    pub machine_type: String,
    /// How it is bought.
    pub capacity: CapacityKind,
    /// How many there are to be at least.
    pub count: u32,
}

impl Scale {
    /// Whether a machine goes.
    pub(crate) fn lets_go(&self, site: &Name, id: &ResourceId) -> bool {
        let mut leaving = self.leaving.iter();
        leaving.any(|(at, one)| (at, one) == (site, id))
    }
}

/// Leaves of some changes only what carries out decisions: machines of the fleets that are made,
/// those that go by name, and what is written of their draining; and, where any is made, what new
/// machines are in. All else is for a person to apply.
pub(crate) fn keep_only(changes: &mut Vec<Change>, scales: &BTreeMap<LocalAddr, Scale>) {
    if scales.is_empty() {
        return;
    }
    let makes = changes
        .iter()
        .any(|change| change.action == Action::Create && scales.contains_key(&change.addr.local));
    changes.retain(|change| match scales.get(&change.addr.local) {
        Some(scale) => match change.action {
            Action::Create => true,
            Action::Delete => {
                let mut targets = change.targets.iter();
                targets.all(|target| scale.lets_go(&change.site, &target.id))
            }
            Action::Update => change.drains.is_some(),
            Action::NoOp | Action::Adopt | Action::Replace | Action::Forget => false,
        },
        None => {
            let around = change.kind.is_made_before(Kind::Machine);
            makes && around && matches!(change.action, Action::Create | Action::Update)
        }
    });
}
