//! What the providers reported, site by site, and how much of it is known.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Addr, Kind, LookedUp, Name, Owner, Resource, ResourceId};

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
    /// Things that are known to be the topology's, and that no list shows as such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Missed>,
    /// What a run of ours that did not come to its end shut down, attached or let go. It only ever
    /// explains a difference.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub left: BTreeSet<ResourceId>,
    /// What others own and the topology refers to. It is never among the resources for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<LookedUp>,
}

/// A thing that is known to be a topology's, and that a list of what carries its mark does not show.
///
/// Where it is there all the same, it is among the resources, too: with the mark that it has now, if
/// any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Missed {
    /// Which thing of the topology it is.
    pub addr: Addr,
    /// Its id.
    pub id: ResourceId,
    /// What a read by its id, where it was made, says.
    pub state: MissedState,
    /// Of what is gone, why its cloud ended it, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What became of a thing that a list does not show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissedState {
    /// It is not there.
    Gone,
    /// It is there, and was let go: it is the topology's no more.
    Released {
        /// The generation that its mark said.
        generation: u64,
        /// Whether a person said that another is to be made beside it.
        beside: bool,
    },
    /// It is there, and its mark is gone or damaged.
    Unmarked,
    /// It is there, and its mark says that it is another thing of the same topology.
    Mismarked {
        /// Which.
        addr: Addr,
    },
    /// It is there, and its mark says that it is somebody else's.
    Foreign {
        /// Whose.
        owner: Owner,
    },
}

impl SiteInventory {
    /// A site where nothing was seen, and how much of each kind that says.
    #[must_use]
    pub fn nothing(observed_at: Timestamp, coverage: &Coverage) -> Self {
        Self {
            observed_at,
            coverage: Kind::ALL.map(|kind| (kind, coverage.clone())).into(),
            resources: Vec::new(),
            missed: Vec::new(),
            left: BTreeSet::new(),
            lookups: Vec::new(),
        }
    }

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
    /// Sites that the topology does not have and where things of it are known to be, and how many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unlisted: BTreeMap<Name, usize>,
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
