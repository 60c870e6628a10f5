//! What is known of real things during a run: what each address stands for now, and which of the
//! changes in the world are our own.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{
    Addr, Fingerprint, Inventory, LocalAddr, Name, Owner, Resource, ResourceId, ResourceState, Spec,
};
use strat_planner::{StepGraph, StepOp, TargetRef};

type Place = (Name, Option<Name>);

/// What is known now.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What each address stands for, by place. Nearly all have one, for which a map would take the
    /// memory of eleven.
    current: BTreeMap<LocalAddr, Vec<(Place, Resource)>>,
    /// Things as the inventory had them, for those steps that change or delete something.
    before: BTreeMap<(Name, ResourceId), Resource>,
    /// Fingerprints that our own writes left.
    ours: BTreeSet<(Name, ResourceId, Fingerprint)>,
    /// What this run deletes, or has deleted.
    deleted: BTreeSet<(Name, ResourceId)>,
}

impl Known {
    /// What the inventory says, for a run of `graph`.
    ///
    /// Of several things at one address, the one that stays counts, then the highest generation.
    pub(super) fn new(inventory: &Inventory, owner: &Owner, graph: &StepGraph) -> Self {
        let mut targets = BTreeSet::new();
        let mut doomed = BTreeSet::new();
        for step in &graph.steps {
            for target in targets_of(&step.op) {
                targets.insert((&step.site, &target.id));
                if matches!(step.op, StepOp::Delete { .. }) {
                    doomed.insert((&step.site, &target.id));
                }
            }
        }
        let mut known = Self::default();
        // What others own: it is referred to, and no step has it as a target.
        for (site, seen) in &inventory.sites {
            for (addr, thing) in seen.lookups.iter().flat_map(|one| one.things(site)) {
                known.learn(&addr, thing.clone());
            }
        }
        let mut ranks = BTreeMap::new();
        for (site, resource) in inventory.resources() {
            if targets.contains(&(site, &resource.id)) {
                let key = (site.clone(), resource.id.clone());
                known.before.insert(key, resource.clone());
            }
            let Some(mark) = resource
                .mark
                .as_ref()
                .filter(|mark| owner.owns(&mark.owner))
            else {
                continue;
            };
            let Some(health) = health(resource.state) else {
                continue;
            };
            let stays = !doomed.contains(&(site, &resource.id));
            let rank = (stays, mark.generation, health, &resource.id);
            if ranks.get(&mark.addr).is_none_or(|best| rank > *best) {
                ranks.insert(&mark.addr, rank);
                known.learn(&mark.addr, resource.clone());
            }
        }
        known
    }

    /// From now on, `addr` stands for this.
    pub(super) fn learn(&mut self, addr: &Addr, resource: Resource) {
        let places = self.current.entry(addr.local.clone()).or_default();
        let place = (addr.site.clone(), addr.zone.clone());
        match places.binary_search_by(|(known, _)| known.cmp(&place)) {
            Ok(found) => places[found].1 = resource,
            Err(free) => {
                places.reserve_exact(1);
                places.insert(free, (place, resource));
            }
        }
    }

    /// What an address stands for.
    pub(super) fn at(&self, addr: &Addr) -> Option<&Resource> {
        let places = self.current.get(&addr.local)?;
        let here = |((site, zone), _): &&(Place, _)| (site, zone) == (&addr.site, &addr.zone);
        places.iter().find(here).map(|(_, resource)| resource)
    }

    /// The one thing of a local address; at `site`, if it has one at several.
    pub(super) fn local(&self, local: &LocalAddr, site: &Name) -> Option<(Addr, &Resource)> {
        let places = self.current.get(local)?;
        let here = places.iter().find(|((at, _), _)| at == site);
        let ((site, zone), resource) = here.or_else(|| places.first())?;
        let addr = Addr {
            local: local.clone(),
            site: site.clone(),
            zone: zone.clone(),
        };
        Some((addr, resource))
    }

    /// Our own write left the thing like this.
    pub(super) fn wrote(&mut self, site: &Name, resource: &Resource) {
        let fingerprint = resource.fingerprint();
        self.ours
            .insert((site.clone(), resource.id.clone(), fingerprint));
    }

    /// This run deletes a thing.
    pub(super) fn deleted(&mut self, site: &Name, id: &ResourceId) {
        self.deleted.insert((site.clone(), id.clone()));
    }

    /// Whether a thing is as the plan assumes: as it was then, as our own writes left it, or let
    /// go by a machine that this run deletes.
    pub(super) fn is_expected(&self, site: &Name, target: &TargetRef, fresh: &Resource) -> bool {
        let fingerprint = fresh.fingerprint();
        if fingerprint == target.fingerprint {
            return true;
        }
        let ours = (site.clone(), target.id.clone(), fingerprint);
        self.ours.contains(&ours) || self.was_let_go(site, target, fresh)
    }

    fn was_let_go(&self, site: &Name, target: &TargetRef, fresh: &Resource) -> bool {
        let Some(before) = self.before.get(&(site.clone(), target.id.clone())) else {
            return false;
        };
        let Some(machine) = attached_to(&before.spec) else {
            return false;
        };
        if attached_to(&fresh.spec).is_some()
            || before.fingerprint() != target.fingerprint
            || !self.deleted.contains(&(site.clone(), machine.clone()))
        {
            return false;
        }
        let mut let_go = before.clone();
        detach(&mut let_go.spec);
        let_go.fingerprint() == fresh.fingerprint()
    }
}

/// What a step changes or deletes.
pub(super) fn targets_of(op: &StepOp) -> &[TargetRef] {
    match op {
        StepOp::Create { .. } | StepOp::Probe { .. } => &[],
        StepOp::Update { target, .. } | StepOp::Attach { target, .. } => target.as_slice(),
        StepOp::Detach { target }
        | StepOp::ClearRules { target }
        | StepOp::Rename { target }
        | StepOp::Release { target }
        | StepOp::Restart { target, .. } => std::slice::from_ref(target),
        StepOp::Stop { targets } | StepOp::Start { targets } | StepOp::Delete { targets } => {
            targets
        }
    }
}

/// How fit a thing is to be referred to; `None` for one that is going away or broken.
const fn health(state: ResourceState) -> Option<u8> {
    match state {
        ResourceState::Ready => Some(2),
        ResourceState::Stopped => Some(1),
        ResourceState::Pending => Some(0),
        ResourceState::Deleting | ResourceState::Failed | ResourceState::Unseen => None,
    }
}

/// The machine that a volume or address is attached to.
pub(super) const fn attached_to<R>(spec: &Spec<R>) -> Option<&R> {
    match spec {
        Spec::Volume(spec) => spec.attach.as_ref(),
        Spec::Address(spec) => spec.attach.as_ref(),
        _ => None,
    }
}

/// Takes the attachment out of a spec.
pub(super) fn detach<R>(spec: &mut Spec<R>) {
    set_attached(spec, None);
}

/// Sets the attachment in the spec of a volume or address.
pub(super) fn set_attached<R>(spec: &mut Spec<R>, machine: Option<R>) {
    match spec {
        Spec::Volume(spec) => spec.attach = machine,
        Spec::Address(spec) => spec.attach = machine,
        _ => {}
    }
}
