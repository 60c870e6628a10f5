//! Leases as objects of a bucket, written on condition.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use strat_model::{Error, ErrorKind, Result};
use strat_provider::{Kept, LeaseKey, LeaseVersion, Leases};

use crate::buckets::UNCONSTRAINED;
use crate::error::failed;

/// No object's: an `ETag` is 32 hexadecimal digits of a content.
const NEVER: &str = "\"00000000000000000000000000000000\"";

/// Leases in a bucket: one object each.
///
/// `If-None-Match: *` takes one that nobody ever had, `If-Match` renews it, gives it back or takes
/// it over. Its version is the object's `ETag`, which a nonce in the text keeps from coming back.
/// Nothing is ever deleted.
pub struct S3Leases {
    client: Client,
    bucket: String,
    /// Whose the bucket must be. A name that can be guessed may be taken by somebody else.
    owner: Option<String>,
    region: String,
    place: String,
    /// Whether the server may be any that speaks S3, some of which ignore conditions.
    is_any: bool,
}

impl fmt::Debug for S3Leases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Leases")
            .field("bucket", &self.bucket)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl S3Leases {
    /// Leases in a bucket, which guard what is written at `place`. The server `is_any` where it is
    /// not known to be AWS's own. Nothing is called yet.
    #[must_use]
    pub fn new(
        client: Client,
        bucket: String,
        region: String,
        place: String,
        is_any: bool,
    ) -> Self {
        Self {
            client,
            bucket,
            owner: None,
            region,
            place,
            is_any,
        }
    }

    /// The same, in a bucket that is this account's or refused.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>
    #[must_use]
    pub fn owned_by(self, account: String) -> Self {
        let owner = Some(account);
        Self { owner, ..self }
    }

    async fn put(&self, key: &LeaseKey, text: &str, seen: Option<&str>) -> Result<LeaseVersion> {
        let call = self.client.put_object().bucket(&self.bucket);
        let call = call.set_expected_bucket_owner(self.owner.clone());
        let call = call.key(object(key)).content_type("application/json");
        let call = call.body(ByteStream::from(text.as_bytes().to_vec()));
        let call = match seen {
            Some(version) => call.if_match(version),
            None => call.if_none_match("*"),
        };
        match call.send().await.map_err(failed("s3:PutObject")) {
            Ok(answer) => {
                let none = || Error::new(ErrorKind::Internal, "s3:PutObject: no ETag was answered");
                let version = answer.e_tag().ok_or_else(none)?;
                Ok(LeaseVersion(version.to_owned()))
            }
            // What was seen is not there any more.
            Err(error) if error.code() == Some("NoSuchKey") => {
                Err(error.with_kind(ErrorKind::Precondition))
            }
            Err(error) => Err(error),
        }
    }
}

/// The object of a key.
fn object(key: &LeaseKey) -> String {
    format!("leases/{key}.json")
}

#[async_trait]
impl Leases for S3Leases {
    async fn places(&self) -> Result<Vec<String>> {
        Ok(vec![self.place.clone()])
    }

    async fn missing(&self) -> Result<Option<String>> {
        // Not `HeadBucket`, whose refusals have no words.
        let call = self.client.list_objects_v2().bucket(&self.bucket);
        let call = call
            .max_keys(1)
            .set_expected_bucket_owner(self.owner.clone());
        match call.send().await.map_err(failed("s3:ListBucket")) {
            Ok(_) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(Some(format!("the S3 bucket `{}`", self.bucket)))
            }
            Err(error) => Err(error),
        }
    }

    async fn make(&self) -> Result<()> {
        let constraint = (self.region != UNCONSTRAINED)
            .then(|| BucketLocationConstraint::from(self.region.as_str()));
        let configuration = CreateBucketConfiguration::builder();
        let configuration = configuration.set_location_constraint(constraint).build();
        let call = self.client.create_bucket().bucket(&self.bucket);
        let call = call.create_bucket_configuration(configuration).send();
        match call.await.map_err(failed("s3:CreateBucket")) {
            Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>> {
        let call = self.client.get_object().bucket(&self.bucket);
        let call = call.set_expected_bucket_owner(self.owner.clone());
        let answer = match call.key(object(key)).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = failed("s3:GetObject")(error);
                let help = "allow `s3:GetObject` and `s3:ListBucket`: without the second, what is \
                            not there looks as if it were forbidden";
                return match error.kind() {
                    ErrorKind::NotFound => Ok(None),
                    ErrorKind::Forbidden => {
                        let message = "s3:GetObject: a lease may not be read";
                        let forbidden = Error::new(ErrorKind::Forbidden, message).with_help(help);
                        Err(forbidden.with_source(error))
                    }
                    _ => Err(error),
                };
            }
        };
        let broken = |why: &str| Error::new(ErrorKind::Transient, format!("s3:GetObject: {why}"));
        let version = answer
            .e_tag()
            .ok_or_else(|| broken("no ETag was answered"))?;
        let version = LeaseVersion(version.to_owned());
        let bytes = answer.body.collect().await;
        let bytes = bytes.map_err(|why| broken("the answer broke off").with_source(why))?;
        let text = String::from_utf8_lossy(&bytes.into_bytes()).into_owned();
        Ok(Some(Kept { text, version }))
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        self.put(key, text, seen.map(|version| version.0.as_str()))
            .await
    }

    async fn prove(&self, key: &LeaseKey, kept: &Kept) -> Result<bool> {
        if !self.is_any {
            return Ok(false);
        }
        for (seen, header) in [(None, "If-None-Match"), (Some(NEVER), "If-Match")] {
            match self.put(key, &kept.text, seen).await {
                Err(error) if error.kind() == ErrorKind::Precondition => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    let message = format!("this server takes `{header}` and ignores it");
                    return Err(Error::new(ErrorKind::Unsupported, message));
                }
            }
        }
        Ok(true)
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}
