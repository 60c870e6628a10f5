//! How much room a site has left.

use std::collections::BTreeMap;

use strat_model::{Name, Resource, SiteFacts, Spec};

use super::offers::Shape;

/// What bounds the machines of one site.
#[derive(Debug, Clone)]
pub(super) struct Room {
    /// Owned hardware: what is free once all of ours is counted out. `None`: no bound.
    pool: Option<Free>,
    /// Quotas: the family (`None`: all), and what is left of its CPUs.
    quotas: Vec<(Option<String>, u64)>,
}

#[derive(Debug, Clone, Copy)]
struct Free {
    cpu: u64,
    memory: u64,
    disk: u64,
}

/// Why no more machines fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Full(pub(super) String);

impl Room {
    /// The room of a site as if none of `ours` ran there: they are counted again as they are
    /// placed.
    pub(super) fn new<'a>(facts: &SiteFacts, ours: impl Iterator<Item = &'a Resource>) -> Self {
        let families: BTreeMap<(&Name, &str), &str> = facts
            .offers
            .iter()
            .map(|offer| {
                (
                    (&offer.zone, offer.machine_type.as_str()),
                    offer.family.as_str(),
                )
            })
            .collect();
        let mut room = Self {
            pool: facts.free.map(|pool| Free {
                cpu: pool.cpu,
                memory: pool.memory.0,
                disk: pool.disk.0,
            }),
            quotas: facts
                .quotas
                .iter()
                .map(|quota| {
                    (
                        quota.family.clone(),
                        quota.cpu_limit.saturating_sub(quota.cpu_used),
                    )
                })
                .collect(),
        };
        for resource in ours {
            match &resource.spec {
                Spec::Machine(spec) => {
                    let key = (&spec.zone, spec.machine_type.as_str());
                    let family = families.get(&key).copied().unwrap_or_default();
                    let disk = spec.disks.iter().map(|disk| disk.size.0).sum();
                    room.give_back(spec.cpu.into(), spec.memory.0, disk, family);
                }
                Spec::Volume(spec) => room.give_back(0, 0, spec.size.0, ""),
                _ => {}
            }
        }
        room
    }

    fn give_back(&mut self, cpu: u64, memory: u64, disk: u64, family: &str) {
        if let Some(free) = &mut self.pool {
            free.cpu += cpu;
            free.memory += memory;
            free.disk += disk;
        }
        for (of, left) in &mut self.quotas {
            if of.as_deref().is_none_or(|of| of == family) {
                *left += cpu;
            }
        }
    }

    /// How many machines of a shape fit, at most `want`; and why not all, if not.
    pub(super) fn fits(&self, shape: &Shape, disk: u64, want: u32) -> (u32, Option<Full>) {
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
        let cpu = u64::from(shape.cpu);
        if let Some(free) = &self.pool {
            bound(free.cpu, cpu, &|| {
                format!("{} of {cpu} CPUs are free", free.cpu)
            });
            bound(free.memory, shape.memory.0, &|| {
                format!(
                    "{} of {} memory are free",
                    readable(free.memory),
                    shape.memory
                )
            });
            bound(free.disk, disk, &|| {
                format!(
                    "{} of {} disk are free",
                    readable(free.disk),
                    readable(disk)
                )
            });
        }
        for (family, left) in &self.quotas {
            if family.as_ref().is_none_or(|family| *family == shape.family) {
                let of = family.as_deref().unwrap_or("all families");
                bound(*left, cpu, &|| {
                    format!("the account's quota has {left} of {cpu} CPUs left ({of})")
                });
            }
        }
        (u32::try_from(most).unwrap_or(want), full)
    }

    /// Counts machines in. What runs already may exceed the room; nothing goes below zero.
    pub(super) fn take(&mut self, shape: &Shape, disk: u64, count: u32) {
        let count = u64::from(count);
        let cpu = u64::from(shape.cpu) * count;
        if let Some(free) = &mut self.pool {
            free.cpu = free.cpu.saturating_sub(cpu);
            free.memory = free.memory.saturating_sub(shape.memory.0 * count);
            free.disk = free.disk.saturating_sub(disk * count);
        }
        for (family, left) in &mut self.quotas {
            if family.as_ref().is_none_or(|family| *family == shape.family) {
                *left = left.saturating_sub(cpu);
            }
        }
    }

    /// Counts a volume in; `false` if it does not fit.
    pub(super) fn take_disk(&mut self, size: u64) -> bool {
        match &mut self.pool {
            None => true,
            Some(free) => {
                let fits = free.disk >= size;
                free.disk = free.disk.saturating_sub(size);
                fits
            }
        }
    }
}

/// Bytes for people: rounded down to GiB where there are any.
fn readable(bytes: u64) -> strat_model::Bytes {
    let gib = bytes >> 30;
    strat_model::Bytes(if gib > 0 { gib << 30 } else { bytes })
}
