//! What is too little known of for anything to be planned.
//!
//! A list that failed or broke off says nothing about what is missing from it. So nothing is made,
//! changed or deleted of a kind that was seen in part, nor of what refers to it; and where the
//! kinds that say what is where were seen in part, nothing at all is planned at that site.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Coverage, Inventory, Kind, Name, SiteFacts};

/// The kinds without which nobody can tell what a site's other things are in, or attached to.
const GROUND: [Kind; 4] = [Kind::Network, Kind::Subnet, Kind::Machine, Kind::Volume];

/// The facts of the sites that can be planned for.
pub(crate) fn plannable<'f>(
    facts: &'f BTreeMap<Name, SiteFacts>,
    inventory: &Inventory,
) -> Cow<'f, BTreeMap<Name, SiteFacts>> {
    let blind = |site: &Name| ground(inventory, site).is_some();
    if facts.keys().any(blind) {
        let seen = facts.iter().filter(|(site, _)| !blind(site));
        Cow::Owned(seen.map(|(site, f)| (site.clone(), f.clone())).collect())
    } else {
        Cow::Borrowed(facts)
    }
}

/// An inventory with nothing of the sites that are left out.
pub(crate) fn left<'i>(inventory: &'i Inventory, without: &BTreeSet<Name>) -> Cow<'i, Inventory> {
    if inventory.sites.keys().any(|site| without.contains(site)) {
        let mut left = inventory.clone();
        left.sites.retain(|site, _| !without.contains(site));
        Cow::Owned(left)
    } else {
        Cow::Borrowed(inventory)
    }
}

/// Why nothing can be planned at a site that was looked at; `None` where enough of it was seen. A
/// site that nobody looked at, as in a plan for clouds that are not connected, is taken as empty.
pub(crate) fn ground<'i>(inventory: &'i Inventory, site: &Name) -> Option<&'i str> {
    inventory.sites.get(site)?;
    GROUND
        .iter()
        .find_map(|kind| partial(inventory, site, *kind))
}

/// Why not all of a kind at a site was seen; `None` where it was.
pub(crate) fn partial<'i>(inventory: &'i Inventory, site: &Name, kind: Kind) -> Option<&'i str> {
    match inventory
        .sites
        .get(site)
        .and_then(|seen| seen.coverage.get(&kind))
    {
        Some(Coverage::Complete) => None,
        Some(Coverage::Partial { why }) => Some(why),
        None => Some("it was not observed"),
    }
}

/// Whether all of every kind at a site was seen.
pub(crate) fn is_whole(inventory: &Inventory, site: &Name) -> bool {
    let mut kinds = Kind::ALL.into_iter();
    kinds.all(|kind| inventory.is_complete(site, kind))
}
