//! What goes down, and how many machines are left.

use std::collections::{BTreeMap, BTreeSet};

use stratiform::engine::Observation;
use stratiform::model::{Addr, Intent, LocalAddr, Name, Resource, ResourceId, ResourceState, Spec};

use crate::loss::Lost;
use crate::report::{Down, Load};

/// What of the topology's things goes down: all at a lost site; machines and volumes of a lost
/// zone, and the addresses that lead to those machines.
pub(crate) fn down(intent: &Intent, seen: &Observation, lost: &Lost) -> Vec<Down> {
    let machines: BTreeSet<(&Name, &ResourceId)> = ours(intent, seen)
        .filter(|(site, _, thing)| lost.takes(site, thing))
        .map(|(site, _, thing)| (site, &thing.id))
        .collect();
    let leads_there = |site, thing: &Resource| match &thing.spec {
        Spec::Address(spec) => spec
            .attach
            .as_ref()
            .is_some_and(|id| machines.contains(&(site, id))),
        _ => false,
    };
    let mut counts: BTreeMap<&Addr, u32> = BTreeMap::new();
    for (site, addr, thing) in ours(intent, seen) {
        if lost.takes(site, thing) || leads_there(site, thing) {
            *counts.entry(addr).or_default() += 1;
        }
    }
    let down = counts.into_iter().map(|(addr, count)| Down {
        addr: addr.clone(),
        kind: addr.kind(),
        count,
    });
    down.collect()
}

/// How many machines of each fleet run where nothing is lost; `before` is what ran before the loss.
pub(crate) fn loads(
    intent: &Intent,
    before: &Observation,
    now: &Observation,
    lost: &Lost,
) -> Vec<Load> {
    let ready = |seen: &Observation, machine: &LocalAddr, lost: &Lost| {
        let of = ours(intent, seen).filter(|(_, addr, _)| addr.local == *machine);
        let running = of.filter(|(site, _, thing)| {
            thing.state == ResourceState::Ready && !lost.takes(site, thing)
        });
        u32::try_from(running.count()).unwrap_or(u32::MAX)
    };
    let load = |machine: &stratiform::model::MachineIntent| {
        let addr = &machine.common.addr;
        let left = ready(now, addr, lost);
        Load {
            addr: addr.clone(),
            wanted: machine.count,
            before: ready(before, addr, &Lost::default()),
            left,
            holds: left >= machine.count,
            survive: machine.placement.survive,
        }
    };
    intent.machines.iter().map(load).collect()
}

/// The topology's things, each with its site and address.
fn ours<'a>(
    intent: &'a Intent,
    seen: &'a Observation,
) -> impl Iterator<Item = (&'a Name, &'a Addr, &'a Resource)> {
    seen.inventory.resources().filter_map(|(site, thing)| {
        let mark = thing.mark.as_ref()?;
        intent
            .owner
            .owns(&mark.owner)
            .then_some((site, &mark.addr, thing))
    })
}
