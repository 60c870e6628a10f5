//! Things of this topology at a site that it knows by another name.

use std::collections::BTreeMap;

use strat_model::{Inventory, Name, Owner};

use crate::plan::Withheld;

/// What carries this topology's mark, and in it a site that the topology has not: the site was
/// renamed, or taken out while another one of the same account still shows its things. Nothing is
/// done to them, because nobody can tell which; but they cost money, so the plan says that they are
/// there.
pub(super) fn strangers(inventory: &Inventory, owner: &Owner) -> Vec<Withheld> {
    let mut found: BTreeMap<&Name, (u32, &Name)> = BTreeMap::new();
    for (site, resource) in inventory.resources() {
        if let Some(mark) = &resource.mark
            && mark.owner == *owner
            && !inventory.sites.contains_key(&mark.addr.site)
        {
            found.entry(&mark.addr.site).or_insert((0, site)).0 += 1;
        }
    }
    let tell = |(named, (count, seen)): (&Name, (u32, &Name))| Withheld {
        what: format!("{count} things at {seen}"),
        why: format!(
            "their marks name the site `{named}`, which the topology has not; \
             was it renamed? Put it back under that name to keep or delete them"
        ),
    };
    found.into_iter().map(tell).collect()
}
