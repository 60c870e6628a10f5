//! Networks: virtual networks of the region.

use reqwest::Method;
use serde_json::json;
use strat_model::{
    Attributes, ErrorKind, Field, Kind, NetworkSpec, Resource, ResourceId, Result, Spec,
};
use strat_provider::{Create, Stamp, Update};

use crate::arm::Call;
use crate::error::{gone, refuse};
use crate::names::{Place, VNET};
use crate::provider::{AzureProvider, Seen, state};
use crate::tags::{self, MADE};
use crate::wire::{Thing, Vnet};

const READ: &str = "Microsoft.Network/virtualNetworks/read";
const WRITE: &str = "Microsoft.Network/virtualNetworks/write";
const DELETE: &str = "Microsoft.Network/virtualNetworks/delete";

impl AzureProvider {
    pub(crate) async fn make_network(
        &self,
        request: Create<'_, NetworkSpec>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        let spec = request.spec;
        let ground = self.ground(request.name, request.mark, &spec.labels, stamp);
        let (at, tags) = ground.await?;
        let body = json!({
            "location": self.settings.region,
            "tags": tags,
            "properties": { "addressSpace": { "addressPrefixes": [spec.cidr.to_string()] } },
        });
        let put = Call::new(WRITE, Method::PUT, self.path(VNET, &at), VNET.version).carrying(body);
        self.make((Kind::Network, &at.id()), request.mark, stamp, &put)
            .await
    }

    pub(crate) async fn change_network(
        &self,
        request: Update<'_, NetworkSpec>,
    ) -> Result<Resource> {
        let missing = || gone(Kind::Network, request.id);
        let at = Place::of_id(request.id).ok_or_else(missing)?;
        let _turn = self.turns.at(&at.id().to_string()).await;
        let vnet = self.read_vnet(&at).await?.ok_or_else(missing)?;
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        self.retag((VNET, &at), &vnet.tags, request.mark, labels)
            .await?;
        let seen = self.get_network(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    /// Azure deletes a network with its subnets where no machine is in them: this looks first. Its
    /// security group goes before it, so that none is left behind.
    pub(crate) async fn end_network(&self, id: &ResourceId) -> Result<()> {
        let Some(at) = Place::of_id(id) else {
            return Ok(());
        };
        let _turn = self.turns.at(&id.to_string()).await;
        let Some(vnet) = self.read_vnet(&at).await? else {
            return Ok(());
        };
        if let Some(subnet) = vnet.properties.subnets.first() {
            let message = format!("the subnet {} is in the network {id}", subnet.name);
            return Err(refuse(ErrorKind::Conflict, message));
        }
        self.end_rules(&at).await?;
        self.end(DELETE, VNET, &at).await
    }

    pub(crate) async fn read_vnet(&self, at: &Place) -> Result<Option<Thing<Vnet>>> {
        let call = Call::new(READ, Method::GET, self.path(VNET, at), VNET.version);
        self.find_one(&call).await
    }

    pub(crate) async fn list_vnets(&self) -> Result<Vec<Thing<Vnet>>> {
        let call = Call::new(READ, Method::GET, self.all_of(VNET), VNET.version);
        let mut all: Vec<Thing<Vnet>> = self.list_of(&call).await?;
        all.retain(|one| self.is_here(&one.location));
        Ok(all)
    }

    pub(crate) async fn get_network(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let Some(at) = Place::of_id(id) else {
            return Ok(None);
        };
        let vnet = self.read_vnet(&at).await?;
        Ok(vnet.and_then(|vnet| self.report_network(&vnet)))
    }

    pub(crate) async fn scan_networks(&self) -> Result<Vec<Seen>> {
        let all = self.list_vnets().await?;
        Ok(all
            .iter()
            .filter_map(|vnet| self.report_network(vnet))
            .collect())
    }

    fn report_network(&self, vnet: &Thing<Vnet>) -> Option<Seen> {
        let id = Place::of_path(&vnet.id)?.id();
        let mark = tags::mark(&vnet.tags);
        // A network of several ranges is none that was made here: the first stands for it.
        let range = vnet.properties.address_space.address_prefixes.first();
        Some(Seen {
            made: tags::get(&vnet.tags, MADE),
            resource: Resource {
                witness: tags::witness(&vnet.tags, mark.as_ref(), &id, &self.self_of(&id)),
                id,
                name: vnet.name.clone(),
                mark,
                state: state(vnet.properties.provisioning_state.as_deref()),
                spec: Spec::Network(NetworkSpec {
                    cidr: range.and_then(|text| text.parse().ok()).unwrap_or_default(),
                    labels: tags::labels(&vnet.tags),
                }),
                attributes: Attributes::new(),
                created: None,
            },
        })
    }
}
