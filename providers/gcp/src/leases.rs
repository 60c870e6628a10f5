//! Leases: objects of one bucket for the project and region, written on condition.
//!
//! `ifGenerationMatch=0` takes a lease that nobody ever had, `ifGenerationMatch=N` renews it, gives it
//! back or takes it over. A generation is the number of one writing of an object and never comes
//! back: unlike the fingerprints of Compute Engine, which are digests of what is written. Nothing is
//! ever deleted.
//!
//! <https://cloud.google.com/storage/docs/request-preconditions>

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use strat_model::{Error, ErrorKind, Result};
use strat_provider::{Kept, LeaseKey, LeaseVersion, Leases};

use crate::error::{if_there, lacking, refuse};
use crate::names::with_digest;
use crate::provider::GcpProvider;
use crate::storage::{Body, segment};

/// The generation of an object that is not there.
const NEVER_WRITTEN: &str = "0";
/// No object's: generations are moments, in microseconds.
const NEVER: &str = "1";
/// The header of an answer that has an object's generation.
const GENERATION: &str = "x-goog-generation";

#[derive(Debug, Deserialize)]
struct Written {
    generation: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Buckets {
    items: Vec<Named>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

/// The object of a key.
fn object(key: &LeaseKey) -> String {
    format!("leases/{key}.json")
}

impl GcpProvider {
    /// The bucket of this site's leases.
    fn lease_bucket(&self) -> String {
        let own = || {
            let (project, region) = (&self.settings.project, &self.settings.region);
            let name = format!("stratiform-leases-{project}-{region}");
            match name.len() > 63 || name.contains([':', '.']) {
                true => with_digest("stratiform-leases", &name),
                false => name,
            }
        };
        self.settings.lease_bucket.clone().unwrap_or_else(own)
    }

    /// A name that can be guessed may be taken by somebody else: the bucket is one of the project's.
    async fn has_bucket(&self, bucket: &str) -> Result<bool> {
        let query = [
            ("project", self.settings.project.clone()),
            ("prefix", bucket.to_owned()),
        ];
        let url = self.storage("");
        let found: Buckets = self
            .call_json(
                "storage.buckets.list",
                Method::GET,
                &url,
                &query,
                Body::None,
            )
            .await?;
        Ok(found.items.iter().any(|one| one.name == bucket))
    }

    async fn put(&self, key: &LeaseKey, text: &str, seen: &str) -> Result<LeaseVersion> {
        const ACTION: &str = "storage.objects.create";
        let url = format!(
            "{}/upload/storage/v1/b/{}/o",
            self.access.storage,
            segment(&self.lease_bucket())
        );
        let query = [
            ("uploadType", "media".to_owned()),
            ("name", object(key)),
            ("ifGenerationMatch", seen.to_owned()),
        ];
        let body = Body::Text(text.to_owned());
        let written: Written = self
            .call_json(ACTION, Method::POST, &url, &query, body)
            .await?;
        Ok(LeaseVersion(written.generation))
    }
}

#[async_trait]
impl Leases for GcpProvider {
    async fn places(&self) -> Result<Vec<String>> {
        let (project, region) = (&self.settings.project, &self.settings.region);
        Ok(vec![format!("gcp/{project}/{region}")])
    }

    async fn missing(&self) -> Result<Option<String>> {
        let bucket = self.lease_bucket();
        // One that the site names may be of another project.
        if self.settings.lease_bucket.is_some() {
            let url = self.storage(&format!("/{}", segment(&bucket)));
            let found = self
                .call("storage.buckets.get", Method::GET, &url, &[], Body::None)
                .await;
            let there = if_there(found)?.is_some();
            return Ok((!there).then(|| format!("the bucket `{bucket}`")));
        }
        let there = self.has_bucket(&bucket).await?;
        Ok((!there).then(|| format!("the bucket `{bucket}`")))
    }

    async fn make(&self) -> Result<()> {
        const ACTION: &str = "storage.buckets.create";
        let bucket = self.lease_bucket();
        let body = json!({
            "name": bucket,
            "location": self.settings.region,
            "iamConfiguration": {
                "uniformBucketLevelAccess": { "enabled": true },
                "publicAccessPrevention": "enforced",
            },
        });
        let query = [("project", self.settings.project.clone())];
        let url = self.storage("");
        let made = self
            .call(ACTION, Method::POST, &url, &query, Body::Json(body))
            .await;
        let taken =
            |error: &Error| matches!(error.kind(), ErrorKind::Conflict | ErrorKind::AlreadyExists);
        match made {
            Ok(_) => Ok(()),
            Err(error) if taken(&error) => match self.missing().await? {
                None => Ok(()),
                Some(_) => {
                    let message =
                        format!("the bucket `{bucket}` is there, and it is not of this project");
                    let help = "name another with `lease_bucket` in the site's block";
                    Err(refuse(ErrorKind::AlreadyExists, message).with_help(help))
                }
            },
            Err(error) => Err(error),
        }
    }

    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>> {
        const ACTION: &str = "storage.objects.get";
        let (bucket, name) = (segment(&self.lease_bucket()), segment(&object(key)));
        let url = self.storage(&format!("/{bucket}/o/{name}"));
        let query = [("alt", "media".to_owned())];
        let answer = self
            .call(ACTION, Method::GET, &url, &query, Body::None)
            .await;
        let Some(answer) = if_there(answer)? else {
            return Ok(None);
        };
        let version = answer
            .headers()
            .get(GENERATION)
            .and_then(|one| one.to_str().ok());
        let version = version
            .ok_or_else(|| lacking(ACTION, "generation"))?
            .to_owned();
        let text = answer.text().await.map_err(|error| {
            refuse(
                ErrorKind::Transient,
                format!("the answer to the call for {ACTION} broke off: {error}"),
            )
        })?;
        Ok(Some(Kept {
            text,
            version: LeaseVersion(version),
        }))
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        let seen = seen.map_or(NEVER_WRITTEN, |version| version.0.as_str());
        self.put(key, text, seen).await
    }

    /// Where the server may be any, it is tried with writings that must be refused.
    async fn prove(&self, key: &LeaseKey, kept: &Kept) -> Result<bool> {
        if self.settings.endpoint.is_none() {
            return Ok(false);
        }
        for seen in [NEVER_WRITTEN, NEVER] {
            match self.put(key, &kept.text, seen).await {
                Err(error) if error.kind() == ErrorKind::Precondition => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    let message = "this server takes `ifGenerationMatch` and ignores it";
                    return Err(refuse(ErrorKind::Unsupported, message));
                }
            }
        }
        Ok(true)
    }

    /// Cloud Storage reads what was written last.
    ///
    /// <https://cloud.google.com/storage/docs/consistency>
    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}
