//! Seeing what is there.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{Addr, Kind, Owner, Resource, ResourceId, Result};

/// What a list is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// What carries a mark of this owner.
    Owner(Owner),
    /// Everything of the kind, marked or not.
    All,
}

/// What is looked for by what is known of it before it has an id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sought<'a> {
    /// The names that creates give.
    pub names: &'a [String],
    /// The addresses that marks carry.
    pub addrs: &'a [Addr],
}

impl Sought<'_> {
    /// How many names and addresses there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.names.len() + self.addrs.len()
    }

    /// Whether nothing is looked for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a thing is one that is looked for.
    #[must_use]
    pub fn fits(&self, thing: &Resource) -> bool {
        let addr = thing.mark.as_ref().map(|mark| &mark.addr);
        self.names.contains(&thing.name) || addr.is_some_and(|addr| self.addrs.contains(addr))
    }
}

/// Where the next page begins. Opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(pub String);

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What is on it.
    pub items: Vec<Resource>,
    /// Where the next begins; `None` on the last.
    pub next: Option<PageToken>,
}

/// Reads.
#[async_trait]
pub trait Observe: Debug + Send + Sync {
    /// One page of the things of one kind.
    ///
    /// # Behavior
    /// - One call to the cloud a page (or a constant more), never one a thing.
    /// - A kind that the provider does not have gives an empty page.
    /// - May lag behind writes by [`strat_model::Capabilities::consistency_window_ms`].
    /// - Shows what is going away as `Deleting`, and what is long gone not at all.
    ///
    /// # Errors
    /// `Forbidden`, `Unauthenticated`; else only what a repetition may mend.
    async fn list(&self, kind: Kind, filter: &Filter, page: Option<&PageToken>) -> Result<Page>;

    /// The things of these ids, fresh; those that are not there are left out.
    ///
    /// # Behavior
    /// - Takes at most [`strat_model::Capabilities::ids_per_call`] ids.
    /// - Sees a write as soon as it was answered: it never lags.
    /// - Shows what is going away as `Deleting` until it is gone.
    ///
    /// # Errors
    /// `Invalid` for more ids than a call takes; `Forbidden`, `Unauthenticated`; else only what a
    /// repetition may mend.
    async fn get(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>>;

    /// The things of one kind that have one of these names, or whose mark says one of these
    /// addresses: whosever they are, and whether or not anything else of the mark is left. Asked
    /// before a create, to see what stands there unmarked or foreign.
    ///
    /// # Behavior
    /// - Takes at most [`strat_model::Capabilities::ids_per_call`] names and addresses together.
    /// - A constant number of calls to the cloud, however many are looked for, wherever the cloud
    ///   can be asked by name or tag.
    /// - May lag as a list does. Each thing once, in no order.
    /// - What lost its name and its address tag is not found: nothing is left to find it by.
    ///
    /// # Errors
    /// Those of [`Observe::get`].
    async fn find(&self, kind: Kind, sought: Sought<'_>) -> Result<Vec<Resource>>;
}
