//! Volumes and buckets.

mod blob;
mod bucket;
mod volume;

pub(crate) use blob::{BlobCall, xml_text};
pub(crate) use bucket::new_account;
