//! Making stores of `lease` blocks.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use strat_model::{Error, ErrorKind, LeaseSpec, Result};
use strat_provider::{ConnectContext, LeaseStoreFactory, Leases, SettingError};

use crate::connection::Server;
use crate::leases::PostgresLeases;
use crate::settings::Settings;

/// Makes stores of leases in PostgreSQL.
#[derive(Clone, Default)]
pub struct PostgresFactory {
    password: Option<String>,
}

impl fmt::Debug for PostgresFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresFactory").finish_non_exhaustive()
    }
}

impl PostgresFactory {
    /// A factory whose stores find their passwords where PostgreSQL's own programs do:
    /// `PGPASSWORD`, or the file of passwords.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A factory whose stores use this password instead: for programs that bring their own.
    #[must_use]
    pub fn with_password(password: impl Into<String>) -> Self {
        Self {
            password: Some(password.into()),
        }
    }
}

#[async_trait]
impl LeaseStoreFactory for PostgresFactory {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn check(&self, spec: &LeaseSpec) -> Result<(), Vec<SettingError>> {
        Settings::parse(spec).map(drop)
    }

    async fn connect(&self, spec: &LeaseSpec, context: &ConnectContext) -> Result<Arc<dyn Leases>> {
        let settings = Settings::parse(spec).map_err(|errors| {
            let all = errors
                .iter()
                .map(|error| format!("{}: {}", error.attribute, error.message));
            Error::new(ErrorKind::Invalid, all.collect::<Vec<_>>().join("; "))
        })?;
        let server = Server::new(settings, self.password.clone(), &context.base_dir)?;
        Ok(Arc::new(PostgresLeases::new(server)))
    }
}
