//! Exactly once, for creates that take no token.
//!
//! Such a create puts the token, and a digest of what is asked for, into a tag:
//! `stratiform:token` is `<kind>.<token>.<digest>`. The tokens that are there are read once, in one pass,
//! and kept up from then on; a token that a call was begun with but not ended is read afresh.
//! So a create costs no call more than itself.
//!
//! # Caveats
//!
//! EC2's tags lag behind its writes. A repetition within that lag makes a second VPC or Elastic IP
//! address; both carry the mark, so the next plan removes one. The other kinds are safe even then:
//! their ranges or names are taken.

use std::collections::BTreeMap;

use strat_model::{Digest, ErrorKind, Kind, ResourceId, Result, Spec, Token};
use tokio::sync::Mutex;

use crate::error::{failed, refuse};
use crate::provider::filter;
use crate::tags::TOKEN;

/// The value of the token's tag.
pub(crate) fn stamp(token: &Token, name: &str, spec: &Spec<ResourceId>) -> String {
    let digest = Digest::of_parts([name, spec.digest().as_str()]);
    format!("{}.{}", key(spec.kind(), token), digest.short())
}

/// The part of the value that tells one use of a token from another: each kind has its own.
fn key(kind: Kind, token: &Token) -> String {
    format!("{kind}.{token}")
}

/// That part of a value.
pub(crate) fn key_of(stamp: &str) -> &str {
    stamp.rsplit_once('.').map_or(stamp, |(key, _)| key)
}

/// Fails unless a token was used for the same before: `is` is the value of its tag.
pub(crate) fn check_stamp(is: &str, wanted: &str) -> Result<()> {
    if is == wanted {
        return Ok(());
    }
    let what = "this token was used with another spec before";
    Err(refuse(ErrorKind::Precondition, what))
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Use {
    /// A call was begun with it and may or may not have made something.
    Begun,
    /// It made this.
    Made(Made),
}

/// What a token made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// The id, as EC2's tags name it.
    pub(crate) id: String,
    /// The value of the token's tag.
    pub(crate) stamp: String,
}

/// The tokens that are in use in the region.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    known: Mutex<Option<BTreeMap<String, Use>>>,
}

impl Tokens {
    /// Begins a create, given the value of its tag: what its token made before, if it did.
    pub(crate) async fn begin(
        &self,
        ec2: &aws_sdk_ec2::Client,
        stamp: &str,
    ) -> Result<Option<Made>> {
        let key = key_of(stamp);
        let mut guard = self.known.lock().await;
        let known = match &mut *guard {
            Some(known) => known,
            none => none.insert(read(ec2, None).await?),
        };
        if known.get(key) == Some(&Use::Begun) {
            known.extend(read(ec2, Some(key)).await?);
        }
        if let Some(Use::Made(made)) = known.get(key) {
            return Ok(Some(made.clone()));
        }
        known.insert(key.to_owned(), Use::Begun);
        Ok(None)
    }

    /// Ends a create that made something.
    pub(crate) async fn made(&self, stamp: &str, id: &str) {
        let made = Made {
            id: id.to_owned(),
            stamp: stamp.to_owned(),
        };
        if let Some(known) = &mut *self.known.lock().await {
            known.insert(key_of(stamp).to_owned(), Use::Made(made));
        }
    }

    /// What it made is gone: the token is as good as new.
    pub(crate) async fn forget(&self, stamp: &str) {
        if let Some(known) = &mut *self.known.lock().await {
            known.insert(key_of(stamp).to_owned(), Use::Begun);
        }
    }

    /// Reads one token afresh, after a create said that its name or range is taken.
    pub(crate) async fn find(
        &self,
        ec2: &aws_sdk_ec2::Client,
        stamp: &str,
    ) -> Result<Option<Made>> {
        let key = key_of(stamp);
        match read(ec2, Some(key)).await?.remove(key) {
            Some(Use::Made(made)) => Ok(Some(made)),
            Some(Use::Begun) | None => Ok(None),
        }
    }
}

/// The tokens in the region's tags: all, or one.
async fn read(ec2: &aws_sdk_ec2::Client, key: Option<&str>) -> Result<BTreeMap<String, Use>> {
    let one = key.map(|key| filter("value", [format!("{key}.*")]));
    let filters = std::iter::once(filter("key", [TOKEN])).chain(one);
    let mut pages = ec2
        .describe_tags()
        .set_filters(Some(filters.collect()))
        .max_results(1000)
        .into_paginator()
        .items()
        .send();
    let mut found = BTreeMap::new();
    while let Some(tag) = pages.next().await {
        let tag = tag.map_err(failed("ec2:DescribeTags"))?;
        if let (Some(id), Some(stamp)) = (tag.resource_id(), tag.value()) {
            let (id, stamp) = (id.to_owned(), stamp.to_owned());
            found.insert(key_of(&stamp).to_owned(), Use::Made(Made { id, stamp }));
        }
    }
    Ok(found)
}
