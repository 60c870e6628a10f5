//! Leases: blobs of one storage account for the subscription and region, written on condition.
//!
//! `If-None-Match: *` takes a lease that nobody ever had, `If-Match: ETAG` renews it, gives it back or
//! takes it over. An `ETag` of the storage's is that of one writing, and never comes back. Nothing is ever
//! deleted. Tags would not do: the resource manager takes no condition on them.
//!
//! <https://learn.microsoft.com/azure/storage/blobs/concurrency-manage>

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::json;
use strat_model::{Digest, Error, ErrorKind, Result};
use strat_provider::{Kept, LeaseKey, LeaseVersion, Leases};

use crate::arm::Call;
use crate::error::{if_there, lacking, refuse};
use crate::names::{ACCOUNT, Place, RESOURCES};
use crate::provider::AzureProvider;
use crate::storage::{BlobCall, new_account};
use crate::tags::Tags;

const READ: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";
const WRITE: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write";
/// The group of the accounts that are made here.
const GROUP: &str = "stratiform-leases";
/// The container in them.
const CONTAINER: &str = "stratiform-leases";
/// No writing's: an `ETag` of the storage's is a number with `0x` before it.
const NEVER: &str = "\"never\"";

impl AzureProvider {
    /// The account of this site's leases.
    fn lease_account(&self) -> Place {
        let named = self.settings.lease_account.as_deref();
        if let Some((group, account)) = named.and_then(|named| named.split_once('/')) {
            return Place::new(group, account);
        }
        let subscription = self.settings.subscription.to_ascii_lowercase();
        let digest = Digest::of_parts(["leases", &subscription, &self.settings.region]);
        Place::new(GROUP, &format!("strat{}", &digest.as_str()[..19]))
    }

    /// Where its blobs are; `None` where the account is not there.
    async fn lease_base(&self) -> Result<Option<String>> {
        if let Some(known) = self.lease_blobs.get() {
            return Ok(Some(known.clone()));
        }
        let account = self.read_account(&self.lease_account()).await?;
        let base = account.and_then(|account| account.properties.primary_endpoints.blob);
        if let Some(base) = &base {
            // Another task may have set it to the same.
            let _ = self.lease_blobs.set(base.clone());
        }
        Ok(base)
    }

    fn lease_blob(action: &'static str, method: Method, base: &str, key: &LeaseKey) -> BlobCall {
        BlobCall::new(
            action,
            method,
            base,
            format!("{CONTAINER}/leases/{key}.json"),
        )
    }

    async fn put_lease(
        &self,
        key: &LeaseKey,
        text: &str,
        (condition, value): (&'static str, &str),
    ) -> Result<LeaseVersion> {
        let Some(base) = self.lease_base().await? else {
            let message = "the storage account of the leases is not there";
            return Err(refuse(ErrorKind::NotFound, message));
        };
        let mut call = Self::lease_blob(WRITE, Method::PUT, &base, key)
            .header("x-ms-blob-type", "BlockBlob")
            .header("content-type", "application/json")
            .header(condition, value);
        call.body = Some(text.to_owned());
        let answer = self.blob(call).await?;
        etag(WRITE, &answer.headers)
    }
}

fn etag(action: &str, headers: &reqwest::header::HeaderMap) -> Result<LeaseVersion> {
    let etag = headers
        .get(reqwest::header::ETAG)
        .and_then(|etag| etag.to_str().ok());
    let etag = etag.ok_or_else(|| lacking(action, "ETag"))?;
    Ok(LeaseVersion(etag.to_owned()))
}

#[async_trait]
impl Leases for AzureProvider {
    async fn places(&self) -> Result<Vec<String>> {
        let (subscription, region) = (&self.settings.subscription, &self.settings.region);
        Ok(vec![
            format!("azure/{subscription}/{region}").to_ascii_lowercase(),
        ])
    }

    async fn missing(&self) -> Result<Option<String>> {
        let at = self.lease_account();
        let there = self.lease_base().await?.is_some();
        Ok((!there).then(|| format!("the storage account `{}`", at.id())))
    }

    async fn make(&self) -> Result<()> {
        let at = self.lease_account();
        if self.lease_base().await?.is_none() {
            let body = json!({ "location": self.settings.region });
            let action = "Microsoft.Resources/subscriptions/resourceGroups/write";
            let group = self.group_path(&at.group);
            // A group that is there may be in another region, which nobody changes any more.
            let look = Call::new(action, Method::GET, group.clone(), RESOURCES);
            if if_there(self.send(&look).await)?.is_none() {
                let put = Call::new(action, Method::PUT, group, RESOURCES).carrying(body);
                self.done(&put).await?;
            }
            let action = "Microsoft.Storage/storageAccounts/write";
            let put = Call::new(
                action,
                Method::PUT,
                self.path(ACCOUNT, &at),
                ACCOUNT.version,
            );
            let put = put.carrying(new_account(&self.settings.region, &Tags::new()));
            self.done(&put).await.map_err(|error| taken(error, &at))?;
        }
        self.make_container(&self.path(ACCOUNT, &at), CONTAINER)
            .await
    }

    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>> {
        let Some(base) = self.lease_base().await? else {
            return Ok(None);
        };
        let call = Self::lease_blob(READ, Method::GET, &base, key);
        let Some(answer) = if_there(self.blob(call).await)? else {
            return Ok(None);
        };
        Ok(Some(Kept {
            version: etag(READ, &answer.headers)?,
            text: answer.text,
        }))
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        let condition = match seen {
            None => ("if-none-match", "*"),
            Some(version) => ("if-match", version.0.as_str()),
        };
        self.put_lease(key, text, condition).await
    }

    /// Where the server may be any, it is tried with writings that must be refused.
    async fn prove(&self, key: &LeaseKey, kept: &Kept) -> Result<bool> {
        if self.settings.endpoint.is_none() {
            return Ok(false);
        }
        for condition in [("if-none-match", "*"), ("if-match", NEVER)] {
            match self.put_lease(key, &kept.text, condition).await {
                Err(error) if error.kind() == ErrorKind::Precondition => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    let message = format!("this server takes `{}` and ignores it", condition.0);
                    return Err(refuse(ErrorKind::Unsupported, message));
                }
            }
        }
        Ok(true)
    }

    /// A storage account reads what was written last.
    ///
    /// <https://learn.microsoft.com/azure/storage/blobs/concurrency-manage>
    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}

/// A name that can be guessed may be taken by somebody else.
fn taken(error: Error, at: &Place) -> Error {
    if error.kind() != ErrorKind::AlreadyExists {
        return error;
    }
    let message = format!("the storage account `{}` is somebody else's", at.name);
    let help = "name another with `lease_account` in the site's block";
    refuse(ErrorKind::AlreadyExists, message).with_help(help)
}
