//! Whether targets name anything.

use std::collections::BTreeSet;

use strat_model::{Addr, Intent, Inventory, Kind, LocalAddr, Name, Owner, Resource, ResourceId};
use strat_planner::{Claims, Desired, Target};

use crate::Error;

/// Refuses a target that is nothing of what is to be or of what there is: most likely a slip, which
/// would give an empty plan.
pub(crate) fn check(
    targets: &[Target],
    desired: &Desired,
    inventory: &Inventory,
) -> Result<(), Error> {
    if targets.is_empty() {
        return Ok(());
    }
    let wanted = desired.entries.keys();
    let marks = inventory.resources().filter_map(|(_, r)| r.mark.as_ref());
    let owned = marks.filter(|mark| desired.owner.owns(&mark.owner));
    let addrs: BTreeSet<&Addr> = wanted.chain(owned.map(|mark| &mark.addr)).collect();
    let withheld = |target: &Target| match target {
        Target::Local(local) => desired.withheld.contains_key(local),
        Target::Addr(addr) => desired.withheld.contains_key(&addr.local),
        Target::Site(site) => inventory.sites.contains_key(site),
    };
    for target in targets {
        if !addrs.iter().any(|addr| target.covers(addr)) && !withheld(target) {
            return Err(Error::NoSuchTarget {
                target: target.to_string(),
                nearest: nearest(&target.to_string(), names(&addrs)),
            });
        }
    }
    Ok(())
}

/// Whether the topology has a machine or fleet of that address.
pub(crate) fn check_machine(addr: &LocalAddr, intent: &Intent) -> Result<(), Error> {
    let machines = || intent.machines.iter().map(|machine| &machine.common.addr);
    if machines().any(|known| known == addr) {
        return Ok(());
    }
    let target = addr.to_string();
    Err(Error::NoSuchTarget {
        nearest: nearest(&target, machines().map(ToString::to_string)),
        target,
    })
}

/// Everything that a target may be called.
fn names(addrs: &BTreeSet<&Addr>) -> impl Iterator<Item = String> {
    addrs.iter().flat_map(|addr| {
        let block = format!("{}.{}", addr.local.noun.as_str(), addr.local.name);
        let site = format!("site.{}", addr.site);
        [block, addr.local.to_string(), addr.to_string(), site]
    })
}

/// The name nearest to `word`, if one is near enough to be meant.
pub(crate) fn nearest(word: &str, names: impl Iterator<Item = String>) -> Option<String> {
    names
        .map(|name| (strsim::damerau_levenshtein(word, &name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name)
}

/// The things that a person asked to be made anew. What holds data of its own is none of them.
pub(crate) fn replaced(
    claims: &Claims,
    owner: &Owner,
    inventory: &Inventory,
) -> BTreeSet<(Name, ResourceId)> {
    let mut replaced = claims.replace_ids.clone();
    if claims.replace.is_empty() {
        return replaced;
    }
    let asked = |addr: &Addr| {
        let mut targets = claims.replace.iter();
        !matches!(addr.kind(), Kind::Volume | Kind::Bucket) && targets.any(|one| one.covers(addr))
    };
    for (site, resource) in inventory.resources() {
        let mark = resource.mark.as_ref();
        if mark.is_some_and(|mark| owner.owns(&mark.owner) && asked(&mark.addr)) {
            replaced.insert((site.clone(), resource.id.clone()));
        }
    }
    replaced
}

/// Whether what a person asked to be made anew, or to be let go, is anything at all.
pub(crate) fn check_claims(
    claims: &Claims,
    desired: &Desired,
    inventory: &Inventory,
) -> Result<(), Error> {
    check(&claims.replace, desired, inventory)?;
    check_released(&claims.release, &desired.owner, inventory)
}

/// Whether there is something of the topology at each address that is to be let go.
fn check_released(addrs: &[Addr], owner: &Owner, inventory: &Inventory) -> Result<(), Error> {
    for addr in addrs {
        let is_it = |one: &Resource| {
            let mark = one.mark.as_ref();
            mark.is_some_and(|mark| owner.owns(&mark.owner) && mark.addr == *addr)
        };
        if !inventory.resources().any(|(_, one)| is_it(one)) {
            return Err(Error::NoSuchTarget {
                target: addr.to_string(),
                nearest: None,
            });
        }
    }
    Ok(())
}
