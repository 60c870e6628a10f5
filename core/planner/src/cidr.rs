//! Slices of address space that stay put.
//!
//! A slice that is seen in the world stays as it is. A new one goes to the place that the digest
//! of its key names, or to the next free one after it: so it depends neither on what else there is
//! (but for collisions) nor on any order. No number is remembered anywhere.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use strat_model::{Diagnostic, Digest, Intent, Name, NetworkIntent, SubnetIntent};

/// The longest prefix of a subnet: the clouds refuse smaller ones (AWS and Azure: /28 and /29;
/// <https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>).
const PREFIX_MAX: u8 = 28;

/// Hands out parts of one range.
#[derive(Debug)]
pub(crate) struct Allocator {
    base: Ipv4Net,
    /// First to last address of what is taken.
    taken: BTreeMap<u32, u32>,
}

impl Allocator {
    pub(crate) const fn new(base: Ipv4Net) -> Self {
        Self {
            base,
            taken: BTreeMap::new(),
        }
    }

    /// Takes exactly `net`; `false` if it is outside or overlaps what is taken.
    pub(crate) fn take(&mut self, net: Ipv4Net) -> bool {
        let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
        if !self.base.contains(&net) || self.overlaps(first, last).is_some() {
            return false;
        }
        self.taken.insert(first, last);
        true
    }

    fn overlaps(&self, first: u32, last: u32) -> Option<(u32, u32)> {
        let (start, end) = self.taken.range(..=last).next_back()?;
        (*end >= first).then_some((*start, *end))
    }

    /// Takes a part of `prefix` length, the one that `key` names or the next free one.
    pub(crate) fn allocate(&mut self, prefix: u8, key: &[&str]) -> Option<Ipv4Net> {
        let bits = prefix.checked_sub(self.base.prefix_len())?;
        if prefix > 32 {
            return None;
        }
        let (slots, size) = (1_u64 << bits, 1_u64 << (32 - prefix));
        let base = u64::from(u32::from(self.base.network()));
        let start = hash(key) % slots;
        let mut probe = 0;
        while probe < slots {
            let slot = (start + probe) % slots;
            // Inside the base range, so it fits 32 bits.
            let first = u32::try_from(base + slot * size).ok()?;
            let last = u32::try_from(base + slot * size + (size - 1)).ok()?;
            match self.overlaps(first, last) {
                None => {
                    self.taken.insert(first, last);
                    return Ipv4Net::new(first.into(), prefix).ok();
                }
                // Skip what is taken in one stride, so that a large neighbour costs one look.
                Some((_, end)) => probe += u64::from(end - first) / size + 1,
            }
        }
        None
    }
}

fn hash(key: &[&str]) -> u64 {
    let digest = Digest::of_parts(key.iter().copied());
    u64::from_str_radix(digest.short(), 16).unwrap_or_default()
}

/// Each site's slice of a network. `seen` are those that the world has already.
///
/// # Errors
/// When there are more sites than slices.
pub fn site_slices(
    network: &NetworkIntent,
    seen: &BTreeMap<Name, Ipv4Net>,
) -> Result<BTreeMap<Name, Ipv4Net>, Diagnostic> {
    let prefix = match network.site_prefix {
        Some(prefix) => prefix,
        None => network.cidr.prefix_len(),
    };
    let mut allocator = Allocator::new(network.cidr);
    let mut slices = BTreeMap::new();
    for site in &network.sites {
        if let Some(cidr) = seen.get(site).filter(|cidr| cidr.prefix_len() == prefix)
            && allocator.take(*cidr)
        {
            slices.insert(site.clone(), *cidr);
        }
    }
    for site in &network.sites {
        if slices.contains_key(site) {
            continue;
        }
        let key = ["slice", network.common.addr.name.as_str(), site.as_str()];
        let Some(slice) = allocator.allocate(prefix, &key) else {
            return Err(exhausted_slices(network, prefix));
        };
        slices.insert(site.clone(), slice);
    }
    Ok(slices)
}

fn exhausted_slices(network: &NetworkIntent, prefix: u8) -> Diagnostic {
    let room = 1_u64 << prefix.saturating_sub(network.cidr.prefix_len()).min(32);
    Diagnostic::error(
        "exhausted_cidr",
        format!(
            "{} has {} sites, but {} holds only {room} slices of /{prefix}",
            network.common.addr,
            network.sites.len(),
            network.cidr
        ),
    )
    .at(network.common.origin("site_prefix"), "no slice is left")
    .help("use a longer `site_prefix` or a larger `cidr`")
}

/// A subnet to be given a range: its intent, and its zone where subnets are zonal.
pub(crate) struct Want<'a> {
    pub(crate) subnet: &'a SubnetIntent,
    pub(crate) zone: Option<&'a Name>,
    pub(crate) seen: Option<Ipv4Net>,
}

/// The ranges of one site's subnets, in the order of `wants`.
pub(crate) fn subnet_ranges(
    slice: Ipv4Net,
    site: &Name,
    wants: &[Want<'_>],
) -> Result<Vec<Ipv4Net>, Diagnostic> {
    let mut allocator = Allocator::new(slice);
    let prefix = |want: &Want<'_>| slice.prefix_len() + want.subnet.newbits;
    let mut ranges = vec![None; wants.len()];
    for (range, want) in ranges.iter_mut().zip(wants) {
        if let Some(seen) = want.seen {
            // What is there stays; what is there and has the wrong size still takes its room,
            // so that its successor can be made beside it.
            let taken = allocator.take(seen);
            *range = (taken && seen.prefix_len() == prefix(want)).then_some(seen);
        }
    }
    // Large ones first: small ones find room between them, never the other way round.
    let mut order: Vec<usize> = (0..wants.len()).filter(|i| ranges[*i].is_none()).collect();
    order.sort_by_key(|i| {
        let want = &wants[*i];
        (prefix(want), &want.subnet.common.addr, want.zone)
    });
    for i in order {
        let want = &wants[i];
        let zone = want.zone.map_or("", Name::as_str);
        let addr = want.subnet.common.addr.to_string();
        let found = (prefix(want) <= PREFIX_MAX)
            .then(|| allocator.allocate(prefix(want), &["subnet", &addr, zone]))
            .flatten();
        let Some(found) = found else {
            return Err(exhausted_subnets(
                want.subnet,
                slice,
                site,
                prefix(want),
                wants.len(),
            ));
        };
        ranges[i] = Some(found);
    }
    Ok(ranges.into_iter().flatten().collect())
}

fn exhausted_subnets(
    subnet: &SubnetIntent,
    slice: Ipv4Net,
    site: &Name,
    prefix: u8,
    wants: usize,
) -> Diagnostic {
    let addr = &subnet.common.addr;
    let (message, help) = if prefix > PREFIX_MAX {
        (
            format!(
                "{addr} would be a /{prefix} at {site}; the smallest a cloud takes is /{PREFIX_MAX}"
            ),
            "use fewer `newbits`, a shorter `site_prefix` or a larger network",
        )
    } else {
        (
            format!(
                "{addr} finds no room at {site}: {slice} has to hold {wants} subnets there, one a zone where subnets are zonal"
            ),
            "use more `newbits`, a shorter `site_prefix`, fewer `zones`, or a larger network",
        )
    };
    Diagnostic::error("exhausted_cidr", message)
        .at(subnet.common.origin("newbits"), "this subnet")
        .help(help)
}

/// What can be said of a topology's address space without asking any cloud: enough slices for the
/// sites, and room in each for every subnet at least once (or once a zone, where zones are named).
#[must_use]
pub fn check_address_space(intent: &Intent) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for network in &intent.networks {
        let slices = match site_slices(network, &BTreeMap::new()) {
            Ok(slices) => slices,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let wants: Vec<_> = intent
            .subnets
            .iter()
            .filter(|subnet| subnet.network == network.common.addr)
            .map(|subnet| Want {
                subnet,
                zone: None,
                seen: None,
            })
            .collect();
        if let Some((site, slice)) = slices.iter().next()
            && let Err(problem) = subnet_ranges(*slice, site, &wants)
        {
            problems.push(problem);
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().expect("a range")
    }

    #[test]
    fn an_allocator_fills_to_the_last_slot_and_never_overlaps() {
        let mut allocator = Allocator::new(net("10.0.0.0/20"));
        assert!(allocator.take(net("10.0.2.0/23")));
        assert!(!allocator.take(net("10.0.3.0/24")), "overlaps");
        assert!(!allocator.take(net("10.1.0.0/24")), "outside");
        let mut got = vec![net("10.0.2.0/23")];
        while let Some(part) = allocator.allocate(24, &["k", &got.len().to_string()]) {
            assert!(
                got.iter()
                    .all(|other| !other.contains(&part) && !part.contains(other))
            );
            got.push(part);
        }
        assert_eq!(got.len(), 1 + 14, "sixteen /24, two of them in the /23");
        assert_eq!(allocator.allocate(19, &["x"]), None, "larger than the base");
    }

    #[test]
    fn a_whole_range_is_one_slot() {
        let mut allocator = Allocator::new(net("0.0.0.0/0"));
        assert_eq!(allocator.allocate(0, &["x"]), Some(net("0.0.0.0/0")));
        assert_eq!(allocator.allocate(32, &["x"]), None);
    }
}
