//! Objects: written whole, under a condition on their generation.
//! <https://cloud.google.com/storage/docs/json_api/v1/objects>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Call, buckets, check_number, count, page};
use crate::refusal::Refusal;
use crate::server::Answer;
use crate::world::{Fields, World};

/// One generation of an object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    fields: Fields,
    content: Bytes,
    is_live: bool,
}

impl Object {
    fn generation(&self) -> u64 {
        count(&self.fields, "generation")
    }
}

fn missing(call: &Call<'_>) -> Refusal {
    let message = format!("No such object: {}/{}", call.of_path("bucket"), name(call));
    Refusal::new(404, "notFound", message)
}

/// The name of the object that a call is about.
fn name<'a>(call: &'a Call<'_>) -> &'a str {
    let of_upload = call
        .upload
        .as_ref()
        .and_then(|upload| upload.metadata["name"].as_str());
    let in_path = call.path.get("object").map(String::as_str);
    in_path
        .or(call.query("name"))
        .or(of_upload)
        .unwrap_or_default()
}

/// The generation that a call names, or the live one.
fn found<'a>(world: &'a World, call: &Call<'_>) -> Result<&'a Object, Refusal> {
    let bucket = buckets::known(world, call)?;
    let wanted: Option<u64> = call.query("generation").and_then(|text| text.parse().ok());
    let mut all = bucket.objects.get(name(call)).into_iter().flatten();
    let found = all.find(|object| match wanted {
        Some(wanted) => object.generation() == wanted,
        None => object.is_live,
    });
    found.ok_or_else(|| missing(call))
}

/// Whether a call writes over what is there, which takes the permission to delete it.
pub(super) fn overwrites(world: &World, call: &Call<'_>) -> bool {
    call.upload.is_some() && found(world, call).is_ok()
}

/// Checks a call's conditions against an object, or against none.
fn check(call: &Call<'_>, object: Option<&Object>) -> Result<(), Refusal> {
    check_number(call, "Generation", object.map_or(0, Object::generation))?;
    let number = object.map_or(0, |object| count(&object.fields, "metageneration"));
    check_number(call, "Metageneration", number)
}

pub(super) fn insert(world: &mut World, call: &Call<'_>) -> Result<Value, Refusal> {
    buckets::known(world, call)?;
    let Some(upload) = call.upload.as_ref().filter(|_| !name(call).is_empty()) else {
        return Err(Refusal::new(400, "required", "Required object name."));
    };
    check(call, found(world, call).ok())?;
    let (bucket, name) = (call.of_path("bucket").to_owned(), name(call).to_owned());
    // Generations are microseconds, and never repeat.
    let now = u64::try_from(world.now.as_microsecond()).unwrap_or(0);
    let old = &world.buckets[&bucket].objects;
    let last = old.values().flatten().map(Object::generation).max();
    let generation = now
        .max(last.unwrap_or(0) + 1)
        .max(world.last_generation + 1);
    world.last_generation = generation;
    let moment = world.now.to_string();
    let base = "https://www.googleapis.com";
    let mut fields = call.body.clone();
    for (key, value) in [
        ("kind", json!("storage#object")),
        ("id", json!(format!("{bucket}/{name}/{generation}"))),
        ("name", json!(name)),
        ("bucket", json!(bucket)),
        ("generation", json!(generation.to_string())),
        ("metageneration", json!("1")),
        ("size", json!(upload.content.len().to_string())),
        ("storageClass", json!("STANDARD")),
        (
            "etag",
            json!(STANDARD.encode(&Sha256::digest(generation.to_string())[..8])),
        ),
        ("timeCreated", json!(moment)),
        ("updated", json!(moment)),
        (
            "selfLink",
            json!(format!("{base}/storage/v1/b/{bucket}/o/{name}")),
        ),
        (
            "mediaLink",
            json!(format!(
                "{base}/download/storage/v1/b/{bucket}/o/{name}?alt=media"
            )),
        ),
    ] {
        fields.insert(key.to_owned(), value);
    }
    let shown = json!(fields);
    let object = Object {
        fields,
        content: upload.content.clone(),
        is_live: true,
    };
    retire(world, &bucket, &name);
    if let Some(bucket) = world.buckets.get_mut(&bucket) {
        bucket.objects.entry(name).or_default().push(object);
    }
    Ok(shown)
}

/// Makes the live generation one of the past, or nothing where none is kept.
fn retire(world: &mut World, bucket: &str, name: &str) {
    let moment = world.now.to_string();
    let Some(bucket) = world.buckets.get_mut(bucket) else {
        return;
    };
    let keeps = bucket.keeps_versions();
    if let Some(all) = bucket.objects.get_mut(name) {
        all.retain(|object| keeps || !object.is_live);
        for object in all.iter_mut().filter(|object| object.is_live) {
            object.is_live = false;
            object
                .fields
                .insert("timeDeleted".to_owned(), json!(moment));
        }
    }
    bucket.objects.retain(|_, all| !all.is_empty());
}

pub(super) fn get(world: &World, call: &Call<'_>) -> Result<Value, Refusal> {
    let object = found(world, call)?;
    check(call, Some(object))?;
    Ok(json!(object.fields))
}

pub(super) fn content(world: &World, call: &Call<'_>) -> Result<Answer, Refusal> {
    let object = found(world, call)?;
    check(call, Some(object))?;
    let number = |name: &str| count(&object.fields, name).to_string();
    Ok(Answer {
        status: 200,
        content: "application/octet-stream",
        headers: vec![
            ("x-goog-generation", number("generation")),
            ("x-goog-metageneration", number("metageneration")),
        ],
        body: object.content.to_vec(),
    })
}

pub(super) fn list(world: &World, call: &Call<'_>) -> Result<Value, Refusal> {
    if let Some(name) = [
        "delimiter",
        "matchGlob",
        "filter",
        "softDeleted",
        "startOffset",
        "endOffset",
    ]
    .into_iter()
    .find(|name| call.query(name).is_some())
    {
        let message = format!("the double does not list by {name}");
        return Err(Refusal::new(501, "notImplemented", message));
    }
    let bucket = buckets::known(world, call)?;
    let prefix = call.query("prefix").unwrap_or_default();
    let with_old = matches!(call.query("versions"), Some("true" | "True"));
    let all = bucket
        .objects
        .iter()
        .filter(|(name, _)| name.starts_with(prefix));
    let all = all.flat_map(|(name, all)| all.iter().map(move |object| (name, object)));
    let all = all.filter(|(_, object)| with_old || object.is_live);
    let shown = all.map(|(name, object)| {
        // Generations of one name come in their order.
        (
            format!("{name}\u{0}{:020}", object.generation()),
            json!(object.fields),
        )
    });
    page(call, "storage#objects", shown.collect())
}

/// Without a generation the live one goes, and is kept as an older one where versions are; with a
/// generation, that one goes for good.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Value, Refusal> {
    let object = match found(world, call) {
        Ok(object) => object.clone(),
        Err(refusal) if refusal.code == 404 && call.query("ifGenerationMatch").is_some() => {
            buckets::known(world, call)?;
            check(call, None)?;
            return Err(refusal);
        }
        Err(refusal) => return Err(refusal),
    };
    check(call, Some(&object))?;
    let (bucket, name) = (call.of_path("bucket").to_owned(), name(call).to_owned());
    if call.query("generation").is_none() {
        retire(world, &bucket, &name);
    } else if let Some(bucket) = world.buckets.get_mut(&bucket) {
        if let Some(all) = bucket.objects.get_mut(&name) {
            all.retain(|one| one.generation() != object.generation());
        }
        bucket.objects.retain(|_, all| !all.is_empty());
    }
    Ok(Value::Null)
}
