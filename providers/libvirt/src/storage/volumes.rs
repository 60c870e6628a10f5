//! Volumes: making, reading, growing and deleting them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strat_model::{
    Attributes, Bytes, Digest, DiskClass, ErrorKind, Field, Kind, Resource, ResourceId,
    ResourceState, Result, Scope, Spec, VolumeSpec,
};

use crate::compute::machine_id;
use crate::error::{Explain as _, fail, missing};
use crate::host::{Guest, Host, NewVolume};
use crate::provider::{OwnedCreate, OwnedUpdate};
use crate::rpc::sys;
use crate::site::{Need, Site, check_fields, choose};
use crate::thing::{Phase, Thing, UNFINISHED, taken};

/// What the name of a volume's file ends with.
pub(super) const FILE: &str = ".volume";

/// What is kept of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VolumeBody {
    pub(crate) class: DiskClass,
    /// What was asked for last; the volume itself says what it is.
    pub(crate) size: Bytes,
    /// What it became where a pool gives whole pieces only, as LVM does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rounded: Option<Bytes>,
    /// The pool and the volume.
    pub(crate) pool: String,
    pub(crate) volume: String,
    /// Whether a machine ever had it: until then there is nothing in it.
    pub(crate) used: bool,
    /// How often it went from one host to another. Of two copies that a broken move left, the one
    /// that moved more often counts.
    pub(crate) moves: u64,
}

/// A volume, where it is.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The host's place in the site's list.
    pub(crate) host: usize,
    pub(crate) thing: Thing<VolumeBody>,
    /// Its size; `None` where its data is not there.
    pub(crate) capacity: Option<Bytes>,
    /// The hosts where a move left something behind.
    pub(crate) stale: Vec<usize>,
}

impl VolumeBody {
    /// How large a volume is that a guest sees so much of: what was asked for, if nothing but its
    /// pool's pieces makes the difference.
    fn shown(&self, capacity: Option<Bytes>) -> Bytes {
        capacity
            .filter(|_| capacity != self.rounded)
            .unwrap_or(self.size)
    }
}

impl Site {
    pub(crate) fn create_volume(
        &self,
        request: &OwnedCreate<VolumeSpec<ResourceId>>,
    ) -> Result<Resource> {
        let spec = Spec::Volume(request.spec.clone());
        let digest = request.digest(&spec);
        let birth = request.birth(Kind::Volume, &spec, &digest, self.now());
        let _placement = self.lock_placement();
        if let Some(mut found) = self.volume_things()?.remove(&request.name) {
            found.thing.check_repeated(birth)?;
            self.make_volume(&self.hosts[found.host], &mut found.thing)?;
            return self.volume(&ResourceId::from(&request.name));
        }
        self.check_zone(&request.spec.zone)?;
        if request.spec.size.0 == 0 {
            return Err(fail(ErrorKind::Invalid, "a volume has a size"));
        }
        let pool = self.pool_name(request.spec.class).to_owned();
        let need = Need {
            cpu: 0,
            memory: 0,
            pools: BTreeMap::from([(pool.clone(), request.spec.size.0)]),
            gpus: None,
        };
        let mut rooms = self.rooms()?;
        rooms.retain(|room| *self.hosts[room.host].zone() == request.spec.zone);
        // Where there is most room: the volume goes to its machine's host when it is attached.
        for room in &mut rooms {
            room.memory = u64::MAX - room.pools.get(&pool).copied().unwrap_or(0);
            room.gpus.clear();
        }
        let Some((host, _)) = choose(&mut rooms, &need) else {
            let message = format!(
                "no host of {} has room for {} of disk in the pool {pool}",
                request.spec.zone, request.spec.size
            );
            return Err(fail(ErrorKind::Capacity, message).with_scope(Scope::Offer));
        };
        let body = VolumeBody {
            class: request.spec.class,
            size: request.spec.size,
            rounded: None,
            pool,
            volume: format!("{}{FILE}", request.name),
            used: false,
            moves: 0,
        };
        if (self.noted(Kind::Volume)?.iter()).any(|note| note.name == request.name) {
            return Err(taken(Kind::Volume, &request.name));
        }
        // Data without a document is a volume whose mark is gone, and not an empty one.
        let has = |host: &Host| -> Result<bool> {
            let pool = self.pool_named(host, &body.pool)?;
            Ok(pool.volume(host, &body.volume)?.is_some())
        };
        if self.each(has)?.contains(&true) {
            return Err(taken(Kind::Volume, &request.name));
        }
        let mut thing = Thing::new(birth, Phase::Made, body);
        let host = &self.hosts[host];
        self.enroll(&request.mark.owner, host)?;
        self.note_volume(host, &thing)?;
        self.put_volume(host, &thing)?;
        self.make_volume(host, &mut thing)?;
        self.volume(&ResourceId::from(&request.name))
    }

    pub(super) fn put_volume(&self, host: &Host, thing: &Thing<VolumeBody>) -> Result<()> {
        self.on_shelf(host, Kind::Volume, |shelf| shelf.put(thing))
    }

    /// Makes a volume's data, if it is not there, and notes what it became.
    pub(super) fn make_volume(&self, host: &Host, thing: &mut Thing<VolumeBody>) -> Result<()> {
        let body = &mut thing.body;
        let new = NewVolume {
            name: &body.volume,
            capacity: Some(body.size.0),
            format: "qcow2",
            backing: None,
        };
        let pool = self.pool_named(host, &body.pool)?;
        let volume = pool.make(host, &new)?;
        if pool.has_files || body.rounded.is_some() {
            return Ok(());
        }
        let became = pool.size_of(host, &volume)?;
        if became != body.size {
            body.rounded = Some(became);
            self.put_volume(host, thing)?;
        }
        Ok(())
    }

    pub(crate) fn update_volume(
        &self,
        request: &OwnedUpdate<VolumeSpec<ResourceId>>,
    ) -> Result<Resource> {
        check_fields(&self.live, Kind::Volume, &request.fields)?;
        let _placement = self.lock_placement();
        let (host, mut thing, capacity) = match self.volume_things()?.remove(request.id.as_str()) {
            Some(found) => (found.host, found.thing, found.capacity),
            None => self.adopt_volume(request)?,
        };
        let host = &self.hosts[host];
        if let Some(mark) = &request.mark {
            self.enroll(&mark.owner, host)?;
        }
        thing.set_mark(request.mark.as_ref());
        if request.fields.contains(&Field::Labels) {
            thing.labels.clone_from(&request.spec.labels);
        }
        if request.fields.contains(&Field::Size) {
            let now = thing.body.shown(capacity);
            if request.spec.size < now {
                let message = format!("the volume {} cannot shrink from {now}", request.id);
                return Err(fail(ErrorKind::Invalid, message));
            }
            if request.spec.size > capacity.unwrap_or(now) {
                let body = &thing.body;
                self.grow(host, &body.pool, &body.volume, request.spec.size)?;
            }
            thing.body.size = request.spec.size;
        }
        self.put_volume(host, &thing)?;
        self.note_volume(host, &thing)?;
        self.volume(&request.id)
    }

    /// Makes a volume larger, in the machine that has it too.
    pub(crate) fn grow(&self, host: &Host, pool: &str, volume: &str, to: Bytes) -> Result<()> {
        let doing = || format!("growing the volume {volume}");
        let pool = self.pool_named(host, pool)?;
        if !pool.has_files {
            // libvirt's logical backend has no `resizeVol`:
            // <https://libvirt.org/storage.html#lvm-volume-group-pool>
            let message = format!(
                "the volume {volume} is in the pool {} of block devices, where libvirt makes nothing \
                 larger",
                pool.name
            );
            let help = "make a new volume, and copy what is in this one";
            return Err(fail(ErrorKind::Unsupported, message).with_help(help));
        }
        let path = pool.path_of(volume);
        let guests = host.guests()?;
        let user = guests
            .iter()
            .filter(|guest| guest.running)
            .find_map(|guest| Some((guest, guest.disk(&path)?)));
        let Some((guest, disk)) = user else {
            return pool.resize(host, volume, to);
        };
        let Some(domain) = host.domain(&guest.uuid)? else {
            return Err(missing(format!("machine {}", guest.name)));
        };
        domain
            .block_resize(&disk.target, to.0, sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES)
            .on(host, doing)
    }

    pub(crate) fn delete_volume(&self, id: &ResourceId) -> Result<()> {
        let _placement = self.lock_placement();
        let all = self.volume_things()?;
        let Some(found) = all.get(id.as_str()) else {
            return self.delete_foreign_volume(id, &all);
        };
        if let Some((_, guest)) = self.user_of(found)? {
            return Err(fail(
                ErrorKind::Conflict,
                format!("the volume {id} is attached to {}", guest.name),
            ));
        }
        self.drop_stale(found)?;
        let host = &self.hosts[found.host];
        self.drop_copy(host, &found.thing)?;
        self.unnote(Kind::Volume, &found.thing.name);
        if let Some(mark) = found.thing.mark() {
            self.leave(&mark.owner, host);
        }
        Ok(())
    }

    /// Deletes what a host has of a volume: its data, then its document.
    pub(super) fn drop_copy(&self, host: &Host, thing: &Thing<VolumeBody>) -> Result<()> {
        self.pool_named(host, &thing.body.pool)?
            .remove(host, &thing.body.volume)?;
        self.on_shelf(host, Kind::Volume, |shelf| shelf.remove(&thing.name))
    }

    /// Every volume of ours, where it is.
    pub(crate) fn volume_things(&self) -> Result<BTreeMap<String, Found>> {
        let lists = self.each(|host| self.documents_on(host, Kind::Volume))?;
        let mut all: BTreeMap<String, Found> = BTreeMap::new();
        for (host, list) in lists.into_iter().enumerate() {
            for (name, thing) in list {
                let new = Found {
                    host,
                    thing,
                    capacity: None,
                    stale: Vec::new(),
                };
                match all.remove(&name) {
                    None => all.insert(name, new),
                    Some(old) => all.insert(name, newer(old, new)),
                };
            }
        }
        for found in all.values_mut() {
            let (host, body) = (&self.hosts[found.host], &found.thing.body);
            let pool = self.pool_named(host, &body.pool)?;
            found.capacity = pool.size_if_there(host, &body.volume)?;
        }
        Ok(all)
    }

    /// The machine that has a volume.
    pub(super) fn user_of(&self, found: &Found) -> Result<Option<(&Host, Guest)>> {
        let host = &*self.hosts[found.host];
        let path = self
            .pool_named(host, &found.thing.body.pool)?
            .path_of(&found.thing.body.volume);
        let user = host
            .guests()?
            .into_iter()
            .find(|guest| guest.disk(&path).is_some());
        Ok(user.map(|guest| (host, guest)))
    }

    /// A volume as it is now.
    fn volume(&self, id: &ResourceId) -> Result<Resource> {
        let found = self
            .list_volumes()?
            .into_iter()
            .find(|volume| volume.id == *id);
        found.ok_or_else(|| missing(format!("volume {id}")))
    }

    pub(crate) fn list_volumes(&self) -> Result<Vec<Resource>> {
        let guests = self.guests()?;
        let mut volumes = Vec::new();
        let all = self.volume_things()?;
        for found in all.values() {
            let host = &self.hosts[found.host];
            let path = self
                .pool_named(host, &found.thing.body.pool)?
                .path_of(&found.thing.body.volume);
            let user = guests
                .iter()
                .find(|(of, guest)| of.name() == host.name() && guest.disk(&path).is_some());
            volumes.push(self.volume_of(found, user.map(|(host, guest)| machine_id(host, guest))));
        }
        for foreign in self.foreign_volumes(&all, &guests)? {
            volumes.push(self.foreign_of(&foreign));
        }
        Ok(volumes)
    }

    fn volume_of(&self, found: &Found, attach: Option<ResourceId>) -> Resource {
        let thing = &found.thing;
        let state = match (found.capacity, thing.phase) {
            (Some(_), Phase::Made) => ResourceState::Ready,
            // Its data is still to come, or never will.
            _ if self.now().duration_since(thing.created) > UNFINISHED => ResourceState::Failed,
            _ => ResourceState::Pending,
        };
        let device = format!(
            "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_{}",
            serial(&thing.name)
        );
        Resource {
            id: ResourceId::from(&thing.name),
            name: thing.name.clone(),
            mark: thing.mark(),
            witness: thing.witness(),
            state,
            spec: Spec::Volume(VolumeSpec {
                size: thing.body.shown(found.capacity),
                class: thing.body.class,
                zone: self.hosts[found.host].zone().clone(),
                attach,
                labels: thing.labels.clone(),
            }),
            attributes: Attributes::from([("device".to_owned(), device)]),
            created: Some(thing.created),
        }
    }
}

/// Of two copies, the one that counts; it knows of the other.
fn newer(one: Found, other: Found) -> Found {
    let rank = |found: &Found| (found.thing.phase == Phase::Made, found.thing.body.moves);
    let (mut best, rest) = if rank(&other) > rank(&one) {
        (other, one)
    } else {
        (one, other)
    };
    best.stale.push(rest.host);
    best.stale.extend(rest.stale);
    best
}

/// What a machine knows a volume by. SCSI takes 20 characters.
pub(super) fn serial(name: &str) -> String {
    Digest::of(name.as_bytes()).short().to_owned()
}
