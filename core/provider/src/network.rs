//! Networks, subnets, firewalls, public addresses.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{
    AddressSpec, FirewallSpec, NetworkSpec, Resource, ResourceId, Result, SubnetSpec,
};

use crate::{Create, Update};

/// Networking. What every method promises is said at the head of the crate.
#[async_trait]
pub trait Network: Debug + Send + Sync {
    /// Makes a network, with its way to the internet.
    async fn create_network(&self, request: Create<'_, NetworkSpec>) -> Result<Resource>;
    /// Changes a network in place.
    async fn update_network(&self, request: Update<'_, NetworkSpec>) -> Result<Resource>;
    /// Deletes a network. `Conflict` while anything is in it.
    async fn delete_network(&self, id: &ResourceId) -> Result<()>;

    /// Makes a subnet.
    async fn create_subnet(&self, request: Create<'_, SubnetSpec<ResourceId>>) -> Result<Resource>;
    /// Changes a subnet in place.
    async fn update_subnet(&self, request: Update<'_, SubnetSpec<ResourceId>>) -> Result<Resource>;
    /// Deletes a subnet. `Conflict` while a machine is in it.
    async fn delete_subnet(&self, id: &ResourceId) -> Result<()>;

    /// Makes a firewall with its rules. A rule may name this or other firewalls of the network.
    async fn create_firewall(
        &self,
        request: Create<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource>;
    /// Changes a firewall in place; of its rules, only those that differ.
    async fn update_firewall(
        &self,
        request: Update<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource>;
    /// Deletes a firewall. `Conflict` while a machine carries it or a rule names it.
    async fn delete_firewall(&self, id: &ResourceId) -> Result<()>;

    /// Takes a public address, unattached whatever the spec says: attaching is an update.
    async fn create_address(
        &self,
        request: Create<'_, AddressSpec<ResourceId>>,
    ) -> Result<Resource>;
    /// Changes an address in place. With `Field::Attach` it leads to the machine named, and to no
    /// other any more.
    async fn update_address(
        &self,
        request: Update<'_, AddressSpec<ResourceId>>,
    ) -> Result<Resource>;
    /// Gives a public address back, attached or not.
    async fn delete_address(&self, id: &ResourceId) -> Result<()>;
}
