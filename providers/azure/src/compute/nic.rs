//! Network interfaces: parts of machines, made and deleted with them.
//!
//! A `PUT` replaces an interface whole, and Azure has no way to change a part of one: what is written is
//! what was read, with what changes, so that no field of anybody is dropped; and it is written only while
//! it still is what was read (`If-Match`), so that what somebody writes in between is not dropped either.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use strat_model::{ErrorKind, Kind, ResourceId, Result};

use crate::arm::Call;
use crate::error::{gone, lacking};
use crate::names::{ASG, NIC, NSG, PIP, Place};
use crate::provider::AzureProvider;
use crate::wire::{Nic, Thing};

const READ: &str = "Microsoft.Network/networkInterfaces/read";
const WRITE: &str = "Microsoft.Network/networkInterfaces/write";

/// How often a change is begun anew because somebody else wrote in between.
const TURNS_MAX: u32 = 5;

/// What Azure tells of an interface and takes from nobody.
const TOLD: [&str; 14] = [
    "virtualMachine",
    "privateEndpoint",
    "tapConfigurations",
    "macAddress",
    "primary",
    "vnetEncryptionSupported",
    "defaultOutboundConnectivityEnabled",
    "hostedWorkloads",
    "dscpConfiguration",
    "resourceGuid",
    "provisioningState",
    "allowPort25Out",
    "linkedPublicIPAddress",
    "migrationPhase",
];

/// References that are written by their ids alone.
const REFERENCES: [&str; 3] = ["networkSecurityGroup", "subnet", "publicIPAddress"];

/// What an interface is to be for whoever writes it back: without what Azure alone says.
fn writable(mut nic: Value) -> Value {
    let drop = |value: &mut Value, words: &[&str]| {
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|key, _| !words.contains(&key.as_str()));
        }
    };
    drop(
        &mut nic,
        &["etag", "name", "type", "id", "kind", "systemData"],
    );
    drop(&mut nic["properties"], &TOLD);
    bare(&mut nic["properties"]);
    if let Some(dns) = nic["properties"].get_mut("dnsSettings") {
        drop(
            dns,
            &[
                "appliedDnsServers",
                "internalFqdn",
                "internalDomainNameSuffix",
            ],
        );
    }
    let configurations = nic["properties"]["ipConfigurations"].as_array_mut();
    for one in configurations.into_iter().flatten() {
        drop(one, &["etag", "type", "id"]);
        drop(
            &mut one["properties"],
            &["provisioningState", "privateLinkConnectionProperties"],
        );
        bare(&mut one["properties"]);
        let groups = one["properties"].get_mut("applicationSecurityGroups");
        for group in groups.and_then(Value::as_array_mut).into_iter().flatten() {
            *group = json!({ "id": group["id"] });
        }
    }
    nic
}

/// Leaves of references nothing but where they lead.
fn bare(properties: &mut Value) {
    for word in REFERENCES {
        if let Some(reference) = properties.get_mut(word).filter(|one| !one.is_null()) {
            *reference = json!({ "id": reference["id"] });
        }
    }
}

impl AzureProvider {
    async fn read_nic_whole(&self, at: &Place) -> Result<Option<Value>> {
        let call = Call::new(READ, Method::GET, self.path(NIC, at), NIC.version);
        self.find_one(&call).await
    }

    /// Changes the first address of an interface, and what is of the interface itself. Whoever else
    /// writes in between has the turn, and what they wrote is read and changed.
    ///
    /// Microsoft.Network takes `If-Match` of what has an `etag`, though its reference names it for few
    /// types: Microsoft's own controller of clusters writes interfaces so
    /// (<https://github.com/kubernetes-sigs/cloud-provider-azure/pull/483>), and the refusal was seen as in
    /// <https://github.com/kubernetes-sigs/cloud-provider-azure/issues/9729>.
    async fn change_nic(&self, at: &Place, change: impl Fn(&mut Value)) -> Result<()> {
        let _turn = self.turns.at(&at.id().to_string()).await;
        for turn in 1.. {
            let whole = self.read_nic_whole(at).await?;
            let whole = whole.ok_or_else(|| lacking(READ, "network interface of the machine"))?;
            let etag = whole["etag"].as_str().map(str::to_owned);
            let before = writable(whole);
            let mut after = before.clone();
            change(&mut after["properties"]);
            if after == before {
                break;
            }
            let put = Call::new(WRITE, Method::PUT, self.path(NIC, at), NIC.version);
            let put = put.if_still(etag.as_deref()).carrying(after);
            match self.done(&put).await {
                Err(error) if error.kind() != ErrorKind::Precondition => return Err(error),
                Err(_) if turn < TURNS_MAX => {}
                Err(error) => {
                    let help =
                        "somebody else keeps changing this interface: see who, and apply again";
                    return Err(error.with_kind(ErrorKind::Conflict).with_help(help));
                }
                Ok(()) => break,
            }
        }
        Ok(())
    }

    /// The public address of an interface, and no other.
    pub(crate) async fn set_public_ip(&self, nic: &Place, pip: Option<&Place>) -> Result<()> {
        let path = pip.map(|pip| self.path(PIP, pip));
        self.change_nic(nic, |properties| {
            let own = &mut properties["ipConfigurations"][0]["properties"];
            let is = own["publicIPAddress"]["id"].as_str().unwrap_or_default();
            match &path {
                Some(path) if is.eq_ignore_ascii_case(path) => {}
                Some(path) => own["publicIPAddress"] = json!({ "id": path }),
                None => {
                    if let Some(fields) = own.as_object_mut() {
                        fields.remove("publicIPAddress");
                    }
                }
            }
        })
        .await
    }

    /// The firewalls of an interface, and the security group that has their rules.
    pub(crate) async fn set_firewalls<'f>(
        &self,
        nic: &Place,
        rules: &Place,
        firewalls: impl Iterator<Item = &'f ResourceId>,
    ) -> Result<()> {
        let groups: Vec<Value> = firewalls
            .filter_map(Place::of_id)
            .map(|at| json!({ "id": self.path(ASG, &at) }))
            .collect();
        let rules = self.path(NSG, rules);
        self.change_nic(nic, |properties| {
            properties["networkSecurityGroup"] = json!({ "id": rules });
            let all = properties["ipConfigurations"].as_array_mut();
            for one in all.into_iter().flatten() {
                one["properties"]["applicationSecurityGroups"] = json!(groups);
            }
        })
        .await
    }

    pub(crate) async fn read_nic(&self, at: &Place) -> Result<Option<Thing<Nic>>> {
        let call = Call::new(READ, Method::GET, self.path(NIC, at), NIC.version);
        self.find_one(&call).await
    }

    pub(crate) async fn list_nics(&self) -> Result<Vec<Thing<Nic>>> {
        let call = Call::new(READ, Method::GET, self.all_of(NIC), NIC.version);
        let mut all: Vec<Thing<Nic>> = self.list_of(&call).await?;
        all.retain(|one| self.is_here(&one.location));
        Ok(all)
    }

    /// The first interface of a machine.
    pub(crate) async fn nic_of_machine(&self, machine: &ResourceId) -> Result<Place> {
        let missing = || gone(Kind::Machine, machine);
        let at = Place::of_id(machine).ok_or_else(missing)?;
        let vm = self.read_vm(&at).await?.ok_or_else(missing)?;
        let nics = &vm.properties.network_profile.network_interfaces;
        let first = nics.first().and_then(|nic| Place::of_path(&nic.id));
        first.ok_or_else(|| lacking("Microsoft.Compute/virtualMachines/read", "interface"))
    }

    /// The machine that an interface is of.
    pub(crate) async fn machine_of_nic(&self, nic: &Place) -> Result<Option<ResourceId>> {
        let nic = self.read_nic(nic).await?;
        Ok(nic.as_ref().and_then(machine_of))
    }

    /// The machines by their interfaces.
    pub(crate) async fn machines_by_nic(&self) -> Result<BTreeMap<Place, ResourceId>> {
        let all = self.list_nics().await?;
        let pairs = all
            .iter()
            .filter_map(|nic| Some((Place::of_path(&nic.id)?, machine_of(nic)?)));
        Ok(pairs.collect())
    }

    /// A machine that carries a firewall, if one does.
    pub(crate) async fn carrier_of(&self, firewall: &ResourceId) -> Result<Option<ResourceId>> {
        let all = self.list_nics().await?;
        let carries = |nic: &&Thing<Nic>| {
            let own = nic.properties.ip_configurations.iter();
            let mut groups = own.flat_map(|one| &one.properties.application_security_groups);
            groups.any(|group| Place::of_path(&group.id).is_some_and(|at| at.id() == *firewall))
        };
        let found = all.iter().find(carries);
        let of = |nic| machine_of(nic).unwrap_or_else(|| ResourceId::from(nic.name.as_str()));
        Ok(found.map(of))
    }
}

/// The machine that an interface is of.
pub(crate) fn machine_of(nic: &Thing<Nic>) -> Option<ResourceId> {
    let path = &nic.properties.virtual_machine.as_ref()?.id;
    Some(Place::of_path(path)?.id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_back_has_all_that_was_read_but_what_azure_alone_says() {
        let read = json!({
            "id": "/subscriptions/s", "name": "n", "type": "t", "etag": "e",
            "location": "westeurope", "tags": { "team": "ops" },
            "properties": {
                "provisioningState": "Succeeded", "macAddress": "00", "resourceGuid": "g",
                "enableIPForwarding": true, "virtualMachine": { "id": "vm" },
                "networkSecurityGroup": { "id": "nsg", "properties": { "x": 1 } },
                "ipConfigurations": [{
                    "name": "main", "id": "i", "etag": "e",
                    "properties": {
                        "provisioningState": "Succeeded", "primary": true,
                        "privateIPAddress": "10.0.0.4", "subnet": { "id": "sub" },
                    },
                }],
            },
        });
        let wanted = json!({
            "location": "westeurope", "tags": { "team": "ops" },
            "properties": {
                "enableIPForwarding": true, "networkSecurityGroup": { "id": "nsg" },
                "ipConfigurations": [{
                    "name": "main",
                    "properties": {
                        "primary": true, "privateIPAddress": "10.0.0.4", "subnet": { "id": "sub" },
                    },
                }],
            },
        });
        assert_eq!(writable(read), wanted);
    }
}
