//! Machines and fleets.

mod entry;
mod fill;
mod reasons;

use std::collections::BTreeMap;

use strat_model::{
    Diagnostic, Field, LocalAddr, MachineIntent, Name, Noun, Resource, SiteFacts, Spec,
};

use fill::fill_site;
use reasons::no_place;

use super::Placer;
use super::offers::{Market, Shape, request};
use crate::Entry;
use crate::room::{Room, disk_space};

/// The machines of one intent at one site, by zone.
type Zones = BTreeMap<Name, Share>;

/// The machines of one intent in one zone.
#[derive(Debug, Clone)]
struct Share {
    count: u32,
    shape: Shape,
}

/// Where the machines of one intent go.
#[derive(Debug)]
struct Allotment<'a> {
    machine: &'a MachineIntent,
    /// The one place where it must be, because a volume of its is there.
    pin: Option<(Name, Name)>,
    sites: BTreeMap<Name, Zones>,
    missing: u32,
    /// Why sites were passed over, in order.
    reasons: Vec<(Name, String)>,
}

/// What is left at every site while machines are placed.
pub(super) struct Supply<'a> {
    markets: BTreeMap<&'a Name, Market<'a>>,
    pub(super) rooms: BTreeMap<&'a Name, Room<'a>>,
}

impl<'a> Placer<'a> {
    /// Places all machines: first what runs keeps its place, then what is new finds one, the least
    /// free to choose first.
    pub(super) fn machines(&mut self) {
        let mut supply = self.supply();
        let pins = self.pins();
        let mut allotments = Vec::new();
        for machine in &self.intent.machines {
            if let Some(why) = self.blind(machine) {
                self.carriers_that_run(machine);
                self.unsure.extend(machine.firewalls.iter().cloned());
                self.withheld.insert(machine.common.addr.clone(), why);
                continue;
            }
            let pin = pins.get(&machine.common.addr).cloned();
            allotments.push(self.keep(machine, pin, &mut supply));
        }
        let mut order: Vec<usize> = (0..allotments.len()).collect();
        order.sort_by_key(|i| {
            let machine = allotments[*i].machine;
            (
                machine.placement.sites.len(),
                machine.common.addr.noun == Noun::Machines,
                *i,
            )
        });
        for i in order {
            self.find_room(&mut allotments[i], &mut supply);
        }
        for allotment in allotments {
            self.machine_entries(allotment);
        }
        self.reserve_volumes(&mut supply);
    }

    fn supply(&self) -> Supply<'a> {
        let mut ours: BTreeMap<&Name, Vec<&Resource>> = BTreeMap::new();
        for (addr, found) in self.index.addrs() {
            ours.entry(&addr.site).or_default().extend(found);
        }
        let room = |(site, facts): (&'a Name, &'a SiteFacts)| {
            let ours = ours.get(site).into_iter().flatten().copied();
            (site, Room::without(facts, ours))
        };
        Supply {
            markets: self
                .facts
                .iter()
                .map(|(site, facts)| (site, Market::new(facts)))
                .collect(),
            rooms: self.facts.iter().map(room).collect(),
        }
    }

    /// Where machines must be because a volume that is attached to them is there already.
    fn pins(&self) -> BTreeMap<LocalAddr, (Name, Name)> {
        let mut pins = BTreeMap::new();
        for volume in &self.intent.volumes {
            let strat_model::AttachIntent::Machine(machine) = &volume.target else {
                continue;
            };
            for place in self.index.places(&volume.common.addr) {
                if let Some(zone) = self.index.at(place).first().and_then(|found| found.zone()) {
                    pins.insert(machine.clone(), (place.site.clone(), zone.clone()));
                }
            }
        }
        pins
    }

    /// Why nothing can be said of a machine: it may run at a site that gave no answer.
    fn blind(&self, machine: &MachineIntent) -> Option<String> {
        let sites = &machine.placement.sites;
        let addr = &machine.common.addr;
        let seen =
            |site: &Name| self.facts(site).is_some() && !self.index.at(&addr.at(site)).is_empty();
        if addr.noun == Noun::Machine && sites.iter().any(seen) {
            return None;
        }
        let blind: Vec<_> = sites
            .iter()
            .filter(|site| self.facts(site).is_none())
            .map(Name::as_str)
            .collect();
        (!blind.is_empty())
            .then(|| format!("it may run at {}, which gave no answer", blind.join(", ")))
    }

    /// What an intent's machines that run already keep.
    fn keep(
        &self,
        machine: &'a MachineIntent,
        pin: Option<(Name, Name)>,
        supply: &mut Supply<'a>,
    ) -> Allotment<'a> {
        let mut missing = machine.count;
        let mut sites = BTreeMap::new();
        for site in &machine.placement.sites {
            let Some((site, facts)) = self.facts.get_key_value(site) else {
                continue;
            };
            let found = self.index.at(&machine.common.addr.at(site));
            let mut zones = Zones::new();
            for zone in permitted_zones(machine, facts) {
                if pin.as_ref().is_some_and(|(s, z)| s != site || z != zone) {
                    continue;
                }
                let here: Vec<_> = found
                    .iter()
                    .copied()
                    .filter(|r| r.zone() == Some(zone))
                    .collect();
                let market = supply.markets.get_mut(site);
                let shape = market.and_then(|market| kept_shape(machine, &here, zone, market));
                if let (Some(shape), false) = (shape, here.is_empty()) {
                    let count = u32::try_from(here.len()).unwrap_or(u32::MAX);
                    zones.insert(zone.clone(), Share { count, shape });
                }
            }
            let kept = shrink(&mut zones, missing);
            missing -= kept;
            if let Some(room) = supply.rooms.get_mut(site) {
                zones.values().for_each(|share| {
                    room.take(share.shape.need(disk_space(&machine.disks)), share.count);
                });
            }
            sites.insert(site.clone(), zones);
        }
        Allotment {
            machine,
            pin,
            sites,
            missing,
            reasons: Vec::new(),
        }
    }

    /// Finds room for what is missing, site by site in order of preference.
    fn find_room(&mut self, allotment: &mut Allotment<'a>, supply: &mut Supply<'a>) {
        let machine = allotment.machine;
        for site in &machine.placement.sites {
            if allotment.missing == 0 {
                return;
            }
            if allotment
                .pin
                .as_ref()
                .is_some_and(|(pinned, _)| pinned != site)
            {
                continue;
            }
            if let Some((site, facts)) = self.facts.get_key_value(site) {
                fill_site(allotment, site, facts, supply);
            }
        }
        if allotment.missing > 0 {
            let problem = no_place(allotment, supply);
            self.problems.push(problem);
        }
    }

    /// Whether the volumes fit on owned disks, once the machines have theirs.
    fn reserve_volumes(&mut self, supply: &mut Supply<'a>) {
        for volume in &self.intent.volumes {
            let site = match &volume.target {
                strat_model::AttachIntent::Site { site, .. } => Some(site.clone()),
                strat_model::AttachIntent::Machine(machine) => {
                    self.placed(machine).map(|(site, _)| site)
                }
            };
            let room = site.as_ref().and_then(|site| supply.rooms.get_mut(site));
            if room.is_some_and(|room| !room.take_disk(volume.size.0)) {
                let site = site.map_or(String::new(), |site| site.to_string());
                let problem = Diagnostic::error(
                    "no_capacity",
                    format!(
                        "{} of {} does not fit on the disks of {site}",
                        volume.common.addr, volume.size
                    ),
                )
                .at(volume.common.origin("size"), "no room for this")
                .help("make it smaller, or raise the site's `capacity`");
                self.problems.push(problem);
            }
        }
    }

    /// The site and zone that a machine was given.
    pub(super) fn placed(&self, machine: &LocalAddr) -> Option<(Name, Name)> {
        let sites = self.facts.keys();
        let mut entries =
            sites.filter_map(|site| Some((site, self.entries.get(&machine.at(site))?)));
        let (site, Entry { goals, .. }) = entries.next()?;
        Some((site.clone(), goals.first()?.zone()?.clone()))
    }
}

/// The zones of a site in which an intent's machines may run.
fn permitted_zones<'f>(machine: &MachineIntent, facts: &'f SiteFacts) -> Vec<&'f Name> {
    let wanted = machine.placement.zone.as_ref();
    facts
        .zones
        .iter()
        .filter(|zone| wanted.is_none_or(|wanted| wanted == *zone))
        .collect()
}

/// The size of machines in a zone where some run: theirs, while what was asked for is the same.
fn kept_shape<'a>(
    machine: &MachineIntent,
    here: &[&Resource],
    zone: &'a Name,
    market: &mut Market<'a>,
) -> Option<Shape> {
    let asked = request(&machine.size);
    let same = here
        .iter()
        .find_map(|resource| match (&resource.spec, &resource.mark) {
            (Spec::Machine(spec), Some(mark))
                if mark.notes.get(&Field::Request) == Some(&asked) =>
            {
                Some(spec)
            }
            _ => None,
        });
    match same {
        Some(spec) => Some(market.running(spec)),
        None => market.choose(zone, &machine.size),
    }
}

/// Takes machines away, always from the fullest zone, until at most `most` are left. Gives how
/// many are.
fn shrink(zones: &mut Zones, most: u32) -> u32 {
    let mut total: u32 = zones.values().map(|share| share.count).sum();
    while total > most {
        let Some(largest) = zones.values_mut().max_by_key(|share| share.count) else {
            break;
        };
        largest.count -= 1;
        total -= 1;
    }
    total
}
