//! Sizes of machines on owned hardware, which has any that is asked for.

use std::fmt;
use std::str::FromStr;

use crate::{Bytes, CapacityKind, Money, Name, Offer, UnitError};

/// The sizes that are listed where any can be had: virtual CPUs and MiB of memory.
const LADDER: [(u32, u64); 14] = [
    (1, 512),
    (1, 1024),
    (1, 2048),
    (2, 2048),
    (2, 4096),
    (2, 8192),
    (4, 8192),
    (4, 16384),
    (8, 16384),
    (8, 32768),
    (16, 32768),
    (16, 65536),
    (32, 65536),
    (32, 131_072),
];

/// The size of a machine on owned hardware. Its text is the machine type: `flex-4-16384`, and with GPUs
/// `flex-4-16384-2xL4`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlexSize {
    /// Virtual CPUs.
    pub cpu: u32,
    /// Memory, in MiB.
    pub mib: u64,
    /// How many GPUs it has, and of which model.
    pub gpus: Option<(u32, String)>,
}

impl FlexSize {
    /// What quotas would count together, if there were any.
    pub const FAMILY: &'static str = "flex";

    /// A size without GPUs; memory is rounded up to whole MiB.
    #[must_use]
    pub const fn new(cpu: u32, memory: Bytes) -> Self {
        Self {
            cpu,
            mib: memory.0.div_ceil(1 << 20),
            gpus: None,
        }
    }

    /// The memory; `None` for more than there can be.
    #[must_use]
    pub fn memory(&self) -> Option<Bytes> {
        self.mib.checked_mul(1 << 20).map(Bytes)
    }

    /// How many GPUs it has.
    #[must_use]
    pub fn gpu_count(&self) -> u32 {
        self.gpus.as_ref().map_or(0, |(count, _)| *count)
    }

    /// Whether a word can be the model of a GPU here: a letter or digit first, then also `-` and `_`.
    #[must_use]
    pub fn is_model(word: &str) -> bool {
        let mut letters = word.chars();
        let first = letters.next().is_some_and(|c| c.is_ascii_alphanumeric());
        first && word.len() <= 32 && letters.all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    }

    /// The usual sizes that are within bounds, each without GPUs and with each number of them that a
    /// machine can have.
    pub fn usual(
        most: (u64, Bytes),
        gpus: impl Iterator<Item = (String, u64)>,
    ) -> impl Iterator<Item = Self> {
        let (most_cpu, most_memory) = most;
        let mut with = vec![None];
        for (model, most) in gpus {
            let most = u32::try_from(most).unwrap_or(u32::MAX).min(GPUS_MAX);
            with.extend((1..=most).map(|count| Some((count, model.clone()))));
        }
        let fits = move |(cpu, mib): &(u32, u64)| {
            u64::from(*cpu) <= most_cpu && mib << 20 <= most_memory.0
        };
        let sizes = LADDER.into_iter().filter(fits);
        sizes.flat_map(move |(cpu, mib)| {
            let with = with.clone().into_iter();
            with.map(move |gpus| Self { cpu, mib, gpus })
        })
    }

    /// The offer of this size in a zone.
    #[must_use]
    pub fn offer(&self, zone: &Name, arch: &str, price_hour: Option<Money>) -> Offer {
        let (count, model) = self.gpus.clone().unzip();
        Offer {
            zone: zone.clone(),
            machine_type: self.to_string(),
            family: Self::FAMILY.to_owned(),
            cpu: self.cpu,
            memory: self.memory().unwrap_or(Bytes(u64::MAX)),
            arch: arch.to_owned(),
            gpus: count.unwrap_or(0),
            gpu: model,
            burstable: false,
            capacity: CapacityKind::Owned,
            price_hour,
        }
    }
}

/// The most GPUs of one machine that is listed.
const GPUS_MAX: u32 = 16;

impl fmt::Display for FlexSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flex-{}-{}", self.cpu, self.mib)?;
        match &self.gpus {
            Some((count, model)) => write!(f, "-{count}x{model}"),
            None => Ok(()),
        }
    }
}

impl FromStr for FlexSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let read = || {
            let mut parts = text.strip_prefix("flex-")?.splitn(3, '-');
            let (cpu, mib) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let gpus = match parts.next() {
                Some(gpus) => {
                    let (count, model) = gpus.split_once('x')?;
                    let count = count.parse().ok().filter(|count| *count > 0)?;
                    Some((count, Self::is_model(model).then(|| model.to_owned())?))
                }
                None => None,
            };
            let size = Self { cpu, mib, gpus };
            (cpu > 0 && mib > 0 && size.memory().is_some()).then_some(size)
        };
        read().ok_or_else(|| UnitError::new(text, "a size such as `flex-4-16384`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_name_themselves() {
        let size: FlexSize = "flex-2-4096".parse().expect("a size");
        assert_eq!((size.cpu, size.memory()), (2, Some(Bytes::gib(4))));
        for text in [
            "flex-2-4096",
            "flex-8-32768-2xL4",
            "flex-8-32768-1xRTX-4090",
        ] {
            let size: FlexSize = text.parse().expect(text);
            assert_eq!(size.to_string(), text);
        }
        let size: FlexSize = "flex-8-32768-2xRTX-4090".parse().expect("a size");
        assert_eq!(size.gpus, Some((2, "RTX-4090".to_owned())));
        for wrong in [
            "flex-0-1",
            "flex-1-0",
            "m5.large",
            "flex-1",
            "flex-1-1-0xL4",
            "flex-1-1-L4",
        ] {
            assert!(wrong.parse::<FlexSize>().is_err(), "{wrong}");
        }
        assert!(format!("flex-1-{}", u64::MAX).parse::<FlexSize>().is_err());
    }

    #[test]
    fn usual_sizes_are_listed_with_each_number_of_gpus() {
        let gpus = [("L4".to_owned(), 2)].into_iter();
        let sizes = FlexSize::usual((1, Bytes::gib(1)), gpus);
        let names: Vec<String> = sizes.map(|size| size.to_string()).collect();
        assert_eq!(
            names,
            [
                "flex-1-512",
                "flex-1-512-1xL4",
                "flex-1-512-2xL4",
                "flex-1-1024",
                "flex-1-1024-1xL4",
                "flex-1-1024-2xL4"
            ]
        );
    }
}
