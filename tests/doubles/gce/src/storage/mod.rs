//! Cloud Storage: buckets and objects. <https://cloud.google.com/storage/docs/json_api/v1>

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Gce;
use crate::describe::Description;
use crate::server::{Answer, Incomings};

/// The buckets, by name.
pub(crate) type Buckets = BTreeMap<String, Value>;

pub(crate) fn answer(
    gce: &Gce,
    description: &Description,
    asked: &Incomings,
    path: &str,
) -> (String, Answer) {
    let found = description.find(&asked.http, path);
    let id = found.map_or(String::new(), |(method, _)| method.id.clone());
    let message = format!("the double does not have {id}");
    (id, gce.violated(asked, &[message], 404))
}
