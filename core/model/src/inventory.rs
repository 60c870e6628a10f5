//! What the providers reported, site by site, and how much of it is known.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Kind, Name, Resource};

/// How much of one kind at one site was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// All that carries our mark.
    Complete,
    /// Not all of it, and why. What is missing from a partial list is not known to be gone.
    Partial {
        /// The reason, for people.
        why: String,
    },
}

/// What one site reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteInventory {
    /// When the observation began.
    pub observed_at: Timestamp,
    /// How much of each kind was seen. A kind the site does not have is complete.
    pub coverage: BTreeMap<Kind, Coverage>,
    /// What was seen, sorted by kind and id.
    pub resources: Vec<Resource>,
}

impl SiteInventory {
    /// Whether all of `kind` was seen. A kind nobody looked at was not.
    #[must_use]
    pub fn is_complete(&self, kind: Kind) -> bool {
        matches!(self.coverage.get(&kind), Some(Coverage::Complete))
    }
}

/// What all sites reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// By site.
    pub sites: BTreeMap<Name, SiteInventory>,
}

impl Inventory {
    /// Everything, with its site.
    pub fn resources(&self) -> impl Iterator<Item = (&Name, &Resource)> {
        self.sites
            .iter()
            .flat_map(|(site, inventory)| inventory.resources.iter().map(move |r| (site, r)))
    }

    /// Whether all of `kind` at `site` was seen.
    #[must_use]
    pub fn is_complete(&self, site: &Name, kind: Kind) -> bool {
        self.sites
            .get(site)
            .is_some_and(|inventory| inventory.is_complete(kind))
    }
}
