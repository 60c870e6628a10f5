//! From a size asked for to those that a site sells.

use rust_decimal::Decimal;
use rustc_hash::FxHashMap;
use strat_model::{
    Bytes, CapacityKind, Currency, FlexSize, MachineIntent, MachineSpec, Money, Name, Offer,
    SiteFacts, Size, Sizing,
};

use super::asked::asked;
use super::fit::{Unfit, by_price, fits, usual_arch};
use crate::room::Need;

/// How many sizes of different effect on what is bounded are thought of in one zone.
const CHOICES_MAX: usize = 12;

/// A size that a site sells in a zone, chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) machine_type: String,
    pub(super) family: String,
    pub(super) cpu: u32,
    pub(super) memory: Bytes,
    /// The instruction set; `None` where it is not known.
    pub(super) arch: Option<String>,
    /// How many GPUs it has.
    pub(super) gpus: u32,
    /// Their model, where it is known.
    pub(super) gpu: Option<String>,
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
            gpus: self.gpus.into(),
            gpu: self.gpu.as_deref().unwrap_or_default(),
        }
    }

    /// Whether it is the same thing to buy, whatever is known of it.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.machine_type, self.capacity) == (&other.machine_type, other.capacity)
    }

    /// The price of an hour in US dollars, where it is known.
    pub(super) fn dollars(&self) -> Option<Decimal> {
        dollars(self.price_hour)
    }
}

pub(super) fn dollars(price: Option<Money>) -> Option<Decimal> {
    let price = price.filter(|price| price.currency == Currency::Usd);
    price.map(|price| price.amount)
}

/// The offers of one site, remembering what was asked before.
#[derive(Debug)]
pub(super) struct Market<'a> {
    facts: &'a SiteFacts,
    /// What is sold, by zone, cheapest first; without a price last.
    by_zone: FxHashMap<&'a Name, Vec<&'a Offer>>,
    /// The instruction set of what is chosen by size: the usual one, if the site sells that at
    /// all. A type that is asked for by its name may be of any.
    usual_arch: Option<&'a str>,
    /// Whether sizes of different effect on what is bounded are told apart.
    bounded: bool,
    chosen: FxHashMap<(&'a Name, String), Vec<Shape>>,
}

impl<'a> Market<'a> {
    pub(super) fn new(facts: &'a SiteFacts) -> Self {
        let mut by_zone: FxHashMap<&Name, Vec<&Offer>> = FxHashMap::default();
        for offer in &facts.offers {
            if offer.capacity != CapacityKind::Reserved {
                by_zone.entry(&offer.zone).or_default().push(offer);
            }
        }
        for offers in by_zone.values_mut() {
            offers.sort_by_key(|offer| by_price(offer));
        }
        Self {
            facts,
            by_zone,
            usual_arch: usual_arch(&facts.offers),
            bounded: facts.free.is_some() || !facts.quotas.is_empty(),
            chosen: FxHashMap::default(),
        }
    }

    pub(super) const fn facts(&self) -> &'a SiteFacts {
        self.facts
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

    /// The offers of a zone, cheapest first.
    pub(super) fn offers(&self, zone: &Name) -> &[&'a Offer] {
        self.by_zone.get(zone).map_or(&[][..], Vec::as_slice)
    }

    /// Whether an offer will do for a machine.
    pub(super) fn fits(&self, offer: &Offer, machine: &MachineIntent) -> Result<(), Unfit> {
        fits(self.usual_arch, offer, machine)
    }

    /// What would do for a machine in a zone, cheapest first: of those that take the same of what
    /// is bounded here, only the cheapest of each kind of capacity.
    pub(super) fn choices(&mut self, zone: &'a Name, machine: &MachineIntent) -> &[Shape] {
        let key = (zone, asked(machine));
        if !self.chosen.contains_key(&key) {
            let found = self.search(zone, machine);
            self.chosen.insert(key.clone(), found);
        }
        self.chosen.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Whether anything would do in a zone.
    pub(super) fn has(&self, zone: &Name, machine: &MachineIntent) -> bool {
        self.first(zone, machine).is_some() || self.flexible(zone, machine).is_some()
    }

    /// The cheapest that would do in a zone.
    pub(super) fn cheapest(&self, zone: &Name, machine: &MachineIntent) -> Option<Shape> {
        let first = self.first(zone, machine).map(shape);
        first.or_else(|| self.flexible(zone, machine))
    }

    /// The cheapest offer that would do in a zone.
    fn first(&self, zone: &Name, machine: &MachineIntent) -> Option<&'a Offer> {
        let mut offers = self.offers(zone).iter().copied();
        offers.find(|offer| self.fits(offer, machine).is_ok())
    }

    /// Whether a size that runs in a zone is on sale there still, and would do.
    pub(super) fn is_sold(&self, zone: &Name, running: &Shape, machine: &MachineIntent) -> bool {
        let same = |offer: &&&Offer| {
            offer.machine_type == running.machine_type && offer.capacity == running.capacity
        };
        let mut offers = self.offers(zone).iter();
        offers
            .find(same)
            .is_some_and(|offer| self.fits(offer, machine).is_ok())
    }

    /// The cheapest that is not spot.
    pub(super) fn choose(&mut self, zone: &'a Name, machine: &MachineIntent) -> Option<Shape> {
        let choices = self.choices(zone, machine).iter();
        let mut kept = choices.filter(|shape| shape.capacity != CapacityKind::Spot);
        kept.next().cloned()
    }

    fn search(&self, zone: &Name, machine: &MachineIntent) -> Vec<Shape> {
        let mut found: Vec<&Offer> = Vec::new();
        let spot = machine.placement.spot.share_percent > 0;
        for offer in self.offers(zone) {
            let same = |other: &&&Offer| {
                other.capacity == offer.capacity
                    && (!self.bounded
                        || (
                            &other.family,
                            other.cpu,
                            other.memory,
                            &other.gpu,
                            other.gpus,
                        ) == (
                            &offer.family,
                            offer.cpu,
                            offer.memory,
                            &offer.gpu,
                            offer.gpus,
                        ))
            };
            if self.fits(offer, machine).is_err() || found.iter().any(|other| same(&other)) {
                continue;
            }
            found.push(offer);
            let enough = if self.bounded {
                CHOICES_MAX
            } else {
                1 + usize::from(spot)
            };
            if found.len() >= enough {
                break;
            }
        }
        let listed: Vec<Shape> = found.into_iter().map(shape).collect();
        if listed.is_empty() {
            return self.flexible(zone, machine).into_iter().collect();
        }
        listed
    }

    fn flexible(&self, zone: &Name, machine: &MachineIntent) -> Option<Shape> {
        let hardware = &machine.hardware;
        if hardware.burstable == Some(true) {
            return None;
        }
        let gpus = match hardware.gpus {
            0 => None,
            count => {
                let listed = self.offers(zone).iter();
                let mut models = listed
                    .filter(|offer| offer.capacity == CapacityKind::Owned && offer.gpus == count)
                    .filter_map(|offer| offer.gpu.as_ref());
                let does = |model: &&String| {
                    let asked = hardware.gpu.as_ref();
                    asked.is_none_or(|asked| asked.eq_ignore_ascii_case(model))
                };
                Some((count, models.find(does)?.clone()))
            }
        };
        match (&self.facts.capabilities.sizing, &machine.size) {
            (
                Sizing::Flexible {
                    max_cpu,
                    max_memory,
                },
                Size::AtLeast { cpu, memory },
            ) if cpu <= max_cpu && memory <= max_memory => Some(Shape {
                gpus: hardware.gpus,
                gpu: gpus.as_ref().map(|(_, model)| model.clone()),
                machine_type: FlexSize {
                    gpus,
                    ..FlexSize::new(*cpu, *memory)
                }
                .to_string(),
                family: FlexSize::FAMILY.to_owned(),
                cpu: *cpu,
                memory: *memory,
                arch: hardware.arch.clone(),
                capacity: CapacityKind::Owned,
                price_hour: None,
            }),
            _ => None,
        }
    }

    /// The shape of a machine that runs already.
    pub(super) fn running(&self, machine: &MachineSpec<strat_model::ResourceId>) -> Shape {
        let mut offers = self.offers(&machine.zone).iter();
        let same = |offer: &&&&Offer| {
            offer.machine_type == machine.machine_type && offer.capacity == machine.capacity
        };
        let flexible: Option<FlexSize> = machine.machine_type.parse().ok();
        match offers.find(|offer| same(&offer)) {
            Some(offer) => shape(offer),
            None => Shape {
                gpus: flexible.as_ref().map_or(0, FlexSize::gpu_count),
                gpu: flexible.and_then(|size| Some(size.gpus?.1)),
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

    /// A type by its name, as it is sold in a zone.
    pub(super) fn named(
        &self,
        zone: &Name,
        machine_type: &str,
        capacity: CapacityKind,
        machine: &MachineIntent,
    ) -> Option<Shape> {
        let mut offers = self.offers(zone).iter();
        let same =
            |offer: &&&Offer| offer.machine_type == machine_type && offer.capacity == capacity;
        let flexible = || {
            self.flexible(zone, machine)
                .filter(|f| f.machine_type == machine_type)
        };
        offers
            .find(same)
            .map(|offer| shape(offer))
            .or_else(flexible)
    }

    /// The largest machine on sale anywhere at the site, for saying what is too large.
    pub(super) fn largest(&self) -> Option<(u32, Bytes)> {
        let listed = self.by_zone.values().flatten();
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

pub(super) fn shape(offer: &Offer) -> Shape {
    Shape {
        machine_type: offer.machine_type.clone(),
        family: offer.family.clone(),
        cpu: offer.cpu,
        memory: offer.memory,
        arch: Some(offer.arch.clone()),
        gpus: offer.gpus,
        gpu: offer.gpu.clone(),
        capacity: offer.capacity,
        price_hour: offer.price_hour,
    }
}
