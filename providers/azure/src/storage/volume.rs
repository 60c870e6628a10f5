//! Volumes: managed disks of one zone.

use async_trait::async_trait;
use reqwest::Method;
use serde_json::json;
use strat_model::{
    Attributes, Bytes, ErrorKind, Field, Kind, Resource, ResourceId, Result, Spec, VolumeSpec,
    Witness,
};
use strat_provider::{Attachment, Create, Stamp, Update};

use crate::arm::Call;
use crate::compute::{disk_class, disk_type, gib, size_of};
use crate::error::{gone, refuse};
use crate::names::{DISK, Place, VM, zone_number, zone_of};
use crate::provider::{AzureProvider, Seen, moment, state};
use crate::tags::{self, MADE, SIZE, Tags};
use crate::wire::{Disk, Thing};

const READ: &str = "Microsoft.Compute/disks/read";
const WRITE: &str = "Microsoft.Compute/disks/write";
const DELETE: &str = "Microsoft.Compute/disks/delete";
const ATTACH: &str = "Microsoft.Compute/virtualMachines/attachDetachDataDisks/action";

/// Notes a size that no disk has: one that is not a whole number of GiB.
fn note_size(tags: &mut Tags, size: Bytes) {
    tags::take_off(tags, SIZE);
    if size_of(Some(gib(size)), None) != size {
        tags::set(tags, SIZE, &size.0.to_string());
    }
}

/// The size of a disk, as it was asked for where it has that.
fn size(disk: &Thing<Disk>) -> Bytes {
    let asked = tags::get(&disk.tags, SIZE).and_then(|bytes| bytes.parse().ok());
    size_of(disk.properties.disk_size_gb, asked.map(Bytes))
}

/// The machine that has a disk.
fn host_of(disk: &Thing<Disk>) -> Option<Place> {
    disk.managed_by.as_deref().and_then(Place::of_path)
}

impl AzureProvider {
    pub(crate) async fn make_volume(
        &self,
        request: Create<'_, VolumeSpec<ResourceId>>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        let spec = request.spec;
        let unknown = || {
            refuse(
                ErrorKind::Invalid,
                format!("there is no zone {} here", spec.zone),
            )
        };
        let zone = zone_number(&self.settings.region, &spec.zone).ok_or_else(unknown)?;
        let ground = self.ground(request.name, request.mark, &spec.labels, stamp);
        let (at, mut tags) = ground.await?;
        note_size(&mut tags, spec.size);
        tags::check(&tags)?;
        let mut body = json!({
            "location": self.settings.region,
            "tags": tags,
            "sku": { "name": disk_type(spec.class) },
            "properties": {
                "creationData": { "createOption": "Empty" },
                "diskSizeGB": gib(spec.size),
            },
        });
        if let Some(zone) = zone {
            body["zones"] = json!([zone]);
        }
        let put = Call::new(WRITE, Method::PUT, self.path(DISK, &at), DISK.version).carrying(body);
        self.make((Kind::Volume, &at.id()), request.mark, stamp, &put)
            .await
    }

    pub(crate) async fn change_volume(
        &self,
        request: Update<'_, VolumeSpec<ResourceId>>,
    ) -> Result<Resource> {
        let missing = || gone(Kind::Volume, request.id);
        let (at, disk) = self.disk_of(request.id).await?.ok_or_else(missing)?;
        let (spec, fields) = (request.spec, request.fields);
        let labels = fields.contains(&Field::Labels).then_some(&spec.labels);
        let mut after = tags::changed(&disk.tags, request.mark, labels)?;
        if fields.contains(&Field::Size) {
            let is = size(&disk);
            if spec.size < is {
                let message = format!("a volume cannot shrink from {is} to {}", spec.size);
                return Err(refuse(ErrorKind::Invalid, message));
            }
            note_size(&mut after, spec.size);
        }
        if fields.contains(&Field::Class) && disk.sku.name != disk_type(spec.class) {
            if let Some(host) = host_of(&disk) {
                let message = format!(
                    "the class of {} changes only while no machine has it, and {} \
                                       does",
                    request.id,
                    host.id()
                );
                return Err(refuse(ErrorKind::Unsupported, message));
            }
            let body = json!({ "sku": { "name": disk_type(spec.class) } });
            let patch = Call::new(WRITE, Method::PATCH, self.path(DISK, &at), DISK.version);
            self.done(&patch.carrying(body)).await?;
        }
        if fields.contains(&Field::Size) && Some(gib(spec.size)) > disk.properties.disk_size_gb {
            self.resize_disk(&at, gib(spec.size)).await?;
        }
        self.write_tags(&self.path(DISK, &at), &disk.tags, &after)
            .await?;
        let seen = self.get_volume(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    pub(crate) async fn end_volume(&self, id: &ResourceId) -> Result<()> {
        let Some((at, disk)) = self.disk_of(id).await? else {
            return Ok(());
        };
        if let Some(host) = host_of(&disk) {
            let message = format!("the volume {id} is attached to {}", host.id());
            return Err(refuse(ErrorKind::Conflict, message));
        }
        self.end(DELETE, DISK, &at).await
    }

    async fn disk_of(&self, id: &ResourceId) -> Result<Option<(Place, Thing<Disk>)>> {
        let Some(at) = Place::of_id(id) else {
            return Ok(None);
        };
        let call = Call::new(READ, Method::GET, self.path(DISK, &at), DISK.version);
        Ok(self.find_one(&call).await?.map(|disk| (at, disk)))
    }

    pub(crate) async fn get_volume(&self, id: &ResourceId) -> Result<Option<Seen>> {
        match self.disk_of(id).await? {
            Some((_, disk)) => self.report_volume(&disk),
            None => Ok(None),
        }
    }

    /// Disks that live and die with a machine are parts of that.
    pub(crate) async fn scan_volumes(&self) -> Result<Vec<Seen>> {
        let call = Call::new(READ, Method::GET, self.all_of(DISK), DISK.version);
        let all: Vec<Thing<Disk>> = self.list_of(&call).await?;
        let here = all.iter().filter(|one| self.is_here(&one.location));
        let mut found = Vec::new();
        for disk in here {
            let host = host_of(disk).map(|host| self.self_of(&host.id()));
            if !is_own(disk, host.as_deref()) {
                found.extend(self.report_volume(disk)?);
            }
        }
        Ok(found)
    }

    fn report_volume(&self, disk: &Thing<Disk>) -> Result<Option<Seen>> {
        let Some(at) = Place::of_path(&disk.id) else {
            return Ok(None);
        };
        let (id, mark) = (at.id(), tags::mark(&disk.tags));
        let made = tags::get(&disk.tags, MADE);
        let witness = tags::witness(&disk.tags, mark.as_ref(), &id, &self.self_of(&id));
        let source = &disk.properties.creation_data.create_option;
        let witness = match witness {
            // An adopted one may be made of whatever it was; a disk that we made is made of nothing.
            Witness::Held if made.is_some() && source != "Empty" => Witness::Refuted {
                why: format!("it was made by `{source}`, and not empty"),
            },
            witness => witness,
        };
        Ok(Some(Seen {
            made,
            resource: Resource {
                witness,
                name: disk.name.clone(),
                mark,
                state: state(disk.properties.provisioning_state.as_deref()),
                spec: Spec::Volume(VolumeSpec {
                    size: size(disk),
                    class: disk_class(&disk.sku.name),
                    zone: zone_of(&self.settings.region, &disk.zones)?,
                    attach: host_of(disk).map(|host| host.id()),
                    labels: tags::labels(&disk.tags),
                }),
                attributes: Attributes::new(),
                created: moment(disk.properties.time_created.as_deref()),
                id,
            },
        }))
    }

    /// Attaches a disk to a machine, or takes it off.
    async fn attach(
        &self,
        host: &Place,
        word: &'static str,
        disk: serde_json::Value,
    ) -> Result<()> {
        let _turn = self.turns.at(&host.id().to_string()).await;
        let path = format!("{}/attachDetachDataDisks", self.path(VM, host));
        let call = Call::new(ATTACH, Method::POST, path, VM.version);
        self.done(&call.carrying(json!({ word: [disk] }))).await
    }
}

/// Whether a disk is a part of a machine: it has a system on it, or a name that only those have. Azure
/// copies a machine's tags to the disks that it makes with it, so a mark for the machine is none for it.
fn is_own(disk: &Thing<Disk>, host_self: Option<&str>) -> bool {
    let made_as = tags::get(&disk.tags, tags::SELF);
    if made_as.is_some() && made_as.as_deref() == host_self {
        return true;
    }
    let of_machine = || {
        let (machine, number) = disk.name.rsplit_once("_own")?;
        let host = host_of(disk)?;
        let counted = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        Some(counted && host.name.eq_ignore_ascii_case(machine))
    };
    let has_system = disk.properties.os_type.is_some() && tags::mark(&disk.tags).is_none();
    has_system || of_machine().unwrap_or(false)
}

#[async_trait]
impl Attachment for AzureProvider {
    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        let found = self.disk_of(id).await?;
        let (at, disk) = found.ok_or_else(|| gone(Kind::Volume, id))?;
        let missing = || gone(Kind::Machine, machine);
        let host = Place::of_id(machine).ok_or_else(missing)?;
        match host_of(&disk) {
            Some(other) if other == host => return Ok(()),
            Some(other) => {
                let message = format!("the volume {id} is attached to {}", other.id());
                return Err(refuse(ErrorKind::Conflict, message));
            }
            None => {}
        }
        let vm = self.read_vm(&host).await?.ok_or_else(missing)?;
        if vm.zones != disk.zones {
            let message =
                format!("the volume {id} and the machine {machine} are in different zones");
            return Err(refuse(ErrorKind::Invalid, message));
        }
        let disk = json!({ "diskId": self.path(DISK, &at), "deleteOption": "Detach" });
        self.attach(&host, "dataDisksToAttach", disk).await
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        let found = self.disk_of(id).await?;
        let (at, disk) = found.ok_or_else(|| gone(Kind::Volume, id))?;
        let Some(host) = host_of(&disk) else {
            return Ok(());
        };
        let disk = json!({ "diskId": self.path(DISK, &at) });
        match self.attach(&host, "dataDisksToDetach", disk).await {
            // The machine went, or somebody else took it off.
            Err(error) if error.kind() == ErrorKind::NotFound => match self.disk_of(id).await? {
                Some((_, disk)) if host_of(&disk).is_some() => Err(error),
                _ => Ok(()),
            },
            outcome => outcome,
        }
    }
}
