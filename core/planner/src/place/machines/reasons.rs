//! Why machines find no place, in words.

use std::collections::BTreeSet;

use strat_model::{Bytes, Diagnostic, MachineIntent, Name, Noun, SiteFacts};

use super::{Allotment, Supply};
use crate::place::offers::Market;

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
        (strat_model::Size::AtLeast { .. }, Some((cpu, memory))) => {
            format!("nothing on sale is that large; the most is {cpu} CPUs and {memory}")
        }
        (strat_model::Size::AtLeast { .. }, None) => "it sells nothing".to_owned(),
    }
}

/// The finding about machines that no permitted site has room for.
pub(super) fn no_place(allotment: &Allotment<'_>, supply: &Supply<'_>) -> Diagnostic {
    let machine = allotment.machine;
    let sites: BTreeSet<_> = allotment.reasons.iter().map(|(site, _)| site).collect();
    let mut reasons: Vec<String> = Vec::new();
    for (site, why) in &allotment.reasons {
        let line = format!("{site}: {why}");
        if !reasons.contains(&line) {
            reasons.push(line);
        }
    }
    if let Some((site, zone)) = &allotment.pin
        && !sites.contains(site)
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
        && machine.placement.sites.iter().all(|site| {
            let largest = supply.markets.get(site).and_then(Market::largest);
            is_larger(&machine.size, largest)
        });
    let (code, attribute, help) = if too_large {
        (
            "impossible_size",
            "cpu",
            "ask for less `cpu` or `memory`, or permit a site that sells larger machines",
        )
    } else {
        never(machine, supply).unwrap_or((
            "no_capacity",
            "count",
            "lower the count or the size, permit another site, or raise the capacity or quota",
        ))
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
