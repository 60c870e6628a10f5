//! The example's provider keeps the promises that every provider gives.

#[path = "../custom_provider/provider.rs"]
mod provider;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use strat_conformance::Harness;
use stratiform::model::{Name, ResourceId, SiteSpec};
use stratiform::provider::{ConnectContext, Provider, ProviderFactory, TokioClock};

struct Folders {
    dir: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder"),
        }
    }

    fn bucket(&self, id: &ResourceId) -> PathBuf {
        self.dir.path().join("buckets").join(id.as_str())
    }
}

#[async_trait]
impl Harness for Folders {
    async fn provider(&self) -> Arc<dyn Provider> {
        let site = SiteSpec::new(Name::new("here").expect("name"), "folders");
        let context = ConnectContext {
            base_dir: self.dir.path().to_path_buf(),
            clock: Arc::new(TokioClock::system()),
        };
        let provider = provider::Folders.connect(&site, &context).await;
        provider.expect("connected")
    }

    fn run_id(&self) -> String {
        "folders".to_owned()
    }

    async fn fill_bucket(&self, id: &ResourceId, full: bool) -> bool {
        let path = self.bucket(id).join("object");
        let done = if full {
            std::fs::write(path, "content")
        } else {
            std::fs::remove_file(path)
        };
        done.is_ok()
    }
}

strat_conformance::conformance!(folders, Folders::new());
