//! Volumes and buckets.

mod bucket;
mod http;
mod volume;

pub(crate) use http::{Body, segment};
