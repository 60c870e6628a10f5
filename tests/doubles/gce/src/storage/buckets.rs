//! Buckets. <https://cloud.google.com/storage/docs/json_api/v1/buckets>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::objects::Object;
use super::{Call, check_number, count, page};
use crate::call::{default, text};
use crate::refusal::Refusal;
use crate::world::{Fields, World};

/// A bucket and what is in it: by name, the generations of an object, the oldest first.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(super) project: String,
    pub(super) fields: Fields,
    pub(super) objects: BTreeMap<String, Vec<Object>>,
}

impl Bucket {
    pub(super) fn keeps_versions(&self) -> bool {
        let versioning = self.fields.get("versioning");
        versioning.is_some_and(|versioning| versioning["enabled"] == true)
    }
}

/// A bucket that is there.
pub(super) fn known<'a>(world: &'a World, call: &Call<'_>) -> Result<&'a Bucket, Refusal> {
    let missing = || Refusal::new(404, "notFound", "The specified bucket does not exist.");
    world
        .buckets
        .get(call.of_path("bucket"))
        .ok_or_else(missing)
}

/// The grammar of names. <https://cloud.google.com/storage/docs/buckets#naming>
fn check_name(name: &str) -> Result<(), Refusal> {
    let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let ends = [name.chars().next(), name.chars().last()];
    let has_ends = ends
        .iter()
        .flatten()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = (3..=63).contains(&name.len()) && name.chars().all(is_fit) && has_ends;
    match fits && !name.starts_with("goog") {
        true => Ok(()),
        false => Err(Refusal::new(
            400,
            "invalid",
            format!("Invalid bucket name: '{name}'"),
        )),
    }
}

pub(super) fn insert(world: &mut World, call: &Call<'_>) -> Result<Value, Refusal> {
    let project = call.query("project").unwrap_or_default().to_owned();
    if !world.projects.contains(&project) {
        let message = format!("Unknown project id: {project}");
        return Err(Refusal::new(400, "invalid", message));
    }
    let mut fields = call.body.clone();
    let name = text(&fields, "name").unwrap_or_default().to_owned();
    check_name(&name)?;
    if let Some(bucket) = world.buckets.get(&name) {
        let message = match bucket.project == project {
            true => {
                "Your previous request to create the named bucket succeeded and you already own it."
            }
            false => {
                "The requested bucket name is not available. The bucket namespace is shared by \
                 all users of the system. Please select a different name and try again."
            }
        };
        return Err(Refusal::new(409, "conflict", message));
    }
    check_labels(fields.get("labels"))?;
    default(&mut fields, "location", json!("US"));
    let location = text(&fields, "location").unwrap_or_default().to_uppercase();
    default(&mut fields, "storageClass", json!("STANDARD"));
    let number = crate::catalogue::project_number(&project);
    let of_world = [
        ("kind", json!("storage#bucket")),
        ("id", json!(name)),
        (
            "selfLink",
            json!(format!("https://www.googleapis.com/storage/v1/b/{name}")),
        ),
        ("projectNumber", json!(number.to_string())),
        (
            "locationType",
            json!(if location.contains('-') {
                "region"
            } else {
                "multi-region"
            }),
        ),
        ("location", json!(location)),
        ("timeCreated", json!(world.now.to_string())),
        ("generation", json!(world.now.as_microsecond().to_string())),
    ];
    for (key, value) in of_world {
        fields.insert(key.to_owned(), value);
    }
    stamp(&mut fields, world, 1);
    let shown = json!(fields);
    let bucket = Bucket {
        project,
        fields,
        objects: BTreeMap::new(),
    };
    world.buckets.insert(name, bucket);
    Ok(shown)
}

/// Sets what changes with each writing.
fn stamp(fields: &mut Fields, world: &World, metageneration: u64) {
    let number = json!(metageneration.to_string());
    fields.insert("metageneration".to_owned(), number);
    fields.insert("updated".to_owned(), json!(world.now.to_string()));
    fields.insert("etag".to_owned(), json!(format!("CA{metageneration}=")));
}

fn check_labels(labels: Option<&Value>) -> Result<(), Refusal> {
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    let texts = labels.map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()));
    crate::rules::check_label_pairs(&texts.collect::<Vec<_>>())
}

pub(super) fn get(world: &World, call: &Call<'_>) -> Result<Value, Refusal> {
    let bucket = known(world, call)?;
    check_number(
        call,
        "Metageneration",
        count(&bucket.fields, "metageneration"),
    )?;
    Ok(json!(bucket.fields))
}

pub(super) fn list(world: &World, call: &Call<'_>) -> Result<Value, Refusal> {
    let (project, prefix) = (
        call.query("project"),
        call.query("prefix").unwrap_or_default(),
    );
    let all = world.buckets.iter().filter(|(name, bucket)| {
        Some(bucket.project.as_str()) == project && name.starts_with(prefix)
    });
    let all = all.map(|(name, bucket)| (name.clone(), json!(bucket.fields)));
    page(call, "storage#buckets", all.collect())
}

/// A patch merges: a field that is null goes, and so does a label.
/// <https://cloud.google.com/storage/docs/json_api#patch>
pub(super) fn patch(world: &mut World, call: &Call<'_>) -> Result<Value, Refusal> {
    let bucket = known(world, call)?;
    let number = count(&bucket.fields, "metageneration");
    check_number(call, "Metageneration", number)?;
    for name in ["name", "location", "storageClass"] {
        let given = call.body.get(name);
        if given.is_some() && given != bucket.fields.get(name) && name != "storageClass" {
            return Err(Refusal::new(
                400,
                "invalid",
                format!("{name} cannot be changed."),
            ));
        }
    }
    let mut fields = bucket.fields.clone();
    merge(&mut fields, &call.body);
    check_labels(fields.get("labels"))?;
    stamp(&mut fields, world, number + 1);
    let shown = json!(fields);
    if let Some(bucket) = world.buckets.get_mut(call.of_path("bucket")) {
        bucket.fields = fields;
    }
    Ok(shown)
}

fn merge(fields: &mut Fields, patch: &Fields) {
    for (name, value) in patch {
        match (fields.get_mut(name), value) {
            (_, Value::Null) => {
                fields.remove(name);
            }
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
}

/// A bucket with anything in it, an older generation too, stays.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Value, Refusal> {
    let bucket = known(world, call)?;
    check_number(
        call,
        "Metageneration",
        count(&bucket.fields, "metageneration"),
    )?;
    if !bucket.objects.is_empty() {
        let message = match bucket.keeps_versions() {
            true => {
                "The bucket you tried to delete is not empty. You must delete all versions of all objects in it."
            }
            false => "The bucket you tried to delete is not empty.",
        };
        return Err(Refusal::new(409, "conflict", message));
    }
    world.buckets.remove(call.of_path("bucket"));
    Ok(Value::Null)
}
