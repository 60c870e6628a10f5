//! Networks. <https://cloud.google.com/compute/docs/reference/rest/v1/networks>

use serde_json::json;

use super::Begun;
use crate::call::{Call, default};
use crate::kinds::Key;
use crate::quota;
use crate::refusal::{Failure, Refusal};
use crate::world::World;

pub(super) fn insert(world: &mut World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let mut fields = call.body.clone();
    if fields.contains_key("IPv4Range") {
        let why = "Legacy networks can no longer be made.";
        return Err(Refusal::invalid("resource.IPv4Range", "", why));
    }
    default(&mut fields, "autoCreateSubnetworks", json!(false));
    if fields["autoCreateSubnetworks"] == true {
        let message = "the double does not have networks in auto mode";
        return Err(Refusal::new(501, "notImplemented", message));
    }
    default(
        &mut fields,
        "routingConfig",
        json!({ "routingMode": "REGIONAL" }),
    );
    default(&mut fields, "mtu", json!(1460));
    let order = json!("AFTER_CLASSIC_FIREWALL");
    default(&mut fields, "networkFirewallPolicyEnforcementOrder", order);
    quota::check_global(world, &call.project, "NETWORKS")?;
    let id = world.put(&key, fields);
    let link = format!(
        "{}/{id}",
        key.link().trim_end_matches(&format!("/{}", key.name))
    );
    if let Some(fields) = world.things.get_mut(&key) {
        fields.insert("selfLinkWithId".to_owned(), json!(link));
    }
    Begun::new(key, |_| Ok(()))
}

/// What is in a network is looked at when the operation runs: its error is inside it.
pub(super) fn delete(key: Key) -> Result<Begun, Refusal> {
    let gone = key.clone();
    Begun::new(key, move |world| {
        let link = gone.link();
        let mut user = None;
        for collection in ["subnetworks", "firewalls", "instances"] {
            let mut all = world.all(&gone.project, collection);
            let uses = |fields: &crate::world::Fields| match collection {
                "instances" => super::interface::networks(fields).any(|used| used == link.as_str()),
                _ => fields["network"] == link.as_str(),
            };
            user = user.or_else(|| {
                all.find(|(_, fields)| uses(fields))
                    .map(|(key, _)| key.path())
            });
        }
        match user {
            Some(user) => Err(Failure::of(&Refusal::in_use(
                "network",
                &gone.path(),
                &user,
            ))),
            None => {
                world.things.remove(&gone);
                Ok(())
            }
        }
    })
}

/// "Only routingConfig can be modified." Others may be given as they are.
/// <https://github.com/hashicorp/terraform-provider-google/issues/847>
pub(super) fn patch(world: &World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let fields = world.thing(&key)?;
    for (name, value) in &call.body {
        if name != "routingConfig" && fields.get(name) != Some(value) {
            let why = "Updating this field is not supported.";
            let given = value.as_str().unwrap_or_default();
            return Err(Refusal::invalid(&format!("resource.{name}"), given, why));
        }
    }
    let body = call.body.clone();
    Begun::change(key, |fields| fields.extend(body))
}
