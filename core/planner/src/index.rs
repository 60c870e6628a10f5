//! An inventory, ready to be asked: what is at an address, whose id is this.

use rustc_hash::FxHashMap;
use strat_model::{Addr, Inventory, LocalAddr, Name, Owner, Resource, ResourceId, ResourceState};

/// What of an inventory is ours, by address and by id.
#[derive(Debug)]
pub struct InventoryIndex<'a> {
    by_addr: FxHashMap<&'a Addr, Vec<&'a Resource>>,
    by_id: FxHashMap<(&'a Name, &'a ResourceId), &'a Resource>,
    sites_of: FxHashMap<&'a LocalAddr, Vec<&'a Addr>>,
    unmarked: FxHashMap<(&'a Name, &'a str), Vec<&'a Resource>>,
}

impl<'a> InventoryIndex<'a> {
    /// Indexes what carries a mark of `owner` and is not going away.
    ///
    /// Of several things at one address, the highest generation comes first, then the smallest id.
    #[must_use]
    pub fn new(inventory: &'a Inventory, owner: &Owner) -> Self {
        let mut by_addr: FxHashMap<&Addr, Vec<&Resource>> = FxHashMap::default();
        let mut by_id = FxHashMap::default();
        let mut unmarked: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (site, resource) in inventory.resources() {
            if resource.state == ResourceState::Deleting {
                continue;
            }
            by_id.insert((site, &resource.id), resource);
            match &resource.mark {
                Some(mark) if mark.owner == *owner && mark.addr.site == *site => {
                    by_addr.entry(&mark.addr).or_default().push(resource);
                }
                Some(_) => {}
                None => {
                    let name = (site, resource.name.as_str());
                    unmarked.entry(name).or_default().push(resource);
                }
            }
        }
        for found in by_addr.values_mut() {
            found.sort_by(|a, b| {
                let generation = |r: &Resource| r.mark.as_ref().map_or(0, |mark| mark.generation);
                generation(b)
                    .cmp(&generation(a))
                    .then_with(|| a.id.cmp(&b.id))
            });
        }
        let mut sites_of: FxHashMap<&LocalAddr, Vec<&Addr>> = FxHashMap::default();
        for addr in by_addr.keys() {
            sites_of.entry(&addr.local).or_default().push(addr);
        }
        for places in sites_of.values_mut() {
            places.sort_unstable();
        }
        Self {
            by_addr,
            by_id,
            sites_of,
            unmarked,
        }
    }

    /// What is at an address.
    #[must_use]
    pub fn at(&self, addr: &Addr) -> &[&'a Resource] {
        self.by_addr.get(addr).map_or(&[], Vec::as_slice)
    }

    /// Every address at which something is, in no order.
    pub fn addrs(&self) -> impl Iterator<Item = (&'a Addr, &[&'a Resource])> {
        self.by_addr
            .iter()
            .map(|(addr, found)| (*addr, found.as_slice()))
    }

    /// The addresses (one a site and zone) of a local address at which something is.
    #[must_use]
    pub fn places(&self, local: &LocalAddr) -> &[&'a Addr] {
        self.sites_of.get(local).map_or(&[], Vec::as_slice)
    }

    /// What has this id at a site, ours or not.
    #[must_use]
    pub fn by_id(&self, site: &Name, id: &ResourceId) -> Option<&'a Resource> {
        self.by_id.get(&(site, id)).copied()
    }

    /// What has this name at a site and no mark.
    pub(crate) fn unmarked(&self, site: &Name, name: &str) -> Vec<&'a Resource> {
        // The map borrows from the inventory; a key that borrows from elsewhere finds in it too.
        let unmarked: &FxHashMap<(&Name, &str), Vec<&'a Resource>> = &self.unmarked;
        unmarked.get(&(site, name)).cloned().unwrap_or_default()
    }

    /// Whether there is anything without a mark.
    pub(crate) fn has_unmarked(&self) -> bool {
        !self.unmarked.is_empty()
    }

    /// The address that an id stands for: that of the thing which represents its address.
    #[must_use]
    pub fn addr_of(&self, site: &Name, id: &ResourceId) -> Option<&'a Addr> {
        let resource = self.by_id(site, id)?;
        let addr = &resource.mark.as_ref()?.addr;
        let found = self.by_addr.get(addr)?;
        let represents = found.len() > 1 && addr.local.noun != strat_model::Noun::Machines;
        (!represents || found[0].id == *id).then_some(addr)
    }

    /// How many of our things there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_addr.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_addr.is_empty()
    }
}
