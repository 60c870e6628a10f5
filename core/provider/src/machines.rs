//! Machines in batches, and their power.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{Error, ErrorKind, MachineSpec, Mark, Resource, ResourceId, Result, Token};

use crate::{Create, Outcome};

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

impl<'a> CreateMachines<'a> {
    /// A batch of one: `name` is the request's name.
    #[must_use]
    pub const fn one(request: Create<'a, MachineSpec<ResourceId>>, name: &'a [String; 1]) -> Self {
        Self {
            spec: request.spec,
            names: name,
            mark: request.mark,
            token: request.token,
        }
    }
}

/// What became of a batch.
#[derive(Debug)]
pub struct MachineBatch {
    /// The machines that were made; perhaps not all.
    pub created: Vec<Resource>,
    /// Why there are fewer than asked for, if there are.
    pub shortfall: Option<Error>,
}

impl MachineBatch {
    /// The machine of a batch of one.
    ///
    /// # Errors
    /// Why it was not made.
    pub fn into_one(self) -> Result<Resource> {
        match (self.created.into_iter().next(), self.shortfall) {
            (Some(machine), _) => Ok(machine),
            (None, Some(why)) => Err(why),
            (None, None) => Err(Error::new(
                ErrorKind::Internal,
                "a batch came back empty and gave no reason",
            )),
        }
    }
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

/// What a provider does with many machines at once. Where it has none of this, machines are made
/// one by one, and none is ever stopped.
#[async_trait]
pub trait Machines: Debug + Send + Sync {
    /// Makes machines.
    ///
    /// # Behavior
    /// - One call to the cloud wherever it makes many at once.
    /// - Partial fulfilment is `Ok` with a shortfall; nothing made at all is `Err`.
    /// - Repeated with the same token and spec it makes no machine twice.
    ///
    /// # Errors
    /// Those of [`Writes::create`](crate::Writes::create). `Capacity` and `Quota` are never
    /// confused; the scope says how far either reaches.
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch>;

    /// Switches stopped machines on; at most
    /// [`Capabilities::ids_per_call`](strat_model::Capabilities::ids_per_call).
    ///
    /// # Behavior
    /// - Gives one outcome for each id, in their order. One that fails does not keep the others
    ///   from being started.
    /// - Running ones stay as they are.
    ///
    /// # Errors
    /// Of one machine:
    /// - `NotFound`: it is not there.
    /// - `Capacity`: there is no room to start it now.
    async fn start_machines(&self, ids: &[ResourceId]) -> Result<Vec<Outcome>>;

    /// Switches running machines off; at most
    /// [`Capabilities::ids_per_call`](strat_model::Capabilities::ids_per_call). They keep their disks,
    /// volumes and addresses of their own.
    ///
    /// # Behavior
    /// - Gives one outcome for each id, in their order. One that fails does not keep the others
    ///   from being stopped.
    /// - `Ok` says that it was begun; a machine that is off is `Stopped`. Off already: `Ok`.
    ///
    /// # Errors
    /// Of one machine:
    /// - `NotFound`: it is not there.
    /// - `Unsupported`: it cannot be switched off, only deleted.
    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<Vec<Outcome>>;
}
