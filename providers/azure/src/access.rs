//! The way to one site: an HTTP client, tokens, and where what is.
//!
//! Microsoft's crates find the credentials and get the tokens; the calls themselves are one request
//! each, on the HTTP client of the rest of the tree.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use azure_core::credentials::{AccessToken, TokenCredential};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use strat_model::{Error, ErrorKind, Result, Scope};
use strat_provider::{Clock, Quiet};
use tokio::sync::Mutex;

use crate::config::Settings;
use crate::credentials;
use crate::error::refuse;

/// Whom a token for blobs is for, in every one of Microsoft's clouds.
///
/// <https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory>
const STORAGE: &str = "https://storage.azure.com/.default";
/// How long before its end a token is not used any more, in seconds.
const EARLY_S: i64 = 300;

/// How one site is reached.
pub(crate) struct Access {
    /// One client for all calls.
    pub(crate) http: reqwest::Client,
    /// Where the resource manager is.
    pub(crate) endpoint: String,
    credential: Arc<dyn TokenCredential>,
    /// Whose the credentials are, where no token says it.
    principal: String,
    /// Whom a token for the resource manager is for.
    scope: String,
    clock: Arc<dyn Clock>,
    /// Not every one of Microsoft's credentials remembers its tokens.
    tokens: Mutex<BTreeMap<String, AccessToken>>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// What a token says of who has it, as far as it says anything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Claims {
    upn: Option<String>,
    unique_name: Option<String>,
    appid: Option<String>,
    oid: Option<String>,
}

impl Access {
    /// The way to a site. `credential` stands in for what the site names.
    pub(crate) fn new(
        settings: &Settings,
        base: &Path,
        clock: Arc<dyn Clock>,
        credential: Option<Arc<dyn TokenCredential>>,
    ) -> Result<Self> {
        // The HTTP client takes the process's provider of cryptography, as the other clouds' do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = client(settings, base)?;
        let (credential, principal) = match credential {
            Some(credential) => (credential, "the program's own credentials".to_owned()),
            None => credentials::find(settings, &http)?,
        };
        let own = settings.cloud.resource_manager();
        Ok(Self {
            http,
            endpoint: settings.endpoint.clone().unwrap_or_else(|| own.to_owned()),
            credential,
            principal,
            scope: format!("{}/.default", settings.audience.as_deref().unwrap_or(own)),
            clock,
            tokens: Mutex::default(),
        })
    }

    /// A token for the resource manager.
    pub(crate) async fn token(&self) -> Result<String> {
        self.token_for(&self.scope).await
    }

    /// A token for blobs.
    pub(crate) async fn storage_token(&self) -> Result<String> {
        self.token_for(STORAGE).await
    }

    async fn token_for(&self, scope: &str) -> Result<String> {
        let now = self.clock.now().as_second();
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(scope)
            && token.expires_on.unix_timestamp() - EARLY_S > now
        {
            return Ok(token.token.secret().to_owned());
        }
        let got = self.credential.get_token(&[scope], None).await;
        let token = got.map_err(|error| no_credentials(&error))?;
        let text = token.token.secret().to_owned();
        tokens.insert(scope.to_owned(), token);
        Ok(text)
    }

    /// Who we are, in Azure's words.
    pub(crate) async fn principal(&self) -> Result<String> {
        let token = self.token().await?;
        let payload = token.split('.').nth(1).unwrap_or_default();
        let claims: Claims = URL_SAFE_NO_PAD
            .decode(payload)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default();
        let app = claims.appid.map(|id| format!("the application {id}"));
        let object = claims.oid.map(|id| format!("the object {id}"));
        let who = claims.upn.or(claims.unique_name).or(app).or(object);
        Ok(who.unwrap_or_else(|| self.principal.clone()))
    }
}

/// No token was to be had.
fn no_credentials(error: &azure_core::Error) -> Error {
    refuse(
        ErrorKind::Unauthenticated,
        "there are no credentials for this site",
    )
    .with_scope(Scope::Account)
    .with_help("log in with `az login`, or say with `credentials` where they come from")
    .with_source(Quiet::of(error))
}

/// A client that believes the roots that the site names.
fn client(settings: &Settings, base: &Path) -> Result<reqwest::Client> {
    // An answer that leads elsewhere would be given the token.
    let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    if let Some(named) = &settings.root_certificates {
        let unfit = |why: String| {
            refuse(
                ErrorKind::Invalid,
                format!("`{named}` holds no root certificates: {why}"),
            )
            .with_help("name a file of certificates in the form of PEM")
        };
        let text = std::fs::read(base.join(named)).map_err(|error| unfit(error.to_string()))?;
        let roots = reqwest::Certificate::from_pem_bundle(&text);
        builder = builder.tls_certs_merge(roots.map_err(|error| unfit(error.to_string()))?);
    }
    builder.build().map_err(|error| {
        refuse(
            ErrorKind::Internal,
            format!("no HTTP client can be made: {}", Quiet::of(&error)),
        )
    })
}
