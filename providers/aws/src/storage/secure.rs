//! What a bucket has beyond its fields: encryption, and nobody else let in. Told where somebody changed it,
//! and made good.

use aws_sdk_s3::types::{
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use strat_model::{Departure, Error, ErrorKind, Mark, Resource, Result};

use crate::error::{failed, refuse};
use crate::provider::AwsProvider;
use crate::setup::{ENCRYPTION, PUBLIC};

impl AwsProvider {
    /// Encrypts, shuts the public out, and keeps versions if they are wanted.
    pub(super) async fn secure(&self, name: &str, versioning: bool) -> Result<()> {
        self.shut_public_out(name).await?;
        self.encrypt(name).await?;
        if versioning {
            self.set_versioning(name, true).await?;
        }
        Ok(())
    }

    async fn shut_public_out(&self, name: &str) -> Result<()> {
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let call = self.access.s3.put_public_access_block().bucket(name);
        let done = call.public_access_block_configuration(block).send().await;
        done.map(drop)
            .map_err(failed("s3:PutBucketPublicAccessBlock"))
    }

    async fn encrypt(&self, name: &str) -> Result<()> {
        let by_default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::Aes256)
            .build()
            .map_err(|why| refuse(ErrorKind::Internal, why.to_string()))?;
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(by_default)
            .build();
        let rules = ServerSideEncryptionConfiguration::builder()
            .rules(rule)
            .build()
            .map_err(|why| refuse(ErrorKind::Internal, why.to_string()))?;
        let call = self.access.s3.put_bucket_encryption().bucket(name);
        let done = call
            .server_side_encryption_configuration(rules)
            .send()
            .await;
        done.map(drop)
            .map_err(failed("s3:PutEncryptionConfiguration"))
    }

    /// What of a bucket of ours is not as it was made, as far as that may be looked at.
    pub(super) async fn departures_of(
        &self,
        bucket: &Resource,
    ) -> Result<Vec<(&'static str, Departure)>> {
        // What was found and adopted is as others made it.
        if bucket.mark.as_ref().is_none_or(Mark::is_adopted) {
            return Ok(Vec::new());
        }
        let name = bucket.id.as_str();
        let mut departures = Vec::new();
        let open = self.open_to_the_public(name).await?;
        if let Some(how) = open {
            departures.push((PUBLIC, Departure::new(how, "shut out")));
        }
        match self.encryption(name).await? {
            None => {}
            Some(is) if is == ServerSideEncryption::Aes256.as_str() => {}
            Some(is) if is.is_empty() => {
                departures.push((ENCRYPTION, Departure::new("none", "AES256")));
            }
            Some(is) => {
                let why = "what is written there may have to be under that key; take it back with `aws \
                           s3api delete-bucket-encryption`, or ignore changes of `setup`";
                departures.push((ENCRYPTION, Departure::new(is, "AES256").staying(why)));
            }
        }
        Ok(departures)
    }

    /// What of the four locks on public access is open; `None` where all are shut, or nothing is known.
    async fn open_to_the_public(&self, name: &str) -> Result<Option<String>> {
        let call = self.access.s3.get_public_access_block().bucket(name);
        let answer = call.send().await;
        match answer.map_err(failed("s3:GetBucketPublicAccessBlock")) {
            Ok(answer) => {
                let block = answer.public_access_block_configuration();
                let lock = |is: fn(&PublicAccessBlockConfiguration) -> Option<bool>| {
                    block.and_then(is) == Some(true)
                };
                let locks = [
                    ("new access lists", lock(|block| block.block_public_acls)),
                    ("access lists", lock(|block| block.ignore_public_acls)),
                    ("new policies", lock(|block| block.block_public_policy)),
                    ("policies", lock(|block| block.restrict_public_buckets)),
                ];
                let open = locks.iter().filter(|(_, shut)| !shut);
                let open: Vec<&str> = open.map(|(what, _)| *what).collect();
                Ok((!open.is_empty()).then(|| format!("let in by {}", open.join(", "))))
            }
            Err(error) if error.code() == Some("NoSuchPublicAccessBlockConfiguration") => {
                Ok(Some("let in by access lists and policies".to_owned()))
            }
            Err(error) => unless_unknown(error),
        }
    }

    /// How new objects are encrypted by themselves, empty where they are not; `None` where nothing is
    /// known.
    async fn encryption(&self, name: &str) -> Result<Option<String>> {
        let call = self.access.s3.get_bucket_encryption().bucket(name);
        let answer = call.send().await;
        match answer.map_err(failed("s3:GetEncryptionConfiguration")) {
            Ok(answer) => {
                let rules = answer.server_side_encryption_configuration();
                let mut rules = rules
                    .into_iter()
                    .flat_map(ServerSideEncryptionConfiguration::rules);
                let rule = rules.find_map(|rule| rule.apply_server_side_encryption_by_default());
                let Some(rule) = rule else {
                    return Ok(Some(String::new()));
                };
                let how = rule.sse_algorithm().as_str().to_owned();
                Ok(Some(match rule.kms_master_key_id() {
                    Some(key) => format!("{how} with {key}"),
                    None => how,
                }))
            }
            Err(error)
                if error.code() == Some("ServerSideEncryptionConfigurationNotFoundError") =>
            {
                Ok(Some(String::new()))
            }
            Err(error) => unless_unknown(error),
        }
    }

    /// Makes a bucket what it was made to be, as far as that takes nothing away that others rely on.
    pub(super) async fn make_good(&self, name: &str) -> Result<()> {
        if self.open_to_the_public(name).await?.is_some() {
            self.shut_public_out(name).await?;
        }
        if self.encryption(name).await?.is_some_and(|is| is.is_empty()) {
            self.encrypt(name).await?;
        }
        Ok(())
    }
}

/// Nothing is known where it may not be looked at, where the endpoint has no such call, and of a bucket that
/// is gone meanwhile.
fn unless_unknown<T>(error: Error) -> Result<Option<T>> {
    match error.kind() {
        ErrorKind::Forbidden | ErrorKind::Unsupported | ErrorKind::NotFound => Ok(None),
        _ => Err(error),
    }
}
