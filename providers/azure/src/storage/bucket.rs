//! Buckets: a storage account for each, with one container.
//!
//! Versioning is a setting of the account, so buckets share none. An account's name is one for all of
//! Azure, at most 24 letters and digits: it is made of the bucket's and a digest, and the bucket's own
//! name is a tag.
//!
//! <https://learn.microsoft.com/azure/storage/common/storage-account-overview>

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use strat_model::{
    Attributes, BucketSpec, Digest, Error, ErrorKind, Field, Kind, Resource, ResourceId,
    ResourceState, Result, Spec,
};
use strat_provider::{Contents, Create, Emptied, Stamp, Update};

use super::blob::{BlobCall, Listed, read_list, segment};
use crate::arm::Call;
use crate::error::{gone, if_there, refuse};
use crate::names::{ACCOUNT, Place};
use crate::observe::some_at_once;
use crate::provider::{AzureProvider, Seen, made_by, moment, state};
use crate::tags::{self, MADE, NAME, Tags};
use crate::wire::{Account, BlobService, Plain, Thing};

const READ: &str = "Microsoft.Storage/storageAccounts/read";
const WRITE: &str = "Microsoft.Storage/storageAccounts/write";
const DELETE: &str = "Microsoft.Storage/storageAccounts/delete";
const READ_SERVICE: &str = "Microsoft.Storage/storageAccounts/blobServices/read";
const WRITE_SERVICE: &str = "Microsoft.Storage/storageAccounts/blobServices/write";
const READ_CONTAINER: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/read";
const WRITE_CONTAINER: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/write";
const READ_BLOB: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";
const DELETE_BLOB: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete";

/// The longest name of an account.
const NAME_MAX: usize = 24;
/// How many blobs one call takes out, one request each.
const EMPTIED_AT_ONCE: u32 = 100;
/// The name of an account's container, where the bucket's own is none.
const CONTAINER: &str = "bucket";
/// Where the address of an account's blobs is noted.
const BLOBS: &str = "blobs";

/// The name of the account of a bucket: letters of the name, and a digest of subscription and name.
fn account_name(subscription: &str, name: &str) -> String {
    let digest = Digest::of_parts(["bucket", &subscription.to_ascii_lowercase(), name]);
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let head: String = letters.take(NAME_MAX - 12).collect();
    format!("{}{}", head.to_ascii_lowercase(), &digest.as_str()[..12])
}

/// The container of a bucket.
fn container_name(name: &str) -> &str {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = (3..=63).contains(&name.len())
        && name.chars().all(good)
        && !name.contains("--")
        && !name.starts_with('-')
        && !name.ends_with('-');
    if fits { name } else { CONTAINER }
}

/// The body of a new account: nobody reads it without a token of their own.
pub(crate) fn new_account(region: &str, tags: &Tags) -> Value {
    json!({
        "location": region,
        "kind": "StorageV2",
        "sku": { "name": "Standard_LRS" },
        "tags": tags,
        "properties": {
            "allowBlobPublicAccess": false,
            "allowSharedKeyAccess": false,
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": true,
        },
    })
}

impl AzureProvider {
    pub(crate) async fn make_bucket(
        &self,
        request: Create<'_, BucketSpec>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        let spec = request.spec;
        let account = account_name(&self.settings.subscription, request.name);
        let ground = self.ground(&account, request.mark, &spec.labels, stamp);
        let (at, mut tags) = ground.await?;
        tags::set(&mut tags, NAME, request.name);
        tags::check(&tags)?;
        let id = at.id();
        let path = self.path(ACCOUNT, &at);
        let put = Call::new(WRITE, Method::PUT, path.clone(), ACCOUNT.version);
        let put = put.carrying(new_account(&self.settings.region, &tags));
        self.make((Kind::Bucket, &id), request.mark, stamp, &put)
            .await?;
        self.make_container(&path, container_name(request.name))
            .await?;
        if spec.versioning {
            self.set_versioning(&at, true).await?;
        }
        let seen = self.get_bucket(&id).await?;
        made_by(
            stamp,
            seen.ok_or_else(|| gone(Kind::Bucket, &id))?,
            request.mark,
        )
    }

    /// Makes a container of an account; one that is there stays as it is.
    pub(crate) async fn make_container(&self, account: &str, name: &str) -> Result<()> {
        let path = format!("{account}/blobServices/default/containers/{name}");
        let put = Call::new(WRITE_CONTAINER, Method::PUT, path, ACCOUNT.version);
        let body = json!({ "properties": { "publicAccess": "None" } });
        self.done(&put.carrying(body)).await
    }

    pub(crate) async fn change_bucket(&self, request: Update<'_, BucketSpec>) -> Result<Resource> {
        let missing = || gone(Kind::Bucket, request.id);
        let at = Place::of_id(request.id).ok_or_else(missing)?;
        let account = self.read_account(&at).await?.ok_or_else(missing)?;
        if request.fields.contains(&Field::Versioning)
            && self.is_versioned(&at).await? != request.spec.versioning
        {
            self.set_versioning(&at, request.spec.versioning).await?;
        }
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        self.retag((ACCOUNT, &at), &account.tags, request.mark, labels)
            .await?;
        let seen = self.get_bucket(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    /// Azure deletes an account with all that is in it: this looks first, for blobs and for containers
    /// that are not ours.
    pub(crate) async fn end_bucket(&self, id: &ResourceId) -> Result<()> {
        let Some(at) = Place::of_id(id) else {
            return Ok(());
        };
        let Some(account) = self.read_account(&at).await? else {
            return Ok(());
        };
        let own = tags::get(&account.tags, NAME);
        let own = own.as_deref().map(container_name);
        let path = format!(
            "{}/blobServices/default/containers",
            self.path(ACCOUNT, &at)
        );
        let call = Call::new(READ_CONTAINER, Method::GET, path, ACCOUNT.version);
        let all: Vec<Thing<Plain>> = self.list_of(&call).await?;
        if let Some(other) = all.iter().find(|one| Some(one.name.as_str()) != own) {
            let message = format!(
                "the container {} is in the account of the bucket {id}",
                other.name
            );
            return Err(refuse(ErrorKind::Conflict, message));
        }
        if self.holds_nothing(&account).await? != Some(true) {
            let message = format!("there is something in the bucket {id}");
            return Err(refuse(ErrorKind::Conflict, message));
        }
        self.end(DELETE, ACCOUNT, &at).await
    }

    pub(crate) async fn read_account(&self, at: &Place) -> Result<Option<Thing<Account>>> {
        let call = Call::new(READ, Method::GET, self.path(ACCOUNT, at), ACCOUNT.version);
        self.find_one(&call).await
    }

    fn service(&self, action: &'static str, method: Method, at: &Place) -> Call {
        let path = format!("{}/blobServices/default", self.path(ACCOUNT, at));
        Call::new(action, method, path, ACCOUNT.version)
    }

    async fn is_versioned(&self, at: &Place) -> Result<bool> {
        let call = self.service(READ_SERVICE, Method::GET, at);
        let service: Option<Thing<BlobService>> = self.find_one(&call).await?;
        Ok(service.is_some_and(|service| service.properties.is_versioning_enabled))
    }

    /// A `PUT` of the service's settings replaces them: what is written is what was read, with what
    /// changes.
    async fn set_versioning(&self, at: &Place, on: bool) -> Result<()> {
        let call = self.service(READ_SERVICE, Method::GET, at);
        let read: Option<Value> = self.find_one(&call).await?;
        let mut properties = read
            .map(|read| read["properties"].clone())
            .unwrap_or_default();
        if !properties.is_object() {
            properties = json!({});
        }
        properties["isVersioningEnabled"] = json!(on);
        let put = self.service(WRITE_SERVICE, Method::PUT, at);
        self.done(&put.carrying(json!({ "properties": properties })))
            .await
    }

    /// Whether nothing is in a bucket, no older version either; `None` where that may not be asked.
    async fn holds_nothing(&self, account: &Thing<Account>) -> Result<Option<bool>> {
        match self.list_blobs(account, 1).await {
            Ok((blobs, more)) => Ok(Some(blobs.is_empty() && !more)),
            Err(error) if error.kind() == ErrorKind::Forbidden => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Some(true)),
            Err(error) => Err(error),
        }
    }

    async fn list_blobs(&self, account: &Thing<Account>, most: u32) -> Result<(Vec<Listed>, bool)> {
        let Some((base, container)) = blobs_of(account) else {
            return Ok((Vec::new(), false));
        };
        let call = BlobCall::new(READ_BLOB, Method::GET, &base, container)
            .with("restype", "container")
            .with("comp", "list")
            .with("include", "snapshots,versions")
            .with("maxresults", most.to_string());
        let answer = self.blob(call).await?;
        Ok(read_list(&answer.text))
    }

    /// A blob that has snapshots goes with them, or not at all, and an older version or a snapshot goes
    /// alone: <https://learn.microsoft.com/rest/api/storageservices/delete-blob>.
    async fn delete_blob(&self, base: &str, container: &str, one: &Listed) -> Result<()> {
        let parts: Vec<String> = one.name.split('/').map(segment).collect();
        let path = format!("{container}/{}", parts.join("/"));
        let mut call = BlobCall::new(DELETE_BLOB, Method::DELETE, base, path);
        match (&one.snapshot, &one.version) {
            (Some(snapshot), _) => call = call.with("snapshot", snapshot),
            (None, Some(version)) if !one.is_current => call = call.with("versionid", version),
            (None, _) => call = call.header("x-ms-delete-snapshots", "include"),
        }
        let gone = if_there(self.blob(call).await);
        gone.map(|_| ()).map_err(locked)
    }

    pub(crate) async fn get_bucket(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let Some(at) = Place::of_id(id) else {
            return Ok(None);
        };
        let account = self.read_account(&at).await?;
        let Some(mut seen) = account
            .as_ref()
            .and_then(|account| self.report_bucket(account))
        else {
            return Ok(None);
        };
        self.complete(&mut seen.resource).await?;
        Ok(Some(seen))
    }

    /// The accounts alone: what is in them is [looked into](Self::look_into) where it counts.
    pub(crate) async fn scan_buckets(&self) -> Result<Vec<Seen>> {
        let call = Call::new(READ, Method::GET, self.all_of(ACCOUNT), ACCOUNT.version);
        let all: Vec<Thing<Account>> = self.list_of(&call).await?;
        let here = all.iter().filter(|one| self.is_here(&one.location));
        Ok(here
            .filter_map(|account| self.report_bucket(account))
            .collect())
    }

    /// Completes buckets of a list: each is asked for its versioning and for whether anything is in it,
    /// since none is deleted unless that is known.
    pub(crate) async fn look_into(&self, items: &mut [Resource]) -> Result<()> {
        let each = items.iter_mut().map(|item| self.complete(item)).collect();
        some_at_once(each).await.into_iter().collect()
    }

    async fn complete(&self, bucket: &mut Resource) -> Result<()> {
        let Some(at) = Place::of_id(&bucket.id) else {
            return Ok(());
        };
        if bucket.state == ResourceState::Ready
            && let Spec::Bucket(spec) = &mut bucket.spec
        {
            spec.versioning = self.is_versioned(&at).await?;
        }
        let blobs = bucket.attributes.remove(BLOBS);
        if bucket.mark.is_none() {
            return Ok(());
        }
        let container = container_name(&bucket.name).to_owned();
        let account = blobs.map(|base| stand_in(&base, &container));
        let empty = match &account {
            Some(account) => self.holds_nothing(account).await?,
            None => Some(true),
        };
        let empty = empty.map(|empty| (Resource::EMPTY.to_owned(), empty.to_string()));
        bucket.attributes.extend(empty);
        Ok(())
    }

    fn report_bucket(&self, account: &Thing<Account>) -> Option<Seen> {
        let id = Place::of_path(&account.id)?.id();
        let mark = tags::mark(&account.tags);
        let name = tags::get(&account.tags, NAME);
        let own = name.as_deref().map_or("", container_name);
        let endpoint = account.properties.primary_endpoints.blob.clone();
        let url = endpoint
            .as_ref()
            .map(|base| format!("{}/{own}", base.trim_end_matches('/')));
        let pairs = [
            url.map(|url| ("url".to_owned(), url.trim_end_matches('/').to_owned())),
            endpoint.map(|base| (BLOBS.to_owned(), base)),
        ];
        Some(Seen {
            made: tags::get(&account.tags, MADE),
            resource: Resource {
                witness: tags::witness(&account.tags, mark.as_ref(), &id, &self.self_of(&id)),
                id,
                name: name.unwrap_or_else(|| account.name.clone()),
                mark,
                state: state(account.properties.provisioning_state.as_deref()),
                spec: Spec::Bucket(BucketSpec {
                    versioning: false,
                    labels: tags::labels(&account.tags),
                }),
                attributes: pairs.into_iter().flatten().collect::<Attributes>(),
                created: moment(account.properties.creation_time.as_deref()),
            },
        })
    }
}

/// An account of which only its blobs' address and its container's name are known.
fn stand_in(base: &str, container: &str) -> Thing<Account> {
    let mut account = Thing::<Account>::default();
    account.properties.primary_endpoints.blob = Some(base.to_owned());
    tags::set(&mut account.tags, NAME, container);
    account
}

/// Where the blobs of a bucket are: the account's address and the container.
fn blobs_of(account: &Thing<Account>) -> Option<(String, String)> {
    let base = account.properties.primary_endpoints.blob.clone()?;
    let name = tags::get(&account.tags, NAME)?;
    Some((base, container_name(&name).to_owned()))
}

#[async_trait]
impl Contents for AzureProvider {
    async fn empty_bucket(&self, id: &ResourceId) -> Result<Emptied> {
        let Some(at) = Place::of_id(id) else {
            return Ok(Emptied::default());
        };
        let Some(account) = self.read_account(&at).await? else {
            return Ok(Emptied::default());
        };
        let found = if_there(self.list_blobs(&account, EMPTIED_AT_ONCE).await)?;
        let (Some((blobs, more)), Some((base, container))) = (found, blobs_of(&account)) else {
            return Ok(Emptied::default());
        };
        // What is deleted where versions are kept becomes a version, which the next call finds.
        let becomes_version = |one: &Listed| one.version.is_some() && one.is_current;
        let left = more || blobs.iter().any(becomes_version);
        let deletes = blobs
            .iter()
            .map(|one| self.delete_blob(&base, &container, one));
        let mut removed = 0;
        for outcome in some_at_once(deletes.collect()).await {
            outcome?;
            removed += 1;
        }
        Ok(Emptied { removed, left })
    }
}

/// A blob that is held until a date is in the way.
fn locked(error: Error) -> Error {
    let held = error
        .code()
        .is_some_and(|code| code.contains("Immutab") || code.contains("LegalHold"));
    match held {
        true => error.with_kind(ErrorKind::Conflict),
        false => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_and_containers_have_names_that_azure_takes() {
        let subscription = "00000000-0000-4000-8000-000000000001";
        let long = "b".repeat(63);
        for name in ["shop-assets", "a", "x--y", &long] {
            let account = account_name(subscription, name);
            assert!((3..=NAME_MAX).contains(&account.len()), "{account}");
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            assert!(account.chars().all(good), "{account}");
            assert_ne!(account, account_name("other", name));
            assert!(container_name(name).len() >= 3);
        }
        assert_eq!(container_name("x--y"), CONTAINER);
    }
}
