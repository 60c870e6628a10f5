//! Machines as libvirt has them, where that is not as they were made: told, and made good.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Bytes, Departure, DiskSpec, FlexSize, Kind, Resource, Result, Spec};

use crate::error::{Explain as _, missing};
use crate::host::{Guest, Host, MachineBody};
use crate::network::{FirewallBody, differences, machine_filter};
use crate::rpc::sys;
use crate::setup;
use crate::site::{Site, flexible_size};
use crate::thing::Thing;
use crate::xml::Element;

/// Two sizes of a disk that differ by less are one: pools round up.
const ROUNDED: u64 = 1 << 20;

/// The firewalls that a host knows of.
type Known = BTreeMap<String, Thing<FirewallBody>>;

/// The same, by host.
pub(super) type KnownByHost = BTreeMap<String, Known>;

impl Site {
    pub(crate) fn list_machines(&self) -> Result<Vec<Resource>> {
        let lists = self.each(|host| {
            let mut known = KnownByHost::new();
            let one = |guest: &Guest| {
                let mut machine = self.machine_of(host, guest);
                self.tell_rest(host, guest, &mut known, &mut machine)?;
                Ok(machine)
            };
            host.guests()?.iter().map(one).collect::<Result<Vec<_>>>()
        })?;
        Ok(lists.into_iter().flatten().collect())
    }

    /// Says whether a machine's traffic is filtered as it is to be.
    fn tell_filter(
        &self,
        host: &Host,
        guest: &Guest,
        known: &Known,
        machine: &mut Resource,
    ) -> Result<()> {
        let Some(body) = guest.body() else {
            return Ok(());
        };
        let name = machine_filter(&guest.name);
        if guest.filter.as_deref() != Some(name.as_str()) {
            let is = guest
                .filter
                .as_deref()
                .unwrap_or("none: nothing is refused");
            machine.depart(setup::FILTER, &Departure::new(is, name));
            return Ok(());
        }
        let carried: Option<Vec<_>> = body.firewalls.iter().map(|one| known.get(one)).collect();
        let Some(carried) = carried else {
            // What it is to refuse is not known on this host.
            return Ok(());
        };
        let wanted = self.machine_filter_xml(&guest.name, body, &carried);
        let is = match host.filter_xml(&name)? {
            None => Some("gone".to_owned()),
            Some(xml) => differences(&wanted, &xml),
        };
        if let Some(is) = is {
            machine.depart(setup::FILTER, &Departure::new(is, "its rules alone"));
        }
        Ok(())
    }

    /// Says of a machine what its definition does not: whether its filter is as it is to be, and how large its
    /// disks are. `known` keeps the firewalls, which are read once for each host.
    pub(super) fn tell_rest(
        &self,
        host: &Host,
        guest: &Guest,
        known: &mut KnownByHost,
        machine: &mut Resource,
    ) -> Result<()> {
        if !is_filtered(guest) || host.traits()?.offers("test") {
            return Ok(());
        }
        let known = match known.entry(host.name().to_string()) {
            Entry::Occupied(of_host) => of_host.into_mut(),
            Entry::Vacant(place) => place.insert(self.documents_on(host, Kind::Firewall)?),
        };
        self.tell_filter(host, guest, known, machine)?;
        self.tell_disks(host, guest, machine)
    }

    /// Says how large a machine's own disks are, where somebody made them larger.
    fn tell_disks(&self, host: &Host, guest: &Guest, machine: &mut Resource) -> Result<()> {
        let body = guest.body().filter(|_| is_filtered(guest));
        let (Some(body), Spec::Machine(spec)) = (body, &mut machine.spec) else {
            return Ok(());
        };
        if host.traits()?.offers("test") {
            return Ok(());
        }
        let parts = self.parts(&guest.name, body);
        for (index, (disk, part)) in spec.disks.iter_mut().zip(&parts).enumerate() {
            let made = match index {
                0 => body.boot_size,
                _ => Some(disk.size),
            };
            let Some(made) = made else { continue };
            let pool = self.pool_named(host, &part.pool)?;
            let Some(is) = pool.size_if_there(host, &part.volume)? else {
                continue;
            };
            if is.0.abs_diff(made.0) >= ROUNDED {
                *disk = DiskSpec { size: is, ..*disk };
            }
        }
        Ok(())
    }

    /// Brings a machine back to how it was made, in what no field of it says.
    pub(super) fn set_up(&self, host: &Host, guest: &Guest) -> Result<()> {
        let doing = || format!("setting the machine {} up", guest.name);
        let Some(domain) = host.domain(&guest.uuid)? else {
            return Err(missing(format!("machine {}", guest.name)));
        };
        if host.traits()?.offers("test") {
            return Ok(());
        }
        if is_filtered(guest) {
            let own = BTreeSet::from([guest.name.clone()]);
            self.refresh_filters(&BTreeSet::new(), &own)?;
            let now = guest.running.then_some((0, sys::VIR_DOMAIN_AFFECT_LIVE));
            let next = (sys::VIR_DOMAIN_XML_INACTIVE, sys::VIR_DOMAIN_AFFECT_CONFIG);
            for (description, affects) in now.into_iter().chain([next]) {
                let xml = Element::parse(&domain.xml_desc(description).on(host, doing)?)?;
                if let Some(interface) = filtered_again(&xml, &guest.name) {
                    let changed = domain.update_device_flags(&interface.to_string(), affects);
                    changed.on(host, doing)?;
                }
            }
        }
        if !guest.running {
            return Ok(());
        }
        domain.set_autostart(true).on(host, doing)?;
        match guest.paused {
            Some(_) => domain.resume().on(host, doing),
            None => Ok(()),
        }
    }
}

/// Whether a guest has a filter, as those that we made have once they are whole.
fn is_filtered(guest: &Guest) -> bool {
    guest.is_whole() && guest.body().is_some_and(|body| body.ip.is_some())
}

/// The first interface of a domain with the machine's own filter, where it has not that.
fn filtered_again(domain: &Element, machine: &str) -> Option<Element> {
    let wanted = machine_filter(machine);
    let mut interface = domain.at(&["devices", "interface"])?.clone();
    let is = interface.child("filterref").and_then(|of| of.get("filter"));
    if is == Some(wanted.as_str()) {
        return None;
    }
    interface.put(Element::new("filterref").with("filter", wanted));
    Some(interface)
}

/// Says of a machine that runs what is not as it was made, as far as the guest itself says it.
pub(super) fn tell_run(host: &Host, guest: &Guest, body: &MachineBody, machine: &mut Resource) {
    let real = host.traits().is_ok_and(|traits| !traits.offers("test"));
    if !guest.running || !real || !guest.is_whole() {
        return;
    }
    // One that was found and adopted starts as it did before.
    if guest.autostart == Some(false) && body.ip.is_some() {
        let departure = Departure::new("not starting with its host", "starting with its host");
        machine.depart(setup::AUTOSTART, &departure);
    }
    let why = match guest.paused {
        Some(sys::VIR_DOMAIN_PAUSED_USER) => "paused: somebody asked for it",
        Some(sys::VIR_DOMAIN_PAUSED_IOERROR) => "paused: a disk failed, or its pool is full",
        Some(sys::VIR_DOMAIN_PAUSED_WATCHDOG) => "paused: its watchdog rang",
        Some(sys::VIR_DOMAIN_PAUSED_FROM_SNAPSHOT) => "paused: a snapshot was restored",
        // Saved, moved, snapshotted: whoever does that lets it go on.
        Some(_) | None => return,
    };
    machine.depart(setup::EXECUTION, &Departure::new(why, "running"));
}

/// The network that a machine of ours is plugged into: its subnet, unless somebody plugged it into another.
pub(super) fn subnet<'a>(body: &'a MachineBody, guest: &'a Guest) -> &'a str {
    let is_ours = guest.is_whole() && body.ip.is_some();
    let mut plugged = guest.networks.iter().filter(|_| is_ours);
    match plugged.clone().any(|network| *network == body.subnet) {
        true => &body.subnet,
        false => plugged.next().unwrap_or(&body.subnet),
    }
}

/// The GPUs that a machine has: now, or at its next start, where either is not what it was given.
pub(super) fn gpus(given: &str, host: &Host, guest: &Guest) -> Option<(u32, String)> {
    let given = given.parse::<FlexSize>().ok().and_then(|size| size.gpus);
    let [next, now] = [&guest.passed.0, &guest.passed.1].map(|passed| host.gpus_among(passed));
    if now == given { next } else { now }
}

/// What a machine has: what it has now, or at its next start, where either is not what it was given.
pub(super) fn size(given: &str, guest: &Guest) -> (u32, Bytes) {
    let same = |(cpu, memory): (u32, Bytes)| {
        let given = flexible_size(given);
        given.is_some_and(|(c, m)| (c, m.0 >> 20) == (cpu, memory.0 >> 20))
    };
    match same(guest.now) {
        true => guest.next,
        false => guest.now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_gets_its_filter_back() {
        let check = |filter: &str, changed: bool| {
            let xml = format!(
                "<domain><devices><interface type='network'><source network='n'/>{filter}\
                 </interface></devices></domain>"
            );
            let again = filtered_again(&Element::parse(&xml).expect("XML"), "db");
            assert_eq!(again.is_some(), changed, "{filter}");
            if let Some(again) = again {
                let filter = again.child("filterref").and_then(|one| one.get("filter"));
                assert_eq!(filter, Some("db.machine"));
            }
        };
        check("<filterref filter='db.machine'/>", false);
        check("<filterref filter='other'/>", true);
        check("", true);
    }
}
