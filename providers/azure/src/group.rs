//! Resource groups: the unit of ownership, one for each topology and site unless the site names one.
//!
//! A group that we make carries the topology's owner and lineage before anything is put into it, and one
//! that has our name without them is nobody's of ours: nothing is put into it. A group is never deleted:
//! that would delete whatever is in it, and the list of what is in it lags.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use strat_model::{ErrorKind, Lineage, Mark, Owner, Result};

use crate::arm::Call;
use crate::error::refuse;
use crate::names::{RESOURCES, group_of};
use crate::provider::AzureProvider;
use crate::tags::{PREFIX, Tags};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Group {
    tags: Option<Tags>,
}

/// The owner that a group's tags name.
fn owner_of(tags: &Tags) -> Option<Owner> {
    let text = |word: &str| tags.get(&format!("{PREFIX}{word}"));
    let owner: Owner = text("owner")?.parse().ok()?;
    let lineage = text("lineage").map(Lineage::new).transpose().ok()?;
    Some(Owner { lineage, ..owner })
}

impl AzureProvider {
    /// The group that a new thing of this mark goes into; made, where it is not there.
    ///
    /// # Errors
    /// `AlreadyExists` for a group of our name that carries another owner or lineage.
    pub(crate) async fn group_for(&self, mark: &Mark) -> Result<String> {
        let named = self.settings.resource_group.as_deref();
        let own = || group_of(&mark.owner, &self.settings.site);
        let group = named.map_or_else(own, str::to_owned).to_ascii_lowercase();
        // Who is told of a group once need not ask again: nobody but us puts tags of ours on it.
        let known = (group.clone(), mark.owner.clone());
        let mut groups = self.groups.lock().await;
        if groups.contains(&known) {
            return Ok(group);
        }
        let call = |method| {
            let action = match method == Method::GET {
                true => "Microsoft.Resources/subscriptions/resourceGroups/read",
                false => "Microsoft.Resources/subscriptions/resourceGroups/write",
            };
            Call::new(action, method, self.group_path(&group), RESOURCES)
        };
        match self.find_one::<Group>(&call(Method::GET)).await? {
            Some(there) => {
                let owner = owner_of(&there.tags.unwrap_or_default());
                let is_ours = owner.is_some_and(|owner| mark.owner.owns(&owner));
                if named.is_none() && !is_ours {
                    return Err(foreign(&group));
                }
            }
            None => {
                let body =
                    json!({ "location": self.settings.region, "tags": tags_of(&mark.owner) });
                self.done(&call(Method::PUT).carrying(body)).await?;
            }
        }
        groups.insert(known);
        Ok(group)
    }
}

fn tags_of(owner: &Owner) -> BTreeMap<String, String> {
    let lineage = owner.lineage.as_ref();
    let lineage = lineage.map(|lineage| (format!("{PREFIX}lineage"), lineage.to_string()));
    let name = (format!("{PREFIX}owner"), owner.named().to_string());
    [name].into_iter().chain(lineage).collect()
}

fn foreign(group: &str) -> strat_model::Error {
    let message = format!(
        "there is a resource group `{group}` already, and it does not carry this topology's lineage"
    );
    let help = "name another group with `resource_group` in the site's block, or delete that one";
    refuse(ErrorKind::AlreadyExists, message).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_says_whose_it_is() {
        let owner: Owner = "bank/shop:0a1b2c3d4e5f6g7h".parse().expect("owner");
        assert_eq!(owner_of(&tags_of(&owner)), Some(owner.clone()));
        assert_eq!(owner_of(&Tags::new()), None);
        let other: Owner = "bank/shop:ffffffffffffffff".parse().expect("owner");
        assert!(!owner.owns(&owner_of(&tags_of(&other)).expect("an owner")));
    }
}
