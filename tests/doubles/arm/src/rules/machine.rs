//! Virtual machines. <https://learn.microsoft.com/rest/api/compute/virtual-machines>

use serde_json::{Value, json};

use super::{Change, drives, inline, interface, profile};
use crate::arrange::StockOut;
use crate::catalogue::{self, Size};
use crate::id::Id;
use crate::operations::Effect;
use crate::quota;
use crate::refusal::Refusal;
use crate::world::{World, items, reference};

/// The only zone of a machine.
fn zone(change: &Change<'_>) -> Option<String> {
    let zones = change.fields.get("zones")?;
    items(zones).next()?.as_str().map(str::to_owned)
}

pub(super) fn is_spot(properties: &Value) -> bool {
    properties["priority"] == "Spot" || properties["priority"] == "Low"
}

pub(super) fn put(world: &mut World, mut change: Change<'_>) -> Result<Effect, Refusal> {
    let id = change.id.clone();
    if let Some(zones) = change.fields.get("zones") {
        interface::check_zones(zones, &change.location())?;
    }
    let size = size(&change)?;
    let is_new = change.old.is_none();
    let user_data = change.properties()["userData"].clone();
    profile::check_data("userData", &user_data)?;
    if is_new {
        create(world, &mut change, &size)?;
    } else {
        check_change(world, &change, &size)?;
    }
    drives::detach(&mut change);
    profile::data_disks(world, &change, &size)?;
    let made = inline::make(world, &mut change)?;
    let failure = match room(world, &change, &size) {
        Ok(failure) => failure,
        Err(refusal) => {
            // What is refused leaves nothing behind.
            for id in &made {
                world.drop_thing(id);
            }
            return Err(refusal);
        }
    };
    let custom_data = change.properties()["osProfile"]["customData"].clone();
    drives::make_all(world, &mut change, &size);
    if let Some(properties) = change
        .fields
        .get_mut("properties")
        .and_then(Value::as_object_mut)
    {
        properties.remove("userData");
        properties.remove("instanceView");
        if let Some(guest) = properties
            .get_mut("osProfile")
            .and_then(Value::as_object_mut)
        {
            guest.remove("customData");
            guest.remove("adminPassword");
            guest.insert("allowExtensionOperations".to_owned(), json!(true));
            guest.insert("secrets".to_owned(), json!([]));
        }
    }
    world.put(&id, change.fields);
    if let Some(thing) = world.get_mut(&id) {
        for (name, value) in [("userData", user_data), ("customData", custom_data)] {
            if !value.is_null() {
                thing.inner.insert(name.to_owned(), value);
            }
        }
        // What could not be allocated never ran, and has no power.
        if is_new && failure.is_none() {
            thing.inner.insert("power".to_owned(), json!("running"));
        }
    }
    Ok(Box::new(move |_| failure.map_or(Ok(()), Err)))
}

/// Checks the interfaces of a machine, and takes what it needs from what is left.
fn room(world: &mut World, change: &Change<'_>, size: &Size) -> Result<Option<Refusal>, Refusal> {
    profile::interfaces(world, change)?;
    let grows =
        change.old.is_none() || change.was("hardwareProfile")["vmSize"] != size.name.as_str();
    match grows {
        true => take(world, change, size),
        false => Ok(None),
    }
}

/// The size that a machine is to have.
/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-sku-not-available>
fn size(change: &Change<'_>) -> Result<Size, Refusal> {
    let name = change.properties()["hardwareProfile"]["vmSize"]
        .as_str()
        .unwrap_or_default();
    let location = change.location();
    catalogue::size(name).filter(|size| size.is_in(&location)).ok_or_else(|| {
        let why = format!(
            "The value {name} provided for the VM size is not valid. The valid sizes in the current \
             region are: {}. Find out more on the valid VM sizes in each region at \
             https://aka.ms/azure-regions.",
            catalogue::size_names(&location).join(",")
        );
        Refusal::parameter("vmSize", &why)
    })
}

/// What only a new machine has.
fn create(world: &mut World, change: &mut Change<'_>, size: &Size) -> Result<(), Refusal> {
    let (subscription, location) = (change.id.subscription().to_owned(), change.location());
    let os = change.properties()["storageProfile"]["osDisk"].clone();
    match os["createOption"].as_str() {
        Some("FromImage") => {
            profile::image(world, change, size)?;
            profile::guest(change)?;
        }
        Some("Attach") => {
            let disk = reference(&os["managedDisk"]).unwrap_or_else(|| Id::new(""));
            profile::attachable(world, change, &disk)?;
        }
        other => {
            return Err(Refusal::not_done(&format!(
                "createOption {other:?} of an OS disk"
            )));
        }
    }
    if is_spot(change.properties()) {
        change.default("evictionPolicy", json!("Deallocate"));
        change.default("billingProfile", json!({ "maxPrice": -1.0 }));
    } else if !change.properties()["evictionPolicy"].is_null() {
        let why = "Eviction policy can only be set on Azure Spot Virtual Machines.";
        return Err(Refusal::parameter("evictionPolicy", why));
    }
    let class = os["managedDisk"]["storageAccountType"]
        .as_str()
        .unwrap_or_default();
    if class.starts_with("Premium") && !size.has_premium {
        return Err(Refusal::parameter(
            "osDisk.managedDisk.storageAccountType",
            &format!(
                "Requested operation cannot be performed because the VM size {} does not support the storage account type {class}.",
                size.name
            ),
        ));
    }
    quota::cores(
        world,
        &subscription,
        &location,
        size,
        size.cpus,
        is_spot(change.properties()),
    )?;
    quota::room(world, &subscription, &location, "virtualMachines", 1)
}

/// Takes what a size needs from what is left: refused at once, or at the end.
/// <https://learn.microsoft.com/troubleshoot/azure/virtual-machines/allocation-failure>; seen as in
/// <https://github.com/Azure-Samples/azuresandbox/issues/70> (`SkuNotAvailable`),
/// <https://github.com/vmware-tanzu/community-edition/issues/3963> (`AllocationFailed`),
/// <https://github.com/openshift/release/pull/5182> (`ZonalAllocationFailed`),
/// <https://github.com/Azure-Samples/aks-store-demo/issues/115> (`OverconstrainedAllocationRequest`) and
/// <https://github.com/jenkins-infra/azure/pull/1416> (`OverconstrainedZonalAllocationRequest`).
fn take(world: &mut World, change: &Change<'_>, size: &Size) -> Result<Option<Refusal>, Refusal> {
    let (zone, location) = (zone(change), change.location());
    let unavailable = || {
        let message = format!(
            "The requested VM size for resource 'Following SKUs have failed for Capacity \
             Restrictions: {}' is currently not available in location '{location}'. Please try another \
             size or deploy to a different location or different zone. See \
             https://aka.ms/azureskunotavailable for details.",
            size.name
        );
        Refusal::new(409, "SkuNotAvailable", message)
    };
    if catalogue::is_restricted(world, &size.name, &location, zone.as_deref()) {
        return Err(unavailable());
    }
    let out_as = world.arranged.stock_out();
    if out_as == StockOut::Sku
        && world
            .arranged
            .is_out(&size.name, &location, zone.as_deref())
    {
        return Err(unavailable());
    }
    Ok(allocate(world, size, &location, zone.as_deref()))
}

/// Takes a place for a machine; the failure where there is none.
/// <https://learn.microsoft.com/azure/virtual-machines/error-codes>
pub(super) fn allocate(
    world: &mut World,
    size: &Size,
    location: &str,
    zone: Option<&str>,
) -> Option<Refusal> {
    if world.arranged.take_stock(&size.name, location, zone) {
        return None;
    }
    let guidance = "Read more about improving likelihood of allocation success at \
                    https://aka.ms/allocation-guidance";
    let networking = "Networking Constraints (such as Accelerated Networking or IPv6)";
    let constraints = |first: &str| {
        format!(
            "VM(s) with the following constraints cannot be allocated, because the condition is too \
             restrictive. Please remove some constraints and try again. Constraints applied are:\n  \
             - {first}\n  - VM Size\n"
        )
    };
    let (code, message) = match (world.arranged.stock_out(), zone) {
        (StockOut::Overconstrained, Some(_)) => (
            "OverconstrainedZonalAllocationRequest",
            format!("Allocation failed. {}", constraints("Availability Zone")),
        ),
        (StockOut::Overconstrained, None) => (
            "OverconstrainedAllocationRequest",
            format!("Allocation failed. {}", constraints(networking)),
        ),
        (_, Some(_)) => (
            "ZonalAllocationFailed",
            format!(
                "Allocation failed. We do not have sufficient capacity for the requested VM size in \
                 this zone. {guidance}"
            ),
        ),
        (_, None) => (
            "AllocationFailed",
            format!(
                "Allocation failed. We do not have sufficient capacity for the requested VM size in \
                 this region. {guidance}"
            ),
        ),
    };
    Some(Refusal::new(409, code, message))
}

/// What of a machine that is there can change, and in what state.
/// <https://learn.microsoft.com/azure/virtual-machines/error-codes>
fn check_change(world: &World, change: &Change<'_>, size: &Size) -> Result<(), Refusal> {
    let Some(old) = &change.old else {
        return Ok(());
    };
    let new = change.properties();
    let before = |name: &str| old.property(name);
    for (path, was, is) in [
        ("zones", old.fields.get("zones"), change.fields.get("zones")),
        (
            "imageReference",
            Some(&before("storageProfile")["imageReference"]),
            Some(&new["storageProfile"]["imageReference"]),
        ),
        (
            "osProfile.computerName",
            Some(&before("osProfile")["computerName"]),
            Some(&new["osProfile"]["computerName"]),
        ),
        (
            "osProfile.adminUsername",
            Some(&before("osProfile")["adminUsername"]),
            Some(&new["osProfile"]["adminUsername"]),
        ),
        ("priority", Some(before("priority")), Some(&new["priority"])),
        (
            "osDisk.managedDisk.id",
            Some(&before("storageProfile")["osDisk"]["managedDisk"]["id"]),
            Some(&new["storageProfile"]["osDisk"]["managedDisk"]["id"]),
        ),
    ] {
        if was != is {
            return Err(Refusal::fixed(path));
        }
    }
    if let (Some(was), Some(is)) = (
        old.inner.get("customData"),
        new["osProfile"].get("customData"),
    ) && was != is
    {
        return Err(Refusal::fixed("customData"));
    }
    let is_off = old.inner.get("power") == Some(&json!("deallocated"));
    let names = |network: &Value| -> Vec<Id> {
        items(&network["networkInterfaces"])
            .filter_map(reference)
            .collect()
    };
    if names(before("networkProfile")) != names(&new["networkProfile"]) && !is_off {
        return Err(Refusal::not_allowed(format!(
            "Adding or deleting network interfaces is not allowed while the virtual machine {} is \
             not deallocated.",
            change.id.name()
        )));
    }
    resize(world, change, size, is_off)
}

/// <https://learn.microsoft.com/azure/virtual-machines/resize-vm>
fn resize(world: &World, change: &Change<'_>, size: &Size, is_off: bool) -> Result<(), Refusal> {
    let before = change.was("hardwareProfile")["vmSize"]
        .as_str()
        .and_then(catalogue::size);
    let Some(before) = before.filter(|before| before.name != size.name) else {
        return Ok(());
    };
    if before.family != size.family && !is_off {
        return Err(Refusal::not_allowed(format!(
            "Unable to resize the VM {} since the requested size {} is not available in the current \
             hardware cluster. The available sizes in this cluster are: {}. Find out more on VM \
             re-sizing at https://aka.ms/azure-resizevm.",
            change.id.name(),
            size.name,
            catalogue::family_names(&before.family).join(",")
        )));
    }
    if before.architecture != size.architecture {
        let message = "A machine cannot be resized to another CPU architecture.";
        return Err(Refusal::not_allowed(message));
    }
    let more = match before.family == size.family {
        true => size.cpus.saturating_sub(before.cpus),
        false => size.cpus,
    };
    let subscription = change.id.subscription();
    quota::cores(
        world,
        subscription,
        &change.location(),
        size,
        more,
        is_spot(change.properties()),
    )
}

/// Takes away what goes with a machine: disks and interfaces whose option says so.
/// <https://learn.microsoft.com/azure/virtual-machines/delete>
pub(super) fn unmake(world: &mut World, id: &Id) {
    let Some(thing) = world.get(id) else {
        return;
    };
    let storage = thing.property("storageProfile");
    let disks = std::iter::once(&storage["osDisk"]).chain(items(&storage["dataDisks"]));
    let disks = disks.filter(|disk| disk["deleteOption"] == "Delete");
    let disks = disks.filter_map(|disk| reference(&disk["managedDisk"]));
    let interfaces = items(&thing.property("networkProfile")["networkInterfaces"]);
    let interfaces = interfaces.filter(|one| one["properties"]["deleteOption"] == "Delete");
    let interfaces: Vec<Id> = interfaces.filter_map(reference).collect();
    let addresses = interfaces
        .iter()
        .filter_map(|id| world.get(id))
        .flat_map(|interface| {
            let all = items(interface.property("ipConfigurations"));
            all.filter_map(|one| reference(&one["properties"]["publicIPAddress"]))
        });
    // <https://learn.microsoft.com/azure/virtual-machines/delete#set-delete-options-when-creating-a-vm>
    let goes = |id: &Id| {
        world
            .get(id)
            .is_some_and(|address| address.property("deleteOption") == "Delete")
    };
    let addresses: Vec<Id> = addresses.filter(goes).collect();
    let gone: Vec<Id> = disks.chain(interfaces).chain(addresses).collect();
    for gone in gone {
        world.drop_thing(&gone);
    }
}
