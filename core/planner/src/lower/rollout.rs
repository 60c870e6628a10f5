//! Waves: machines that give way to others go a portion at a time, once the new ones do their work.

use rustc_hash::{FxHashMap, FxHashSet};
use strat_model::{Addr, HealthCheck, LocalAddr, Noun, Resource, ResourceState};

use super::{Lowering, attachment};
use crate::plan::{Action, Change, Rollout};
use crate::step::{Step, StepId, StepOp};
use crate::waves::{Going, Group, Making, Waves, split};

impl<'a> Lowering<'a> {
    /// Whether a change is part of a rollout.
    pub(super) fn rolls(&self, change: &Change) -> bool {
        let counts = matches!(
            change.action,
            Action::Create | Action::Replace | Action::Delete
        );
        counts && self.plan.rollouts.contains_key(&change.addr.local)
    }

    /// The steps of every rollout.
    pub(super) fn roll_out(&mut self) {
        let plan = self.plan;
        let mut groups: FxHashMap<&LocalAddr, Group<'a>> = FxHashMap::default();
        for (number, change) in plan.changes.iter().enumerate() {
            if self.rolls(change) {
                let group = groups.entry(&change.addr.local).or_default();
                group.push((number, change));
            }
        }
        for (local, rollout) in &plan.rollouts {
            let group = groups.remove(local).unwrap_or_default();
            let stay = self.probe_what_stays(local, &group, rollout.health.as_ref());
            let waves = split(&group, rollout.wave, self.index);
            self.waves(rollout, &waves, &stay);
        }
    }

    /// New before old, or old before new, wave after wave. Nothing goes before what `stay`s was
    /// found healthy.
    fn waves(&mut self, rollout: &Rollout, waves: &Waves<'a>, stay: &[StepId]) {
        let mut before = self.go(&waves.surplus, stay);
        self.surplus.extend(&before);
        for wave in &waves.waves {
            if rollout.destroy_first {
                before.extend(stay);
                let gone = self.go(&wave.go, &before);
                let made = self.make(&wave.make, &gone);
                before = self.probe(rollout.health.as_ref(), made);
            } else {
                let made = self.make(&wave.make, &before);
                let mut healthy = self.probe(rollout.health.as_ref(), made);
                healthy.extend(stay);
                before = self.go(&wave.go, &healthy);
            }
        }
    }

    /// Makes machines, after some steps.
    fn make(&mut self, make: &[Making], after: &[StepId]) -> Vec<StepId> {
        let plan = self.plan;
        let mut made = Vec::new();
        for making in make {
            let change = &plan.changes[making.change];
            let generation = self.next_generation(change);
            let facts = self.facts.get(&change.site);
            let batch = facts.map_or(1, |facts| facts.capabilities.create_batch.max(1));
            let mut left = making.count;
            while left > 0 {
                let count = left.min(batch);
                left -= count;
                let op = StepOp::Create {
                    goal: making.goal,
                    count,
                    generation,
                    part: self.next_part(&change.addr),
                    without: Vec::new(),
                };
                let id = self.push(making.change, change, op, Vec::new());
                self.creates.entry(&change.addr).or_default().push(id);
                self.provides.entry(&change.addr).or_default().push(id);
                made.push(id);
            }
        }
        self.wait_softly_for_all(&made, after);
        made
    }

    /// Deletes machines, after some steps.
    fn go(&mut self, go: &[Going<'a>], after: &[StepId]) -> Vec<StepId> {
        let plan = self.plan;
        let mut gone = Vec::new();
        for going in go {
            let change = &plan.changes[going.change];
            let facts = self.facts.get(&change.site);
            let batch = facts.map_or(1, |facts| facts.capabilities.ids_per_call.max(1));
            for targets in going.targets.chunks(batch as usize) {
                let op = StepOp::Delete {
                    targets: targets.iter().map(|target| (*target).clone()).collect(),
                };
                let id = self.push(going.change, change, op, Vec::new());
                for target in targets {
                    let touched = self.touches.entry((&change.site, &target.id));
                    touched.or_default().push(id);
                }
                gone.push(id);
            }
        }
        self.wait_softly_for_all(&gone, after);
        gone
    }

    /// What says that what was made does its work: a probe of each step's machines, or without a
    /// health check the steps themselves.
    fn probe(&mut self, health: Option<&HealthCheck>, made: Vec<StepId>) -> Vec<StepId> {
        let Some(health) = health else {
            return made;
        };
        let plan = self.plan;
        let probe = |id: StepId| {
            let number = self.steps[id.index()].change;
            let op = StepOp::Probe {
                made: vec![id],
                ids: Vec::new(),
                health: Some(health.clone()),
            };
            self.push(number, &plan.changes[number], op, vec![id])
        };
        made.into_iter().map(probe).collect()
    }

    /// Asks the machines that stay, at each site: what an interrupted rollout made may not run yet,
    /// and may never have been asked.
    fn probe_what_stays(
        &mut self,
        local: &LocalAddr,
        group: &Group<'a>,
        health: Option<&HealthCheck>,
    ) -> Vec<StepId> {
        let Some((number, first)) = group.first() else {
            return Vec::new();
        };
        let goes = group.iter().flat_map(|(_, change)| {
            let targets = change.targets.iter();
            targets.map(|target| (&change.site, &target.id))
        });
        let goes: FxHashSet<_> = goes.collect();
        let mut probes = Vec::new();
        for place in self.index.places(local).to_vec() {
            let here = self.index.at(place).iter();
            let unsure = |found: &&&Resource| match found.state {
                ResourceState::Unseen => false,
                state => health.is_some() || state == ResourceState::Pending,
            };
            let stay = here.filter(|found| !goes.contains(&(&place.site, &found.id)));
            let stay = stay.filter(unsure);
            let ids: Vec<_> = stay.map(|found| found.id.clone()).collect();
            if ids.is_empty() {
                continue;
            }
            let touched = ids.iter().flat_map(|id| {
                let steps = self.touches.get(&(&place.site, id));
                steps.into_iter().flatten().copied()
            });
            let deps = touched.collect();
            let op = StepOp::Probe {
                made: Vec::new(),
                ids,
                health: health.cloned(),
            };
            let id = self.push(*number, first, op, deps);
            let step: &mut Step = &mut self.steps[id.index()];
            step.addr = place.clone();
            step.site = place.site.clone();
            probes.push(id);
        }
        probes
    }

    /// A machine with an identity is asked once it has its volumes and addresses.
    pub(super) fn probe_when_attached(&mut self) {
        let plan = self.plan;
        let mut attached: FxHashMap<&Addr, Vec<StepId>> = FxHashMap::default();
        for step in &self.steps {
            let StepOp::Attach { goal, .. } = &step.op else {
                continue;
            };
            let goals = &plan.changes[step.change].goals;
            if let Some(to) = goals.get(*goal).and_then(|goal| attachment(&goal.spec)) {
                attached.entry(to).or_default().push(step.id);
            }
        }
        for number in 0..self.steps.len() {
            let probe = &self.steps[number];
            let machine = probe.addr.local.noun == Noun::Machine;
            if machine
                && matches!(probe.op, StepOp::Probe { .. })
                && let Some(steps) = attached.get(&probe.addr)
            {
                let probe = probe.id;
                self.wait_softly_for_all(&[probe], steps);
            }
        }
    }
}
