//! Machines as they are.

use google_cloud_compute_v1::model::Instance;
use google_cloud_compute_v1::model::instance::Status;
use google_cloud_compute_v1::model::scheduling::ProvisioningModel;
use strat_model::{
    Attributes, CapacityKind, ImageRef, MachineSpec, Mark, Resource, ResourceId, ResourceState,
    Result, Spec, Witness,
};

use super::disks;
use crate::error::{failed, if_there};
use crate::labels::{self, MADE, NAME};
use crate::metadata::{self, Entries};
use crate::names::{Zonal, last, zone_of};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::offers::TypeSize;
use crate::provider::{GcpProvider, Seen};

/// The metadata entry with the zone of a batch and the names of its machines: a copy of a machine,
/// which has its labels, has another name or is in another zone.
pub(crate) const MEMBERS: &str = "stratiform-members";
/// The metadata entry with the key pair.
pub(crate) const KEYPAIR: &str = "stratiform-keypair";

impl GcpProvider {
    pub(crate) async fn read_instance(&self, at: &Zonal) -> Result<Option<Instance>> {
        let call = self
            .access
            .instances
            .get()
            .set_project(&self.settings.project);
        let call = call.set_zone(&at.zone).set_instance(&at.name);
        if_there(call.send().await.map_err(failed("compute.instances.get")))
    }

    pub(crate) async fn get_machine(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let Some(at) = Zonal::of_id(id).filter(|at| self.has_zone(&at.zone)) else {
            return Ok(None);
        };
        match self.read_instance(&at).await? {
            None => Ok(None),
            Some(instance) => self.report_machine(&instance).await,
        }
    }

    /// One pass for all zones.
    pub(crate) async fn scan_machines(&self, scan: Scan<'_>, page: Option<&str>) -> Result<Found> {
        let (instances, next) = self.list_instances(scan.by_label(), page).await?;
        let mut items = Vec::with_capacity(instances.len());
        for instance in instances {
            items.extend(self.report_machine(&instance).await?);
        }
        Ok(Found { items, next })
    }

    /// A page of the machines of this region.
    async fn list_instances(
        &self,
        filter: Option<String>,
        page: Option<&str>,
    ) -> Result<(Vec<Instance>, Option<String>)> {
        let call = self.access.instances.aggregated_list();
        let call = call
            .set_project(&self.settings.project)
            .set_max_results(PAGE_MAX)
            .set_or_clear_filter(filter)
            .set_or_clear_page_token(page);
        let answer = call
            .send()
            .await
            .map_err(failed("compute.instances.list"))?;
        let scopes = answer.items.into_iter();
        let here = scopes.filter(|(scope, _)| self.has_zone(last(scope)));
        let instances = here.flat_map(|(_, scoped)| scoped.instances).collect();
        Ok((instances, answer.next_page_token))
    }

    /// A machine that carries a network tag, if one does: tags cannot be asked for.
    pub(crate) async fn machine_with_tag(&self, tag: &str) -> Result<Option<ResourceId>> {
        let mut page = None::<String>;
        loop {
            let call = self.access.instances.aggregated_list();
            let call = call
                .set_project(&self.settings.project)
                .set_max_results(PAGE_MAX)
                .set_or_clear_page_token(page.clone());
            let answer = call
                .send()
                .await
                .map_err(failed("compute.instances.list"))?;
            let mut all = answer
                .items
                .into_values()
                .flat_map(|scoped| scoped.instances);
            let carries = |one: &Instance| {
                let tags = one.tags.as_ref().map(|tags| tags.items.as_slice());
                tags.unwrap_or_default()
                    .iter()
                    .any(|carried| carried == tag)
            };
            if let Some(found) = all.find(carries) {
                let at = found.self_link.as_deref().and_then(Zonal::of_path);
                return Ok(Some(at.map_or_else(|| ResourceId::from(""), |at| at.id())));
            }
            let next = answer.next_page_token.filter(|next| !next.is_empty());
            if next.is_none() || next == page {
                return Ok(None);
            }
            page = next;
        }
    }

    pub(crate) async fn report_machine(&self, instance: &Instance) -> Result<Option<Seen>> {
        let (Some(zone), Some(name)) = (instance.zone.as_deref(), instance.name.as_deref()) else {
            return Ok(None);
        };
        let machine_type = last(instance.machine_type.as_deref().unwrap_or_default());
        let size = self.size_of(last(zone), machine_type).await?;
        let at = Zonal::new(last(zone), name);
        self.report_of_size(instance, &at, machine_type, &size)
            .map(Some)
    }

    fn report_of_size(
        &self,
        instance: &Instance,
        at: &Zonal,
        machine_type: &str,
        size: &TypeSize,
    ) -> Result<Seen> {
        let raw = labels::raw(&instance.labels);
        let entries = metadata::read(instance.metadata.as_ref());
        let (id, mark) = (at.id(), labels::mark(&raw));
        let interface = instance.network_interfaces.first();
        let subnet = interface
            .and_then(|one| one.subnetwork.as_deref())
            .map(last);
        let tags = instance.tags.as_ref().map(|tags| tags.items.as_slice());
        let spot = instance.scheduling.as_ref().is_some_and(|scheduling| {
            scheduling.provisioning_model == Some(ProvisioningModel::Spot)
                || scheduling.preemptible == Some(true)
        });
        let spec = MachineSpec {
            machine_type: machine_type.to_owned(),
            cpu: size.cpu,
            memory: size.memory,
            capacity: if spot {
                CapacityKind::Spot
            } else {
                CapacityKind::OnDemand
            },
            zone: zone_of(&at.zone)?,
            image: ImageRef::Named {
                name: String::new(),
                id: ResourceId::from(""),
            },
            subnet: ResourceId::from(subnet.unwrap_or_default()),
            firewalls: tags
                .unwrap_or_default()
                .iter()
                .map(ResourceId::from)
                .collect(),
            keypair: entries.get(KEYPAIR).map(ResourceId::from),
            user_data: None,
            disks: disks::read(instance, &entries),
            public_ip: None,
            labels: labels::labels(&raw),
        };
        Ok(Seen {
            made: labels::get(&raw, MADE),
            region: None,
            resource: Resource {
                witness: witness(mark.as_ref(), &id, at, instance, &entries),
                name: labels::get(&raw, NAME).unwrap_or_else(|| at.name.clone()),
                state: self.state(instance, &id),
                mark,
                id,
                spec: Spec::Machine(spec),
                attributes: attributes(instance),
                created: instance
                    .creation_timestamp
                    .as_deref()
                    .and_then(|at| at.parse().ok()),
            },
        })
    }

    /// Google shows a machine that is being deleted as one that is being stopped; those that we told
    /// to go are going.
    ///
    /// <https://cloud.google.com/compute/docs/instances/instance-lifecycle>
    fn state(&self, instance: &Instance, id: &ResourceId) -> ResourceState {
        if self.ended.contains(id, instance.id.unwrap_or_default()) {
            return ResourceState::Deleting;
        }
        match &instance.status {
            Some(Status::Running) => ResourceState::Ready,
            Some(Status::Terminated | Status::Stopped | Status::Suspended) => {
                ResourceState::Stopped
            }
            _ => ResourceState::Pending,
        }
    }
}

fn witness(
    mark: Option<&Mark>,
    id: &ResourceId,
    at: &Zonal,
    instance: &Instance,
    entries: &Entries,
) -> Witness {
    let refuted = |why: &str| Witness::Refuted {
        why: why.to_owned(),
    };
    Witness::judge(mark, id, |_| {
        let Some(members) = entries.get(MEMBERS) else {
            return Witness::Lacking;
        };
        let mut words = members.split(' ');
        let of_zone = words.next() == Some(at.zone.as_str());
        if instance
            .source_machine_image
            .as_deref()
            .is_some_and(|image| !image.is_empty())
        {
            refuted("it was made of an image of another machine")
        } else if of_zone && words.any(|name| name == at.name) {
            Witness::Held
        } else {
            refuted("its mark was written for machines of other names or of another zone")
        }
    })
}

/// The members' entry of a batch.
pub(crate) fn members(zone: &str, names: &[String]) -> String {
    let words = std::iter::once(zone).chain(names.iter().map(String::as_str));
    words.collect::<Vec<_>>().join(" ")
}

fn attributes(instance: &Instance) -> Attributes {
    let interface = instance.network_interfaces.first();
    let private = interface
        .and_then(|one| one.network_ip.clone())
        .filter(|ip| !ip.is_empty());
    let mut ways = interface
        .map(|one| one.access_configs.iter())
        .into_iter()
        .flatten();
    let public = ways
        .find_map(|way| way.nat_ip.clone())
        .filter(|ip| !ip.is_empty());
    let pairs = [("private_ip", private), ("public_ip", public)];
    let pairs = pairs
        .into_iter()
        .filter_map(|(key, ip)| Some((key.to_owned(), ip?)));
    pairs.collect()
}
