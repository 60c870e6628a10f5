//! Subnets. <https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks>

use ipnet::Ipv4Net;
use serde_json::json;

use super::{Begun, remove};
use crate::call::{Call, default, text};
use crate::kinds::{Key, Scope};
use crate::quota;
use crate::refusal::Refusal;
use crate::text::fingerprint;
use crate::world::{Fields, World};

/// A range that a subnet may have.
/// <https://cloud.google.com/vpc/docs/subnets#valid-ranges>: from /8 to /29.
fn range(text: &str) -> Result<Ipv4Net, Refusal> {
    let bad = |why: &str| Refusal::invalid("resource.ipCidrRange", text, why);
    let range: Ipv4Net = text
        .parse()
        .map_err(|_| bad("Must be a CIDR address range."))?;
    if range.trunc() != range {
        return Err(bad("The network address is not the first of its range."));
    }
    match range.prefix_len() {
        8..=29 => Ok(range),
        _ => Err(bad("The prefix length must be between 8 and 29.")),
    }
}

/// The ranges of a network's subnets, but for one.
fn check_room(world: &World, network: &str, but: &Key, range: Ipv4Net) -> Result<(), Refusal> {
    for (key, fields) in world.all(&but.project, "subnetworks") {
        let other = text(fields, "ipCidrRange").and_then(|text| text.parse::<Ipv4Net>().ok());
        let meets = other.is_some_and(|other| other.contains(&range) || range.contains(&other));
        if key != but && fields["network"] == network && meets {
            let Scope::Region(region) = &key.scope else {
                continue;
            };
            let message = format!(
                "Invalid IPCidrRange: {range} conflicts with existing subnetwork '{}' in region \
                 '{region}'.",
                key.name
            );
            return Err(Refusal::new(400, "badRequest", message));
        }
    }
    Ok(())
}

pub(super) fn insert(world: &mut World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let mut fields = call.body.clone();
    let network = text(&fields, "network").unwrap_or_default();
    let network = world.referred("resource.network", network, &call.project, "networks")?;
    let range = range(text(&fields, "ipCidrRange").unwrap_or_default())?;
    check_room(world, &network.link(), &key, range)?;
    quota::check_global(world, &call.project, "SUBNETWORKS")?;
    fields.insert("network".to_owned(), json!(network.link()));
    set_range(&mut fields, range);
    let defaults = [
        ("privateIpGoogleAccess", json!(false)),
        ("privateIpv6GoogleAccess", json!("DISABLE_GOOGLE_ACCESS")),
        ("purpose", json!("PRIVATE")),
        ("stackType", json!("IPV4_ONLY")),
        ("enableFlowLogs", json!(false)),
    ];
    for (name, value) in defaults {
        default(&mut fields, name, value);
    }
    // It stands in the path; in the body it is a link.
    fields.remove("region");
    stamp(&mut fields);
    world.put(&key, fields);
    Begun::new(key, |_| Ok(()))
}

/// The gateway is the first address of the range.
fn set_range(fields: &mut Fields, range: Ipv4Net) {
    let gateway = u32::from(range.network()) + 1;
    let gateway = std::net::Ipv4Addr::from(gateway).to_string();
    fields.insert("ipCidrRange".to_owned(), json!(range.to_string()));
    fields.insert("gatewayAddress".to_owned(), json!(gateway));
}

/// Sets the fingerprint of the whole.
fn stamp(fields: &mut Fields) {
    fields.remove("fingerprint");
    let print = fingerprint(&json!(fields));
    fields.insert("fingerprint".to_owned(), json!(print));
}

pub(super) fn delete(world: &World, key: Key) -> Result<Begun, Refusal> {
    let link = key.link();
    let uses = |fields| super::interface::subnetworks(fields).any(|used| used == link.as_str());
    match world.first(&key.project, "instances", uses) {
        Some(user) => Err(Refusal::in_use("subnetwork", &key.path(), &user.path())),
        None => remove(key),
    }
}

/// A few fields can be changed, with the fingerprint of now.
pub(super) fn patch(world: &World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let fields = world.thing(&key)?;
    super::fingerprinted(&call.body, &json!(fields), "subnetwork")?;
    let open = [
        "fingerprint",
        "privateIpGoogleAccess",
        "enableFlowLogs",
        "logConfig",
    ];
    if let Some(name) = call.body.keys().find(|name| !open.contains(&name.as_str())) {
        let why = "Updating this field is not supported.";
        return Err(Refusal::invalid(&format!("resource.{name}"), "", why));
    }
    let mut body = call.body.clone();
    body.remove("fingerprint");
    Begun::change(key, |fields| {
        fields.extend(body);
        stamp(fields);
    })
}

/// The new range must contain the old one.
/// <https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks/expandIpCidrRange>
pub(super) fn expand(world: &World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let fields = world.thing(&key)?;
    let wanted = range(text(&call.body, "ipCidrRange").unwrap_or_default())?;
    let old = range(text(fields, "ipCidrRange").unwrap_or_default())?;
    if !wanted.contains(&old) || wanted == old {
        let why = format!("The new range must contain the old one, {old}, and be larger.");
        return Err(Refusal::invalid(
            "resource.ipCidrRange",
            &wanted.to_string(),
            &why,
        ));
    }
    check_room(
        world,
        text(fields, "network").unwrap_or_default(),
        &key,
        wanted,
    )?;
    Begun::change(key, move |fields| {
        set_range(fields, wanted);
        stamp(fields);
    })
}
