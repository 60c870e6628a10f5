//! What it takes to bring a thing from what it is to what it is to be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::sync::Arc;

use crate::{Field, Kind, Resource, Spec};

/// How a thing gets from what it is to what it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// What a thing loses on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// What is on disks that live and die with the machine.
    LocalDisks,
    /// An address that was not set aside for it.
    DynamicAddress,
    /// Its place on a host or in a group.
    Placement,
}

/// What a change takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// How it is made.
    pub means: Means,
    /// What is lost by it, besides the time that the means takes.
    pub loses: BTreeSet<Loss>,
}

impl Transition {
    /// By these means, and nothing is lost.
    #[must_use]
    pub const fn by(means: Means) -> Self {
        Self {
            means,
            loses: BTreeSet::new(),
        }
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
        let why = "the site was not asked how it changes things".to_owned();
        Transition::by(Means::Refused { why })
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
            own.chain([Field::Labels]).collect()
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

impl ChangeRules for LiveFields {
    fn change(&self, is: &Resource, _: &Spec<()>, fields: &BTreeSet<Field>) -> Transition {
        let live = fields.iter().all(|field| self.contains(is.kind(), *field));
        Transition::by(if live { Means::Live } else { Means::Recreate })
    }
}
