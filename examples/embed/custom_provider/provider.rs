//! A whole provider: each bucket is a folder that holds what it is, as JSON.

use std::{io, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use stratiform::model::{
    Capabilities, Error, ErrorKind, Kind, Mark, Name, Resource, ResourceId, ResourceState, Result,
    SiteSpec, Spec, Witness,
};
use stratiform::provider::{ConnectContext, Provider, ProviderFactory, SettingError};
use stratiform::{Things, Uniform, uniform_capabilities};

type Known = Spec<ResourceId>;

#[derive(Debug)]
pub(crate) struct Folders;

#[async_trait]
impl ProviderFactory for Folders {
    fn name(&self) -> &'static str {
        "folders"
    }
    fn check(&self, _: &SiteSpec) -> Result<(), Vec<SettingError>> {
        Ok(())
    }
    async fn connect(&self, site: &SiteSpec, at: &ConnectContext) -> Result<Arc<dyn Provider>> {
        let root = at.base_dir.join("buckets");
        std::fs::create_dir_all(&root).map_err(failed)?;
        Ok(Arc::new(Uniform::new(Buckets {
            site: site.name.clone(),
            root,
            capabilities: uniform_capabilities([Kind::Bucket]),
        })))
    }
}

#[derive(Debug)]
struct Buckets {
    site: Name,
    root: PathBuf,
    capabilities: Capabilities,
}

#[async_trait]
impl Things for Buckets {
    fn name(&self) -> &'static str {
        "folders"
    }
    fn site(&self) -> &Name {
        &self.site
    }
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create(&self, spec: Known, name: &str, mark: &Mark) -> Result<Resource> {
        self.update(&ResourceId::from(name), spec, mark).await
    }

    async fn update(&self, id: &ResourceId, spec: Known, mark: &Mark) -> Result<Resource> {
        let bucket = Resource {
            id: id.clone(),
            name: id.to_string(),
            mark: Some(mark.clone()),
            // A folder is no other: nothing copies one together with its mark.
            witness: Witness::by_mark(Some(mark), id),
            state: ResourceState::Ready,
            spec,
            attributes: [].into(),
            created: None,
        };
        let folder = self.root.join(id.as_str());
        let text = serde_json::to_vec(&bucket).map_err(failed)?;
        std::fs::create_dir_all(&folder).map_err(failed)?;
        std::fs::write(folder.join("bucket.json"), text).map_err(failed)?;
        Ok(bucket)
    }

    async fn delete(&self, _: Kind, id: &ResourceId) -> Result<()> {
        match std::fs::remove_dir_all(self.root.join(id.as_str())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    async fn list(&self, _: Kind) -> Result<Vec<Resource>> {
        let folders = std::fs::read_dir(&self.root).map_err(failed)?;
        let read = |folder: io::Result<std::fs::DirEntry>| {
            let text = std::fs::read(folder.map_err(failed)?.path().join("bucket.json"));
            serde_json::from_slice(&text.map_err(failed)?).map_err(failed)
        };
        folders.map(read).collect()
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, "the folder cannot be used").with_source(error)
}
