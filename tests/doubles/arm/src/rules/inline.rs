//! Interfaces and public addresses that are made with a machine, and go with it.
//! <https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update#create-a-vm-with-network-interface-configuration>

use serde_json::{Value, json};

use super::{Change, interface};
use crate::id::Id;
use crate::refusal::Refusal;
use crate::text::guid;
use crate::world::{Fields, World, items};

/// Since this version of Microsoft.Network its parts can be made with a machine.
const SINCE: &str = "2020-11-01";

/// Makes what a machine's network configurations say, and lets the machine refer to it; gives what was
/// made, which goes where the machine is refused after all.
pub(super) fn make(world: &mut World, change: &mut Change<'_>) -> Result<Vec<Id>, Refusal> {
    let network = change.properties()["networkProfile"].clone();
    let configurations: Vec<Value> = items(&network["networkInterfaceConfigurations"])
        .cloned()
        .collect();
    if configurations.is_empty() {
        return Ok(Vec::new());
    }
    if change.old.is_some() || items(&network["networkInterfaces"]).next().is_some() {
        let why = "Network interface configurations are for new virtual machines without network \
                   interfaces.";
        return Err(Refusal::parameter(
            "networkProfile.networkInterfaceConfigurations",
            why,
        ));
    }
    if network["networkApiVersion"]
        .as_str()
        .is_none_or(|version| version < SINCE)
    {
        let why = "networkApiVersion is required with network interface configurations.";
        return Err(Refusal::parameter("networkProfile.networkApiVersion", why));
    }
    let (mut made, mut references) = (Vec::new(), Vec::new());
    for configuration in &configurations {
        match one(world, change, configuration, &mut made) {
            Ok(reference) => references.push(reference),
            Err(refusal) => {
                // All of a machine or nothing.
                for id in made {
                    world.drop_thing(&id);
                }
                return Err(refusal);
            }
        }
    }
    change.set("networkProfile", json!({ "networkInterfaces": references }));
    Ok(made)
}

/// One interface with its addresses; what was made of it is noted in `made`.
fn one(
    world: &mut World,
    change: &Change<'_>,
    configuration: &Value,
    made: &mut Vec<Id>,
) -> Result<Value, Refusal> {
    let properties = &configuration["properties"];
    let mut own = Fields::new();
    for name in [
        "networkSecurityGroup",
        "enableAcceleratedNetworking",
        "enableIPForwarding",
        "dnsSettings",
    ] {
        if !properties[name].is_null() {
            own.insert(name.to_owned(), properties[name].clone());
        }
    }
    let mut addresses = Vec::new();
    for of in items(&properties["ipConfigurations"]) {
        let mut inner = of["properties"].clone();
        let asked = inner["publicIPAddressConfiguration"].clone();
        if let Some(fields) = inner.as_object_mut() {
            fields.remove("publicIPAddressConfiguration");
        }
        if asked.is_object() {
            let id = address(world, change, &asked)?;
            inner["publicIPAddress"] = json!({ "id": id.shown });
            made.push(id);
        }
        addresses.push(json!({ "name": of["name"], "properties": inner }));
    }
    own.insert("ipConfigurations".to_owned(), json!(addresses));
    let mut fields = fields(change, configuration);
    fields.insert("properties".to_owned(), Value::Object(own));
    let id = id(change, "networkInterfaces", configuration);
    let new = Change {
        call: change.call,
        id: &id,
        old: None,
        fields,
    };
    let finish = interface::put(world, new)?;
    finish(world)?;
    ready(world, &id);
    made.push(id.clone());
    let primary = configuration["properties"]["primary"] == true;
    let option = properties["deleteOption"].as_str().unwrap_or("Detach");
    Ok(json!({ "id": id.shown, "properties": { "primary": primary, "deleteOption": option } }))
}

fn address(world: &mut World, change: &Change<'_>, asked: &Value) -> Result<Id, Refusal> {
    let id = id(change, "publicIPAddresses", asked);
    let mut fields = fields(change, asked);
    if asked["sku"].is_object() {
        fields.insert("sku".to_owned(), asked["sku"].clone());
    }
    if let Some(zones) = change.fields.get("zones") {
        fields.insert("zones".to_owned(), zones.clone());
    }
    fields.insert("properties".to_owned(), asked["properties"].clone());
    let new = Change {
        call: change.call,
        id: &id,
        old: None,
        fields,
    };
    let finish = interface::put_address(world, new)?;
    finish(world)?;
    ready(world, &id);
    Ok(id)
}

/// The name is the configuration's with a suffix, so that nobody counts on it.
fn id(change: &Change<'_>, word: &str, configuration: &Value) -> Id {
    let name = configuration["name"].as_str().unwrap_or_default();
    let suffix = guid(&format!("{} {name}", change.id));
    let name = format!("{name}-{}", &suffix[..8]);
    change
        .id
        .group_id()
        .child(&format!("providers/Microsoft.Network/{word}/{name}"))
}

fn fields(change: &Change<'_>, configuration: &Value) -> Fields {
    let mut fields = Fields::new();
    fields.insert("location".to_owned(), json!(change.location()));
    if configuration["tags"].is_object() {
        fields.insert("tags".to_owned(), configuration["tags"].clone());
    }
    fields
}

fn ready(world: &mut World, id: &Id) {
    if let Some(thing) = world.get_mut(id) {
        thing.set("provisioningState", json!("Succeeded"));
    }
}
