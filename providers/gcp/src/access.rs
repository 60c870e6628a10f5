//! The SDK's clients of one site: credentials, endpoint, and nothing that retries.
//!
//! The SDK repeats calls by itself unless it is told not to, and counts every `DELETE` and `PUT` as one
//! that may be repeated. The layers round a provider repeat calls, for every cloud alike; so each
//! client here has the policy to never do so, no poller of the SDK is used, and one call is one
//! request.

use std::path::Path;

use google_cloud_auth::credentials::{
    Builder as DefaultCredentials, CacheableResource, Credentials, anonymous, external_account,
    impersonated, service_account, user_account,
};
use google_cloud_compute_v1::client::{
    Addresses, Disks, Firewalls, GlobalOperations, Images, Instances, MachineTypes, Networks,
    Projects, RegionOperations, Regions, Subnetworks, ZoneOperations,
};
use google_cloud_gax::retry_policy::NeverRetry;
use serde_json::{Value, json};
use strat_model::{Error, ErrorKind, Result};
use strat_provider::{Quiet, is_loopback};

use crate::config::Settings;
use crate::error::{no_credentials, refuse};

/// Google's own endpoints of the JSON APIs that the SDK has no client for.
const STORAGE: &str = "https://storage.googleapis.com";
const RESOURCE_MANAGER: &str = "https://cloudresourcemanager.googleapis.com";

/// The clients of one site. All share one set of credentials, which are refreshed before they expire.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) addresses: Addresses,
    pub(crate) disks: Disks,
    pub(crate) firewalls: Firewalls,
    pub(crate) global_operations: GlobalOperations,
    pub(crate) images: Images,
    pub(crate) instances: Instances,
    pub(crate) machine_types: MachineTypes,
    pub(crate) networks: Networks,
    pub(crate) projects: Projects,
    pub(crate) region_operations: RegionOperations,
    pub(crate) regions: Regions,
    pub(crate) subnetworks: Subnetworks,
    pub(crate) zone_operations: ZoneOperations,
    /// For Cloud Storage and the resource manager.
    pub(crate) http: reqwest::Client,
    /// Where Cloud Storage is.
    pub(crate) storage: String,
    /// Where the resource manager is.
    pub(crate) resource_manager: String,
    /// Who we are, in Google's words.
    pub(crate) principal: String,
    credentials: Credentials,
}

/// A client with this site's endpoint and credentials, that never repeats a call.
macro_rules! client {
    ($client:ident, $settings:expr, $credentials:expr) => {{
        let mut builder = $client::builder()
            .with_credentials($credentials.clone())
            .with_retry_policy(NeverRetry);
        if let Some(endpoint) = &$settings.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        builder.build().await.map_err(|error| {
            let why = error.to_string();
            refuse(
                ErrorKind::Unauthenticated,
                format!("no client can be made: {why}"),
            )
        })?
    }};
}

impl Access {
    /// Clients for a site. `credentials` stand in for those that the site names.
    pub(crate) async fn new(
        settings: &Settings,
        base: &Path,
        credentials: Option<Credentials>,
    ) -> Result<Self> {
        // The SDK's HTTP client takes the process's provider of cryptography, as the other clouds' do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (credentials, principal) = match credentials {
            Some(credentials) => (credentials, "the program's own credentials".to_owned()),
            None => find(settings, base)?,
        };
        let http = reqwest::Client::builder().build().map_err(|error| {
            refuse(
                ErrorKind::Internal,
                format!("no HTTP client can be made: {error}"),
            )
        })?;
        let endpoint = |own: &str| settings.endpoint.clone().unwrap_or_else(|| own.to_owned());
        Ok(Self {
            addresses: client!(Addresses, settings, credentials),
            disks: client!(Disks, settings, credentials),
            firewalls: client!(Firewalls, settings, credentials),
            global_operations: client!(GlobalOperations, settings, credentials),
            images: client!(Images, settings, credentials),
            instances: client!(Instances, settings, credentials),
            machine_types: client!(MachineTypes, settings, credentials),
            networks: client!(Networks, settings, credentials),
            projects: client!(Projects, settings, credentials),
            region_operations: client!(RegionOperations, settings, credentials),
            regions: client!(Regions, settings, credentials),
            subnetworks: client!(Subnetworks, settings, credentials),
            zone_operations: client!(ZoneOperations, settings, credentials),
            http,
            storage: endpoint(STORAGE),
            resource_manager: endpoint(RESOURCE_MANAGER),
            principal,
            credentials,
        })
    }

    /// The headers that say who we are, for the APIs that the SDK has no client for.
    pub(crate) async fn headers(&self) -> Result<reqwest::header::HeaderMap> {
        let headers = self.credentials.headers(http::Extensions::new()).await;
        match headers {
            Ok(CacheableResource::New { data, .. }) => Ok(data),
            Ok(CacheableResource::NotModified) => Ok(reqwest::header::HeaderMap::new()),
            Err(error) => Err(no_credentials().with_source(Quiet::of(&error))),
        }
    }
}

/// The word for application default credentials where a site names them itself.
const DEFAULT: &str = "default";

/// The credentials that a site names, and whose they are.
fn find(settings: &Settings, base: &Path) -> Result<(Credentials, String)> {
    let named = settings.credentials.as_deref();
    // Where nothing is encrypted, nobody is told who we are: but on this machine itself, where the site
    // says so.
    let is_plain = |endpoint: &str| endpoint.starts_with("http://");
    if let Some(endpoint) = settings.endpoint.as_deref().filter(|one| is_plain(one))
        && !(named.is_some() && is_loopback(endpoint))
    {
        return Ok((anonymous::Builder::new().build(), "nobody".to_owned()));
    }
    let file = match named {
        None | Some(DEFAULT) => None,
        Some(path) => Some(File::read(&base.join(path), path)?),
    };
    let Some(account) = &settings.impersonate else {
        return match &file {
            Some(file) => Ok((file.credentials()?, file.principal())),
            None => Ok((default()?, "application default credentials".to_owned())),
        };
    };
    // Another place than Google's own is asked for the account's tokens, too. The SDK takes a place for
    // them with the credentials to ask it with, and those of a file alone.
    let place = settings.endpoint.as_deref();
    let built = match (file, place) {
        (Some(file), Some(place)) if !file.is_of(IMPERSONATED) => {
            let asked = json!({
                "type": IMPERSONATED,
                "service_account_impersonation_url":
                    format!("{place}/v1/projects/-/serviceAccounts/{account}:generateAccessToken"),
                "source_credentials": file.json,
            });
            impersonated::Builder::new(asked).build()
        }
        (file, _) => {
            let source = match &file {
                Some(file) => file.credentials()?,
                None => default()?,
            };
            let builder = impersonated::Builder::from_source_credentials(source);
            builder.with_target_principal(account).build()
        }
    };
    let built = built.map_err(|_| {
        let message = format!("the service account {account} cannot be impersonated");
        refuse(ErrorKind::Unauthenticated, message)
    })?;
    Ok((built, account.clone()))
}

/// Application default credentials: those that the environment, the gcloud tool or the machine has.
fn default() -> Result<Credentials> {
    let found = DefaultCredentials::default().build();
    found.map_err(|_| no_credentials())
}

/// The type of files of an account that is acted as.
const IMPERSONATED: &str = "impersonated_service_account";

/// A file that Google's tools wrote. What stands in it is never told.
struct File<'a> {
    named: &'a str,
    json: Value,
}

impl<'a> File<'a> {
    fn read(path: &Path, named: &'a str) -> Result<Self> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|_| unfit(named, "it cannot be read"))?;
        let json = serde_json::from_str(&text).map_err(|_| unfit(named, "it is no JSON"))?;
        Ok(Self { named, json })
    }

    fn word(&self, key: &str) -> Option<&str> {
        self.json.get(key).and_then(Value::as_str)
    }

    fn is_of(&self, kind: &str) -> bool {
        self.word("type") == Some(kind)
    }

    /// Whose they are: the service account of the file, or that which it leads to.
    fn principal(&self) -> String {
        let led = || {
            let place = self.word("service_account_impersonation_url")?;
            let (_, rest) = place.rsplit_once("/serviceAccounts/")?;
            rest.strip_suffix(":generateAccessToken")
        };
        let known = self.word("client_email").or_else(led);
        known.map_or_else(
            || format!("the credentials in {}", self.named),
            str::to_owned,
        )
    }

    /// Its credentials, by the type that it says.
    fn credentials(&self) -> Result<Credentials> {
        let json = self.json.clone();
        let built = match self.word("type") {
            Some("service_account") => service_account::Builder::new(json).build(),
            Some("external_account") => external_account::Builder::new(json).build(),
            Some(IMPERSONATED) => impersonated::Builder::new(json).build(),
            Some("authorized_user") => user_account::Builder::new(json).build(),
            _ => return Err(unfit(self.named, "it is of no type that is known here")),
        };
        built.map_err(|_| unfit(self.named, "something is missing in it"))
    }
}

fn unfit(named: &str, why: &str) -> Error {
    refuse(
        ErrorKind::Unauthenticated,
        format!("`{named}` holds no credentials: {why}"),
    )
    .with_help("name a file that the gcloud tool or the console wrote")
}
