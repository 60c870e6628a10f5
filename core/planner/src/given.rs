//! What a plan refers to and others own.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strat_model::{Addr, Field, ResourceId};

use crate::InventoryIndex;
use crate::diff::field_value;

/// A thing of others that a plan refers to: it is never written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GivenThing {
    /// What the topology calls it.
    pub addr: Addr,
    /// Its id.
    pub id: ResourceId,
    /// Its name, as its cloud shows it.
    pub name: String,
    /// Its range, of a network or subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr: Option<String>,
}

/// All of them, sorted by address.
pub(crate) fn given(index: &InventoryIndex<'_>) -> Vec<GivenThing> {
    let given = index.given().iter();
    given
        .map(|(addr, thing)| GivenThing {
            addr: addr.clone(),
            id: thing.id.clone(),
            name: thing.name.clone(),
            cidr: match field_value(&thing.spec, Field::Cidr) {
                Some(Value::String(cidr)) => Some(cidr),
                _ => None,
            },
        })
        .collect()
}
