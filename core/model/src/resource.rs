//! What a provider reports of one real thing.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Digest, Kind, Mark, Name, Shared, Spec, Texts, Witness};

/// A provider's id of a thing. Opaque; unique at its site and kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ResourceId(Arc<str>);

impl ResourceId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> From<T> for ResourceId {
    fn from(text: T) -> Self {
        Self(Arc::from(text.as_ref()))
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Where a thing is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ResourceState {
    /// Being made or changed; not fit for use yet.
    Pending,
    /// Fit for use.
    Ready,
    /// A machine that is switched off.
    Stopped,
    /// Going away. It counts for nothing but what waits for it to be gone.
    Deleting,
    /// Broken for good; only a replacement helps.
    Failed,
    /// Known to be there, where nobody looks now: as on a host that is down. It counts as there, and is
    /// left as it is.
    Unseen,
}

impl ResourceState {
    /// The word in tables and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Stopped => "stopped",
            Self::Deleting => "deleting",
            Self::Failed => "failed",
            Self::Unseen => "unseen",
        }
    }
}

/// What a thing got from its cloud: `private_ip` and `public_ip` of a machine, `ip` of an address,
/// `url` of a bucket; and what it says of it besides, such as [`Resource::EMPTY`].
pub type Attributes = Shared<Texts>;

/// One real thing, as a provider reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// The provider's id.
    pub id: ResourceId,
    /// The name it was given at creation.
    pub name: String,
    /// Its mark; `None` for what is not ours, or has lost it.
    pub mark: Option<Mark>,
    /// Whether anything but the mark says that it is what its mark says.
    #[serde(default)]
    pub witness: Witness,
    /// Where it is in its life.
    pub state: ResourceState,
    /// What it is now. What cannot be read back is filled in from nothing: an empty image name,
    /// no user data; the mark's notes stand for it.
    pub spec: Spec<ResourceId>,
    /// What its cloud gave it.
    pub attributes: Attributes,
    /// When it was made, where the cloud says.
    pub created: Option<Timestamp>,
}

impl Resource {
    /// The attribute of a bucket that says whether nothing is in it, no older version either:
    /// `true` or `false`. Where it is missing, nobody knows.
    pub const EMPTY: &'static str = "empty";

    /// The attribute of a machine that its cloud ended, or is ending: why, in the cloud's words.
    pub const STATE_REASON: &'static str = "state_reason";

    /// The attribute of a machine that is over and that its cloud still shows for a while: nothing of it is left
    /// but [why](Self::STATE_REASON). A read by id may have it, a list never.
    pub const ENDED: &'static str = "ended";

    /// Whether nothing of it is left but why.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state == ResourceState::Deleting && self.attributes.get(Self::ENDED).is_some()
    }

    /// The attribute of a machine that its cloud ended as it was launched because there was no more:
    /// `capacity` or `quota`, as of a launch that is refused for that. [Why](Self::STATE_REASON) begins with
    /// the cloud's code then.
    pub const SHORTAGE: &'static str = "shortage";

    /// The attribute of a thing that is, or of which a copy is, where nobody looks now: why.
    pub const UNSEEN: &'static str = "unseen";

    /// The attribute of a machine whose host is to be emptied: why. A member of a fleet is made anew
    /// elsewhere for that, as there is room; whoever says so sees to it that there is another place in its
    /// zone, and that nothing new is placed where it leaves.
    pub const LEAVES: &'static str = "leaves";

    /// Why a machine is to leave its host, if it is.
    #[must_use]
    pub fn leaves(&self) -> Option<&str> {
        self.attributes.get(Self::LEAVES).map(String::as_str)
    }

    /// Why it is left as it is, where it or a copy of it is not looked at now: it is neither changed nor
    /// deleted until it is.
    #[must_use]
    pub fn unseen(&self) -> Option<&str> {
        self.attributes.get(Self::UNSEEN).map(String::as_str)
    }

    /// A thing of a store that keeps what it is told, as it is told: ready, and witnessed by its mark,
    /// since no feature of the store copies one with its mark.
    #[must_use]
    pub fn kept(id: ResourceId, name: &str, spec: Spec<ResourceId>, mark: &Mark) -> Self {
        Self {
            name: name.to_owned(),
            mark: Some(mark.clone()),
            witness: Witness::by_mark(Some(mark), &id),
            id,
            state: ResourceState::Ready,
            spec,
            attributes: Attributes::default(),
            created: None,
        }
    }

    /// The kind of thing.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.spec.kind()
    }

    /// What a topology may ask of it once it is there: `id`, `name`, `site`, `zone`, or one of its
    /// attributes. `site` is the site it was seen at.
    #[must_use]
    pub fn attribute(&self, site: &Name, attribute: &str) -> Option<String> {
        match attribute {
            "id" => Some(self.id.to_string()),
            "name" => Some(self.name.clone()),
            "site" => Some(site.to_string()),
            "zone" => self.zone().map(ToString::to_string),
            _ => self.attributes.get(attribute).cloned(),
        }
    }

    /// Takes note of a mark that was just written to it: one that names it as adopted is witnessed by
    /// that, and another is as the last one was.
    pub fn remark(&mut self, mark: Option<Mark>) {
        if let Some(crate::MarkOrigin::Adopted(_)) = mark.as_ref().and_then(|m| m.origin.as_ref()) {
            self.witness = Witness::by_mark(mark.as_ref(), &self.id);
        }
        self.mark = mark;
    }

    /// The zone it is in, where it has one.
    #[must_use]
    pub const fn zone(&self) -> Option<&Name> {
        self.spec.zone()
    }

    /// What a plan remembers of it, to notice at apply that it has changed since.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let digest = Digest::of_json(&(&self.id, &self.spec, &self.mark));
        Fingerprint(digest.short().to_owned())
    }
}

/// A digest of one thing's id, spec and mark.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = crate::schema::SHORT_DIGEST)))]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
