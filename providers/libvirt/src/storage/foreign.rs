//! Volumes that are not ours: seen, adopted when asked, otherwise left alone.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{
    Attributes, Bytes, DiskClass, ErrorKind, Labels, Resource, ResourceId, ResourceState, Result,
    Spec, VolumeSpec, Witness,
};

use super::volumes::{FILE, Found, VolumeBody};
use crate::error::{fail, missing};
use crate::host::{Guest, Host};
use crate::provider::OwnedUpdate;
use crate::site::Site;
use crate::thing::Thing;

/// A volume that is not ours.
pub(super) struct Foreign {
    host: usize,
    pool: String,
    name: String,
    capacity: Bytes,
}

impl Foreign {
    /// The name of the volume of ours that it was before its document went: who deletes that takes the
    /// mark off, and nothing else.
    fn lost(&self) -> Option<&str> {
        self.name.strip_suffix(FILE).filter(|name| !name.is_empty())
    }
}

impl Site {
    /// The volumes of the site's pool that nothing of ours accounts for.
    pub(super) fn foreign_volumes(
        &self,
        ours: &BTreeMap<String, Found>,
        guests: &[(&Host, Guest)],
    ) -> Result<Vec<Foreign>> {
        let images = self.image_things()?;
        let mut known: BTreeSet<String> = ours
            .values()
            .map(|found| found.thing.body.volume.clone())
            .collect();
        known.extend(images.values().map(|image| image.body.volume.clone()));
        known.extend(
            self.settings
                .images
                .values()
                .filter_map(|image| image.disk.clone()),
        );
        for (_, guest) in guests {
            if let Some(body) = guest.body() {
                known.extend(self.parts_of(&guest.name, body));
            }
        }
        // Of other pools, only what was a volume of ours.
        let others = self.settings.pools.values();
        let others = others.filter(|name| **name != self.settings.pool);
        let mut foreign = Vec::new();
        for pool in others.chain([&self.settings.pool]).collect::<BTreeSet<_>>() {
            let lists = self.each(|host| match host.traits()?.offers("test") {
                true => Ok(Vec::new()),
                false => self.pool_named(host, pool)?.volumes(host),
            })?;
            for (host, list) in lists.into_iter().enumerate() {
                let unknown = list.into_iter().filter(|one| !known.contains(&one.name));
                let found = unknown.map(|one| Foreign {
                    host,
                    pool: pool.clone(),
                    name: one.name,
                    capacity: one.capacity,
                });
                let own = *pool == self.settings.pool;
                foreign.extend(found.filter(|one| own || one.lost().is_some()));
            }
        }
        Ok(foreign)
    }

    pub(super) fn foreign_of(&self, foreign: &Foreign) -> Resource {
        let host = &self.hosts[foreign.host];
        let id = match foreign.lost() {
            Some(name) => ResourceId::from(name),
            None => ResourceId::from(format!("{}/{}/{}", host.name(), foreign.pool, foreign.name)),
        };
        Resource {
            id,
            name: foreign.lost().unwrap_or(&foreign.name).to_owned(),
            mark: None,
            witness: Witness::Lacking,
            state: ResourceState::Ready,
            spec: Spec::Volume(VolumeSpec {
                size: foreign.capacity,
                class: DiskClass::default(),
                zone: host.zone().clone(),
                attach: None,
                labels: Labels::new(),
            }),
            attributes: Attributes::new(),
            created: None,
        }
    }

    /// The document of a volume that was foreign so far, where it is.
    pub(super) fn adopt_volume(
        &self,
        request: &OwnedUpdate<VolumeSpec<ResourceId>>,
    ) -> Result<(usize, Thing<VolumeBody>, Option<Bytes>)> {
        let (guests, ours) = (self.guests()?, self.volume_things()?);
        let foreign = self.foreign_volumes(&ours, &guests)?;
        let found = foreign
            .into_iter()
            .find(|foreign| self.foreign_of(foreign).id == request.id);
        let Some(found) = found else {
            return Err(missing(format!("volume {}", request.id)));
        };
        let spec = Spec::Volume(request.spec.clone());
        let body = VolumeBody {
            class: DiskClass::default(),
            size: found.capacity,
            rounded: None,
            pool: found.pool.clone(),
            volume: found.name.clone(),
            used: true,
            moves: 0,
        };
        let name = found.lost().unwrap_or(&found.name);
        let thing = request.adopted(name, &spec, self.now(), body)?;
        Ok((found.host, thing, Some(found.capacity)))
    }

    pub(super) fn delete_foreign_volume(
        &self,
        id: &ResourceId,
        ours: &BTreeMap<String, Found>,
    ) -> Result<()> {
        let guests = self.guests()?;
        for foreign in self.foreign_volumes(ours, &guests)? {
            if self.foreign_of(&foreign).id == *id {
                let host = &self.hosts[foreign.host];
                let pool = self.pool_named(host, &foreign.pool)?;
                let path = pool.path_of(&foreign.name);
                if let Some((_, guest)) =
                    guests.iter().find(|(_, guest)| guest.disk(&path).is_some())
                {
                    return Err(fail(
                        ErrorKind::Conflict,
                        format!("the machine {} uses the volume {id}", guest.name),
                    ));
                }
                return pool.remove(host, &foreign.name);
            }
        }
        Ok(())
    }
}
