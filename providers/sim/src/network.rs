//! Networks, subnets, firewalls, public addresses.

use async_trait::async_trait;
use strat_model::{
    AddressSpec, FirewallSpec, Kind, NetworkSpec, Resource, ResourceId, Result, Spec, SubnetSpec,
};
use strat_provider::{Create, Network, Update};

use crate::provider::SimProvider;

#[async_trait]
impl Network for SimProvider {
    async fn create_network(&self, request: Create<'_, NetworkSpec>) -> Result<Resource> {
        self.create(
            "create_network",
            Spec::Network(request.spec.clone()),
            request,
        )
        .await
    }

    async fn update_network(&self, request: Update<'_, NetworkSpec>) -> Result<Resource> {
        self.update(
            "update_network",
            Spec::Network(request.spec.clone()),
            request,
        )
        .await
    }

    async fn delete_network(&self, id: &ResourceId) -> Result<()> {
        self.delete("delete_network", Kind::Network, id).await
    }

    async fn create_subnet(&self, request: Create<'_, SubnetSpec<ResourceId>>) -> Result<Resource> {
        self.create("create_subnet", Spec::Subnet(request.spec.clone()), request)
            .await
    }

    async fn update_subnet(&self, request: Update<'_, SubnetSpec<ResourceId>>) -> Result<Resource> {
        self.update("update_subnet", Spec::Subnet(request.spec.clone()), request)
            .await
    }

    async fn delete_subnet(&self, id: &ResourceId) -> Result<()> {
        self.delete("delete_subnet", Kind::Subnet, id).await
    }

    async fn create_firewall(
        &self,
        request: Create<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        self.create(
            "create_firewall",
            Spec::Firewall(request.spec.clone()),
            request,
        )
        .await
    }

    async fn update_firewall(
        &self,
        request: Update<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        self.update(
            "update_firewall",
            Spec::Firewall(request.spec.clone()),
            request,
        )
        .await
    }

    async fn delete_firewall(&self, id: &ResourceId) -> Result<()> {
        self.delete("delete_firewall", Kind::Firewall, id).await
    }

    async fn create_address(
        &self,
        request: Create<'_, AddressSpec<ResourceId>>,
    ) -> Result<Resource> {
        self.create(
            "create_address",
            Spec::Address(request.spec.clone()),
            request,
        )
        .await
    }

    async fn update_address(
        &self,
        request: Update<'_, AddressSpec<ResourceId>>,
    ) -> Result<Resource> {
        self.update(
            "update_address",
            Spec::Address(request.spec.clone()),
            request,
        )
        .await
    }

    async fn delete_address(&self, id: &ResourceId) -> Result<()> {
        self.delete("delete_address", Kind::Address, id).await
    }
}
