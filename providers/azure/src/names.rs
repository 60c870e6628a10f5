//! Names, ids and paths of things on Azure.
//!
//! A thing's id is its resource group and its name, `shop/web-1`; a subnet's has its network between
//! them, `shop/core/app`. Resource manager does not tell capitals apart, and writes group names now so
//! and now so: an id is in small letters throughout.

use strat_model::{Digest, ErrorKind, Name, Owner, ResourceId, Result};

use crate::error::refuse;

/// The longest name of a resource group.
///
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>
const GROUP_MAX: usize = 90;

/// How many digits of its digest end a name that was shortened.
const DIGITS: usize = 8;

/// A type of thing on Azure: where it is in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Type {
    /// The path after `providers/`.
    pub(crate) path: &'static str,
    /// The version of its API that this is written for.
    pub(crate) version: &'static str,
}

const NETWORK: &str = "2026-03-01";
const COMPUTE: &str = "2026-04-01";

pub(crate) const VNET: Type = Type {
    path: "Microsoft.Network/virtualNetworks",
    version: NETWORK,
};
pub(crate) const NSG: Type = Type {
    path: "Microsoft.Network/networkSecurityGroups",
    version: NETWORK,
};
pub(crate) const ASG: Type = Type {
    path: "Microsoft.Network/applicationSecurityGroups",
    version: NETWORK,
};
pub(crate) const PIP: Type = Type {
    path: "Microsoft.Network/publicIPAddresses",
    version: NETWORK,
};
pub(crate) const NIC: Type = Type {
    path: "Microsoft.Network/networkInterfaces",
    version: NETWORK,
};
pub(crate) const VM: Type = Type {
    path: "Microsoft.Compute/virtualMachines",
    version: COMPUTE,
};
pub(crate) const KEY: Type = Type {
    path: "Microsoft.Compute/sshPublicKeys",
    version: COMPUTE,
};
pub(crate) const DISK: Type = Type {
    path: "Microsoft.Compute/disks",
    version: "2026-03-02",
};
pub(crate) const ACCOUNT: Type = Type {
    path: "Microsoft.Storage/storageAccounts",
    version: "2026-09-01",
};
/// Resource groups, tags and what else is the resource manager's own.
pub(crate) const RESOURCES: &str = "2025-04-01";
/// Subscriptions.
pub(crate) const SUBSCRIPTIONS: &str = "2022-12-01";
/// Machine sizes with their zones and restrictions.
pub(crate) const SKUS: &str = "2021-07-01";
/// What somebody may do.
pub(crate) const PERMISSIONS: &str = "2022-04-01";

/// Whether a text is a name that a resource group may have.
pub(crate) fn is_group(text: &str) -> bool {
    let good = |c: char| c.is_alphanumeric() || "-_.()".contains(c);
    !text.is_empty()
        && text.chars().count() <= GROUP_MAX
        && text.chars().all(good)
        && !text.ends_with('.')
}

/// The resource group of what a topology makes at a site. Names have no `_`, so no two of them share one.
pub(crate) fn group_of(owner: &Owner, site: &Name) -> String {
    let realm = owner.realm.iter().map(Name::as_str);
    let words = realm.chain([owner.topology.as_str(), site.as_str()]);
    let name = format!("stratiform_{}", words.collect::<Vec<_>>().join("_"));
    match name.len() > GROUP_MAX {
        true => shortened(&name, GROUP_MAX),
        false => name,
    }
}

/// As much of a name as fits, and a digest of it.
pub(crate) fn shortened(name: &str, most: usize) -> String {
    let digest = Digest::of_parts(["name", name]);
    let kept: String = name.chars().take(most - DIGITS - 1).collect();
    format!("{kept}-{}", &digest.as_str()[..DIGITS])
}

/// A thing in a resource group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) group: String,
    pub(crate) name: String,
}

impl Place {
    pub(crate) fn new(group: &str, name: &str) -> Self {
        Self {
            group: group.to_ascii_lowercase(),
            name: name.to_ascii_lowercase(),
        }
    }

    /// Reads an id; `None` for one that no such thing has.
    pub(crate) fn of_id(id: &ResourceId) -> Option<Self> {
        let (group, name) = id.as_str().split_once('/')?;
        let good = is_group(group) && is_name(name);
        good.then(|| Self::new(group, name))
    }

    /// Reads the path by which one thing refers to another:
    /// `/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/disks/N`, whatever comes after.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let is = |index: usize, word: &str| {
            parts
                .get(index)
                .is_some_and(|part| part.eq_ignore_ascii_case(word))
        };
        let good = is(0, "subscriptions") && is(2, "resourceGroups") && is(4, "providers");
        match good {
            true => Some(Self::new(parts.get(3)?, parts.get(7)?)),
            false => None,
        }
    }

    pub(crate) fn id(&self) -> ResourceId {
        ResourceId::from(format!("{}/{}", self.group, self.name))
    }
}

/// A subnet of a network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InNetwork {
    pub(crate) network: Place,
    pub(crate) name: String,
}

impl InNetwork {
    pub(crate) fn new(network: &Place, name: &str) -> Self {
        Self {
            network: network.clone(),
            name: name.to_ascii_lowercase(),
        }
    }

    pub(crate) fn of_id(id: &ResourceId) -> Option<Self> {
        let (network, name) = id.as_str().rsplit_once('/')?;
        let network = Place::of_id(&ResourceId::from(network))?;
        is_name(name).then(|| Self::new(&network, name))
    }

    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let network = Place::of_path(path)?;
        let (_, name) = path.rsplit_once("/subnets/")?;
        is_name(name).then(|| Self::new(&network, name))
    }

    pub(crate) fn id(&self) -> ResourceId {
        ResourceId::from(format!("{}/{}", self.network.id(), self.name))
    }
}

/// Whether a text may be one part of a path: nothing that would lead elsewhere is in it.
pub(crate) fn is_name(text: &str) -> bool {
    let good = |c: char| c.is_alphanumeric() || "-_.()".contains(c);
    !text.is_empty() && text != "." && text != ".." && text.chars().all(good)
}

/// The zone of a number: `westeurope-1`; the region itself for what is in none.
pub(crate) fn zone_of(region: &str, zones: &[String]) -> Result<Name> {
    let text = match zones.first() {
        Some(number) => format!("{region}-{number}"),
        None => region.to_owned(),
    };
    Name::new(&text).map_err(|_| refuse(ErrorKind::Internal, format!("`{text}` is no zone")))
}

/// The number of a zone, none for the region itself; `None` for a zone of elsewhere.
pub(crate) fn zone_number(region: &str, zone: &Name) -> Option<Option<String>> {
    let rest = zone.as_str().strip_prefix(region)?;
    if rest.is_empty() {
        return Some(None);
    }
    let number = rest.strip_prefix('-')?;
    let digits = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    digits.then(|| Some(number.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_paths_lead_to_each_other() {
        let path = "/subscriptions/s/resourcegroups/SHOP/providers/Microsoft.Network/\
                    virtualNetworks/Core/subnets/app";
        let subnet = InNetwork::of_path(path).expect("a subnet");
        assert_eq!(subnet.id(), ResourceId::from("shop/core/app"));
        assert_eq!(InNetwork::of_id(&subnet.id()), Some(subnet.clone()));
        assert_eq!(Place::of_path(path), Some(subnet.network));
        for bad in ["web", "a/../b", "a/b?c", "/b", "a/"] {
            assert_eq!(Place::of_id(&ResourceId::from(bad)), None, "{bad}");
        }
    }

    #[test]
    fn every_topology_and_site_has_a_group_of_its_own() {
        let site = |text: &str| Name::new(text).expect("name");
        let owner = |text: &str| text.parse::<Owner>().expect("owner");
        let long = "n".repeat(63);
        let groups = [
            group_of(&owner("shop"), &site("west")),
            group_of(&owner("shop-west"), &site("west")),
            group_of(&owner("bank/shop"), &site("west")),
            group_of(&owner(&long), &site(&long)),
            group_of(&owner(&format!("bank/{long}")), &site(&long)),
        ];
        for (index, group) in groups.iter().enumerate() {
            assert!(is_group(group), "{group}");
            assert!(!groups[..index].contains(group), "{groups:?}");
        }
        assert_eq!(groups[0], "stratiform_shop_west");
    }

    #[test]
    fn zones_have_numbers() {
        let zone = zone_of("westeurope", &["2".to_owned()]).expect("a zone");
        assert_eq!(zone.as_str(), "westeurope-2");
        assert_eq!(zone_number("westeurope", &zone), Some(Some("2".to_owned())));
        assert_eq!(zone_number("northeurope", &zone), None);
        let whole = zone_of("westeurope", &[]).expect("a zone");
        assert_eq!(zone_number("westeurope", &whole), Some(None));
    }
}
