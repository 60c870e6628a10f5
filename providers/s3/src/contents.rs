//! What is in a bucket: whether there is anything, and taking it out.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use strat_model::{Error, ErrorKind, Result};
use strat_provider::Emptied;

use crate::error::failed;

/// Whether nothing is in a bucket, no older version and no mark of a deletion either. `None` where
/// that may not be looked at.
///
/// # Errors
/// What the server says.
pub async fn is_empty(client: &Client, bucket: &str) -> Result<Option<bool>> {
    let call = client.list_object_versions().bucket(bucket).max_keys(1);
    match call.send().await.map_err(failed("s3:ListBucketVersions")) {
        Ok(page) => Ok(Some(identifiers(&page)?.is_empty())),
        Err(error) if error.kind() == ErrorKind::Forbidden => Ok(None),
        Err(error) => Err(error),
    }
}

/// Deletes up to a thousand objects and versions of a bucket, or once there are none, its unfinished
/// uploads.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
///
/// # Errors
/// What the server says, also of one object that it keeps.
pub async fn empty(client: &Client, bucket: &str) -> Result<Emptied> {
    let call = client.list_object_versions().bucket(bucket);
    let page = match call.send().await.map_err(failed("s3:ListBucketVersions")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Emptied::default()),
        page => page?,
    };
    let found = identifiers(&page)?;
    if found.is_empty() {
        return end_uploads(client, bucket).await;
    }
    let removed = found.len() as u64;
    let delete = Delete::builder().set_objects(Some(found)).quiet(true);
    let call = client.delete_objects().bucket(bucket);
    let call = call.delete(delete.build().map_err(internal)?);
    let answer = call
        .send()
        .await
        .map_err(failed("s3:DeleteObjectVersion"))?;
    match answer.errors().first() {
        // The uploads are looked at in a call of their own.
        None => Ok(Emptied {
            removed,
            left: true,
        }),
        Some(kept) => {
            let (key, why) = (kept.key().unwrap_or("?"), kept.message().unwrap_or("?"));
            let kind = match kept.code() {
                Some("AccessDenied") => ErrorKind::Forbidden,
                _ => ErrorKind::Conflict,
            };
            Err(Error::new(
                kind,
                format!("the object `{key}` of {bucket} stays: {why}"),
            ))
        }
    }
}

async fn end_uploads(client: &Client, bucket: &str) -> Result<Emptied> {
    let call = client.list_multipart_uploads().bucket(bucket);
    let page = call.send().await;
    let page = page.map_err(failed("s3:ListBucketMultipartUploads"))?;
    let mut removed = 0;
    for upload in page.uploads() {
        let (Some(key), Some(id)) = (upload.key(), upload.upload_id()) else {
            continue;
        };
        let call = client.abort_multipart_upload().bucket(bucket);
        let ended = call.key(key).upload_id(id).send().await;
        ended.map_err(failed("s3:AbortMultipartUpload"))?;
        removed += 1;
    }
    Ok(Emptied {
        removed,
        left: page.is_truncated() == Some(true),
    })
}

/// The objects, versions and marks of deletions of a page.
fn identifiers(page: &ListObjectVersionsOutput) -> Result<Vec<ObjectIdentifier>> {
    let versions = page
        .versions()
        .iter()
        .map(|one| (one.key(), one.version_id()));
    let marks = page
        .delete_markers()
        .iter()
        .map(|one| (one.key(), one.version_id()));
    let one = |(key, version): (Option<&str>, Option<&str>)| {
        let version = version.map(str::to_owned);
        let object = ObjectIdentifier::builder().key(key.unwrap_or_default());
        object.set_version_id(version).build().map_err(internal)
    };
    versions.chain(marks).map(one).collect()
}

fn internal(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, why.to_string())
}
