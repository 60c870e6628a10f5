//! Machines, and what they are made of: images, key pairs, disks, user data.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Labels;
use crate::{Bytes, CapacityKind, Digest, LocalAddr, Name, ResourceId, Shared, UnitError};

/// A machine, of an offer that was chosen for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(rename = "MachineSpec", bound = "R: schemars::JsonSchema")
)]
#[serde(bound(
    serialize = "R: Serialize + Ord",
    deserialize = "R: Deserialize<'de> + Ord"
))]
pub struct MachineSpec<R> {
    /// The cloud's name for the size.
    pub machine_type: String,
    /// Virtual CPUs of that size.
    pub cpu: u32,
    /// Memory of that size.
    pub memory: Bytes,
    /// How the capacity is bought.
    pub capacity: CapacityKind,
    /// The zone.
    pub zone: Name,
    /// What it boots from.
    pub image: ImageRef<R>,
    /// Where its network interface is.
    pub subnet: R,
    /// Whether it has a public address of its own, which lives and dies with it. `None` where its site
    /// settles that for all of its machines, or where it cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<bool>,
    /// Whom it admits. Empty: the cloud's default, which admits nobody.
    pub firewalls: Shared<BTreeSet<R>>,
    /// Who may log in.
    pub keypair: Option<R>,
    /// What it does at its first boot.
    pub user_data: Option<UserData>,
    /// The boot disk, then others that live and die with the machine. Empty: the image's own.
    pub disks: Vec<DiskSpec>,
    /// The user's labels.
    pub labels: Labels,
}

/// What a machine boots from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ImageRef"))]
#[serde(rename_all = "snake_case")]
pub enum ImageRef<R> {
    /// A public image by its neutral name (`debian-12`), and this cloud's id of it when the plan
    /// was made. Compared by name alone, so that a newer build replaces nothing by itself.
    Named {
        /// The neutral name. Empty in what a provider reports.
        name: String,
        /// This cloud's image.
        id: ResourceId,
    },
    /// An image of the topology's own.
    Managed(R),
}

/// A disk that lives and dies with its machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DiskSpec {
    /// Its size.
    pub size: Bytes,
    /// What it is made of.
    pub class: DiskClass,
}

/// What a disk or volume is made of.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DiskClass {
    /// Spinning disks: the cheapest.
    Hdd,
    /// Solid state: the usual choice.
    #[default]
    Ssd,
    /// The fastest the cloud has.
    Nvme,
}

impl DiskClass {
    /// The word in a topology file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hdd => "hdd",
            Self::Ssd => "ssd",
            Self::Nvme => "nvme",
        }
    }
}

impl std::str::FromStr for DiskClass {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        [Self::Hdd, Self::Ssd, Self::Nvme]
            .into_iter()
            .find(|class| class.as_str() == text)
            .ok_or_else(|| UnitError::new(text, "a disk class: `hdd`, `ssd` or `nvme`"))
    }
}

/// User data: text, with places for what is known only once other things exist.
///
/// The text may hold secrets. It is never serialised and never shown; only its digest is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserData {
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = crate::schema::SHORT_DIGEST)))]
    /// The first 16 hex digits of the digest of the text, with its places named.
    pub digest: String,
    #[serde(skip)]
    parts: Arc<[TemplatePart]>,
}

/// A piece of user data.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum TemplatePart {
    /// Text as it stands.
    Text(String),
    /// An attribute of a thing, such as `private_ip`, put in when it is known.
    Attribute {
        /// The thing; it has one instance at one site.
        of: LocalAddr,
        /// Its attribute.
        attribute: String,
    },
}

impl UserData {
    /// User data of some pieces.
    #[must_use]
    pub fn new(parts: Vec<TemplatePart>) -> Self {
        let mut words = Vec::with_capacity(parts.len() * 2);
        for part in &parts {
            match part {
                TemplatePart::Text(text) => words.extend(["text".to_owned(), text.clone()]),
                TemplatePart::Attribute { of, attribute } => {
                    words.extend(["attribute".to_owned(), of.to_string(), attribute.clone()]);
                }
            }
        }
        let digest = Digest::of_parts(words.iter().map(String::as_str));
        Self {
            digest: digest.short().to_owned(),
            parts: parts.into(),
        }
    }

    /// User data of text alone.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(vec![TemplatePart::Text(text.into())])
    }

    /// The pieces; none if this was read back from a file, which holds only the digest.
    #[must_use]
    pub fn parts(&self) -> &[TemplatePart] {
        &self.parts
    }

    /// How long it is at the least, in bytes: what is filled in only when it is made is not counted.
    #[must_use]
    pub fn least_len(&self) -> u64 {
        let texts = self.parts.iter().map(|part| match part {
            TemplatePart::Text(text) => text.len() as u64,
            TemplatePart::Attribute { .. } => 0,
        });
        texts.sum()
    }

    /// What it waits for.
    pub fn references(&self) -> impl Iterator<Item = (&LocalAddr, &str)> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Text(_) => None,
            TemplatePart::Attribute { of, attribute } => Some((of, attribute.as_str())),
        })
    }

    /// The same with every place filled in by `f`, or `None` when `f` does not know one.
    pub fn resolve(&self, mut f: impl FnMut(&LocalAddr, &str) -> Option<String>) -> Option<Self> {
        if self.references().next().is_none() {
            return Some(self.clone());
        }
        let mut text = String::new();
        for part in &*self.parts {
            match part {
                TemplatePart::Text(part) => text.push_str(part),
                TemplatePart::Attribute { of, attribute } => text.push_str(&f(of, attribute)?),
            }
        }
        Some(Self::text(text))
    }

    /// The text, once nothing is waited for.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &*self.parts {
            [TemplatePart::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// Of the digest alone: what comes of it may be shown.
impl Hash for UserData {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserData({})", self.digest)
    }
}

/// A public key for logging in to machines.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeypairSpec {
    /// In OpenSSH's one-line form, without the comment.
    pub public_key: String,
    /// The user's labels.
    pub labels: Labels,
}

/// An image of the topology's own, made from a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImageSpec {
    /// A path or URL that the provider can read.
    pub source: String,
    /// The SHA-256 of the content, 64 hex digits.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = crate::schema::SHA256)))]
    pub sha256: String,
    /// The user's labels.
    pub labels: Labels,
}

impl<R: Ord> MachineSpec<R> {
    /// The same spec with every reference put through `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map_refs<T: Ord, E>(
        &self,
        f: &mut impl FnMut(&R) -> Result<T, E>,
    ) -> Result<MachineSpec<T>, E> {
        Ok(MachineSpec {
            machine_type: self.machine_type.clone(),
            cpu: self.cpu,
            memory: self.memory,
            capacity: self.capacity,
            zone: self.zone.clone(),
            image: match &self.image {
                ImageRef::Named { name, id } => ImageRef::Named {
                    name: name.clone(),
                    id: id.clone(),
                },
                ImageRef::Managed(image) => ImageRef::Managed(f(image)?),
            },
            subnet: f(&self.subnet)?,
            public_ip: self.public_ip,
            firewalls: self
                .firewalls
                .iter()
                .map(&mut *f)
                .collect::<Result<_, E>>()?,
            keypair: self.keypair.as_ref().map(f).transpose()?,
            user_data: self.user_data.clone(),
            disks: self.disks.clone(),
            labels: self.labels.clone(),
        })
    }
}
