//! Volumes: persistent disks of one zone.

use async_trait::async_trait;
use google_cloud_compute_v1::model::disk::Status;
use google_cloud_compute_v1::model::{AttachedDisk, Disk, ZoneSetLabelsRequest, attached_disk};
use strat_model::{
    Attributes, Bytes, ErrorKind, Field, Kind, Resource, ResourceId, ResourceState, Result, Spec,
    VolumeSpec, Witness,
};
use strat_provider::{Attachment, Create, Update};

use crate::compute::{disk_class, disk_type, gib, size_of};
use crate::error::{failed, gone, if_there, lacking, refuse};
use crate::labels::{self, DISK_OF, MADE, NAME, Raw, SELF, SIZE};
use crate::names::{Zonal, google_name, last, zone_of};
use crate::network::{self_of, witness_of};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::operations::Stamp;
use crate::provider::{GcpProvider, Seen};

/// Notes a size that no disk has: one that is too small, or not a whole number of GiB.
fn note_size(labels: &mut Raw, size: Bytes) {
    labels::take_off_word(labels, SIZE);
    if size_of(Some(gib(size)), None) != size {
        labels::set(labels, SIZE, &size.0.to_string());
    }
}

impl GcpProvider {
    pub(crate) async fn make_volume(
        &self,
        request: Create<'_, VolumeSpec<ResourceId>>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        const ACTION: &str = "compute.disks.create";
        let (spec, name) = (request.spec, google_name(request.name));
        let at = Zonal::new(spec.zone.as_str(), &name);
        let mut all = labels::of_new(request.mark, &spec.labels);
        labels::set(&mut all, MADE, &stamp.text());
        labels::set(&mut all, SELF, &self_of(&at.zone, &name));
        if name != request.name {
            labels::set(&mut all, NAME, request.name);
        }
        note_size(&mut all, spec.size);
        labels::check(&all)?;
        let body = Disk::new()
            .set_name(&name)
            .set_size_gb(gib(spec.size))
            .set_type(self.zonal(&at.zone, "diskTypes", disk_type(spec.class)))
            .set_labels(all);
        let insert = |id: String| {
            let call = self
                .access
                .disks
                .insert()
                .set_project(&self.settings.project);
            let call = call
                .set_zone(&at.zone)
                .set_request_id(id)
                .set_body(body.clone());
            async move { call.send().await.map_err(failed(ACTION)) }
        };
        self.make(
            (ACTION, stamp),
            (Kind::Volume, &at.id()),
            request.mark,
            insert,
        )
        .await
    }

    pub(crate) async fn change_volume(
        &self,
        request: Update<'_, VolumeSpec<ResourceId>>,
    ) -> Result<Resource> {
        const ACTION: &str = "compute.disks.setLabels";
        let missing = || gone(Kind::Volume, request.id);
        let (at, disk) = self.disk_of(request.id).await?.ok_or_else(missing)?;
        let (spec, fields) = (request.spec, request.fields);
        let before = labels::raw(&disk.labels);
        let wanted = fields.contains(&Field::Labels).then_some(&spec.labels);
        let mut after = labels::changed(&before, request.mark, wanted)?;
        if fields.contains(&Field::Size) {
            let is = size(&disk, &before);
            if spec.size < is {
                let message = format!("a volume cannot shrink from {is} to {}", spec.size);
                return Err(refuse(ErrorKind::Invalid, message));
            }
            let to = gib(spec.size);
            if Some(to) > disk.size_gb {
                self.resize_disk(&at, to).await?;
            }
            note_size(&mut after, spec.size);
        }
        if after != before {
            let print = disk.label_fingerprint.clone();
            let print = print.ok_or_else(|| lacking(ACTION, "fingerprint of labels"))?;
            let body = ZoneSetLabelsRequest::new()
                .set_labels(after)
                .set_label_fingerprint(print);
            let call = self
                .access
                .disks
                .set_labels()
                .set_project(&self.settings.project);
            let call = call
                .set_zone(&at.zone)
                .set_resource(&at.name)
                .set_body(body);
            let operation = call.send().await.map_err(failed(ACTION))?;
            self.settle(ACTION, operation).await?;
        }
        let seen = self.get_volume(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    pub(crate) async fn end_volume(&self, id: &ResourceId) -> Result<()> {
        const ACTION: &str = "compute.disks.delete";
        let Some((at, disk)) = self.disk_of(id).await? else {
            return Ok(());
        };
        if let Some(machine) = disk.users.first().and_then(|path| Zonal::of_path(path)) {
            let message = format!("the volume {id} is attached to {}", machine.id());
            return Err(refuse(ErrorKind::Conflict, message));
        }
        let call = self
            .access
            .disks
            .delete()
            .set_project(&self.settings.project);
        let call = call.set_zone(&at.zone).set_disk(&at.name);
        let ended = match call.send().await.map_err(failed(ACTION)) {
            Ok(operation) => self.settle(ACTION, operation).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if_there(ended).map(|_| ())
    }

    async fn disk_of(&self, id: &ResourceId) -> Result<Option<(Zonal, Disk)>> {
        let Some(at) = Zonal::of_id(id).filter(|at| self.has_zone(&at.zone)) else {
            return Ok(None);
        };
        let call = self.access.disks.get().set_project(&self.settings.project);
        let call = call.set_zone(&at.zone).set_disk(&at.name);
        let disk = if_there(call.send().await.map_err(failed("compute.disks.get")))?;
        Ok(disk.map(|disk| (at, disk)))
    }

    pub(crate) async fn get_volume(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let found = self.disk_of(id).await?;
        found.map_or(Ok(None), |(_, disk)| report(&disk))
    }

    /// One pass for all zones. Disks that live and die with a machine are parts of that.
    pub(crate) async fn scan_volumes(&self, scan: Scan<'_>, page: Option<&str>) -> Result<Found> {
        let call = self.access.disks.aggregated_list();
        let call = call
            .set_project(&self.settings.project)
            .set_max_results(PAGE_MAX)
            .set_or_clear_filter(scan.by_label())
            .set_or_clear_page_token(page);
        let answer = call.send().await.map_err(failed("compute.disks.list"))?;
        let scopes = answer.items.into_iter();
        let here = scopes.filter(|(scope, _)| self.has_zone(last(scope)));
        let mut items = Vec::new();
        for disk in here.flat_map(|(_, scoped)| scoped.disks) {
            if labels::get(&labels::raw(&disk.labels), DISK_OF).is_none() {
                items.extend(report(&disk)?);
            }
        }
        Ok(Found {
            items,
            next: answer.next_page_token,
        })
    }

    /// The machine of an id, which is to be in this zone.
    async fn host(&self, volume: &Zonal, machine: &ResourceId) -> Result<Zonal> {
        let missing = || gone(Kind::Machine, machine);
        let at = Zonal::of_id(machine).ok_or_else(missing)?;
        self.read_instance(&at).await?.ok_or_else(missing)?;
        if at.zone == volume.zone {
            return Ok(at);
        }
        let message = format!(
            "a volume of {} attaches to no machine of {}",
            volume.zone, at.zone
        );
        Err(refuse(ErrorKind::Invalid, message))
    }
}

#[async_trait]
impl Attachment for GcpProvider {
    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        const ACTION: &str = "compute.instances.attachDisk";
        let found = self.disk_of(id).await?;
        let (at, disk) = found.ok_or_else(|| gone(Kind::Volume, id))?;
        let host = self.host(&at, machine).await?;
        let users: Vec<Zonal> = disk
            .users
            .iter()
            .filter_map(|path| Zonal::of_path(path))
            .collect();
        if users.contains(&host) {
            return Ok(());
        }
        if let Some(other) = users.first() {
            let message = format!("the volume {id} is attached to {}", other.id());
            return Err(refuse(ErrorKind::Conflict, message));
        }
        let body = AttachedDisk::new()
            .set_source(self.zonal(&at.zone, "disks", &at.name))
            .set_device_name(&at.name)
            .set_auto_delete(false)
            .set_mode(attached_disk::Mode::ReadWrite);
        let _turn = self.turns.at(&host).await;
        let call = self
            .access
            .instances
            .attach_disk()
            .set_project(&self.settings.project);
        let call = call
            .set_zone(&host.zone)
            .set_instance(&host.name)
            .set_body(body);
        let operation = call.send().await.map_err(failed(ACTION))?;
        self.settle(ACTION, operation).await.map(|_| ())
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        let found = self.disk_of(id).await?;
        let (at, disk) = found.ok_or_else(|| gone(Kind::Volume, id))?;
        for host in disk.users.iter().filter_map(|path| Zonal::of_path(path)) {
            // A machine that goes meanwhile lets go of it, too.
            if_there(self.detach_from(&host, &at.name).await)?;
        }
        Ok(())
    }
}

impl GcpProvider {
    /// Takes a disk off a machine that has it.
    async fn detach_from(&self, host: &Zonal, disk: &str) -> Result<()> {
        const ACTION: &str = "compute.instances.detachDisk";
        let _turn = self.turns.at(host).await;
        let Some(instance) = self.read_instance(host).await? else {
            return Ok(());
        };
        let of_this = |attached: &&AttachedDisk| {
            let source = attached.source.as_deref();
            source.is_some_and(|source| last(source) == disk)
        };
        let attached = instance.disks.iter().find(of_this);
        let Some(device) = attached.and_then(|disk| disk.device_name.as_deref()) else {
            return Ok(());
        };
        let call = self
            .access
            .instances
            .detach_disk()
            .set_project(&self.settings.project);
        let call = call
            .set_zone(&host.zone)
            .set_instance(&host.name)
            .set_device_name(device);
        let operation = call.send().await.map_err(failed(ACTION))?;
        self.settle(ACTION, operation).await.map(drop)
    }
}

/// What a disk was made of, if it was made of something: a volume of ours never is.
fn source(disk: &Disk) -> Option<&'static str> {
    let sources = [
        (&disk.source_snapshot, "it was made of a snapshot"),
        (&disk.source_instant_snapshot, "it was made of a snapshot"),
        (&disk.source_disk, "it is a copy of another disk"),
        (&disk.source_image, "it was made of an image"),
        (&disk.source_storage_object, "it was made of an object"),
    ];
    let mut set = sources.into_iter();
    set.find(|(path, _)| path.as_deref().is_some_and(|path| !path.is_empty()))
        .map(|(_, why)| why)
}

/// The size of a disk, as it was asked for where it has that.
fn size(disk: &Disk, labels: &Raw) -> Bytes {
    let asked = labels::get(labels, SIZE).and_then(|bytes| bytes.parse().ok());
    size_of(disk.size_gb, asked.map(Bytes))
}

fn report(disk: &Disk) -> Result<Option<Seen>> {
    let (Some(zone), Some(name)) = (disk.zone.as_deref(), disk.name.as_deref()) else {
        return Ok(None);
    };
    let (at, raw) = (Zonal::new(last(zone), name), labels::raw(&disk.labels));
    let (id, mark) = (at.id(), labels::mark(&raw));
    let made_as = labels::get(&raw, SELF);
    let is = self_of(&at.zone, name);
    let witness = match (
        witness_of(mark.as_ref(), &id, made_as.as_deref(), &is),
        source(disk),
    ) {
        // An adopted one may be made of whatever it was.
        (Witness::Held, Some(why)) if made_as.is_some() => Witness::Refuted {
            why: why.to_owned(),
        },
        (witness, _) => witness,
    };
    let state = match &disk.status {
        Some(Status::Ready) => ResourceState::Ready,
        Some(Status::Failed) => ResourceState::Failed,
        Some(Status::Deleting) => ResourceState::Deleting,
        _ => ResourceState::Pending,
    };
    let attach = disk.users.first().and_then(|path| Zonal::of_path(path));
    Ok(Some(Seen {
        resource: Resource {
            witness,
            name: labels::get(&raw, NAME).unwrap_or_else(|| name.to_owned()),
            mark,
            state,
            spec: Spec::Volume(VolumeSpec {
                size: size(disk, &raw),
                class: disk_class(last(disk.r#type.as_deref().unwrap_or_default())),
                zone: zone_of(&at.zone)?,
                attach: attach.map(|host| host.id()),
                labels: labels::labels(&raw),
            }),
            attributes: Attributes::new(),
            created: disk
                .creation_timestamp
                .as_deref()
                .and_then(|at| at.parse().ok()),
            id,
        },
        made: labels::get(&raw, MADE),
        region: None,
    }))
}
