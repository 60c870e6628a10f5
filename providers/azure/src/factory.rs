//! Making providers of `site` blocks.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use strat_model::{Capabilities, ErrorKind, Result, SiteSpec};
use strat_provider::{ConnectContext, Provider, ProviderFactory, SettingError};

use crate::access::Access;
use crate::capabilities::capabilities;
use crate::config::Settings;
use crate::error::{PROVIDER, refuse};
use crate::provider::AzureProvider;

/// Makes sites on Azure.
#[derive(Clone, Default)]
pub struct AzureFactory {
    credential: Option<Arc<dyn TokenCredential>>,
}

impl fmt::Debug for AzureFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureFactory").finish_non_exhaustive()
    }
}

impl AzureFactory {
    /// A factory whose sites find their credentials as their blocks say: the environment, the workload's
    /// identity, the Azure CLI, the machine's identity.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A factory whose sites use this credential instead: for programs that bring their own.
    #[must_use]
    pub fn with_credential(credential: Arc<dyn TokenCredential>) -> Self {
        Self {
            credential: Some(credential),
        }
    }
}

#[async_trait]
impl ProviderFactory for AzureFactory {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn check(&self, site: &SiteSpec) -> Result<(), Vec<SettingError>> {
        Settings::parse(site).map(|_| ())
    }

    fn capabilities(&self, site: &SiteSpec) -> Option<Capabilities> {
        let settings = Settings::parse(site).ok()?;
        Some(Capabilities {
            public_ips: settings.public_ips,
            ..capabilities(settings.consistency_ms)
        })
    }

    async fn connect(
        &self,
        site: &SiteSpec,
        context: &ConnectContext,
    ) -> Result<Arc<dyn Provider>> {
        let settings = Settings::parse(site).map_err(|errors| {
            let all = errors
                .iter()
                .map(|e| format!("{}: {}", e.attribute, e.message));
            refuse(ErrorKind::Invalid, all.collect::<Vec<_>>().join("; "))
        })?;
        let clock = Arc::clone(&context.clock);
        let credential = self.credential.clone();
        let access = Access::new(&settings, &context.base_dir, Arc::clone(&clock), credential)?;
        Ok(Arc::new(AzureProvider::new(settings, access, clock)))
    }
}
