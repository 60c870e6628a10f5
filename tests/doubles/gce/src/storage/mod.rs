//! Cloud Storage: buckets and objects, with generations and preconditions.
//!
//! Our reading of <https://cloud.google.com/storage/docs/json_api/v1>.

mod buckets;
mod objects;
mod upload;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::Gce;
use crate::access;
use crate::describe::Description;
use crate::refusal::Refusal;
use crate::server::{Answer, Received, body_of};
use crate::world::{Fields, World};
pub(crate) use buckets::Bucket;
use upload::Upload;

/// The buckets, by name.
pub(crate) type Buckets = BTreeMap<String, Bucket>;

/// A request to Cloud Storage.
struct Call<'a> {
    id: &'a str,
    path: BTreeMap<String, String>,
    query: &'a [(String, String)],
    body: Fields,
    upload: Option<Upload>,
}

impl Call<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    }

    fn of_path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }
}

/// What is refused because it changed, or did not.
/// <https://cloud.google.com/storage/docs/request-preconditions>
fn precondition() -> Refusal {
    Refusal::condition("At least one of the pre-conditions you specified did not hold.")
}

/// Checks the conditions on a number of writings: `ifGenerationMatch` and `ifGenerationNotMatch`,
/// or the same of `Metageneration`. What is not there has the number 0.
fn check_number(call: &Call<'_>, word: &str, number: u64) -> Result<(), Refusal> {
    let asked = |suffix: &str| {
        let text = call.query(&format!("if{word}{suffix}"));
        text.map(|text| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let is_other = asked("Match").is_some_and(|wanted| wanted != number);
    let is_same = asked("NotMatch").is_some_and(|unwanted| unwanted == number);
    match (is_other, is_same) {
        (true, _) => Err(precondition()),
        // <https://cloud.google.com/storage/docs/json_api/v1/status-codes#304-not-modified>
        (false, true) if call.id.ends_with(".get") => {
            Err(Refusal::new(304, "notModified", "Not Modified"))
        }
        (false, true) => Err(precondition()),
        (false, false) => Ok(()),
    }
}

/// A number that a thing carries as text.
fn count(fields: &Fields, name: &str) -> u64 {
    let value = fields.get(name).unwrap_or(&Value::Null);
    crate::call::number(value).unwrap_or(0)
}

/// Answers a request, with the name of its method.
pub(crate) fn answer(
    gce: &Gce,
    description: &Description,
    asked: &Received,
    path: &str,
) -> (String, Answer) {
    let Some((method, parameters)) = description.find(&asked.http, path) else {
        let message = "Cloud Storage has no such method".to_owned();
        return (String::new(), gce.violated(asked, &[message], 404));
    };
    let id = method.id.clone();
    let is_upload = id == "storage.objects.insert";
    let read = match is_upload {
        true => Upload::read(asked).map(|upload| (Some(upload.metadata.clone()), Some(upload))),
        false => body_of(asked).map(|body| (body, None)),
    };
    let (body, upload) = match read {
        Ok(read) => read,
        Err(why) => return (id, gce.violated(asked, &[why], 400)),
    };
    if let Err(refused) = gce.hold(asked, description, method, &parameters, body.as_ref()) {
        return (id, refused);
    }
    let call = Call {
        id: &method.id,
        path: parameters,
        query: &asked.query,
        body: body
            .and_then(|body| body.as_object().cloned())
            .unwrap_or_default(),
        upload,
    };
    let world = &mut *gce.world();
    if let Some(refusal) = world.arranged.refusal(&id) {
        return (id, Answer::from(Err(refusal)));
    }
    if call.query("fields").or(call.query("$fields")).is_some() {
        return (id, Answer::from(Err(Refusal::partial())));
    }
    if id == "storage.objects.get" && call.query("alt") == Some("media") {
        let content = permitted(world, &call).and_then(|()| objects::content(world, &call));
        return (
            id,
            content.unwrap_or_else(|refusal| Answer::from(Err(refusal))),
        );
    }
    let result = permitted(world, &call).and_then(|()| run(world, &call));
    if let Ok(answer) = &result {
        world.note_flaws(&id, description.flaws(method, answer));
    }
    (id, Answer::from(result))
}

fn run(world: &mut World, call: &Call<'_>) -> Result<Value, Refusal> {
    match call.id {
        "storage.buckets.insert" => buckets::insert(world, call),
        "storage.buckets.get" => buckets::get(world, call),
        "storage.buckets.list" => buckets::list(world, call),
        "storage.buckets.patch" => buckets::patch(world, call),
        "storage.buckets.delete" => buckets::delete(world, call),
        "storage.objects.insert" => objects::insert(world, call),
        "storage.objects.get" => objects::get(world, call),
        "storage.objects.list" => objects::list(world, call),
        "storage.objects.delete" => objects::delete(world, call),
        other => {
            let message = format!("the double does not have {other}");
            Err(Refusal::new(501, "notImplemented", message))
        }
    }
}

/// Checks the permission that a method needs.
/// <https://cloud.google.com/storage/docs/access-control/iam-json>
fn permitted(world: &World, call: &Call<'_>) -> Result<(), Refusal> {
    let project = match call.query("project") {
        Some(project) => project.to_owned(),
        None => {
            let bucket = world.buckets.get(call.of_path("bucket"));
            bucket.map_or(String::new(), |bucket| bucket.project.clone())
        }
    };
    access::service(
        world,
        "storage.googleapis.com",
        "Cloud Storage JSON API",
        &project,
    )?;
    let (resource, verb) = call
        .id
        .trim_start_matches("storage.")
        .split_once('.')
        .unwrap_or_default();
    let verb = match verb {
        "insert" => "create",
        "patch" => "update",
        verb => verb,
    };
    let mut wanted = vec![format!("storage.{resource}.{verb}")];
    if objects::overwrites(world, call) {
        wanted.push("storage.objects.delete".to_owned());
    }
    for permission in wanted {
        if !world.arranged.needs(&permission) {
            let message = format!(
                "tests@double.iam.gserviceaccount.com does not have {permission} access to the \
                 Google Cloud Storage {}. Permission '{permission}' denied on resource (or it may \
                 not exist).",
                resource.trim_end_matches('s')
            );
            return Err(Refusal::new(403, "forbidden", message));
        }
    }
    Ok(())
}

/// A page of things in the order of their names.
fn page(call: &Call<'_>, kind: &str, mut all: Vec<(String, Value)>) -> Result<Value, Refusal> {
    const PAGE_MAX: usize = 1_000;
    if let Some(token) = call.query("pageToken").filter(|token| !token.is_empty()) {
        let last = crate::text::from_token(token);
        let last = last.ok_or_else(|| Refusal::new(400, "invalid", "Invalid page token."))?;
        all.retain(|(name, _)| *name > last);
    }
    let most = call.query("maxResults").and_then(|text| text.parse().ok());
    let most = most.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let mut answer = json!({ "kind": kind });
    if all.len() > most {
        answer["nextPageToken"] = json!(crate::text::token(&all[most - 1].0));
        all.truncate(most);
    }
    if !all.is_empty() {
        let items: Vec<Value> = all.into_iter().map(|(_, item)| item).collect();
        answer["items"] = json!(items);
    }
    Ok(answer)
}
