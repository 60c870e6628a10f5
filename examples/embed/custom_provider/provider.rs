//! A whole provider: each bucket is a folder, with a file in it that says what it is.

use std::{io, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use stratiform::model::{
    Attributes, Capabilities, Error, ErrorKind, Kind, Mark, Name, Resource, ResourceId, Result,
    SiteSpec, Spec,
};
use stratiform::provider::{ConnectContext, Provider, ProviderFactory};
use stratiform::{Things, Uniform, uniform_capabilities};

const FILE: &str = "bucket.json";

type Known = Spec<ResourceId>;

#[derive(Debug)]
pub(crate) struct Folders;

#[async_trait]
impl ProviderFactory for Folders {
    fn name(&self) -> &'static str {
        "folders"
    }
    async fn connect(&self, site: &SiteSpec, at: &ConnectContext) -> Result<Arc<dyn Provider>> {
        let root = at.base_dir.join("buckets");
        std::fs::create_dir_all(&root).map_err(failed)?;
        let (site, capabilities) = (site.name.clone(), uniform_capabilities([Kind::Bucket]));
        Ok(Arc::new(Uniform::new(Buckets {
            site,
            root,
            capabilities,
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
        let folder = self.root.join(name);
        let made = std::fs::create_dir(&folder);
        // A folder without its file is what a run that was cut short left.
        if made.is_err() && folder.join(FILE).exists() {
            return Err(Error::new(ErrorKind::AlreadyExists, name));
        }
        self.update(&ResourceId::from(name), spec, mark).await
    }
    async fn update(&self, id: &ResourceId, spec: Known, mark: &Mark) -> Result<Resource> {
        let folder = self.root.join(id.as_str());
        let url = format!("file://{}", folder.display());
        // A folder is no other: nothing copies one together with its mark.
        let bucket = Resource {
            attributes: Attributes::from([("url".to_owned(), url)]),
            ..Resource::kept(id.clone(), id.as_str(), spec, mark)
        };
        let text = serde_json::to_vec(&bucket).map_err(failed)?;
        std::fs::write(folder.join("draft"), text).map_err(failed)?;
        std::fs::rename(folder.join("draft"), folder.join(FILE)).map_err(failed)?;
        Ok(bucket)
    }
    async fn delete(&self, _: Kind, id: &ResourceId) -> Result<()> {
        let folder = self.root.join(id.as_str());
        match std::fs::read_dir(&folder).map(Iterator::count) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Ok(files) if files > 1 => Err(Error::new(ErrorKind::Conflict, "it is not empty")),
            _ => std::fs::remove_dir_all(folder).map_err(failed),
        }
    }
    async fn list(&self, _: Kind) -> Result<Vec<Resource>> {
        let folders = std::fs::read_dir(&self.root).map_err(failed)?;
        let paths = folders.map(|folder| Ok(folder.map_err(failed)?.path().join(FILE)));
        let there = paths.filter(|path| path.as_ref().map_or(true, |path| path.exists()));
        let texts = there.map(|path| std::fs::read(path?).map_err(failed));
        texts
            .map(|text| serde_json::from_slice(&text?).map_err(failed))
            .collect()
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, "the folder cannot be used").with_source(error)
}
