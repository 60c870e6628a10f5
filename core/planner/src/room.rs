//! How much room a site has left for machines and volumes.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use strat_model::{
    Addr, Bytes, CapacityKind, DiskSpec, FlexSize, MachineSpec, Name, Resource, SiteFacts, Spec,
};

use crate::Goal;

/// What bounds the machines of one site.
#[derive(Debug, Clone)]
pub(crate) struct Room<'a> {
    /// Owned hardware: what is free. `None`: no bound.
    pool: Option<Free<'a>>,
    /// Quotas: the family (`None`: all), and what is left of its CPUs.
    quotas: Vec<(Option<&'a str>, u64)>,
    /// The family of each type in each zone, by how it is bought: some clouds count spot apart.
    families: FxHashMap<(&'a Name, &'a str, CapacityKind), &'a str>,
}

#[derive(Debug, Clone)]
struct Free<'a> {
    cpu: u64,
    memory: u64,
    disk: u64,
    /// By model.
    gpus: BTreeMap<&'a str, u64>,
}

/// What one machine needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need<'a> {
    pub(crate) cpu: u64,
    pub(crate) memory: u64,
    pub(crate) disk: u64,
    pub(crate) family: &'a str,
    pub(crate) gpus: u64,
    /// Their model; empty where there are none.
    pub(crate) gpu: &'a str,
}

impl Need<'_> {
    /// What a volume needs.
    const fn of_disk(size: u64) -> Self {
        Self {
            cpu: 0,
            memory: 0,
            disk: size,
            family: "",
            gpus: 0,
            gpu: "",
        }
    }
}

/// Something that bounds the machines of a site, and how much of it is left.
#[derive(Debug, Clone)]
pub(crate) struct Bound<'a> {
    pub(crate) left: u64,
    of: Bounded<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Bounded<'a> {
    Cpu,
    Memory,
    Disk,
    /// GPUs of a model.
    Gpu(&'a str),
    /// The account's CPUs of a family; `None`: of all.
    Quota(Option<&'a str>),
}

impl<'a> Bound<'a> {
    const fn new(left: u64, of: Bounded<'a>) -> Self {
        Self { left, of }
    }

    /// How much of it one machine takes.
    pub(crate) fn takes(&self, need: Need<'_>) -> u64 {
        match self.of {
            Bounded::Cpu => need.cpu,
            Bounded::Memory => need.memory,
            Bounded::Disk => need.disk,
            Bounded::Gpu(model) if model == need.gpu => need.gpus,
            Bounded::Gpu(_) => 0,
            Bounded::Quota(family) if family.is_none_or(|family| family == need.family) => need.cpu,
            Bounded::Quota(_) => 0,
        }
    }

    /// By how much one machine is too large for what is left, in words: what to raise, and by how
    /// much. `None` if it is not.
    pub(crate) fn lacks(&self, need: Need<'_>, count: u32) -> Option<String> {
        let lack = self.takes(need).saturating_mul(count.into());
        let lack = lack.checked_sub(self.left).filter(|lack| *lack > 0)?;
        Some(match self.of {
            Bounded::Cpu => format!("{lack} more CPUs of capacity"),
            Bounded::Memory => format!("{} more memory of capacity", raised(lack)),
            Bounded::Disk => format!("{} more disk of capacity", raised(lack)),
            Bounded::Gpu(model) => format!("{lack} more {model} of GPUs"),
            Bounded::Quota(None) => format!("a quota of {lack} more CPUs"),
            Bounded::Quota(Some(family)) => format!("a quota of {lack} more CPUs for {family}"),
        })
    }
}

/// Why no more machines fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Full(pub(crate) String);

impl<'a> Room<'a> {
    /// The room that a site has now.
    pub(crate) fn now(facts: &'a SiteFacts) -> Self {
        let family = |offer: &'a strat_model::Offer| {
            let key = (&offer.zone, offer.machine_type.as_str(), offer.capacity);
            (key, offer.family.as_str())
        };
        let quota = |quota: &'a strat_model::Quota| {
            let left = quota.cpu_limit.saturating_sub(quota.cpu_used);
            (quota.family.as_deref(), left)
        };
        Self {
            pool: facts.free.as_ref().map(|pool| Free {
                cpu: pool.cpu,
                memory: pool.memory.0,
                disk: pool.disk.0,
                gpus: pool
                    .gpus
                    .iter()
                    .map(|(model, n)| (model.as_str(), *n))
                    .collect(),
            }),
            quotas: facts.quotas.iter().map(quota).collect(),
            families: facts.offers.iter().map(family).collect(),
        }
    }

    /// The room that it would have if none of `ours` were there: they are counted again as they
    /// are placed.
    pub(crate) fn without<'r>(
        facts: &'a SiteFacts,
        ours: impl Iterator<Item = &'r Resource>,
    ) -> Self {
        let mut room = Self::now(facts);
        for resource in ours {
            match &resource.spec {
                Spec::Machine(spec) => {
                    let need = room.need(spec);
                    room.give_back(need, 1);
                }
                Spec::Volume(spec) => room.give_back(Need::of_disk(spec.size.0), 1),
                _ => {}
            }
        }
        room
    }

    fn family<R: Ord>(&self, spec: &MachineSpec<R>) -> &'a str {
        // The map borrows from the facts; a key that borrows from the spec finds in it all the same.
        let families: &FxHashMap<(&Name, &str, CapacityKind), &'a str> = &self.families;
        let key = (&spec.zone, spec.machine_type.as_str(), spec.capacity);
        families.get(&key).copied().unwrap_or_default()
    }

    fn give_back(&mut self, need: Need<'_>, count: u64) {
        let cpu = need.cpu * count;
        if let Some(free) = &mut self.pool {
            free.cpu = free.cpu.saturating_add(cpu);
            free.memory = free.memory.saturating_add(need.memory * count);
            // A site without a bound has as much as can be said already.
            free.disk = free.disk.saturating_add(need.disk * count);
            if let Some(gpus) = free.gpus.get_mut(need.gpu) {
                *gpus = gpus.saturating_add(need.gpus * count);
            }
        }
        for (of, left) in &mut self.quotas {
            if of.is_none_or(|of| of == need.family) {
                *left += cpu;
            }
        }
    }

    /// How many machines fit, at most `want`; and why not all, if not.
    pub(crate) fn fits(&self, need: Need<'_>, want: u32) -> (u32, Option<Full>) {
        let mut most = u64::from(want);
        let mut full = None;
        let mut bound = |left: u64, need: u64, why: &dyn Fn() -> String| {
            if let Some(n) = left.checked_div(need)
                && n < most
            {
                most = n;
                full = Some(Full(why()));
            }
        };
        if let Some(free) = &self.pool {
            bound(free.cpu, need.cpu, &|| {
                format!("it has {} CPUs free and one needs {}", free.cpu, need.cpu)
            });
            bound(free.memory, need.memory, &|| {
                let (free, need) = (readable(free.memory), readable(need.memory));
                format!("it has {free} of memory free and one needs {need}")
            });
            bound(free.disk, need.disk, &|| {
                let (free, need) = (readable(free.disk), readable(need.disk));
                format!("it has {free} of disk free and one needs {need}")
            });
            if need.gpus > 0 {
                let left = free.gpus.get(need.gpu).copied().unwrap_or(0);
                bound(left, need.gpus, &|| {
                    let (gpus, model) = (need.gpus, need.gpu);
                    format!("it has {left} {model} free and one needs {gpus}")
                });
            }
        }
        for (family, left) in &self.quotas {
            if family.is_none_or(|family| family == need.family) {
                let of = family.map_or(String::new(), |family| format!(" for {family}"));
                bound(*left, need.cpu, &|| {
                    let cpu = need.cpu;
                    format!("the account's quota{of} has {left} CPUs left and one needs {cpu}")
                });
            }
        }
        (u32::try_from(most).unwrap_or(want), full)
    }

    /// Counts machines in. What runs already may exceed the room; nothing goes below zero.
    pub(crate) fn take(&mut self, need: Need<'_>, count: u32) {
        let count = u64::from(count);
        let cpu = need.cpu * count;
        if let Some(free) = &mut self.pool {
            free.cpu = free.cpu.saturating_sub(cpu);
            free.memory = free.memory.saturating_sub(need.memory * count);
            free.disk = free.disk.saturating_sub(need.disk * count);
            if let Some(gpus) = free.gpus.get_mut(need.gpu) {
                *gpus = gpus.saturating_sub(need.gpus * count);
            }
        }
        for (family, left) in &mut self.quotas {
            if family.is_none_or(|family| family == need.family) {
                *left = left.saturating_sub(cpu);
            }
        }
    }

    /// Everything that bounds the machines here.
    pub(crate) fn bounds(&self) -> Vec<Bound<'a>> {
        let mut bounds = Vec::new();
        if let Some(free) = &self.pool {
            bounds.push(Bound::new(free.cpu, Bounded::Cpu));
            bounds.push(Bound::new(free.memory, Bounded::Memory));
            bounds.push(Bound::new(free.disk, Bounded::Disk));
            let gpus = free.gpus.iter();
            bounds.extend(gpus.map(|(model, left)| Bound::new(*left, Bounded::Gpu(model))));
        }
        let quotas = self.quotas.iter();
        bounds.extend(quotas.map(|(family, left)| Bound::new(*left, Bounded::Quota(*family))));
        bounds
    }

    /// Counts machines out again.
    pub(crate) fn put_back(&mut self, need: Need<'_>, count: u32) {
        self.give_back(need, count.into());
    }

    /// Counts a volume in; `false` if it does not fit.
    pub(crate) fn take_disk(&mut self, size: u64) -> bool {
        match &mut self.pool {
            None => true,
            Some(free) => {
                let fits = free.disk >= size;
                free.disk = free.disk.saturating_sub(size);
                fits
            }
        }
    }

    /// Counts in what a goal makes; `false` if not all of it fits.
    pub(crate) fn take_goal(&mut self, goal: &Goal) -> bool {
        match &goal.spec {
            Spec::Machine(spec) => {
                let need = self.need(spec);
                let (fits, _) = self.fits(need, goal.count);
                self.take(need, goal.count);
                fits == goal.count
            }
            Spec::Volume(spec) => self.take_disk(spec.size.0),
            _ => true,
        }
    }
}

impl<'a> Room<'a> {
    /// What one machine needs.
    pub(crate) fn need<R: Ord>(&self, spec: &MachineSpec<R>) -> Need<'a> {
        let (cpu, memory, disk) = amounts(spec);
        let family = self.family(spec);
        let (gpus, gpu) = self.gpus(&spec.machine_type).unwrap_or((0, ""));
        Need {
            cpu,
            memory,
            disk,
            family,
            gpus,
            gpu,
        }
    }

    /// How many of the site's own GPUs a machine of a type takes, and of which model.
    fn gpus(&self, machine_type: &str) -> Option<(u64, &'a str)> {
        let free = self.pool.as_ref().filter(|free| !free.gpus.is_empty())?;
        let (count, model) = machine_type.parse::<FlexSize>().ok()?.gpus?;
        let (model, _) = free.gpus.get_key_value(model.as_str())?;
        Some((count.into(), *model))
    }

    /// Whether there is room for this.
    pub(crate) fn covers(&self, usage: &Usage) -> bool {
        let pool = self.pool.as_ref().is_none_or(|free| {
            let mut gpus = usage.gpus.iter();
            usage.cpu <= signed(free.cpu)
                && usage.memory <= signed(free.memory)
                && usage.disk <= signed(free.disk)
                && gpus.all(|(model, taken)| {
                    let left = free.gpus.get(model.as_str()).copied().unwrap_or(0);
                    *taken <= signed(left)
                })
        });
        let mut quotas = self.quotas.iter();
        pool && quotas.all(|(family, left)| usage.of(*family) <= signed(*left))
    }

    /// Counts it in. What is below zero gives nothing back: it is not free yet.
    pub(crate) fn take_usage(&mut self, usage: &Usage) {
        let take = |left: &mut u64, used: i64| {
            *left = left.saturating_sub(u64::try_from(used).unwrap_or(0));
        };
        if let Some(free) = &mut self.pool {
            take(&mut free.cpu, usage.cpu);
            take(&mut free.memory, usage.memory);
            take(&mut free.disk, usage.disk);
            for (model, taken) in &usage.gpus {
                if let Some(left) = free.gpus.get_mut(model.as_str()) {
                    take(left, *taken);
                }
            }
        }
        for (family, left) in &mut self.quotas {
            take(left, usage.of(*family));
        }
    }
}

/// What some machines take at a site, or give back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    cpu: i64,
    memory: i64,
    disk: i64,
    /// The CPUs by family.
    families: BTreeMap<String, i64>,
    /// GPUs, by model.
    gpus: BTreeMap<String, i64>,
    /// Addresses, by subnet.
    pub(crate) addresses: BTreeMap<Addr, i64>,
}

impl Usage {
    /// Adds machines; a negative count takes them away.
    pub(crate) fn add(&mut self, need: &Need<'_>, count: i64) {
        self.cpu += signed(need.cpu) * count;
        self.memory += signed(need.memory) * count;
        self.disk += signed(need.disk) * count;
        *self.families.entry(need.family.to_owned()).or_default() += signed(need.cpu) * count;
        if need.gpus > 0 {
            *self.gpus.entry(need.gpu.to_owned()).or_default() += signed(need.gpus) * count;
        }
    }

    /// Adds disks of their own; a negative count takes them away.
    pub(crate) fn add_disk(&mut self, size: Bytes, count: i64) {
        self.disk += signed(size.0) * count;
    }

    /// Adds addresses of a subnet; a negative count takes them away.
    pub(crate) fn add_address(&mut self, subnet: &Addr, count: i64) {
        *self.addresses.entry(subnet.clone()).or_default() += count;
    }

    /// Makes each amount at least as large as another's.
    pub(crate) fn raise_to(&mut self, other: &Self) {
        self.cpu = self.cpu.max(other.cpu);
        self.memory = self.memory.max(other.memory);
        self.disk = self.disk.max(other.disk);
        for (family, cpu) in &other.families {
            let mine = self.families.entry(family.clone()).or_default();
            *mine = (*mine).max(*cpu);
        }
        for (model, count) in &other.gpus {
            let mine = self.gpus.entry(model.clone()).or_default();
            *mine = (*mine).max(*count);
        }
        for (subnet, count) in &other.addresses {
            let mine = self.addresses.entry(subnet.clone()).or_default();
            *mine = (*mine).max(*count);
        }
    }

    /// The CPUs of a family, or of all.
    fn of(&self, family: Option<&str>) -> i64 {
        match family {
            None => self.cpu,
            Some(family) => self.families.get(family).copied().unwrap_or(0),
        }
    }
}

/// No site has more than this of anything.
fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

/// The CPUs, memory and disk of a machine.
pub(crate) fn amounts<R: Ord>(spec: &MachineSpec<R>) -> (u64, u64, u64) {
    (spec.cpu.into(), spec.memory.0, disk_space(&spec.disks))
}

/// The space of a machine's own disks.
pub(crate) fn disk_space(disks: &[DiskSpec]) -> u64 {
    disks.iter().map(|disk| disk.size.0).sum()
}

/// Bytes that are lacking: rounded up to GiB.
fn raised(bytes: u64) -> Bytes {
    Bytes(bytes.div_ceil(1 << 30) << 30)
}

/// Bytes for people: rounded down to GiB where there are any.
fn readable(bytes: u64) -> Bytes {
    let gib = bytes >> 30;
    Bytes(if gib > 0 { gib << 30 } else { bytes })
}
