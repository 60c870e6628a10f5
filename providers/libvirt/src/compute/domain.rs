//! A machine as libvirt's domain: <https://libvirt.org/formatdomain.html>.

use std::collections::BTreeSet;

use strat_model::{Bytes, Digest};

use crate::config::{CpuModel, DirectBoot, DiskCache, Firmware, Gpu, Hugepages, Settings};
use crate::host::{HostTraits, gpu_xml};
use crate::network::machine_filter;
use crate::xml::Element;

/// A disk, as it is plugged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plug {
    /// The file or device.
    pub(crate) path: String,
    /// Whether it is a file.
    pub(crate) is_file: bool,
    /// `qcow2` or `raw`.
    pub(crate) format: String,
    /// Its name within the machine, such as `vda`.
    pub(crate) target: String,
    /// What the machine knows it by, whatever its name is there.
    pub(crate) serial: Option<String>,
    /// Whether it may be written.
    pub(crate) writable: bool,
    /// What the host's page cache has to do with it.
    pub(crate) cache: DiskCache,
}

/// Everything that a domain is made of.
#[derive(Debug)]
pub(super) struct Blueprint<'a> {
    pub(super) name: &'a str,
    pub(super) uuid: &'a str,
    pub(super) domain_type: &'a str,
    pub(super) traits: &'a HostTraits,
    pub(super) firmware: Firmware,
    pub(super) settings: &'a Settings,
    pub(super) cpu: u32,
    pub(super) memory: Bytes,
    pub(super) boot: Option<&'a DirectBoot>,
    pub(super) disks: &'a [Plug],
    pub(super) gpus: Vec<&'a Gpu>,
    pub(super) subnet: &'a str,
    pub(super) mac: &'a str,
}

impl Blueprint<'_> {
    /// The definition, without our document.
    pub(super) fn xml(&self) -> Element {
        let features = ["acpi", "apic"].map(Element::new);
        let mut domain = Element::new("domain")
            .with("type", self.domain_type)
            .holding(Element::leaf("name", self.name))
            .holding(Element::leaf("uuid", self.uuid))
            .holding(Element::leaf("memory", self.memory.0 >> 10).with("unit", "KiB"))
            .holding_all(self.backing())
            .holding(Element::leaf("vcpu", self.cpu))
            .holding(self.os());
        if self.traits.arch == "x86_64" {
            domain = domain.holding(Element::new("features").holding_all(features));
        }
        domain
            .holding_all(self.processor())
            .holding(Element::new("clock").with("offset", "utc"))
            .holding(Element::leaf("on_poweroff", "destroy"))
            .holding(Element::leaf("on_reboot", "restart"))
            .holding(Element::leaf("on_crash", "destroy"))
            .holding(self.devices())
    }

    fn os(&self) -> Element {
        let mut kind = Element::leaf("type", "hvm").with("arch", &self.traits.arch);
        if let Some(machine) = &self.traits.machine {
            kind = kind.with("machine", machine);
        }
        let mut os = Element::new("os");
        if self.firmware == Firmware::Uefi {
            os = os.with("firmware", "efi");
        }
        os = os.holding(kind);
        if self.firmware == Firmware::Uefi {
            // Else libvirt may take a firmware that starts nothing but what Microsoft signed.
            let off = |name: &str| {
                Element::new("feature")
                    .with("enabled", "no")
                    .with("name", name)
            };
            let features = ["enrolled-keys", "secure-boot"].map(off);
            os = os.holding(Element::new("firmware").holding_all(features));
        }
        match self.boot {
            Some(boot) => os
                .holding(Element::leaf("kernel", &boot.kernel))
                .holding_all(boot.initrd.iter().map(|path| Element::leaf("initrd", path)))
                .holding_all(
                    boot.cmdline
                        .iter()
                        .map(|line| Element::leaf("cmdline", line)),
                ),
            None => os.holding(Element::new("boot").with("dev", "hd")),
        }
    }

    /// Which pages of the host its memory is in. The mock driver has none.
    fn backing(&self) -> Option<Element> {
        let page = Element::new("page").with("unit", "KiB");
        let pages = match self.settings.hugepages {
            Hugepages::None => return None,
            Hugepages::Default => Element::new("hugepages"),
            Hugepages::TwoMib => Element::new("hugepages").holding(page.with("size", 2 << 10)),
            Hugepages::OneGib => Element::new("hugepages").holding(page.with("size", 1 << 20)),
        };
        (self.domain_type != "test").then(|| Element::new("memoryBacking").holding(pages))
    }

    /// Under KVM as the site says; translated, everything that the translator knows.
    fn processor(&self) -> Option<Element> {
        let of_mode = |mode: &str| Element::new("cpu").with("mode", mode);
        match (self.domain_type, &self.settings.cpu_model) {
            ("kvm", CpuModel::HostModel) => Some(of_mode("host-model")),
            ("kvm", CpuModel::HostPassthrough) => Some(of_mode("host-passthrough")),
            ("kvm", CpuModel::Named(name)) => {
                let model = Element::leaf("model", name).with("fallback", "forbid");
                let cpu = of_mode("custom").with("match", "exact");
                Some(cpu.holding(model))
            }
            ("qemu", _) => Some(of_mode("maximum")),
            _ => None,
        }
    }

    fn devices(&self) -> Element {
        let gpus = self.gpus.iter().enumerate();
        let gpus = gpus.flat_map(|(number, gpu)| gpu_xml(number, gpu));
        if self.domain_type == "test" {
            return Element::new("devices")
                .holding(self.interface())
                .holding_all(gpus);
        }
        let console = [("serial", "isa-serial"), ("console", "serial")];
        let console = console.map(|(name, kind)| {
            let target = Element::new("target").with("port", 0);
            let target = if name == "console" {
                target.with("type", kind)
            } else {
                target
            };
            Element::new(name).with("type", "pty").holding(target)
        });
        let agent = Element::new("channel").with("type", "unix").holding(
            Element::new("target")
                .with("type", "virtio")
                .with("name", "org.qemu.guest_agent.0"),
        );
        let random = Element::new("rng")
            .with("model", "virtio")
            .holding(Element::leaf("backend", "/dev/urandom").with("model", "random"));
        // Volumes come and go on SCSI: it has room for hundreds, and lets go of a disk whatever
        // the machine's system is doing.
        let scsi = Element::new("controller")
            .with("type", "scsi")
            .with("index", 0)
            .with("model", "virtio-scsi");
        Element::new("devices")
            .holding_all(self.disks.iter().map(disk_xml))
            .holding(scsi)
            .holding(self.interface())
            .holding_all(gpus)
            .holding_all(console)
            .holding(agent)
            .holding(random)
    }

    fn interface(&self) -> Element {
        let interface = Element::new("interface")
            .with("type", "network")
            .holding(Element::new("mac").with("address", self.mac))
            .holding(Element::new("source").with("network", self.subnet))
            .holding(Element::new("model").with("type", "virtio"));
        if self.domain_type == "test" {
            return interface;
        }
        interface.holding(Element::new("filterref").with("filter", machine_filter(self.name)))
    }
}

/// A disk's element, as it is defined, attached and detached.
pub(crate) fn disk_xml(plug: &Plug) -> Element {
    let (kind, attribute) = if plug.is_file {
        ("file", "file")
    } else {
        ("block", "dev")
    };
    let bus = if plug.target.starts_with('v') {
        "virtio"
    } else {
        "scsi"
    };
    let mut driver = Element::new("driver")
        .with("name", "qemu")
        .with("type", &plug.format);
    if let Some(cache) = plug.cache.word() {
        driver = driver.with("cache", cache);
    }
    // What a machine frees within is freed on the host, too.
    let driver = driver.with("discard", "unmap");
    let mut disk = Element::new("disk")
        .with("type", kind)
        .with("device", "disk")
        .holding(driver)
        .holding(Element::new("source").with(attribute, &plug.path))
        .holding(
            Element::new("target")
                .with("dev", &plug.target)
                .with("bus", bus),
        );
    if let Some(serial) = &plug.serial {
        disk = disk.holding(Element::leaf("serial", serial));
    }
    if !plug.writable {
        disk = disk.holding(Element::new("readonly"));
    }
    disk
}

/// The name of the `index`th disk of a kind: `vda` … `vdz`, `vdaa` ….
pub(crate) fn disk_name(prefix: &str, index: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0));
    match index.checked_sub(26) {
        None => format!("{prefix}{}", letter(index)),
        Some(rest) => format!("{prefix}{}{}", letter(rest / 26), letter(rest)),
    }
}

/// A hardware address for a machine's interface that none of these is: QEMU's prefix, and a digest of
/// the machine's UUID. Three bytes are few: of five thousand machines two would likely share one.
pub(super) fn free_mac(uuid: &str, taken: &BTreeSet<String>) -> String {
    let mut seed = uuid.to_owned();
    loop {
        let digest = Digest::of(seed.as_bytes());
        let d = digest.as_str();
        let mac = format!("52:54:00:{}:{}:{}", &d[..2], &d[2..4], &d[4..6]);
        if !taken.contains(&mac) {
            return mac;
        }
        seed.push('+');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_have_names() {
        assert_eq!(disk_name("vd", 0), "vda");
        assert_eq!(disk_name("sd", 25), "sdz");
        assert_eq!(disk_name("sd", 26), "sdaa");
        assert_eq!(disk_name("sd", 53), "sdbb");
    }

    #[test]
    fn a_hardware_address_is_nobody_elses() {
        let mut taken = BTreeSet::new();
        for _ in 0..20 {
            let mac = free_mac("x", &taken);
            assert_eq!(mac.len(), 17);
            assert!(mac.starts_with("52:54:00:"));
            assert!(taken.insert(mac));
        }
        assert_eq!(
            free_mac("x", &BTreeSet::new()),
            free_mac("x", &BTreeSet::new())
        );
    }
}
