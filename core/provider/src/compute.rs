//! Machines and key pairs.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{Error, KeypairSpec, MachineSpec, Mark, Resource, ResourceId, Result, Token};

use crate::{Create, Update};

/// A create of some machines that differ in nothing but their names.
#[derive(Debug, Clone, Copy)]
pub struct CreateMachines<'a> {
    /// What each is to be.
    pub spec: &'a MachineSpec<ResourceId>,
    /// Their names, one a machine; at most [`strat_model::Capabilities::create_batch`].
    pub names: &'a [String],
    /// The mark of each.
    pub mark: &'a Mark,
    /// What makes a repetition harmless, for the whole batch.
    pub token: &'a Token,
}

/// What became of a batch.
#[derive(Debug)]
pub struct MachineBatch {
    /// The machines that were made; perhaps not all.
    pub created: Vec<Resource>,
    /// Why there are fewer than asked for, if there are.
    pub shortfall: Option<Error>,
}

/// How machines are switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Their operating systems are asked to shut down, as by their power buttons, and may take
    /// their time, or never do it.
    Ask,
    /// The power is cut: what was not written yet is lost.
    Cut,
}

/// Compute. What every method promises is said at the head of the crate.
#[async_trait]
pub trait Compute: Debug + Send + Sync {
    /// Makes machines.
    ///
    /// # Behavior
    /// - One call to the cloud wherever it makes many at once.
    /// - Partial fulfilment is `Ok` with a shortfall; nothing made at all is `Err`.
    /// - `Capacity` and `Quota` are never confused; `scope` says how far either reaches.
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch>;
    /// Changes a machine in place.
    async fn update_machine(
        &self,
        request: Update<'_, MachineSpec<ResourceId>>,
    ) -> Result<Resource>;
    /// Switches stopped machines on. Running ones stay as they are.
    async fn start_machines(&self, ids: &[ResourceId]) -> Result<()>;
    /// Switches running machines off; at most [`strat_model::Capabilities::delete_batch`]. They keep
    /// their disks, volumes and addresses of their own.
    ///
    /// # Behavior
    /// - `Ok` says that it was begun; a machine that is off is `Stopped`. Off already: `Ok`.
    /// - `Unsupported` for a machine that cannot be switched off, only deleted.
    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<()>;
    /// Deletes machines and their own disks; at most
    /// [`strat_model::Capabilities::delete_batch`]. Attached volumes are let go, not deleted.
    async fn delete_machines(&self, ids: &[ResourceId]) -> Result<()>;

    /// Makes a key pair of a public key.
    async fn create_keypair(&self, request: Create<'_, KeypairSpec>) -> Result<Resource>;
    /// Changes a key pair in place.
    async fn update_keypair(&self, request: Update<'_, KeypairSpec>) -> Result<Resource>;
    /// Deletes a key pair. Machines that were made with it keep the key.
    async fn delete_keypair(&self, id: &ResourceId) -> Result<()>;
}
