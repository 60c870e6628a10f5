//! How much a site has, and how much of it is free.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use strat_model::{
    Bytes, Capabilities, FlexSize, Idempotency, Internet, InternetWays, Kind, MarkStore, Money,
    Name, Offer, Pool, ReservedAddresses, Result, Sizing, SubnetScope,
};

use super::{Room, Site};
use crate::config::{Cost, Settings, Uplink};
use crate::host::{Guest, Host, HostTraits};

/// The kinds that a host has. A site may have buckets beside its hosts.
const KINDS: [Kind; 7] = [
    Kind::Network,
    Kind::Subnet,
    Kind::Firewall,
    Kind::Keypair,
    Kind::Image,
    Kind::Machine,
    Kind::Volume,
];

/// The most user data: it is on a small disk of the machine's own.
pub(crate) const USER_DATA_MAX: u64 = 1 << 20;

/// What any site can do. How large a machine may be is its hosts' matter: here it is one of a
/// single CPU and GiB, the least.
#[must_use]
pub(crate) fn general() -> Capabilities {
    with_sizes(1, 1 << 30)
}

/// What a site of these hosts can do.
pub(crate) fn capabilities(settings: &Settings, hosts: &[HostTraits]) -> Capabilities {
    let cpus = hosts
        .iter()
        .map(|host| cpus(settings, host))
        .max()
        .unwrap_or(0);
    let memory = hosts
        .iter()
        .map(|host| memory(settings, host))
        .max()
        .unwrap_or(0);
    let mut capabilities = with_sizes(
        u32::try_from(cpus).unwrap_or(u32::MAX).max(1),
        memory.max(1),
    );
    if settings.s3.is_some() {
        capabilities.kinds.insert(Kind::Bucket);
    }
    capabilities.internet = ways(&settings.uplink);
    capabilities
}

/// The ways to the internet of a site's subnets. What a host translates or routes it can also leave alone;
/// what it leaves alone, or puts on somebody else's bridge, is as it is. Where a router of the network around
/// leads what is routed to it is not libvirt's to know: it is taken for a way out.
fn ways(uplink: &Uplink) -> InternetWays {
    match uplink {
        Uplink::Nat | Uplink::Routed => {
            InternetWays::among(Internet::Outbound, [Internet::Outbound, Internet::None])
        }
        Uplink::Bridge { .. } => InternetWays::only(Internet::Outbound),
        Uplink::Isolated => InternetWays::only(Internet::None),
    }
}

fn with_sizes(max_cpu: u32, max_memory: u64) -> Capabilities {
    Capabilities {
        kinds: BTreeSet::from(KINDS),
        subnets: SubnetScope::Regional,
        sizing: Sizing::Flexible {
            max_cpu,
            max_memory: Bytes(max_memory),
        },
        idempotency: Idempotency::Name,
        marks: MarkStore::Metadata,
        labels: strat_model::LabelRules::Any,
        unreadable: BTreeMap::new(),
        create_batch: 16,
        ids_per_call: 100,
        delete_shuts_down: false,
        consistency_window_ms: 0,
        user_data_max: Bytes(USER_DATA_MAX),
        public_ips: false,
        internet: ways(&Uplink::Nat),
        // Its own, the router's, the broadcast address, and what DHCP gives to whom it does not know.
        reserved_addresses: ReservedAddresses {
            fixed: 3,
            share: Some(crate::network::STRANGERS),
        },
        limits: strat_model::Limits {
            subnet: strat_model::Prefixes::new(0, 29),
            ..strat_model::Limits::default()
        },
    }
}

/// A share of an amount, rounded down.
fn share(amount: u64, factor: f64) -> u64 {
    let factor = Decimal::try_from(factor).unwrap_or(Decimal::ONE);
    let product = Decimal::from(amount)
        .checked_mul(factor)
        .unwrap_or(Decimal::MAX);
    u64::try_from(product.trunc()).unwrap_or(u64::MAX)
}

fn cpus(settings: &Settings, host: &HostTraits) -> u64 {
    share(host.cpus.into(), settings.overcommit.cpu)
}

fn memory(settings: &Settings, host: &HostTraits) -> u64 {
    share(
        host.memory.0.saturating_sub(settings.reserve.0),
        settings.overcommit.memory,
    )
}

impl Site {
    /// What is left on a host, beside `guests`, which are all of its. Those of others count while
    /// they run, ours always: they may be started again.
    pub(crate) fn room(&self, index: usize, host: &Host, guests: &[&Guest]) -> Result<Room> {
        let traits = host.traits()?;
        let counted = guests
            .iter()
            .filter(|guest| guest.running || guest.thing.is_some());
        let (mut cpu, mut memory) = (cpus(&self.settings, traits), memory(&self.settings, traits));
        for guest in counted.clone() {
            cpu = cpu.saturating_sub(guest.cpu.into());
            memory = memory.saturating_sub(guest.memory.0);
        }
        let mut pools = BTreeMap::new();
        let names = self.settings.pools.values().chain([&self.settings.pool]);
        for name in names.collect::<BTreeSet<_>>() {
            let pool = self.pool_named(host, name)?;
            let all = share(pool.capacity(host)?.0, self.settings.overcommit.disk);
            let promised: u64 = pool
                .volumes(host)?
                .iter()
                .map(|volume| volume.capacity.0)
                .sum();
            pools.insert(name.clone(), all.saturating_sub(promised));
        }
        let mut gpus: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, gpu) in host.gpus().iter().enumerate() {
            let free = gpus.entry(gpu.model.clone()).or_default();
            let is_there = host.missing_gpus()[number].is_none();
            if is_there && !counted.clone().any(|guest| guest.has(gpu)) {
                free.push(number);
            }
        }
        Ok(Room {
            host: index,
            cpu,
            memory,
            pools,
            gpus,
            siblings: 0,
        })
    }

    /// What is left on every host that answers and takes what is new; an error if none answers.
    pub(crate) fn rooms(&self) -> Result<Vec<Room>> {
        let outcomes = self.try_each(|host| {
            let guests = host.guests()?;
            let index = self
                .hosts
                .iter()
                .position(|other| other.name() == host.name())
                .unwrap_or(0);
            self.room(index, host, &guests.iter().collect::<Vec<_>>())
        });
        let mut rooms = some_of(outcomes)?;
        rooms.retain(|room| !self.hosts[room.host].is_draining());
        Ok(rooms)
    }

    /// What nobody uses now, on the hosts that answer.
    pub(crate) fn free(&self) -> Result<Pool> {
        let mut free = Pool::default();
        for room in self.rooms()? {
            free.cpu += room.cpu;
            free.memory = Bytes(free.memory.0 + room.memory);
            free.disk = Bytes(free.disk.0 + room.pools.values().sum::<u64>());
            for (model, gpus) in room.gpus {
                let count = u64::try_from(gpus.len()).unwrap_or(u64::MAX);
                *free.gpus.entry(model).or_default() += count;
            }
        }
        Ok(free)
    }

    /// The zones, sorted, those of hosts that are down too.
    pub(crate) fn zones(&self) -> Vec<Name> {
        let here = self.hosts.iter().map(|host| host.zone());
        let listed = self.settings.hosts.iter().map(|host| &host.zone);
        let zones: BTreeSet<_> = here.chain(listed).cloned().collect();
        zones.into_iter().collect()
    }

    /// The usual sizes that a host of each zone is large enough for, once what others run there
    /// is counted out. What our own machines use counts as there: an offer must not vanish because
    /// it was taken.
    pub(crate) fn list_offers(&self) -> Result<Vec<Offer>> {
        let sizes = some_of(self.try_each(|host| {
            let traits = host.traits()?;
            let foreign: Vec<_> = host
                .guests()?
                .into_iter()
                .filter(|g| g.running && g.thing.is_none())
                .collect();
            let cpu = foreign.iter().map(|guest| u64::from(guest.cpu)).sum();
            let used: u64 = foreign.iter().map(|guest| guest.memory.0).sum();
            let cpu = cpus(&self.settings, traits).saturating_sub(cpu);
            let memory = memory(&self.settings, traits).saturating_sub(used);
            let mut gpus: BTreeMap<String, u64> = BTreeMap::new();
            for (gpu, missing) in host.gpus().iter().zip(host.missing_gpus()) {
                if missing.is_none() && !foreign.iter().any(|guest| guest.has(gpu)) {
                    *gpus.entry(gpu.model.clone()).or_default() += 1;
                }
            }
            let most = (cpu, Bytes(memory));
            Ok((host.zone().clone(), traits.arch.clone(), most, gpus))
        }))?;
        let mut offers: BTreeMap<(Name, String), Offer> = BTreeMap::new();
        for (zone, arch, most, gpus) in sizes {
            for size in FlexSize::usual(most, gpus.into_iter()) {
                let price = price(&self.settings.cost, &size);
                let offer = size.offer(&zone, &arch, Some(price));
                offers.insert((zone.clone(), offer.machine_type.clone()), offer);
            }
        }
        Ok(offers.into_values().collect())
    }
}

/// What an hour of a machine is reckoned at: CPUs, GiB of memory and GPUs, each at its rate.
fn price(cost: &Cost, size: &FlexSize) -> Money {
    let gib = Decimal::from(size.mib) / Decimal::from(1024);
    let amount = cost.cpu_hour * Decimal::from(size.cpu)
        + cost.memory_gib_hour * gib
        + cost.gpu_hour * Decimal::from(size.gpu_count());
    Money {
        amount: amount.normalize(),
        currency: cost.currency,
    }
}

/// What there is of outcomes: those that are there, or the first error where none is.
fn some_of<T>(outcomes: Vec<Result<T>>) -> Result<Vec<T>> {
    let (mut values, mut first) = (Vec::new(), None);
    for outcome in outcomes {
        match outcome {
            Ok(value) => values.push(value),
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    match first {
        Some(error) if values.is_empty() => Err(error),
        _ => Ok(values),
    }
}

/// The CPUs and the memory that a machine type names.
pub(crate) fn flexible_size(machine_type: &str) -> Option<(u32, Bytes)> {
    let size: FlexSize = machine_type.parse().ok()?;
    Some((size.cpu, size.memory()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down() {
        assert_eq!(share(3, 1.5), 4);
        assert_eq!(share(10, 0.25), 2);
        assert_eq!(share(u64::MAX, 1000.0), u64::MAX);
    }

    #[test]
    fn prices_add_up() {
        let cost = Cost {
            cpu_hour: Decimal::new(1, 2),
            memory_gib_hour: Decimal::new(2, 3),
            gpu_hour: Decimal::new(5, 1),
            ..Cost::default()
        };
        let mut size = FlexSize::new(2, Bytes::gib(4));
        assert_eq!(price(&cost, &size).amount, Decimal::new(28, 3));
        assert_eq!(price(&Cost::default(), &size).amount, Decimal::ZERO);
        size.gpus = Some((2, "L4".to_owned()));
        assert_eq!(price(&cost, &size).amount, Decimal::new(1028, 3));
    }
}
