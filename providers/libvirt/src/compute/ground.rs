//! Where the machines of a batch go: a host with room, and an address that nobody has.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use strat_model::{Bytes, DiskSpec, ErrorKind, FlexSize, MachineSpec, ResourceId, Result, Scope};

use super::create::Order;
use crate::error::fail;
use crate::host::{Guest, Host};
use crate::network::{free_address, subnet_body};
use crate::site::{Need, Note, Room, Site, choose};
use crate::thing::Thing;

/// Where a machine goes.
pub(super) struct Spot {
    /// The host's place in the site's list.
    pub(super) host: usize,
    pub(super) ip: Ipv4Addr,
    /// The places of its GPUs in the host's list.
    pub(super) gpus: Vec<usize>,
}

/// What is left to be given out while a batch is placed.
pub(super) struct Ground {
    rooms: Vec<Room>,
    need: Need,
    cidr: ipnet::Ipv4Net,
    taken: BTreeSet<Ipv4Addr>,
}

impl Ground {
    pub(super) fn new(
        site: &Site,
        order: &Order<'_>,
        guests: &[(&Host, Guest)],
        addr: &strat_model::Addr,
        elsewhere: &[Note],
    ) -> Result<Self> {
        let mut rooms = Vec::new();
        for (index, host) in site
            .hosts
            .iter()
            .enumerate()
            .filter(|(_, host)| *host.zone() == order.spec.zone && !host.is_draining())
        {
            let here: Vec<_> = guests
                .iter()
                .filter(|(of, _)| of.name() == host.name())
                .map(|(_, guest)| guest)
                .collect();
            let mut room = if host.traits()?.offers("test") {
                test_room(index)
            } else {
                site.room(index, host, &here)?
            };
            let is_sibling = |guest: &&&Guest| {
                guest
                    .thing
                    .as_ref()
                    .and_then(Thing::mark)
                    .is_some_and(|mark| mark.addr == *addr)
            };
            room.siblings =
                u32::try_from(here.iter().filter(is_sibling).count()).unwrap_or(u32::MAX);
            rooms.push(room);
        }
        let subnet = order.subnet.id.as_str();
        let noted = elsewhere.iter().filter_map(|note| note.body.machine());
        let in_it = guests
            .iter()
            .filter_map(|(_, guest)| guest.body())
            .chain(noted)
            .filter(|body| body.subnet == subnet);
        let taken = in_it.filter_map(|body| body.ip).collect();
        let cidr = subnet_body(&order.subnet)
            .map(|(_, cidr)| cidr)
            .unwrap_or_default();
        Ok(Self {
            rooms,
            need: need_of(site, order.spec),
            cidr,
            taken,
        })
    }

    /// A host and an address for one machine more.
    pub(super) fn spot(&mut self, order: &Order<'_>) -> Result<Spot> {
        let Some(ip) = free_address(self.cidr, &self.taken) else {
            let message = format!(
                "all addresses of {} in the subnet {} are in use",
                self.cidr, order.subnet.id
            );
            return Err(fail(ErrorKind::Capacity, message).with_scope(Scope::Subnet));
        };
        let Some((host, gpus)) = choose(&mut self.rooms, &self.need) else {
            let free: Vec<_> = self
                .rooms
                .iter()
                .map(|room| {
                    let gpus = room.gpus.iter();
                    let gpus = gpus.map(|(model, free)| format!(", {} {model}", free.len()));
                    let memory = Bytes(room.memory >> 20 << 20);
                    format!("{} CPUs and {memory}{}", room.cpu, gpus.collect::<String>())
                })
                .collect();
            let spec = order.spec;
            let message = format!(
                "no host of {} has room for a `{}`; free are: {}",
                spec.zone,
                spec.machine_type,
                free.join(", ")
            );
            let full = self.rooms.iter().all(|room| room.cpu == 0);
            let scope = if full { Scope::Zone } else { Scope::Offer };
            return Err(fail(ErrorKind::Capacity, message).with_scope(scope));
        };
        self.taken.insert(ip);
        Ok(Spot { host, ip, gpus })
    }
}

/// libvirt's own mock driver has no disks to measure.
fn test_room(host: usize) -> Room {
    Room {
        host,
        cpu: u64::from(u32::MAX),
        memory: u64::MAX,
        pools: BTreeMap::new(),
        gpus: BTreeMap::new(),
        siblings: 0,
    }
}

fn need_of(site: &Site, spec: &MachineSpec<ResourceId>) -> Need {
    let mut pools: BTreeMap<String, u64> = BTreeMap::new();
    for DiskSpec { size, class } in &spec.disks {
        *pools.entry(site.pool_name(*class).to_owned()).or_default() += size.0;
    }
    Need {
        cpu: spec.cpu.into(),
        memory: spec.memory.0,
        pools,
        gpus: spec
            .machine_type
            .parse()
            .ok()
            .and_then(|size: FlexSize| size.gpus),
    }
}
