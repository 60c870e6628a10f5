//! Changing machines: type, own disks, network tags, labels.

use google_cloud_compute_v1::model::instance::Status;
use google_cloud_compute_v1::model::{
    DisksResizeRequest, Instance, InstancesSetLabelsRequest, InstancesSetMachineTypeRequest,
    Metadata, Tags,
};
use strat_model::{
    DiskSpec, ErrorKind, Field, Kind, MachineSpec, Resource, ResourceId, Result, only_grow,
};
use strat_provider::Update;

use super::disks;
use super::machine::MEMBERS;
use crate::error::{failed, gone, lacking, refuse};
use crate::labels;
use crate::metadata::{self, Entries};
use crate::names::{Zonal, last};
use crate::provider::GcpProvider;

impl GcpProvider {
    pub(crate) async fn change_machine(
        &self,
        request: Update<'_, MachineSpec<ResourceId>>,
    ) -> Result<Resource> {
        let missing = || gone(Kind::Machine, request.id);
        let at = Zonal::of_id(request.id).ok_or_else(missing)?;
        let _turn = self.turns.at(&at).await;
        let instance = self.read_instance(&at).await?.ok_or_else(missing)?;
        let (spec, fields) = (request.spec, request.fields);
        // What can be refused is refused before anything is written.
        let mut entries = metadata::read(instance.metadata.as_ref());
        let disks = match fields.contains(&Field::Disks) {
            true => Some(growth(&instance, &entries, &spec.disks)?),
            false => None,
        };
        if fields.contains(&Field::MachineType) {
            self.resize(&at, &instance, &spec.machine_type).await?;
        }
        if let Some(grown) = disks {
            self.grow_disks(&at, &grown).await?;
            entries.insert(disks::DISKS.to_owned(), disks::note(&spec.disks));
        }
        if fields.contains(&Field::Firewalls) {
            self.set_tags(&at, &instance, spec).await?;
        }
        if request.mark.is_none() {
            entries.remove(MEMBERS);
        }
        self.set_entries(&at, &instance, &entries).await?;
        self.set_labels(&at, &instance, request).await?;
        let seen = self.get_machine(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    /// Another type, while the machine is off.
    ///
    /// <https://cloud.google.com/compute/docs/instances/changing-machine-type-of-stopped-instance>
    async fn resize(&self, at: &Zonal, instance: &Instance, to: &str) -> Result<()> {
        const ACTION: &str = "compute.instances.setMachineType";
        if last(instance.machine_type.as_deref().unwrap_or_default()) == to {
            return Ok(());
        }
        if instance.status != Some(Status::Terminated) {
            let message = format!(
                "{} runs, and its type changes only while it is off",
                at.name
            );
            return Err(refuse(ErrorKind::Conflict, message));
        }
        let path = self.zonal(&at.zone, "machineTypes", to);
        let body = InstancesSetMachineTypeRequest::new().set_machine_type(path);
        let call = self.access.instances.set_machine_type();
        let call = call
            .set_project(&self.settings.project)
            .set_zone(&at.zone)
            .set_instance(&at.name)
            .set_body(body);
        let operation = call.send().await.map_err(failed(ACTION))?;
        self.settle(ACTION, operation).await.map(|_| ())
    }

    async fn grow_disks(&self, at: &Zonal, grown: &[(String, i64)]) -> Result<()> {
        for (disk, size) in grown {
            self.resize_disk(&Zonal::new(&at.zone, disk), *size).await?;
        }
        Ok(())
    }

    /// Makes a disk larger, while it is in use.
    ///
    /// <https://cloud.google.com/compute/docs/disks/resize-persistent-disk>
    pub(crate) async fn resize_disk(&self, at: &Zonal, size_gb: i64) -> Result<()> {
        const ACTION: &str = "compute.disks.resize";
        let call = self
            .access
            .disks
            .resize()
            .set_project(&self.settings.project);
        let call = call
            .set_zone(&at.zone)
            .set_disk(&at.name)
            .set_body(DisksResizeRequest::new().set_size_gb(size_gb));
        let operation = call.send().await.map_err(failed(ACTION))?;
        self.settle(ACTION, operation).await.map(|_| ())
    }

    async fn set_tags(
        &self,
        at: &Zonal,
        instance: &Instance,
        spec: &MachineSpec<ResourceId>,
    ) -> Result<()> {
        const ACTION: &str = "compute.instances.setTags";
        let print = instance
            .tags
            .as_ref()
            .and_then(|tags| tags.fingerprint.clone());
        let body = Tags::new()
            .set_items(spec.firewalls.iter().map(ToString::to_string))
            .set_or_clear_fingerprint(print);
        let call = self
            .access
            .instances
            .set_tags()
            .set_project(&self.settings.project);
        let call = call
            .set_zone(&at.zone)
            .set_instance(&at.name)
            .set_body(body);
        let operation = call.send().await.map_err(failed(ACTION))?;
        self.settle(ACTION, operation).await.map(|_| ())
    }

    /// Brings the metadata to these entries; no call for no difference.
    async fn set_entries(&self, at: &Zonal, instance: &Instance, entries: &Entries) -> Result<()> {
        const ACTION: &str = "compute.instances.setMetadata";
        if metadata::read(instance.metadata.as_ref()) == *entries {
            return Ok(());
        }
        let print = instance
            .metadata
            .as_ref()
            .and_then(|one| one.fingerprint.clone());
        let body = Metadata::new()
            .set_items(metadata::write(entries))
            .set_or_clear_fingerprint(print);
        let call = self
            .access
            .instances
            .set_metadata()
            .set_project(&self.settings.project);
        let call = call
            .set_zone(&at.zone)
            .set_instance(&at.name)
            .set_body(body);
        let operation = call.send().await.map_err(failed(ACTION))?;
        self.settle(ACTION, operation).await.map(|_| ())
    }

    async fn set_labels(
        &self,
        at: &Zonal,
        instance: &Instance,
        request: Update<'_, MachineSpec<ResourceId>>,
    ) -> Result<()> {
        const ACTION: &str = "compute.instances.setLabels";
        let before = labels::raw(&instance.labels);
        let wanted = request
            .fields
            .contains(&Field::Labels)
            .then_some(&request.spec.labels);
        let after = labels::changed(&before, request.mark, wanted)?;
        if after == before {
            return Ok(());
        }
        let print = instance.label_fingerprint.clone();
        let print = print.ok_or_else(|| lacking(ACTION, "fingerprint of labels"))?;
        let body = InstancesSetLabelsRequest::new()
            .set_labels(after)
            .set_label_fingerprint(print);
        let call = self
            .access
            .instances
            .set_labels()
            .set_project(&self.settings.project);
        let call = call
            .set_zone(&at.zone)
            .set_instance(&at.name)
            .set_body(body);
        let operation = call.send().await.map_err(failed(ACTION))?;
        self.settle(ACTION, operation).await.map(|_| ())
    }
}

/// Which disks of a machine's own grow, and to how many GiB.
fn growth(instance: &Instance, entries: &Entries, to: &[DiskSpec]) -> Result<Vec<(String, i64)>> {
    let is = disks::read(instance, entries);
    if !only_grow(&is, to) {
        let message =
            "a machine's own disks only grow: none is added, taken away or made of another class";
        return Err(refuse(ErrorKind::Unsupported, message));
    }
    let pairs = is.iter().zip(to).enumerate();
    let grown = pairs.filter(|(_, (is, to))| disks::gib(is.size) < disks::gib(to.size));
    let grown = grown.map(|(index, (_, to))| {
        let source = disks::own_disk(instance, index).and_then(|disk| disk.source.as_deref());
        let source = source.ok_or_else(|| lacking("compute.instances.get", "source of a disk"))?;
        Ok((last(source).to_owned(), disks::gib(to.size)))
    });
    grown.collect()
}
