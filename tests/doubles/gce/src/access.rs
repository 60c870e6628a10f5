//! Who may do what: permissions, services that are switched off, and the calls that ask about it.
//! <https://cloud.google.com/compute/docs/access/iam-permissions>

use serde_json::{Value, json};

use crate::Gce;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::server::{Answer, Received, body_of};
use crate::world::World;

/// Checks what comes before every rule of a method.
pub(crate) fn check(world: &mut World, call: &Call<'_>) -> Result<(), Refusal> {
    if let Some(refusal) = world.arranged.refusal(&call.method) {
        return Err(refusal);
    }
    if call.query("fields").or(call.query("$fields")).is_some() {
        return Err(Refusal::partial());
    }
    let is_public = !world.projects.contains(&call.project);
    if is_public {
        let reads = call.resource == "images"
            && matches!(call.verb, "get" | "list" | "getFromFamily")
            && call.project.ends_with("-cloud");
        let path = format!("projects/{}", call.project);
        return if reads {
            Ok(())
        } else {
            Err(Refusal::not_found(&path))
        };
    }
    service(
        world,
        "compute.googleapis.com",
        "Compute Engine API",
        &call.project,
    )?;
    for permission in permissions(call) {
        if !world.arranged.needs(&permission) {
            let what = format!("projects/{}", call.project);
            let message = format!("Required '{permission}' permission for '{what}'");
            return Err(Refusal::new(403, "forbidden", message));
        }
    }
    Ok(())
}

/// Refuses a service that is switched off, in the words that say where to switch it on.
/// <https://cloud.google.com/service-usage/docs/enable-disable>
pub(crate) fn service(
    world: &World,
    service: &str,
    title: &str,
    project: &str,
) -> Result<(), Refusal> {
    if !world.arranged.is_disabled(service) {
        return Ok(());
    }
    let message = format!(
        "{title} has not been used in project {project} before or it is disabled. Enable it by \
         visiting https://console.developers.google.com/apis/api/{service}/overview?\
         project={project} then retry. If you enabled this API recently, wait a few minutes for \
         the action to propagate to our systems and retry."
    );
    let mut refusal = Refusal::new(403, "accessNotConfigured", message);
    refusal.domain = "usageLimits";
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": { "service": service, "consumer": format!("projects/{project}") },
    }]);
    refusal.newer = Some(("PERMISSION_DENIED", details));
    Err(refusal)
}

/// The permissions that a call needs.
fn permissions(call: &Call<'_>) -> Vec<String> {
    let resource = call.resource;
    let one = |verb: &str| vec![format!("compute.{resource}.{verb}")];
    match (resource, call.verb) {
        (_, "aggregatedList" | "list") => one("list"),
        (_, "wait") => one("get"),
        ("images", "getFromFamily") => one("getFromFamily"),
        ("firewalls", "insert") => on_network(one("create")),
        ("firewalls", "delete") => on_network(one("delete")),
        ("firewalls", "patch" | "update") => on_network(one("update")),
        ("subnetworks", "insert") => on_network(one("create")),
        ("subnetworks", "patch") => one("update"),
        ("networks", "patch") => one("update"),
        ("instances", "insert" | "bulkInsert") => machine(call),
        ("instances", "addAccessConfig") => {
            let mut all = one(call.verb);
            all.push("compute.subnetworks.useExternalIp".to_owned());
            if call.body.get("natIP").is_some_and(|ip| !ip.is_null()) {
                all.push("compute.addresses.use".to_owned());
            }
            all
        }
        ("instances", "attachDisk" | "detachDisk") => {
            let mut all = one(call.verb);
            if call.verb == "attachDisk" {
                all.push("compute.disks.use".to_owned());
            }
            all
        }
        (_, "insert") => {
            let mut all = one("create");
            if call.body.contains_key("labels") {
                all.extend(one("setLabels"));
            }
            all
        }
        (_, verb) => one(verb),
    }
}

fn on_network(mut all: Vec<String>) -> Vec<String> {
    all.push("compute.networks.updatePolicy".to_owned());
    all
}

/// What making a machine takes, by what it is made of.
fn machine(call: &Call<'_>) -> Vec<String> {
    let bulk = call
        .body
        .get("instanceProperties")
        .and_then(Value::as_object);
    let body = bulk.unwrap_or(&call.body);
    let items = |name: &str| {
        body.get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let has = |name: &str| {
        body.get(name)
            .is_some_and(|value| !value["items"].is_null())
    };
    let public = items("networkInterfaces")
        .into_iter()
        .flat_map(|interface| {
            let configs = interface["accessConfigs"].as_array().cloned();
            configs.unwrap_or_default()
        });
    let public: Vec<Value> = public.collect();
    let wanted = [
        ("instances.create", true),
        ("subnetworks.use", true),
        ("subnetworks.useExternalIp", !public.is_empty()),
        (
            "addresses.use",
            public.iter().any(|config| !config["natIP"].is_null()),
        ),
        (
            "disks.create",
            items("disks")
                .iter()
                .any(|disk| !disk["initializeParams"].is_null()),
        ),
        (
            "disks.use",
            items("disks").iter().any(|disk| !disk["source"].is_null()),
        ),
        ("instances.setLabels", body.contains_key("labels")),
        ("instances.setMetadata", has("metadata")),
        ("instances.setTags", has("tags")),
        (
            "instances.setServiceAccount",
            !items("serviceAccounts").is_empty(),
        ),
    ];
    let wanted = wanted.into_iter().filter(|(_, is_needed)| *is_needed);
    wanted.map(|(name, _)| format!("compute.{name}")).collect()
}

/// The call about permissions: which of some the caller has.
/// <https://cloud.google.com/resource-manager/reference/rest/v1/projects/testIamPermissions>
pub(crate) fn answer(gce: &Gce, asked: &Received) -> Option<(String, Answer)> {
    if asked.http != "POST" {
        return None;
    }
    let versions = ["/v1/projects/", "/v3/projects/"];
    let rest = versions
        .iter()
        .find_map(|start| asked.path.strip_prefix(start))?;
    let project = rest.strip_suffix(":testIamPermissions")?;
    let id = "cloudresourcemanager.projects.testIamPermissions".to_owned();
    let body = body_of(asked).ok().flatten().unwrap_or_default();
    let world = &mut *gce.world();
    if let Some(refusal) = world.arranged.refusal(&id) {
        return Some((id, Answer::from(Err(refusal))));
    }
    if !world.projects.contains(project) {
        let mut refusal = Refusal::new(403, "forbidden", "The caller does not have permission");
        refusal.newer = Some(("PERMISSION_DENIED", json!([])));
        return Some((id, Answer::from(Err(refusal))));
    }
    let service = service(
        world,
        "cloudresourcemanager.googleapis.com",
        "Cloud Resource Manager API",
        project,
    );
    if let Err(refusal) = service {
        return Some((id, Answer::from(Err(refusal))));
    }
    let wanted = body["permissions"].as_array().into_iter().flatten();
    let has = |one: &&Value| one.as_str().is_some_and(|one| world.arranged.has(one));
    let permissions: Vec<&Value> = wanted.filter(has).collect();
    let answer = match permissions.is_empty() {
        true => json!({}),
        false => json!({ "permissions": permissions }),
    };
    Some((id, Answer::json(200, &answer)))
}
