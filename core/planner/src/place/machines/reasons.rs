//! Why machines find no place, in words.

use strat_model::{Bytes, Diagnostic, Intent, MachineIntent, Name, Noun, SiteFacts};

use super::relax::{misfits, relax};
use super::{Allotment, Supply, permitted_zones};
use crate::place::offers::{Market, Shape};
use crate::room::Full;

/// Why a site sells nothing that would do.
pub(super) fn no_offer(machine: &MachineIntent, facts: &SiteFacts, market: &Market<'_>) -> String {
    if let Some(zone) = &machine.placement.zone
        && !facts.zones.contains(zone)
    {
        let known: Vec<_> = facts.zones.iter().map(Name::as_str).collect();
        return format!("it has no zone `{zone}`; it has {}", known.join(", "));
    }
    match (&machine.size, market.largest()) {
        (strat_model::Size::Type(name), _) => format!("it does not sell `{name}`"),
        (size, Some((cpu, memory))) if is_larger(size, Some((cpu, memory))) => {
            format!("nothing on sale is that large; the most is {cpu} CPUs and {memory}")
        }
        (strat_model::Size::AtLeast { .. }, Some(_)) => misfits(machine, market),
        (strat_model::Size::AtLeast { .. }, None) => "it sells nothing".to_owned(),
    }
}

/// The finding about machines that no permitted site has room for.
pub(super) fn no_place(
    allotment: &Allotment<'_>,
    intent: &Intent,
    supply: &Supply<'_>,
) -> Diagnostic {
    let machine = allotment.machine;
    let mut reasons: Vec<String> = Vec::new();
    for site in &allotment.sites {
        if let Some(why) = at_site(allotment, site, supply) {
            let line = format!("{site}: {why}");
            if !reasons.contains(&line) {
                reasons.push(line);
            }
        }
    }
    for site in &machine.placement.sites {
        if !allotment.sites.contains(&site) {
            reasons.push(format!(
                "{site}: {}",
                why_not_permitted(machine, site, intent)
            ));
        }
    }
    if let Some((site, zone)) = &allotment.pin
        && !reasons
            .iter()
            .any(|line| line.starts_with(&format!("{site}:")))
    {
        reasons.push(format!(
            "its volume is at {site} in {zone}, where it may not run"
        ));
    }
    let asked = match &machine.size {
        strat_model::Size::AtLeast { cpu, memory } => format!("{cpu} CPUs, {memory}"),
        strat_model::Size::Type(name) => name.clone(),
    };
    let too_large = allotment.missing == machine.count
        && !allotment.sites.is_empty()
        && allotment.sites.iter().all(|site| {
            let largest = supply.markets.get(*site).and_then(Market::largest);
            is_larger(&machine.size, largest)
        });
    let (code, attribute, help) = if too_large {
        (
            "impossible_size",
            "cpu",
            "ask for less `cpu` or `memory`, or permit a site that sells larger machines"
                .to_owned(),
        )
    } else if allotment.sites.is_empty() {
        (
            "no_site",
            "placement.require",
            "give a site these `labels`, or require fewer".to_owned(),
        )
    } else {
        match never(machine, supply) {
            Some((code, attribute, help)) => (code, attribute, help.to_owned()),
            None => ("no_capacity", "count", relax(allotment, intent, supply)),
        }
    };
    let head = match machine.common.addr.noun {
        Noun::Machines => format!(
            "{} of {} machines of {} ({asked}) find no place",
            allotment.missing, machine.count, machine.common.addr
        ),
        _ => format!("{} ({asked}) finds no place", machine.common.addr),
    };
    Diagnostic::error(code, head)
        .at(machine.common.origin(attribute), reasons.join("; "))
        .help(help)
}

/// Why a site has no place for one more.
pub(in crate::place) fn at_site(
    allotment: &Allotment<'_>,
    site: &Name,
    supply: &Supply<'_>,
) -> Option<String> {
    let machine = allotment.machine;
    if matches!(&allotment.pin, Some((pinned, _)) if pinned != site) {
        return None;
    }
    let (market, room) = (supply.markets.get(site)?, supply.rooms.get(site)?);
    let mut fitting = fitting(allotment, market);
    if fitting.is_empty() {
        return Some(no_offer(machine, market.facts(), market));
    }
    let full = fitting.iter().find_map(|(_, shape)| {
        let (_, full) = room.fits(shape.need(allotment.disk()), allotment.missing.max(1));
        full.map(|Full(why)| why)
    });
    if full.is_some() {
        return full;
    }
    if let Some(word) = &machine.placement.anti_affinity {
        fitting.retain(|(zone, _)| {
            let taken = |(s, z, w): &(&Name, &Name, Name)| *s == site && z == zone && w == word;
            !supply.apart.iter().any(taken)
        });
        if fitting.is_empty() {
            return Some(format!("every zone has a machine of `{word}` already"));
        }
    }
    (machine.placement.survive && allotment.sites.len() > 1)
        .then(|| "what can be there does not make up for the loss of another".to_owned())
}

/// The cheapest that would do in each zone where one may run.
pub(super) fn fitting<'a>(
    allotment: &Allotment<'_>,
    market: &Market<'a>,
) -> Vec<(&'a Name, Shape)> {
    let zones = permitted_zones(allotment, market.facts()).into_iter();
    zones
        .filter_map(|zone| Some((zone, market.cheapest(zone, allotment.machine)?)))
        .collect()
}

/// Why a site that a machine names is not permitted to it.
fn why_not_permitted(
    machine: &MachineIntent,
    site: &strat_model::Name,
    intent: &Intent,
) -> &'static str {
    let labels = intent.sites.get(site).map(|spec| &spec.labels);
    let mut required = machine.placement.require.iter();
    if required.all(|(key, value)| labels.is_some_and(|labels| labels.get(key) == Some(value))) {
        "it is left out"
    } else {
        "it has not all the labels of `require`"
    }
}

/// Why no amount of room would help: none of the sites has the zone, or sells the type.
fn never(
    machine: &MachineIntent,
    supply: &Supply<'_>,
) -> Option<(&'static str, &'static str, &'static str)> {
    let sites = machine.placement.sites.iter();
    let markets: Vec<&Market<'_>> = sites.filter_map(|site| supply.markets.get(site)).collect();
    if markets.is_empty() {
        return None;
    }
    if let Some(zone) = &machine.placement.zone
        && !markets.iter().any(|market| market.has_zone(zone))
    {
        let help = "name one of the zones that a site has, or leave `zone` out";
        return Some(("unknown_zone", "placement.zone", help));
    }
    match &machine.size {
        strat_model::Size::Type(name) if !markets.iter().any(|market| market.sells(name)) => {
            let help = "`strat offers` lists what each site sells; `cpu` and `memory` suit any";
            Some(("unknown_machine_type", "machine_type", help))
        }
        _ => None,
    }
}

fn is_larger(size: &strat_model::Size, largest: Option<(u32, Bytes)>) -> bool {
    match (size, largest) {
        (strat_model::Size::AtLeast { cpu, memory }, Some((most_cpu, most_memory))) => {
            *cpu > most_cpu || *memory > most_memory
        }
        _ => false,
    }
}
