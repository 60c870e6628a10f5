//! Seeing what is there.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{Kind, Owner, Resource, ResourceId, Result};

/// What a list is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// What carries a mark of this owner.
    Owner(Owner),
    /// Everything of the kind, marked or not.
    All,
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
    async fn list(&self, kind: Kind, filter: &Filter, page: Option<&PageToken>) -> Result<Page>;

    /// The things of these ids, fresh; those that are not there are left out.
    ///
    /// # Behavior
    /// - Takes at most [`strat_model::Capabilities::delete_batch`] ids.
    /// - Sees a write as soon as it was answered: it never lags.
    /// - Shows what is going away as `Deleting` until it is gone.
    async fn get(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>>;
}
