//! Rules of volumes, buckets, images and key pairs.

use std::path::Path;

use strat_model::{
    Bytes, Digest, ImageSpec, KeypairSpec, Kind, Pool, ResourceId, Result, Scope, Spec, VolumeSpec,
};
use strat_provider::Emptied;

use super::Cloud;
use crate::Profile;
use crate::error::Trouble;
use crate::world::Tx;

/// A file larger than this is not read to check its digest.
const IMAGE_READ_MAX: u64 = 64 << 20;

/// The most objects that one call deletes.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
const OBJECTS_MAX: u64 = 1000;

impl Cloud {
    /// Takes some objects out of a bucket.
    pub(crate) fn empty_bucket(&self, tx: &mut Tx<'_>, id: &ResourceId) -> Result<Emptied> {
        self.check_kind(Kind::Bucket)?;
        let Some(thing) = tx.region().get(Kind::Bucket, id).cloned() else {
            return Ok(Emptied::default());
        };
        let removed = thing.objects.min(OBJECTS_MAX);
        let mut next = (*thing).clone();
        next.objects -= removed;
        let left = next.objects > 0;
        if removed > 0 {
            tx.change(&thing, next, 0);
        }
        Ok(Emptied { removed, left })
    }

    pub(super) fn check_volume(&self, tx: &Tx<'_>, volume: &VolumeSpec<ResourceId>) -> Result<()> {
        self.check_zone(tx, &volume.zone)?;
        if volume.size.0 == 0 {
            return Err(self.fail(Trouble::BadParameter, "a volume has a size"));
        }
        self.check_disk(tx, volume.size)
    }

    /// Fails unless owned hardware has this much disk left.
    pub(super) fn check_disk(&self, tx: &Tx<'_>, more: Bytes) -> Result<()> {
        let free = self.free(tx);
        if free.is_some_and(|free| free.disk < more) {
            let message = format!("there is no room for {more} of disk");
            return Err(self
                .fail(Trouble::OutOfStock, message)
                .with_scope(Scope::Offer));
        }
        Ok(())
    }

    /// For owned hardware with a bound, what nobody uses now.
    pub(crate) fn free(&self, tx: &Tx<'_>) -> Option<Pool> {
        let all = self.site.capacity.as_ref()?.pool();
        let used = tx.region().usage.pool();
        Some(Pool {
            cpu: all.cpu.saturating_sub(used.cpu),
            memory: Bytes(all.memory.0.saturating_sub(used.memory.0)),
            disk: Bytes(all.disk.0.saturating_sub(used.disk.0)),
            gpus: (all.gpus.into_iter())
                .map(|(model, all)| {
                    let used = used.gpus.get(&model).copied().unwrap_or(0);
                    (model, all.saturating_sub(used))
                })
                .collect(),
        })
    }

    pub(super) fn check_bucket(&self, tx: &Tx<'_>, name: &str) -> Result<()> {
        match tx.bucket_owner(name) {
            None => Ok(()),
            Some(key) => {
                let message = format!("the bucket name `{name}` is taken, in {key}");
                Err(self
                    .fail(Trouble::BucketTaken, message)
                    .with_scope(Scope::Cloud))
            }
        }
    }

    pub(super) fn bucket_url(&self, name: &str) -> String {
        let region = &self.site.region;
        match self.profile() {
            Profile::Aws => format!("https://{name}.s3.{region}.amazonaws.com"),
            Profile::Azure => format!("https://{name}.blob.core.windows.net"),
            Profile::Gcp => format!("https://storage.googleapis.com/{name}"),
            Profile::Onprem => format!("file:///{name}"),
        }
    }

    pub(super) fn check_keypair(&self, keypair: &KeypairSpec) -> Result<()> {
        let mut words = keypair.public_key.split_whitespace();
        let algorithm = words.next().unwrap_or_default();
        let known = ["ssh-", "ecdsa-", "sk-"]
            .iter()
            .any(|p| algorithm.starts_with(p));
        if known && words.next().is_some() && words.next().is_none() {
            return Ok(());
        }
        let message = "the key is not in OpenSSH's one-line form without a comment";
        Err(self.fail(Trouble::BadParameter, message))
    }

    pub(super) fn check_image(&self, image: &ImageSpec) -> Result<()> {
        let is_digest = image.sha256.len() == 64
            && image
                .sha256
                .bytes()
                .all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        if !is_digest || image.source.is_empty() {
            let message = "an image has a source and a SHA-256 of 64 lower-case hex digits";
            return Err(self.fail(Trouble::BadParameter, message));
        }
        // A path that is not there, or a URL, stands for a file that only the cloud can read.
        let path = self.site.base_dir.join(Path::new(&image.source));
        let readable = path
            .metadata()
            .is_ok_and(|m| m.is_file() && m.len() <= IMAGE_READ_MAX);
        match readable.then(|| std::fs::read(&path)) {
            Some(Ok(content)) if Digest::of(&content).as_str() != image.sha256 => {
                let message = format!("the SHA-256 of `{}` is another", image.source);
                Err(self.fail(Trouble::BadParameter, message))
            }
            _ => Ok(()),
        }
    }

    /// Attaches a volume to a machine of its zone.
    pub(crate) fn attach_volume(
        &self,
        tx: &mut Tx<'_>,
        id: &ResourceId,
        machine: &ResourceId,
    ) -> Result<()> {
        let thing = self.need(tx, Kind::Volume, id)?;
        let Spec::Volume(volume) = &thing.spec else {
            return Ok(());
        };
        if volume.attach.as_ref() == Some(machine) {
            return Ok(());
        }
        if let Some(other) = &volume.attach {
            let message = format!("the volume {id} is attached to {other}");
            return Err(self.fail(Trouble::InUse, message));
        }
        let target = self.need(tx, Kind::Machine, machine)?;
        if super::zone_of(&target.spec) != Some(&volume.zone) {
            let message = format!("the volume {id} is in another zone than {machine}");
            return Err(self.fail(Trouble::BadParameter, message));
        }
        self.set_attach(tx, id, Some(machine.clone()))
    }

    /// Detaches a volume from whatever it is attached to.
    pub(crate) fn detach_volume(&self, tx: &mut Tx<'_>, id: &ResourceId) -> Result<()> {
        self.existing(tx, Kind::Volume, id)?;
        self.set_attach(tx, id, None)
    }

    /// Notes that a volume is pulled off a machine that runs.
    pub(crate) fn note_pulled(&self, tx: &mut Tx<'_>, id: &ResourceId) {
        let region = tx.region();
        let Some(Spec::Volume(volume)) = region.get(Kind::Volume, id).map(|thing| &thing.spec)
        else {
            return;
        };
        let machine = volume.attach.as_ref();
        let machine = machine.and_then(|machine| region.get(Kind::Machine, machine));
        let runs = machine
            .is_some_and(|machine| machine.is_wanted() && !machine.stopped && !machine.failed);
        if runs {
            tx.change_record(|record| record.pulled.push(id.clone()));
        }
    }

    fn set_attach(&self, tx: &mut Tx<'_>, id: &ResourceId, to: Option<ResourceId>) -> Result<()> {
        let thing = self.existing(tx, Kind::Volume, id)?;
        let mut next = (*thing).clone();
        if let Spec::Volume(volume) = &mut next.spec
            && volume.attach != to
        {
            volume.attach = to;
            tx.change(&thing, next, self.times(tx).consistency_ms);
        }
        Ok(())
    }
}
