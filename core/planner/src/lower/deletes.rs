//! The order of deletes: whatever refers to a thing lets go of it first.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use strat_model::{ImageRef, Inventory, Kind, LocalAddr, Name, ResourceId, Spec};

use super::{Lowering, moves};
use crate::step::{Step, StepId, StepOp};

impl<'a> Lowering<'a> {
    /// Makes every delete wait for the steps of what refers to its things, and for the successors
    /// of what moves.
    pub(super) fn order_deletes(&mut self, inventory: &'a Inventory) {
        let users = users(inventory);
        let volumes = volumes(inventory);
        for number in 0..self.steps.len() {
            let step = &self.steps[number];
            let StepOp::Delete { targets } = &step.op else {
                continue;
            };
            let change = &self.plan.changes[step.change];
            let mut deps: Vec<StepId> = Vec::new();
            for target in targets {
                let own = self.touches.get(&(&change.site, &target.id));
                deps.extend(own.into_iter().flatten().filter(|id| id.index() < number));
                deps.extend(self.machine_first(&change.site, &target.id));
                deps.extend(self.detaches(&volumes, &change.site, &target.id));
                for user in users.get(&(&change.site, &target.id)).into_iter().flatten() {
                    match self.cleared(&change.site, user, &target.id) {
                        Some(cleared) => deps.extend(cleared),
                        None => deps.extend(self.touches(&change.site, user)),
                    }
                }
            }
            let id = self.steps[number].id;
            self.steps[number]
                .deps
                .extend(deps.into_iter().filter(|dep| *dep != id));
        }
        self.successors_first();
    }

    /// What moves goes once its successors are there.
    fn successors_first(&mut self) {
        let mut moving: BTreeMap<(&LocalAddr, bool), Vec<StepId>> = BTreeMap::new();
        for step in &self.steps {
            let change = &self.plan.changes[step.change];
            let goes = matches!(step.op, StepOp::Delete { .. });
            if goes && moves(change) && !self.rolls(change) {
                let tight = self.plan.tight.contains(&change.site) || self.frees_crowded(step);
                let block = (&change.addr.local, tight);
                moving.entry(block).or_default().push(step.id);
            }
        }
        if moving.is_empty() {
            return;
        }
        let successors = self.successors();
        for ((local, tight), gone) in moving {
            let made = successors.get(local).into_iter().flatten().copied();
            if tight {
                // Where there is no room, what comes waits for what goes; so what goes waits only
                // for what comes where there is room, if that leads in no circle.
                let steps = &self.steps;
                let made = made.filter(|id| {
                    let step = &steps[id.index()];
                    !self.plan.tight.contains(&step.site) && !self.comes_crowded(step)
                });
                let made: Vec<_> = made.collect();
                self.wait_softly_for_all(&gone, &made);
            } else {
                let made: Vec<_> = made.collect();
                self.wait_for_all(&gone, &made);
            }
        }
    }

    /// A volume whose machine goes too waits for that: the machine lets it go as it goes.
    fn machine_first(&self, site: &'a Name, id: &ResourceId) -> Vec<StepId> {
        let Some(Spec::Volume(volume)) = self.index.by_id(site, id).map(|found| &found.spec) else {
            return Vec::new();
        };
        let machine = volume
            .attach
            .as_ref()
            .and_then(|machine| self.touches.get(&(site, machine)));
        machine.into_iter().flatten().copied().collect()
    }

    /// Where there is no room for what goes and what comes at once, all machines that go are gone
    /// before the first comes.
    pub(super) fn make_room(&mut self) {
        let plan = self.plan;
        for site in &plan.tight {
            let machines = |step: &&Step| step.site == *site && step.kind == Kind::Machine;
            let (mut gone, mut made, mut grown) = (Vec::new(), Vec::new(), Vec::new());
            for step in self.steps.iter().filter(machines) {
                match step.op {
                    StepOp::Delete { .. } => gone.push(step.id),
                    // In waves, each takes the room that the one before it has left.
                    StepOp::Create { .. } if !plan.rollouts.contains_key(&step.addr.local) => {
                        made.push(step.id);
                    }
                    StepOp::Restart { .. } if self.grows(step) => grown.push(step.id),
                    StepOp::Restart { .. } => gone.push(step.id),
                    _ => {}
                }
            }
            self.wait_softly_for_all(&grown, &gone);
            gone.retain(|id| matches!(self.steps[id.index()].op, StepOp::Delete { .. }));
            self.wait_for_all(&made, &gone);
        }
    }

    /// Whether a machine that becomes another size takes more of its site's hardware then.
    fn grows(&self, step: &Step) -> bool {
        let StepOp::Restart { target, goal, .. } = &step.op else {
            return false;
        };
        let goal = self.plan.changes[step.change].goals.get(*goal);
        let is = self.index.by_id(&step.site, &target.id);
        match (goal.map(|goal| &goal.spec), is.map(|is| &is.spec)) {
            (Some(Spec::Machine(to)), Some(Spec::Machine(is))) => {
                to.cpu > is.cpu || to.memory > is.memory
            }
            _ => false,
        }
    }

    fn touches(&self, site: &'a Name, id: &'a ResourceId) -> impl Iterator<Item = StepId> {
        self.touches.get(&(site, id)).into_iter().flatten().copied()
    }

    /// Of two firewalls that name each other and both go, each waits only until the other has no
    /// rules any more.
    fn cleared(
        &self,
        site: &'a Name,
        user: &'a ResourceId,
        used: &'a ResourceId,
    ) -> Option<Vec<StepId>> {
        let circle = self.circles.get(&(site, user))?;
        if self.circles.get(&(site, used)) != Some(circle) {
            return None;
        }
        let clears = |id: &StepId| matches!(self.steps[id.index()].op, StepOp::ClearRules { .. });
        Some(self.touches(site, user).filter(clears).collect())
    }

    /// A machine goes only once the volumes that are led elsewhere are let go.
    fn detaches(
        &self,
        volumes: &Users<'a>,
        site: &'a Name,
        machine: &'a ResourceId,
    ) -> Vec<StepId> {
        let volumes = volumes.get(&(site, machine)).into_iter().flatten();
        let steps = volumes
            .filter_map(|volume| self.touches.get(&(site, *volume)))
            .flatten();
        let detach = |id: &StepId| matches!(self.steps[id.index()].op, StepOp::Detach { .. });
        steps.copied().filter(detach).collect()
    }

    fn successors(&self) -> FxHashMap<&'a LocalAddr, Vec<StepId>> {
        let mut successors: FxHashMap<&LocalAddr, Vec<StepId>> = FxHashMap::default();
        for (addr, steps) in &self.creates {
            successors.entry(&addr.local).or_default().extend(steps);
        }
        successors
    }
}

/// Which things refer to a thing.
pub(crate) type Users<'a> = FxHashMap<(&'a Name, &'a ResourceId), Vec<&'a ResourceId>>;

/// Who refers to whom now. The attachment of a volume or address does not count: a machine lets go
/// of both as it goes.
pub(crate) fn users(inventory: &Inventory) -> Users<'_> {
    let mut users = Users::default();
    for (site, resource) in inventory.resources() {
        let mut references: Vec<&ResourceId> = Vec::new();
        match &resource.spec {
            Spec::Subnet(spec) => references.push(&spec.network),
            Spec::Firewall(spec) => {
                references.push(&spec.network);
                let peers = spec.rules.iter().flat_map(|rule| &rule.peers);
                references.extend(peers.filter_map(strat_model::Peer::firewall));
            }
            Spec::Machine(spec) => {
                references.push(&spec.subnet);
                references.extend(&spec.firewalls);
                references.extend(&spec.keypair);
                let (ImageRef::Named { id, .. } | ImageRef::Managed(id)) = &spec.image;
                references.push(id);
            }
            _ => {}
        }
        for reference in references {
            if *reference != resource.id {
                users
                    .entry((site, reference))
                    .or_default()
                    .push(&resource.id);
            }
        }
    }
    users
}

/// Which volumes are attached to a machine now.
fn volumes(inventory: &Inventory) -> Users<'_> {
    let mut volumes = Users::default();
    for (site, resource) in inventory.resources() {
        if let Spec::Volume(volume) = &resource.spec
            && let Some(machine) = &volume.attach
        {
            volumes
                .entry((site, machine))
                .or_default()
                .push(&resource.id);
        }
    }
    volumes
}
