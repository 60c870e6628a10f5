//! Network security groups, their rules, and application security groups.
//! <https://learn.microsoft.com/rest/api/virtualnetwork/network-security-groups>

use serde_json::{Value, json};

use super::{Change, nothing};
use crate::id::Id;
use crate::operations::Effect;
use crate::quota;
use crate::refusal::Refusal;
use crate::world::{Fields, World, items, reference};

/// The rules that every group has.
/// <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules>
const DEFAULTS: [(&str, &str, u32, &str, &str, &str); 6] = [
    (
        "AllowVnetInBound",
        "Inbound",
        65_000,
        "Allow",
        "VirtualNetwork",
        "VirtualNetwork",
    ),
    (
        "AllowAzureLoadBalancerInBound",
        "Inbound",
        65_001,
        "Allow",
        "AzureLoadBalancer",
        "*",
    ),
    ("DenyAllInBound", "Inbound", 65_500, "Deny", "*", "*"),
    (
        "AllowVnetOutBound",
        "Outbound",
        65_000,
        "Allow",
        "VirtualNetwork",
        "VirtualNetwork",
    ),
    (
        "AllowInternetOutBound",
        "Outbound",
        65_001,
        "Allow",
        "*",
        "Internet",
    ),
    ("DenyAllOutBound", "Outbound", 65_500, "Deny", "*", "*"),
];

/// The default rules of a group, as they are shown.
pub(super) fn defaults(id: &Id) -> Value {
    let all = DEFAULTS
        .iter()
        .map(|(name, direction, priority, access, from, to)| {
            json!({
                "id": format!("{id}/defaultSecurityRules/{name}"),
                "name": name,
                "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
                "properties": {
                    "provisioningState": "Succeeded", "protocol": "*", "sourcePortRange": "*",
                    "destinationPortRange": "*", "sourceAddressPrefix": from,
                    "destinationAddressPrefix": to, "access": access, "priority": priority,
                    "direction": direction,
                },
            })
        });
    all.collect()
}

/// Another group's kind that has nothing of its own.
pub(super) fn put_plain(world: &mut World, change: Change<'_>) -> Result<Effect, Refusal> {
    world.put(change.id, change.fields);
    Ok(nothing())
}

pub(super) fn put(world: &mut World, mut change: Change<'_>) -> Result<Effect, Refusal> {
    let id = change.id.clone();
    if change.old.is_none() {
        quota::room(
            world,
            id.subscription(),
            &change.location(),
            "NetworkSecurityGroups",
            1,
        )?;
    }
    let wanted = match change
        .fields
        .get_mut("properties")
        .and_then(Value::as_object_mut)
    {
        Some(properties) => {
            properties.remove("defaultSecurityRules");
            properties.remove("securityRules").unwrap_or_default()
        }
        None => Value::Null,
    };
    let mut plan: Vec<(Id, Fields)> = Vec::new();
    for rule in items(&wanted) {
        let name = rule["name"].as_str().unwrap_or_default();
        let part = id.child(&format!("securityRules/{name}"));
        let fields = made(world, &part, &rule["properties"])?;
        for (other, of) in &plan {
            clash(&part, &fields, other, of)?;
        }
        plan.push((part, fields));
    }
    let gone: Vec<Id> = world
        .parts(&id, "securityRules")
        .filter(|old| !plan.iter().any(|(part, _)| *part == old.id))
        .map(|old| old.id.clone())
        .collect();
    change.default("provisioningState", json!("Updating"));
    world.put(&id, change.fields);
    for part in gone {
        world.drop_thing(&part);
    }
    for (part, fields) in plan {
        world.put(&part, fields);
    }
    Ok(nothing())
}

pub(super) fn put_rule(world: &mut World, change: &Change<'_>) -> Result<Effect, Refusal> {
    let (id, group) = (change.id.clone(), change.id.parent());
    let fields = made(world, &id, change.properties())?;
    for other in world
        .parts(&group, "securityRules")
        .filter(|other| other.id != id)
    {
        clash(&id, &fields, &other.id, &other.fields)?;
    }
    world.put(&id, fields);
    if let Some(group) = world.get_mut(&group) {
        group.version += 1;
    }
    Ok(nothing())
}

/// Two rules of one group have neither the same priority and direction, nor the same name. Seen as in
/// <https://github.com/hashicorp/terraform-provider-azurerm/issues/11137>.
fn clash(id: &Id, fields: &Fields, other: &Id, of: &Fields) -> Result<(), Refusal> {
    let place = |fields: &Fields| {
        let properties = &fields["properties"];
        (
            properties["priority"].clone(),
            properties["direction"].clone(),
        )
    };
    match place(fields) == place(of) {
        false => Ok(()),
        true => {
            let message = format!(
                "Security rule {} conflicts with rule {}. Rules cannot have the same Priority and \
                 Direction. To learn more, see aka.ms/nsgrules.",
                id.name(),
                other.name()
            );
            Err(Refusal::new(400, "SecurityRuleConflict", message))
        }
    }
}

/// A rule as it is to be. <https://learn.microsoft.com/rest/api/virtualnetwork/security-rules>
fn made(world: &World, id: &Id, properties: &Value) -> Result<Fields, Refusal> {
    let mut properties = properties.clone();
    let refuse = |field: &str, why: &str| {
        let message = format!("Security rule {} has an invalid {field}: {why}", id.name());
        Err(Refusal::new(400, "SecurityRuleInvalidParameter", message))
    };
    for (field, values) in [
        ("access", &["Allow", "Deny"] as &[&str]),
        ("direction", &["Inbound", "Outbound"]),
        ("protocol", &["*", "Tcp", "Udp", "Icmp", "Esp", "Ah"]),
    ] {
        let given = properties[field].as_str().unwrap_or_default();
        let Some(known) = values
            .iter()
            .find(|known| known.eq_ignore_ascii_case(given))
        else {
            return refuse(field, &format!("it must be one of {values:?}."));
        };
        properties[field] = json!(known);
    }
    if !properties["priority"]
        .as_u64()
        .is_some_and(|number| (100..=4_096).contains(&number))
    {
        return refuse("priority", "it must be from 100 to 4096.");
    }
    for side in ["source", "destination"] {
        let name = |rest: &str| format!("{side}{rest}");
        let groups = name("ApplicationSecurityGroups");
        let groups: Vec<&Value> = items(&properties[&groups]).collect();
        let has = |one: &str| !properties[name(one)].is_null();
        let has_some = |all: &str| items(&properties[name(all)]).next().is_some();
        let ways = [
            has("AddressPrefix"),
            has_some("AddressPrefixes"),
            !groups.is_empty(),
        ];
        if ways.iter().filter(|way| **way).count() != 1 {
            let field = name("AddressPrefix");
            return refuse(
                &field,
                "exactly one of a prefix, prefixes and application groups.",
            );
        }
        if has("PortRange") == has_some("PortRanges") {
            return refuse(&name("PortRange"), "exactly one of a range and ranges.");
        }
        for group in groups {
            let group = reference(group).unwrap_or_else(|| Id::new(""));
            if world.get(&group).is_none() {
                return Err(Refusal::reference(&group.shown, id));
            }
        }
        for (one, all) in [
            ("AddressPrefix", "AddressPrefixes"),
            ("PortRange", "PortRanges"),
        ] {
            if properties[name(all)].is_null() {
                properties[name(all)] = json!([]);
            }
            let one = properties[name(one)].as_str();
            let given = one
                .into_iter()
                .chain(items(&properties[name(all)]).filter_map(Value::as_str));
            for text in given {
                let fits = if all == "PortRanges" {
                    is_ports(text)
                } else {
                    is_prefix(text)
                };
                if !fits {
                    return refuse(&name(all), &format!("{text}."));
                }
            }
        }
    }
    properties["provisioningState"] = json!("Succeeded");
    let mut fields = Fields::new();
    fields.insert("properties".to_owned(), properties);
    Ok(fields)
}

fn is_ports(text: &str) -> bool {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) => first <= last,
        _ => text == "*",
    }
}

/// A range, an address, or a service tag, which is a word.
fn is_prefix(text: &str) -> bool {
    let is_range = text.parse::<ipnet::IpNet>().is_ok() || text.parse::<std::net::IpAddr>().is_ok();
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    is_range || is_word || text == "*"
}
