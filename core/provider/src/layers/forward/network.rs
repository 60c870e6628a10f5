//! Networks, subnets, firewalls, addresses.

use async_trait::async_trait;
use strat_model::{
    AddressSpec, FirewallSpec, Kind, NetworkSpec, Resource, ResourceId, Result, SubnetSpec,
};

use super::{Api, Layered};
use crate::{Create, Network, Update};

#[async_trait]
impl Network for Layered {
    async fn create_network(&self, request: Create<'_, NetworkSpec>) -> Result<Resource> {
        let call = self
            .write(Api::Network, "create_network", Kind::Network)
            .at(&request.mark.addr);
        self.forward(call, || self.inner.network().create_network(request))
            .await
    }

    async fn update_network(&self, request: Update<'_, NetworkSpec>) -> Result<Resource> {
        let call = self
            .write(Api::Network, "update_network", Kind::Network)
            .at(&request.mark.addr)
            .on(request.id);
        self.forward(call, || self.inner.network().update_network(request))
            .await
    }

    async fn delete_network(&self, id: &ResourceId) -> Result<()> {
        let call = self
            .write(Api::Network, "delete_network", Kind::Network)
            .on(id);
        self.forward(call, || self.inner.network().delete_network(id))
            .await
    }

    async fn create_subnet(&self, request: Create<'_, SubnetSpec<ResourceId>>) -> Result<Resource> {
        let call = self
            .write(Api::Network, "create_subnet", Kind::Subnet)
            .at(&request.mark.addr);
        self.forward(call, || self.inner.network().create_subnet(request))
            .await
    }

    async fn update_subnet(&self, request: Update<'_, SubnetSpec<ResourceId>>) -> Result<Resource> {
        let call = self
            .write(Api::Network, "update_subnet", Kind::Subnet)
            .at(&request.mark.addr)
            .on(request.id);
        self.forward(call, || self.inner.network().update_subnet(request))
            .await
    }

    async fn delete_subnet(&self, id: &ResourceId) -> Result<()> {
        let call = self
            .write(Api::Network, "delete_subnet", Kind::Subnet)
            .on(id);
        self.forward(call, || self.inner.network().delete_subnet(id))
            .await
    }

    async fn create_firewall(
        &self,
        request: Create<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        let call = self
            .write(Api::Network, "create_firewall", Kind::Firewall)
            .at(&request.mark.addr);
        self.forward(call, || self.inner.network().create_firewall(request))
            .await
    }

    async fn update_firewall(
        &self,
        request: Update<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        let call = self
            .write(Api::Network, "update_firewall", Kind::Firewall)
            .at(&request.mark.addr)
            .on(request.id);
        self.forward(call, || self.inner.network().update_firewall(request))
            .await
    }

    async fn delete_firewall(&self, id: &ResourceId) -> Result<()> {
        let call = self
            .write(Api::Network, "delete_firewall", Kind::Firewall)
            .on(id);
        self.forward(call, || self.inner.network().delete_firewall(id))
            .await
    }

    async fn create_address(
        &self,
        request: Create<'_, AddressSpec<ResourceId>>,
    ) -> Result<Resource> {
        let call = self
            .write(Api::Network, "create_address", Kind::Address)
            .at(&request.mark.addr);
        self.forward(call, || self.inner.network().create_address(request))
            .await
    }

    async fn update_address(
        &self,
        request: Update<'_, AddressSpec<ResourceId>>,
    ) -> Result<Resource> {
        let call = self
            .write(Api::Network, "update_address", Kind::Address)
            .at(&request.mark.addr)
            .on(request.id);
        self.forward(call, || self.inner.network().update_address(request))
            .await
    }

    async fn delete_address(&self, id: &ResourceId) -> Result<()> {
        let call = self
            .write(Api::Network, "delete_address", Kind::Address)
            .on(id);
        self.forward(call, || self.inner.network().delete_address(id))
            .await
    }
}
