//! What a plan leaves as it is.

use serde::{Deserialize, Serialize};
use strat_model::{Addr, Name, ResourceId};

use crate::plan::{Cause, FieldChange};

/// Something that is left as it is because too little is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Withheld {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// What else a person may say, so that it is not left; left out where there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
}

/// What a person may say of something that is left as it is. Each has an option of its own in whatever a
/// person talks to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// That another is to be made at this address, as a claim to make it anew says.
    Recreate(Addr),
    /// That what is at this site, which the topology has no more, stays there and is forgotten.
    ForgetSite(Name),
}

/// Why something is left as it is, and what a person may say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Why.
    pub why: String,
    /// What a person may say.
    pub way: Option<Way>,
}

impl Reason {
    /// Says what of.
    pub(crate) fn of(self, what: &impl ToString) -> Withheld {
        let Self { why, way } = self;
        let what = what.to_string();
        Withheld { what, why, way }
    }

    /// Adds that another may be made at an address.
    pub(crate) fn or_recreate(self, addr: &Addr) -> Self {
        Self {
            way: Some(Way::Recreate(addr.clone())),
            ..self
        }
    }
}

impl<S: Into<String>> From<S> for Reason {
    fn from(why: S) -> Self {
        let (why, way) = (why.into(), None);
        Self { why, way }
    }
}

/// Something that differs from the topology in what cannot be changed. It is left as it is; the rest of
/// it, and everything else, is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refused {
    /// Which thing of the topology.
    pub addr: Addr,
    /// Which real thing.
    pub id: ResourceId,
    /// Where the difference comes from.
    pub cause: Cause,
    /// The fields that differ and cannot be changed.
    pub fields: Vec<FieldChange>,
    /// Why not.
    pub why: String,
}
