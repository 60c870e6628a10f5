//! The guests of a host: ours and everybody else's.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use strat_model::{Bytes, DiskSpec, Kind, Result};

use super::Host;
use super::devices::{Passed, passed};
use crate::error::{Explain as _, is_missing};
use crate::rpc::{Domain, DomainState, sys};
use crate::thing::{Phase, Thing};
use crate::xml::Element;

/// What is kept beside a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MachineBody {
    /// The size's name.
    pub(crate) machine_type: String,
    /// The image's id.
    pub(crate) image: String,
    /// The subnet's id.
    pub(crate) subnet: String,
    /// The firewalls' ids.
    pub(crate) firewalls: BTreeSet<String>,
    /// The key pair's id.
    pub(crate) keypair: Option<String>,
    /// The disks that were asked for.
    pub(crate) disks: Vec<DiskSpec>,
    /// Its address; `None` for a machine that was found and adopted.
    pub(crate) ip: Option<Ipv4Addr>,
    /// Its interface's hardware address.
    pub(crate) mac: String,
    /// How large its boot disk was made, which is the image's own size where that is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) boot_size: Option<Bytes>,
}

/// A disk that a guest uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DiskUse {
    /// The file or device, or `pool/volume`.
    pub(crate) source: String,
    /// Its name within the guest, such as `sda`.
    pub(crate) target: String,
    /// What events call it, while the guest runs.
    pub(crate) alias: Option<String>,
}

/// One guest.
#[derive(Debug, Clone)]
pub(crate) struct Guest {
    pub(crate) name: String,
    pub(crate) uuid: String,
    /// Whether it runs now.
    pub(crate) running: bool,
    /// Whether it broke and does not run any more.
    pub(crate) crashed: bool,
    /// Why it is paused, by libvirt's number, if it is.
    pub(crate) paused: Option<i32>,
    /// Whether it starts with its host; nobody asked of those that are off.
    pub(crate) autostart: Option<bool>,
    /// The processors that it may have.
    pub(crate) cpu: u32,
    /// The memory that it may have.
    pub(crate) memory: Bytes,
    /// What it has of both at its next start.
    pub(crate) next: (u32, Bytes),
    /// What it has of both now; what it will have, where it is off.
    pub(crate) now: (u32, Bytes),
    /// The devices of its host that it has at its next start, and those that it has now.
    pub(crate) passed: (Vec<Passed>, Vec<Passed>),
    /// The filter on its first interface.
    pub(crate) filter: Option<String>,
    pub(crate) disks: Vec<DiskUse>,
    /// The networks that its interfaces are in.
    pub(crate) networks: Vec<String>,
    /// The hardware addresses of its interfaces, in lower case.
    pub(crate) macs: Vec<String>,
    /// Our document; `None` for foreign guests.
    pub(crate) thing: Option<Thing<MachineBody>>,
}

impl Guest {
    /// Whether it is ours, and all its parts are there.
    pub(crate) fn is_whole(&self) -> bool {
        let thing = self.thing.as_ref();
        thing.is_some_and(|thing| thing.phase == Phase::Made)
    }

    /// Our document and what is in it, if it is ours.
    pub(crate) fn body(&self) -> Option<&MachineBody> {
        self.thing.as_ref().map(|thing| &thing.body)
    }

    /// The disk of a source, if the guest uses it.
    pub(crate) fn disk(&self, source: &str) -> Option<&DiskUse> {
        self.disks.iter().find(|disk| disk.source == source)
    }

    fn read(domain: &Domain) -> Result<Self, crate::rpc::Error> {
        let (state, reason) = domain.state()?;
        let text = domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)?;
        let mut guest = Self::of_xml(&Element::parse(&text).unwrap_or_default(), Some(state));
        if guest.running {
            // What is plugged in now and what is at the next start are the same, but for a crash
            // between the two.
            let now = Element::parse(&domain.xml_desc(0)?).unwrap_or_default();
            let now = Self::of_xml(&now, None);
            guest.now = now.next;
            guest.passed.1 = now.passed.0;
            guest.filter = now.filter;
            guest.paused = (state == DomainState::Paused).then_some(reason);
            // The mock driver does not keep it.
            guest.autostart = domain.autostart().ok();
            for disk in now.disks {
                let known = guest.disks.iter_mut().find(|d| d.source == disk.source);
                match known {
                    Some(known) => known.alias = disk.alias,
                    None => guest.disks.push(disk),
                }
            }
        }
        Ok(guest)
    }

    fn of_xml(xml: &Element, state: Option<DomainState>) -> Self {
        let text = |name: &str| xml.text_at(&[name]).unwrap_or_default().to_owned();
        let devices = xml.child("devices");
        let of_kind = |kind: &'static str| devices.into_iter().flat_map(move |d| d.all(kind));
        let network =
            |interface: &Element| Some(interface.child("source")?.get("network")?.to_owned());
        let filter =
            |interface: &Element| Some(interface.child("filterref")?.get("filter")?.to_owned());
        let vcpu = xml.child("vcpu");
        let cpu = vcpu
            .and_then(|vcpu| vcpu.text.trim().parse().ok())
            .unwrap_or(1);
        let current = vcpu.and_then(|vcpu| vcpu.get("current")?.parse().ok());
        let memory = amount(xml, "memory").unwrap_or(Bytes(0));
        let next = (
            current.unwrap_or(cpu),
            amount(xml, "currentMemory").unwrap_or(memory),
        );
        Self {
            name: text("name"),
            uuid: text("uuid"),
            running: matches!(
                state,
                Some(
                    DomainState::Running
                        | DomainState::Blocked
                        | DomainState::Paused
                        | DomainState::Shutdown
                        | DomainState::PmSuspended
                )
            ),
            crashed: state == Some(DomainState::Crashed),
            paused: None,
            autostart: None,
            cpu,
            memory,
            next,
            now: next,
            passed: (passed(xml), passed(xml)),
            filter: of_kind("interface").next().and_then(filter),
            disks: of_kind("disk").filter_map(disk_use).collect(),
            networks: of_kind("interface").filter_map(network).collect(),
            macs: of_kind("interface")
                .filter_map(|i| Some(i.child("mac")?.get("address")?.to_ascii_lowercase()))
                .collect(),
            thing: Thing::from_xml(xml),
        }
    }
}

/// An amount of memory in a domain's XML, whatever its unit:
/// <https://libvirt.org/formatdomain.html#memory-allocation>.
fn amount(xml: &Element, name: &str) -> Option<Bytes> {
    let memory = xml.child(name)?;
    let amount: u64 = memory.text.trim().parse().ok()?;
    Some(Bytes(match memory.get("unit").unwrap_or("KiB") {
        "b" | "bytes" => amount,
        "MiB" | "M" => amount << 20,
        "GiB" | "G" => amount << 30,
        _ => amount << 10,
    }))
}

fn disk_use(disk: &Element) -> Option<DiskUse> {
    let source = disk.child("source")?;
    let path = source
        .get("file")
        .or_else(|| source.get("dev"))
        .map(str::to_owned);
    let volume = || Some(format!("{}/{}", source.get("pool")?, source.get("volume")?));
    Some(DiskUse {
        source: path.or_else(volume)?,
        target: disk.child("target")?.get("dev")?.to_owned(),
        alias: disk
            .child("alias")
            .and_then(|alias| Some(alias.get("name")?.to_owned())),
    })
}

impl Host {
    /// All guests, ours and others, running or not.
    pub(crate) fn guests(&self) -> Result<Vec<Guest>> {
        let doing = || "listing the guests".to_owned();
        let connection = self.connect()?;
        let mut guests = Vec::new();
        for domain in connection.list_all_domains().on(self, doing)? {
            match Guest::read(&domain) {
                Ok(guest) => guests.push(guest),
                // It vanished since it was listed.
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(crate::error::explain(self, &doing(), &error)),
            }
        }
        guests.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(guests)
    }

    /// The guest of a UUID.
    pub(crate) fn guest(&self, uuid: &str) -> Result<Option<Guest>> {
        let doing = || format!("reading the machine {uuid}");
        match self.domain(uuid)? {
            Some(domain) => Guest::read(&domain).found(self, doing),
            None => Ok(None),
        }
    }

    /// The domain of a UUID.
    pub(crate) fn domain(&self, uuid: &str) -> Result<Option<Domain>> {
        if uuid.len() != 36 {
            return Ok(None);
        }
        let connection = self.connect()?;
        connection
            .lookup_domain_by_uuid_string(uuid)
            .found(self, || format!("looking for the {} {uuid}", Kind::Machine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_guest_is_read() {
        let xml = "<domain type='kvm'><name>db</name><uuid>u</uuid><memory unit='GiB'>2</memory>\
                   <vcpu placement='static'>3</vcpu><devices>\
                   <disk type='file'><source file='/a.img'/><target dev='vda'/></disk>\
                   <disk type='volume'><source pool='p' volume='v'/><target dev='vdb'/></disk>\
                   <disk type='file' device='cdrom'><target dev='hda'/></disk>\
                   <interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>\
                   </devices></domain>";
        let guest = Guest::of_xml(
            &Element::parse(xml).expect("XML"),
            Some(DomainState::Shutoff),
        );
        assert_eq!(
            (guest.name.as_str(), guest.cpu, guest.memory),
            ("db", 3, Bytes::gib(2))
        );
        assert_eq!(guest.disks.len(), 2);
        assert_eq!(guest.disks[1].source, "p/v");
        assert_eq!(guest.networks, ["default"]);
        assert!(!guest.running && guest.thing.is_none());
        assert_eq!((guest.next, guest.now), ((3, Bytes::gib(2)), guest.next));
    }

    #[test]
    fn what_a_guest_has_is_not_what_it_may_have() {
        let xml = "<domain><name>db</name><memory unit='KiB'>4194304</memory>\
                   <currentMemory unit='KiB'>1048576</currentMemory><vcpu current='2'>8</vcpu>\
                   <devices><interface type='network'><source network='n'/>\
                   <filterref filter='db.machine'/></interface></devices></domain>";
        let guest = Guest::of_xml(&Element::parse(xml).expect("XML"), None);
        assert_eq!((guest.cpu, guest.memory), (8, Bytes::gib(4)));
        assert_eq!(guest.next, (2, Bytes::gib(1)));
        assert_eq!(guest.filter.as_deref(), Some("db.machine"));
    }
}
