//! Making simulated sites of `site` blocks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use strat_model::{Error, ErrorKind, Result, SiteSpec};
use strat_provider::{Clock, ConnectContext, Provider, ProviderFactory, SettingError};

use crate::error::PROVIDER;
use crate::settings::Settings;
use crate::{Behaviour, World};

/// The folder of the world beside the topology, unless a site says otherwise.
const WORLD: &str = ".sim";

/// Makes simulated sites. Sites of one folder share one world, and so do clones of a factory.
#[derive(Debug, Clone, Default)]
pub struct SimFactory {
    worlds: Arc<Mutex<BTreeMap<PathBuf, World>>>,
}

impl SimFactory {
    /// A factory without a world yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The folder of the world that the sites of a topology's folder share by default.
    #[must_use]
    pub fn default_world(base_dir: &Path) -> PathBuf {
        base_dir.join(WORLD)
    }

    /// The folder of the world that a site is in.
    ///
    /// # Errors
    /// All that is wrong with the site's settings.
    pub fn world_of(site: &SiteSpec, base_dir: &Path) -> Result<PathBuf, Vec<SettingError>> {
        let settings = Settings::parse(site)?;
        Ok(base_dir.join(settings.world.as_deref().unwrap_or(Path::new(WORLD))))
    }

    /// How a site behaves, as its settings say.
    ///
    /// # Errors
    /// All that is wrong with the site's settings.
    pub fn behaviour_of(site: &SiteSpec) -> Result<Behaviour, Vec<SettingError>> {
        Settings::parse(site).map(|settings| settings.site.behaviour)
    }

    /// The worlds that this factory has opened, by folder.
    #[must_use]
    pub fn worlds(&self) -> BTreeMap<PathBuf, World> {
        self.worlds
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn open(&self, folder: &Path, seed: u64, clock: &Arc<dyn Clock>) -> Result<World> {
        let mut worlds = self.worlds.lock().unwrap_or_else(PoisonError::into_inner);
        // A world whose folder was removed is another one now.
        if let Some(world) = worlds.get(folder).filter(|_| folder.exists()) {
            return Ok(world.clone());
        }
        let world = World::open(folder, seed, Arc::clone(clock))?;
        worlds.insert(folder.to_owned(), world.clone());
        Ok(world)
    }
}

#[async_trait]
impl ProviderFactory for SimFactory {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn check(&self, site: &SiteSpec) -> Result<(), Vec<SettingError>> {
        Settings::parse(site).map(|_| ())
    }

    fn is_offline(&self) -> bool {
        true
    }

    async fn connect(
        &self,
        site: &SiteSpec,
        context: &ConnectContext,
    ) -> Result<Arc<dyn Provider>> {
        let settings = Settings::parse(site).map_err(|errors| {
            let all: Vec<_> = errors
                .iter()
                .map(|e| format!("{}: {}", e.attribute, e.message))
                .collect();
            Error::new(ErrorKind::Invalid, all.join("; ")).with_provider(PROVIDER)
        })?;
        let folder = settings.world.as_deref().unwrap_or(Path::new(WORLD));
        let folder = context.base_dir.join(folder);
        let world = self.open(&folder, settings.seed, &context.clock)?;
        let mut site = settings.site;
        site.base_dir.clone_from(&context.base_dir);
        world.connect(site)
    }
}
