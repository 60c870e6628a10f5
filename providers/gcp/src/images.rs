//! Images: Google's public images by neutral name, each the newest of its family.
//!
//! Making an image of a file is not offered: Google imports disk images through a bucket and a service
//! of its own. The capabilities say so, so that a plan that asks for one is refused before anything is
//! called.

use async_trait::async_trait;
use futures::future::try_join_all;
use google_cloud_compute_v1::model::Image;
use google_cloud_compute_v1::model::image::Architecture;
use strat_model::{ErrorKind, PublicImages, ResourceId, Result};
use strat_provider::Images;

use crate::error::{failed, if_there, refuse};
use crate::names::last;
use crate::provider::GcpProvider;

/// A neutral name, the project that publishes its images, and the family of each instruction set.
///
/// <https://cloud.google.com/compute/docs/images/os-details>
type Line = (&'static str, &'static str, &'static [&'static str]);

const LINES: [Line; 6] = [
    (
        "debian-11",
        "debian-cloud",
        &["debian-11", "debian-11-arm64"],
    ),
    (
        "debian-12",
        "debian-cloud",
        &["debian-12", "debian-12-arm64"],
    ),
    (
        "debian-13",
        "debian-cloud",
        &["debian-13", "debian-13-arm64"],
    ),
    (
        "rocky-linux-9",
        "rocky-linux-cloud",
        &["rocky-linux-9", "rocky-linux-9-arm64"],
    ),
    (
        "ubuntu-22.04",
        "ubuntu-os-cloud",
        &["ubuntu-2204-lts", "ubuntu-2204-lts-arm64"],
    ),
    (
        "ubuntu-24.04",
        "ubuntu-os-cloud",
        &["ubuntu-2404-lts-amd64", "ubuntu-2404-lts-arm64"],
    ),
];

impl GcpProvider {
    /// The newest image of a family that is not deprecated.
    async fn of_family(&self, project: &str, family: &str) -> Result<Option<Image>> {
        let call = self.access.images.get_from_family().set_project(project);
        let answer = call.set_family(family).send().await;
        if_there(answer.map_err(failed("compute.images.getFromFamily")))
    }

    /// The image of a path: of a family, or one that is named itself.
    async fn of_path(&self, path: &str) -> Result<Option<Image>> {
        let project = path.split('/').nth(1).unwrap_or_default();
        if path.contains("/images/family/") {
            return self.of_family(project, last(path)).await;
        }
        let call = self
            .access
            .images
            .get()
            .set_project(project)
            .set_image(last(path));
        if_there(call.send().await.map_err(failed("compute.images.get")))
    }
}

#[async_trait]
impl Images for GcpProvider {
    /// One call a family; and those that the site's `images` names, which win.
    async fn public_images(&self) -> Result<PublicImages> {
        let lines = LINES.iter().flat_map(|(name, project, families)| {
            families
                .iter()
                .map(move |family| (*name, *project, *family))
        });
        let found = lines.map(|(name, project, family)| async move {
            let image = self.of_family(project, family).await?;
            Ok::<_, strat_model::Error>(image.map(|image| (name.to_owned(), image)))
        });
        let mut all: Vec<(String, Image)> =
            try_join_all(found).await?.into_iter().flatten().collect();
        for (name, path) in &self.settings.images {
            let image = self.of_path(path).await?.ok_or_else(|| {
                let message = format!(
                    "`images` of the site says that {path} is `{name}`, and it is not there"
                );
                refuse(ErrorKind::Invalid, message)
            })?;
            all.push((name.clone(), image));
        }
        let mut images = PublicImages::default();
        for (name, image) in all {
            if let Some(id) = image.self_link.as_deref().and_then(path_of) {
                images.insert(name, Some(arch(image.architecture.as_ref())), id);
            }
        }
        Ok(images)
    }
}

/// The path of an image, without the server's name: what calls refer to it by.
fn path_of(link: &str) -> Option<ResourceId> {
    let at = link.find("projects/")?;
    Some(ResourceId::from(&link[at..]))
}

/// Our word for an instruction set; one that is not said is the usual one.
fn arch(architecture: Option<&Architecture>) -> &'static str {
    match architecture {
        Some(Architecture::Arm64) => "aarch64",
        _ => "x86_64",
    }
}
