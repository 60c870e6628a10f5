//! Machines that a cloud makes to measure, among what its sites sell: those that fit what the topology asks
//! for, and those that run.

use std::collections::{BTreeMap, BTreeSet};

use strat_catalogue::{Cloud, Wanted};
use strat_model::{
    CapacityKind, Intent, Inventory, MachineIntent, Name, Offer, SiteFacts, SiteSpec, Size, Spec,
};

/// Adds to what each site sells. What is there keeps its place among the offers, so it has a price and stays
/// on sale when nothing asks for its size any more.
pub(crate) fn add_all(
    intent: &Intent,
    inventory: &Inventory,
    facts: &mut BTreeMap<Name, SiteFacts>,
) {
    for (name, facts) in facts {
        if let Some(site) = intent.sites.get(name) {
            let seen = inventory.sites.get(name);
            let things = seen.into_iter().flat_map(|seen| &seen.resources);
            let runs = things.filter_map(|thing| {
                let Spec::Machine(spec) = &thing.spec else {
                    return None;
                };
                Some(spec.machine_type.as_str())
            });
            add(intent, site, &mut facts.offers, runs);
        }
    }
}

/// The same for one site, whose offers stay sorted by zone, type and capacity.
pub(crate) fn add<'a>(
    intent: &'a Intent,
    site: &SiteSpec,
    offers: &mut Vec<Offer>,
    runs: impl Iterator<Item = &'a str>,
) {
    let Ok(cloud) = site.provider.parse::<Cloud>() else {
        return;
    };
    let machines = intent.machines.iter();
    let here = machines.filter(|machine| machine.placement.sites.contains(&site.name));
    let wanted: BTreeSet<Wanted<'_>> = here
        .map(wanted)
        .chain(
            runs.filter(|name| cloud.is_made_to_measure(name))
                .map(Wanted::Type),
        )
        .collect();
    let made = cloud.made_to_measure(offers, &wanted);
    if made.is_empty() {
        return;
    }
    offers.extend(made);
    offers.sort_by(|a, b| key(a).cmp(&key(b)));
}

fn key(offer: &Offer) -> (&Name, &str, CapacityKind) {
    (&offer.zone, &offer.machine_type, offer.capacity)
}

fn wanted(machine: &MachineIntent) -> Wanted<'_> {
    match &machine.size {
        Size::AtLeast { cpu, memory } => Wanted::AtLeast {
            cpu: *cpu,
            memory: *memory,
        },
        Size::Type(name) => Wanted::Type(name),
    }
}
