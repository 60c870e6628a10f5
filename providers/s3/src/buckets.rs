//! Making, reading, changing and deleting buckets.

use std::fmt;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::SharedCredentialsProvider;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, Tagging,
    VersioningConfiguration,
};
use futures::future::try_join_all;
use strat_model::{
    Attributes, BucketSpec, Error, ErrorKind, Field, Resource, ResourceId, ResourceState, Result,
    Spec, Witness,
};
use strat_provider::{Create, Emptied, Update};

use crate::contents;
use crate::error::failed;
use crate::settings::S3Settings;
use crate::tags::{TOKEN, Tags, labels, mark, read, tags_of, write};

/// The one region that takes no location constraint.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
pub(crate) const UNCONSTRAINED: &str = "us-east-1";

/// The buckets of one account at one S3.
pub struct Buckets {
    client: Client,
    settings: S3Settings,
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Buckets {
    /// The buckets that these settings lead to. `credentials` stand in for those that the settings
    /// name. Nothing is called yet.
    ///
    /// # Errors
    /// `Invalid` if the certificates that the environment names cannot be used.
    pub async fn of(
        settings: S3Settings,
        credentials: Option<SharedCredentialsProvider>,
    ) -> Result<Self> {
        let client = settings.client(credentials).await?;
        Ok(Self { client, settings })
    }

    /// Makes a bucket.
    ///
    /// # Behavior
    /// - The same create again answers with the bucket, and finishes what was not.
    /// - A server may answer a second create of one's own bucket without a word, so it is looked
    ///   for first.
    ///
    /// # Errors
    /// `AlreadyExists` for a name that is another's, `Precondition` for the same token with another
    /// spec, and what the server says.
    pub async fn create(&self, request: Create<'_, BucketSpec>) -> Result<Resource> {
        let (spec, name) = (request.spec, request.name);
        let digest = Spec::<ResourceId>::Bucket(spec.clone()).digest();
        let token = format!("{}.{}", request.token, digest.short());
        let tags = tags_of(request.mark, &spec.labels, Some(token.clone()))?;
        if let Some(found) = self.tags_unless_hidden(name).await? {
            let is_ours = mark(&found).is_some_and(|mark| mark.owner == request.mark.owner);
            check_repeated(name, found.get(TOKEN).filter(|_| is_ours), &token)?;
        } else {
            let constraint = (self.settings.region() != UNCONSTRAINED)
                .then(|| BucketLocationConstraint::from(self.settings.region()));
            let configuration = CreateBucketConfiguration::builder()
                .set_location_constraint(constraint)
                .set_tags(Some(write(&tags)?))
                .build();
            let call = self.client.create_bucket().bucket(name);
            let call = call.create_bucket_configuration(configuration);
            call.send().await.map_err(failed("s3:CreateBucket"))?;
            // Not every server knows tags at creation.
            if self.tags(name).await?.is_none_or(|found| found.is_empty()) {
                self.set_tags(name, &tags).await?;
            }
        }
        if spec.versioning {
            self.set_versioning(name, true).await?;
        }
        self.need(name).await
    }

    /// Changes a bucket's labels or versions, and its mark.
    ///
    /// # Errors
    /// `NotFound` if it is not there, and what the server says.
    pub async fn update(&self, request: Update<'_, BucketSpec>) -> Result<Resource> {
        let (name, spec) = (request.id.as_str(), request.spec);
        let before = self.tags(name).await?.ok_or_else(|| missing(name))?;
        let kept = labels(&before);
        let wanted = if request.fields.contains(&Field::Labels) {
            &spec.labels
        } else {
            &kept
        };
        let after = match request.mark {
            Some(mark) => tags_of(mark, wanted, before.get(TOKEN).cloned())?,
            None => wanted.clone().into_iter().collect(),
        };
        if request.fields.contains(&Field::Versioning) {
            self.set_versioning(name, spec.versioning).await?;
        }
        if after != before {
            self.set_tags(name, &after).await?;
        }
        self.need(name).await
    }

    /// Deletes some of what is in a bucket.
    ///
    /// # Errors
    /// What the server says.
    pub async fn empty(&self, id: &ResourceId) -> Result<Emptied> {
        contents::empty(&self.client, id.as_str()).await
    }

    /// Deletes an empty bucket. One that is not there is deleted already.
    ///
    /// # Errors
    /// `Conflict` while there is anything in it, and what the server says.
    pub async fn delete(&self, id: &ResourceId) -> Result<()> {
        let call = self.client.delete_bucket().bucket(id.as_str());
        match call.send().await.map_err(failed("s3:DeleteBucket")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// All buckets of the account, those of others too.
    ///
    /// # Errors
    /// What the server says.
    pub async fn list(&self) -> Result<Vec<Resource>> {
        let mut pages = self.client.list_buckets().into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("s3:ListAllMyBuckets"))?;
            let of_page = page.buckets().iter().filter_map(|bucket| bucket.name());
            names.extend(of_page.map(ResourceId::from));
        }
        self.get(&names).await
    }

    /// Those of these buckets that are there.
    ///
    /// # Errors
    /// What the server says.
    pub async fn get(&self, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        let mut found = Vec::new();
        // A few at a time: a server of one's own is one computer, perhaps.
        for few in ids.chunks(8) {
            let reads = few.iter().map(|id| self.read(id.as_str()));
            found.extend(try_join_all(reads).await?.into_iter().flatten());
        }
        Ok(found)
    }

    async fn need(&self, name: &str) -> Result<Resource> {
        self.read(name).await?.ok_or_else(|| missing(name))
    }

    async fn read(&self, name: &str) -> Result<Option<Resource>> {
        let tags = match self.tags(name).await {
            Ok(Some(tags)) => tags,
            Ok(None) => return Ok(None),
            // Another's, which shows nothing but that it is there.
            Err(error) if error.kind() == ErrorKind::Forbidden => Tags::new(),
            Err(error) => return Err(error),
        };
        let mark = mark(&tags);
        // Of another's nobody asks more than its name.
        let versioning = if mark.is_some() {
            match self.versioning(name).await {
                Ok(versioning) => versioning,
                // It went since its tags were read.
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        } else {
            false
        };
        let endpoint = self.settings.endpoint.trim_end_matches('/');
        let mut attributes = Attributes::from([("url".to_owned(), format!("{endpoint}/{name}"))]);
        if mark.is_some()
            && let Some(empty) = contents::is_empty(&self.client, name).await?
        {
            attributes.insert(Resource::EMPTY.to_owned(), empty.to_string());
        }
        let id = ResourceId::from(name);
        Ok(Some(Resource {
            // A bucket's name is its id, and no other can have it.
            witness: Witness::by_mark(mark.as_ref(), &id),
            id,
            name: name.to_owned(),
            mark,
            state: ResourceState::Ready,
            spec: Spec::Bucket(BucketSpec {
                versioning,
                labels: labels(&tags),
            }),
            attributes,
            created: None,
        }))
    }

    /// The tags of a bucket, none for one without; `None` where there is no such bucket.
    async fn tags(&self, name: &str) -> Result<Option<Tags>> {
        let call = self.client.get_bucket_tagging().bucket(name);
        match call.send().await.map_err(failed("s3:GetBucketTagging")) {
            Ok(answer) => Ok(Some(read(answer.tag_set()))),
            Err(error) if error.code() == Some("NoSuchTagSet") => Ok(Some(Tags::new())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same; one whose tags may not be read is another's.
    async fn tags_unless_hidden(&self, name: &str) -> Result<Option<Tags>> {
        match self.tags(name).await {
            Err(error) if error.kind() == ErrorKind::Forbidden => {
                Err(taken(name).with_source(error))
            }
            outcome => outcome,
        }
    }

    async fn set_tags(&self, name: &str, tags: &Tags) -> Result<()> {
        let tagging = Tagging::builder().set_tag_set(Some(write(tags)?)).build();
        let tagging = tagging.map_err(|why| Error::new(ErrorKind::Internal, why.to_string()))?;
        let call = self.client.put_bucket_tagging().bucket(name);
        let done = call.tagging(tagging).send().await;
        done.map(drop).map_err(failed("s3:PutBucketTagging"))
    }

    async fn set_versioning(&self, name: &str, wanted: bool) -> Result<()> {
        let status = if wanted {
            BucketVersioningStatus::Enabled
        } else {
            BucketVersioningStatus::Suspended
        };
        let configuration = VersioningConfiguration::builder().status(status).build();
        let call = self.client.put_bucket_versioning().bucket(name);
        let done = call.versioning_configuration(configuration).send().await;
        done.map(drop).map_err(failed("s3:PutBucketVersioning"))
    }

    async fn versioning(&self, name: &str) -> Result<bool> {
        let call = self.client.get_bucket_versioning().bucket(name);
        match call.send().await {
            Ok(answer) => Ok(answer.status() == Some(&BucketVersioningStatus::Enabled)),
            Err(error) => {
                // Some servers name the root of this answer otherwise, which the SDK does not take;
                // the answer says all the same what is asked.
                let raw = error.raw_response().filter(|raw| raw.status().is_success());
                match raw.and_then(|raw| raw.body().bytes()) {
                    Some(body) => Ok(String::from_utf8_lossy(body).contains(">Enabled<")),
                    None => Err(failed("s3:GetBucketVersioning")(error)),
                }
            }
        }
    }
}

/// Whether a create of a name that is there is the same create again. `found` is the tag with the
/// token and the digest that it was made with, if it is the same owner's.
fn check_repeated(name: &str, found: Option<&String>, wanted: &str) -> Result<()> {
    let parts = |text: &str| {
        let (token, digest) = text.rsplit_once('.').unwrap_or((text, ""));
        (token.to_owned(), digest.to_owned())
    };
    let Some((found, wanted)) = found.map(|found| (parts(found), parts(wanted))) else {
        return Err(taken(name));
    };
    match (found.0 == wanted.0, found.1 == wanted.1) {
        (_, true) => Ok(()),
        (true, false) => Err(Error::new(
            ErrorKind::Precondition,
            format!("the bucket `{name}` was made by this request with another spec"),
        )),
        (false, false) => Err(taken(name)),
    }
}

fn taken(name: &str) -> Error {
    let message = format!(
        "there is a bucket `{name}` already, and it is another; names of buckets are one for the \
         whole server"
    );
    Error::new(ErrorKind::AlreadyExists, message).with_help("`realm` gives ours another name")
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no bucket {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_create_is_known_by_its_digest() {
        let check = |found: Option<&str>| {
            let found = found.map(str::to_owned);
            check_repeated("b", found.as_ref(), "t1.d1").map_err(|error| error.kind())
        };
        assert_eq!(check(Some("t1.d1")), Ok(()));
        assert_eq!(check(Some("t2.d1")), Ok(()));
        assert_eq!(check(Some("t1.d2")), Err(ErrorKind::Precondition));
        assert_eq!(check(Some("t2.d2")), Err(ErrorKind::AlreadyExists));
        assert_eq!(check(None), Err(ErrorKind::AlreadyExists));
    }
}
