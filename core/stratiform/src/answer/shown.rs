//! What there is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use strat_model::{
    Addr, AddressSpec, Attributes, BucketSpec, FirewallSpec, ImageSpec, KeypairSpec, Kind,
    MachineSpec, Name, NetworkSpec, ResourceId, ResourceState, Spec, SubnetSpec, VolumeSpec,
};

/// What there is: one entry for each real thing that carries the topology's mark.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shown<'a> {
    /// The things, sorted by site, kind and id.
    pub resources: Vec<ShownThing<'a>>,
    /// What others own and the topology refers to; left out where there is nothing of the kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<ShownLookup<'a>>,
}

/// A real thing of the topology.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShownThing<'a> {
    /// Which thing of the topology it is.
    pub addr: &'a Addr,
    /// Its kind.
    pub kind: Kind,
    /// Its site.
    pub site: &'a Name,
    /// Its id in its cloud.
    pub id: &'a ResourceId,
    /// Its name there.
    pub name: &'a str,
    /// Its zone, where it has one.
    pub zone: Option<&'a Name>,
    /// Where it is in its life.
    pub state: ResourceState,
    /// Whether deleting it is refused.
    pub protect: bool,
    /// How often it was made anew, from 1.
    pub generation: u64,
    /// When it was made, where its cloud says.
    pub created: Option<Timestamp>,
    /// What its cloud gave it: `private_ip` and `public_ip` of a machine, `ip` of an address, `url` of a
    /// bucket, and so on.
    pub attributes: &'a Attributes,
    /// What it is now.
    pub spec: BareSpec<'a>,
    /// The same attributes once more, beside the rest, but for those that are called as something above.
    #[serde(flatten)]
    pub given: BTreeMap<&'a str, &'a str>,
}

/// A spec without the word for its kind.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[expect(missing_docs, reason = "each is the spec of its name")]
pub enum BareSpec<'a> {
    Network(&'a NetworkSpec),
    Subnet(&'a SubnetSpec<ResourceId>),
    Firewall(&'a FirewallSpec<ResourceId>),
    Address(&'a AddressSpec<ResourceId>),
    Keypair(&'a KeypairSpec),
    Image(&'a ImageSpec),
    Machine(&'a MachineSpec<ResourceId>),
    Volume(&'a VolumeSpec<ResourceId>),
    Bucket(&'a BucketSpec),
}

impl<'a> BareSpec<'a> {
    /// A spec without the word for its kind.
    #[must_use]
    pub const fn of(spec: &'a Spec<ResourceId>) -> Self {
        match spec {
            Spec::Network(spec) => Self::Network(spec),
            Spec::Subnet(spec) => Self::Subnet(spec),
            Spec::Firewall(spec) => Self::Firewall(spec),
            Spec::Address(spec) => Self::Address(spec),
            Spec::Keypair(spec) => Self::Keypair(spec),
            Spec::Image(spec) => Self::Image(spec),
            Spec::Machine(spec) => Self::Machine(spec),
            Spec::Volume(spec) => Self::Volume(spec),
            Spec::Bucket(spec) => Self::Bucket(spec),
        }
    }
}

/// What was looked up at a site.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShownLookup<'a> {
    /// What the topology calls it.
    pub addr: Addr,
    /// Its kind.
    pub kind: Kind,
    /// Its site.
    pub site: &'a Name,
    /// What came of looking for it.
    pub found: LookupState,
    /// The thing; of a subnet where each zone has its own, one in each of some zones.
    pub things: Vec<ThingOfOthers<'a>>,
}

/// What came of looking for a thing of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LookupState {
    /// It is there.
    Found,
    /// Nothing is like that.
    Missing,
    /// Several are like that.
    Ambiguous,
    /// It carries the mark of this very topology.
    Own,
    /// The site's provider has nothing of the kind.
    Unsupported,
    /// It could not be looked for.
    Unseen,
}

/// A thing that others own.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThingOfOthers<'a> {
    /// What the topology calls it.
    pub addr: Addr,
    /// Its id in its cloud.
    pub id: &'a ResourceId,
    /// Its name there.
    pub name: &'a str,
    /// Its zone, where it has one.
    pub zone: Option<&'a Name>,
    /// Where it is in its life.
    pub state: ResourceState,
    /// What its cloud gave it.
    pub attributes: &'a Attributes,
}
