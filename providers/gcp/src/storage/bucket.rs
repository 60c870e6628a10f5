//! Buckets: of Cloud Storage, in the region, with uniform access, and never public.
//!
//! <https://cloud.google.com/storage/docs/json_api/v1/buckets>

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::future::{join_all, try_join_all};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use strat_model::{
    Attributes, BucketSpec, ErrorKind, Field, Kind, Resource, ResourceId, Result, Spec,
};
use strat_provider::{Contents, Create, Emptied, Update};

use super::http::{Body, segment};
use crate::error::{gone, if_there, refuse};
use crate::labels::{self, MADE, NAME, Raw, SELF};
use crate::network::{self_of, witness_of};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::operations::Stamp;
use crate::provider::{GcpProvider, READY, Seen, made_by};

/// What a bucket's name is digested with: all buckets of the world share their names.
const WORLD: &str = "bucket";
/// How many objects one call takes out, one request each.
const EMPTIED_AT_ONCE: u32 = 100;
/// How many of those requests are under way at once.
const AT_ONCE: usize = 10;

/// A bucket as Cloud Storage tells it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Bucket {
    name: String,
    location: String,
    labels: Raw,
    metageneration: String,
    versioning: Versioning,
    time_created: Option<jiff::Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Versioning {
    enabled: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Page<T> {
    items: Vec<T>,
    next_page_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Object {
    name: String,
    generation: String,
}

impl GcpProvider {
    pub(crate) async fn make_bucket(
        &self,
        request: Create<'_, BucketSpec>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        const ACTION: &str = "storage.buckets.create";
        let (spec, name) = (request.spec, request.name);
        let mut all = labels::of_new(request.mark, &spec.labels);
        labels::set(&mut all, MADE, &stamp.text());
        labels::set(&mut all, SELF, &self_of(WORLD, name));
        labels::check(&all)?;
        let body = json!({
            "name": name,
            "location": self.settings.region,
            "labels": all,
            "versioning": { "enabled": spec.versioning },
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
        let id = ResourceId::from(name);
        match made {
            Ok(_) => {}
            // The name is taken: by this create, or by anybody in the world.
            Err(error)
                if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::AlreadyExists) =>
            {
                let taken = || {
                    let message =
                        format!("there is a bucket {name} already, and it is not of this project");
                    refuse(ErrorKind::AlreadyExists, message)
                };
                return match self.get_bucket(&id).await {
                    Ok(Some(there)) => made_by(stamp, there, request.mark),
                    Ok(None) => Err(taken()),
                    Err(error) if error.kind() == ErrorKind::Forbidden => Err(taken()),
                    Err(error) => Err(error),
                };
            }
            Err(error) => return Err(error),
        }
        let there = self.get_bucket(&id).await?;
        made_by(
            stamp,
            there.ok_or_else(|| gone(Kind::Bucket, &id))?,
            request.mark,
        )
    }

    pub(crate) async fn change_bucket(&self, request: Update<'_, BucketSpec>) -> Result<Resource> {
        const ACTION: &str = "storage.buckets.update";
        let missing = || gone(Kind::Bucket, request.id);
        let bucket = self.read_bucket(request.id).await?.ok_or_else(missing)?;
        let (spec, fields) = (request.spec, request.fields);
        let wanted = fields.contains(&Field::Labels).then_some(&spec.labels);
        let after = labels::changed(&bucket.labels, request.mark, wanted)?;
        let mut patch = BTreeMap::<&str, Value>::new();
        if after != bucket.labels {
            let mut labels: BTreeMap<&String, Value> = after
                .iter()
                .map(|(key, value)| (key, json!(value)))
                .collect();
            // A patch takes off what it sets to nothing.
            let gone = bucket.labels.keys().filter(|key| !after.contains_key(*key));
            labels.extend(gone.map(|key| (key, Value::Null)));
            patch.insert("labels", json!(labels));
        }
        if fields.contains(&Field::Versioning) && spec.versioning != bucket.versioning.enabled {
            patch.insert("versioning", json!({ "enabled": spec.versioning }));
        }
        if !patch.is_empty() {
            // Nobody wrote in between: numbers of writings never repeat.
            let query = [("ifMetagenerationMatch", bucket.metageneration.clone())];
            let url = self.storage(&format!("/{}", segment(request.id.as_str())));
            self.call(
                ACTION,
                Method::PATCH,
                &url,
                &query,
                Body::Json(json!(patch)),
            )
            .await?;
        }
        let seen = self.get_bucket(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    pub(crate) async fn end_bucket(&self, id: &ResourceId) -> Result<()> {
        const ACTION: &str = "storage.buckets.delete";
        let url = self.storage(&format!("/{}", segment(id.as_str())));
        let ended = self
            .call(ACTION, Method::DELETE, &url, &[], Body::None)
            .await;
        if_there(ended).map(|_| ())
    }

    async fn read_bucket(&self, id: &ResourceId) -> Result<Option<Bucket>> {
        let url = self.storage(&format!("/{}", segment(id.as_str())));
        let answer = self
            .call_json("storage.buckets.get", Method::GET, &url, &[], Body::None)
            .await;
        if_there(answer)
    }

    /// Whether nothing is in a bucket, no older version either; `None` where that may not be asked.
    async fn is_empty(&self, bucket: &str) -> Result<Option<bool>> {
        let found: Result<Page<Object>> = self.list_objects(bucket, 1).await;
        match found {
            Ok(page) => Ok(Some(
                page.items.is_empty() && page.next_page_token.is_none(),
            )),
            Err(error) if error.kind() == ErrorKind::Forbidden => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Some(true)),
            Err(error) => Err(error),
        }
    }

    async fn list_objects(&self, bucket: &str, most: u32) -> Result<Page<Object>> {
        let url = self.storage(&format!("/{}/o", segment(bucket)));
        let query = [
            ("versions", "true".to_owned()),
            ("maxResults", most.to_string()),
        ];
        self.call_json(
            "storage.objects.list",
            Method::GET,
            &url,
            &query,
            Body::None,
        )
        .await
    }

    pub(crate) async fn get_bucket(&self, id: &ResourceId) -> Result<Option<Seen>> {
        match self.read_bucket(id).await? {
            Some(bucket) => self.report_bucket(bucket).await.map(Some),
            None => Ok(None),
        }
    }

    /// The buckets of the project in this region. Cloud Storage lists by the beginning of names alone;
    /// of ours, each is asked whether anything is in it, since none is deleted unless that is known.
    pub(crate) async fn scan_buckets(&self, scan: Scan<'_>, page: Option<&str>) -> Result<Found> {
        if let Scan::Names(names) = scan {
            let all = names.iter().map(|name| async move {
                self.get_bucket(&ResourceId::from(name))
                    .await
                    .or_else(|error| match error.kind() {
                        // Somebody else has the name, anywhere in the world.
                        ErrorKind::Forbidden => Ok(None),
                        _ => Err(error),
                    })
            });
            let items = try_join_all(all).await?.into_iter().flatten().collect();
            return Ok(Found { items, next: None });
        }
        let mut query = vec![
            ("project", self.settings.project.clone()),
            ("maxResults", PAGE_MAX.to_string()),
        ];
        query.extend(page.map(|page| ("pageToken", page.to_owned())));
        let url = self.storage("");
        let answer: Page<Bucket> = self
            .call_json(
                "storage.buckets.list",
                Method::GET,
                &url,
                &query,
                Body::None,
            )
            .await?;
        let here = answer.items.into_iter();
        let here = here.filter(|one| one.location.eq_ignore_ascii_case(&self.settings.region));
        let wanted = here.filter(|one| match scan {
            Scan::List(strat_provider::Filter::All) | Scan::Names(_) => true,
            _ => labels::mark(&one.labels).is_some(),
        });
        let items = try_join_all(wanted.map(|bucket| self.report_bucket(bucket))).await?;
        Ok(Found {
            items,
            next: answer.next_page_token,
        })
    }

    async fn report_bucket(&self, bucket: Bucket) -> Result<Seen> {
        let raw = &bucket.labels;
        let (id, mark) = (ResourceId::from(&bucket.name), labels::mark(raw));
        let made_as = labels::get(raw, SELF);
        let is = self_of(WORLD, &bucket.name);
        let empty = match &mark {
            Some(_) => self.is_empty(&bucket.name).await?,
            None => None,
        };
        let url = format!("gs://{}", bucket.name);
        let pairs = [
            Some(("url".to_owned(), url)),
            empty.map(|empty| (Resource::EMPTY.to_owned(), empty.to_string())),
        ];
        Ok(Seen {
            resource: Resource {
                witness: witness_of(mark.as_ref(), &id, made_as.as_deref(), &is),
                id,
                name: labels::get(raw, NAME).unwrap_or_else(|| bucket.name.clone()),
                mark,
                state: READY,
                spec: Spec::Bucket(BucketSpec {
                    versioning: bucket.versioning.enabled,
                    labels: labels::labels(raw),
                }),
                attributes: pairs.into_iter().flatten().collect::<Attributes>(),
                created: bucket.time_created,
            },
            made: labels::get(raw, MADE),
            region: None,
        })
    }
}

#[async_trait]
impl Contents for GcpProvider {
    async fn empty_bucket(&self, id: &ResourceId) -> Result<Emptied> {
        const ACTION: &str = "storage.objects.delete";
        let found = if_there(self.list_objects(id.as_str(), EMPTIED_AT_ONCE).await)?;
        let Some(page) = found else {
            return Ok(Emptied::default());
        };
        let mut removed = 0;
        for some in page.items.chunks(AT_ONCE) {
            let each = some.iter().map(|object| async move {
                let bucket = segment(id.as_str());
                let url = self.storage(&format!("/{bucket}/o/{}", segment(&object.name)));
                let query = [("generation", object.generation.clone())];
                let gone = self
                    .call(ACTION, Method::DELETE, &url, &query, Body::None)
                    .await;
                if_there(gone).map(|_| ())
            });
            for outcome in join_all(each).await {
                outcome.map_err(locked)?;
                removed += 1;
            }
        }
        Ok(Emptied {
            removed,
            left: page.next_page_token.is_some(),
        })
    }
}

/// An object that is held until a date is refused like what an identity may not do.
fn locked(error: strat_model::Error) -> strat_model::Error {
    let held = ["retention", "hold"]
        .iter()
        .any(|word| error.message().contains(word));
    if held && error.kind() == ErrorKind::Forbidden {
        return error.with_kind(ErrorKind::Conflict);
    }
    error
}
