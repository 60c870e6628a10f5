//! Which host a machine goes to: plain arithmetic.

use std::collections::BTreeMap;

/// What is left on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Room {
    /// The host's place in the site's list.
    pub(crate) host: usize,
    /// Virtual CPUs.
    pub(crate) cpu: u64,
    /// Memory, in bytes.
    pub(crate) memory: u64,
    /// Disk, in bytes, by pool.
    pub(crate) pools: BTreeMap<String, u64>,
    /// The GPUs that nobody has, by model: their places in the host's list.
    pub(crate) gpus: BTreeMap<String, Vec<usize>>,
    /// How many members of the same fleet are there already.
    pub(crate) siblings: u32,
}

/// What a machine takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    /// Virtual CPUs.
    pub(crate) cpu: u64,
    /// Memory, in bytes.
    pub(crate) memory: u64,
    /// Disk, in bytes, by pool.
    pub(crate) pools: BTreeMap<String, u64>,
    /// So many GPUs of a model.
    pub(crate) gpus: Option<(u32, String)>,
}

impl Room {
    /// Whether a machine fits.
    pub(crate) fn fits(&self, need: &Need) -> bool {
        let has_disk = |(pool, size): (&String, &u64)| {
            *size == 0 || self.pools.get(pool).is_some_and(|free| free >= size)
        };
        let has_gpus = need.gpus.as_ref().is_none_or(|(count, model)| {
            let free = self.gpus.get(model).map_or(0, Vec::len);
            free >= *count as usize
        });
        self.cpu >= need.cpu
            && self.memory >= need.memory
            && has_gpus
            && need.pools.iter().all(has_disk)
    }

    /// Whether it has GPUs that nobody has, for a machine that asks for none.
    fn wastes(&self, need: &Need) -> bool {
        need.gpus.is_none() && self.gpus.values().any(|free| !free.is_empty())
    }

    /// Counts a machine in, and gives the places of its GPUs.
    fn take(&mut self, need: &Need) -> Vec<usize> {
        self.cpu = self.cpu.saturating_sub(need.cpu);
        self.memory = self.memory.saturating_sub(need.memory);
        for (pool, size) in &need.pools {
            if let Some(free) = self.pools.get_mut(pool) {
                *free = free.saturating_sub(*size);
            }
        }
        self.siblings += 1;
        let free = need.gpus.as_ref().and_then(|(count, model)| {
            let free = self.gpus.get_mut(model)?;
            Some(free.drain(..(*count as usize).min(free.len())).collect())
        });
        free.unwrap_or_default()
    }
}

/// The host for one machine more and the places of its GPUs there, and counts it in.
///
/// Members of a fleet keep apart first: the hosts with the fewest of them are asked. Who asks for no GPU
/// leaves hosts alone that have one free, while others have room. Among those that are left it is best fit: the host that has the least memory left afterwards, then the fewest CPUs, so
/// that large machines still find a place later. The same rooms give the same answer.
pub(crate) fn choose(rooms: &mut [Room], need: &Need) -> Option<(usize, Vec<usize>)> {
    let fitting = rooms.iter_mut().filter(|room| room.fits(need));
    let best = fitting.min_by_key(|room| {
        let wastes = room.wastes(need);
        (room.siblings, wastes, room.memory, room.cpu, room.host)
    })?;
    let gpus = best.take(need);
    Some((best.host, gpus))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(host: usize, cpu: u64, memory: u64, siblings: u32) -> Room {
        Room {
            host,
            cpu,
            memory,
            pools: BTreeMap::from([("p".to_owned(), 100)]),
            gpus: BTreeMap::new(),
            siblings,
        }
    }

    fn need(cpu: u64, memory: u64, disk: u64) -> Need {
        Need {
            cpu,
            memory,
            pools: BTreeMap::from([("p".to_owned(), disk)]),
            gpus: None,
        }
    }

    fn chosen(rooms: &mut [Room], need: &Need) -> Option<usize> {
        choose(rooms, need).map(|(host, _)| host)
    }

    #[test]
    fn gpus_are_for_who_asks_for_them() {
        let mut with = room(0, 8, 8, 0);
        with.gpus = BTreeMap::from([("L4".to_owned(), vec![0, 2]), ("T4".to_owned(), vec![1])]);
        let mut rooms = [with, room(1, 8, 64, 0)];
        let gpu = |count: u32, model: &str| Need {
            gpus: Some((count, model.to_owned())),
            ..need(1, 1, 0)
        };
        assert_eq!(
            choose(&mut rooms.clone(), &need(1, 1, 0)),
            Some((1, vec![]))
        );
        assert_eq!(
            choose(&mut rooms.clone(), &gpu(2, "L4")),
            Some((0, vec![0, 2]))
        );
        assert_eq!(choose(&mut rooms, &gpu(1, "L4")), Some((0, vec![0])));
        assert_eq!(choose(&mut rooms, &gpu(1, "L4")), Some((0, vec![2])));
        assert_eq!(choose(&mut rooms, &gpu(1, "L4")), None);
        assert_eq!(choose(&mut rooms, &gpu(1, "A100")), None);
    }

    #[test]
    fn members_keep_apart_before_they_pack() {
        let mut rooms = [room(0, 8, 64, 0), room(1, 8, 32, 0), room(2, 8, 16, 0)];
        let placed: Vec<_> = (0..6).map(|_| chosen(&mut rooms, &need(1, 4, 0))).collect();
        assert_eq!(
            placed,
            [Some(2), Some(1), Some(0), Some(2), Some(1), Some(0)]
        );
    }

    #[test]
    fn the_tightest_host_that_fits_is_taken() {
        let mut rooms = [room(0, 8, 64, 0), room(1, 8, 8, 0), room(2, 1, 6, 0)];
        assert_eq!(chosen(&mut rooms, &need(2, 4, 0)), Some(1));
        assert_eq!(chosen(&mut rooms.clone(), &need(2, 9, 0)), Some(0));
        assert_eq!(chosen(&mut rooms, &need(9, 1, 0)), None);
    }

    #[test]
    fn disk_counts_by_pool() {
        let mut rooms = [room(0, 8, 64, 0)];
        assert_eq!(chosen(&mut rooms, &need(1, 1, 60)), Some(0));
        assert_eq!(chosen(&mut rooms, &need(1, 1, 60)), None);
        let elsewhere = Need {
            pools: BTreeMap::from([("q".to_owned(), 1)]),
            ..need(1, 1, 0)
        };
        assert_eq!(chosen(&mut rooms, &elsewhere), None);
    }
}
