//! Making sites of `site` blocks.

use std::sync::Arc;

use async_trait::async_trait;
use strat_model::{ErrorKind, Result, SiteSpec};
use strat_provider::{ConnectContext, Provider, ProviderFactory, SettingError};

use crate::config::Settings;
use crate::error::{PROVIDER, fail};
use crate::host::Host;
use crate::provider::LibvirtProvider;
use crate::site::{Site, capabilities};

/// Makes sites of hosts with libvirt.
#[derive(Debug, Default)]
pub struct LibvirtFactory;

impl LibvirtFactory {
    /// A factory.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl ProviderFactory for LibvirtFactory {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn check(&self, site: &SiteSpec) -> Result<(), Vec<SettingError>> {
        Settings::parse(site).map(|_| ())
    }

    async fn connect(
        &self,
        spec: &SiteSpec,
        context: &ConnectContext,
    ) -> Result<Arc<dyn Provider>> {
        let settings = Settings::parse(spec).map_err(|errors| {
            let all: Vec<_> = errors
                .iter()
                .map(|e| format!("{}: {}", e.attribute, e.message))
                .collect();
            fail(ErrorKind::Invalid, all.join("; "))
        })?;
        let (spec, context) = (spec.clone(), context.clone());
        let connecting = tokio::task::spawn_blocking(move || open(&spec, settings, &context));
        let site = connecting.await.unwrap_or_else(|error| {
            Err(fail(ErrorKind::Internal, "connecting broke off").with_source(error))
        })?;
        Ok(Arc::new(LibvirtProvider::new(Arc::new(site))))
    }
}

/// Connects to the hosts. One that answers is enough: what the others hold is then not known, and
/// every list says so.
fn open(spec: &SiteSpec, settings: Settings, context: &ConnectContext) -> Result<Site> {
    let hosts: Vec<_> = settings.hosts.iter().cloned().map(Host::new).collect();
    let (mut traits, mut first) = (Vec::new(), None);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = hosts
            .iter()
            .map(|host| scope.spawn(|| host.traits().cloned()))
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect()
    });
    for outcome in outcomes {
        match outcome {
            Ok(host) => traits.push(host),
            Err(error) => {
                tracing::warn!("a host does not answer: {error}");
                first.get_or_insert(error);
            }
        }
    }
    if traits.is_empty() {
        let none = || fail(ErrorKind::Transient, "no host answers");
        return Err(first.unwrap_or_else(none));
    }
    let capabilities = capabilities(&settings, &traits);
    let (name, clock) = (spec.name.clone(), Arc::clone(&context.clock));
    Ok(Site::new(
        name,
        settings,
        hosts,
        capabilities,
        clock,
        context.base_dir.clone(),
    ))
}
