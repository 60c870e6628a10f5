//! Connections to the server, made when they are needed.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use strat_model::Result;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config, NoTls};

use crate::error::failed;
use crate::password::{password, variable};
use crate::settings::{Settings, TlsMode};
use crate::tls::Tls;

/// How many connections are kept for the next call.
const IDLE_MAX: usize = 4;
/// How long one address of the server is tried.
const CONNECT: Duration = Duration::from_secs(5);

/// The server, and the connections to it that nobody uses at this moment.
pub(crate) struct Server {
    pub(crate) settings: Settings,
    /// A password that was brought, and is looked for nowhere else.
    password: Option<String>,
    tls: Option<Tls>,
    idle: Mutex<Vec<Client>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// The server of these settings; `base_dir` is where paths in them begin. Nothing is called yet.
    pub(crate) fn new(
        settings: Settings,
        password: Option<String>,
        base_dir: &Path,
    ) -> Result<Self> {
        let root_cert = settings.root_cert.as_ref().map(|path| base_dir.join(path));
        let tls = match settings.tls {
            TlsMode::Disable => None,
            TlsMode::VerifyFull => Some(Tls::new(root_cert.as_deref())?),
        };
        Ok(Self {
            settings,
            password,
            tls,
            idle: Mutex::default(),
        })
    }

    /// A connection. Who gets an answer on it [gives it back](Server::give_back); one whose call was
    /// given up half-way, or failed, is closed: nobody knows whether it still works.
    pub(crate) async fn take(&self) -> Result<Client> {
        let idle = || {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.pop()
        };
        while let Some(client) = idle() {
            if !client.is_closed() {
                return Ok(client);
            }
        }
        self.connect().await
    }

    pub(crate) fn give_back(&self, client: Client) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(client);
        }
    }

    async fn connect(&self) -> Result<Client> {
        let settings = &self.settings;
        let mut config = Config::new();
        config
            .host(&settings.host)
            .port(settings.port)
            .dbname(&settings.dbname)
            .application_name("stratiform")
            .connect_timeout(CONNECT)
            // A standby shows what was true a moment ago.
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        let user = settings.user.clone().or_else(|| variable("PGUSER"));
        // As PostgreSQL's own programs have it, the process's user.
        let user = user.or_else(|| variable("USER"));
        if let Some(user) = &user {
            config.user(user);
        }
        let user = user.as_deref().unwrap_or_default();
        let brought = self.password.clone();
        if let Some(password) = brought.or_else(|| password(settings, user)) {
            config.password(password);
        }
        let fail = failed("connect");
        match &self.tls {
            None => {
                config.ssl_mode(SslMode::Disable);
                let (client, connection) = config.connect(NoTls).await.map_err(fail)?;
                // It ends with its client; what breaks it, the call in flight is told.
                tokio::spawn(async move { drop(connection.await) });
                Ok(client)
            }
            Some(tls) => {
                config.ssl_mode(SslMode::Require);
                let (client, connection) = config.connect(tls.clone()).await.map_err(fail)?;
                tokio::spawn(async move { drop(connection.await) });
                Ok(client)
            }
        }
    }
}
