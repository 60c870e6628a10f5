//! Images: volumes that machines' disks are layers over.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use strat_model::{
    Attributes, ErrorKind, Field, ImageSpec, Kind, PublicImages, Resource, ResourceId,
    ResourceState, Result, Spec,
};
use strat_provider::Images;

use crate::config::ImageSource;
use crate::error::{fail, missing};
use crate::host::{Host, NewVolume};
use crate::provider::{LibvirtProvider, OwnedCreate, OwnedUpdate};
use crate::site::{Site, check_fields};
use crate::thing::{Phase, Thing};

/// The beginning of the id of an image that the site's settings name.
const NAMED: &str = "public/";

/// What is kept of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageBody {
    source: String,
    sha256: String,
    /// `qcow2` or `raw`.
    pub(crate) format: String,
    /// The pool and the volume.
    pub(crate) pool: String,
    pub(crate) volume: String,
    /// Whether the volume was there before and stays afterwards.
    found: bool,
}

/// Where an image's content comes from.
enum Origin {
    /// A file on this machine.
    File(File, u64),
    /// A volume of a pool on every host, used where it is.
    Volume { pool: String, volume: String },
}

#[async_trait]
impl Images for LibvirtProvider {
    async fn public_images(&self) -> Result<PublicImages> {
        self.run("public_images", |site| {
            let names = site.settings.images.keys();
            Ok(names
                .map(|name| (name.clone(), ResourceId::from(format!("{NAMED}{name}"))))
                .collect())
        })
        .await
    }
}

impl Site {
    pub(crate) fn create_image(&self, request: &OwnedCreate<ImageSpec>) -> Result<Resource> {
        let spec = Spec::Image(request.spec.clone());
        let digest = request.digest(&spec);
        let birth = request.birth(Kind::Image, &spec, &digest, self.now());
        if let Some(thing) = self.image_things()?.get(&request.name) {
            thing.check_repeated(birth)?;
            if thing.phase == Phase::Made {
                return Ok(self.image_of(thing));
            }
        }
        let mut origin = self.origin(&request.spec)?;
        let (pool, volume, found) = match &origin {
            Origin::File(..) => (
                self.settings.pool.clone(),
                format!("{}.image", request.name),
                false,
            ),
            Origin::Volume { pool, volume } => (pool.clone(), volume.clone(), true),
        };
        let format = match &mut origin {
            Origin::File(file, _) => check_file(file, &request.spec)?,
            Origin::Volume { pool, volume } => {
                self.check_volume_image(pool, volume, &request.spec)?
            }
        };
        let (source, sha256) = (request.spec.source.clone(), request.spec.sha256.clone());
        let body = ImageBody {
            source,
            sha256,
            format,
            pool,
            volume,
            found,
        };
        let mut thing = Thing::new(birth, Phase::Making, body);
        self.each(|host| self.put_image(host, &thing))?;
        if let Origin::File(file, length) = &origin {
            self.each(|host| {
                let mut file = file
                    .try_clone()
                    .map_err(|error| unreadable(&request.spec, error))?;
                // Clones share their place in the file, so each host opens its own.
                if self.hosts.len() > 1 {
                    file = File::open(self.base_dir.join(&request.spec.source))
                        .map_err(|error| unreadable(&request.spec, error))?;
                }
                self.fill_image(host, &thing.body, &mut file, *length)
            })?;
        }
        thing.phase = Phase::Made;
        self.each(|host| self.put_image(host, &thing))?;
        Ok(self.image_of(&thing))
    }

    fn put_image(&self, host: &Host, thing: &Thing<ImageBody>) -> Result<()> {
        self.on_shelf(host, Kind::Image, |shelf| shelf.put(thing))
    }

    /// Where the content is: `pool://<pool>/<volume>` on every host, or a file here.
    fn origin(&self, spec: &ImageSpec) -> Result<Origin> {
        let is_digest = spec.sha256.len() == 64
            && spec
                .sha256
                .bytes()
                .all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        if !is_digest {
            return Err(fail(
                ErrorKind::Invalid,
                "an image has a SHA-256 of 64 lower-case hex digits",
            ));
        }
        if let Some((pool, volume)) = spec
            .source
            .strip_prefix("pool://")
            .and_then(|rest| rest.split_once('/'))
        {
            return Ok(Origin::Volume {
                pool: pool.to_owned(),
                volume: volume.to_owned(),
            });
        }
        if spec.source.contains("://") {
            let message = format!(
                "`{}` cannot be read by libvirt: fetch it, and name the file, or a volume as `pool://<pool>/<volume>`",
                spec.source
            );
            return Err(fail(ErrorKind::Unsupported, message));
        }
        let file = File::open(self.base_dir.join(&spec.source))
            .map_err(|error| unreadable(spec, error))?;
        let length = file
            .metadata()
            .map_err(|error| unreadable(spec, error))?
            .len();
        Ok(Origin::File(file, length))
    }

    /// Checks a volume on every host, and gives its format.
    fn check_volume_image(&self, pool: &str, volume: &str, spec: &ImageSpec) -> Result<String> {
        let formats = self.each(|host| {
            let Some(found) = self.pool_named(host, pool)?.volume(host, volume)? else {
                return Err(missing(format!(
                    "volume {volume} in the pool {pool} of {}",
                    host.name()
                )));
            };
            let (mut hasher, mut head) = (Sha256::new(), Vec::new());
            host.download(&found, &mut |part| {
                hasher.update(part);
                if head.len() < 4 {
                    head.extend_from_slice(&part[..part.len().min(4)]);
                }
                Ok(())
            })?;
            check_digest(hasher, spec)?;
            Ok(format_of(&head))
        })?;
        Ok(formats.into_iter().next().unwrap_or("raw").to_owned())
    }

    /// Makes an image's volume and fills it, from the beginning.
    fn fill_image(
        &self,
        host: &Host,
        body: &ImageBody,
        file: &mut File,
        length: u64,
    ) -> Result<()> {
        let wrong =
            |error| fail(ErrorKind::Internal, "an image file cannot be read").with_source(error);
        let pool = self.pool_named(host, &body.pool)?;
        pool.remove(host, &body.volume)?;
        let capacity = virtual_size(file, &body.format, length).map_err(wrong)?;
        let new = NewVolume {
            name: &body.volume,
            capacity: Some(capacity),
            format: &body.format,
            backing: None,
        };
        let volume = pool.make(host, &new)?;
        file.seek(SeekFrom::Start(0)).map_err(wrong)?;
        host.upload(&volume, length, file)
    }

    pub(crate) fn update_image(&self, request: &OwnedUpdate<ImageSpec>) -> Result<Resource> {
        check_fields(&self.live, Kind::Image, &request.fields)?;
        let Some(mut thing) = self.image_things()?.remove(request.id.as_str()) else {
            return Err(missing(format!("image {}", request.id)));
        };
        thing.set_mark(request.mark.as_ref());
        if request.fields.contains(&Field::Labels) {
            thing.labels.clone_from(&request.spec.labels);
        }
        self.each(|host| self.put_image(host, &thing))?;
        Ok(self.image_of(&thing))
    }

    pub(crate) fn delete_image(&self, id: &ResourceId) -> Result<()> {
        let Some(mut thing) = self.image_things()?.remove(id.as_str()) else {
            return Ok(());
        };
        let uses =
            |guest: &crate::host::Guest| guest.body().is_some_and(|body| body.image == id.as_str());
        if let Some((_, guest)) = self.guests()?.iter().find(|(_, guest)| uses(guest)) {
            let message = format!(
                "the disk of the machine {} is a layer over the image {id}",
                guest.name
            );
            return Err(fail(ErrorKind::Conflict, message));
        }
        thing.phase = Phase::Leaving { since: self.now() };
        self.each(|host| {
            self.put_image(host, &thing)?;
            if !thing.body.found {
                self.pool_named(host, &thing.body.pool)?
                    .remove(host, &thing.body.volume)?;
            }
            self.on_shelf(host, Kind::Image, |shelf| shelf.remove(id.as_str()))
        })?;
        Ok(())
    }

    pub(crate) fn list_images(&self) -> Result<Vec<Resource>> {
        Ok(self
            .image_things()?
            .values()
            .map(|thing| self.image_of(thing))
            .collect())
    }

    /// The documents of all images, as they are on all hosts.
    pub(crate) fn image_things(&self) -> Result<BTreeMap<String, Thing<ImageBody>>> {
        self.documents(Kind::Image)
    }

    /// The image of the settings that an id names.
    pub(crate) fn named_image(&self, id: &ResourceId) -> Option<&ImageSource> {
        self.settings.images.get(id.as_str().strip_prefix(NAMED)?)
    }

    fn image_of(&self, thing: &Thing<ImageBody>) -> Resource {
        let state = match thing.phase {
            Phase::Made => ResourceState::Ready,
            _ if thing.is_abandoned(self.now()) => ResourceState::Failed,
            Phase::Making => ResourceState::Pending,
            Phase::Leaving { .. } => ResourceState::Deleting,
        };
        Resource {
            id: ResourceId::from(&thing.name),
            name: thing.name.clone(),
            mark: thing.mark(),
            witness: thing.witness(),
            state,
            spec: Spec::Image(ImageSpec {
                source: thing.body.source.clone(),
                sha256: thing.body.sha256.clone(),
                labels: thing.labels.clone(),
            }),
            attributes: Attributes::new(),
            created: Some(thing.created),
        }
    }
}

fn unreadable(spec: &ImageSpec, error: std::io::Error) -> strat_model::Error {
    fail(
        ErrorKind::Invalid,
        format!("the image `{}` cannot be read", spec.source),
    )
    .with_source(error)
}

/// Checks a file's digest, and gives its format.
fn check_file(file: &mut File, spec: &ImageSpec) -> Result<String> {
    let (mut hasher, mut head) = (Sha256::new(), Vec::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file
            .read(&mut buffer)
            .map_err(|error| unreadable(spec, error))?;
        if read == 0 {
            break;
        }
        if head.len() < 4 {
            head.extend_from_slice(&buffer[..read.min(4)]);
        }
        hasher.update(&buffer[..read]);
    }
    check_digest(hasher, spec)?;
    Ok(format_of(&head).to_owned())
}

fn check_digest(hasher: Sha256, spec: &ImageSpec) -> Result<()> {
    let digest: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if digest == spec.sha256 {
        return Ok(());
    }
    let message = format!(
        "the SHA-256 of `{}` is {digest}, not {}",
        spec.source, spec.sha256
    );
    Err(fail(ErrorKind::Invalid, message))
}

/// The format that a file's first bytes tell: qcow2 begins with `QFI\xfb`.
/// <https://www.qemu.org/docs/master/interop/qcow2.html>
fn format_of(head: &[u8]) -> &'static str {
    if head.starts_with(b"QFI\xfb") {
        "qcow2"
    } else {
        "raw"
    }
}

/// How large the disk is that a file describes: in a qcow2 header, at byte 24.
fn virtual_size(file: &mut File, format: &str, length: u64) -> std::io::Result<u64> {
    if format != "qcow2" {
        return Ok(length);
    }
    let mut size = [0; 8];
    file.seek(SeekFrom::Start(24))?;
    file.read_exact(&mut size)?;
    Ok(u64::from_be_bytes(size))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_checked_and_measured() {
        let mut file = tempfile::tempfile().expect("a file");
        let mut content = vec![0; 104];
        content[..4].copy_from_slice(b"QFI\xfb");
        content[24..32].copy_from_slice(&(5_u64 << 30).to_be_bytes());
        file.write_all(&content).expect("written");
        file.seek(SeekFrom::Start(0)).expect("back");
        let digest = strat_model::Digest::of(&content);
        let mut spec = ImageSpec {
            source: "x".to_owned(),
            sha256: digest.to_string(),
            labels: strat_model::Labels::new(),
        };
        assert_eq!(
            check_file(&mut file, &spec).expect("the digest is right"),
            "qcow2"
        );
        assert_eq!(
            virtual_size(&mut file, "qcow2", 104).expect("a size"),
            5 << 30
        );
        assert_eq!(virtual_size(&mut file, "raw", 104).expect("a size"), 104);
        spec.sha256 = "0".repeat(64);
        assert!(check_file(&mut file, &spec).is_err());
    }
}
