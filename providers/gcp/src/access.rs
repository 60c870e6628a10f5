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
use serde_json::Value;
use strat_model::{ErrorKind, Result};

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
            Err(_) => Err(no_credentials()),
        }
    }
}

/// The credentials that a site names, and whose they are.
fn find(settings: &Settings, base: &Path) -> Result<(Credentials, String)> {
    // Where nothing is encrypted, nobody is told who we are.
    let is_plain = |endpoint: &String| endpoint.starts_with("http://");
    if settings.endpoint.as_ref().is_some_and(is_plain) {
        return Ok((anonymous::Builder::new().build(), "nobody".to_owned()));
    }
    let (source, principal) = match &settings.credentials {
        Some(path) => of_file(&base.join(path), path)?,
        None => {
            let found = DefaultCredentials::default().build();
            let found = found.map_err(|_| no_credentials())?;
            (found, "application default credentials".to_owned())
        }
    };
    let Some(account) = &settings.impersonate else {
        return Ok((source, principal));
    };
    let built = impersonated::Builder::from_source_credentials(source)
        .with_target_principal(account)
        .build();
    let built = built.map_err(|_| {
        let message = format!("the service account {account} cannot be impersonated");
        refuse(ErrorKind::Unauthenticated, message)
    })?;
    Ok((built, account.clone()))
}

/// The credentials in a file that Google's tools wrote, by the type that it says. What stands in it is
/// never told.
fn of_file(path: &Path, named: &str) -> Result<(Credentials, String)> {
    let unfit = |why: &str| {
        refuse(
            ErrorKind::Unauthenticated,
            format!("`{named}` holds no credentials: {why}"),
        )
        .with_help("name a file that the gcloud tool or the console wrote")
    };
    let text = std::fs::read_to_string(path).map_err(|_| unfit("it cannot be read"))?;
    let json: Value = serde_json::from_str(&text).map_err(|_| unfit("it is no JSON"))?;
    let word = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    let principal = word("client_email").unwrap_or_else(|| format!("the credentials in {named}"));
    let built = match word("type").as_deref() {
        Some("service_account") => service_account::Builder::new(json).build(),
        Some("external_account") => external_account::Builder::new(json).build(),
        Some("impersonated_service_account") => impersonated::Builder::new(json).build(),
        Some("authorized_user") => user_account::Builder::new(json).build(),
        _ => return Err(unfit("it is of no type that is known here")),
    };
    let built = built.map_err(|_| unfit("something is missing in it"))?;
    Ok((built, principal))
}
