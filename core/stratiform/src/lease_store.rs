//! Leases that are kept where the topology says, in place of the sites' own stores.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use strat_engine::LeaseError;
use strat_model::{
    Capabilities, Changes, Diagnostic, Error, ErrorKind, LeaseSpec, Name, Result, SiteSpec,
};
use strat_provider::{
    Attachment, ConnectContext, Contents, Identity, Images, Kept, LeaseKey, LeaseVersion, Leases,
    Machines, Observe, Offers, Permissions, Provider, Registry, Writes,
};
use strat_topology::Evaluated;

use crate::targets::nearest;
use crate::{Session, Workspace};

/// Everything that is wrong with the `lease` block, as far as its store need not be asked.
pub(crate) fn check(evaluated: &Evaluated, registry: &Registry) -> Vec<Diagnostic> {
    let Some(spec) = &evaluated.intent.lease else {
        return Vec::new();
    };
    let Some(factory) = registry.lease_store(&spec.store) else {
        return vec![unknown(evaluated, spec, registry)];
    };
    let wrong = factory.check(spec).err().unwrap_or_default();
    let finding = |error: strat_provider::SettingError| {
        let message = format!("`{}` of the lease: {}", error.attribute, error.message);
        let place = evaluated.lease_origin(&error.attribute);
        let mut finding = Diagnostic::error("lease_setting", message).at(place.as_ref(), "");
        finding.help = error.help;
        finding
    };
    wrong.into_iter().map(finding).collect()
}

fn unknown(evaluated: &Evaluated, spec: &LeaseSpec, registry: &Registry) -> Diagnostic {
    let names: Vec<&str> = registry.lease_stores().collect();
    let help = match nearest(&spec.store, names.iter().map(|name| (*name).to_owned())) {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => {
            "this program was built without any: leave the block out, and leases are kept at the \
             sites themselves"
                .to_owned()
        }
        None => format!("this program has: {}", names.join(", ")),
    };
    let message = format!("there is no store of leases `{}`", spec.store);
    let place = evaluated.lease_origin("store");
    Diagnostic::error("unknown_lease_store", message)
        .at(place.as_ref(), "not a store of this program")
        .help(help)
}

/// The store that a topology names.
#[derive(Debug, Clone)]
pub(crate) struct LeaseStore {
    store: Arc<dyn Leases>,
    /// Where it is, for people.
    pub(crate) place: String,
}

impl LeaseStore {
    /// The store that a topology names, if it does: nothing is called yet. Copies of its sites keep
    /// their own: a rehearsal holds up nobody.
    pub(crate) async fn of(
        workspace: &Workspace,
        context: &ConnectContext,
    ) -> Result<Option<Self>, LeaseError> {
        let spec = workspace.intent().lease.as_ref();
        let Some(spec) = spec.filter(|_| !workspace.is_elsewhere()) else {
            return Ok(None);
        };
        let failed = |error| LeaseError::Store {
            place: "the topology".to_owned(),
            source: Arc::new(error),
        };
        let store = Self::connect(workspace, context, spec).await;
        store.map(Some).map_err(failed)
    }

    async fn connect(
        workspace: &Workspace,
        context: &ConnectContext,
        spec: &LeaseSpec,
    ) -> Result<Self> {
        let none = || {
            let message = format!("there is no store of leases `{}`", spec.store);
            Error::new(ErrorKind::Unsupported, message)
        };
        let factory = workspace.registry().lease_store(&spec.store);
        let store = factory.ok_or_else(none)?.connect(spec, context).await?;
        let place = store.places().await?.join(", ");
        Ok(Self { store, place })
    }

    /// A site with its leases here.
    pub(crate) fn keep_for(&self, site: Arc<dyn Provider>, spec: &SiteSpec) -> Arc<dyn Provider> {
        let region = spec.region.clone();
        Arc::new(KeptElsewhere {
            site,
            region: region.unwrap_or_else(|| spec.name.to_string()),
            store: Arc::clone(&self.store),
        })
    }
}

impl Session {
    /// Where all leases but the folder's are kept, if the topology says so; else each site keeps its
    /// own.
    #[must_use]
    pub fn lease_store(&self) -> Option<&str> {
        self.lease_store.as_ref().map(|store| &*store.place)
    }
}

/// A site whose leases are kept in the topology's store. What they guard stays the site's word: so
/// two sites of one account and region share a lease there, too.
#[derive(Debug)]
struct KeptElsewhere {
    site: Arc<dyn Provider>,
    /// Its region, or its name: for the place of its writes, where it has no word of its own for that.
    region: String,
    store: Arc<dyn Leases>,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Leases for KeptElsewhere {
    async fn places(&self) -> Result<Vec<String>> {
        if let Some(own) = self.site.leases() {
            return own.places().await;
        }
        let account = self.site.identity().await?.account;
        let place = format!("{}/{account}/{}", self.site.name(), self.region);
        Ok(vec![place])
    }

    async fn missing(&self) -> Result<Option<String>> {
        self.store.missing().await
    }

    async fn make(&self) -> Result<()> {
        self.store.make().await
    }

    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>> {
        self.store.read(key).await
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        self.store.replace(key, text, seen).await
    }

    fn term(&self) -> Option<Duration> {
        self.store.term()
    }

    fn lag(&self) -> Duration {
        self.store.lag()
    }

    async fn prove(&self, key: &LeaseKey, kept: &Kept) -> Result<bool> {
        self.store.prove(key, kept).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for KeptElsewhere {
    fn name(&self) -> &'static str {
        self.site.name()
    }

    fn site(&self) -> &Name {
        self.site.site()
    }

    fn capabilities(&self) -> &Capabilities {
        self.site.capabilities()
    }

    fn changes(&self) -> Changes {
        self.site.changes()
    }

    fn meter(&self) -> String {
        self.site.meter()
    }

    async fn identity(&self) -> Result<Identity> {
        self.site.identity().await
    }

    fn observe(&self) -> &dyn Observe {
        self.site.observe()
    }

    fn network(&self) -> &dyn Writes {
        self.site.network()
    }

    fn compute(&self) -> &dyn Writes {
        self.site.compute()
    }

    fn storage(&self) -> &dyn Writes {
        self.site.storage()
    }

    fn machines(&self) -> Option<&dyn Machines> {
        self.site.machines()
    }

    fn attachment(&self) -> Option<&dyn Attachment> {
        self.site.attachment()
    }

    fn contents(&self) -> Option<&dyn Contents> {
        self.site.contents()
    }

    fn images(&self) -> Option<&dyn Images> {
        self.site.images()
    }

    fn offers(&self) -> Option<&dyn Offers> {
        self.site.offers()
    }

    fn permissions(&self) -> Option<&dyn Permissions> {
        self.site.permissions()
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }
}
