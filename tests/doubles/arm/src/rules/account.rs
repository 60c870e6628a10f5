//! Storage accounts and their containers, as Azure Resource Manager sees them.
//! <https://learn.microsoft.com/rest/api/storagerp/storage-accounts>

use serde_json::{Value, json};

use super::{Change, nothing};
use crate::call::Call;
use crate::id::Id;
use crate::operations::Effect;
use crate::quota;
use crate::refusal::Refusal;
use crate::server::Answer;
use crate::text::time;
use crate::world::World;

const SKUS: [&str; 8] = [
    "Standard_LRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_ZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
];

/// The account of a name, which is the only one in the world.
pub(crate) fn of_name(world: &World, name: &str) -> Option<Id> {
    let mut all = world.all("storageAccounts");
    all.find(|account| account.id.name() == name)
        .map(|account| account.id.clone())
}

pub(super) fn put(world: &mut World, mut change: Change<'_>) -> Result<Effect, Refusal> {
    let (id, location) = (change.id.clone(), change.location());
    let sku = change.fields.entry("sku").or_insert_with(|| json!({}));
    let class = sku["name"].as_str().unwrap_or_default().to_owned();
    if !SKUS.contains(&class.as_str()) {
        let message = format!("The value '{class}' is not allowed for property Sku.");
        return Err(Refusal::new(
            400,
            "InvalidValuesForRequestParameters",
            message,
        ));
    }
    sku["tier"] = json!(class.split('_').next().unwrap_or_default());
    let kind = change
        .fields
        .entry("kind")
        .or_insert_with(|| json!("StorageV2"))
        .clone();
    if change.old.is_none() {
        if let Some(other) = of_name(world, id.name()) {
            // <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-storage-account-name>
            let (code, message) = match other.subscription() == id.subscription() {
                true => (
                    "StorageAccountInAnotherResourceGroup",
                    format!(
                        "The storage account {} is already in another resource group in this subscription.",
                        id.name()
                    ),
                ),
                false => (
                    "StorageAccountAlreadyTaken",
                    format!("The storage account named {} is already taken.", id.name()),
                ),
            };
            return Err(Refusal::new(409, code, message));
        }
        quota::room(world, id.subscription(), &location, "StorageAccounts", 1)?;
    }
    if change
        .old
        .as_ref()
        .is_some_and(|old| old.fields.get("kind") != Some(&kind))
    {
        return Err(Refusal::fixed("kind"));
    }
    let own = || format!("{}/blob/{}/", world.endpoint, id.name());
    let endpoint = world.blobs.clone().unwrap_or_else(own);
    change.default("minimumTlsVersion", json!("TLS1_2"));
    change.default("supportsHttpsTrafficOnly", json!(true));
    change.default("allowBlobPublicAccess", json!(false));
    change.default("accessTier", json!("Hot"));
    change.set("primaryLocation", json!(location));
    change.set("statusOfPrimary", json!("available"));
    change.set("primaryEndpoints", json!({ "blob": endpoint }));
    let made = change.old.as_ref().map_or(world.now, |old| old.made);
    change.set("creationTime", json!(time(made)));
    world.put(&id, change.fields);
    let service = id.child("blobServices/default");
    if world.get(&service).is_none() {
        let settings = json!({ "isVersioningEnabled": false });
        let fields = [("properties".to_owned(), settings)];
        world.put(&service, fields.into_iter().collect());
    }
    Ok(nothing())
}

/// The settings of an account's blobs.
/// <https://learn.microsoft.com/rest/api/storagerp/blob-services/set-service-properties>
pub(super) fn put_service(world: &mut World, mut change: Change<'_>) -> Result<Effect, Refusal> {
    let id = change.id.clone();
    if id.name() != "default" {
        return Err(Refusal::not_found(&id));
    }
    change.default("isVersioningEnabled", json!(false));
    world.put(&id, change.fields);
    Ok(nothing())
}

/// A container. <https://learn.microsoft.com/rest/api/storagerp/blob-containers>
pub(super) fn put_container(world: &mut World, mut change: Change<'_>) -> Result<Effect, Refusal> {
    let id = change.id.clone();
    let metadata = change.properties()["metadata"].clone();
    for (name, value) in metadata.as_object().into_iter().flatten() {
        let is_fit = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || !name.chars().all(is_fit) || !value.is_string() {
            let message =
                format!("The metadata specified is invalid: '{name}' is no C# identifier.");
            return Err(Refusal::new(400, "InvalidMetadata", message));
        }
    }
    change.default("publicAccess", json!("None"));
    change.set("lastModifiedTime", json!(time(world.now)));
    for (name, value) in [
        ("hasImmutabilityPolicy", json!(false)),
        ("hasLegalHold", json!(false)),
        ("leaseStatus", json!("Unlocked")),
        ("leaseState", json!("Available")),
        ("deleted", json!(false)),
        ("remainingRetentionDays", json!(0)),
        ("defaultEncryptionScope", json!("$account-encryption-key")),
        ("denyEncryptionScopeOverride", json!(false)),
    ] {
        change.default(name, value);
    }
    let number = world.count();
    change
        .fields
        .insert("etag".to_owned(), json!(format!("\"0x8DD{number:012X}\"")));
    world.put(&id, change.fields);
    world.containers.entry(id.key()).or_default();
    Ok(nothing())
}

/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/check-name-availability>
pub(super) fn availability(world: &World, call: &Call<'_>) -> Result<Answer, Refusal> {
    let name = call
        .body
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let body = match ((3..=24).contains(&name.len()), of_name(world, name)) {
        (true, None) if name.chars().all(is_fit) => json!({ "nameAvailable": true }),
        (_, Some(_)) => json!({
            "nameAvailable": false, "reason": "AlreadyExists",
            "message": format!("The storage account named {name} is already taken."),
        }),
        _ => json!({
            "nameAvailable": false, "reason": "AccountNameInvalid",
            "message": format!("{name} is not a valid storage account name."),
        }),
    };
    Ok(Answer::json(200, &body))
}

/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/list-keys>
pub(super) fn action(
    world: &World,
    call: &Call<'_>,
    id: &Id,
    action: &str,
) -> Result<Answer, Refusal> {
    world.thing(id)?;
    if call.http != "POST" || !action.eq_ignore_ascii_case("listKeys") {
        return Err(Refusal::not_done(&format!("{action} of a storage account")));
    }
    let keys = ["key1", "key2"]
        .map(|name| json!({ "keyName": name, "value": "c3RyYXQtYXJt", "permissions": "FULL" }));
    Ok(Answer::json(200, &json!({ "keys": keys })))
}
