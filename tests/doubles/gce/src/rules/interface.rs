//! Network interfaces of machines, and their addresses.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::{Begun, power};
use crate::call::{Call, text};
use crate::kinds::{Key, Scope, region_of};
use crate::quota;
use crate::refusal::{Failure, Refusal};
use crate::render::public_addresses;
use crate::text::fingerprint;
use crate::world::{Fields, World};

fn all(instance: &Fields) -> impl Iterator<Item = &Value> {
    let all = instance.get("networkInterfaces").and_then(Value::as_array);
    all.into_iter().flatten()
}

/// The links of the networks that a machine is in.
pub(super) fn networks(instance: &Fields) -> impl Iterator<Item = &Value> {
    all(instance).map(|interface| &interface["network"])
}

/// The links of the subnets that a machine is in.
pub(super) fn subnetworks(instance: &Fields) -> impl Iterator<Item = &Value> {
    all(instance).map(|interface| &interface["subnetwork"])
}

/// Checks the interfaces that a machine is to have, and makes its links whole. Addresses come with
/// [`number`].
pub(super) fn plan(
    world: &World,
    home: &Key,
    given: &Value,
    at: &str,
) -> Result<Vec<Value>, Refusal> {
    let given = given.as_array().filter(|all| !all.is_empty());
    let missing = || {
        let why = "At least one network interface is required.";
        Refusal::invalid(&format!("{at}.networkInterfaces"), "", why)
    };
    let given = given.ok_or_else(missing)?;
    let mut planned = Vec::new();
    for (index, interface) in given.iter().enumerate() {
        let at = format!("{at}.networkInterfaces[{index}]");
        planned.push(one(world, home, interface, index, &at)?);
    }
    Ok(planned)
}

fn one(world: &World, home: &Key, given: &Value, index: usize, at: &str) -> Result<Value, Refusal> {
    let Scope::Zone(zone) = &home.scope else {
        return Err(Refusal::not_found(&home.path()));
    };
    let network = match given["network"].as_str().filter(|url| !url.is_empty()) {
        None => None,
        Some(url) => {
            let field = format!("{at}.network");
            Some(world.referred(&field, url, &home.project, "networks")?)
        }
    };
    let Some(url) = given["subnetwork"].as_str().filter(|url| !url.is_empty()) else {
        let why = "Subnetwork should be specified for custom subnetmode network";
        return Err(Refusal::invalid(at, "", why));
    };
    let field = format!("{at}.subnetwork");
    let subnetwork = world.referred(&field, url, &home.project, "subnetworks")?;
    if subnetwork.scope != Scope::Region(region_of(zone).to_owned()) {
        let why = "The referenced subnetwork resource is in another region.";
        return Err(Refusal::invalid(&field, url, why));
    }
    let of_subnetwork = &world.thing(&subnetwork)?["network"];
    if network.is_some_and(|network| of_subnetwork != network.link().as_str()) {
        let why = "The subnetwork is not of the network.";
        return Err(Refusal::invalid(&field, url, why));
    }
    let mut planned = given.clone();
    planned["kind"] = json!("compute#networkInterface");
    planned["name"] = json!(format!("nic{index}"));
    planned["network"] = of_subnetwork.clone();
    planned["subnetwork"] = json!(subnetwork.link());
    planned["stackType"] = json!("IPV4_ONLY");
    let configs = given["accessConfigs"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if configs.len() > 1 {
        let why = "At most one access config currently supported.";
        return Err(Refusal::invalid(&format!("{at}.accessConfigs"), "", why));
    }
    for config in &configs {
        check_public(world, home, config, &format!("{at}.accessConfigs[0]"))?;
    }
    if let Some(ip) = given["networkIP"].as_str()
        && free(world, &subnetwork.link(), Some(ip)).is_none()
    {
        let why = "IP address is in use, or not within the subnetwork's range.";
        return Err(Refusal::invalid(&format!("{at}.networkIP"), ip, why));
    }
    Ok(planned)
}

/// A public address that a machine asks for: one of the region that nobody uses.
fn check_public(world: &World, home: &Key, config: &Value, at: &str) -> Result<(), Refusal> {
    let Some(ip) = config["natIP"].as_str() else {
        return Ok(());
    };
    let Scope::Zone(zone) = &home.scope else {
        return Err(Refusal::not_found(&home.path()));
    };
    let region = Scope::Region(region_of(zone).to_owned());
    let mut addresses = world.all(&home.project, "addresses");
    let known = addresses.find(|(key, fields)| key.scope == region && fields["address"] == ip);
    let Some((key, _)) = known else {
        let why = "The specified external IP address was not found in the region.";
        return Err(Refusal::invalid(&format!("{at}.natIP"), ip, why));
    };
    world.ready(key)?;
    let mut instances = world.all(&home.project, "instances");
    if instances.any(|(_, fields)| public_addresses(fields).any(|used| used == ip)) {
        let message = format!("External IP address: {ip} is already in-use.");
        return Err(Refusal::new(400, "invalid", message));
    }
    Ok(())
}

/// A free address of a subnet: the one that is wanted, or the first.
/// <https://cloud.google.com/vpc/docs/subnets#unusable-ip-addresses-in-every-subnet>: the first two
/// and the last two are Google's.
fn free(world: &World, subnetwork: &str, wanted: Option<&str>) -> Option<Ipv4Addr> {
    let fields = world.things.get(&Key::parse(subnetwork, "")?)?;
    let range: Ipv4Net = text(fields, "ipCidrRange")?.parse().ok()?;
    let (first, last) = (
        u32::from(range.network()) + 2,
        u32::from(range.broadcast()) - 2,
    );
    let taken = world.taken.get(subnetwork);
    let is_free = |ip: &Ipv4Addr| taken.is_none_or(|taken| !taken.contains(ip));
    let mut all = (first..=last).map(Ipv4Addr::from);
    match wanted {
        None => all.find(is_free),
        Some(wanted) => {
            let wanted: Ipv4Addr = wanted.parse().ok()?;
            let fits = (first..=last).contains(&u32::from(wanted)) && is_free(&wanted);
            fits.then_some(wanted)
        }
    }
}

/// Gives the interfaces their addresses.
pub(super) fn number(world: &mut World, planned: &[Value]) -> Result<Vec<Value>, Failure> {
    let mut numbered = Vec::new();
    for interface in planned {
        let mut interface = interface.clone();
        let subnetwork = interface["subnetwork"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let wanted = interface["networkIP"].as_str().map(str::to_owned);
        let Some(ip) = free(world, &subnetwork, wanted.as_deref()) else {
            let path = Key::parse(&subnetwork, "").map_or(subnetwork, |key| key.path());
            let message = format!("IP space of '{path}' is exhausted.");
            let http = (503, "SERVICE UNAVAILABLE");
            return Err(Failure::new(http, "IP_SPACE_EXHAUSTED", message));
        };
        world.taken.entry(subnetwork).or_default().insert(ip);
        interface["networkIP"] = json!(ip.to_string());
        if let Some(config) = interface["accessConfigs"].get_mut(0) {
            let given = config.clone();
            *config = public(world, &given);
        }
        interface["fingerprint"] = json!(fingerprint(&interface));
        numbered.push(interface);
    }
    Ok(numbered)
}

/// An access configuration with all its fields.
fn public(world: &mut World, given: &Value) -> Value {
    let mut config = given.clone();
    config["kind"] = json!("compute#accessConfig");
    for (name, value) in [
        ("type", "ONE_TO_ONE_NAT"),
        ("name", "External NAT"),
        ("networkTier", "PREMIUM"),
    ] {
        if config[name].is_null() {
            config[name] = json!(value);
        }
    }
    if config["natIP"].is_null() {
        config["natIP"] = json!(world.public_address());
    }
    config
}

/// Gives the addresses of a machine that goes back to its subnets.
pub(super) fn release(world: &mut World, instance: &Fields) {
    for interface in all(instance) {
        let_go(world, interface);
    }
}

fn let_go(world: &mut World, interface: &Value) {
    let text = |name: &str| interface[name].as_str().unwrap_or_default();
    let taken = world.taken.get_mut(text("subnetwork"));
    if let (Some(taken), Ok(ip)) = (taken, text("networkIP").parse()) {
        taken.remove(&ip);
    }
}

/// The place of the interface that a call names.
fn named(fields: &Fields, call: &Call<'_>) -> Result<usize, Refusal> {
    let name = call.query("networkInterface").unwrap_or_default();
    let found = all(fields).position(|interface| interface["name"] == name);
    found.ok_or_else(|| {
        let why = "Network interface does not exist.";
        Refusal::invalid("networkInterface", name, why)
    })
}

pub(super) fn add_public(world: &mut World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let fields = world.thing(&key)?;
    let index = named(fields, call)?;
    let configs = &fields["networkInterfaces"][index]["accessConfigs"];
    if configs.as_array().is_some_and(|all| !all.is_empty()) {
        let why = "At most one access config currently supported.";
        let field = format!("networkInterfaces[{index}].accessConfigs");
        return Err(Refusal::invalid(&field, "", why));
    }
    let given = Value::Object(call.body.clone());
    check_public(world, &key, &given, "resource")?;
    let failure = quota::room(world, &key, "IN_USE_ADDRESSES", 1.0).err();
    let config = public(world, &given);
    let changed = key.clone();
    Begun::new(key, move |world| {
        if let Some(failure) = failure {
            return Err(failure);
        }
        if let Some(fields) = world.things.get_mut(&changed) {
            fields["networkInterfaces"][index]["accessConfigs"] = json!([config]);
        }
        Ok(())
    })
}

pub(super) fn drop_public(world: &World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let fields = world.thing(&key)?;
    let index = named(fields, call)?;
    let name = call.query("accessConfig").unwrap_or_default();
    if fields["networkInterfaces"][index]["accessConfigs"][0]["name"] != name {
        let why = "Access config does not exist.";
        return Err(Refusal::invalid("accessConfig", name, why));
    }
    Begun::change(key, move |fields| {
        if let Some(interface) = fields["networkInterfaces"][index].as_object_mut() {
            interface.remove("accessConfigs");
        }
    })
}

/// Another network or subnet, with the fingerprint of now, while the machine is off; it gets an address
/// there. <https://cloud.google.com/vpc/docs/migrate-vm-network>
pub(super) fn update(world: &mut World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let open = ["fingerprint", "network", "subnetwork", "networkIP"];
    if call.body.keys().any(|name| !open.contains(&name.as_str())) {
        return Err(call.unknown());
    }
    let fields = world.thing(&key)?;
    let index = named(fields, call)?;
    let is = fields["networkInterfaces"][index].clone();
    match text(&call.body, "fingerprint") {
        None => {
            let why = "Fingerprint must be specified.";
            return Err(Refusal::invalid("resource.fingerprint", "", why));
        }
        Some(given) if is["fingerprint"] != given => {
            let message = "Network interface fingerprint either invalid or out of date.";
            return Err(Refusal::new(412, "conditionNotMet", message));
        }
        Some(_) => power::must_be(world, &key, "TERMINATED")?,
    }
    // The way from the world stays the one that it is.
    let mut wanted = is.clone();
    let ways = wanted["accessConfigs"].take();
    for name in ["network", "subnetwork", "networkIP"] {
        wanted[name] = call.body.get(name).cloned().unwrap_or_default();
    }
    let planned = one(world, &key, &wanted, index, "resource")?;
    let numbered = number(world, &[planned]);
    let changed = key.clone();
    Begun::new(key, move |world| {
        let mut interface = numbered?.remove(0);
        match (ways, interface.as_object_mut()) {
            (Value::Null, Some(interface)) => drop(interface.remove("accessConfigs")),
            (ways, _) => interface["accessConfigs"] = ways,
        }
        let_go(world, &is);
        if let Some(fields) = world.things.get_mut(&changed) {
            fields["networkInterfaces"][index] = interface;
        }
        Ok(())
    })
}
