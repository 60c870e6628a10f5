//! What a machine is made of, checked: image, plan, guest, interfaces, data disks; and public keys.
//! <https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Change, nothing, uses};
use crate::catalogue::{Image, Size};
use crate::id::Id;
use crate::operations::Effect;
use crate::refusal::Refusal;
use crate::world::{World, items, reference};

/// The image that a machine is made from.
pub(super) fn image(world: &World, change: &Change<'_>, size: &Size) -> Result<Image, Refusal> {
    let asked = &change.properties()["storageProfile"]["imageReference"];
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let (publisher, offer, sku, version) = (
        text("publisher"),
        text("offer"),
        text("sku"),
        text("version"),
    );
    let found = world.images.find([publisher, offer, sku], version);
    let Some(image) = found else {
        // <https://learn.microsoft.com/azure/virtual-machines/error-codes>
        let message = format!(
            "The platform image '{publisher}:{offer}:{sku}:{version}' is not available. Verify that \
             all fields in the storage profile are correct. For more details about storage profile \
             information, please refer to https://aka.ms/storageprofile"
        );
        return Err(Refusal::new(404, "PlatformImageNotFound", message));
    };
    if image.architecture != size.architecture {
        let message = format!(
            "Cannot create a VM of size '{}' because this VM size only supports a CPU Architecture of \
             '{}', but an image or disk with CPU Architecture '{}' was given. Please change your VM \
             size or image to match.",
            size.name, size.architecture, image.architecture
        );
        return Err(Refusal::new(400, "BadRequest", message));
    }
    plan(world, change, &image, [publisher, offer, sku])?;
    Ok(image)
}

/// The purchase plan of an image that has one, whose terms must be accepted.
/// <https://learn.microsoft.com/azure/virtual-machines/linux/cli-ps-findimage#check-the-purchase-plan-information>
fn plan(world: &World, change: &Change<'_>, image: &Image, of: [&str; 3]) -> Result<(), Refusal> {
    let given = change.fields.get("plan").cloned().unwrap_or_default();
    let [publisher, offer, sku] = of;
    let Some(plan) = &image.plan else {
        return Ok(());
    };
    let is_given = given["name"] == plan.as_str()
        && given["publisher"] == publisher
        && given["product"] == offer;
    if !is_given {
        let message = format!(
            "Creating a virtual machine from Marketplace image or a custom image sourced from a \
             Marketplace image requires Plan information in the request. VM: '{}'.",
            change.id
        );
        return Err(Refusal::new(400, "VMMarketplaceInvalidInput", message));
    }
    let key = [change.id.subscription(), publisher, offer, plan].map(str::to_lowercase);
    if world.accepted.contains(&key) {
        return Ok(());
    }
    let message = "Marketplace purchase eligibilty check returned errors. See inner errors for \
                   details. ";
    let inner = format!(
        "Offer with PublisherId: '{publisher}', OfferId: '{offer}' cannot be purchased due to \
         validation errors. For more information see details. Plan '{sku}': Legal terms have not been \
         accepted for this item on this subscription: '{}'. To accept legal terms using PowerShell, \
         please use Get-AzureRmMarketplaceTerms and Set-AzureRmMarketplaceTerms API or deploy via the \
         Azure portal to accept the terms",
        change.id.subscription()
    );
    let details = json!([json!({ "code": "BadRequest", "message": inner })]);
    Err(Refusal::new(400, "MarketplacePurchaseEligibilityFailed", message).with("details", details))
}

/// The guest's profile: who can log in, and what it starts with.
pub(super) fn guest(change: &Change<'_>) -> Result<(), Refusal> {
    let profile = &change.properties()["osProfile"];
    for name in ["computerName", "adminUsername"] {
        if profile[name].as_str().is_none_or(str::is_empty) {
            let field = format!("osProfile.{name}");
            let why = format!("Required parameter '{field}' is missing (null).");
            return Err(Refusal::parameter(&field, &why));
        }
    }
    let name = profile["computerName"].as_str().unwrap_or_default();
    if name.len() > 64 || name.contains(|c: char| !(c.is_ascii_alphanumeric() || "-._".contains(c)))
    {
        let why = "Linux host name cannot exceed 64 characters in length or contain other characters \
                   than letters, digits, '-', '.' and '_'.";
        return Err(Refusal::parameter("osProfile.computerName", why));
    }
    let linux = &profile["linuxConfiguration"];
    let has_keys = items(&linux["ssh"]["publicKeys"]).next().is_some();
    if linux["disablePasswordAuthentication"] == true && !has_keys {
        let why =
            "Authentication using SSH is enabled by default, but no SSH public keys are given.";
        return Err(Refusal::parameter("linuxConfiguration.ssh.publicKeys", why));
    }
    if linux["disablePasswordAuthentication"] != true && profile["adminPassword"].is_null() {
        let why = "Required parameter 'adminPassword' is missing (null).";
        return Err(Refusal::parameter("adminPassword", why));
    }
    for key in items(&linux["ssh"]["publicKeys"]) {
        let user = profile["adminUsername"].as_str().unwrap_or_default();
        let path = format!("/home/{user}/.ssh/authorized_keys");
        if key["path"] != path.as_str() {
            let why = format!(
                "The value of parameter linuxConfiguration.ssh.publicKeys.path is invalid: it must \
                 be {path}."
            );
            return Err(Refusal::parameter(
                "linuxConfiguration.ssh.publicKeys.path",
                &why,
            ));
        }
        check_key(key["keyData"].as_str().unwrap_or_default())?;
    }
    check_data("osProfile.customData", &profile["customData"])
}

/// <https://learn.microsoft.com/azure/virtual-machines/linux/mac-create-ssh-keys#supported-ssh-key-formats>
fn check_key(key: &str) -> Result<(), Refusal> {
    let known = ["ssh-rsa ", "ssh-ed25519 "];
    match known.iter().any(|start| key.starts_with(start)) {
        true => Ok(()),
        false => {
            let why = "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid: \
                       RSA and Ed25519 are supported.";
            Err(Refusal::parameter(
                "linuxConfiguration.ssh.publicKeys.keyData",
                why,
            ))
        }
    }
}

/// Text for the guest: base64, of at most 64 KB.
/// <https://learn.microsoft.com/azure/virtual-machines/custom-data>
pub(super) fn check_data(field: &str, value: &Value) -> Result<(), Refusal> {
    let Some(text) = value.as_str() else {
        return Ok(());
    };
    match STANDARD.decode(text) {
        Ok(bytes) if bytes.len() <= 65_535 => Ok(()),
        Ok(_) => Err(Refusal::parameter(
            field,
            "Custom data has at most 65535 bytes.",
        )),
        Err(_) => Err(Refusal::parameter(field, "Custom data must be in Base64.")),
    }
}

/// The interfaces of a machine: there, here, and nobody else's.
pub(super) fn interfaces(world: &World, change: &Change<'_>) -> Result<(), Refusal> {
    let all: Vec<&Value> =
        items(&change.properties()["networkProfile"]["networkInterfaces"]).collect();
    if all.is_empty() {
        let why = "The virtual machine must have at least one network interface.";
        return Err(Refusal::parameter("networkProfile.networkInterfaces", why));
    }
    let primary = all
        .iter()
        .filter(|one| one["properties"]["primary"] == true)
        .count();
    if all.len() > 1 && primary != 1 {
        let why = "Virtual machine must have one network interface set as the primary.";
        return Err(Refusal::new(
            400,
            "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary",
            why,
        ));
    }
    for one in all {
        let id = reference(one).unwrap_or_else(|| Id::new(""));
        let found = world
            .get(&id)
            .filter(|found| found.location() == change.location());
        if found.is_none() {
            return Err(Refusal::reference(&id.shown, change.id));
        }
        if let Some(other) = uses::machine_of(world, &id).filter(|other| other != change.id) {
            return Err(uses::nic_in_use(&id, &other));
        }
    }
    Ok(())
}

/// The data disks of a machine: each at a place of its own, and nobody else's.
pub(super) fn data_disks(world: &World, change: &Change<'_>, size: &Size) -> Result<(), Refusal> {
    let all: Vec<&Value> = items(&change.properties()["storageProfile"]["dataDisks"]).collect();
    if all.len() > size.disks {
        return Err(Refusal::not_allowed(format!(
            "The maximum number of data disks allowed to be attached to a VM of this size is {}.",
            size.disks
        )));
    }
    let mut luns: Vec<u64> = Vec::new();
    for one in &all {
        let Some(lun) = one["lun"].as_u64().filter(|lun| *lun < 64) else {
            return Err(Refusal::parameter(
                "dataDisk.lun",
                "A data disk has a LUN from 0 to 63.",
            ));
        };
        if luns.contains(&lun) {
            let why = format!("Cannot use LUN {lun} for two data disks.");
            return Err(Refusal::parameter("dataDisk.lun", &why));
        }
        luns.push(lun);
        let id = reference(&one["managedDisk"]);
        match (one["createOption"].as_str(), id) {
            (Some("Attach"), Some(id)) => attachable(world, change, &id)?,
            // What was made with the machine, and is named again.
            (Some("Empty"), Some(id)) if world.get(&id).is_some() => {
                attachable(world, change, &id)?;
            }
            (Some("Empty"), None) if one["diskSizeGB"].as_u64().is_some() => {}
            (Some("Attach" | "Empty"), _) => {
                let why = "A data disk is attached by managedDisk.id, or made with diskSizeGB.";
                return Err(Refusal::parameter("dataDisk.managedDisk.id", why));
            }
            (other, _) => {
                let what = format!("createOption {other:?} of a data disk");
                return Err(Refusal::not_done(&what));
            }
        }
    }
    Ok(())
}

/// Whether a disk can be attached to a machine.
pub(super) fn attachable(world: &World, change: &Change<'_>, id: &Id) -> Result<(), Refusal> {
    let found = world.get(id).ok_or_else(|| {
        let message = format!("Disk {} is not found.", id.name());
        Refusal::new(404, "ResourceNotFound", message)
    })?;
    if let Some(other) = uses::machine_of(world, id).filter(|other| other != change.id) {
        // <https://learn.microsoft.com/azure/virtual-machines/error-codes>, seen as in
        // <https://github.com/kubernetes-sigs/azuredisk-csi-driver/issues/1378>.
        let message = format!(
            "Cannot attach the disk {} to VM {} because it is already attached to VM {other}. A disk \
             can be attached to only one VM at a time.",
            id.name(),
            change.id
        );
        let refusal = Refusal::new(409, "ConflictingUserInput", message);
        return Err(refusal.with("target", json!(id.shown)));
    }
    if found.location() != change.location() {
        let message = format!(
            "Disk {} is not in the location of the virtual machine.",
            id.name()
        );
        return Err(Refusal::new(400, "BadRequest", message));
    }
    let zones = found.fields.get("zones");
    let is_zonal = zones.is_some_and(|zones| items(zones).next().is_some());
    let of_machine = change
        .fields
        .get("zones")
        .filter(|zones| items(zones).next().is_some());
    let everywhere = found.fields.get("sku").is_some_and(|sku| {
        sku["name"]
            .as_str()
            .is_some_and(|name| name.ends_with("_ZRS"))
    });
    // A regional disk goes with a regional machine, a disk with a zone with a machine of that zone.
    // <https://learn.microsoft.com/azure/virtual-machines/create-portal-availability-zone>
    match everywhere || (is_zonal && zones == of_machine) || (!is_zonal && of_machine.is_none()) {
        true => Ok(()),
        false => {
            let message = format!(
                "Disk {id} cannot be attached to the VM because it is not in zone '{}'. VM and disks \
                 must be in the same zone, or in none.",
                of_machine.cloned().unwrap_or_else(|| json!([]))
            );
            Err(Refusal::new(400, "BadRequest", message))
        }
    }
}

/// A public key. <https://learn.microsoft.com/rest/api/compute/ssh-public-keys/create>
pub(super) fn put_key(world: &mut World, mut change: Change<'_>) -> Result<Effect, Refusal> {
    let key = change.properties()["publicKey"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if !key.is_empty() {
        check_key(&key)?;
    }
    change.default("publicKey", json!(""));
    world.put(change.id, change.fields);
    Ok(nothing())
}
