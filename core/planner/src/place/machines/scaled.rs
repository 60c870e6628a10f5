//! Where a burst's decision puts machines, and where it could.

use strat_model::{Addr, CapacityKind, LocalAddr, MachineIntent, Money, Name};

use super::entry::subnet_at;
use super::{Allotment, Supply, permitted_zones};
use crate::place::Placer;
use crate::place::held::is_at;
use crate::place::offers::Shape;
use crate::room::disk_space;
use crate::{Scale, ScalePlace};

/// A place where one more machine of a fleet could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetPlace {
    /// The site.
    pub site: Name,
    /// The zone.
    pub zone: Name,
    /// The cloud's name for the size.
    pub machine_type: String,
    /// How it is bought.
    pub capacity: CapacityKind,
    /// The subnet where it would get its address.
    pub subnet: Addr,
    /// The price of an hour; `None` where it is not known.
    pub price_hour: Option<Money>,
    /// How many more there is room for, by hardware, quotas and addresses, if none are made at
    /// another place; `None`: no bound is known.
    pub room: Option<u32>,
}

impl<'a> Placer<'a> {
    /// Puts the machines that a decision's places lack where it says. What has no room there, or is on
    /// sale there no more, is left out: the next decision finds another place.
    pub(super) fn scale(
        &self,
        allotment: &mut Allotment<'a>,
        scale: &Scale,
        supply: &mut Supply<'a>,
    ) {
        let machine = allotment.machine;
        allotment.missing = 0;
        for place in &scale.places {
            let there = self.index.at(&machine.common.addr.at(&place.site)).iter();
            let same = there.filter(|one| !scale.lets_go(&place.site, &one.id));
            let same = same.filter(|one| is_at(one, place));
            let there = u32::try_from(same.count()).unwrap_or(u32::MAX);
            let wanted = place.count.saturating_sub(there);
            let Some((site, zone, shape)) = find(allotment, place, supply) else {
                continue;
            };
            let room = room(machine, (site, zone), &shape, supply).unwrap_or(u32::MAX);
            let count = wanted.min(room);
            if count > 0 {
                allotment.add(site, zone, &shape, count);
                allotment.new += count;
                supply.count(machine, (site, zone), &shape, (count, true));
            }
        }
    }

    /// Where more machines of a fleet could be, next to what runs.
    pub(in crate::place) fn fleet_places(&mut self, addr: &LocalAddr) -> Vec<FleetPlace> {
        let mut supply = self.supply();
        let mut of = None;
        for machine in &self.intent.machines {
            let sites = self.sites_of(machine);
            let allotment = self.keep(machine, sites, None, &mut supply);
            if machine.common.addr == *addr {
                of = Some(allotment);
            }
        }
        let mut places = Vec::new();
        let Some(allotment) = of else {
            return places;
        };
        let machine = allotment.machine;
        for site in &allotment.sites {
            let Some(market) = supply.markets.get_mut(*site) else {
                continue;
            };
            let facts = market.facts();
            let mut found = Vec::new();
            for zone in permitted_zones(&allotment, facts) {
                let choices = market.choices(zone, machine).iter().cloned();
                found.extend(choices.map(|shape| (zone, shape)));
            }
            for (zone, shape) in found {
                places.push(FleetPlace {
                    site: (*site).clone(),
                    zone: zone.clone(),
                    subnet: subnet_at(machine, (site, zone), facts),
                    room: room(machine, (site, zone), &shape, &supply),
                    machine_type: shape.machine_type,
                    capacity: shape.capacity,
                    price_hour: shape.price_hour,
                });
            }
        }
        places
    }
}

/// The place that a decision names, if it is one of the fleet's and sold there.
fn find<'a>(
    allotment: &Allotment<'a>,
    place: &ScalePlace,
    supply: &mut Supply<'a>,
) -> Option<(&'a Name, &'a Name, Shape)> {
    let site = allotment.sites.iter().find(|site| ***site == place.site)?;
    let market = supply.markets.get_mut(*site)?;
    let mut zones = permitted_zones(allotment, market.facts()).into_iter();
    let zone = zones.find(|zone| **zone == place.zone)?;
    let mut choices = market.choices(zone, allotment.machine).iter();
    let shape = choices.find(|shape| {
        (shape.machine_type.as_str(), shape.capacity) == (&place.machine_type, place.capacity)
    })?;
    Some((site, zone, shape.clone()))
}

/// How many machines of a size still fit; `None`: no bound is known.
fn room(
    machine: &MachineIntent,
    (site, zone): (&Name, &Name),
    shape: &Shape,
    supply: &Supply<'_>,
) -> Option<u32> {
    let need = shape.need(disk_space(&machine.disks));
    let hardware = supply.rooms.get(site);
    let hardware = hardware.map_or(u32::MAX, |room| room.fits(need, u32::MAX).0);
    let market = supply.markets.get(site)?;
    let left = supply
        .addresses
        .left(&machine.subnet, market.facts(), (site, zone));
    let addresses = left.map_or(u32::MAX, |(_, left)| {
        u32::try_from(left).unwrap_or(u32::MAX)
    });
    Some(hardware.min(addresses)).filter(|room| *room < u32::MAX)
}
