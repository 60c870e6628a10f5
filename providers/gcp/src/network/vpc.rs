//! Networks: VPC networks in custom mode, which are global and have no range of their own.

use google_cloud_compute_v1::model::Network;
use ipnet::Ipv4Net;
use strat_model::{Field, Kind, NetworkSpec, Resource, ResourceId, Result, Spec};
use strat_provider::{Create, Update};

use crate::error::{failed, gone, if_there};
use crate::metadata::Notes;
use crate::names::google_name;
use crate::notes::{Described as _, Note};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::operations::Stamp;
use crate::provider::{GcpProvider, READY, Seen};

/// Where a note has the range of a network.
pub(crate) const CIDR: &str = "cidr";
/// Where a note has the region that something global was made for.
pub(crate) const REGION: &str = "region";

/// The range of a network whose subnets Google makes.
///
/// <https://cloud.google.com/vpc/docs/vpc#ip-ranges>
const AUTO: &str = "10.128.0.0/9";

impl GcpProvider {
    pub(crate) async fn make_network(
        &self,
        request: Create<'_, NetworkSpec>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        const ACTION: &str = "compute.networks.create";
        let (spec, name) = (request.spec, google_name(request.name));
        let note = Note::of_new(request.name, request.mark, &spec.labels, &stamp.text())
            .with(CIDR, spec.cidr.to_string())
            .with(REGION, self.settings.region.as_str());
        let body = Network::new()
            .set_name(&name)
            .set_description(note.write()?)
            .set_auto_create_subnetworks(false);
        let insert = |id: String| {
            let call = self
                .access
                .networks
                .insert()
                .set_project(&self.settings.project);
            let call = call.set_request_id(id).set_body(body.clone());
            async move { call.send().await.map_err(failed(ACTION)) }
        };
        let id = ResourceId::from(name.as_str());
        self.make((ACTION, stamp), (Kind::Network, &id), request.mark, insert)
            .await
    }

    pub(crate) async fn change_network(
        &self,
        request: Update<'_, NetworkSpec>,
    ) -> Result<Resource> {
        let (number, before) = self.network_note(request.id).await?;
        let labels = request
            .fields
            .contains(&Field::Labels)
            .then_some(&request.spec.labels);
        let mut note = before.changed(request.mark, labels);
        // An adopted one is of this site from now on.
        if request.mark.is_some() {
            note = note.with(REGION, self.settings.region.as_str());
        }
        if note != before {
            self.write_note(Kind::Network, number, &note).await?;
        }
        let seen = self.get_network(request.id).await?;
        seen.map(|seen| seen.resource)
            .ok_or_else(|| gone(Kind::Network, request.id))
    }

    /// The network goes first: were its note, it would be what it was made as for a moment.
    pub(crate) async fn end_network(&self, id: &ResourceId) -> Result<()> {
        const ACTION: &str = "compute.networks.delete";
        let Some(network) = self.read_network(id).await? else {
            return Ok(());
        };
        let call = self
            .access
            .networks
            .delete()
            .set_project(&self.settings.project);
        let call = call.set_network(id.as_str());
        let ended = match call.send().await.map_err(failed(ACTION)) {
            Ok(operation) => self.settle(ACTION, operation).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if if_there(ended)?.is_some()
            && let Some(number) = network.id
        {
            self.drop_note(Kind::Network, number).await?;
        }
        Ok(())
    }

    pub(crate) async fn read_network(&self, id: &ResourceId) -> Result<Option<Network>> {
        let call = self
            .access
            .networks
            .get()
            .set_project(&self.settings.project);
        let answer = call.set_network(id.as_str()).send().await;
        if_there(answer.map_err(failed("compute.networks.get")))
    }

    /// The note of a network that is there, and its number.
    async fn network_note(&self, id: &ResourceId) -> Result<(u64, Note)> {
        let network = self
            .read_network(id)
            .await?
            .ok_or_else(|| gone(Kind::Network, id))?;
        let notes = self.notes().await?;
        let note = notes.of(Kind::Network, network.id, network.description.as_deref());
        Ok((network.id.unwrap_or_default(), note))
    }

    pub(crate) async fn get_network(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let Some(network) = self.read_network(id).await? else {
            return Ok(None);
        };
        Ok(report(&network, &self.notes().await?))
    }

    pub(crate) async fn scan_networks(&self, scan: Scan<'_>, page: Option<&str>) -> Result<Found> {
        let call = self
            .access
            .networks
            .list()
            .set_project(&self.settings.project);
        let call = call
            .set_max_results(PAGE_MAX)
            .set_or_clear_filter(scan.by_name())
            .set_or_clear_page_token(page);
        let answer = call.send().await.map_err(failed("compute.networks.list"))?;
        let notes = self.notes().await?;
        let items = answer.items.iter();
        Ok(Found {
            items: items
                .filter_map(|network| report(network, &notes))
                .collect(),
            next: answer.next_page_token,
        })
    }
}

fn report(network: &Network, notes: &Notes) -> Option<Seen> {
    let name = network.name.as_deref()?;
    let note = notes.of(Kind::Network, network.id, network.description.as_deref());
    let id = ResourceId::from(name);
    let mark = note.mark();
    Some(Seen {
        resource: Resource {
            witness: note.witness(mark.as_ref(), &id, name),
            id,
            name: note.name.clone().unwrap_or_else(|| name.to_owned()),
            mark,
            state: READY,
            spec: Spec::Network(NetworkSpec {
                cidr: range(network, &note),
                labels: note.labels,
            }),
            attributes: strat_model::Attributes::new(),
            created: created(network.creation_timestamp.as_deref()),
        },
        made: note.made,
        region: note.more.get(REGION).cloned(),
    })
}

/// A moment as Google writes it.
pub(crate) fn created(text: Option<&str>) -> Option<jiff::Timestamp> {
    text?.parse().ok()
}

/// The range of a network: as it was asked for, since Google keeps none.
pub(crate) fn range(network: &Network, note: &Note) -> Ipv4Net {
    let noted = note.more.get(CIDR).map(String::as_str);
    let auto = network
        .auto_create_subnetworks
        .unwrap_or_default()
        .then_some(AUTO);
    noted
        .or(auto)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}
