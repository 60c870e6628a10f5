//! Making providers of `site` blocks.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use google_cloud_auth::credentials::Credentials;
use strat_model::{Capabilities, ErrorKind, Result, SiteSpec};
use strat_provider::{ConnectContext, Provider, ProviderFactory, SettingError};

use crate::access::Access;
use crate::capabilities::capabilities;
use crate::config::Settings;
use crate::error::{PROVIDER, refuse};
use crate::provider::GcpProvider;

/// Makes sites on Google Cloud.
#[derive(Clone, Default)]
pub struct GcpFactory {
    credentials: Option<Credentials>,
}

impl fmt::Debug for GcpFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcpFactory").finish_non_exhaustive()
    }
}

impl GcpFactory {
    /// A factory whose sites find their credentials as their blocks say: a file, application default
    /// credentials, a service account that is acted as.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A factory whose sites use these credentials instead: for programs that bring their own.
    #[must_use]
    pub const fn with_credentials(credentials: Credentials) -> Self {
        Self {
            credentials: Some(credentials),
        }
    }
}

#[async_trait]
impl ProviderFactory for GcpFactory {
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
        let access = Access::new(&settings, &context.base_dir, self.credentials.clone()).await?;
        let clock = Arc::clone(&context.clock);
        Ok(Arc::new(GcpProvider::new(settings, access, clock)))
    }
}
