//! Which constraint to relax, and by how much, so that machines find a place.

use std::collections::BTreeMap;

use strat_model::{Intent, MachineIntent, Offer, Size};

use super::reasons::fitting;
use super::{Allotment, Supply};
use crate::place::fit::Unfit;
use crate::place::offers::Market;

/// How many ways out are told.
const WAYS_MAX: usize = 4;

/// Why nothing on sale will do, in numbers: `12 offers of another instruction set, …`.
pub(super) fn misfits(machine: &MachineIntent, market: &Market<'_>) -> String {
    let mut by_why: BTreeMap<Unfit, usize> = BTreeMap::new();
    for zone in &market.facts().zones {
        for offer in market.offers(zone) {
            if let Err(why) = market.fits(offer, machine) {
                *by_why.entry(why).or_default() += 1;
            }
        }
    }
    let counts = by_why.into_iter();
    let counts: Vec<_> = counts
        .map(|(why, n)| format!("{n} {}", why.why()))
        .collect();
    if counts.is_empty() {
        let hardware = &machine.hardware;
        return match (hardware.gpus, hardware.burstable) {
            (1.., _) => "it has no accelerators",
            (0, Some(true)) => "nothing there is burstable",
            (0, _) => "it sells nothing",
        }
        .to_owned();
    }
    format!("none of its offers will do: {}", counts.join(", "))
}

/// What would make room for what has none, each way alone, the smallest step first.
pub(super) fn relax(allotment: &Allotment<'_>, intent: &Intent, supply: &Supply<'_>) -> String {
    let machine = allotment.machine;
    let mut ways: Vec<String> = Vec::new();
    ways.extend(dearer(allotment, supply));
    ways.extend(larger(allotment, supply));
    for site in &allotment.sites {
        let (Some(market), Some(room)) = (supply.markets.get(*site), supply.rooms.get(*site))
        else {
            continue;
        };
        if let Some((_, shape)) = fitting(allotment, market).first() {
            let need = shape.need(allotment.disk());
            let lacks = room.bounds();
            let lacks = lacks
                .iter()
                .filter_map(|bound| bound.lacks(need, allotment.missing));
            let lacks: Vec<_> = lacks.collect();
            if !lacks.is_empty() {
                ways.push(format!("give {site} {}", lacks.join(" and ")));
            }
        }
    }
    let placed = machine.count.saturating_sub(allotment.missing);
    if placed > 0 && !machine.placement.survive {
        ways.push(format!("lower `count` to {placed}"));
    }
    if let Some(zone) = &machine.placement.zone {
        ways.push(format!("permit other zones than {zone}"));
    }
    let others: Vec<_> = intent.sites.keys().collect();
    ways.extend(elsewhere(allotment, &others));
    if ways.is_empty() {
        return "lower the count or the size, permit another site, or raise the capacity or quota"
            .to_owned();
    }
    ways.truncate(WAYS_MAX);
    ways.join("; or ")
}

fn elsewhere(allotment: &Allotment<'_>, all: &[&strat_model::Name]) -> Option<String> {
    let asked = &allotment.machine.placement.sites;
    let others: Vec<&str> = all
        .iter()
        .filter(|site| !asked.contains(site))
        .map(|site| site.as_str())
        .collect();
    (!others.is_empty()).then(|| format!("permit another site: {}", others.join(", ")))
}

/// The least price at which there would be an offer.
fn dearer(allotment: &Allotment<'_>, supply: &Supply<'_>) -> Option<String> {
    let machine = allotment.machine;
    machine.placement.max_price?;
    let mut free = machine.clone();
    free.placement.max_price = None;
    let (site, offer) = cheapest_for(&free, allotment, supply, |offer, market| {
        market.fits(offer, machine) == Err(Unfit::TooDear)
    })?;
    let price = offer.price_hour?;
    Some(format!(
        "raise `max_price` to \"{price}\" ({} at {site})",
        offer.machine_type
    ))
}

/// The least `cpu_max` and `memory_max` at which there would be an offer.
fn larger(allotment: &Allotment<'_>, supply: &Supply<'_>) -> Option<String> {
    let machine = allotment.machine;
    if !matches!(machine.size, Size::AtLeast { .. }) {
        return None;
    }
    let mut free = machine.clone();
    free.hardware.cpu_max = None;
    free.hardware.memory_max = None;
    let (site, offer) = cheapest_for(&free, allotment, supply, |offer, market| {
        market.fits(offer, machine) == Err(Unfit::TooLarge)
    })?;
    let mut words = Vec::new();
    if machine
        .hardware
        .cpu_max
        .is_some_and(|most| offer.cpu > most)
    {
        words.push(format!("`cpu_max` to {}", offer.cpu));
    }
    let over = machine.hardware.memory_max;
    if over.is_some_and(|most| offer.memory > most) {
        words.push(format!("`memory_max` to \"{}\"", offer.memory));
    }
    let what = words.join(" and ");
    Some(format!("raise {what} ({} at {site})", offer.machine_type))
}

/// The cheapest offer that fits `free` and that `keep` keeps.
fn cheapest_for<'a>(
    free: &MachineIntent,
    allotment: &Allotment<'a>,
    supply: &Supply<'a>,
    keep: impl Fn(&Offer, &Market<'a>) -> bool,
) -> Option<(&'a strat_model::Name, &'a Offer)> {
    let mut found: Vec<(&strat_model::Name, &Offer)> = Vec::new();
    for site in &allotment.sites {
        let Some(market) = supply.markets.get(*site) else {
            continue;
        };
        for zone in super::permitted_zones(allotment, market.facts()) {
            let offers = market.offers(zone).iter().copied();
            let fit = |offer: &&Offer| market.fits(offer, free).is_ok() && keep(offer, market);
            found.extend(offers.filter(fit).map(|offer| (*site, offer)));
        }
    }
    found.into_iter().min_by_key(|(_, offer)| {
        let price = offer.price_hour.map(|price| price.amount);
        (price.is_none(), price, offer.cpu, offer.memory)
    })
}
