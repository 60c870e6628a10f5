//! Machines that are made to measure: Google's custom machine types, which no list has.
//!
//! Nearly any number of virtual CPUs with nearly any memory is a type, so what is on sale is worked out from
//! what is asked for, and from the predefined types that a zone sells: a series is there where its
//! predefined types are, and nothing of it is larger than they are.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use strat_model::{Bytes, CapacityKind, Money, Name, Offer};

use crate::Cloud;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted<'a> {
    /// At least so much: the cheapest shape of each series that has a price.
    AtLeast {
        /// Virtual CPUs.
        cpu: u32,
        /// Memory.
        memory: Bytes,
    },
    /// The type of this name, with or without a price.
    Type(&'a str),
}

/// What a custom type costs more than the same virtual CPUs and memory of a predefined one, in percent.
///
/// "The on-demand prices for custom machine types include a 5% premium over the on-demand and commitment
/// prices for predefined machine types": <https://cloud.google.com/compute/docs/machine-resource>. Google's
/// price list has it for spot as well (`Spot Preemptible N2 Custom Instance Core`).
pub const PREMIUM_PERCENT: u32 = 5;

/// Memory comes in steps of so many MiB.
const STEP_MIB: u64 = 256;

/// The rules of a series that is made to measure. Memory beyond the most for each virtual CPU ("extended")
/// has a price of its own that no predefined type tells; such types (`-ext`) are not among these.
///
/// <https://cloud.google.com/compute/docs/general-purpose-machines>, and, as numbers, `helper_class.py` of
/// <https://github.com/GoogleCloudPlatform/python-docs-samples> (`custom_machine_types`).
#[derive(Debug)]
struct Series {
    /// What its predefined types begin with.
    name: &'static str,
    /// What its custom types begin with.
    custom: &'static str,
    /// Which numbers of virtual CPUs there are: the first, the last and the step of each stretch.
    cpus: &'static [(u32, u32, u32)],
    /// The least and the most MiB for each virtual CPU.
    mib_of_cpu: (u64, u64),
}

const SERIES: [Series; 4] = [
    Series {
        name: "e2",
        custom: "e2-custom",
        cpus: &[(2, 32, 2)],
        mib_of_cpu: (512, 8_192),
    },
    Series {
        name: "n1",
        custom: "custom",
        cpus: &[(1, 1, 1), (2, 96, 2)],
        mib_of_cpu: (922, 6_656),
    },
    Series {
        name: "n2",
        custom: "n2-custom",
        cpus: &[(2, 32, 2), (36, 128, 4)],
        mib_of_cpu: (512, 8_192),
    },
    Series {
        name: "n2d",
        custom: "n2d-custom",
        cpus: &[(2, 4, 2), (8, 8, 1), (16, 96, 16)],
        mib_of_cpu: (512, 8_192),
    },
];

impl Series {
    /// The series of a predefined type. Shared cores are none of its own: they are priced otherwise.
    fn of(offer: &Offer) -> Option<usize> {
        let (name, kind) = offer.machine_type.split_once('-')?;
        let is_plain = !offer.burstable && offer.gpus == 0 && !kind.starts_with("custom-");
        let at = SERIES.iter().position(|series| series.name == name)?;
        is_plain.then_some(at)
    }

    fn counts(&self) -> impl Iterator<Item = u32> {
        let stretches = self.cpus.iter();
        stretches.flat_map(|(first, last, step)| (*first..=*last).step_by(*step as usize))
    }

    /// Whether there is such a shape.
    fn has(&self, (cpu, mib): (u32, u64)) -> bool {
        let (least, most) = self.mib_of_cpu;
        let each = u64::from(cpu) * least..=u64::from(cpu) * most;
        self.counts().any(|count| count == cpu)
            && each.contains(&mib)
            && mib.is_multiple_of(STEP_MIB)
    }

    /// The least shape that has so much. Fewer virtual CPUs are always cheaper: more of them bring no
    /// less memory.
    fn shape(&self, cpu: u32, memory: Bytes) -> Option<(u32, u64)> {
        let mib = memory.0.div_ceil(1 << 20);
        let least = self.mib_of_cpu.0;
        let enough = self.counts().filter(|count| *count >= cpu);
        let mut shapes = enough.map(|count| {
            let mib = mib.max(u64::from(count) * least);
            (count, mib.next_multiple_of(STEP_MIB))
        });
        shapes.find(|shape| self.has(*shape))
    }

    /// The shape that a type's name says, if it is one of this series.
    fn named(&self, machine_type: &str) -> Option<(u32, u64)> {
        let rest = machine_type.strip_prefix(self.custom)?.strip_prefix('-')?;
        let (cpu, mib) = rest.split_once('-')?;
        let shape = (cpu.parse().ok()?, mib.parse().ok()?);
        self.has(shape).then_some(shape)
    }
}

/// The price of an hour of a virtual CPU, and of a GiB of memory, in predefined types.
type Rates = (Money, Money);

/// A series as a zone sells it.
struct Stall<'a> {
    series: &'static Series,
    /// The predefined types.
    sold: Vec<&'a Offer>,
}

impl Stall<'_> {
    /// A predefined type costs its virtual CPUs and its memory, so two of them tell both rates.
    ///
    /// <https://cloud.google.com/compute/vm-instance-pricing> ("resource-based pricing")
    fn rates(&self) -> Option<Rates> {
        let price = |kind: &str, count: u32| {
            let name = format!("{}-{kind}-{count}", self.series.name);
            let offer = self.sold.iter().find(|offer| offer.machine_type == name)?;
            Some((offer, offer.price_hour?))
        };
        let counts = self.series.counts();
        let mut pairs = counts.filter_map(|count| {
            let ((few, less), (many, more)) = (price("standard", count)?, price("highmem", count)?);
            let between = gib(many.memory) - gib(few.memory);
            let is_pair = less.currency == more.currency && few.cpu == many.cpu;
            if !is_pair || between <= Decimal::ZERO {
                return None;
            }
            let of_gib = (more.amount - less.amount) / between;
            let of_cpu = (less.amount - of_gib * gib(few.memory)) / Decimal::from(few.cpu);
            let money = |amount| Money { amount, ..less };
            let is_so = of_gib > Decimal::ZERO && of_cpu > Decimal::ZERO;
            is_so.then_some((money(of_cpu), money(of_gib)))
        });
        pairs.next()
    }

    /// A shape's offer; none where it is larger than all that is predefined, or is itself predefined.
    fn offer(&self, (cpu, mib): (u32, u64), rates: Option<Rates>) -> Option<Offer> {
        let memory = Bytes(mib << 20);
        let sample = self.sold.first()?;
        let is_within = self.sold.iter().any(|offer| offer.cpu >= cpu)
            && self.sold.iter().any(|offer| offer.memory >= memory);
        let price_hour = rates.map(|(of_cpu, of_gib)| {
            let parts = of_cpu.amount * Decimal::from(cpu) + of_gib.amount * gib(memory);
            let amount = parts * Decimal::new(i64::from(100 + PREMIUM_PERCENT), 2);
            Money {
                amount: amount.round_dp(12).normalize(),
                ..of_cpu
            }
        });
        is_within.then(|| Offer {
            machine_type: format!("{}-{cpu}-{mib}", self.series.custom),
            cpu,
            memory,
            price_hour,
            ..Offer::clone(sample)
        })
    }

    fn fitting(&self, wanted: &Wanted<'_>, rates: Option<Rates>) -> Option<Offer> {
        match wanted {
            Wanted::AtLeast { cpu, memory } => {
                let found = self.offer(self.series.shape(*cpu, *memory)?, Some(rates?))?;
                let same = |one: &&&Offer| (one.cpu, one.memory) == (found.cpu, found.memory);
                self.sold.iter().find(same).is_none().then_some(found)
            }
            Wanted::Type(name) => self.offer(self.series.named(name)?, rates),
        }
    }
}

fn gib(memory: Bytes) -> Decimal {
    Decimal::from(memory.0) / Decimal::from(1_u64 << 30)
}

impl Cloud {
    /// What this cloud makes to measure of what is wanted, where `offers` are sold and beside them; what is
    /// among them already is not in the answer. Their prices are worked out from those of `offers`.
    /// Nothing, for clouds that sell fixed sizes only.
    #[must_use]
    pub fn made_to_measure(self, offers: &[Offer], wanted: &BTreeSet<Wanted<'_>>) -> Vec<Offer> {
        if self != Self::Gcp || wanted.is_empty() {
            return Vec::new();
        }
        let mut stalls: BTreeMap<(&Name, CapacityKind, usize), Stall<'_>> = BTreeMap::new();
        for offer in offers {
            if let Some(at) = Series::of(offer) {
                let stall = stalls.entry((&offer.zone, offer.capacity, at));
                let stall = stall.or_insert_with(|| Stall {
                    series: &SERIES[at],
                    sold: Vec::new(),
                });
                stall.sold.push(offer);
            }
        }
        let custom = offers
            .iter()
            .filter(|offer| self.is_made_to_measure(&offer.machine_type));
        let mut known: BTreeSet<(Name, String, CapacityKind)> = custom.map(key).collect();
        let mut found = Vec::new();
        for stall in stalls.values() {
            let rates = stall.rates();
            let fitting = wanted.iter().filter_map(|one| stall.fitting(one, rates));
            found.extend(fitting.filter(|offer| known.insert(key(offer))));
        }
        found
    }

    /// Whether a type is one that is made to measure, by its name. Google's E2 types with shared cores and
    /// any memory (`e2-custom-small-2048`) are, too, but no price of theirs can be worked out.
    #[must_use]
    pub fn is_made_to_measure(self, machine_type: &str) -> bool {
        self == Self::Gcp
            && (machine_type.starts_with("custom-") || machine_type.contains("-custom-"))
    }
}

fn key(offer: &Offer) -> (Name, String, CapacityKind) {
    (
        offer.zone.clone(),
        offer.machine_type.clone(),
        offer.capacity,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_the_least_that_the_series_has() {
        let check = |series: &str, cpu, mib: u64, expect: Option<(u32, u64)>| {
            let series = SERIES.iter().find(|one| one.name == series).expect(series);
            let shape = series.shape(cpu, Bytes(mib << 20));
            assert_eq!(shape, expect, "{} {cpu} {mib}", series.name);
            assert!(shape.is_none_or(|shape| series.has(shape)));
        };
        check("n2", 6, 20_480, Some((6, 20_480)));
        // An odd number is none, memory comes in steps, and each virtual CPU has some.
        check("n2", 5, 20_481, Some((6, 20_736)));
        check("e2", 8, 0, Some((8, 4_096)));
        check("n1", 1, 1_024, Some((1, 1_024)));
        check("n1", 2, 0, Some((2, 2_048)));
        // So much memory takes more virtual CPUs.
        check("n1", 2, 20_480, Some((4, 20_480)));
        check("n2", 33, 65_536, Some((36, 65_536)));
        check("n2d", 6, 20_480, Some((8, 20_480)));
        check("n2d", 10, 1_024, Some((16, 8_192)));
        check("e2", 34, 1_024, None);
        check("n2d", 97, 1_024, None);
    }

    #[test]
    fn names_say_shapes() {
        let named = |name| SERIES.iter().find_map(|series| series.named(name));
        assert_eq!(named("n2-custom-6-20480"), Some((6, 20_480)));
        assert_eq!(named("custom-1-1024"), Some((1, 1_024)));
        for none in [
            "n2-custom-5-20480",
            "n2-custom-6-20481",
            "n2-custom-6-65536",
            "n2-custom-2-65536-ext",
            "e2-custom-small-2048",
            "e2-custom-34-65536",
            "n2d-custom-6-20480",
            "c3-custom-4-8192",
            "custom-6",
            "n2-standard-4",
        ] {
            assert_eq!(named(none), None, "{none}");
        }
    }
}
