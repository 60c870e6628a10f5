//! Where things are, and what they are called.

use serde_json::{Value, json};

use crate::catalogue;
use crate::id::Id;
use crate::kinds::{GROUP, Kind};
use crate::refusal::Refusal;
use crate::world::{Fields, Thing, World};

/// An identifier with the words of its type and its group as ARM writes them.
pub(super) fn canonical(world: &World, id: &Id, kind: &Kind) -> Id {
    let subscription = id.subscription();
    if kind.types == GROUP.types {
        return Id::new(format!(
            "/subscriptions/{subscription}/resourceGroups/{}",
            id.name()
        ));
    }
    let group = world
        .get(&id.group_id())
        .map_or_else(|| id.group_id(), |group| group.id.clone());
    let at = id
        .key()
        .rfind("/providers/")
        .map_or(0, |at| at + "/providers/".len());
    let names: Vec<&str> = id.shown[at..].split('/').skip(2).step_by(2).collect();
    let pairs: Vec<String> = kind
        .types
        .iter()
        .zip(&names)
        .map(|(a, b)| format!("{a}/{b}"))
        .collect();
    group.child(&format!("providers/{}/{}", kind.namespace, pairs.join("/")))
}

/// The location of a thing: its own, or that of what it is a part of.
pub(super) fn location_of(world: &World, id: &Id, own: String) -> String {
    match own.is_empty() {
        false => own,
        true => world
            .get(&id.parent())
            .map_or_else(String::new, |parent| parent.location().to_owned()),
    }
}

/// Checks where a thing is to be.
/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-sku-not-available>
pub(super) fn check(
    world: &World,
    id: &Id,
    old: Option<&Thing>,
    fields: &mut Fields,
) -> Result<(), Refusal> {
    let Some(location) = fields.get("location").and_then(Value::as_str) else {
        let message = "The location property is required for this definition.";
        return Err(Refusal::new(400, "LocationRequired", message));
    };
    let location = location.replace(' ', "").to_lowercase();
    if !catalogue::has_location(&location) {
        let message = format!(
            "The provided location '{location}' is not available for resource type '{}'. List of \
             available regions for the resource type is '{}'.",
            id.kind().map(Kind::name).unwrap_or_default(),
            catalogue::locations().join(",")
        );
        return Err(Refusal::new(
            400,
            "LocationNotAvailableForResourceType",
            message,
        ));
    }
    if let Some(old) = old.filter(|old| old.location() != location) {
        let (name, group, is) = (id.name(), id.group(), old.location());
        let is_group = id.kind().is_some_and(|kind| kind.types == GROUP.types);
        let (code, message) = match is_group {
            true => (
                "InvalidResourceGroupLocation",
                format!(
                    "Invalid resource group location '{location}'. The Resource group already \
                     exists in location '{is}'."
                ),
            ),
            false => (
                "InvalidResourceLocation",
                format!(
                    "The resource '{name}' already exists in location '{is}' in resource group \
                     '{group}'. A resource with the same name cannot be created in location \
                     '{location}'. Please select a new resource name."
                ),
            ),
        };
        return Err(Refusal::new(409, code, message));
    }
    debug_assert!(
        !world.subscriptions.is_empty(),
        "a double has a subscription"
    );
    fields.insert("location".to_owned(), json!(location));
    Ok(())
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>
pub(super) fn check_name(id: &Id, kind: &Kind) -> Result<(), Refusal> {
    let name = id.name();
    let (longest, more) = match kind.word() {
        "resourceGroups" => (90, "-_.()"),
        "storageAccounts" => (24, ""),
        "containers" => (63, "-"),
        "virtualMachines" => (64, "-"),
        "virtualNetworks" => (64, "-_."),
        _ => (80, "-_."),
    };
    let is_fit = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    let is_lower = matches!(kind.word(), "storageAccounts" | "containers");
    let fits = name.len() <= longest
        && name.chars().all(is_fit)
        && !name.ends_with(['.', '-'])
        && name.starts_with(|c: char| {
            c.is_ascii_alphanumeric() || (longest == 90 && more.contains(c))
        })
        && !(is_lower && (name.len() < 3 || name.chars().any(|c| c.is_ascii_uppercase())));
    match (fits, kind.word()) {
        (true, _) => Ok(()),
        (false, "storageAccounts") => {
            let message = format!(
                "{name} is not a valid storage account name. Storage account name must be between 3 \
                 and 24 characters in length and use numbers and lower-case letters only."
            );
            Err(Refusal::new(400, "AccountNameInvalid", message))
        }
        (false, _) => {
            let message = format!(
                "Resource name {name} is invalid. The name can be up to {longest} characters long."
            );
            Err(Refusal::new(400, "InvalidResourceName", message))
        }
    }
}
