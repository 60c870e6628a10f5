//! What a plan leaves as it is.

use serde::{Deserialize, Serialize};
use strat_model::{Addr, ResourceId};

use crate::plan::{Cause, FieldChange};

/// Something that is left as it is because too little is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Withheld {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
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
