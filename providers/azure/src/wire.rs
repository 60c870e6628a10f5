//! What Azure says of things: the fields that are read here, of the versions in [`crate::names`].
//!
//! What is absent and what is `null` is the same to Azure, so each field falls back to its default.

use serde::{Deserialize, Deserializer};

use crate::tags::Tags;

/// The default for a field that is `null`.
fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A thing, or a part of one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(
    default,
    rename_all = "camelCase",
    bound = "P: Default + Deserialize<'de>"
)]
pub(crate) struct Thing<P> {
    /// The whole path.
    #[serde(deserialize_with = "nullable")]
    pub(crate) id: String,
    /// The name.
    #[serde(deserialize_with = "nullable")]
    pub(crate) name: String,
    /// The region.
    #[serde(deserialize_with = "nullable")]
    pub(crate) location: String,
    /// The tags.
    #[serde(deserialize_with = "nullable")]
    pub(crate) tags: Tags,
    /// The numbers of its zones.
    #[serde(deserialize_with = "nullable")]
    pub(crate) zones: Vec<String>,
    /// What is paid for.
    #[serde(deserialize_with = "nullable")]
    pub(crate) sku: SkuName,
    /// The machine that has a disk.
    pub(crate) managed_by: Option<String>,
    /// The rest.
    #[serde(deserialize_with = "nullable")]
    pub(crate) properties: P,
}

/// A reference by path.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ref {
    /// The path.
    #[serde(deserialize_with = "nullable")]
    pub(crate) id: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SkuName {
    #[serde(deserialize_with = "nullable")]
    pub(crate) name: String,
}

/// A virtual network.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Vnet {
    #[serde(deserialize_with = "nullable")]
    pub(crate) address_space: AddressSpace,
    #[serde(deserialize_with = "nullable")]
    pub(crate) subnets: Vec<Thing<Subnet>>,
    pub(crate) provisioning_state: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AddressSpace {
    #[serde(deserialize_with = "nullable")]
    pub(crate) address_prefixes: Vec<String>,
}

/// A subnet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Subnet {
    pub(crate) address_prefix: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) address_prefixes: Vec<String>,
    pub(crate) provisioning_state: Option<String>,
}

/// A network security group.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Nsg {
    #[serde(deserialize_with = "nullable")]
    pub(crate) security_rules: Vec<Thing<SecurityRule>>,
}

/// A rule of one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SecurityRule {
    pub(crate) description: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) protocol: String,
    pub(crate) source_port_range: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) source_port_ranges: Vec<String>,
    pub(crate) destination_port_range: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) destination_port_ranges: Vec<String>,
    pub(crate) source_address_prefix: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) source_address_prefixes: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) source_application_security_groups: Vec<Ref>,
    pub(crate) destination_address_prefix: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) destination_address_prefixes: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) destination_application_security_groups: Vec<Ref>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) access: String,
    #[serde(deserialize_with = "nullable")]
    pub(crate) priority: u32,
    #[serde(deserialize_with = "nullable")]
    pub(crate) direction: String,
}

/// What has no more to it than being there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Plain {
    pub(crate) provisioning_state: Option<String>,
}

/// A public address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Pip {
    pub(crate) ip_address: Option<String>,
    pub(crate) ip_configuration: Option<Ref>,
    pub(crate) provisioning_state: Option<String>,
}

/// A network interface.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Nic {
    pub(crate) virtual_machine: Option<Ref>,
    pub(crate) network_security_group: Option<Ref>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) ip_configurations: Vec<Thing<IpConfiguration>>,
}

/// One of its addresses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct IpConfiguration {
    #[serde(rename = "privateIPAddress")]
    pub(crate) private_ip: Option<String>,
    #[serde(rename = "publicIPAddress")]
    pub(crate) public_ip: Option<Ref>,
    pub(crate) subnet: Option<Ref>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) application_security_groups: Vec<Ref>,
}

/// A machine.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Vm {
    #[serde(deserialize_with = "nullable")]
    pub(crate) hardware_profile: Hardware,
    #[serde(deserialize_with = "nullable")]
    pub(crate) storage_profile: Storage,
    #[serde(deserialize_with = "nullable")]
    pub(crate) network_profile: Interfaces,
    pub(crate) priority: Option<String>,
    pub(crate) provisioning_state: Option<String>,
    pub(crate) time_created: Option<String>,
    pub(crate) instance_view: Option<InstanceView>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Hardware {
    #[serde(deserialize_with = "nullable")]
    pub(crate) vm_size: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Storage {
    #[serde(deserialize_with = "nullable")]
    pub(crate) os_disk: OwnDisk,
    #[serde(deserialize_with = "nullable")]
    pub(crate) data_disks: Vec<OwnDisk>,
}

/// A disk as its machine has it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct OwnDisk {
    #[serde(rename = "diskSizeGB")]
    pub(crate) disk_size_gb: Option<u64>,
    pub(crate) managed_disk: Option<Ref>,
    pub(crate) delete_option: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) lun: u32,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Interfaces {
    #[serde(deserialize_with = "nullable")]
    pub(crate) network_interfaces: Vec<Ref>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InstanceView {
    #[serde(deserialize_with = "nullable")]
    pub(crate) statuses: Vec<Status>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    #[serde(deserialize_with = "nullable")]
    pub(crate) code: String,
}

/// A managed disk.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Disk {
    #[serde(rename = "diskSizeGB")]
    pub(crate) disk_size_gb: Option<u64>,
    pub(crate) os_type: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) creation_data: CreationData,
    pub(crate) provisioning_state: Option<String>,
    pub(crate) time_created: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct CreationData {
    #[serde(deserialize_with = "nullable")]
    pub(crate) create_option: String,
}

/// A public key.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Key {
    pub(crate) public_key: Option<String>,
}

/// A storage account.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Account {
    pub(crate) provisioning_state: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) primary_endpoints: Endpoints,
    pub(crate) creation_time: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Endpoints {
    pub(crate) blob: Option<String>,
}

/// The settings of a storage account's blobs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct BlobService {
    #[serde(deserialize_with = "nullable")]
    pub(crate) is_versioning_enabled: bool,
}
