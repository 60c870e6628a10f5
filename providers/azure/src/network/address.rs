//! Public addresses: static ones of the region.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use strat_model::{
    AddressSpec, Attributes, ErrorKind, Field, Kind, Resource, ResourceId, Result, Spec,
};
use strat_provider::{Create, Stamp, Update};

use crate::arm::Call;
use crate::error::{gone, if_there, refuse};
use crate::names::{PIP, Place};
use crate::provider::{AzureProvider, Seen, state};
use crate::tags::{self, ADDRESS_OF, MADE, Tags};
use crate::wire::{Pip, Thing};

const READ: &str = "Microsoft.Network/publicIPAddresses/read";
const WRITE: &str = "Microsoft.Network/publicIPAddresses/write";
const DELETE: &str = "Microsoft.Network/publicIPAddresses/delete";

impl AzureProvider {
    /// The body of a new address.
    fn new_pip(&self, tags: &Tags) -> Value {
        json!({
            "location": self.settings.region,
            "sku": { "name": "Standard" },
            "tags": tags,
            "properties": {
                "publicIPAddressVersion": "IPv4",
                "publicIPAllocationMethod": "Static",
            },
        })
    }

    pub(crate) async fn make_address(
        &self,
        request: Create<'_, AddressSpec<ResourceId>>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        let labels = &request.spec.labels;
        let (at, tags) = self
            .ground(request.name, request.mark, labels, stamp)
            .await?;
        let put = Call::new(WRITE, Method::PUT, self.path(PIP, &at), PIP.version);
        let put = put.carrying(self.new_pip(&tags));
        self.make((Kind::Address, &at.id()), request.mark, stamp, &put)
            .await
    }

    pub(crate) async fn change_address(
        &self,
        request: Update<'_, AddressSpec<ResourceId>>,
    ) -> Result<Resource> {
        let missing = || gone(Kind::Address, request.id);
        let at = Place::of_id(request.id).ok_or_else(missing)?;
        let pip = self.read_pip(&at).await?.ok_or_else(missing)?;
        if request.fields.contains(&Field::Attach) {
            self.lead(&at, &pip, request.spec.attach.as_ref()).await?;
        }
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        self.retag((PIP, &at), &pip.tags, request.mark, labels)
            .await?;
        let seen = self.get_address(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    /// Leads an address to a machine, and to no other any more. A machine has one way from the world:
    /// an address of its own is given back, and with `public_ips` it gets one again when this leaves.
    async fn lead(&self, at: &Place, pip: &Thing<Pip>, machine: Option<&ResourceId>) -> Result<()> {
        let now = nic_of(pip);
        let wanted = match machine {
            Some(machine) => Some(self.nic_of_machine(machine).await?),
            None => None,
        };
        if let Some(other) = now.filter(|nic| Some(nic) != wanted.as_ref()) {
            let owner = self.machine_of_nic(&other).await?;
            let own = match &owner {
                Some(machine) if self.settings.public_ips => Some(self.own_pip(machine).await?),
                _ => None,
            };
            let left = self.set_public_ip(&other, own.as_ref()).await;
            // A machine that goes meanwhile lets go of it, too, and needs none of its own any more.
            if if_there(left)?.is_none()
                && let Some(own) = &own
            {
                self.end(DELETE, PIP, own).await?;
            }
        }
        if let (Some(nic), Some(machine)) = (&wanted, machine) {
            self.set_public_ip(nic, Some(at)).await?;
            self.drop_own_pips(machine).await?;
        }
        Ok(())
    }

    /// An address that lives and dies with a machine, made where it is not there.
    async fn own_pip(&self, machine: &ResourceId) -> Result<Place> {
        let machine = Place::of_id(machine).ok_or_else(|| gone(Kind::Machine, machine))?;
        let at = Place::new(&machine.group, &format!("{}_ip", machine.name));
        let mut tags = Tags::new();
        tags::set(&mut tags, ADDRESS_OF, machine.id().as_str());
        let mut body = self.new_pip(&tags);
        body["properties"]["deleteOption"] = json!("Delete");
        let put = Call::new(WRITE, Method::PUT, self.path(PIP, &at), PIP.version).carrying(body);
        self.done(&put).await?;
        Ok(at)
    }

    /// Gives the addresses back that a machine had of its own and does not use.
    async fn drop_own_pips(&self, machine: &ResourceId) -> Result<()> {
        for pip in self.list_pips().await? {
            let of = tags::get(&pip.tags, ADDRESS_OF);
            let is_idle = pip.properties.ip_configuration.is_none();
            if of.as_deref() == Some(machine.as_str())
                && is_idle
                && let Some(at) = Place::of_path(&pip.id)
            {
                self.end(DELETE, PIP, &at).await?;
            }
        }
        Ok(())
    }

    /// An address that leads to a machine is let go before.
    pub(crate) async fn end_address(&self, id: &ResourceId) -> Result<()> {
        let Some(at) = Place::of_id(id) else {
            return Ok(());
        };
        let Some(pip) = self.read_pip(&at).await? else {
            return Ok(());
        };
        if pip.properties.ip_configuration.is_some() {
            if nic_of(&pip).is_none() {
                let message = format!("the address {id} is used by what is no machine");
                return Err(refuse(ErrorKind::Conflict, message));
            }
            self.lead(&at, &pip, None).await?;
        }
        self.end(DELETE, PIP, &at).await
    }

    async fn read_pip(&self, at: &Place) -> Result<Option<Thing<Pip>>> {
        let call = Call::new(READ, Method::GET, self.path(PIP, at), PIP.version);
        self.find_one(&call).await
    }

    pub(crate) async fn list_pips(&self) -> Result<Vec<Thing<Pip>>> {
        let call = Call::new(READ, Method::GET, self.all_of(PIP), PIP.version);
        let mut all: Vec<Thing<Pip>> = self.list_of(&call).await?;
        all.retain(|one| self.is_here(&one.location));
        Ok(all)
    }

    /// The address of an interface, as text.
    pub(crate) async fn ip_of(&self, at: &Place) -> Result<Option<String>> {
        let pip = self.read_pip(at).await?;
        Ok(pip.and_then(|pip| pip.properties.ip_address))
    }

    pub(crate) async fn get_address(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let Some(at) = Place::of_id(id) else {
            return Ok(None);
        };
        let Some(pip) = self.read_pip(&at).await? else {
            return Ok(None);
        };
        let machine = match nic_of(&pip) {
            Some(nic) => self.machine_of_nic(&nic).await?,
            None => None,
        };
        Ok(self.report_address(&pip, machine))
    }

    /// The addresses, and the interfaces that say whose machines they lead to. Those that live and die
    /// with a machine are parts of that.
    pub(crate) async fn scan_addresses(&self) -> Result<Vec<Seen>> {
        let all = self.list_pips().await?;
        let leads = |pip: &Thing<Pip>| pip.properties.ip_configuration.is_some();
        let machines: BTreeMap<Place, ResourceId> = match all.iter().any(leads) {
            true => self.machines_by_nic().await?,
            false => BTreeMap::new(),
        };
        let own = |pip: &&Thing<Pip>| tags::get(&pip.tags, ADDRESS_OF).is_none();
        let report = |pip: &Thing<Pip>| {
            let machine = nic_of(pip).and_then(|nic| machines.get(&nic).cloned());
            self.report_address(pip, machine)
        };
        Ok(all.iter().filter(own).filter_map(report).collect())
    }

    fn report_address(&self, pip: &Thing<Pip>, machine: Option<ResourceId>) -> Option<Seen> {
        let id = Place::of_path(&pip.id)?.id();
        let mark = tags::mark(&pip.tags);
        let ip = pip
            .properties
            .ip_address
            .clone()
            .map(|ip| ("ip".to_owned(), ip));
        Some(Seen {
            made: tags::get(&pip.tags, MADE),
            resource: Resource {
                witness: tags::witness(&pip.tags, mark.as_ref(), &id, &self.self_of(&id)),
                id,
                name: pip.name.clone(),
                mark,
                state: state(pip.properties.provisioning_state.as_deref()),
                spec: Spec::Address(AddressSpec {
                    attach: machine,
                    labels: tags::labels(&pip.tags),
                }),
                attributes: ip.into_iter().collect::<Attributes>(),
                created: None,
            },
        })
    }
}

/// The interface that an address is on.
fn nic_of(pip: &Thing<Pip>) -> Option<Place> {
    let path = &pip.properties.ip_configuration.as_ref()?.id;
    let is_nic = path.to_ascii_lowercase().contains("/networkinterfaces/");
    is_nic.then(|| Place::of_path(path)).flatten()
}
