//! Buckets: S3.
//!
//! A bucket is encrypted with S3's own keys and lets nobody else in: AWS does so by itself since
//! 2023, and it is said here all the same. A bucket's name is its own in all of AWS.
//!
//! One pass of the Resource Groups Tagging API finds the buckets that carry our mark; whether
//! versions are kept is in no list, so that is asked of each of ours, and of no other.

use aws_sdk_resourcegroupstagging::types::TagFilter;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, Tag, Tagging,
    VersioningConfiguration,
};
use futures::future::{try_join, try_join_all};
use strat_model::{
    Attributes, BucketSpec, ErrorKind, Field, Kind, Resource, ResourceId, ResourceState, Result,
    Spec, Witness,
};
use strat_provider::{Create, Filter, Update};
use strat_s3::tag_text::{coded, plain};

use crate::error::{failed, gone, refuse, unless_gone};
use crate::observe::{Found, Scan};
use crate::provider::AwsProvider;
use crate::tags::{self, OWNER, TOKEN, Tags};
use crate::tokens::{check_stamp, key_of, stamp};

/// Where a bucket is without a location constraint, and the one region that takes none.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
const DEFAULT_REGION: &str = "us-east-1";

/// How many buckets one page of the tagging API holds.
const PAGE_MAX: i32 = 100;

impl AwsProvider {
    /// A create that was interrupted is finished by its repetition; `us-east-1` would make an own
    /// bucket a second time without a word, so it is looked for first.
    pub(crate) async fn make_bucket(&self, request: Create<'_, BucketSpec>) -> Result<Resource> {
        let (spec, name) = (request.spec, request.name);
        let stamp = stamp(request.token, name, &Spec::Bucket(spec.clone()));
        let tags = tags::of_new(name, request.mark, &spec.labels, Some(&stamp))?;
        let resource = self.report_bucket(name, &tags, spec.versioning);
        match self.bucket_tags(name).await {
            Ok(Some(found)) => match found.get(TOKEN) {
                Some(is) if key_of(is) == key_of(&stamp) => {
                    check_stamp(is, &stamp)?;
                    self.secure(name, spec.versioning).await?;
                    return Ok(self.report_bucket(name, &found, spec.versioning));
                }
                _ => return Err(taken(name)),
            },
            Ok(None) => {}
            // One that is not there says so; this one is there and shows nothing.
            Err(error) if error.kind() == ErrorKind::Forbidden => {
                let message =
                    format!("there is a bucket `{name}` already, and its tags may not be read");
                let help = "it is another account's and `realm` gives ours another name, or the \
                            policy lacks `s3:GetBucketTagging`";
                let taken = refuse(ErrorKind::AlreadyExists, message).with_help(help);
                return Err(taken.with_source(error));
            }
            Err(error) => return Err(error),
        }
        let constraint = (self.settings.region != DEFAULT_REGION)
            .then(|| BucketLocationConstraint::from(self.settings.region.as_str()));
        let configuration = CreateBucketConfiguration::builder()
            .set_location_constraint(constraint)
            .set_tags(Some(write(&tags)?))
            .build();
        let call = self.access.s3.create_bucket().bucket(name);
        let call = call.create_bucket_configuration(configuration);
        call.send().await.map_err(failed("s3:CreateBucket"))?;
        // Where an S3 of its own does not know tags at creation, they are set now.
        if self
            .bucket_tags(name)
            .await?
            .is_none_or(|found| found.is_empty())
        {
            self.set_bucket_tags(name, &tags).await?;
        }
        self.secure(name, spec.versioning).await?;
        Ok(resource)
    }

    pub(crate) async fn change_bucket(&self, request: Update<'_, BucketSpec>) -> Result<Resource> {
        let (name, spec) = (request.id.as_str(), request.spec);
        let found = self.bucket_tags(name).await?;
        let before = found.ok_or_else(|| gone(Kind::Bucket, request.id))?;
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&spec.labels);
        let change = tags::change(&before, request.mark, labels)?;
        let versioning = if request.fields.contains(&Field::Versioning) {
            self.set_versioning(name, spec.versioning).await?;
            spec.versioning
        } else {
            self.versioning(name).await?
        };
        if request.fields.contains(&Field::Setup) {
            self.make_good(name).await?;
        }
        if change.after != before {
            self.set_bucket_tags(name, &change.after).await?;
        }
        Ok(self.report_bucket(name, &change.after, versioning))
    }

    pub(crate) async fn end_bucket(&self, id: &ResourceId) -> Result<()> {
        let call = self.access.s3.delete_bucket().bucket(id.as_str());
        let ended = call.send().await.map_err(failed("s3:DeleteBucket"));
        unless_gone(ended.map(drop))
    }

    pub(super) async fn set_versioning(&self, name: &str, wanted: bool) -> Result<()> {
        let status = if wanted {
            BucketVersioningStatus::Enabled
        } else {
            BucketVersioningStatus::Suspended
        };
        let configuration = VersioningConfiguration::builder().status(status).build();
        let call = self.access.s3.put_bucket_versioning().bucket(name);
        let done = call.versioning_configuration(configuration).send().await;
        done.map(drop).map_err(failed("s3:PutBucketVersioning"))
    }

    async fn versioning(&self, name: &str) -> Result<bool> {
        let call = self.access.s3.get_bucket_versioning().bucket(name);
        match call.send().await {
            Ok(answer) => Ok(answer.status() == Some(&BucketVersioningStatus::Enabled)),
            Err(error) => {
                // Servers beside AWS's own may name the root of this answer otherwise, which the
                // SDK does not take; the answer says all the same what is asked.
                let raw = error.raw_response().filter(|raw| raw.status().is_success());
                match raw.and_then(|raw| raw.body().bytes()) {
                    Some(body) => Ok(contains(body, b"<Status>Enabled</Status>")),
                    None => Err(failed("s3:GetBucketVersioning")(error)),
                }
            }
        }
    }

    /// The tags of a bucket, none for one without; `None` where there is no such bucket.
    async fn bucket_tags(&self, name: &str) -> Result<Option<Tags>> {
        let call = self.access.s3.get_bucket_tagging().bucket(name);
        match call.send().await.map_err(failed("s3:GetBucketTagging")) {
            Ok(answer) => {
                let pair = |tag: &Tag| (plain(tag.key()), plain(tag.value()));
                Ok(Some(answer.tag_set().iter().map(pair).collect()))
            }
            Err(error) if error.code() == Some("NoSuchTagSet") => Ok(Some(Tags::new())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn set_bucket_tags(&self, name: &str, tags: &Tags) -> Result<()> {
        // A bucket's tags are written whole; those that AWS sets itself cannot be.
        let mut own = tags.clone();
        own.retain(|key, _| !key.starts_with("aws:"));
        let tagging = Tagging::builder().set_tag_set(Some(write(&own)?)).build();
        let tagging = tagging.map_err(|why| refuse(ErrorKind::Internal, why.to_string()))?;
        let call = self.access.s3.put_bucket_tagging().bucket(name);
        let done = call.tagging(tagging).send().await;
        done.map(drop).map_err(failed("s3:PutBucketTagging"))
    }

    pub(crate) async fn scan_buckets(&self, scan: Scan<'_>) -> Result<Found> {
        match scan {
            Scan::Ids(ids) => {
                let reads = ids.iter().map(|id| async {
                    let Some(tags) = self.bucket_tags(id.as_str()).await? else {
                        return Ok(None);
                    };
                    let versioning = self.versioning(id.as_str()).await?;
                    let bucket = self.report_bucket(id.as_str(), &tags, versioning);
                    self.looked_into(bucket).await.map(Some)
                });
                let items = try_join_all(reads).await?.into_iter().flatten().collect();
                Ok(Found { items, next: None })
            }
            Scan::List { filter, .. } => {
                let owner = match filter {
                    Filter::Owner(owner) => Some(owner),
                    Filter::All => None,
                };
                let wanted = owner.map(|owner| (OWNER, vec![owner.named().to_string()]));
                let is_wanted = |tags: &Tags| owner.is_none_or(|owner| tags::is_of(tags, owner));
                self.list_buckets(wanted, is_wanted, scan.token()).await
            }
            Scan::Having { key, values, .. } => {
                let key = key.strip_prefix("tag:").unwrap_or(key);
                // A filter takes 20 values, and the tags of a bucket are coded.
                let mut found = Found::default();
                for values in values.chunks(20) {
                    let values = values.iter().map(|value| coded(value)).collect();
                    let page = self.list_buckets(Some((key, values)), |_| true, None);
                    found.items.extend(page.await?.items);
                }
                Ok(found)
            }
        }
    }

    /// A page of the tagged buckets. With every bucket asked for, those that carry no tag come on
    /// the last page, from the list of the account's buckets in this region.
    async fn list_buckets(
        &self,
        wanted: Option<(&str, Vec<String>)>,
        is_wanted: impl Fn(&Tags) -> bool,
        page: Option<String>,
    ) -> Result<Found> {
        let all = wanted.is_none();
        let wanted = wanted.map(|(key, values)| {
            let filter = TagFilter::builder().key(key).set_values(Some(values));
            vec![filter.build()]
        });
        let call = self
            .access
            .tagging
            .get_resources()
            .resource_type_filters("s3")
            .resources_per_page(PAGE_MAX)
            .set_tag_filters(wanted)
            .set_pagination_token(page);
        let answer = call.send().await.map_err(failed("tag:GetResources"))?;
        let mut tagged: Vec<(String, Tags)> = Vec::new();
        for mapping in answer.resource_tag_mapping_list() {
            let name = mapping
                .resource_arn()
                .and_then(|arn| arn.split(":::").nth(1));
            let Some(name) = name.filter(|name| !name.contains('/')) else {
                continue;
            };
            let pair = |tag: &aws_sdk_resourcegroupstagging::types::Tag| {
                (plain(tag.key()), plain(tag.value()))
            };
            let tags: Tags = mapping.tags().iter().map(pair).collect();
            if is_wanted(&tags) {
                tagged.push((name.to_owned(), tags));
            }
        }
        let next = answer.pagination_token().filter(|next| !next.is_empty());
        let next = next.map(str::to_owned);
        if all && next.is_none() {
            self.add_untagged(&mut tagged).await?;
        }
        let reads = tagged.iter().map(|(name, tags)| async move {
            if tags::mark(tags).is_none() {
                return Ok(Some(self.report_bucket(name, tags, false)));
            }
            match self.versioning(name).await {
                Ok(versioning) => {
                    let bucket = self.report_bucket(name, tags, versioning);
                    self.looked_into(bucket).await.map(Some)
                }
                // The tagging API still shows what was deleted a moment ago.
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        });
        let items = try_join_all(reads).await?.into_iter().flatten().collect();
        Ok(Found { items, next })
    }

    /// Says of a bucket of ours what is in it, and whether it is as it was made.
    async fn looked_into(&self, bucket: Resource) -> Result<Resource> {
        let whole = self.with_contents(bucket.clone());
        let (mut bucket, departures) = try_join(whole, self.departures_of(&bucket)).await?;
        for (what, departure) in departures {
            bucket.depart(what, &departure);
        }
        Ok(bucket)
    }

    /// Says of a bucket of ours whether anything is in it, where that may be looked at. One that is
    /// gone since its tags were read says nothing of that.
    async fn with_contents(&self, mut bucket: Resource) -> Result<Resource> {
        if bucket.mark.is_none() {
            return Ok(bucket);
        }
        match strat_s3::is_empty(&self.access.s3, &bucket.name).await {
            Ok(Some(empty)) => {
                let empty = empty.to_string();
                bucket.attributes.insert(Resource::EMPTY.to_owned(), empty);
            }
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(bucket)
    }

    async fn add_untagged(&self, tagged: &mut Vec<(String, Tags)>) -> Result<()> {
        let call = self.access.s3.list_buckets();
        let mut pages = call
            .bucket_region(&self.settings.region)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("s3:ListAllMyBuckets"))?;
            for name in page.buckets().iter().filter_map(|bucket| bucket.name()) {
                if !tagged.iter().any(|(known, _)| known == name) {
                    tagged.push((name.to_owned(), Tags::new()));
                }
            }
        }
        Ok(())
    }

    fn report_bucket(&self, name: &str, tags: &Tags, versioning: bool) -> Resource {
        let region = &self.settings.region;
        let url = match &self.settings.endpoint {
            Some(endpoint) => format!("{}/{name}", endpoint.trim_end_matches('/')),
            None => format!("https://{name}.s3.{region}.amazonaws.com"),
        };
        let (id, mark) = (ResourceId::from(name), tags::mark(tags));
        Resource {
            // A bucket's name is its id, and no other can have it.
            witness: Witness::by_mark(mark.as_ref(), &id),
            id,
            name: name.to_owned(),
            mark,
            state: ResourceState::Ready,
            spec: Spec::Bucket(BucketSpec {
                versioning,
                labels: tags::labels(tags),
            }),
            attributes: Attributes::from([("url".to_owned(), url)]),
            created: None,
        }
    }
}

fn taken(name: &str) -> strat_model::Error {
    let message = format!(
        "there is a bucket `{name}` already, in this account or another's; names of buckets are \
         one for all of AWS"
    );
    refuse(ErrorKind::AlreadyExists, message).with_code("BucketAlreadyExists")
}

fn write(tags: &Tags) -> Result<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| {
        let tag = Tag::builder().key(coded(key)).value(coded(value)).build();
        tag.map_err(|why| refuse(ErrorKind::Internal, why.to_string()))
    };
    tags.iter().map(tag).collect()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
