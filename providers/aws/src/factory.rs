//! Making providers of `site` blocks.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use strat_model::{Capabilities, ErrorKind, Result, SiteSpec};
use strat_provider::{ConnectContext, Provider, ProviderFactory, SettingError};

use crate::access::Access;
use crate::capabilities::capabilities;
use crate::config::Settings;
use crate::error::{PROVIDER, refuse};
use crate::provider::AwsProvider;

/// Makes sites on AWS.
#[derive(Clone, Default)]
pub struct AwsFactory {
    credentials: Option<SharedCredentialsProvider>,
}

impl fmt::Debug for AwsFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsFactory").finish_non_exhaustive()
    }
}

impl AwsFactory {
    /// A factory whose sites find their credentials by the standard chain: environment, profile,
    /// SSO, web identity, container, instance metadata.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A factory whose sites use these credentials instead: for programs that bring their own.
    /// A site's `assume_role` is taken on with them.
    #[must_use]
    pub fn with_credentials(credentials: impl ProvideCredentials + 'static) -> Self {
        Self {
            credentials: Some(SharedCredentialsProvider::new(credentials)),
        }
    }
}

#[async_trait]
impl ProviderFactory for AwsFactory {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn check(&self, site: &SiteSpec) -> Result<(), Vec<SettingError>> {
        Settings::parse(site).map(|_| ())
    }

    fn capabilities(&self, site: &SiteSpec) -> Option<Capabilities> {
        let settings = Settings::parse(site).ok()?;
        Some(capabilities(settings.consistency_ms))
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
        let access = Access::new(&settings, self.credentials.clone()).await?;
        let clock = Arc::clone(&context.clock);
        Ok(Arc::new(AwsProvider::new(settings, access, clock)))
    }
}
