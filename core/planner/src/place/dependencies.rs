//! What must come before what: `depends_on`, and what user data waits for.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use strat_model::{Addr, Common, LocalAddr, Name, Noun, UserData};

use super::Placer;
use crate::Dependency;

impl Placer<'_> {
    /// Fills it in. Things that share what they say share what comes of it.
    pub(super) fn dependencies(&mut self) {
        let user_data = self.intent.machines.iter().filter_map(|machine| {
            let user_data = machine.user_data.as_ref()?;
            user_data.references().next()?;
            Some((&machine.common.addr, user_data))
        });
        let user_data: FxHashMap<&LocalAddr, &UserData> = user_data.collect();
        let waiting = self
            .intent
            .commons()
            .filter(|common| !common.depends_on.is_empty() || user_data.contains_key(&common.addr));
        let waiting: Vec<&Common> = waiting.collect();
        if waiting.is_empty() {
            return;
        }
        let mut shared: FxHashMap<(usize, usize), Arc<[Dependency]>> = FxHashMap::default();
        let mut wanted: FxHashMap<&LocalAddr, Arc<[Dependency]>> = FxHashMap::default();
        let placed = Placed::new(self.entries.keys());
        for common in waiting {
            let user_data = user_data.get(&common.addr);
            // The same text is the same place in memory, so nothing of it has to be compared.
            let place = (
                common.depends_on.as_ptr().addr(),
                user_data.map_or(0, |user_data| user_data.parts().as_ptr().addr()),
            );
            let before = shared.entry(place).or_insert_with(|| {
                let references = user_data.into_iter().flat_map(|data| data.references());
                let references = references.map(|(of, _)| of);
                placed.find(common.depends_on.iter().chain(references))
            });
            wanted.insert(&common.addr, Arc::clone(before));
        }
        for (addr, entry) in &mut self.entries {
            if let Some(before) = wanted.get(&addr.local) {
                entry.depends_on = Arc::clone(before);
            }
        }
    }
}

/// Where everything was placed.
struct Placed<'a> {
    /// The places of each instance.
    places: FxHashMap<&'a LocalAddr, Vec<&'a Addr>>,
    /// How many places all instances of a block have, and the first of them.
    blocks: FxHashMap<(Noun, &'a Name), (usize, &'a Addr)>,
}

impl<'a> Placed<'a> {
    fn new(addrs: impl Iterator<Item = &'a Addr>) -> Self {
        let mut placed = Self {
            places: FxHashMap::default(),
            blocks: FxHashMap::default(),
        };
        for addr in addrs {
            placed.places.entry(&addr.local).or_default().push(addr);
            let block = (addr.local.noun, &addr.local.name);
            placed.blocks.entry(block).or_insert((0, addr)).0 += 1;
        }
        placed
    }

    /// What is there of what some local addresses name, sorted; what comes to all of a block is
    /// named as that.
    fn find<'l>(&self, locals: impl Iterator<Item = &'l LocalAddr>) -> Arc<[Dependency]> {
        let mut found: BTreeSet<Dependency> = BTreeSet::new();
        let mut by_block: FxHashMap<(Noun, &Name), BTreeSet<&LocalAddr>> = FxHashMap::default();
        for local in locals {
            let block = (local.noun, &local.name);
            by_block.entry(block).or_default().insert(local);
        }
        for (block, locals) in by_block {
            let Some((all, first)) = self.blocks.get(&block) else {
                continue;
            };
            let whole = LocalAddr::new(block.0, block.1.clone());
            let places = |local: &LocalAddr| self.places.get(local).map_or(&[][..], Vec::as_slice);
            let named: usize = locals.iter().map(|local| places(local).len()).sum();
            if locals.contains(&whole) || named == *all {
                found.insert(match all {
                    1 => Dependency::One((*first).clone()),
                    _ => Dependency::All(whole),
                });
                continue;
            }
            for local in locals {
                match places(local) {
                    [] => {}
                    [one] => {
                        found.insert(Dependency::One((*one).clone()));
                    }
                    _ => {
                        found.insert(Dependency::All(local.clone()));
                    }
                }
            }
        }
        found.into_iter().collect()
    }
}
