//! Volumes on machines.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{ResourceId, Result};

/// Attaches volumes to machines. Who has both kinds has this.
#[async_trait]
pub trait Attachment: Debug + Send + Sync {
    /// Attaches a volume to a machine of its zone.
    ///
    /// # Behavior
    /// - Attached to that machine already: `Ok`.
    ///
    /// # Errors
    /// - `Conflict`: it is attached to another machine.
    /// - `NotFound`: the volume or the machine is not there.
    /// - `Invalid`: they are in different zones.
    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()>;

    /// Detaches a volume from whatever machine it is attached to.
    ///
    /// # Behavior
    /// - Detached already: `Ok`.
    ///
    /// # Errors
    /// - `NotFound`: the volume is not there.
    /// - `Conflict`: something else changes it now.
    async fn detach_volume(&self, id: &ResourceId) -> Result<()>;
}
