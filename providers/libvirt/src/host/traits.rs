//! What a host is: its size, its instruction set, its machine type.

use std::fmt;

use strat_model::{Bytes, ErrorKind, Result};

use super::Host;
use crate::error::{Explain as _, fail};
use crate::xml::Element;

/// What a host is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostTraits {
    /// Its processors, as the system counts them.
    pub(crate) cpus: u32,
    /// Its memory.
    pub(crate) memory: Bytes,
    /// Its instruction set: `x86_64` or `aarch64`.
    pub(crate) arch: String,
    /// The machine type of new machines.
    pub(crate) machine: Option<String>,
    /// What may run guests here: `kvm`, `qemu`, `test`.
    pub(crate) domain_types: Vec<String>,
    /// The version of its libvirt.
    pub(crate) libvirt: Version,
}

/// A version of libvirt, as it counts them: a million for each major one, a thousand for each minor.
/// <https://libvirt.org/html/libvirt-libvirt-host.html#virConnectGetLibVersion>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(n) = self;
        write!(f, "{}.{}.{}", n / 1_000_000, n / 1000 % 1000, n % 1000)
    }
}

impl HostTraits {
    /// Whether libvirt offers a type of domain.
    pub(crate) fn offers(&self, domain_type: &str) -> bool {
        self.domain_types.iter().any(|known| known == domain_type)
    }
}

/// Reads them. The capabilities' form: <https://libvirt.org/formatcaps.html>.
pub(super) fn read(host: &Host) -> Result<HostTraits> {
    let doing = || "asking for the host's capabilities".to_owned();
    let connection = host.connect()?;
    let node = connection.node_info().on(host, doing)?;
    let capabilities = Element::parse(&connection.capabilities().on(host, doing)?)?;
    let arch = capabilities
        .text_at(&["host", "cpu", "arch"])
        .unwrap_or(&node.model)
        .to_owned();
    let guest = capabilities
        .all("guest")
        .filter(|guest| guest.text_at(&["os_type"]) != Some("xen"))
        .filter_map(|guest| guest.child("arch"))
        .find(|guest| guest.get("name") == Some(&arch) || capabilities.all("guest").count() == 1);
    let Some(guest) = guest else {
        let message = format!(
            "the host {} offers no guests of its own kind ({arch})",
            host.name()
        );
        return Err(fail(ErrorKind::Unsupported, message));
    };
    Ok(HostTraits {
        cpus: node.cpus,
        memory: Bytes(node.memory << 10),
        arch,
        machine: machine_type(guest),
        domain_types: guest
            .all("domain")
            .filter_map(|d| d.get("type"))
            .map(str::to_owned)
            .collect(),
        libvirt: Version(connection.lib_version().on(host, doing)?),
    })
}

/// The newest modern machine type: `q35` (x86) or `virt` (Arm), in the version that it stands for
/// now, so that an upgrade of QEMU changes no machine that is there.
fn machine_type(guest: &Element) -> Option<String> {
    let named = |wanted: &str| {
        let found = guest.all("machine").find(|machine| machine.text == wanted);
        found.map(|machine| machine.get("canonical").unwrap_or(wanted).to_owned())
    };
    named("q35")
        .or_else(|| named("virt"))
        .or_else(|| named("pc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_written_as_people_do() {
        assert_eq!(Version(9_000_000).to_string(), "9.0.0");
        assert!(Version(10_010_000) < Version(11_000_000));
    }

    #[test]
    fn the_modern_machine_type_is_taken() {
        let check = |xml: &str, wanted: Option<&str>| {
            let guest = Element::parse(xml).expect("XML");
            assert_eq!(machine_type(&guest).as_deref(), wanted);
        };
        check(
            "<arch><machine canonical='pc-i440fx-7.2'>pc</machine><machine canonical='pc-q35-7.2'>q35</machine></arch>",
            Some("pc-q35-7.2"),
        );
        check("<arch><machine>virt</machine></arch>", Some("virt"));
        check("<arch><machine>testmachine</machine></arch>", None);
    }
}
