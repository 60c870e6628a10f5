//! Whether owned hardware has room at each moment.

use strat_model::{Name, SiteFacts, Spec};

use super::order::{Bits, Order};
use super::{Seen, takes_room};
use crate::plan::Plan;
use crate::room::amounts;
use crate::step::{Step, StepGraph, StepOp};

/// CPUs and bytes of memory.
type Amounts = (i128, i128);

/// What is wrong where a site's hardware is asked for more than it has at some moment of a run in
/// which everything is made as early as its order permits, and goes as late.
///
/// Each moment that is looked at can come, so what is told is wrong; not each that can come is
/// looked at.
pub(super) fn exceeded(
    site: &Name,
    facts: &SiteFacts,
    seen: &Seen<'_>,
    plan: &Plan,
    graph: &StepGraph,
    order: &Order,
) -> Option<String> {
    let free = facts.free?;
    let takes = |step: &Step| takes(step, site, seen, plan);
    let sorted = order.sorted().iter().map(|id| &graph.steps[id.index()]);
    let here: Vec<(&Step, Amounts)> = sorted
        .filter_map(|step| Some((step, takes(step)?)))
        .collect();
    let goes: Vec<&(&Step, Amounts)> = here.iter().filter(|(_, (cpu, _))| *cpu < 0).collect();
    let mut comes: Vec<&(&Step, Amounts)> = here.iter().filter(|(_, (cpu, _))| *cpu > 0).collect();
    // Those first that need least to be gone.
    comes.sort_by_key(|(step, _)| {
        let gone = goes
            .iter()
            .filter(|(gone, _)| order.is_before(gone.id, step.id));
        (gone.count(), step.id)
    });
    let mut done = Bits::none(graph.steps.len());
    let (mut cpu, mut memory) = (0, 0);
    for (step, takes) in comes {
        let first = goes
            .iter()
            .filter(|(gone, _)| order.is_before(gone.id, step.id));
        for (gone, gives) in first {
            if !done.has(gone.id) {
                done.insert(gone.id);
                cpu += gives.0;
                memory += gives.1;
            }
        }
        cpu += takes.0;
        memory += takes.1;
        if cpu > i128::from(free.cpu) || memory > i128::from(free.memory.0) {
            return Some(format!(
                "when {} comes, {site} lacks room: {cpu} CPUs and {memory} bytes more than now are \
                 taken, and {} CPUs and {} are free",
                step.addr, free.cpu, free.memory
            ));
        }
    }
    None
}

/// What a step takes of a site's hardware; less than nothing, what it gives back.
fn takes(step: &Step, site: &Name, seen: &Seen<'_>, plan: &Plan) -> Option<Amounts> {
    if step.site != *site || !takes_room(step.kind) {
        return None;
    }
    match &step.op {
        StepOp::Create { goal, count, .. } => {
            let goal = plan.changes[step.change].goals.get(*goal)?;
            let Spec::Machine(spec) = &goal.spec else {
                return None;
            };
            let (cpu, memory, _) = amounts(spec);
            let count = i128::from(*count);
            Some((i128::from(cpu) * count, i128::from(memory) * count))
        }
        StepOp::Restart { target, goal, .. } => {
            let goal = plan.changes[step.change].goals.get(*goal)?;
            let is = seen.get(&(site, &target.id)).map(|seen| &seen.spec);
            let (Spec::Machine(to), Some(Spec::Machine(is))) = (&goal.spec, is) else {
                return None;
            };
            let ((cpu, memory, _), (cpu_is, memory_is, _)) = (amounts(to), amounts(is));
            let more = |to: u64, is: u64| i128::from(to) - i128::from(is);
            Some((more(cpu, cpu_is), more(memory, memory_is)))
        }
        StepOp::Delete { targets } => {
            let mut gives = (0, 0);
            for target in targets {
                if let Some(Spec::Machine(spec)) =
                    seen.get(&(site, &target.id)).map(|seen| &seen.spec)
                {
                    let (cpu, memory, _) = amounts(spec);
                    gives = (gives.0 - i128::from(cpu), gives.1 - i128::from(memory));
                }
            }
            Some(gives)
        }
        _ => None,
    }
}
