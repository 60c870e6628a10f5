//! What is in buckets.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{ResourceId, Result};

/// What a call took out of a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Emptied {
    /// How many objects, older versions and unfinished uploads.
    pub removed: u64,
    /// Whether there may be more in it.
    pub left: bool,
}

/// Takes out what is in buckets. Who can delete a bucket only while it is empty has this.
#[async_trait]
pub trait Contents: Debug + Send + Sync {
    /// Deletes some of what is in a bucket for good: objects, older versions, unfinished uploads.
    ///
    /// # Behavior
    /// - As much as the cloud takes in one call, a thousand or so; again until nothing is left.
    /// - Of a bucket that is not there, nothing is left.
    ///
    /// # Errors
    /// - `Conflict`: an object cannot be deleted, such as one that is locked until a date.
    /// - `Forbidden`: the identity may not.
    async fn empty_bucket(&self, id: &ResourceId) -> Result<Emptied>;
}
