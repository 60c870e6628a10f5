//! What refers to what, and what cannot go because of it.

use serde_json::{Value, json};

use crate::id::Id;
use crate::kinds::Kind;
use crate::refusal::Refusal;
use crate::world::{Thing, World, items, reference};

/// Whether a thing refers to an identifier anywhere in its properties.
fn refers(thing: &Thing, id: &str) -> bool {
    thing
        .fields
        .get("properties")
        .is_some_and(|properties| has(properties, id))
}

fn has(value: &Value, id: &str) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| match value.as_str() {
            Some(text) => name == "id" && text.eq_ignore_ascii_case(id),
            None => has(value, id),
        }),
        Value::Array(all) => all.iter().any(|value| has(value, id)),
        _ => false,
    }
}

/// The first that refers to a thing, besides itself and its own parts.
pub(super) fn user(world: &World, id: &Id) -> Option<Id> {
    users(world, id).next()
}

/// All that refer to a thing.
pub(super) fn users<'a>(world: &'a World, id: &Id) -> impl Iterator<Item = Id> + use<'a> {
    let id = id.clone();
    let all = world.things.values();
    let all = all.filter(move |thing| thing.id != id && refers(thing, &id.shown));
    all.map(|thing| thing.id.clone())
}

/// <https://learn.microsoft.com/troubleshoot/azure/virtual-network/virtual-network-troubleshoot-cannot-delete-vnet>,
/// seen as in <https://github.com/hashicorp/terraform-provider-azurerm/issues/6818>.
pub(super) fn check_subnet(world: &World, id: &Id) -> Result<(), Refusal> {
    let Some(user) = user(world, id) else {
        return Ok(());
    };
    let message = format!(
        "Subnet {} is in use by {user} and cannot be deleted. In order to delete the subnet, delete \
         all the resources within the subnet. See aka.ms/deletesubnet.",
        id.name()
    );
    Err(Refusal::new(400, "InUseSubnetCannotBeDeleted", message))
}

/// Refuses to delete what something else uses.
pub(super) fn check_unused(world: &World, thing: &Thing, kind: &Kind) -> Result<(), Refusal> {
    let id = &thing.id;
    match kind.word() {
        "virtualNetworks" => {
            for part in world.parts(id, "subnets") {
                check_subnet(world, &part.id)?;
            }
            Ok(())
        }
        "subnets" => check_subnet(world, id),
        "networkSecurityGroups" => {
            let users: Vec<String> = users(world, id).map(|user| user.shown).collect();
            if users.is_empty() {
                return Ok(());
            }
            // <https://learn.microsoft.com/azure/virtual-network/manage-network-security-group#delete-a-network-security-group>,
            // seen as in <https://github.com/DataBiosphere/terra-workspace-manager/pull/502>.
            let message = format!(
                "Network security group {id} cannot be deleted because it is in use by the following \
                 resources: {}. In order to delete the Network security group, remove the association \
                 with the resource(s). To learn how to do this, see aka.ms/deletensg.",
                users.join(", ")
            );
            Err(Refusal::new(
                400,
                "InUseNetworkSecurityGroupCannotBeDeleted",
                message,
            ))
        }
        "applicationSecurityGroups" => refuse(world, id, |user| {
            // The rule: <https://learn.microsoft.com/azure/virtual-network/application-security-groups>;
            // the text as in <https://github.com/Azure/azure-cli/issues/12591>. The code was found
            // nowhere: it is ours, and nobody goes by it.
            let message = format!(
                "Application Security Group {} cannot be deleted because it is referenced by \
                 IpConfiguration(s) {user}.",
                id.name()
            );
            Refusal::new(400, "InUseApplicationSecurityGroupCannotBeDeleted", message)
        }),
        "publicIPAddresses" => refuse(world, id, |user| {
            // <https://learn.microsoft.com/azure/virtual-network/ip-services/virtual-network-public-ip-address#view-modify-settings-for-or-delete-a-public-ip-address>,
            // seen as in <https://github.com/hashicorp/terraform-provider-azurerm/issues/2566>.
            let message = format!(
                "Public IP address {id} can not be deleted since it is still allocated to resource \
                 {user}. In order to delete the public IP, disassociate/detach the Public IP address \
                 from the resource. To learn how to do this, see aka.ms/deletepublicip."
            );
            Refusal::new(400, "PublicIPAddressCannotBeDeleted", message)
        }),
        "networkInterfaces" => refuse(world, id, |user| nic_in_use(id, user)),
        "disks" => refuse(world, id, |user| {
            // <https://learn.microsoft.com/azure/virtual-machines/disks-find-unattached-portal>
            Refusal::not_allowed(format!("Disk {} is attached to VM {user}.", id.name()))
        }),
        _ => Ok(()),
    }
}

fn refuse(world: &World, id: &Id, with: impl Fn(&Id) -> Refusal) -> Result<(), Refusal> {
    user(world, id).map_or(Ok(()), |user| Err(with(&user)))
}

/// <https://learn.microsoft.com/azure/virtual-network/virtual-network-network-interface#delete-a-network-interface>,
/// seen as in <https://github.com/hashicorp/terraform-provider-azurerm/issues/8105>.
pub(super) fn nic_in_use(id: &Id, user: &Id) -> Refusal {
    let message = format!(
        "Network Interface {id} is used by existing resource {user}. In order to delete the network \
         interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic."
    );
    Refusal::new(400, "NicInUse", message)
}

/// The machine that an interface or a disk is attached to.
pub(super) fn machine_of(world: &World, id: &Id) -> Option<Id> {
    let is_used = |thing: &&Thing| {
        let network = &thing.property("networkProfile")["networkInterfaces"];
        let storage = thing.property("storageProfile");
        let os = std::iter::once(&storage["osDisk"]);
        let disks = os.chain(items(&storage["dataDisks"]));
        let disks = disks.filter_map(|disk| reference(&disk["managedDisk"]));
        items(network)
            .filter_map(reference)
            .chain(disks)
            .any(|one| one == *id)
    };
    world
        .all("virtualMachines")
        .find(is_used)
        .map(|thing| thing.id.clone())
}

/// What is shown of the users of a thing: `[{ "id": … }]`.
pub(super) fn shown(ids: impl Iterator<Item = String>) -> Value {
    let all: Vec<Value> = ids.map(|id| json!({ "id": id })).collect();
    json!(all)
}
