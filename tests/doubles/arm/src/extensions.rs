//! What is no resource of a kind: subscriptions, locations, lists over all kinds, providers, locks,
//! permissions, terms, and what a provider has in a location.

use serde_json::{Value, json};

use crate::TENANT;
use crate::access;
use crate::call::{Call, Route};
use crate::catalogue;
use crate::id::Id;
use crate::kinds;
use crate::list::{self, Filter};
use crate::operations::Asked;
use crate::quota;
use crate::refusal::Refusal;
use crate::rules;
use crate::server::Answer;
use crate::world::{Lock, World};

pub(crate) fn answer(world: &mut World, call: &Call<'_>, route: &Route) -> Result<Answer, Refusal> {
    let is_get = call.http == "GET";
    match route {
        Route::Subscriptions if is_get => {
            let all = world
                .subscriptions
                .keys()
                .map(|id| subscription(world, id))
                .collect();
            Ok(Answer::json(200, &list::page(world, call, all)?))
        }
        Route::Subscription if is_get => Ok(Answer::json(
            200,
            &subscription(world, &call.subscription.to_lowercase()),
        )),
        Route::Locations if is_get => {
            let all = catalogue::show_locations(&call.subscription);
            Ok(Answer::json(200, &json!({ "value": all })))
        }
        Route::Resources(scope) if is_get => resources(world, call, scope),
        Route::Providers(words) => providers(world, call, words),
        Route::Result(id) if is_get => result(world, id),
        Route::Permissions(_) if is_get => Ok(Answer::json(200, &access::permissions(world))),
        Route::Locks(scope, name) => locks(world, call, scope, name.as_deref()),
        _ => Err(Refusal::not_done(&format!(
            "{} of {}",
            call.http, call.asked.path
        ))),
    }
}

/// <https://learn.microsoft.com/rest/api/resources/subscriptions/get>
fn subscription(world: &World, id: &str) -> Value {
    let of = world.subscriptions.get(id);
    let is_read_only = of.is_some_and(|of| of.is_read_only);
    json!({
        "id": format!("/subscriptions/{id}"),
        "subscriptionId": id,
        "tenantId": of.map_or(TENANT, |of| of.tenant()),
        "displayName": "Double",
        "state": if is_read_only { "Disabled" } else { "Enabled" },
        "authorizationSource": "RoleBased",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
        "tags": of.map(|of| of.tags.clone()).unwrap_or_default(),
    })
}

/// Things of all kinds, without their parts.
/// <https://learn.microsoft.com/rest/api/resources/resources/list>
fn resources(world: &mut World, call: &Call<'_>, scope: &Id) -> Result<Answer, Refusal> {
    if !scope.group().is_empty() && world.get(scope).is_none() {
        return Err(Refusal::group_not_found(scope.group()));
    }
    let filter = Filter::parse(call.query("$filter").unwrap_or_default())?;
    filter.knows(&[
        "resourceType",
        "tagName",
        "tagValue",
        "location",
        "resourceGroup",
    ])?;
    let below = format!("{}/", scope.key());
    let items = rules::visible(world, |id| {
        let is_tracked = id
            .kind()
            .is_some_and(|kind| kind.is_tracked && kind.types != kinds::GROUP.types);
        is_tracked && id.key().starts_with(&below)
    });
    let expand = call.query("$expand").unwrap_or_default();
    let fits = |thing: &&crate::world::Thing| {
        let kind = thing.id.kind().map(kinds::Kind::name).unwrap_or_default();
        let same = |name: &str, own: &str| {
            filter
                .get(name)
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(own))
        };
        same("resourceType", &kind)
            && same("location", thing.location())
            && same("resourceGroup", thing.id.group())
            && filter.fits_tags(thing.fields.get("tags"))
    };
    let shown = items
        .iter()
        .filter(fits)
        .map(|thing| rules::brief(world, thing, expand))
        .collect();
    Ok(Answer::json(200, &list::page(world, call, shown)?))
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types>
fn providers(world: &mut World, call: &Call<'_>, words: &[String]) -> Result<Answer, Refusal> {
    let show = |world: &World, namespace: &str| {
        let id = call.subscription.to_lowercase();
        let of = world.subscriptions.get(&id);
        let is_missing = of.is_some_and(|of| of.unregistered.contains(&namespace.to_lowercase()));
        let types: Vec<Value> = kinds::of_namespace(namespace)
            .map(|kind| {
                json!({
                    "resourceType": kind.types.join("/"), "apiVersions": kind.versions,
                    "locations": catalogue::locations(),
                })
            })
            .collect();
        json!({
            "id": format!("/subscriptions/{id}/providers/{namespace}"),
            "namespace": namespace,
            "registrationState": if is_missing { "NotRegistered" } else { "Registered" },
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": types,
        })
    };
    let Some(namespace) = words.first() else {
        let all = kinds::NAMESPACES
            .iter()
            .map(|namespace| show(world, namespace))
            .collect();
        return Ok(Answer::json(200, &list::page(world, call, all)?));
    };
    let mut known = kinds::NAMESPACES.iter();
    let Some(namespace) = known.find(|known| known.eq_ignore_ascii_case(namespace)) else {
        let message = format!("The resource namespace '{namespace}' is invalid.");
        return Err(Refusal::new(404, "InvalidResourceNamespace", message));
    };
    if words.len() == 2 {
        if call.http != "POST" {
            return Err(Refusal::not_done(&format!(
                "{} of a registration",
                call.http
            )));
        }
        let id = call.subscription.to_lowercase();
        if let Some(of) = world.subscriptions.get_mut(&id) {
            of.unregistered.remove(&namespace.to_lowercase());
        }
    }
    Ok(Answer::json(200, &show(world, namespace)))
}

/// The result of an operation, as `Location` leads to it.
fn result(world: &mut World, id: &str) -> Result<Answer, Refusal> {
    match world.ask(id, true)? {
        Asked::Status(status) => Ok(Answer::json(200, &status)),
        Asked::Going => {
            let operation = world.operations.get(id);
            let url = operation.map(|operation| operation.url(&world.endpoint, true));
            let wait = world.arranged.retry_after.to_string();
            let headers = vec![("location", url.unwrap_or_default()), ("retry-after", wait)];
            Ok(Answer::json(202, &Value::Null).with_headers(headers))
        }
        Asked::Done(thing) => {
            let thing = thing.and_then(|id| world.get(&id));
            match thing {
                Some(thing) => Ok(Answer::json(200, &rules::show(world, thing))),
                None => Ok(Answer::json(200, &Value::Null)),
            }
        }
    }
}

/// <https://learn.microsoft.com/rest/api/resources/management-locks>
fn locks(
    world: &mut World,
    call: &Call<'_>,
    scope: &Id,
    name: Option<&str>,
) -> Result<Answer, Refusal> {
    let show = |lock: &Lock| {
        let (scope, name) = (&lock.scope, &lock.name);
        let mut shown = json!({
            "id": format!("{scope}/providers/Microsoft.Authorization/locks/{name}"),
            "name": name,
            "type": "Microsoft.Authorization/locks",
            "properties": { "level": lock.level },
        });
        if let Some(notes) = &lock.notes {
            shown["properties"]["notes"] = json!(notes);
        }
        shown
    };
    let is_it = |lock: &Lock| {
        lock.scope == *scope && name.is_some_and(|name| lock.name.eq_ignore_ascii_case(name))
    };
    match (call.http, name) {
        ("GET", None) => {
            let below = format!("{}/", scope.key());
            let meant = |lock: &&Lock| {
                lock.scope == *scope
                    || lock.scope.key().starts_with(&below)
                    || scope.key().starts_with(&format!("{}/", lock.scope.key()))
            };
            let all = world.locks.iter().filter(meant).map(show).collect();
            Ok(Answer::json(200, &list::page(world, call, all)?))
        }
        ("GET", Some(name)) => {
            let message = format!("The lock '{name}' could not be found.");
            let missing = || Refusal::new(404, "LockNotFound", message);
            let found = world.locks.iter().find(|lock| is_it(lock));
            Ok(Answer::json(200, &show(found.ok_or_else(missing)?)))
        }
        ("PUT", Some(name)) => {
            let properties = call.body.get("properties").cloned().unwrap_or_default();
            let level = properties["level"].as_str().unwrap_or_default();
            if !["CanNotDelete", "ReadOnly"].contains(&level) {
                let message = format!("The lock level '{level}' is invalid.");
                return Err(Refusal::new(400, "InvalidLockLevel", message));
            }
            let lock = Lock {
                name: name.to_owned(),
                scope: scope.clone(),
                level: level.to_owned(),
                notes: properties["notes"].as_str().map(str::to_owned),
            };
            world.locks.retain(|lock| !is_it(lock));
            let shown = show(&lock);
            world.locks.push(lock);
            Ok(Answer::json(201, &shown))
        }
        ("DELETE", Some(_)) => {
            let before = world.locks.len();
            world.locks.retain(|lock| !is_it(lock));
            let status = if world.locks.len() < before { 200 } else { 204 };
            Ok(Answer::json(status, &Value::Null))
        }
        (http, _) => Err(Refusal::not_done(&format!("{http} of locks"))),
    }
}

/// The terms of a plan of the marketplace.
/// <https://learn.microsoft.com/rest/api/marketplaceordering/marketplace-agreements>
pub(crate) fn agreement(
    world: &mut World,
    call: &Call<'_>,
    of: &[String; 3],
) -> Result<Answer, Refusal> {
    let [publisher, offer, plan] = of;
    if !world.images.has_plan(publisher, offer, plan) {
        let message =
            format!("Offer with PublisherId: '{publisher}', OfferId: '{offer}' not found.");
        return Err(Refusal::new(404, "NotFound", message));
    }
    let key = [&call.subscription, publisher, offer, plan].map(|word| word.to_lowercase());
    let mut properties = json!({
        "publisher": publisher, "product": offer, "plan": plan,
        "licenseTextLink": "https://example.com/license",
        "privacyPolicyLink": "https://example.com/privacy",
        "retrieveDatetime": crate::text::time(world.now),
        "signature": "SIGNATURE-OF-THE-TERMS",
    });
    match call.http {
        "GET" => {}
        "PUT" => {
            let given = call.body.get("properties").cloned().unwrap_or_default();
            if given["signature"] != properties["signature"] {
                let message = "The signature is invalid: read the terms first.";
                return Err(Refusal::new(400, "BadRequest", message));
            }
            match given["accepted"] == true {
                true => world.accepted.insert(key.clone()),
                false => world.accepted.remove(&key),
            };
        }
        http => return Err(Refusal::not_done(&format!("{http} of terms"))),
    }
    properties["accepted"] = json!(world.accepted.contains(&key));
    let id = format!(
        "/subscriptions/{}/providers/Microsoft.MarketplaceOrdering/offertypes/publishers/{publisher}\
         /offers/{offer}/plans/{plan}/agreements/current",
        call.subscription
    );
    let shown = json!({
        "id": id, "name": plan, "type": "Microsoft.MarketplaceOrdering/offertypes",
        "properties": properties,
    });
    Ok(Answer::json(200, &shown))
}

/// What a provider has in a location.
pub(crate) fn located(world: &mut World, call: &Call<'_>) -> Result<Answer, Refusal> {
    let Route::Located(namespace, location, rest) = &call.route else {
        return Err(Refusal::no_such_type(&call.asked.path));
    };
    if call.http != "GET" {
        return Err(Refusal::not_done(&format!(
            "{} of {}",
            call.http, call.asked.path
        )));
    }
    let location = location.to_lowercase();
    let words: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (namespace.as_str(), &words[..]) {
        (_, ["operations", id]) => {
            let is_result = call.query("monitor") == Some("true");
            if is_result {
                return result(world, id);
            }
            match world.ask(id, false)? {
                Asked::Status(status) => {
                    let wait = world.arranged.retry_after.to_string();
                    let is_going = status["status"] == "InProgress";
                    let headers = if is_going {
                        vec![("retry-after", wait)]
                    } else {
                        Vec::new()
                    };
                    Ok(Answer::json(200, &status).with_headers(headers))
                }
                Asked::Going | Asked::Done(_) => Err(Refusal::no_such_type(&call.asked.path)),
            }
        }
        (_, ["operationResults" | "asyncoperations", id]) => result(world, id),
        (namespace, ["usages"]) => {
            if !catalogue::has_location(&location) {
                return Err(Refusal::new(
                    400,
                    "InvalidLocation",
                    format!("{location} is no location."),
                ));
            }
            let all = quota::show(world, &call.subscription, namespace, &location);
            Ok(Answer::json(200, &list::page(world, call, all)?))
        }
        ("Microsoft.Compute", ["publishers", rest @ ..]) => {
            catalogue::images_of(world, call, &location, rest)
        }
        _ => Err(Refusal::no_such_type(&call.asked.path)),
    }
}
