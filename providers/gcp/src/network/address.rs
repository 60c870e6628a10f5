//! Public addresses: static external IPv4 addresses of the region.

use std::collections::BTreeSet;

use google_cloud_compute_v1::model::address::{AddressType, Status};
use google_cloud_compute_v1::model::{
    AccessConfig, Address, Instance, RegionSetLabelsRequest, access_config,
};
use strat_model::{
    AddressSpec, Attributes, Digest, ErrorKind, Field, Kind, Resource, ResourceId, ResourceState,
    Result, Spec, Witness,
};
use strat_provider::{Create, Update};

use super::vpc::created;
use crate::error::{failed, gone, if_there, lacking, refuse};
use crate::labels::{self, MADE, NAME, SELF};
use crate::names::{Zonal, google_name};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::operations::Stamp;
use crate::provider::{GcpProvider, Seen};

/// What the way from the world to a machine is called.
///
/// <https://cloud.google.com/compute/docs/reference/rest/v1/instances/addAccessConfig>
pub(crate) const NAT: &str = "external-nat";

/// A digest of where and under which name a thing was made: what a copy with the same labels has
/// otherwise.
pub(crate) fn self_of(place: &str, name: &str) -> String {
    Digest::of_parts(["self", place, name]).short().to_owned()
}

/// Whether a thing is where, and called as, its labels say that it was made.
pub(crate) fn witness_of(
    mark: Option<&strat_model::Mark>,
    id: &ResourceId,
    made_as: Option<&str>,
    is: &str,
) -> Witness {
    Witness::judge(mark, id, |_| match made_as {
        Some(made_as) if made_as == is => Witness::Held,
        Some(_) => Witness::Refuted {
            why: "its mark was written for another name or zone".to_owned(),
        },
        None => Witness::Lacking,
    })
}

impl GcpProvider {
    pub(crate) async fn make_address(
        &self,
        request: Create<'_, AddressSpec<ResourceId>>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        const ACTION: &str = "compute.addresses.create";
        let name = google_name(request.name);
        let mut all = labels::of_new(request.mark, &request.spec.labels);
        labels::set(&mut all, MADE, &stamp.text());
        labels::set(&mut all, SELF, &self_of(&self.settings.region, &name));
        if name != request.name {
            labels::set(&mut all, NAME, request.name);
        }
        labels::check(&all)?;
        let body = Address::new()
            .set_name(&name)
            .set_labels(all)
            .set_address_type(AddressType::External);
        let insert = |id: String| {
            let call = self
                .access
                .addresses
                .insert()
                .set_project(&self.settings.project);
            let call = call
                .set_region(&self.settings.region)
                .set_request_id(id)
                .set_body(body.clone());
            async move { call.send().await.map_err(failed(ACTION)) }
        };
        let id = ResourceId::from(name.as_str());
        self.make((ACTION, stamp), (Kind::Address, &id), request.mark, insert)
            .await
    }

    pub(crate) async fn change_address(
        &self,
        request: Update<'_, AddressSpec<ResourceId>>,
    ) -> Result<Resource> {
        let missing = || gone(Kind::Address, request.id);
        let address = self.read_address(request.id).await?.ok_or_else(missing)?;
        if request.fields.contains(&Field::Attach) {
            self.lead(&address, request.spec.attach.as_ref()).await?;
        }
        let before = labels::raw(&address.labels);
        let wanted = request
            .fields
            .contains(&Field::Labels)
            .then_some(&request.spec.labels);
        let after = labels::changed(&before, request.mark, wanted)?;
        if after != before {
            const ACTION: &str = "compute.addresses.setLabels";
            let print = address.label_fingerprint.clone();
            let print = print.ok_or_else(|| lacking(ACTION, "fingerprint of labels"))?;
            let body = RegionSetLabelsRequest::new()
                .set_labels(after)
                .set_label_fingerprint(print);
            let call = self
                .access
                .addresses
                .set_labels()
                .set_project(&self.settings.project);
            let call = call
                .set_region(&self.settings.region)
                .set_resource(request.id.as_str());
            let operation = call.set_body(body).send().await.map_err(failed(ACTION))?;
            self.settle(ACTION, operation).await?;
        }
        let seen = self.get_address(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    /// Leads an address to a machine, and to no other any more.
    async fn lead(&self, address: &Address, machine: Option<&ResourceId>) -> Result<()> {
        let ip = address.address.as_deref().unwrap_or_default();
        let now: BTreeSet<Zonal> = users(address).collect();
        let wanted = match machine {
            None => None,
            Some(id) => Some(Zonal::of_id(id).ok_or_else(|| gone(Kind::Machine, id))?),
        };
        for other in now.iter().filter(|one| Some(*one) != wanted.as_ref()) {
            // A machine that goes meanwhile lets go of it, too.
            if_there(self.leave(other, ip).await)?;
        }
        let Some(wanted) = wanted else {
            return Ok(());
        };
        let instance = self.read_instance(&wanted).await?;
        let instance = instance.ok_or_else(|| gone(Kind::Machine, &wanted.id()))?;
        if public_ip(&instance) == Some(ip) {
            return Ok(());
        }
        self.close(&wanted, &instance, None).await?;
        self.open(&wanted, Some(ip)).await
    }

    /// Leads an address to this machine no more.
    async fn leave(&self, at: &Zonal, ip: &str) -> Result<()> {
        let Some(instance) = self.read_instance(at).await? else {
            return Ok(());
        };
        self.close(at, &instance, Some(ip)).await?;
        match self.settings.public_ips {
            true => self.open(at, None).await,
            false => Ok(()),
        }
    }

    /// Takes the way from the world off a machine, where it has one: this one, or any.
    async fn close(&self, at: &Zonal, instance: &Instance, ip: Option<&str>) -> Result<()> {
        const ACTION: &str = "compute.instances.deleteAccessConfig";
        let _turn = self.turns.at(at).await;
        let Some(interface) = instance.network_interfaces.first() else {
            return Ok(());
        };
        let mut ways = interface.access_configs.iter();
        let way = ways.find(|way| ip.is_none() || way.nat_ip.as_deref() == ip);
        let Some(way) = way else {
            return Ok(());
        };
        let call = self.access.instances.delete_access_config();
        let call = call
            .set_project(&self.settings.project)
            .set_zone(&at.zone)
            .set_instance(&at.name)
            .set_network_interface(interface.name.as_deref().unwrap_or("nic0"))
            .set_access_config(way.name.as_deref().unwrap_or(NAT));
        let operation = call.send().await.map_err(failed(ACTION))?;
        self.settle(ACTION, operation).await.map(|_| ())
    }

    /// Opens a way from the world to a machine, by this address or by one that Google picks.
    async fn open(&self, at: &Zonal, ip: Option<&str>) -> Result<()> {
        const ACTION: &str = "compute.instances.addAccessConfig";
        let _turn = self.turns.at(at).await;
        let way = AccessConfig::new()
            .set_name(NAT)
            .set_type(access_config::Type::OneToOneNat)
            .set_or_clear_nat_ip(ip);
        let call = self.access.instances.add_access_config();
        let call = call
            .set_project(&self.settings.project)
            .set_zone(&at.zone)
            .set_instance(&at.name)
            .set_network_interface("nic0")
            .set_body(way);
        let operation = call.send().await.map_err(failed(ACTION))?;
        self.settle(ACTION, operation).await.map(|_| ())
    }

    /// An address that leads to a machine is let go before.
    pub(crate) async fn end_address(&self, id: &ResourceId) -> Result<()> {
        const ACTION: &str = "compute.addresses.delete";
        let Some(address) = self.read_address(id).await? else {
            return Ok(());
        };
        if !address.users.is_empty() {
            if users(&address).next().is_none() {
                let message = format!("the address {id} is used by what is no machine");
                return Err(refuse(ErrorKind::Conflict, message));
            }
            self.lead(&address, None).await?;
        }
        let call = self
            .access
            .addresses
            .delete()
            .set_project(&self.settings.project);
        let call = call
            .set_region(&self.settings.region)
            .set_address(id.as_str());
        let ended = match call.send().await.map_err(failed(ACTION)) {
            Ok(operation) => self.settle(ACTION, operation).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if_there(ended).map(|_| ())
    }

    async fn read_address(&self, id: &ResourceId) -> Result<Option<Address>> {
        let call = self
            .access
            .addresses
            .get()
            .set_project(&self.settings.project);
        let call = call
            .set_region(&self.settings.region)
            .set_address(id.as_str());
        if_there(call.send().await.map_err(failed("compute.addresses.get")))
    }

    pub(crate) async fn get_address(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let address = self.read_address(id).await?;
        Ok(address.and_then(|address| self.report_address(&address)))
    }

    pub(crate) async fn scan_addresses(&self, scan: Scan<'_>, page: Option<&str>) -> Result<Found> {
        let call = self
            .access
            .addresses
            .list()
            .set_project(&self.settings.project);
        let call = call
            .set_region(&self.settings.region)
            .set_max_results(PAGE_MAX)
            .set_or_clear_filter(scan.by_label())
            .set_or_clear_page_token(page);
        let answer = call
            .send()
            .await
            .map_err(failed("compute.addresses.list"))?;
        let items = answer.items.iter();
        // Addresses inside networks are no public ones.
        let public = items.filter(|one| one.address_type != Some(AddressType::Internal));
        Ok(Found {
            items: public.filter_map(|one| self.report_address(one)).collect(),
            next: answer.next_page_token,
        })
    }

    fn report_address(&self, address: &Address) -> Option<Seen> {
        let name = address.name.as_deref()?;
        let raw = labels::raw(&address.labels);
        let (id, mark) = (ResourceId::from(name), labels::mark(&raw));
        let made_as = labels::get(&raw, SELF);
        let is = self_of(&self.settings.region, name);
        let state = match &address.status {
            Some(Status::Reserving) => ResourceState::Pending,
            _ => ResourceState::Ready,
        };
        let ip = address.address.clone().map(|ip| ("ip".to_owned(), ip));
        Some(Seen {
            resource: Resource {
                witness: witness_of(mark.as_ref(), &id, made_as.as_deref(), &is),
                id,
                name: labels::get(&raw, NAME).unwrap_or_else(|| name.to_owned()),
                mark,
                state,
                spec: Spec::Address(AddressSpec {
                    attach: users(address).next().map(|one| one.id()),
                    labels: labels::labels(&raw),
                }),
                attributes: ip.into_iter().collect::<Attributes>(),
                created: created(address.creation_timestamp.as_deref()),
            },
            made: labels::get(&raw, MADE),
            region: None,
        })
    }
}

/// The machines that an address leads to.
fn users(address: &Address) -> impl Iterator<Item = Zonal> + '_ {
    let users = address
        .users
        .iter()
        .filter(|path| path.contains("/instances/"));
    users.filter_map(|path| Zonal::of_path(path))
}

/// The public address of a machine.
pub(crate) fn public_ip(instance: &Instance) -> Option<&str> {
    let mut ways = instance.network_interfaces.first()?.access_configs.iter();
    ways.find_map(|way| way.nat_ip.as_deref())
        .filter(|ip| !ip.is_empty())
}
