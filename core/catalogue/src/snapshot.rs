//! The snapshot, and how it is searched.

use std::collections::BTreeMap;

use jiff::civil::Date;
use strat_model::{Bytes, Money, Name, Offer};

use crate::Cloud;
use crate::cell::Cell;

/// The columns before the regions: type, CPUs, MiB, architecture, GPUs, their model.
const FACTS: usize = 6;

/// One cloud's part of the snapshot: its text, read when it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    cloud: Cloud,
    text: &'static str,
}

/// A size that a region sells, in all of the zones that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The region.
    pub region: &'static str,
    /// The zones, sorted; empty where the source does not tell them.
    pub zones: Vec<Name>,
    /// The offer, in the first of the zones, or in one named as the region.
    pub offer: Offer,
}

impl Listing {
    /// The offer in each of its zones.
    pub fn offers(&self) -> impl Iterator<Item = Offer> {
        let first = self.zones.is_empty().then_some(&self.offer.zone);
        self.zones.iter().chain(first).map(|zone| Offer {
            zone: zone.clone(),
            ..self.offer.clone()
        })
    }
}

impl Snapshot {
    /// A cloud's part. Nothing is read yet.
    #[must_use]
    pub const fn of(cloud: Cloud) -> Self {
        let text = match cloud {
            Cloud::Aws => include_str!("../data/aws.tsv"),
            Cloud::Azure => include_str!("../data/azure.tsv"),
            Cloud::Gcp => include_str!("../data/gcp.tsv"),
        };
        Self { cloud, text }
    }

    /// The cloud.
    #[must_use]
    pub const fn cloud(self) -> Cloud {
        self.cloud
    }

    /// The day that its prices are of, as far as the source tells.
    ///
    /// # Panics
    /// Never: a test reads every snapshot's.
    #[must_use]
    pub fn as_of(self) -> Date {
        let day = self.head("as of").parse();
        day.unwrap_or_else(|error| unreachable!("the snapshot has its day: {error}"))
    }

    /// Where its facts are from, in words.
    #[must_use]
    pub fn source(self) -> &'static str {
        self.head("source")
    }

    fn head(self, key: &str) -> &'static str {
        let heads = self.text.lines().map_while(|line| line.strip_prefix("# "));
        let mut pairs = heads.filter_map(|head| head.split_once(": "));
        pairs.find(|(name, _)| *name == key).unwrap_or_default().1
    }

    /// Its lines of cells: the headings, each region's zones, then the types.
    fn rows(self) -> impl Iterator<Item = std::str::Split<'static, char>> {
        let lines = self.text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split('\t'))
    }

    /// The regions, sorted.
    #[must_use]
    pub fn regions(self) -> Vec<&'static str> {
        let headings = self.rows().next();
        headings.into_iter().flatten().skip(FACTS).collect()
    }

    /// The zones of each region, in its regions' order; none where the source does not tell them.
    fn zones(self) -> Vec<Vec<&'static str>> {
        let cells = self.rows().nth(1).into_iter().flatten().skip(FACTS);
        cells
            .map(|zones| zones.split_whitespace().collect())
            .collect()
    }

    /// The zones of a region; empty where the source does not tell them, or the region.
    #[must_use]
    pub fn zones_of(self, region: &str) -> Vec<Name> {
        let at = self.regions().iter().position(|name| *name == region);
        let zones = at.and_then(|at| self.zones().into_iter().nth(at));
        names(&zones.unwrap_or_default())
    }

    /// The on-demand price of an hour of each type in a region, in US dollars, Linux. A type whose
    /// price is not known is not in it.
    #[must_use]
    pub fn prices(self, region: &str) -> BTreeMap<&'static str, Money> {
        let Some(column) = self.regions().iter().position(|name| *name == region) else {
            return BTreeMap::new();
        };
        let priced = self.rows().skip(2).filter_map(|mut cells| {
            let machine_type = cells.next()?;
            let cell = Cell::parse(cells.nth(FACTS - 1 + column)?)?;
            Some((machine_type, cell.on_demand()?))
        });
        priced.collect()
    }

    /// Every size of known shape that a region sells, or every region where none is named; by
    /// type, then region, then capacity.
    #[must_use]
    pub fn listings(self, region: Option<&str>) -> Vec<Listing> {
        let (regions, zones) = (self.regions(), self.zones());
        let mut found = Vec::new();
        for mut cells in self.rows().skip(2) {
            let Some(size) = Size::read(&mut cells) else {
                continue;
            };
            for (index, text) in cells.enumerate() {
                let Some(here) = regions.get(index) else {
                    continue;
                };
                if region.is_some_and(|region| region != *here) {
                    continue;
                }
                let Some(cell) = Cell::parse(text) else {
                    continue;
                };
                let all = zones.get(index).map_or(&[][..], Vec::as_slice);
                let zones = names(&cell.zones(all));
                let Some(zone) = zones.first().cloned().or_else(|| Name::new(here).ok()) else {
                    continue;
                };
                found.extend(cell.capacities().map(|(capacity, price_hour)| Listing {
                    region: here,
                    zones: zones.clone(),
                    offer: Offer {
                        zone: zone.clone(),
                        machine_type: size.machine_type.to_owned(),
                        family: self.cloud.family(size.machine_type),
                        cpu: size.cpu,
                        memory: size.memory,
                        arch: size.arch.to_owned(),
                        gpus: size.gpus,
                        gpu: (!size.gpu.is_empty()).then(|| size.gpu.to_owned()),
                        burstable: self.cloud.is_burstable(size.machine_type),
                        capacity,
                        price_hour,
                    },
                }));
            }
        }
        found
    }
}

/// A type's name and shape.
struct Size {
    machine_type: &'static str,
    cpu: u32,
    memory: Bytes,
    arch: &'static str,
    gpus: u32,
    gpu: &'static str,
}

impl Size {
    /// Reads a row's first cells; `None` where the shape is not known.
    fn read(cells: &mut impl Iterator<Item = &'static str>) -> Option<Self> {
        Some(Self {
            machine_type: cells.next()?,
            cpu: cells.next()?.parse().ok()?,
            memory: Bytes(cells.next()?.parse::<u64>().ok()? << 20),
            arch: cells.next()?,
            gpus: cells.next()?.parse().ok()?,
            gpu: cells.next()?,
        })
    }
}

fn names(zones: &[&str]) -> Vec<Name> {
    zones
        .iter()
        .filter_map(|zone| Name::new(zone).ok())
        .collect()
}
