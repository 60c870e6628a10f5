//! Whether owned hardware has room at each moment, and whether each machine gets an address.

use std::collections::BTreeMap;

use strat_model::{Addr, Name, Resource, SiteFacts, Spec};

use super::order::{Bits, Order};
use super::{Seen, takes_room};
use crate::plan::Plan;
use crate::room::amounts;
use crate::step::{Step, StepGraph, StepOp};

/// CPUs and bytes of memory, or addresses.
type Amounts = [i128; 2];

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
    let free = facts.free.as_ref()?;
    let bound = [i128::from(free.cpu), i128::from(free.memory.0)];
    let (step, [cpu, memory]) =
        first_over(bound, graph, order, |step| takes(step, site, seen, plan))?;
    Some(format!(
        "when {} comes, {site} lacks room: {cpu} CPUs and {memory} bytes more than now are taken, and \
         {} CPUs and {} are free",
        step.addr, free.cpu, free.memory
    ))
}

/// What is wrong where more machines are in a subnet at some moment than it has addresses, of those that
/// are there and stay.
pub(super) fn crowded(
    site: &Name,
    facts: &SiteFacts,
    seen: &Seen<'_>,
    plan: &Plan,
    graph: &StepGraph,
    order: &Order,
) -> Vec<String> {
    let makes = |addr: &Addr| {
        let mut steps = graph.steps.iter();
        steps.any(|step| step.addr == *addr && matches!(step.op, StepOp::Create { .. }))
    };
    let mut subnets: BTreeMap<&Addr, (&Resource, i128)> = BTreeMap::new();
    let mut inside: BTreeMap<&strat_model::ResourceId, i128> = BTreeMap::new();
    for ((at, _), resource) in seen.iter().filter(|((at, _), _)| *at == site) {
        match (&resource.spec, &resource.mark) {
            (Spec::Machine(machine), _) => *inside.entry(&machine.subnet).or_default() += 1,
            (Spec::Subnet(subnet), Some(mark)) if mark.addr.site == **at && !makes(&mark.addr) => {
                let reserved = &facts.capabilities.reserved_addresses;
                let usable = reserved.usable(subnet.cidr.prefix_len());
                subnets.insert(&mark.addr, (resource, usable.into()));
            }
            _ => {}
        }
    }
    let mut wrong = Vec::new();
    for (addr, (subnet, usable)) in subnets {
        let here = inside.get(&subnet.id).copied().unwrap_or(0);
        // What is there already may be more than there is room for.
        let left = (usable - here).max(0);
        let takes = |step: &Step| -> Option<Amounts> {
            let count = match &step.op {
                StepOp::Create { goal, count, .. } => {
                    let goal = plan.changes[step.change].goals.get(*goal)?;
                    match &goal.spec {
                        Spec::Machine(machine) if machine.subnet == *addr => i128::from(*count),
                        _ => return None,
                    }
                }
                StepOp::Delete { targets } if step.site == *site => {
                    let goes = targets.iter().filter(|target| {
                        let found = seen.get(&(site, &target.id)).map(|found| &found.spec);
                        matches!(found, Some(Spec::Machine(machine)) if machine.subnet == subnet.id)
                    });
                    -i128::try_from(goes.count()).unwrap_or(0)
                }
                _ => return None,
            };
            (count != 0).then_some([count, 0])
        };
        if let Some((step, [taken, _])) = first_over([left, i128::MAX], graph, order, takes) {
            wrong.push(format!(
                "when {} comes, {addr} has no address for it: {taken} more than now are taken, and {left} \
                 are left",
                step.addr
            ));
        }
    }
    wrong
}

/// The first step at which more is taken than there is, and how much that is.
fn first_over<'g>(
    bound: Amounts,
    graph: &'g StepGraph,
    order: &Order,
    takes: impl Fn(&Step) -> Option<Amounts>,
) -> Option<(&'g Step, Amounts)> {
    let sorted = order.sorted().iter().map(|id| &graph.steps[id.index()]);
    let here: Vec<(&Step, Amounts)> = sorted
        .filter_map(|step| Some((step, takes(step)?)))
        .collect();
    let goes: Vec<&(&Step, Amounts)> = here.iter().filter(|(_, [first, _])| *first < 0).collect();
    let mut comes: Vec<&(&Step, Amounts)> =
        here.iter().filter(|(_, [first, _])| *first > 0).collect();
    // Those first that need least to be gone.
    comes.sort_by_key(|(step, _)| {
        let gone = goes
            .iter()
            .filter(|(gone, _)| order.is_before(gone.id, step.id));
        (gone.count(), step.id)
    });
    let mut done = Bits::none(graph.steps.len());
    let mut taken: Amounts = [0, 0];
    for (step, takes) in comes {
        let first = goes
            .iter()
            .filter(|(gone, _)| order.is_before(gone.id, step.id));
        for (gone, gives) in first {
            if !done.has(gone.id) {
                done.insert(gone.id);
                taken = add(taken, *gives);
            }
        }
        taken = add(taken, *takes);
        if taken[0] > bound[0] || taken[1] > bound[1] {
            return Some((step, taken));
        }
    }
    None
}

fn add(one: Amounts, other: Amounts) -> Amounts {
    [one[0] + other[0], one[1] + other[1]]
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
            Some([i128::from(cpu) * count, i128::from(memory) * count])
        }
        StepOp::Restart { target, goal, .. } => {
            let goal = plan.changes[step.change].goals.get(*goal)?;
            let is = seen.get(&(site, &target.id)).map(|seen| &seen.spec);
            let (Spec::Machine(to), Some(Spec::Machine(is))) = (&goal.spec, is) else {
                return None;
            };
            let ((cpu, memory, _), (cpu_is, memory_is, _)) = (amounts(to), amounts(is));
            let more = |to: u64, is: u64| i128::from(to) - i128::from(is);
            Some([more(cpu, cpu_is), more(memory, memory_is)])
        }
        StepOp::Delete { targets } => {
            let mut gives = [0, 0];
            for target in targets {
                if let Some(Spec::Machine(spec)) =
                    seen.get(&(site, &target.id)).map(|seen| &seen.spec)
                {
                    let (cpu, memory, _) = amounts(spec);
                    gives = add(gives, [-i128::from(cpu), -i128::from(memory)]);
                }
            }
            Some(gives)
        }
        _ => None,
    }
}
