//! PCI devices of a host, and which of them its guests have:
//! <https://libvirt.org/formatdomain.html#host-device-assignment>.

use std::collections::BTreeMap;

use super::{Guest, Host};
use crate::config::{Gpu, PciAddress};
use crate::error::is_missing;
use crate::xml::Element;

/// What the aliases of GPUs that we gave begin with; the model comes after the number.
const GPU: &str = "ua-gpu-";
/// What the aliases of devices that go along with a GPU begin with.
const PART: &str = "ua-part-";

/// A device of its host that a guest has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) address: PciAddress,
    alias: Option<String>,
}

impl Passed {
    /// The model of the GPU that we gave the guest with it.
    fn given(&self) -> Option<&str> {
        let numbered = self.alias.as_ref()?.strip_prefix(GPU)?;
        numbered.split_once('-').map(|(_, model)| model)
    }

    fn is_ours(&self) -> bool {
        let alias = self.alias.as_deref().unwrap_or_default();
        alias.starts_with(GPU) || alias.starts_with(PART)
    }

    /// Its element, as it is detached.
    pub(crate) fn xml(&self) -> Element {
        hostdev(self.address, self.alias.as_deref())
    }
}

/// The elements of a GPU, the `number`th of its machine. libvirt takes the device from the host's own
/// driver when the machine starts, and gives it back.
pub(crate) fn gpu_xml(number: usize, gpu: &Gpu) -> Vec<Element> {
    let devices = gpu.pci.iter().enumerate();
    let element = |(part, address): (usize, &PciAddress)| {
        let alias = match part {
            0 => format!("{GPU}{number}-{}", gpu.model),
            part => format!("{PART}{number}-{part}"),
        };
        hostdev(*address, Some(&alias))
    };
    devices.map(element).collect()
}

fn hostdev(address: PciAddress, alias: Option<&str>) -> Element {
    let PciAddress {
        domain,
        bus,
        slot,
        function,
    } = address;
    let place = Element::new("address")
        .with("domain", format!("{domain:#06x}"))
        .with("bus", format!("{bus:#04x}"))
        .with("slot", format!("{slot:#04x}"))
        .with("function", format!("{function:#x}"));
    Element::new("hostdev")
        .with("mode", "subsystem")
        .with("type", "pci")
        .with("managed", "yes")
        .holding(Element::new("source").holding(place))
        .holding_all(alias.map(|alias| Element::new("alias").with("name", alias)))
}

/// The devices of its host that a domain has.
pub(super) fn passed(domain: &Element) -> Vec<Passed> {
    let devices = domain.child("devices").into_iter();
    let all = devices.flat_map(|devices| devices.all("hostdev"));
    let read = |device: &Element| {
        let place = device.at(&["source", "address"])?;
        let part = |name: &str| {
            let text = place.get(name)?;
            let digits = text.strip_prefix("0x").unwrap_or(text);
            u16::from_str_radix(digits, 16).ok()
        };
        let byte = |name: &str| part(name).and_then(|number| u8::try_from(number).ok());
        Some(Passed {
            address: PciAddress {
                domain: part("domain")?,
                bus: byte("bus")?,
                slot: byte("slot")?,
                function: byte("function")?,
            },
            alias: device
                .child("alias")
                .and_then(|alias| Some(alias.get("name")?.to_owned())),
        })
    };
    all.filter(|device| device.get("type") == Some("pci"))
        .filter_map(read)
        .collect()
}

impl Guest {
    /// Whether it has any device of a GPU, now or at its next start.
    pub(crate) fn has(&self, gpu: &Gpu) -> bool {
        let mut all = self.passed.0.iter().chain(&self.passed.1);
        all.any(|one| gpu.pci.contains(&one.address))
    }
}

impl Host {
    /// The GPUs that its machines may have, as the topology says.
    pub(crate) fn gpus(&self) -> &[Gpu] {
        &self.config.gpus
    }

    /// For each of them, the first of its devices that the host has not. A libvirt that knows nothing of
    /// devices says of none that it is missing.
    pub(crate) fn missing_gpus(&self) -> &[Option<PciAddress>] {
        self.missing_gpus.get_or_init(|| {
            let gpus = self.config.gpus.iter();
            gpus.map(|gpu| {
                let mut devices = gpu.pci.iter().copied();
                devices.find(|address| self.lacks(*address))
            })
            .collect()
        })
    }

    fn lacks(&self, address: PciAddress) -> bool {
        let Ok(connection) = self.connect() else {
            return false;
        };
        let found = connection.lookup_node_device_by_name(&address.device_name());
        match found {
            Ok(()) => false,
            Err(error) if is_missing(&error) => true,
            Err(error) => {
                tracing::debug!(host = %self.name(), "no word of the device {address}: {error}");
                false
            }
        }
    }

    /// The GPUs among devices that a guest has: those that the topology names, by its word for their
    /// model, and those that we gave it by another topology.
    pub(crate) fn gpus_among(&self, passed: &[Passed]) -> Option<(u32, String)> {
        let mut models: BTreeMap<&str, u32> = BTreeMap::new();
        for one in passed {
            let listed = self.config.gpus.iter();
            let mut listed = listed.filter(|gpu| gpu.pci.first() == Some(&one.address));
            let model = listed.next().map(|gpu| gpu.model.as_str());
            if let Some(model) = model.or_else(|| one.given()) {
                *models.entry(model).or_default() += 1;
            }
        }
        let count = models.values().sum();
        let models: Vec<&str> = models.into_keys().collect();
        (count > 0).then(|| (count, models.join("+")))
    }

    /// Those of a guest's devices that it has beyond the first GPUs of so many.
    pub(crate) fn beyond<'g>(&self, passed: &'g [Passed], keep: u32) -> Vec<&'g Passed> {
        let listed = |one: &Passed| {
            let mut gpus = self.config.gpus.iter();
            gpus.position(|gpu| gpu.pci.contains(&one.address))
        };
        let (mut kept, mut beyond) = (Vec::new(), Vec::new());
        let mut last_is_kept = false;
        for one in passed {
            let number = listed(one);
            if number.is_none() && !one.is_ours() {
                continue;
            }
            let is_first = match number {
                Some(number) => self.config.gpus[number].pci.first() == Some(&one.address),
                None => one.given().is_some(),
            };
            if is_first {
                last_is_kept = kept.len() < keep as usize;
                if last_is_kept {
                    kept.push(number);
                }
            }
            let stays = match number {
                Some(number) => kept.contains(&Some(number)),
                None => last_is_kept,
            };
            if !stays {
                beyond.push(one);
            }
        }
        beyond
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_read_back() {
        let gpu = Gpu {
            model: "RTX-4090".to_owned(),
            pci: ["3b:00.0", "3b:00.1"]
                .map(|text| text.parse().expect(text))
                .to_vec(),
        };
        let elements = gpu_xml(0, &gpu);
        assert_eq!(
            elements[0].to_string(),
            "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' \
             bus='0x3b' slot='0x00' function='0x0'/></source><alias name='ua-gpu-0-RTX-4090'/></hostdev>"
                .replace('\'', "\"")
        );
        let domain = Element::new("domain").holding(Element::new("devices").holding_all(elements));
        let passed = passed(&domain);
        let addresses: Vec<_> = passed.iter().map(|one| one.address).collect();
        assert_eq!(addresses, gpu.pci);
        assert_eq!(passed[0].given(), Some("RTX-4090"));
        assert_eq!(passed[1].given(), None);
        assert!(passed.iter().all(Passed::is_ours));
    }
}
