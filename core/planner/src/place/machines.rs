//! Machines and fleets.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{
    Addr, Bytes, Diagnostic, Field, ImageRef, LocalAddr, MachineIntent, MachineSpec, Name, Noun,
    Resource, SiteFacts, Spec, Spread, SubnetScope,
};

use super::Placer;
use super::capacity::{Full, Room};
use super::network::subnet_addr;
use super::offers::{Market, Shape, request};
use crate::{Entry, Goal};

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
    pub(super) rooms: BTreeMap<&'a Name, Room>,
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
            (site, Room::new(facts, ours))
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
                zones
                    .values()
                    .for_each(|share| room.take(&share.shape, disk(machine), share.count));
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

    fn machine_entries(&mut self, allotment: Allotment<'a>) {
        let machine = allotment.machine;
        for (site, zones) in allotment.sites {
            let Some(facts) = self.facts(&site) else {
                continue;
            };
            let Some(image) = self.image(machine, &site, facts) else {
                continue;
            };
            let mut goals = Vec::new();
            for (zone, share) in zones {
                if share.count > 0 {
                    goals.push(self.goal(machine, &site, facts, zone, share, image.clone()));
                }
            }
            if !goals.is_empty() {
                self.add_goals(&machine.common, machine.common.addr.at(&site), goals);
            }
        }
    }

    fn goal(
        &mut self,
        machine: &MachineIntent,
        site: &Name,
        facts: &SiteFacts,
        zone: Name,
        share: Share,
        image: ImageRef<Addr>,
    ) -> Goal {
        let subnet_zone = match facts.capabilities.subnets {
            SubnetScope::Zonal => Some(&zone),
            SubnetScope::Regional => None,
        };
        let subnet = subnet_addr(&machine.subnet, site, subnet_zone);
        for firewall in &machine.firewalls {
            self.carriers
                .entry(firewall.clone())
                .or_default()
                .insert(subnet.clone());
        }
        let spec = Spec::Machine(MachineSpec {
            machine_type: share.shape.machine_type,
            cpu: share.shape.cpu,
            memory: share.shape.memory,
            capacity: share.shape.capacity,
            zone,
            image,
            subnet,
            firewalls: machine
                .firewalls
                .iter()
                .map(|firewall| firewall.at(site))
                .collect(),
            keypair: machine.keypair.as_ref().map(|keypair| keypair.at(site)),
            user_data: machine.user_data.clone(),
            disks: machine.disks.clone(),
            labels: machine.common.labels.clone(),
        });
        let mut notes = self.notes(site, &spec);
        notes.insert(Field::Request, request(&machine.size));
        notes.insert(Field::Image, image_note(machine));
        if let Some(data) = &machine.user_data {
            notes.insert(Field::UserData, data.digest.clone());
        }
        Goal {
            count: share.count,
            spec,
            notes,
            price_hour: share.shape.price_hour,
        }
    }

    fn image(
        &mut self,
        machine: &MachineIntent,
        site: &Name,
        facts: &SiteFacts,
    ) -> Option<ImageRef<Addr>> {
        let name = match &machine.image {
            Err(image) => return Some(ImageRef::Managed(image.at(site))),
            Ok(name) => name,
        };
        if let Some(id) = facts.images.get(name) {
            return Some(ImageRef::Named {
                name: name.clone(),
                id: id.clone(),
            });
        }
        let known: Vec<_> = facts.images.keys().map(String::as_str).collect();
        let problem = Diagnostic::error("unknown_image", format!("{site} has no image `{name}`"))
            .at(
                machine.common.origin("image"),
                format!("not known at {site}"),
            )
            .help(format!("it has: {}", known.join(", ")));
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        None
    }

    /// What runs of a machine that is withheld still counts for firewalls that name its own.
    fn carriers_that_run(&mut self, machine: &MachineIntent) {
        for place in self.index.places(&machine.common.addr) {
            for resource in self.index.at(place) {
                let Spec::Machine(spec) = &resource.spec else {
                    continue;
                };
                let Some(subnet) = self.index.addr_of(&place.site, &spec.subnet) else {
                    continue;
                };
                for firewall in &machine.firewalls {
                    self.carriers
                        .entry(firewall.clone())
                        .or_default()
                        .insert(subnet.clone());
                }
            }
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

/// The disk space of one machine.
fn disk(machine: &MachineIntent) -> u64 {
    machine.disks.iter().map(|disk| disk.size.0).sum()
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

fn fill_site<'a>(
    allotment: &mut Allotment<'a>,
    site: &'a Name,
    facts: &'a SiteFacts,
    supply: &mut Supply<'a>,
) {
    let machine = allotment.machine;
    let (Some(market), Some(room)) = (supply.markets.get_mut(site), supply.rooms.get_mut(site))
    else {
        return;
    };
    let pin = allotment.pin.as_ref().map(|(_, zone)| zone);
    let zones = permitted_zones(machine, facts)
        .into_iter()
        .filter(|zone| pin.is_none_or(|pin| pin == *zone));
    let here = allotment.sites.entry(site.clone()).or_default();
    let mut open: Vec<(&Name, Shape)> = Vec::new();
    for zone in zones {
        let shape = match here.get(zone) {
            Some(share) => Some(share.shape.clone()),
            None => market.choose(zone, &machine.size),
        };
        open.extend(shape.map(|shape| (zone, shape)));
    }
    if open.is_empty() {
        allotment
            .reasons
            .push((site.clone(), no_offer(machine, facts, market)));
        return;
    }
    let spread = machine.placement.spread == Spread::Zone;
    while allotment.missing > 0 && !open.is_empty() {
        // Without spread, the first zone takes all it can; with it, the emptiest takes its step.
        let count_in = |zone: &Name| here.get(zone).map_or(0, |share| share.count);
        let i = if spread {
            (0..open.len())
                .min_by_key(|i| count_in(open[*i].0))
                .unwrap_or(0)
        } else {
            0
        };
        let want = if spread {
            let (together, _) = room.fits(&open[i].1, disk(machine), allotment.missing);
            step(&open, i, &count_in, together)
        } else {
            allotment.missing
        };
        let (zone, shape) = &open[i];
        let (fits, full) = room.fits(shape, disk(machine), want);
        room.take(shape, disk(machine), fits);
        if fits > 0 {
            let share = here.entry((*zone).clone()).or_insert_with(|| Share {
                count: 0,
                shape: shape.clone(),
            });
            share.count += fits;
            allotment.missing -= fits;
        }
        if let Some(Full(why)) = full {
            allotment.reasons.push((site.clone(), why));
            open.remove(i);
        }
    }
}

/// How many machines the emptiest zone may take at once: up to the next emptiest, or an even part
/// of what fits `together` when all are level. At least one, so that the reason is found when
/// nothing fits.
fn step(open: &[(&Name, Shape)], i: usize, count_in: &impl Fn(&Name) -> u32, together: u32) -> u32 {
    let mine = count_in(open[i].0);
    let others = open.iter().enumerate().filter(|(j, _)| *j != i);
    let want = match others.map(|(_, (zone, _))| count_in(zone)).min() {
        None => together,
        Some(next) if next > mine => (next - mine).min(together),
        Some(_) => together / u32::try_from(open.len()).unwrap_or(u32::MAX),
    };
    want.max(1)
}

fn image_note(machine: &MachineIntent) -> String {
    match &machine.image {
        Ok(name) => name.clone(),
        Err(image) => image.to_string(),
    }
}

fn no_offer(machine: &MachineIntent, facts: &SiteFacts, market: &Market<'_>) -> String {
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

fn no_place(allotment: &Allotment<'_>, supply: &Supply<'_>) -> Diagnostic {
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
    let (code, attribute) = if too_large {
        ("impossible_size", "cpu")
    } else {
        ("no_capacity", "count")
    };
    let head = match machine.common.addr.noun {
        Noun::Machines => format!(
            "{} of {} machines of {} ({asked}) find no place",
            allotment.missing, machine.count, machine.common.addr
        ),
        _ => format!("{} ({asked}) finds no place", machine.common.addr),
    };
    let help = if too_large {
        "ask for less `cpu` or `memory`, or permit a site that sells larger machines"
    } else {
        "lower the count or the size, permit another site, or raise the capacity or quota"
    };
    Diagnostic::error(code, head)
        .at(machine.common.origin(attribute), reasons.join("; "))
        .help(help)
}

fn is_larger(size: &strat_model::Size, largest: Option<(u32, Bytes)>) -> bool {
    match (size, largest) {
        (strat_model::Size::AtLeast { cpu, memory }, Some((most_cpu, most_memory))) => {
            *cpu > most_cpu || *memory > most_memory
        }
        _ => false,
    }
}
