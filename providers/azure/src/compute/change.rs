//! Changing machines: size, own disks, firewalls, labels.

use reqwest::Method;
use serde_json::json;
use strat_model::{ErrorKind, Field, Kind, MachineSpec, Resource, ResourceId, Result};
use strat_provider::Update;

use super::disks;
use super::launch::WRITE;
use super::machine::{Power, power};
use crate::arm::Call;
use crate::error::{gone, refuse};
use crate::names::{DISK, InNetwork, Place, VM};
use crate::provider::AzureProvider;
use crate::tags::{self, DISKS};
use crate::wire::{Thing, Vm};

const DEALLOCATE: &str = "Microsoft.Compute/virtualMachines/deallocate/action";
const WRITE_DISK: &str = "Microsoft.Compute/disks/write";

impl AzureProvider {
    pub(crate) async fn change_machine(
        &self,
        request: Update<'_, MachineSpec<ResourceId>>,
    ) -> Result<Resource> {
        let missing = || gone(Kind::Machine, request.id);
        let at = Place::of_id(request.id).ok_or_else(missing)?;
        let _turn = self.turns.at(&at.id().to_string()).await;
        let vm = self.read_vm(&at).await?.ok_or_else(missing)?;
        let (spec, fields) = (request.spec, request.fields);
        // What can be refused is refused before anything is written.
        let grown = match fields.contains(&Field::Disks) {
            true => disks::growth(&vm, &spec.disks)?,
            false => Vec::new(),
        };
        let resized = fields.contains(&Field::MachineType)
            && vm.properties.hardware_profile.vm_size != spec.machine_type;
        if resized || fields.contains(&Field::Disks) {
            self.give_back(&at, &vm).await?;
        }
        if resized {
            let body =
                json!({ "properties": { "hardwareProfile": { "vmSize": spec.machine_type } } });
            let patch = Call::new(WRITE, Method::PATCH, self.path(VM, &at), VM.version);
            self.done(&patch.carrying(body)).await?;
        }
        for (disk, gib) in grown {
            if let Some(disk) = Place::of_path(&disk) {
                self.resize_disk(&disk, gib).await?;
            }
        }
        if fields.contains(&Field::Firewalls) {
            let nic = self.nic_of_machine(request.id).await?;
            let subnet = InNetwork::of_id(&spec.subnet);
            let subnet = subnet.ok_or_else(|| gone(Kind::Subnet, &spec.subnet))?;
            let rules = self.ensure_rules(&subnet.network).await?;
            self.set_firewalls(&nic, &rules, spec.firewalls.iter())
                .await?;
        }
        let labels = fields.contains(&Field::Labels).then_some(&spec.labels);
        let mut after = tags::changed(&vm.tags, request.mark, labels)?;
        if fields.contains(&Field::Disks) {
            tags::set(&mut after, DISKS, &disks::note(&spec.disks));
        }
        self.write_tags(&self.path(VM, &at), &vm.tags, &after)
            .await?;
        let seen = self.get_machine(request.id).await?;
        seen.map(|seen| seen.resource).ok_or_else(missing)
    }

    /// Gives the host of a machine back that is off: another size may be on another one, and an own disk
    /// grows only then.
    ///
    /// <https://learn.microsoft.com/azure/virtual-machines/sizes/resize-vm>,
    /// <https://learn.microsoft.com/azure/virtual-machines/linux/expand-disks>
    async fn give_back(&self, at: &Place, vm: &Thing<Vm>) -> Result<()> {
        match power(vm.properties.instance_view.as_ref()) {
            Some(Power::Deallocated) => Ok(()),
            Some(Power::Stopped) => {
                let path = format!("{}/deallocate", self.path(VM, at));
                self.done(&Call::new(DEALLOCATE, Method::POST, path, VM.version))
                    .await
            }
            Some(Power::Running | Power::Changing) | None => {
                let message = format!("{} runs, and this changes only while it is off", vm.name);
                Err(refuse(ErrorKind::Conflict, message))
            }
        }
    }

    /// Makes a disk larger.
    pub(crate) async fn resize_disk(&self, at: &Place, gib: u64) -> Result<()> {
        let body = json!({ "properties": { "diskSizeGB": gib } });
        let patch = Call::new(WRITE_DISK, Method::PATCH, self.path(DISK, at), DISK.version);
        self.done(&patch.carrying(body)).await
    }
}
