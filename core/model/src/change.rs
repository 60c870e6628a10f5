//! What it takes to bring a thing from what it is to what it is to be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{CapacityKind, DiskSpec, Field, Kind, Resource, Spec};

/// How a thing gets from what it is to what it is to be; each is more than the ones before it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// In place, while it is in use.
    Live,
    /// In place; a machine restarts.
    Restart,
    /// In place; a machine is given back to the cloud and started anew, perhaps on another host.
    Deallocate,
    /// Not in place: a new one is made and the old one deleted.
    Recreate,
    /// Not at all.
    Refused {
        /// The reason, for people.
        why: String,
    },
}

impl Means {
    /// The word in tables and JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Restart => "restart",
            Self::Deallocate => "deallocate",
            Self::Recreate => "recreate",
            Self::Refused { .. } => "refused",
        }
    }
}

/// What a thing loses on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// What is on disks that live and die with the machine.
    LocalDisks,
    /// An address that was not set aside for it.
    DynamicAddress,
    /// The public address that was its own: it has none any more.
    PublicAddress,
    /// Its place on a host or in a group.
    Placement,
}

/// What a change takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Transition {
    /// How it is made.
    pub means: Means,
    /// What is lost by it, besides the time that the means takes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub loses: BTreeSet<Loss>,
    /// What else to know before it, such as how often the cloud lets it be done.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub notes: BTreeSet<String>,
}

impl Transition {
    /// A note on disks that grow: what is on them does not grow with them by itself.
    pub const FILE_SYSTEM: &str =
        "the file system grows when the system in the machine does that, mostly as it starts";

    /// By these means, and nothing is lost.
    #[must_use]
    pub const fn by(means: Means) -> Self {
        Self {
            means,
            loses: BTreeSet::new(),
            notes: BTreeSet::new(),
        }
    }

    /// Not at all, and why.
    #[must_use]
    pub fn refused(why: impl Into<String>) -> Self {
        Self::by(Means::Refused { why: why.into() })
    }

    /// The same, which loses this too.
    #[must_use]
    pub fn losing(mut self, loss: Loss) -> Self {
        self.loses.insert(loss);
        self
    }

    /// The same, with one thing more to know.
    #[must_use]
    pub fn noting(mut self, note: impl Into<String>) -> Self {
        self.notes.insert(note.into());
        self
    }

    /// Two changes at once take what the one that is more takes, and lose what either loses.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.means = self.means.max(other.means);
        self.loses.extend(other.loses);
        self.notes.extend(other.notes);
        self
    }

    /// What a change of several fields takes, of which each takes what `one` says.
    #[must_use]
    pub fn of_each(fields: &BTreeSet<Field>, one: impl Fn(Field) -> Self) -> Self {
        let each = fields.iter().map(|field| one(*field));
        each.fold(Self::by(Means::Live), Self::and)
    }

    /// Whether a machine is shut down for it, and started again.
    #[must_use]
    pub const fn stops(&self) -> bool {
        matches!(self.means, Means::Restart | Means::Deallocate)
    }

    /// Whether the thing stays the same thing, with its id.
    #[must_use]
    pub const fn is_in_place(&self) -> bool {
        matches!(self.means, Means::Live | Means::Restart | Means::Deallocate)
    }
}

/// What a provider says of changes at a site. Pure: no I/O, no clock, the same answer every time.
pub trait ChangeRules: Debug + Send + Sync {
    /// What it takes to bring `is` to `to`, where they differ in `fields`.
    ///
    /// Whether two references mean the same thing is the caller's to say: it is in `fields`, and
    /// `to` has no references. Empty `fields`: only the mark differs, which is always live.
    fn change(&self, is: &Resource, to: &Spec<()>, fields: &BTreeSet<Field>) -> Transition;
}

/// The rules of a site, shared.
#[derive(Clone)]
pub struct Changes(Arc<dyn ChangeRules>);

impl Changes {
    /// Shares some rules.
    #[must_use]
    pub fn new(rules: impl ChangeRules + 'static) -> Self {
        Self(Arc::new(rules))
    }
}

impl std::ops::Deref for Changes {
    type Target = dyn ChangeRules;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, f)
    }
}

impl PartialEq for Changes {
    /// Rules are the same where they are one object, or print the same.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || format!("{self:?}") == format!("{other:?}")
    }
}

impl Default for Changes {
    /// The rules of a site that was not asked: nothing is known, so nothing is changed.
    fn default() -> Self {
        Self::new(NotAsked)
    }
}

#[derive(Debug)]
struct NotAsked;

impl ChangeRules for NotAsked {
    fn change(&self, _: &Resource, _: &Spec<()>, _: &BTreeSet<Field>) -> Transition {
        Transition::refused("the site was not asked how it changes things")
    }
}

/// Rules that look at nothing but which fields differ: these are changed in place while the thing
/// is in use, and any other makes it anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveFields(BTreeMap<Kind, BTreeSet<Field>>);

impl LiveFields {
    /// What the usual cloud can do with these kinds.
    #[must_use]
    pub fn usual(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let fields = |kind: Kind| {
            let own = kind.live_fields().iter().copied();
            own.chain([Field::Labels, Field::Setup]).collect()
        };
        Self(kinds.into_iter().map(|kind| (kind, fields(kind))).collect())
    }

    /// The same, where this field of a kind is live too.
    #[must_use]
    pub fn with(mut self, kind: Kind, field: Field) -> Self {
        self.0.entry(kind).or_default().insert(field);
        self
    }

    /// Whether a field of a kind is changed in place. The mark always is: what it says of
    /// protection and of what was asked for is no field of the thing.
    #[must_use]
    pub fn contains(&self, kind: Kind, field: Field) -> bool {
        field.is_of_mark()
            || self
                .0
                .get(&kind)
                .is_some_and(|fields| fields.contains(&field))
    }
}

/// What another size of a machine takes, by the rules that clouds share: it is switched off, and may be
/// started on another host, where an address that was not set aside for it is another. What is bought
/// as spot cannot be stopped and had again, and `same_kind` says whether the new size takes the machine
/// as it is: an image is of one instruction set.
#[must_use]
pub fn resize(is: &Resource, capacity: CapacityKind, same_kind: bool) -> Transition {
    if capacity == CapacityKind::Spot || !same_kind {
        return Transition::by(Means::Recreate);
    }
    let takes = Transition::by(Means::Deallocate);
    match is.attributes.contains_key("public_ip") {
        true => takes.losing(Loss::DynamicAddress),
        false => takes,
    }
}

/// What it takes to give a machine a public address of its own, or to take it back, by the rules that
/// clouds share: it runs on, and the address that it had is nobody's any more.
#[must_use]
pub fn public_ip(to: Option<bool>) -> Transition {
    let takes = Transition::by(Means::Live);
    match to {
        Some(true) => takes,
        Some(false) | None => takes.losing(Loss::PublicAddress),
    }
}

/// Whether disks become others only by growing: as many, of the same classes, none smaller.
#[must_use]
pub fn only_grow(is: &[DiskSpec], to: &[DiskSpec]) -> bool {
    let grows = |(is, to): (&DiskSpec, &DiskSpec)| is.class == to.class && is.size <= to.size;
    is.len() == to.len() && is.iter().zip(to).all(grows)
}

impl LiveFields {
    /// What a change takes by the rules that all providers share, where a provider's `own` says
    /// nothing of a field: a volume never shrinks; these fields are live, and others make anew.
    pub fn change_or(
        &self,
        is: &Resource,
        to: &Spec<()>,
        fields: &BTreeSet<Field>,
        own: impl Fn(Field) -> Option<Transition>,
    ) -> Transition {
        Transition::of_each(fields, |field| {
            let shrinks = match (&is.spec, to) {
                (Spec::Volume(from), Spec::Volume(to)) => to.size < from.size,
                _ => false,
            };
            if field == Field::Size && shrinks {
                return Transition::refused("a volume cannot shrink");
            }
            own(field).unwrap_or_else(|| {
                let live = self.contains(is.kind(), field);
                Transition::by(if live { Means::Live } else { Means::Recreate })
            })
        })
    }
}

impl ChangeRules for LiveFields {
    fn change(&self, is: &Resource, to: &Spec<()>, fields: &BTreeSet<Field>) -> Transition {
        self.change_or(is, to, fields, |_| None)
    }
}
