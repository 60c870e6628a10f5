//! Why machines find no place, in words.

use strat_model::{Bytes, Diagnostic, Intent, MachineIntent, Name, Noun, SiteFacts};

use super::relax::{misfits, relax};
use super::{Allotment, Supply, machine_beyond, permitted_zones};
use crate::place::offers::{Market, Shape};
use crate::place::unplaced::{NoPlace, SiteRefusal, Unplaced, WhyNot};
use crate::room::Full;

/// Why a site sells nothing that would do.
pub(super) fn no_offer(
    machine: &MachineIntent,
    facts: &SiteFacts,
    market: &Market<'_>,
) -> (WhyNot, String) {
    if let Some(zone) = &machine.placement.zone
        && !facts.zones.contains(zone)
    {
        let known: Vec<_> = facts.zones.iter().map(Name::as_str).collect();
        let text = format!("it has no zone `{zone}`; it has {}", known.join(", "));
        return (WhyNot::NoZone, text);
    }
    match (&machine.size, market.largest()) {
        (strat_model::Size::Type(name), _) => {
            (WhyNot::NotSold, format!("it does not sell `{name}`"))
        }
        (size, Some((cpu, memory))) if is_larger(size, Some((cpu, memory))) => (
            WhyNot::TooLarge,
            format!("nothing on sale is that large; the most is {cpu} CPUs and {memory}"),
        ),
        (strat_model::Size::AtLeast { .. }, Some(_)) => {
            (WhyNot::NothingFits, misfits(machine, market))
        }
        (strat_model::Size::AtLeast { .. }, None) => {
            (WhyNot::SellsNothing, "it sells nothing".to_owned())
        }
    }
}

/// The finding about machines that no permitted site has room for.
pub(super) fn no_place(
    allotment: &Allotment<'_>,
    intent: &Intent,
    supply: &Supply<'_>,
) -> Unplaced {
    let machine = allotment.machine;
    let sites = refusals(allotment, intent, supply);
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
    let (reason, attribute, help) = if too_large {
        (
            NoPlace::ImpossibleSize,
            "cpu",
            "ask for less `cpu` or `memory`, or permit a site that sells larger machines"
                .to_owned(),
        )
    } else if allotment.sites.is_empty() && sites.iter().all(|site| site.why == WhyNot::Limit) {
        (
            NoPlace::BeyondLimit,
            "placement.sites",
            "ask for less, or permit a site that takes it".to_owned(),
        )
    } else if allotment.sites.is_empty() {
        (
            NoPlace::NoSite,
            "placement.require",
            "give a site these `labels`, or require fewer".to_owned(),
        )
    } else {
        match never(machine, supply) {
            Some((reason, attribute, help)) => (reason, attribute, help.to_owned()),
            None => (
                NoPlace::NoCapacity,
                "count",
                relax(allotment, intent, supply),
            ),
        }
    };
    let head = match machine.common.addr.noun {
        Noun::Machines => format!(
            "{} of {} machines of {} ({asked}) find no place",
            allotment.missing, machine.count, machine.common.addr
        ),
        _ => format!("{} ({asked}) finds no place", machine.common.addr),
    };
    let told: Vec<String> = sites.iter().map(SiteRefusal::to_string).collect();
    let finding = Diagnostic::error(reason.as_str(), head)
        .at(machine.common.origin(attribute), told.join("; "))
        .help(help);
    Unplaced {
        sites,
        ..Unplaced::new(&machine.common.addr, reason, finding)
    }
}

/// Why not at each site that a machine names, each reason once.
fn refusals(allotment: &Allotment<'_>, intent: &Intent, supply: &Supply<'_>) -> Vec<SiteRefusal> {
    let machine = allotment.machine;
    let mut refusals: Vec<SiteRefusal> = Vec::new();
    let refusal = |site: &Name, (why, text)| SiteRefusal {
        site: site.clone(),
        why,
        text,
    };
    for site in &allotment.sites {
        if let Some(why) = at_site(allotment, site, supply) {
            let refusal = refusal(site, why);
            if !refusals.contains(&refusal) {
                refusals.push(refusal);
            }
        }
    }
    for site in &machine.placement.sites {
        if !allotment.sites.contains(&site) {
            let market = supply.markets.get(site);
            let beyond = market.and_then(|market| machine_beyond(machine, market.facts()));
            let why = match beyond {
                Some(beyond) => (WhyNot::Limit, beyond.message),
                None => why_not_permitted(machine, site, intent),
            };
            refusals.push(refusal(site, why));
        }
    }
    if let Some((site, zone)) = &allotment.pin
        && !refusals.iter().any(|refusal| refusal.site == *site)
    {
        let text = format!("its volume is in {zone}, where it may not run");
        refusals.push(refusal(site, (WhyNot::Volume, text)));
    }
    refusals
}

/// Why a site has no place for one more.
pub(in crate::place) fn at_site(
    allotment: &Allotment<'_>,
    site: &Name,
    supply: &Supply<'_>,
) -> Option<(WhyNot, String)> {
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
        full.map(|Full(why)| (WhyNot::Full, why))
    });
    if full.is_some() {
        return full;
    }
    if let Some(text) = no_address(allotment, site, &fitting, supply) {
        return Some((WhyNot::Full, text));
    }
    if let Some(word) = &machine.placement.anti_affinity {
        fitting.retain(|(zone, _)| {
            let taken = |(s, z, w): &(&Name, &Name, Name)| *s == site && z == zone && w == word;
            !supply.apart.iter().any(taken)
        });
        if fitting.is_empty() {
            let text = format!("every zone has a machine of `{word}` already");
            return Some((WhyNot::ZonesTaken, text));
        }
    }
    (machine.placement.survive && allotment.sites.len() > 1).then(|| {
        let text = "what can be there does not make up for the loss of another";
        (WhyNot::Survival, text.to_owned())
    })
}

/// That the subnet has no address left in any zone where one may run, if that is so.
fn no_address(
    allotment: &Allotment<'_>,
    site: &Name,
    fitting: &[(&Name, Shape)],
    supply: &Supply<'_>,
) -> Option<String> {
    let facts = supply.markets.get(site)?.facts();
    let subnet = &allotment.machine.subnet;
    let mut left = fitting.iter().map(|(zone, _)| {
        let place = supply.addresses.left(subnet, facts, (site, zone));
        place.map_or(u64::MAX, |(_, left)| left)
    });
    left.all(|left| left == 0)
        .then(|| format!("{subnet} has no address left there"))
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
) -> (WhyNot, String) {
    let labels = intent.sites.get(site).map(|spec| &spec.labels);
    let mut required = machine.placement.require.iter();
    if required.all(|(key, value)| labels.is_some_and(|labels| labels.get(key) == Some(value))) {
        (WhyNot::LeftOut, "it is left out".to_owned())
    } else {
        let text = "it has not all the labels of `require`";
        (WhyNot::Labels, text.to_owned())
    }
}

/// Why no amount of room would help: none of the sites has the zone, or sells the type.
fn never(
    machine: &MachineIntent,
    supply: &Supply<'_>,
) -> Option<(NoPlace, &'static str, &'static str)> {
    let sites = machine.placement.sites.iter();
    let markets: Vec<&Market<'_>> = sites.filter_map(|site| supply.markets.get(site)).collect();
    if markets.is_empty() {
        return None;
    }
    if let Some(zone) = &machine.placement.zone
        && !markets.iter().any(|market| market.has_zone(zone))
    {
        let help = "name one of the zones that a site has, or leave `zone` out";
        return Some((NoPlace::UnknownZone, "placement.zone", help));
    }
    match &machine.size {
        strat_model::Size::Type(name) if !markets.iter().any(|market| market.sells(name)) => {
            let help = "name a type that a permitted site sells; `cpu` and `memory` suit any";
            Some((NoPlace::UnknownMachineType, "machine_type", help))
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
