//! Where a site's credentials come from: Microsoft's own crate finds them, on our HTTP client.
//!
//! Nothing in here is repeated: the crate's own retries are off, but for those of a machine's identity,
//! which the crate sets itself. So that one is asked for only where there is something to ask.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind as CoreKind;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, Transport,
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use strat_model::{ErrorKind, Result, Scope};
use strat_provider::Quiet;

use crate::config::{Cloud, Login, Settings};
use crate::error::refuse;

type Found = Arc<dyn TokenCredential>;

/// Where a machine in Azure asks for its own identity. It answers at once or is not there.
///
/// <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
const METADATA: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(169, 254, 169, 254), 80);
const METADATA_PATIENCE: Duration = Duration::from_secs(3);

/// The credentials that a site names, and what they are called.
pub(crate) fn find(settings: &Settings, http: &reqwest::Client) -> Result<(Found, String)> {
    let direct = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build();
    let direct = direct.map_err(|error| {
        let message = format!("no HTTP client can be made: {}", Quiet::of(&error));
        refuse(ErrorKind::Internal, message)
    })?;
    let options = || ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(Transport::new(Arc::new(Http {
            client: http.clone(),
            direct: direct.clone(),
        }))),
        cloud: cloud(settings).map(Arc::new),
        ..ClientOptions::default()
    };
    let made = match settings.credentials {
        Login::Environment => environment(settings, options()).map(|found| vec![found]),
        Login::Workload => workload(settings, options()).map(|found| vec![found]),
        Login::Cli => cli(settings),
        Login::Managed => managed(settings, options()).map(|found| vec![found]),
        Login::Any => {
            let found = [
                environment(settings, options()),
                workload(settings, options()),
            ];
            let found = found.into_iter().flatten();
            let cli = cli(settings).into_iter().flatten();
            let managed = managed(settings, options()).into_iter();
            Ok(found.chain(cli).chain(managed).collect())
        }
    };
    let words = match settings.credentials {
        Login::Environment => "the service principal in the environment",
        Login::Workload => "the workload's identity",
        Login::Cli => "who is logged in at the Azure CLI",
        Login::Managed => "the machine's managed identity",
        Login::Any => "what was found of credentials",
    };
    let sources = made.map_err(|error| {
        let message = format!("there are no credentials for this site: {words} is not there");
        refuse(ErrorKind::Unauthenticated, message)
            .with_scope(Scope::Account)
            .with_source(Quiet::of(&error))
    })?;
    let chain = Chain {
        sources,
        good: Mutex::default(),
    };
    Ok((Arc::new(chain), words.to_owned()))
}

fn cloud(settings: &Settings) -> Option<CloudConfiguration> {
    if let Some(authority) = &settings.authority {
        let mut own = CustomConfiguration::default();
        own.authority_host.clone_from(authority);
        return Some(CloudConfiguration::Custom(own));
    }
    match settings.cloud {
        // Without one, the crate takes what `AZURE_AUTHORITY_HOST` says, or the public cloud.
        Cloud::Public => None,
        Cloud::Government => Some(CloudConfiguration::AzureGovernment),
        Cloud::China => Some(CloudConfiguration::AzureChina),
    }
}

/// A variable of the environment: where Azure's tools keep a service principal, which the crate does not
/// read by itself.
#[expect(
    clippy::disallowed_methods,
    reason = "a service principal's secret is in the environment, as Azure's own tools have it"
)]
fn variable(name: &str) -> azure_core::Result<String> {
    std::env::var(name).map_err(|_| {
        azure_core::Error::with_message(CoreKind::Credential, format!("`{name}` is not set"))
    })
}

fn environment(settings: &Settings, client_options: ClientOptions) -> azure_core::Result<Found> {
    let tenant = match &settings.tenant {
        Some(tenant) => tenant.clone(),
        None => variable("AZURE_TENANT_ID")?,
    };
    let secret = Secret::new(variable("AZURE_CLIENT_SECRET")?);
    let options = ClientSecretCredentialOptions { client_options };
    let client = variable("AZURE_CLIENT_ID")?;
    Ok(ClientSecretCredential::new(
        &tenant,
        client,
        secret,
        Some(options),
    )?)
}

fn workload(settings: &Settings, client_options: ClientOptions) -> azure_core::Result<Found> {
    let options = WorkloadIdentityCredentialOptions {
        credential_options: ClientAssertionCredentialOptions { client_options },
        tenant_id: settings.tenant.clone(),
        client_id: settings.client.clone(),
        ..WorkloadIdentityCredentialOptions::default()
    };
    Ok(WorkloadIdentityCredential::new(Some(options))?)
}

fn cli(settings: &Settings) -> azure_core::Result<Vec<Found>> {
    let options = AzureCliCredentialOptions {
        tenant_id: settings.tenant.clone(),
        ..AzureCliCredentialOptions::default()
    };
    let az: Found = AzureCliCredential::new(Some(options))?;
    let azd: Found = AzureDeveloperCliCredential::new(None)?;
    Ok(vec![az, azd])
}

fn managed(settings: &Settings, client_options: ClientOptions) -> azure_core::Result<Found> {
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: settings.client.clone().map(UserAssignedId::ClientId),
        client_options,
    };
    let of_machine: Found = ManagedIdentityCredential::new(Some(options))?;
    // Platforms that stand in for the metadata service say so in the environment.
    let elsewhere = ["IDENTITY_ENDPOINT", "MSI_ENDPOINT"].map(variable);
    Ok(match elsewhere.iter().any(std::result::Result::is_ok) {
        true => of_machine,
        false => Arc::new(Metadata(of_machine)),
    })
}

/// The identity of a machine, which is asked for only on one that has a metadata service.
#[derive(Debug)]
struct Metadata(Found);

#[async_trait]
impl TokenCredential for Metadata {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let tried = tokio::net::TcpStream::connect(METADATA);
        let tried = tokio::time::timeout(METADATA_PATIENCE, tried).await;
        // The connection that was tried ends here, so that it is in nobody's way.
        if tried.is_ok_and(|connected| connected.is_ok()) {
            return self.0.get_token(scopes, options).await;
        }
        let message = "this is no machine in Azure: nothing answers at 169.254.169.254";
        Err(azure_core::Error::with_message(
            CoreKind::Credential,
            message.to_owned(),
        ))
    }
}

/// Several sources of tokens: the first that gives one is asked from then on.
#[derive(Debug)]
struct Chain {
    sources: Vec<Found>,
    good: Mutex<Option<usize>>,
}

#[async_trait]
impl TokenCredential for Chain {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let good = *self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = good.and_then(|good| self.sources.get(good)) {
            return source.get_token(scopes, options).await;
        }
        let mut reasons = Vec::new();
        for (index, source) in self.sources.iter().enumerate() {
            match source.get_token(scopes, options.clone()).await {
                Ok(token) => {
                    *self.good.lock().unwrap_or_else(PoisonError::into_inner) = Some(index);
                    return Ok(token);
                }
                Err(error) => reasons.push(error.to_string()),
            }
        }
        let all = reasons.join("; ");
        Err(azure_core::Error::with_message(CoreKind::Credential, all))
    }
}

/// Our HTTP client, as Microsoft's crates take one.
#[derive(Debug)]
struct Http {
    client: reqwest::Client,
    /// For what is asked without TLS: a service of this very machine, which no proxy leads to.
    direct: reqwest::Client,
}

#[async_trait]
impl HttpClient for Http {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let failed = |error: reqwest::Error| {
            let kind = match error.is_connect() {
                true => CoreKind::Connection,
                false => CoreKind::Io,
            };
            azure_core::Error::with_message(kind, Quiet::of(&error).to_string())
        };
        let unfit = |what: &str| azure_core::Error::with_message(CoreKind::Other, what.to_owned());
        let method = reqwest::Method::from_bytes(request.method().as_ref().as_bytes());
        let method = method.map_err(|_| unfit("a method that HTTP does not have"))?;
        let client = match request.url().scheme() {
            "http" => &self.direct,
            _ => &self.client,
        };
        let mut call = client.request(method, request.url().clone());
        for (name, value) in request.headers().iter() {
            call = call.header(name.as_str(), value.as_str());
        }
        let Body::Bytes(bytes) = request.body() else {
            return Err(unfit("a call for a token is no stream"));
        };
        let answer = call.body(bytes.clone()).send().await.map_err(failed)?;
        let status = answer.status().as_u16().into();
        let pairs = answer.headers().iter().filter_map(|(name, value)| {
            let name = HeaderName::from(name.as_str().to_owned());
            Some((name, HeaderValue::from(value.to_str().ok()?.to_owned())))
        });
        let headers = Headers::from(pairs.collect::<HashMap<_, _>>());
        let bytes = answer.bytes().await.map_err(failed)?;
        Ok(AsyncRawResponse::from_bytes(status, headers, bytes))
    }
}
