//! How many machines still get an address in each subnet.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use rustc_hash::FxHashMap;
use strat_model::{Addr, Intent, LocalAddr, Name, SiteFacts, SubnetScope};

use crate::place::network::subnet_addr;

/// A subnet at a site: the block, the site, and the zone where each zone has its own.
type Place<'a> = (&'a LocalAddr, &'a Name, Option<&'a Name>);

/// The addresses that are left in the subnets of all sites.
///
/// Those of machines that go are counted as free: this is what there is to be in the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses<'a> {
    numbers: FxHashMap<Place<'a>, usize>,
    /// By number.
    left: Vec<u64>,
    /// The numbers of those whose cloud lately had none left, whatever is counted here.
    full: BTreeSet<usize>,
}

impl<'a> Addresses<'a> {
    /// Of the placed subnets while no machine is in them.
    pub(super) fn new(
        intent: &'a Intent,
        facts: &'a BTreeMap<Name, SiteFacts>,
        ranges: &BTreeMap<Addr, Ipv4Net>,
        full: &BTreeSet<Addr>,
    ) -> Self {
        let mut all = Self::default();
        for subnet in &intent.subnets {
            let local = &subnet.common.addr;
            for (site, facts) in facts {
                let zones: Vec<Option<&Name>> = match facts.capabilities.subnets {
                    SubnetScope::Zonal => facts.zones.iter().map(Some).collect(),
                    SubnetScope::Regional => vec![None],
                };
                for zone in zones {
                    let addr = subnet_addr(local, site, zone);
                    if let Some(range) = ranges.get(&addr) {
                        if full.contains(&addr) {
                            all.full.insert(all.left.len());
                        }
                        let reserved = &facts.capabilities.reserved_addresses;
                        all.numbers.insert((local, site, zone), all.left.len());
                        all.left.push(reserved.usable(range.prefix_len()));
                    }
                }
            }
        }
        all
    }

    /// The number of the subnet where a machine in a zone of a site gets its address, and how many are
    /// left there. `None` where nothing is known of it.
    pub(super) fn left(
        &self,
        subnet: &LocalAddr,
        facts: &SiteFacts,
        (site, zone): (&Name, &Name),
    ) -> Option<(usize, u64)> {
        let zone = match facts.capabilities.subnets {
            SubnetScope::Zonal => Some(zone),
            SubnetScope::Regional => None,
        };
        // The map borrows from the intent; a key that borrows from elsewhere finds in it all the same.
        let numbers: &FxHashMap<Place<'_>, usize> = &self.numbers;
        let number = *numbers.get(&(subnet, site, zone))?;
        let is_full = self.full.contains(&number);
        Some((number, if is_full { 0 } else { self.left[number] }))
    }

    /// Counts machines in, or out again.
    pub(super) fn count(
        &mut self,
        subnet: &LocalAddr,
        facts: &SiteFacts,
        at: (&Name, &Name),
        (count, is_taken): (u32, bool),
    ) {
        if let Some((number, _)) = self.left(subnet, facts, at) {
            let left = &mut self.left[number];
            *left = match is_taken {
                true => left.saturating_sub(count.into()),
                false => *left + u64::from(count),
            };
        }
    }
}
