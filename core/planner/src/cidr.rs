//! Slices of address space that stay put.
//!
//! A slice that is seen in the world stays as it is. A new one goes to the place that the digest
//! of its key names, or to the next free one after it: so it depends neither on what else there is
//! (but for collisions) nor on any order. No number is remembered anywhere.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use strat_model::{Diagnostic, Digest, Intent, Name, NetworkIntent, SubnetIntent};

/// The longest prefix of a subnet anywhere: a smaller range has no address for a machine. What a site's
/// cloud takes is among its capabilities.
const PREFIX_MAX: u8 = 30;

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

    /// A part of `prefix` length in the place of `old`, which is taken: within it, or around it. What
    /// is left of `old` stays taken, since it is not free before `old` has gone.
    fn instead(&mut self, old: Ipv4Net, prefix: u8, key: &[&str]) -> Option<Ipv4Net> {
        if prefix >= old.prefix_len() {
            return Self::new(old).allocate(prefix, key);
        }
        let around = Ipv4Net::new(old.addr(), prefix).ok()?.trunc();
        let first = u32::from(old.network());
        let end = self.taken.remove(&first)?;
        if self.take(around) {
            return Some(around);
        }
        self.taken.insert(first, end);
        None
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
    /// The range that it was made with, where somebody has made it wider since.
    pub(crate) narrower: Option<Ipv4Net>,
}

/// The ranges of one site's subnets, in the order of `wants`.
///
/// `going` are the ranges of others that are there and go: they are free only once their holders are
/// gone, which may wait for machines in the new ones, so nothing is put there. `others` are ranges of
/// subnets that are not the topology's.
pub(crate) fn subnet_ranges(
    slice: Ipv4Net,
    site: &Name,
    wants: &[Want<'_>],
    going: &[Ipv4Net],
    others: &[Ipv4Net],
) -> Result<Vec<Ipv4Net>, Diagnostic> {
    let mut allocator = Allocator::new(slice);
    let prefix = |want: &Want<'_>| slice.prefix_len() + want.subnet.newbits;
    let mut ranges = vec![None; wants.len()];
    let mut outgrown = vec![None; wants.len()];
    for ((range, old), want) in ranges.iter_mut().zip(&mut outgrown).zip(wants) {
        if let Some(seen) = want.seen {
            // What is there stays; what is there and has the wrong size still takes its room,
            // so that its successor can be made beside it.
            let taken = allocator.take(seen);
            if let Some(narrower) = want.narrower
                && (taken || allocator.take(narrower))
            {
                *range = Some(narrower);
                continue;
            }
            let fits = seen.prefix_len() == prefix(want);
            *range = (taken && fits).then_some(seen);
            *old = (taken && !fits).then_some(seen);
        }
    }
    let going = going.iter().filter(|range| allocator.take(**range)).count();
    let others = others.iter().filter(|range| allocator.take(**range));
    let others = others.count();
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
        let key = ["subnet", addr.as_str(), zone];
        let mut found = None;
        if prefix(want) <= PREFIX_MAX {
            found = allocator.allocate(prefix(want), &key);
            // Where there is no room beside its old range, it goes there: the old one goes first.
            if let (None, Some(old)) = (found, outgrown[i]) {
                found = allocator.instead(old, prefix(want), &key);
            }
        }
        let Some(found) = found else {
            let count = (wants.len(), going, others);
            return Err(exhausted_subnets(
                want.subnet,
                slice,
                site,
                prefix(want),
                count,
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
    (wants, going, others): (usize, usize, usize),
) -> Diagnostic {
    let addr = &subnet.common.addr;
    let (message, help) = if prefix > PREFIX_MAX {
        (
            format!(
                "{addr} would be a /{prefix} at {site}; the smallest that holds a machine is /{PREFIX_MAX}"
            ),
            "use fewer `newbits`, a shorter `site_prefix` or a larger network",
        )
    } else if going > 0 {
        (
            format!(
                "{addr} finds no room at {site}: {slice} has to hold {wants} subnets there, and \
                 {going} that are to go still hold their ranges"
            ),
            "if subnets have new names, say so by `moved`, and they stay; else delete the old ones \
             first, or use more `newbits`",
        )
    } else if others > 0 {
        (
            format!(
                "{addr} finds no room at {site}: {slice} has to hold {wants} subnets there, and \
                 {others} of others are in it"
            ),
            "use more `newbits`, or a network of your own",
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
                narrower: None,
            })
            .collect();
        if let Some((site, slice)) = slices.iter().next()
            && let Err(problem) = subnet_ranges(*slice, site, &wants, &[], &[])
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
    fn what_goes_keeps_its_range_until_it_is_gone() {
        let subnet = |name: &str, newbits| SubnetIntent {
            common: strat_model::Common {
                addr: name.parse().expect("an address"),
                labels: strat_model::Labels::new(),
                protect: false,
                disposable: false,
                ignore: Default::default(),
                depends_on: Default::default(),
                origins: Default::default(),
            },
            network: "network.core".parse().expect("an address"),
            newbits,
            internet: None,
        };
        let site = Name::new("east").expect("a name");
        let ranges = |names: &[String], newbits, seen: &[Ipv4Net], going: &[Ipv4Net]| {
            let subnets: Vec<_> = names.iter().map(|name| subnet(name, newbits)).collect();
            let wants: Vec<_> = subnets
                .iter()
                .enumerate()
                .map(|(at, subnet)| Want {
                    subnet,
                    zone: None,
                    seen: seen.get(at).copied(),
                    narrower: None,
                })
                .collect();
            subnet_ranges(net("10.0.0.0/24"), &site, &wants, going, &[])
        };
        let names = |word: &str, count: usize| -> Vec<String> {
            (0..count).map(|n| format!("subnet.{word}{n}")).collect()
        };
        let apart = |one: &[Ipv4Net], other: &[Ipv4Net]| {
            one.iter()
                .all(|a| other.iter().all(|b| !a.contains(b) && !b.contains(a)))
        };

        // Whatever their new names are, they are beside the old ones.
        let old = ranges(&names("old", 3), 3, &[], &[]).expect("room");
        for word in ["new", "web", "app", "data", "x"] {
            let new = ranges(&names(word, 3), 3, &[], &old).expect("room beside");
            assert!(apart(&new, &old), "{word}: {new:?} and {old:?}");
        }
        // Where there is no room for both, it is said what to do.
        let old = ranges(&names("old", 5), 3, &[], &[]).expect("room");
        let none = ranges(&names("new", 5), 3, &[], &old).expect_err("eight, and ten wanted");
        assert!(
            none.message.contains("5 that are to go still hold"),
            "{}",
            none.message
        );
        // Six halves find room though only a quarter is free: in their own old ranges.
        let whole = ranges(&names("old", 6), 3, &[], &[]).expect("room");
        let halves = ranges(&names("old", 6), 4, &whole, &[]).expect("room");
        assert_eq!(halves.len(), 6);
        for (at, one) in halves.iter().enumerate() {
            assert!(apart(&[*one], &halves[at + 1..]), "{halves:?}");
        }
    }

    #[test]
    fn a_whole_range_is_one_slot() {
        let mut allocator = Allocator::new(net("0.0.0.0/0"));
        assert_eq!(allocator.allocate(0, &["x"]), Some(net("0.0.0.0/0")));
        assert_eq!(allocator.allocate(32, &["x"]), None);
    }
}
