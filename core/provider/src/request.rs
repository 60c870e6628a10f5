//! What creates and updates are given.

use std::collections::BTreeSet;

use strat_model::{Field, Mark, ResourceId, Token};

/// A create of one thing.
#[derive(Debug)]
pub struct Create<'a, S> {
    /// What it is to be.
    pub spec: &'a S,
    /// Its name: deterministic, 1 to 63 characters of `[a-z0-9-]`, a letter first.
    pub name: &'a str,
    /// Its mark.
    pub mark: &'a Mark,
    /// What makes a repetition harmless.
    pub token: &'a Token,
}

/// An update of one thing.
#[derive(Debug)]
pub struct Update<'a, S> {
    /// Which thing.
    pub id: &'a ResourceId,
    /// What it is to be, whole.
    pub spec: &'a S,
    /// Which fields differ from what it is; all are in [`strat_model::Capabilities::in_place`].
    /// Empty: only the mark is written, which is also how a thing is adopted.
    pub fields: &'a BTreeSet<Field>,
    /// Its new mark.
    pub mark: &'a Mark,
}

// Not derived: a derive would ask for `S: Copy`, and only references to specs are copied here.
impl<S> Copy for Create<'_, S> {}
impl<S> Clone for Create<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Update<'_, S> {}
impl<S> Clone for Update<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
