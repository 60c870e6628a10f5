//! A volume that may be mounted is never pulled off a machine that runs: the machine is shut down
//! before, and if it stays it is switched on again.

use std::collections::BTreeMap;

use strat_model::{Addr, Name, Resource, ResourceId, ResourceState, Spec};

use super::{Lowering, attachment};
use crate::plan::TargetRef;
use crate::step::{StepId, StepOp};

/// The steps that let a machine's volumes go.
type LetGo<'a> = BTreeMap<(&'a Name, &'a ResourceId), Vec<StepId>>;

/// The steps that attach something to the machine at an address.
type Attaches<'a> = BTreeMap<&'a Addr, Vec<StepId>>;

impl<'a> Lowering<'a> {
    /// Puts a shutdown before the steps that let a running machine's volumes go, and for one that
    /// stays a start after them. What is no machine of ours is left alone: the step that lets its
    /// volume go fails while it runs.
    pub(super) fn stop_first(&mut self) {
        let let_go = self.let_go_steps();
        if let_go.is_empty() {
            return;
        }
        let attaches = self.attach_steps();
        for ((site, id), detaches) in let_go {
            let Some(machine) = self.index.by_id(site, id) else {
                continue;
            };
            let Some(addr) = self.address_of(site, machine) else {
                continue;
            };
            let attaches = attaches.get(addr).map_or(&[][..], Vec::as_slice);
            if matches!(machine.state, ResourceState::Ready | ResourceState::Pending) {
                self.stop(site, addr, machine, &detaches, attaches);
            } else {
                self.start_after(site, machine, &detaches, attaches);
            }
        }
    }

    /// The address of a machine of this topology.
    fn address_of(&self, site: &Name, machine: &'a Resource) -> Option<&'a Addr> {
        let mark = machine.mark.as_ref()?;
        (mark.owner == self.plan.topology && mark.addr.site == *site).then_some(&mark.addr)
    }

    fn let_go_steps(&self) -> LetGo<'a> {
        let mut steps = LetGo::new();
        for step in &self.steps {
            let StepOp::Detach { target } = &step.op else {
                continue;
            };
            let site = &self.plan.changes[step.change].site;
            let volume = self.index.by_id(site, &target.id).map(|found| &found.spec);
            if let Some(Spec::Volume(volume)) = volume
                && let Some(machine) = &volume.attach
            {
                steps.entry((site, machine)).or_default().push(step.id);
            }
        }
        steps
    }

    fn attach_steps(&self) -> Attaches<'a> {
        let mut steps = Attaches::new();
        for step in &self.steps {
            let StepOp::Attach { goal, .. } = &step.op else {
                continue;
            };
            let goal = self.plan.changes[step.change].goals.get(*goal);
            if let Some(machine) = goal.and_then(|goal| attachment(&goal.spec)) {
                steps.entry(machine).or_default().push(step.id);
            }
        }
        steps
    }

    fn stop(
        &mut self,
        site: &'a Name,
        addr: &'a Addr,
        machine: &'a Resource,
        detaches: &[StepId],
        attaches: &[StepId],
    ) {
        let goes = self.machines_that_go.contains(&(site, &machine.id));
        let target = TargetRef::of(machine, 0);
        let targets = vec![target];
        // What is made for it is made while it still runs.
        let mut before = self.successors_of(addr, goes);
        before.extend(self.updates_of(site, &machine.id));
        let op = StepOp::Stop {
            targets: targets.clone(),
        };
        let stop = self.push_for(addr, detaches[0], op);
        self.wait_softly_for_all(&[stop], &before);
        self.wait_for_all(detaches, &[stop]);
        let touched = self.touches.entry((site, &machine.id)).or_default();
        touched.push(stop);
        if goes {
            return;
        }
        let start = self.push_for(addr, detaches[0], StepOp::Start { targets });
        self.wait_for_all(&[start], detaches);
        // What is attached to it anew is attached while it is off, so that it starts with it.
        self.wait_softly_for_all(attaches, &[stop]);
        self.wait_softly_for_all(&[start], attaches);
        let touched = self.touches.entry((site, &machine.id)).or_default();
        touched.push(start);
    }

    /// A machine that is off stays so until its volumes are let go, and those that come are attached.
    fn start_after(
        &mut self,
        site: &'a Name,
        machine: &'a Resource,
        detaches: &[StepId],
        attaches: &[StepId],
    ) {
        let starts = self.touching(site, &machine.id, |op| {
            matches!(op, StepOp::Restart { .. } | StepOp::Start { .. })
        });
        self.wait_for_all(&starts, detaches);
        self.wait_softly_for_all(&starts, attaches);
    }

    /// Pushes a step about a machine, as part of the change that another step belongs to.
    fn push_for(&mut self, machine: &Addr, of: StepId, op: StepOp) -> StepId {
        let plan = self.plan;
        let number = self.steps[of.index()].change;
        let id = self.push(number, &plan.changes[number], op, Vec::new());
        let step = &mut self.steps[id.index()];
        step.addr = machine.clone();
        step.kind = machine.kind();
        step.site = machine.site.clone();
        id
    }

    /// The steps that make what takes the place of a machine that goes.
    fn successors_of(&self, addr: &Addr, goes: bool) -> Vec<StepId> {
        let creates = self.creates.iter().filter(|(made, _)| {
            goes && made.local == addr.local && !self.destroy_first.contains(*made)
        });
        creates.flat_map(|(_, steps)| steps).copied().collect()
    }

    /// The steps that change a machine in place.
    fn updates_of(&self, site: &Name, id: &ResourceId) -> Vec<StepId> {
        self.touching(site, id, |op| {
            matches!(
                op,
                StepOp::Update { .. }
                    | StepOp::Restart { .. }
                    | StepOp::Start { .. }
                    | StepOp::Probe { .. }
            )
        })
    }

    /// The steps about a thing that do something of a kind.
    fn touching(&self, site: &Name, id: &ResourceId, is: impl Fn(&StepOp) -> bool) -> Vec<StepId> {
        let touches = self.touches.get(&(site, id)).into_iter().flatten();
        let steps = touches.filter(|step| is(&self.steps[step.index()].op));
        steps.copied().collect()
    }
}
