//! Marks and labels as a bucket's tags.

use std::collections::BTreeMap;

use aws_sdk_s3::types::Tag;
use strat_model::{Error, ErrorKind, Labels, Mark, Result};

use crate::tag_text::{coded, plain};

/// What begins the keys that are not the user's: the mark's.
const OURS: &str = "stratiform:";
/// The token of the creating call, and the digest of what was asked for.
pub(crate) const TOKEN: &str = "stratiform:token";
/// The most tags of one bucket.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>
const TAGS_MAX: usize = 50;

/// Tags by key, as they are meant.
pub(crate) type Tags = BTreeMap<String, String>;

/// The tags of a bucket with this mark, these labels and, if it has one, this token.
pub(crate) fn tags_of(mark: &Mark, labels: &Labels, token: Option<String>) -> Result<Tags> {
    let invalid =
        |message: String, help: &str| Err(Error::new(ErrorKind::Invalid, message).with_help(help));
    if let Some(key) = labels.keys().find(|key| key.starts_with(OURS)) {
        return invalid(
            format!("the label `{key}` is not free"),
            "call it something else",
        );
    }
    let mut tags = mark.to_tags();
    tags.extend(labels.clone());
    tags.extend(token.map(|token| (TOKEN.to_owned(), token)));
    if tags.len() > TAGS_MAX {
        let count = tags.len();
        return invalid(
            format!("{count} tags are more than the {TAGS_MAX} that a bucket can have"),
            "set fewer labels",
        );
    }
    let is_long = |(key, value): &(&String, &String)| {
        key.is_empty() || coded(key).chars().count() > 128 || coded(value).chars().count() > 256
    };
    match tags.iter().find(is_long) {
        None => Ok(tags),
        Some((key, _)) => invalid(
            format!(
                "the tag `{key}` has a key of more than 128 or a value of more than 256 characters"
            ),
            "set a shorter label",
        ),
    }
}

/// The mark among tags.
pub(crate) fn mark(tags: &Tags) -> Option<Mark> {
    Mark::from_tags(tags.iter().map(|(k, v)| (k.as_str(), v.as_str())))
}

/// The user's labels among tags.
pub(crate) fn labels(tags: &Tags) -> Labels {
    let labels = tags.iter().filter(|(key, _)| !key.starts_with(OURS));
    labels.map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// Tags as the SDK reports them.
pub(crate) fn read(tags: &[Tag]) -> Tags {
    let pair = |tag: &Tag| (plain(tag.key()), plain(tag.value()));
    tags.iter().map(pair).collect()
}

/// Tags as the SDK takes them.
pub(crate) fn write(tags: &Tags) -> Result<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| {
        let tag = Tag::builder().key(coded(key)).value(coded(value)).build();
        tag.map_err(|why| Error::new(ErrorKind::Internal, why.to_string()))
    };
    tags.iter().map(tag).collect()
}
