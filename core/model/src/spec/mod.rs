//! Specs: what a thing is to be, and what it is.
//!
//! A spec is generic over how it names other things: by [`crate::Addr`] in what is desired, by
//! [`crate::ResourceId`] in what a provider takes and reports.

mod compute;
mod field;
mod network;
mod storage;

use serde::{Deserialize, Serialize};

pub use compute::{
    DiskClass, DiskSpec, ImageRef, ImageSpec, KeypairSpec, MachineSpec, TemplatePart, UserData,
};
pub use field::Field;
pub use network::{
    AddressSpec, Direction, FirewallRule, FirewallSpec, Internet, NetworkSpec, Peer, PortRange,
    Protocol, SubnetSpec,
};
pub use storage::{BucketSpec, VolumeSpec};

use crate::Name;
use crate::{Digest, Kind, Shared, Texts};

/// The user's own labels on a thing.
pub type Labels = Shared<Texts>;

/// A spec of any kind. `R` is how it names other things.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(
        rename = "Spec",
        bound = "R: schemars::JsonSchema",
        description = "A spec of any kind, under the word for its kind."
    )
)]
#[serde(
    rename_all = "snake_case",
    bound(
        serialize = "R: Serialize + Ord",
        deserialize = "R: Deserialize<'de> + Ord"
    )
)]
#[expect(missing_docs, reason = "each variant is the kind of its name")]
pub enum Spec<R> {
    Network(NetworkSpec),
    Subnet(SubnetSpec<R>),
    Firewall(FirewallSpec<R>),
    Address(AddressSpec<R>),
    Keypair(KeypairSpec),
    Image(ImageSpec),
    Machine(MachineSpec<R>),
    Volume(VolumeSpec<R>),
    Bucket(BucketSpec),
}

impl<R: Ord> Spec<R> {
    /// The kind of thing it describes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Network(_) => Kind::Network,
            Self::Subnet(_) => Kind::Subnet,
            Self::Firewall(_) => Kind::Firewall,
            Self::Address(_) => Kind::Address,
            Self::Keypair(_) => Kind::Keypair,
            Self::Image(_) => Kind::Image,
            Self::Machine(_) => Kind::Machine,
            Self::Volume(_) => Kind::Volume,
            Self::Bucket(_) => Kind::Bucket,
        }
    }

    /// The zone it is in, where it has one.
    #[must_use]
    pub const fn zone(&self) -> Option<&Name> {
        match self {
            Self::Machine(spec) => Some(&spec.zone),
            Self::Volume(spec) => Some(&spec.zone),
            Self::Subnet(spec) => spec.zone.as_ref(),
            Self::Network(_)
            | Self::Firewall(_)
            | Self::Address(_)
            | Self::Keypair(_)
            | Self::Image(_)
            | Self::Bucket(_) => None,
        }
    }

    /// The user's labels.
    #[must_use]
    pub const fn labels(&self) -> &Labels {
        match self {
            Self::Network(spec) => &spec.labels,
            Self::Subnet(spec) => &spec.labels,
            Self::Firewall(spec) => &spec.labels,
            Self::Address(spec) => &spec.labels,
            Self::Keypair(spec) => &spec.labels,
            Self::Image(spec) => &spec.labels,
            Self::Machine(spec) => &spec.labels,
            Self::Volume(spec) => &spec.labels,
            Self::Bucket(spec) => &spec.labels,
        }
    }

    /// The user's labels, to change.
    pub const fn labels_mut(&mut self) -> &mut Labels {
        match self {
            Self::Network(spec) => &mut spec.labels,
            Self::Subnet(spec) => &mut spec.labels,
            Self::Firewall(spec) => &mut spec.labels,
            Self::Address(spec) => &mut spec.labels,
            Self::Keypair(spec) => &mut spec.labels,
            Self::Image(spec) => &mut spec.labels,
            Self::Machine(spec) => &mut spec.labels,
            Self::Volume(spec) => &mut spec.labels,
            Self::Bucket(spec) => &mut spec.labels,
        }
    }

    /// The same spec with every reference put through `f`, in a fixed order.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map_refs<T: Ord, E>(
        &self,
        mut f: impl FnMut(&R) -> Result<T, E>,
    ) -> Result<Spec<T>, E> {
        let f = &mut f;
        Ok(match self {
            Self::Network(spec) => Spec::Network(spec.clone()),
            Self::Subnet(spec) => Spec::Subnet(spec.try_map_refs(f)?),
            Self::Firewall(spec) => Spec::Firewall(spec.try_map_refs(f)?),
            Self::Address(spec) => Spec::Address(spec.try_map_refs(f)?),
            Self::Keypair(spec) => Spec::Keypair(spec.clone()),
            Self::Image(spec) => Spec::Image(spec.clone()),
            Self::Machine(spec) => Spec::Machine(spec.try_map_refs(f)?),
            Self::Volume(spec) => Spec::Volume(spec.try_map_refs(f)?),
            Self::Bucket(spec) => Spec::Bucket(spec.clone()),
        })
    }

    /// The same spec with nothing left of its references but how many there are.
    #[must_use]
    pub fn without_refs(&self) -> Spec<()> {
        let Ok(spec) = self.try_map_refs(|_| Ok::<(), std::convert::Infallible>(()));
        spec
    }

    /// Calls `f` with every reference.
    pub fn for_each_ref(&self, mut f: impl FnMut(&R)) {
        let f = &mut f;
        match self {
            Self::Network(_) | Self::Keypair(_) | Self::Image(_) | Self::Bucket(_) => {}
            Self::Subnet(spec) => f(&spec.network),
            Self::Firewall(spec) => {
                f(&spec.network);
                for rule in &spec.rules {
                    rule.peers
                        .iter()
                        .filter_map(Peer::firewall)
                        .for_each(&mut *f);
                }
            }
            Self::Address(spec) => spec.attach.iter().for_each(f),
            Self::Machine(spec) => {
                f(&spec.subnet);
                spec.firewalls.iter().for_each(&mut *f);
                spec.keypair.iter().for_each(&mut *f);
                if let ImageRef::Managed(image) = &spec.image {
                    f(image);
                }
            }
            Self::Volume(spec) => spec.attach.iter().for_each(f),
        }
    }
}

impl<R: Ord + Serialize> Spec<R> {
    /// The digest of the whole spec. Texts that may hold secrets count by their own digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResourceId;

    /// A mark carries the digest of a spec's text: were it written in another way, every thing that
    /// is there would be updated.
    #[test]
    fn specs_are_written_as_ever() {
        for text in [
            r#"{"network":{"cidr":"10.0.0.0/8","labels":{}}}"#,
            r#"{"subnet":{"network":"n","cidr":"10.0.0.0/16","zone":"a","labels":{"env":"test"}}}"#,
            r#"{"firewall":{"network":"n","rules":[{"name":"db","direction":"ingress","peers":[{"cidr":"10.0.0.0/8"},{"firewall":"f"}],"protocol":"tcp","ports":["5432-5433"]}],"labels":{}}}"#,
            r#"{"keypair":{"public_key":"ssh-ed25519 AAAA","labels":{}}}"#,
            r#"{"machine":{"machine_type":"m","cpu":8,"memory":34359738368,"capacity":"owned","zone":"a","image":{"named":{"name":"debian-12","id":"d"}},"subnet":"s","firewalls":["f","g"],"keypair":"k","user_data":null,"disks":[],"labels":{"env":"test","role":"web"}}}"#,
            r#"{"volume":{"size":10737418240,"class":"ssd","zone":"a","attach":null,"labels":{}}}"#,
            r#"{"bucket":{"versioning":true,"labels":{}}}"#,
        ] {
            let spec: Spec<ResourceId> = serde_json::from_str(text).expect(text);
            assert_eq!(serde_json::to_string(&spec).expect(text), text);
            assert_eq!(spec.digest(), Digest::of(text.as_bytes()));
        }
    }
}
