//! Which providers there are, without a global.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use strat_model::{Capabilities, Error, ErrorKind, LeaseSpec, Result, SiteSpec};

use crate::{Clock, Leases, Provider, SettingsReader};

/// What is wrong with one setting of a site, or of the store of leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// The attribute of the `site` or `lease` block.
    pub attribute: String,
    /// What is wrong with it.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// What a factory may use.
#[derive(Debug, Clone)]
pub struct ConnectContext {
    /// The topology's folder, for relative paths in settings.
    pub base_dir: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Makes providers of one name.
#[async_trait]
pub trait ProviderFactory: Debug + Send + Sync {
    /// The name that a `site` block's `provider` says.
    fn name(&self) -> &'static str;

    /// Checks a site's settings without any I/O. A provider that says nothing else has none of its
    /// own.
    ///
    /// # Errors
    /// All that is wrong, not the first.
    fn check(&self, site: &SiteSpec) -> std::result::Result<(), Vec<SettingError>> {
        let mut reader = SettingsReader::new(site);
        reader.unknown(&format!("the provider `{}`", self.name()), &[], "remove it");
        reader.finish(())
    }

    /// Whether connecting and asking for offers, zones and images needs no network: then
    /// `validate` may do so too.
    fn is_offline(&self) -> bool {
        false
    }

    /// What a site's provider can do there, as far as that is known without connecting; `None`
    /// where it is not.
    fn capabilities(&self, _site: &SiteSpec) -> Option<Capabilities> {
        None
    }

    /// Connects to a site whose settings were checked.
    async fn connect(&self, site: &SiteSpec, context: &ConnectContext)
    -> Result<Arc<dyn Provider>>;
}

/// Makes stores of leases of one name, for topologies that keep theirs elsewhere than at their sites.
#[async_trait]
pub trait LeaseStoreFactory: Debug + Send + Sync {
    /// The name that a `lease` block's `store` says.
    fn name(&self) -> &'static str;

    /// Checks the block's settings without any I/O.
    ///
    /// # Errors
    /// All that is wrong, not the first.
    fn check(&self, spec: &LeaseSpec) -> std::result::Result<(), Vec<SettingError>>;

    /// The store of a block whose settings were checked. Nothing is called yet: topologies are
    /// looked at without their leases too. It knows no site: [`Leases::places`] says where it is
    /// itself, such as `PostgreSQL db.example:5432/stratiform`.
    async fn connect(&self, spec: &LeaseSpec, context: &ConnectContext) -> Result<Arc<dyn Leases>>;
}

/// The providers and the stores of leases that a program has.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    factories: BTreeMap<&'static str, Arc<dyn ProviderFactory>>,
    lease_stores: BTreeMap<&'static str, Arc<dyn LeaseStoreFactory>>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a factory; it replaces one of the same name.
    #[must_use]
    pub fn with(mut self, factory: impl ProviderFactory + 'static) -> Self {
        self.factories.insert(factory.name(), Arc::new(factory));
        self
    }

    /// Adds a factory of stores of leases; it replaces one of the same name.
    #[must_use]
    pub fn with_lease_store(mut self, factory: impl LeaseStoreFactory + 'static) -> Self {
        self.lease_stores.insert(factory.name(), Arc::new(factory));
        self
    }

    /// The factory of stores of leases of a name.
    #[must_use]
    pub fn lease_store(&self, name: &str) -> Option<&Arc<dyn LeaseStoreFactory>> {
        self.lease_stores.get(name)
    }

    /// The names of stores of leases, sorted.
    pub fn lease_stores(&self) -> impl Iterator<Item = &'static str> {
        self.lease_stores.keys().copied()
    }

    /// The factory of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn ProviderFactory>> {
        self.factories.get(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.factories.keys().copied()
    }

    /// Connects to a site.
    ///
    /// # Errors
    /// `Unsupported` when no factory has the provider's name; else what connecting gives.
    pub async fn connect(
        &self,
        site: &SiteSpec,
        context: &ConnectContext,
    ) -> Result<Arc<dyn Provider>> {
        let Some(factory) = self.get(&site.provider) else {
            let known: Vec<_> = self.names().collect();
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "there is no provider `{}` in this program; it has: {}",
                    site.provider,
                    known.join(", ")
                ),
            ));
        };
        factory.connect(site, context).await
    }
}
