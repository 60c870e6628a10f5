//! A world of its own for each file of tests: every site is a simulated one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};
use strat_sim::{SimControl, SimFactory};
use stratiform::model::{Error as CloudError, SiteSpec};
use stratiform::provider::{ConnectContext, Provider, ProviderFactory, Registry, SettingError};
use stratiform::{HealthProbe, Question};

use crate::failure::Failure;

/// The providers that are simulated, and like which cloud.
const PROVIDERS: [(&str, Option<&str>); 5] = [
    ("sim", None),
    ("aws", Some("aws")),
    ("azure", Some("azure")),
    ("gcp", Some("gcp")),
    ("libvirt", Some("onprem")),
];

/// A simulated world in a temporary folder.
#[derive(Debug)]
pub(super) struct TestWorld {
    folder: tempfile::TempDir,
    sim: SimFactory,
}

impl TestWorld {
    /// An empty one.
    ///
    /// # Errors
    /// If there can be no temporary folder.
    pub(super) fn new() -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|error| {
            Failure::new("there is no folder for a simulated world").caused_by(&error)
        })?;
        Ok(Self {
            folder,
            sim: SimFactory::new(),
        })
    }

    /// Where the journal of its runs is.
    pub(super) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Every provider's name, for a simulated stand-in of it.
    pub(super) fn registry(&self) -> Registry {
        let registry = Registry::new();
        PROVIDERS.iter().fold(registry, |registry, (name, like)| {
            registry.with(StandIn {
                name,
                like: *like,
                sim: self.sim.clone(),
                world: self.folder.path().join("world"),
            })
        })
    }

    /// What can be done to it behind the topology's back; `None` while no site is connected.
    pub(super) fn control(&self) -> Option<SimControl> {
        let worlds = self.sim.worlds();
        worlds.into_values().next().map(SimControl::new)
    }
}

/// Makes simulated sites under a provider's name.
#[derive(Debug)]
struct StandIn {
    name: &'static str,
    /// Which profile a site of it has; `None` for one that says so itself.
    like: Option<&'static str>,
    sim: SimFactory,
    world: PathBuf,
}

#[async_trait]
impl ProviderFactory for StandIn {
    fn name(&self) -> &'static str {
        self.name
    }

    fn check(&self, site: &SiteSpec) -> Result<(), Vec<SettingError>> {
        match self.like {
            None => self.sim.check(site),
            // What a real provider wants to know is of no use here.
            Some(_) => Ok(()),
        }
    }

    fn is_offline(&self) -> bool {
        true
    }

    async fn connect(
        &self,
        site: &SiteSpec,
        context: &ConnectContext,
    ) -> Result<Arc<dyn Provider>, CloudError> {
        let site = simulated(site, self.like, &self.world);
        self.sim.connect(&site, context).await
    }
}

/// A site in the world of a test, whichever it names.
fn simulated(site: &SiteSpec, like: Option<&str>, world: &Path) -> SiteSpec {
    let mut settings = match like {
        None => site.settings.clone(),
        Some(profile) => Map::from_iter([("profile".to_owned(), Value::from(profile))]),
    };
    let world = world.to_string_lossy().into_owned();
    settings.insert("world".to_owned(), world.into());
    SiteSpec {
        provider: "sim".to_owned(),
        settings,
        ..site.clone()
    }
}

/// Nobody is asked over the network: a simulated machine runs nothing.
#[derive(Debug)]
pub(super) struct Healthy;

#[async_trait]
impl HealthProbe for Healthy {
    async fn ask(&self, _: &Question) -> Result<(), String> {
        Ok(())
    }
}
