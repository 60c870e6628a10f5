//! Networks, subnets, firewalls, public addresses.

mod address;
mod firewall;
mod rules;
mod subnet;
mod vpc;

use async_trait::async_trait;
use strat_model::{
    AddressSpec, FirewallSpec, NetworkSpec, Resource, ResourceId, Result, SubnetSpec,
};
use strat_provider::{Create, Network, Update};

use crate::provider::AwsProvider;

#[async_trait]
impl Network for AwsProvider {
    async fn create_network(&self, request: Create<'_, NetworkSpec>) -> Result<Resource> {
        self.make_vpc(request).await
    }

    async fn update_network(&self, request: Update<'_, NetworkSpec>) -> Result<Resource> {
        self.change_vpc(request).await
    }

    async fn delete_network(&self, id: &ResourceId) -> Result<()> {
        self.end_vpc(id).await
    }

    async fn create_subnet(&self, request: Create<'_, SubnetSpec<ResourceId>>) -> Result<Resource> {
        self.make_subnet(request).await
    }

    async fn update_subnet(&self, request: Update<'_, SubnetSpec<ResourceId>>) -> Result<Resource> {
        self.change_subnet(request).await
    }

    async fn delete_subnet(&self, id: &ResourceId) -> Result<()> {
        self.end_subnet(id).await
    }

    async fn create_firewall(
        &self,
        request: Create<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        self.make_firewall(request).await
    }

    async fn update_firewall(
        &self,
        request: Update<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        self.change_firewall(request).await
    }

    async fn delete_firewall(&self, id: &ResourceId) -> Result<()> {
        self.end_firewall(id).await
    }

    async fn create_address(
        &self,
        request: Create<'_, AddressSpec<ResourceId>>,
    ) -> Result<Resource> {
        self.make_address(request).await
    }

    async fn update_address(
        &self,
        request: Update<'_, AddressSpec<ResourceId>>,
    ) -> Result<Resource> {
        self.change_address(request).await
    }

    async fn delete_address(&self, id: &ResourceId) -> Result<()> {
        self.end_address(id).await
    }
}
