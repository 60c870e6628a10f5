//! Machines and fleets.

mod addresses;
mod demand;
mod entry;
mod keep;
mod layout;
mod limits;
mod moves;
mod range;
mod reasons;
mod relax;
mod scaled;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use strat_model::{Beyond, Diagnostic, LocalAddr, MachineIntent, Name, Noun, Resource, SiteFacts};

use addresses::Addresses;
pub(super) use reasons::at_site as why_not;
use reasons::no_place;
pub use scaled::FleetPlace;

use super::explain::Chosen;
use super::offers::{Market, Shape};
use super::{NoPlace, Placer, Unplaced};
use crate::Entry;
use crate::allot::allot;
use crate::room::{Room, disk_space};

/// The machines of one intent and size in one zone.
#[derive(Debug)]
pub(super) struct Share<'a> {
    site: &'a Name,
    zone: &'a Name,
    count: u32,
    /// How many of them run now and take more than they did: there must be room for that.
    grown: u32,
    shape: Shape,
}

/// Where the machines of one intent go.
#[derive(Debug)]
pub(super) struct Allotment<'a> {
    pub(super) machine: &'a MachineIntent,
    /// The sites where it may run, in order of preference.
    pub(super) sites: Vec<&'a Name>,
    /// The one place where it must be, because a volume of its is there.
    pub(super) pin: Option<(Name, Name)>,
    /// The only zones where it may be, because its subnet is others' and is there alone.
    zones: Option<BTreeSet<Name>>,
    /// Where they are, sorted by site and zone.
    shares: Vec<Share<'a>>,
    /// How many have no place yet.
    pub(super) missing: u32,
    /// How many of the places are new.
    new: u32,
    /// Why it is moved though it could stay.
    pub(super) moved: Option<String>,
    /// Whether a burst's decision says where its machines go.
    is_scaled: bool,
}

impl<'a> Allotment<'a> {
    /// Puts machines of a size into a zone.
    fn add(&mut self, site: &'a Name, zone: &'a Name, shape: &Shape, count: u32) {
        let here = self.range(site, zone);
        let end = here.end;
        let mut here = self.shares[here].iter_mut();
        if let Some(share) = here.find(|share| share.shape.is_same(shape)) {
            share.count += count;
            return;
        }
        let share = Share {
            site,
            zone,
            count,
            grown: 0,
            shape: shape.clone(),
        };
        // Most intents are one machine.
        self.shares.reserve_exact(1);
        self.shares.insert(end, share);
    }

    /// Says of some of those of a size in a zone that they take more than they did.
    fn grow(&mut self, site: &Name, zone: &Name, shape: &Shape, grown: u32) {
        let here = self.range(site, zone);
        let mut here = self.shares[here].iter_mut();
        if let Some(share) = here.find(|share| share.shape.is_same(shape)) {
            share.grown += grown;
        }
    }

    /// Where those in a zone stand.
    fn range(&self, site: &Name, zone: &Name) -> Range<usize> {
        let place = |share: &Share<'_>| (share.site, share.zone).cmp(&(site, zone));
        let from = self.shares.partition_point(|share| place(share).is_lt());
        from..self.shares.partition_point(|share| place(share).is_le())
    }

    /// Those in a zone.
    fn shares_in(&self, site: &Name, zone: &Name) -> &[Share<'a>] {
        &self.shares[self.range(site, zone)]
    }

    fn count_in(&self, site: &Name, zone: &Name) -> u32 {
        let shares = self.shares_in(site, zone).iter();
        shares.map(|share| share.count).sum()
    }

    fn count_at(&self, site: &Name) -> u32 {
        let here = self.shares.iter().filter(|share| share.site == site);
        here.map(|share| share.count).sum()
    }

    /// How many have a place.
    pub(super) fn count(&self) -> u32 {
        self.shares.iter().map(|share| share.count).sum()
    }

    /// Where they are, for people.
    pub(super) fn chosen(&self) -> Vec<Chosen> {
        let shares = self.shares.iter().filter(|share| share.count > 0);
        let chosen = shares.map(|share| Chosen {
            site: share.site.clone(),
            zone: share.zone.clone(),
            machine_type: share.shape.machine_type.clone(),
            capacity: share.shape.capacity,
            count: share.count,
            price_hour: share.shape.price_hour,
        });
        chosen.collect()
    }

    fn disk(&self) -> u64 {
        disk_space(&self.machine.disks)
    }
}

/// What of a machine is beyond what the cloud of a site takes.
fn machine_beyond(machine: &MachineIntent, facts: &SiteFacts) -> Option<Beyond> {
    let (firewalls, user_data) = (machine.firewalls.len(), machine.user_data.as_ref());
    facts
        .capabilities
        .machine_beyond(&machine.disks, firewalls, user_data)
}

/// What is left at every site while machines are placed.
pub(super) struct Supply<'a> {
    pub(super) markets: BTreeMap<&'a Name, Market<'a>>,
    pub(super) rooms: BTreeMap<&'a Name, Room<'a>>,
    addresses: Addresses<'a>,
    /// The zones that are taken by machines which never share one, by their word.
    apart: BTreeSet<(&'a Name, &'a Name, Name)>,
}

impl<'a> Supply<'a> {
    /// Takes the room of machines, or gives it back.
    fn count(
        &mut self,
        machine: &MachineIntent,
        (site, zone): (&Name, &Name),
        shape: &Shape,
        (count, is_taken): (u32, bool),
    ) {
        let need = shape.need(disk_space(&machine.disks));
        if let Some(room) = self.rooms.get_mut(site) {
            match is_taken {
                true => room.take(need, count),
                false => room.put_back(need, count),
            }
        }
        if let Some(market) = self.markets.get(site) {
            let counted = (count, is_taken);
            self.addresses
                .count(&machine.subnet, market.facts(), (site, zone), counted);
        }
    }
}

impl<'a> Placer<'a> {
    /// Places all machines: what runs keeps its place, then all that is new is placed together.
    pub(super) fn machines(&mut self) {
        let mut supply = self.supply();
        let pins = self.pins();
        let mut allotments = Vec::new();
        for machine in &self.intent.machines {
            if self.withheld.contains_key(&machine.common.addr) {
                self.carriers_that_run(machine);
                continue;
            }
            let sites = self.sites_of(machine);
            let scale = self.options.scales.get(&machine.common.addr);
            // A decision names its places, so that a silent site is nothing to it.
            if let (None, Some(why)) = (scale, self.blind(machine, &sites)) {
                self.carriers_that_run(machine);
                self.unsure.extend(machine.firewalls.iter().cloned());
                self.withheld
                    .insert(machine.common.addr.clone(), why.into());
                continue;
            }
            let pin = pins.get(&machine.common.addr).cloned();
            let mut allotment = self.keep(machine, sites, pin, &mut supply);
            if let Some(scale) = scale {
                self.scale(&mut allotment, scale, &mut supply);
            }
            allotments.push(allotment);
        }
        for allotment in &mut allotments {
            keep::make_room(allotment, &mut supply);
        }
        let demands = demand::demands(&mut allotments, &mut supply);
        let answer = allot(&demands.problem);
        self.gap = answer.gap;
        layout::lay_out(&mut allotments, &demands, &answer, &mut supply);
        for allotment in &allotments {
            // Once a site is lost, there may be none left to make up for the next loss.
            let machine = allotment.machine;
            let lost = machine.placement.survive && !self.options.without.is_empty();
            if allotment.missing > 0 && !(lost && allotment.count() >= machine.count) {
                let problem = no_place(allotment, self.intent, &supply);
                self.refuse(problem);
            }
        }
        for allotment in &mut allotments {
            if !self
                .options
                .scales
                .contains_key(&allotment.machine.common.addr)
            {
                moves::reconsider(allotment, &mut supply);
            }
        }
        let mut ranges = range::Ranges::default();
        for allotment in &allotments {
            self.fallback(allotment, &supply, &mut ranges);
            if self.explained.as_ref() == Some(&allotment.machine.common.addr) {
                self.explanation = Some(super::explain::explain(allotment, self.intent, &supply));
            }
        }
        for allotment in allotments {
            if self.withheld.contains_key(&allotment.machine.common.addr) {
                self.carriers_that_run(allotment.machine);
            } else {
                self.machine_entries(allotment);
            }
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
            addresses: Addresses::new(self.intent, self.facts, &self.subnets, &self.options.full),
            apart: BTreeSet::new(),
        }
    }

    /// Where a machine may run: those of its sites that have the labels it requires and are not
    /// left out.
    fn sites_of(&self, machine: &'a MachineIntent) -> Vec<&'a Name> {
        let sites = self.labelled(machine);
        sites
            .filter(|site| !self.options.without.contains(*site))
            .filter(|site| self.takes(machine, site))
            .collect()
    }

    /// Whether a site takes a machine as it is asked for, by its cloud's limits. Where it runs already
    /// it stays, and is refused: it does not move for that.
    fn takes(&self, machine: &MachineIntent, site: &Name) -> bool {
        let facts = self.facts(site);
        let beyond = facts.and_then(|facts| machine_beyond(machine, facts));
        let runs = || !self.index.at(&machine.common.addr.at(site)).is_empty();
        beyond.is_none() || machine.placement.sites.len() == 1 || runs()
    }

    /// Those of a machine's sites that have the labels it requires.
    pub(super) fn labelled(&self, machine: &'a MachineIntent) -> impl Iterator<Item = &'a Name> {
        let sites = &self.intent.sites;
        let required = &machine.placement.require;
        let has = move |site: &&Name| {
            let spec = sites.get(*site);
            required
                .iter()
                .all(|(key, value)| spec.is_some_and(|spec| spec.labels.get(key) == Some(value)))
        };
        machine.placement.sites.iter().filter(has)
    }

    /// Where machines must be because a volume that is attached to them is there already.
    fn pins(&self) -> BTreeMap<LocalAddr, (Name, Name)> {
        let mut pins = BTreeMap::new();
        for volume in &self.intent.volumes {
            let strat_model::AttachIntent::Machine(machine) = &volume.target else {
                continue;
            };
            let places = self.index.places(&volume.common.addr).iter();
            for place in places.filter(|place| !self.options.without.contains(&place.site)) {
                if let Some(zone) = self.index.at(place).first().and_then(|found| found.zone()) {
                    pins.insert(machine.clone(), (place.site.clone(), zone.clone()));
                }
            }
        }
        pins
    }

    /// Why nothing can be said of a machine: it may run at a site that gave no answer.
    fn blind(&self, machine: &MachineIntent, sites: &[&Name]) -> Option<String> {
        let addr = &machine.common.addr;
        let seen =
            |site: &&Name| self.facts(site).is_some() && !self.index.at(&addr.at(site)).is_empty();
        if addr.noun == Noun::Machine && sites.iter().any(seen) {
            return None;
        }
        let blind: Vec<_> = sites
            .iter()
            .filter(|site| self.facts(site).is_none())
            .map(|site| site.as_str())
            .collect();
        (!blind.is_empty())
            .then(|| format!("it may run at {}, which gave no answer", blind.join(", ")))
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
                let finding = Diagnostic::error(
                    NoPlace::NoCapacity.as_str(),
                    format!(
                        "{} of {} does not fit on the disks of {site}",
                        volume.common.addr, volume.size
                    ),
                )
                .at(volume.common.origin("size"), "no room for this")
                .help("make it smaller, or raise the site's `capacity`");
                let problem = Unplaced::new(&volume.common.addr, NoPlace::NoCapacity, finding);
                self.refuse(problem);
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
pub(super) fn permitted_zones<'a>(
    allotment: &Allotment<'_>,
    facts: &'a SiteFacts,
) -> Vec<&'a Name> {
    let wanted = allotment.machine.placement.zone.as_ref();
    let pin = allotment.pin.as_ref().map(|(_, zone)| zone);
    facts
        .zones
        .iter()
        .filter(|zone| wanted.is_none_or(|wanted| wanted == *zone))
        .filter(|zone| pin.is_none_or(|pin| pin == *zone))
        .filter(|zone| {
            let zones = allotment.zones.as_ref();
            zones.is_none_or(|zones| zones.contains(*zone))
        })
        .collect()
}
