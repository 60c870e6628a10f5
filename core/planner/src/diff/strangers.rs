//! Things of this topology at a site that it knows by another name.

use std::collections::BTreeMap;

use strat_model::{Inventory, Name, Owner};

use crate::left::{Way, Withheld};

/// What carries this topology's mark, and in it a site that the topology has not: the site was
/// renamed, or taken out while another one of the same account still shows its things. Nothing is
/// done to them, because nobody can tell which; but they cost money, so the plan says that they are
/// there.
pub(super) fn strangers(inventory: &Inventory, owner: &Owner) -> Vec<Withheld> {
    let mut found: BTreeMap<&Name, (u32, &Name)> = BTreeMap::new();
    for (site, resource) in inventory.resources() {
        if let Some(mark) = &resource.mark
            && owner.owns(&mark.owner)
            && !inventory.sites.contains_key(&mark.addr.site)
        {
            found.entry(&mark.addr.site).or_insert((0, site)).0 += 1;
        }
    }
    let tell = |(named, (count, seen)): (&Name, (u32, &Name))| Withheld {
        what: format!("{count} things at {seen}"),
        why: format!(
            "their marks name the site `{named}`, which the topology has not; was it renamed? \
             `moved {{ from = site.{named} }}` with its new name keeps them; or put it back"
        ),
        way: None,
    };
    let unlisted = inventory.unlisted.iter().map(|(site, count)| Withheld {
        what: format!("{count} things at {site}"),
        why: format!(
            "they were made there, and the topology has no site `{site}` any more; was it renamed? \
             `moved {{ from = site.{site} }}` with its new name keeps them; or put it back, or leave \
             them where they are, for good"
        ),
        way: Some(Way::ForgetSite(site.clone())),
    });
    let renamed = found.into_iter().map(tell);
    renamed
        .chain(unlisted)
        .chain(namesakes(inventory, owner))
        .collect()
}

/// What carries the mark of a topology of this name that is another: made from another folder, or
/// before the lineage was changed.
fn namesakes(inventory: &Inventory, owner: &Owner) -> Vec<Withheld> {
    let mut found: BTreeMap<(&Name, &Owner), u32> = BTreeMap::new();
    for (site, resource) in inventory.resources() {
        if let Some(mark) = &resource.mark
            && mark.owner.is_namesake(owner)
            && !owner.owns(&mark.owner)
        {
            *found.entry((site, &mark.owner)).or_default() += 1;
        }
    }
    let tell = |((site, other), count): ((&Name, &Owner), u32)| Withheld {
        what: format!("{count} things at {site}"),
        why: format!("they are those of another topology of this name: {other}"),
        way: None,
    };
    found.into_iter().map(tell).collect()
}
