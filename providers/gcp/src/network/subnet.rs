//! Subnets: of a region, each with a range of its own.

use google_cloud_compute_v1::model::Subnetwork;
use google_cloud_compute_v1::model::subnetwork::State;
use strat_model::{
    ErrorKind, Field, Kind, Resource, ResourceId, ResourceState, Result, Spec, SubnetSpec,
};
use strat_provider::{Create, Update};

use super::vpc::{CIDR, created};
use crate::error::{failed, gone, if_there, refuse};
use crate::metadata::Notes;
use crate::names::{google_name, last};
use crate::notes::{Described as _, Note};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::operations::Stamp;
use crate::provider::{GcpProvider, READY, Seen};

impl GcpProvider {
    pub(crate) async fn make_subnet(
        &self,
        request: Create<'_, SubnetSpec<ResourceId>>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        const ACTION: &str = "compute.subnetworks.create";
        let (spec, name) = (request.spec, google_name(request.name));
        if spec.zone.is_some() {
            let message = "a subnet on Google Cloud spans its region, not a zone";
            return Err(refuse(ErrorKind::Invalid, message));
        }
        self.check_range(spec).await?;
        let note = Note::of_new(request.name, request.mark, &spec.labels, &stamp.text());
        let body = Subnetwork::new()
            .set_name(&name)
            .set_description(note.write()?)
            .set_network(self.global("networks", spec.network.as_str()))
            .set_ip_cidr_range(spec.cidr.to_string());
        let insert = |id: String| {
            let call = self
                .access
                .subnetworks
                .insert()
                .set_project(&self.settings.project);
            let call = call
                .set_region(&self.settings.region)
                .set_request_id(id)
                .set_body(body.clone());
            async move { call.send().await.map_err(failed(ACTION)) }
        };
        let id = ResourceId::from(name.as_str());
        self.make((ACTION, stamp), (Kind::Subnet, &id), request.mark, insert)
            .await
    }

    /// Google takes any range; the topology's lies within its network's.
    async fn check_range(&self, spec: &SubnetSpec<ResourceId>) -> Result<()> {
        let network = self.read_network(&spec.network).await?;
        let network = network.ok_or_else(|| gone(Kind::Network, &spec.network))?;
        let note = Note::read(network.description.as_deref());
        let whole: Option<ipnet::Ipv4Net> = note.more.get(CIDR).and_then(|text| text.parse().ok());
        match whole {
            Some(whole) if !whole.contains(&spec.cidr) => {
                let message = format!(
                    "{} is not within {whole}, the range of its network",
                    spec.cidr
                );
                Err(refuse(ErrorKind::Invalid, message))
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn change_subnet(
        &self,
        request: Update<'_, SubnetSpec<ResourceId>>,
    ) -> Result<Resource> {
        let missing = || gone(Kind::Subnet, request.id);
        let subnet = self.read_subnet(request.id).await?.ok_or_else(missing)?;
        let notes = self.notes().await?;
        let before = notes.of(Kind::Subnet, subnet.id, subnet.description.as_deref());
        let labels = request
            .fields
            .contains(&Field::Labels)
            .then_some(&request.spec.labels);
        let note = before.changed(request.mark, labels);
        if note != before {
            self.write_note(Kind::Subnet, subnet.id.unwrap_or_default(), &note)
                .await?;
        }
        let seen = self.get_subnet(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    pub(crate) async fn end_subnet(&self, id: &ResourceId) -> Result<()> {
        const ACTION: &str = "compute.subnetworks.delete";
        let Some(subnet) = self.read_subnet(id).await? else {
            return Ok(());
        };
        let call = self
            .access
            .subnetworks
            .delete()
            .set_project(&self.settings.project);
        let call = call
            .set_region(&self.settings.region)
            .set_subnetwork(id.as_str());
        let ended = match call.send().await.map_err(failed(ACTION)) {
            Ok(operation) => self.settle(ACTION, operation).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if if_there(ended)?.is_some()
            && let Some(number) = subnet.id
        {
            self.drop_note(Kind::Subnet, number).await?;
        }
        Ok(())
    }

    pub(crate) async fn read_subnet(&self, id: &ResourceId) -> Result<Option<Subnetwork>> {
        let call = self
            .access
            .subnetworks
            .get()
            .set_project(&self.settings.project);
        let call = call
            .set_region(&self.settings.region)
            .set_subnetwork(id.as_str());
        if_there(call.send().await.map_err(failed("compute.subnetworks.get")))
    }

    pub(crate) async fn get_subnet(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let Some(subnet) = self.read_subnet(id).await? else {
            return Ok(None);
        };
        Ok(report(&subnet, &self.notes().await?))
    }

    pub(crate) async fn scan_subnets(&self, scan: Scan<'_>, page: Option<&str>) -> Result<Found> {
        let call = self
            .access
            .subnetworks
            .list()
            .set_project(&self.settings.project);
        let call = call
            .set_region(&self.settings.region)
            .set_max_results(PAGE_MAX)
            .set_or_clear_filter(scan.by_name())
            .set_or_clear_page_token(page);
        let answer = call
            .send()
            .await
            .map_err(failed("compute.subnetworks.list"))?;
        let notes = self.notes().await?;
        let items = answer.items.iter();
        Ok(Found {
            items: items.filter_map(|subnet| report(subnet, &notes)).collect(),
            next: answer.next_page_token,
        })
    }
}

fn report(subnet: &Subnetwork, notes: &Notes) -> Option<Seen> {
    let name = subnet.name.as_deref()?;
    let note = notes.of(Kind::Subnet, subnet.id, subnet.description.as_deref());
    let id = ResourceId::from(name);
    let mark = note.mark();
    let state = match &subnet.state {
        Some(State::Draining) => ResourceState::Pending,
        _ => READY,
    };
    Some(Seen {
        resource: Resource {
            witness: note.witness(mark.as_ref(), &id, name),
            id,
            name: note.name.clone().unwrap_or_else(|| name.to_owned()),
            mark,
            state,
            spec: Spec::Subnet(SubnetSpec {
                network: ResourceId::from(last(subnet.network.as_deref()?)),
                cidr: subnet.ip_cidr_range.as_deref()?.parse().ok()?,
                zone: None,
                internet: None,
                labels: note.labels,
            }),
            attributes: strat_model::Attributes::new(),
            created: created(subnet.creation_timestamp.as_deref()),
        },
        made: note.made,
        region: None,
    })
}
