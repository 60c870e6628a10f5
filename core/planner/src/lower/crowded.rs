//! Subnets without an address for what goes and what comes at once.

use strat_model::{Addr, Kind, Name, Spec};

use super::Lowering;
use crate::plan::{Action, GoesFirst};
use crate::step::{Step, StepId, StepOp};

/// The steps about the machines of one subnet.
#[derive(Default)]
struct Subnet {
    /// Those that delete what goes without a successor.
    surplus: Vec<StepId>,
    /// Those that delete anything, in waves and otherwise.
    gone: Vec<StepId>,
    gone_in_waves: Vec<StepId>,
    /// Those that make something, in waves and otherwise.
    made: Vec<StepId>,
    made_in_waves: Vec<StepId>,
}

impl Lowering<'_> {
    /// Where a subnet has no address for what goes and what comes at once, what goes is gone before
    /// others come.
    pub(super) fn free_addresses(&mut self) {
        let plan = self.plan;
        for (addr, first) in &plan.crowded {
            let subnet = self.subnet(addr);
            // In waves, each takes the addresses that the one before it has left.
            self.wait_softly_for_all(&subnet.made_in_waves, &subnet.surplus);
            match first {
                GoesFirst::Surplus => self.wait_softly_for_all(&subnet.made, &subnet.surplus),
                GoesFirst::All => {
                    self.wait_softly_for_all(&subnet.made, &subnet.gone_in_waves);
                    self.wait_for_all(&subnet.made, &subnet.gone);
                }
            }
        }
    }

    fn subnet(&self, addr: &Addr) -> Subnet {
        let mut subnet = Subnet::default();
        let machines = |step: &&Step| step.site == addr.site && step.kind == Kind::Machine;
        for step in self.steps.iter().filter(machines) {
            let change = &self.plan.changes[step.change];
            let rolls = self.rolls(change);
            if self.comes_into(step, |to| to == addr) {
                let made = if rolls {
                    &mut subnet.made_in_waves
                } else {
                    &mut subnet.made
                };
                made.push(step.id);
            } else if self.goes_from(step, |from| from == addr) {
                let gone = if rolls {
                    &mut subnet.gone_in_waves
                } else {
                    &mut subnet.gone
                };
                gone.push(step.id);
                let has_successors = || {
                    self.creates
                        .keys()
                        .any(|made| made.local == step.addr.local)
                };
                let is_left_over = !rolls && change.action == Action::Delete && !has_successors();
                if self.surplus.contains(&step.id) || is_left_over {
                    subnet.surplus.push(step.id);
                }
            }
        }
        subnet
    }

    /// Whether all that goes from some subnet of a site goes first.
    pub(super) fn is_crowded(&self, site: &Name) -> bool {
        let mut crowded = self.plan.crowded.iter();
        crowded.any(|(subnet, first)| subnet.site == *site && *first == GoesFirst::All)
    }

    /// Whether a step deletes a machine of a subnet from which all goes first.
    pub(super) fn frees_crowded(&self, step: &Step) -> bool {
        self.is_crowded(&step.site) && self.goes_from(step, |from| self.goes_first(from))
    }

    /// Whether a step makes a machine in a subnet from which all goes first.
    pub(super) fn comes_crowded(&self, step: &Step) -> bool {
        self.comes_into(step, |to| self.goes_first(to))
    }

    fn goes_first(&self, subnet: &Addr) -> bool {
        self.plan.crowded.get(subnet) == Some(&GoesFirst::All)
    }

    fn comes_into(&self, step: &Step, is: impl Fn(&Addr) -> bool) -> bool {
        let StepOp::Create { goal, .. } = &step.op else {
            return false;
        };
        let goal = self.plan.changes[step.change].goals.get(*goal);
        goal.is_some_and(|goal| matches!(&goal.spec, Spec::Machine(to) if is(&to.subnet)))
    }

    fn goes_from(&self, step: &Step, is: impl Fn(&Addr) -> bool) -> bool {
        let StepOp::Delete { targets } = &step.op else {
            return false;
        };
        let mut targets = targets.iter();
        targets.any(|target| {
            let found = self.index.by_id(&step.site, &target.id);
            let Some(Spec::Machine(machine)) = found.map(|found| &found.spec) else {
                return false;
            };
            let subnet = self.index.addr_of(&step.site, &machine.subnet);
            subnet.is_some_and(&is)
        })
    }
}
