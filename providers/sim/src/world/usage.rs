//! What runs in a region, counted as quotas, stocks and pools count it.

use rustc_hash::FxHashMap;
use strat_model::{CapacityKind, FlexSize, Name, Pool, ResourceId, Spec};

use crate::{Profile, catalogue};

/// Running totals over everything that is not gone.
#[derive(Debug)]
pub(crate) struct Usage {
    profile: Profile,
    cpu: u64,
    cpu_by_family: FxHashMap<String, u64>,
    machines: FxHashMap<(String, Name, CapacityKind), u64>,
    pool: Pool,
    /// The families of machine types, where they are not the profile's.
    families: FxHashMap<String, String>,
}

impl Usage {
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            profile,
            cpu: 0,
            cpu_by_family: FxHashMap::default(),
            machines: FxHashMap::default(),
            pool: Pool::default(),
            families: FxHashMap::default(),
        }
    }

    /// Counts these machine types in these families from now on.
    pub(crate) fn name_families(&mut self, families: FxHashMap<String, String>) {
        self.families = families;
    }

    pub(crate) fn add(&mut self, spec: &Spec<ResourceId>) {
        self.count(spec, |total, n| *total += n);
    }

    pub(crate) fn remove(&mut self, spec: &Spec<ResourceId>) {
        self.count(spec, |total, n| *total = total.saturating_sub(n));
    }

    fn count(&mut self, spec: &Spec<ResourceId>, change: impl Fn(&mut u64, u64)) {
        match spec {
            Spec::Machine(machine) => {
                let cpu = u64::from(machine.cpu);
                change(&mut self.cpu, cpu);
                let family = match self.families.get(&machine.machine_type) {
                    Some(family) => family,
                    None => catalogue::family_of(self.profile, &machine.machine_type),
                };
                change(
                    self.cpu_by_family.entry(family.to_owned()).or_default(),
                    cpu,
                );
                let offer = (
                    machine.machine_type.clone(),
                    machine.zone.clone(),
                    machine.capacity,
                );
                change(self.machines.entry(offer).or_default(), 1);
                change(&mut self.pool.cpu, cpu);
                change(&mut self.pool.memory.0, machine.memory.0);
                let disks = machine.disks.iter().map(|disk| disk.size.0).sum();
                change(&mut self.pool.disk.0, disks);
                let size = machine.machine_type.parse::<FlexSize>().ok();
                if let Some((count, model)) = size.and_then(|size| size.gpus) {
                    change(self.pool.gpus.entry(model).or_default(), count.into());
                }
            }
            Spec::Volume(volume) => change(&mut self.pool.disk.0, volume.size.0),
            _ => {}
        }
    }

    /// The virtual CPUs of a family, or of all.
    pub(crate) fn cpu(&self, family: Option<&str>) -> u64 {
        family.map_or(self.cpu, |family| {
            self.cpu_by_family.get(family).copied().unwrap_or_default()
        })
    }

    /// The machines of an offer.
    pub(crate) fn machines(&self, machine_type: &str, zone: &Name, capacity: CapacityKind) -> u64 {
        let key = (machine_type.to_owned(), zone.clone(), capacity);
        self.machines.get(&key).copied().unwrap_or_default()
    }

    /// The hardware in use.
    pub(crate) const fn pool(&self) -> &Pool {
        &self.pool
    }
}
