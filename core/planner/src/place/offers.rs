//! From a size asked for to one that a site sells.

use std::collections::HashMap;

use strat_model::{
    Bytes, CapacityKind, MachineSpec, Money, Name, Offer, SiteFacts, Size, Sizing, USUAL_ARCH,
};

use crate::room::Need;

/// A size that a site sells in a zone, chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) machine_type: String,
    pub(super) family: String,
    pub(super) cpu: u32,
    pub(super) memory: Bytes,
    /// The instruction set; `None` where it is not known.
    pub(super) arch: Option<String>,
    pub(super) capacity: CapacityKind,
    pub(super) price_hour: Option<Money>,
}

impl Shape {
    /// What one machine of it needs, with so much disk of its own.
    pub(super) fn need(&self, disk: u64) -> Need<'_> {
        Need {
            cpu: self.cpu.into(),
            memory: self.memory.0,
            disk,
            family: &self.family,
        }
    }
}

/// The offers of one site, remembering what was asked before.
#[derive(Debug)]
pub(super) struct Market<'a> {
    facts: &'a SiteFacts,
    /// What is sold for keeps (not spot), by zone, cheapest first; without a price last.
    by_zone: HashMap<&'a Name, Vec<&'a Offer>>,
    /// The instruction set of what is chosen by size: the usual one, if the site sells that at
    /// all. A type that is asked for by its name may be of any.
    usual_arch: Option<&'a str>,
    chosen: HashMap<(&'a Name, String), Option<Shape>>,
}

impl<'a> Market<'a> {
    pub(super) fn new(facts: &'a SiteFacts) -> Self {
        let mut by_zone: HashMap<&Name, Vec<&Offer>> = HashMap::new();
        for offer in &facts.offers {
            if matches!(offer.capacity, CapacityKind::OnDemand | CapacityKind::Owned) {
                by_zone.entry(&offer.zone).or_default().push(offer);
            }
        }
        let price = |offer: &Offer| offer.price_hour.map(|price| price.amount);
        for offers in by_zone.values_mut() {
            offers.sort_by(|a, b| {
                (
                    price(a).is_none(),
                    price(a),
                    a.cpu,
                    a.memory,
                    &a.machine_type,
                )
                    .cmp(&(
                        price(b).is_none(),
                        price(b),
                        b.cpu,
                        b.memory,
                        &b.machine_type,
                    ))
            });
        }
        let usual = |offers: &[Offer]| offers.iter().any(|offer| offer.arch == USUAL_ARCH);
        Self {
            facts,
            by_zone,
            usual_arch: usual(&facts.offers).then_some(USUAL_ARCH),
            chosen: HashMap::new(),
        }
    }

    /// Whether the site has a zone.
    pub(super) fn has_zone(&self, zone: &Name) -> bool {
        self.facts.zones.contains(zone)
    }

    /// Whether a type is sold in any zone.
    pub(super) fn sells(&self, machine_type: &str) -> bool {
        let mut offers = self.by_zone.values().flatten();
        offers.any(|offer| offer.machine_type == machine_type)
    }

    /// The cheapest size of `zone` that is at least what is asked for, or the very type.
    pub(super) fn choose(&mut self, zone: &'a Name, size: &Size) -> Option<Shape> {
        let key = (zone, request(size));
        if let Some(known) = self.chosen.get(&key) {
            return known.clone();
        }
        let found = self.search(zone, size);
        self.chosen.insert(key, found.clone());
        found
    }

    fn search(&self, zone: &Name, size: &Size) -> Option<Shape> {
        let offers = self.by_zone.get(zone).map_or(&[][..], Vec::as_slice);
        let listed = offers.iter().find(|offer| match size {
            Size::AtLeast { cpu, memory } => {
                let fits = offer.cpu >= *cpu && offer.memory >= *memory;
                fits && self.is_usual(offer)
            }
            Size::Type(name) => offer.machine_type == *name,
        });
        listed
            .map(|offer| shape(offer))
            .or_else(|| self.flexible(size))
    }

    /// Whether an offer is of the instruction set that is meant where only a size is asked for.
    fn is_usual(&self, offer: &Offer) -> bool {
        self.usual_arch.is_none_or(|arch| offer.arch == arch)
    }

    fn flexible(&self, size: &Size) -> Option<Shape> {
        match (&self.facts.capabilities.sizing, size) {
            (
                Sizing::Flexible {
                    max_cpu,
                    max_memory,
                },
                Size::AtLeast { cpu, memory },
            ) if cpu <= max_cpu && memory <= max_memory => Some(Shape {
                machine_type: format!("flex-{cpu}-{}", memory.0.div_ceil(1 << 20)),
                family: "flex".to_owned(),
                cpu: *cpu,
                memory: *memory,
                arch: None,
                capacity: CapacityKind::Owned,
                price_hour: None,
            }),
            _ => None,
        }
    }

    /// The shape of a machine that runs already.
    pub(super) fn running(&self, machine: &MachineSpec<strat_model::ResourceId>) -> Shape {
        let offers = self.by_zone.get(&machine.zone).into_iter().flatten();
        let same = |offer: &&&Offer| {
            offer.machine_type == machine.machine_type && offer.capacity == machine.capacity
        };
        match offers.copied().find(|offer| same(&offer)) {
            Some(offer) => shape(offer),
            None => Shape {
                machine_type: machine.machine_type.clone(),
                family: String::new(),
                cpu: machine.cpu,
                memory: machine.memory,
                arch: None,
                capacity: machine.capacity,
                price_hour: None,
            },
        }
    }

    /// Whether more of a shape can be had in a zone.
    pub(super) fn has(&self, zone: &Name, shape: &Shape) -> bool {
        let mut offers = self.by_zone.get(zone).into_iter().flatten();
        matches!(self.facts.capabilities.sizing, Sizing::Flexible { .. })
            || offers.any(|offer| {
                offer.machine_type == shape.machine_type && offer.capacity == shape.capacity
            })
    }

    /// The largest machine on sale anywhere at the site, for saying what is too large.
    pub(super) fn largest(&self) -> Option<(u32, Bytes)> {
        let listed = self.by_zone.values().flatten();
        let listed = listed.filter(|offer| self.is_usual(offer));
        let cpu = listed.clone().map(|offer| offer.cpu).max();
        let memory = listed.map(|offer| offer.memory).max();
        match (&self.facts.capabilities.sizing, cpu, memory) {
            (
                Sizing::Flexible {
                    max_cpu,
                    max_memory,
                },
                ..,
            ) => Some((*max_cpu, *max_memory)),
            (Sizing::Catalogue, Some(cpu), Some(memory)) => Some((cpu, memory)),
            (Sizing::Catalogue, ..) => None,
        }
    }
}

fn shape(offer: &Offer) -> Shape {
    Shape {
        machine_type: offer.machine_type.clone(),
        family: offer.family.clone(),
        cpu: offer.cpu,
        memory: offer.memory,
        arch: Some(offer.arch.clone()),
        capacity: offer.capacity,
        price_hour: offer.price_hour,
    }
}

/// What was asked for, in words: the note beside the type that it became.
pub(super) fn request(size: &Size) -> String {
    match size {
        Size::AtLeast { cpu, memory } => format!("cpu={cpu} memory={memory}"),
        Size::Type(name) => format!("type={name}"),
    }
}
