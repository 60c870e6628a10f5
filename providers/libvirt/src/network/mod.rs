//! Networks, subnets, firewalls.
//!
//! - A **network** is a definition that never runs: it carries the mark and the range. It is
//!   called `<name>.network`.
//! - A **subnet** is a libvirt network of its own, with a bridge, a router address, DHCP and name
//!   service, on every host of the site. libvirt can neither add a range to a running network nor
//!   serve DHCP for two ranges of one, and a restart would unplug every machine; so a subnet is
//!   what runs.
//! - A **firewall** is a filter (`nwfilter`) on every host, called `<name>.firewall`, and each
//!   machine has one of its own, `<name>.machine`, that refers to those it carries.

mod define;
mod filter;
mod firewalls;
mod leftover;
mod nets;
mod start;
mod subnets;

use async_trait::async_trait;
use strat_model::{
    AddressSpec, FirewallSpec, Kind, NetworkSpec, Resource, ResourceId, Result, SubnetSpec,
};
use strat_provider::{Create, Network, Update};

pub(crate) use define::{Net, NetBody};
pub(crate) use filter::machine_filter;
pub(crate) use subnets::{free_address, subnet_body};

use crate::provider::{LibvirtProvider, OwnedCreate, OwnedUpdate};
use crate::site::no_such_kind;

#[async_trait]
impl Network for LibvirtProvider {
    async fn create_network(&self, request: Create<'_, NetworkSpec>) -> Result<Resource> {
        let request = OwnedCreate::of(request);
        self.run("create_network", move |site| site.create_network(&request))
            .await
    }

    async fn update_network(&self, request: Update<'_, NetworkSpec>) -> Result<Resource> {
        let request = OwnedUpdate::of(request);
        self.run("update_network", move |site| site.update_network(&request))
            .await
    }

    async fn delete_network(&self, id: &ResourceId) -> Result<()> {
        let id = id.clone();
        self.run("delete_network", move |site| site.delete_network(&id))
            .await
    }

    async fn create_subnet(&self, request: Create<'_, SubnetSpec<ResourceId>>) -> Result<Resource> {
        let request = OwnedCreate::of(request);
        self.run("create_subnet", move |site| site.create_subnet(&request))
            .await
    }

    async fn update_subnet(&self, request: Update<'_, SubnetSpec<ResourceId>>) -> Result<Resource> {
        let request = OwnedUpdate::of(request);
        self.run("update_subnet", move |site| site.update_subnet(&request))
            .await
    }

    async fn delete_subnet(&self, id: &ResourceId) -> Result<()> {
        let id = id.clone();
        self.run("delete_subnet", move |site| site.delete_subnet(&id))
            .await
    }

    async fn create_firewall(
        &self,
        request: Create<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        let request = OwnedCreate::of(request);
        self.run("create_firewall", move |site| {
            site.create_firewall(&request)
        })
        .await
    }

    async fn update_firewall(
        &self,
        request: Update<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        let request = OwnedUpdate::of(request);
        self.run("update_firewall", move |site| {
            site.update_firewall(&request)
        })
        .await
    }

    async fn delete_firewall(&self, id: &ResourceId) -> Result<()> {
        let id = id.clone();
        self.run("delete_firewall", move |site| site.delete_firewall(&id))
            .await
    }

    async fn create_address(&self, _: Create<'_, AddressSpec<ResourceId>>) -> Result<Resource> {
        Err(no_such_kind(Kind::Address))
    }

    async fn update_address(&self, _: Update<'_, AddressSpec<ResourceId>>) -> Result<Resource> {
        Err(no_such_kind(Kind::Address))
    }

    async fn delete_address(&self, _: &ResourceId) -> Result<()> {
        Ok(())
    }
}
