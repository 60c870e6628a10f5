//! Where a network or subnet of ours is gone, or does not run: told, and made good.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Departure, Resource, Result};

use super::{Net, NetBody, subnet_body};
use crate::error::Explain as _;
use crate::host::Host;
use crate::setup;
use crate::site::Site;
use crate::thing::Thing;

/// How a network is on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    /// It runs, and starts with its host.
    Well,
    /// It runs, and would not start with its host.
    NotNextTime,
    /// It is defined and does not run.
    Stopped,
    /// It is not there.
    Gone,
}

impl Host {
    fn run_of(&self, network: &str) -> Result<Run> {
        let doing = || format!("looking at the network {network}");
        let connection = self.connect()?;
        let Some(found) = connection
            .lookup_network_by_name(network)
            .found(self, doing)?
        else {
            return Ok(Run::Gone);
        };
        let Some(active) = found.is_active().found(self, doing)? else {
            return Ok(Run::Gone);
        };
        if !active {
            return Ok(Run::Stopped);
        }
        Ok(match found.autostart().found(self, doing)? {
            Some(false) => Run::NotNextTime,
            Some(true) | None => Run::Well,
        })
    }

    /// The networks that machines of ours are in.
    fn used_networks(&self) -> Result<BTreeSet<String>> {
        let guests = self.guests()?.into_iter();
        let ours = guests.filter(|guest| guest.thing.is_some());
        Ok(ours.flat_map(|guest| guest.networks).collect())
    }
}

impl Site {
    /// Says of subnets on which hosts they do not run. A host that joined the site later gets a subnet
    /// with its first machine there.
    pub(super) fn tell_stopped(&self, subnets: &mut [Resource]) -> Result<()> {
        if subnets.is_empty() {
            return Ok(());
        }
        let hosts = self.each(|host| {
            if host.traits()?.offers("test") {
                return Ok(None);
            }
            let runs = subnets.iter().map(|subnet| host.run_of(subnet.id.as_str()));
            let runs = runs.collect::<Result<Vec<_>>>()?;
            Ok(Some((runs, host.used_networks()?)))
        })?;
        for (host, seen) in self.hosts.iter().zip(hosts) {
            let Some((runs, used)) = seen else { continue };
            for (subnet, run) in subnets.iter_mut().zip(runs) {
                let is = match run {
                    Run::Well => continue,
                    Run::Gone if !used.contains(subnet.id.as_str()) => continue,
                    Run::Gone => "gone, and its machines are cut off",
                    Run::Stopped => "stopped, and its machines are cut off",
                    Run::NotNextTime => "not starting with its host",
                };
                let ought = match run {
                    Run::NotNextTime => "starting with its host",
                    _ => "running; machines that ran meanwhile are plugged in as they restart",
                };
                subnet.depart(&setup::on(host), &Departure::new(is, ought));
            }
        }
        Ok(())
    }

    /// Sees to it that a subnet runs where it is, and where machines are in it. Who calls holds the
    /// definitions.
    pub(super) fn run_again(&self, subnet: &Net) -> Result<()> {
        self.each(|host| {
            if host.network_xml(&subnet.id)?.is_none() {
                if !host.used_networks()?.contains(&subnet.id) {
                    return Ok(());
                }
                self.define_subnet(host, subnet)?;
                self.keep_addresses(host, &subnet.id)?;
            }
            host.start_network(&subnet.id)
        })?;
        Ok(())
    }

    /// Keeps the addresses of the machines of a host in a subnet that was made anew there.
    fn keep_addresses(&self, host: &Host, subnet: &str) -> Result<()> {
        for guest in host.guests()? {
            let Some(body) = guest.body().filter(|body| body.subnet == subnet) else {
                continue;
            };
            if let Some(ip) = body.ip {
                host.reserve_address(subnet, &body.mac, ip, true)?;
            }
        }
        Ok(())
    }

    /// Says of a network which hosts have lost it: those that have a subnet of it.
    pub(super) fn tell_gone(&self, net: &Net, all: &BTreeMap<String, Net>, told: &mut Resource) {
        if !matches!(
            &net.thing,
            Some(Thing {
                body: NetBody::Network { .. },
                ..
            })
        ) {
            return;
        }
        let parts = all
            .values()
            .filter(|one| subnet_body(one).is_some_and(|(network, _)| network == net.id));
        let needed: BTreeSet<usize> = parts.flat_map(|one| one.hosts.iter().copied()).collect();
        for index in needed {
            let lost = !net.hosts.contains(&index);
            if let Some(host) = self.hosts.get(index).filter(|_| lost) {
                told.depart(&setup::on(host), &Departure::new("gone", "there"));
            }
        }
    }

    /// Defines a network wherever a host lacks it. Who calls holds the definitions.
    pub(super) fn define_again(&self, net: &Net, thing: &Thing<NetBody>) -> Result<()> {
        let mut xml = net.xml.clone();
        thing.put_into(&mut xml)?;
        self.each(|host| match host.network_xml(&net.id)? {
            Some(_) => Ok(()),
            None => host.define_network(&xml),
        })?;
        Ok(())
    }
}
