//! GPUs of hosts, which machines may have whole.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use strat_model::FlexSize;

/// One GPU of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gpu {
    /// Its model, such as `L4`.
    pub(crate) model: String,
    /// The PCI devices that it is: the first is the GPU itself, others (its sound, its USB) go along,
    /// because whoever has one device of an IOMMU group has all of it.
    pub(crate) pci: Vec<PciAddress>,
}

/// Where a device is on a host's PCI bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PciAddress {
    pub(crate) domain: u16,
    pub(crate) bus: u8,
    pub(crate) slot: u8,
    pub(crate) function: u8,
}

impl PciAddress {
    /// What libvirt calls the device: <https://libvirt.org/formatnode.html>.
    pub(crate) fn device_name(self) -> String {
        let Self {
            domain,
            bus,
            slot,
            function,
        } = self;
        format!("pci_{domain:04x}_{bus:02x}_{slot:02x}_{function:x}")
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            domain,
            bus,
            slot,
            function,
        } = self;
        write!(f, "{domain:04x}:{bus:02x}:{slot:02x}.{function:x}")
    }
}

/// As `lspci` has it, with the domain or without: `0000:01:00.0`, `01:00.0`.
impl FromStr for PciAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (place, function) = text.rsplit_once('.')?;
            let (place, slot) = place.rsplit_once(':')?;
            let (domain, bus) = place.rsplit_once(':').unwrap_or(("0", place));
            let hex = |part: &str, most: u16| {
                let is_hex = part.bytes().all(|digit| digit.is_ascii_hexdigit());
                let number = u16::from_str_radix(part, 16).ok().filter(|_| is_hex)?;
                (number <= most).then_some(number)
            };
            let byte = |part: &str, most: u16| u8::try_from(hex(part, most)?).ok();
            Some(Self {
                domain: hex(domain, u16::MAX)?,
                bus: byte(bus, 0xff)?,
                slot: byte(slot, 0x1f)?,
                function: byte(function, 7)?,
            })
        };
        read().ok_or_else(|| format!("`{text}` is no PCI address such as `0000:01:00.0`"))
    }
}

/// A GPU as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GpuTable {
    model: String,
    pci: OneOrMany,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// The GPUs of one host, or what is wrong with them.
pub(super) fn read(tables: Vec<GpuTable>) -> Result<Vec<Gpu>, String> {
    let mut seen = BTreeSet::new();
    let mut gpus = Vec::new();
    for GpuTable { model, pci } in tables {
        if !FlexSize::is_model(&model) {
            return Err(format!(
                "`{model}` is no model of a GPU: at most 32 letters, digits, `-` and `_`, a letter or \
                 digit first"
            ));
        }
        let pci = match pci {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        };
        let pci: Vec<PciAddress> = pci
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()?;
        if pci.is_empty() {
            return Err(format!("a GPU of the model `{model}` has no PCI address"));
        }
        if let Some(twice) = pci.iter().find(|one| !seen.insert(**one)) {
            return Err(format!("the PCI address {twice} stands twice"));
        }
        gpus.push(Gpu { model, pci });
    }
    Ok(gpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_lspci_has_them() {
        let address: PciAddress = "0000:3b:00.1".parse().expect("an address");
        assert_eq!(address.to_string(), "0000:3b:00.1");
        assert_eq!(address.device_name(), "pci_0000_3b_00_1");
        let short: PciAddress = "3b:00.1".parse().expect("an address");
        assert_eq!(short, address);
        for wrong in [
            "",
            "3b:00",
            "3b:20.0",
            "3b:00.8",
            "0000:3b:00.x",
            "+1:00.0",
            "10000:00:00.0",
        ] {
            assert!(wrong.parse::<PciAddress>().is_err(), "{wrong}");
        }
    }
}
