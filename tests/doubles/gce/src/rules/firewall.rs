//! Firewall rules. <https://cloud.google.com/compute/docs/reference/rest/v1/firewalls>

use serde_json::{Value, json};

use super::Begun;
use crate::call::{Call, check_description, default, text};
use crate::kinds::Key;
use crate::quota;
use crate::refusal::Refusal;
use crate::world::{Fields, World};

pub(super) fn insert(world: &mut World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let mut fields = call.body.clone();
    complete(world, call, &mut fields)?;
    quota::check_global(world, &call.project, "FIREWALLS")?;
    world.put(&key, fields);
    Begun::new(key, |_| Ok(()))
}

/// A patch changes the fields that it has; an update all of them.
pub(super) fn change(world: &World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let old = world.thing(&key)?;
    let mut fields = call.body.clone();
    for (name, value) in old {
        let is_server_set =
            ["id", "kind", "selfLink", "creationTimestamp"].contains(&name.as_str());
        if call.verb == "patch" || is_server_set {
            fields.entry(name).or_insert_with(|| value.clone());
        }
    }
    for name in ["name", "network", "direction"] {
        let same = match name {
            "network" => {
                Key::parse(text(&fields, name).unwrap_or_default(), &call.project)
                    == Key::parse(text(old, name).unwrap_or_default(), &call.project)
            }
            _ => fields
                .get(name)
                .is_none_or(|value| Some(value) == old.get(name)),
        };
        if !same {
            let why = "It cannot be changed.";
            return Err(Refusal::invalid(&format!("resource.{name}"), "", why));
        }
    }
    // A patch by nothing empties a field.
    fields.retain(|_, value| !value.is_null() && value != &json!([]));
    complete(world, call, &mut fields)?;
    Begun::change(key, |old| *old = fields)
}

/// Sets what is not set, and refuses what does not go together.
fn complete(world: &World, call: &Call<'_>, fields: &mut Fields) -> Result<(), Refusal> {
    check_description(fields)?;
    default(fields, "network", json!("global/networks/default"));
    let url = text(fields, "network").unwrap_or_default();
    let network = Key::parse(url, &call.project).filter(|key| key.collection == "networks");
    let malformed = || Refusal::invalid("resource.network", url, "The URL is malformed.");
    let network = network.ok_or_else(malformed)?;
    // Unlike elsewhere, this is told as a thing that is not found.
    world.thing(&network)?;
    world.ready(&network)?;
    fields.insert("network".to_owned(), json!(network.link()));
    for (name, value) in [
        ("direction", json!("INGRESS")),
        ("priority", json!(1000)),
        ("disabled", json!(false)),
        ("logConfig", json!({ "enable": false })),
    ] {
        default(fields, name, value);
    }
    let items = |name: &str| {
        let list = fields.get(name).and_then(Value::as_array);
        list.filter(|list| !list.is_empty())
    };
    let bad = |message: &str| Err(Refusal::new(400, "invalid", message));
    let priority = fields["priority"].as_u64();
    if priority.is_none_or(|priority| priority > 65_535) {
        let why = "Must be between 0 and 65535, inclusive.";
        let given = fields["priority"].to_string();
        return Err(Refusal::invalid("resource.priority", &given, why));
    }
    let rules = match (items("allowed"), items("denied")) {
        (Some(rules), None) | (None, Some(rules)) => rules.clone(),
        (None, None) => return bad("Firewall must specify at least one rule."),
        (Some(_), Some(_)) => {
            return bad("Firewall cannot have both allowed and denied rules.");
        }
    };
    protocols(&rules)?;
    let is_ingress = fields["direction"] == "INGRESS";
    let sources = ["sourceRanges", "sourceTags", "sourceServiceAccounts"];
    let has_source = sources.iter().any(|name| items(name).is_some());
    if is_ingress && items("destinationRanges").is_some() {
        return bad("Destination ranges cannot be given for INGRESS with the double.");
    }
    if !is_ingress && sources[1..].iter().any(|name| items(name).is_some()) {
        return bad("Source tags and source service accounts cannot be specified for EGRESS.");
    }
    let tags = items("sourceTags").is_some() || items("targetTags").is_some();
    let accounts =
        items("sourceServiceAccounts").is_some() || items("targetServiceAccounts").is_some();
    if tags && accounts {
        return bad("Tags and service accounts cannot be used together in a firewall rule.");
    }
    for name in ["sourceRanges", "destinationRanges"] {
        for range in items(name).into_iter().flatten() {
            let range = range.as_str().unwrap_or_default();
            if range.parse::<ipnet::IpNet>().is_err() && range.parse::<std::net::IpAddr>().is_err()
            {
                let why = "Must be a CIDR address range.";
                return Err(Refusal::invalid(&format!("resource.{name}"), range, why));
            }
        }
    }
    match is_ingress {
        true if !has_source => default(fields, "sourceRanges", json!(["0.0.0.0/0"])),
        true => {}
        false => default(fields, "destinationRanges", json!(["0.0.0.0/0"])),
    }
    Ok(())
}

/// Only some protocols have ports.
fn protocols(rules: &[Value]) -> Result<(), Refusal> {
    const NAMES: [&str; 8] = ["tcp", "udp", "icmp", "esp", "ah", "ipip", "sctp", "all"];
    for (index, rule) in rules.iter().enumerate() {
        let at = format!("resource.allowed[{index}]");
        let protocol = rule["IPProtocol"].as_str().unwrap_or_default();
        if !NAMES.contains(&protocol) && protocol.parse::<u8>().is_err() {
            let why = "Must be a well known protocol or a number.";
            return Err(Refusal::invalid(&format!("{at}.IPProtocol"), protocol, why));
        }
        let ports = rule["ports"].as_array().into_iter().flatten();
        for port in ports {
            let text = port.as_str().unwrap_or_default();
            let mut ends = text.split('-').map(str::parse::<u16>);
            let is_range = match (ends.next(), ends.next(), ends.next()) {
                (Some(Ok(_)), None, None) => true,
                (Some(Ok(first)), Some(Ok(last)), None) => first <= last,
                _ => false,
            };
            if !is_range || !matches!(protocol, "tcp" | "udp" | "sctp" | "6" | "17" | "132") {
                let why = "It is no port or range of ports of this protocol.";
                return Err(Refusal::invalid(&format!("{at}.ports"), text, why));
            }
        }
    }
    Ok(())
}
