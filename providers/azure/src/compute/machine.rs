//! Machines as they are.

use std::collections::BTreeMap;

use reqwest::Method;
use strat_model::{
    Attributes, CapacityKind, ImageRef, MachineSpec, Resource, ResourceId, ResourceState, Result,
    Spec,
};

use super::disks;
use super::nic::machine_of;
use crate::arm::Call;
use crate::names::{InNetwork, Place, VM, zone_of};
use crate::network::group_name;
use crate::observe::some_at_once;
use crate::provider::{AzureProvider, Seen, moment};
use crate::tags::{self, KEYPAIR, MADE};
use crate::wire::{InstanceView, IpConfiguration, Nic, Pip, Thing, Vm};

pub(crate) const READ: &str = "Microsoft.Compute/virtualMachines/read";

/// What is told as a firewall of a machine that nothing protects.
const UNPROTECTED: &str = "no-security-group";

/// Interfaces and addresses, to look machines' ones up in.
#[derive(Debug, Default)]
struct Ways {
    nics: BTreeMap<ResourceId, Thing<Nic>>,
    ips: BTreeMap<Place, String>,
}

impl Ways {
    fn of(nics: Vec<Thing<Nic>>, pips: &[Thing<Pip>]) -> Self {
        let ips = pips
            .iter()
            .filter_map(|pip| Some((Place::of_path(&pip.id)?, pip.properties.ip_address.clone()?)));
        Self {
            ips: ips.collect(),
            nics: nics
                .into_iter()
                .filter_map(|nic| Some((machine_of(&nic)?, nic)))
                .collect(),
        }
    }
}

/// Whether a machine is on, as far as anybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    Running,
    /// Off, on a host that is kept for it.
    Stopped,
    /// Off, and given back.
    Deallocated,
    /// On its way from one to another.
    Changing,
}

/// What the view of a machine says of its power; `None` where it never had any.
pub(crate) fn power(view: Option<&InstanceView>) -> Option<Power> {
    let mut codes = view?.statuses.iter().map(|status| status.code.as_str());
    Some(
        match codes.find_map(|code| code.strip_prefix("PowerState/"))? {
            "running" => Power::Running,
            "stopped" => Power::Stopped,
            "deallocated" => Power::Deallocated,
            _ => Power::Changing,
        },
    )
}

/// The state of a machine. A change that failed leaves a machine that runs: it is the power that counts.
pub(crate) fn state(vm: &Vm) -> ResourceState {
    let power = power(vm.instance_view.as_ref());
    match (vm.provisioning_state.as_deref().unwrap_or_default(), power) {
        ("Deleting", _) => ResourceState::Deleting,
        ("Creating", _) => ResourceState::Pending,
        (_, Some(Power::Running)) => ResourceState::Ready,
        (_, Some(Power::Stopped | Power::Deallocated)) => ResourceState::Stopped,
        ("Failed" | "Canceled", None) => ResourceState::Failed,
        (_, Some(Power::Changing) | None) => ResourceState::Pending,
    }
}

impl AzureProvider {
    /// A machine, with what it does.
    pub(crate) async fn read_vm(&self, at: &Place) -> Result<Option<Thing<Vm>>> {
        let call = Call::new(READ, Method::GET, self.path(VM, at), VM.version);
        self.find_one(&call.with("$expand", "instanceView")).await
    }

    pub(crate) async fn get_machine(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let Some(at) = Place::of_id(id) else {
            return Ok(None);
        };
        match self.read_vm(&at).await? {
            Some(vm) => self.see_machine(&vm).await,
            None => Ok(None),
        }
    }

    /// The report of one machine, its interface and address read by themselves.
    pub(crate) async fn see_machine(&self, vm: &Thing<Vm>) -> Result<Option<Seen>> {
        let nics = &vm.properties.network_profile.network_interfaces;
        let mut ways = Ways::default();
        let first = nics.first().and_then(|nic| Place::of_path(&nic.id));
        if let (Some(at), Some(own)) = (first, Place::of_path(&vm.id))
            && let Some(nic) = self.read_nic(&at).await?
        {
            if let Some(pip) = main(&nic).and_then(public_ip)
                && let Some(ip) = self.ip_of(&pip).await?
            {
                ways.ips.insert(pip, ip);
            }
            ways.nics.insert(own.id(), nic);
        }
        self.report_machine(vm, &ways).await
    }

    /// Several, each read by itself, and their interfaces and addresses by one list each.
    pub(crate) async fn get_machines(&self, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        let places: Vec<Place> = ids.iter().filter_map(Place::of_id).collect();
        let reads = places.iter().map(|at| self.read_vm(at)).collect();
        let vms: Result<Vec<Option<Thing<Vm>>>> = some_at_once(reads).await.into_iter().collect();
        let vms = vms?;
        let ways = Ways::of(self.list_nics().await?, &self.list_pips().await?);
        let mut found = Vec::with_capacity(vms.len());
        for vm in vms.iter().flatten() {
            found.extend(
                self.report_machine(vm, &ways)
                    .await?
                    .map(|seen| seen.resource),
            );
        }
        Ok(found)
    }

    /// Four lists: the machines, what they do, their interfaces and their addresses.
    pub(crate) async fn scan_machines(&self) -> Result<Vec<Seen>> {
        let list = || Call::new(READ, Method::GET, self.all_of(VM), VM.version);
        let mut vms: Vec<Thing<Vm>> = self.list_of(&list()).await?;
        vms.retain(|vm| self.is_here(&vm.location));
        if vms.is_empty() {
            return Ok(Vec::new());
        }
        let status = list().with("statusOnly", "true");
        let views: Vec<Thing<Vm>> = self.list_of(&status).await?;
        let mut views: BTreeMap<Place, Option<InstanceView>> = views
            .into_iter()
            .filter_map(|view| Some((Place::of_path(&view.id)?, view.properties.instance_view)))
            .collect();
        let ways = Ways::of(self.list_nics().await?, &self.list_pips().await?);
        let mut found = Vec::with_capacity(vms.len());
        for mut vm in vms {
            if let Some(at) = Place::of_path(&vm.id) {
                vm.properties.instance_view = views.remove(&at).flatten();
            }
            found.extend(self.report_machine(&vm, &ways).await?);
        }
        Ok(found)
    }

    async fn report_machine(&self, vm: &Thing<Vm>, ways: &Ways) -> Result<Option<Seen>> {
        let Some(at) = Place::of_path(&vm.id) else {
            return Ok(None);
        };
        let machine_type = vm.properties.hardware_profile.vm_size.clone();
        let size = self.size_of(&machine_type).await?;
        let (id, mark) = (at.id(), tags::mark(&vm.tags));
        let nic = ways.nics.get(&id);
        let own = nic.and_then(main);
        let subnet = own.and_then(|own| InNetwork::of_path(&own.subnet.as_ref()?.id));
        let spot = vm
            .properties
            .priority
            .as_deref()
            .is_some_and(|one| one != "Regular");
        let spec = MachineSpec {
            machine_type,
            cpu: size.cpu,
            memory: size.memory,
            capacity: match spot {
                true => CapacityKind::Spot,
                false => CapacityKind::OnDemand,
            },
            zone: zone_of(&self.settings.region, &vm.zones)?,
            image: ImageRef::Named {
                name: String::new(),
                id: ResourceId::from(""),
            },
            firewalls: firewalls(nic, subnet.as_ref()).into_iter().collect(),
            subnet: subnet.map_or_else(|| ResourceId::from(""), |subnet| subnet.id()),
            keypair: tags::get(&vm.tags, KEYPAIR).map(ResourceId::from),
            user_data: None,
            disks: disks::read(&vm.properties, &vm.tags),
            public_ip: None,
            labels: tags::labels(&vm.tags),
        };
        Ok(Some(Seen {
            made: tags::get(&vm.tags, MADE),
            resource: Resource {
                witness: tags::witness(&vm.tags, mark.as_ref(), &id, &self.self_of(&id)),
                name: vm.name.clone(),
                state: state(&vm.properties),
                mark,
                id,
                spec: Spec::Machine(spec),
                attributes: attributes(own, ways),
                created: moment(vm.properties.time_created.as_deref()),
            },
        }))
    }
}

/// The first address of an interface.
fn main(nic: &Thing<Nic>) -> Option<&IpConfiguration> {
    nic.properties
        .ip_configurations
        .first()
        .map(|one| &one.properties)
}

fn public_ip(own: &IpConfiguration) -> Option<Place> {
    Place::of_path(&own.public_ip.as_ref()?.id)
}

/// The firewalls that a machine really has: those of its interface, as long as that names the security
/// group that has their rules. Another group, or none, is told as a firewall that nobody asked for.
fn firewalls(nic: Option<&Thing<Nic>>, subnet: Option<&InNetwork>) -> Vec<ResourceId> {
    let Some(nic) = nic else {
        return Vec::new();
    };
    let group = nic.properties.network_security_group.as_ref();
    let group = group.and_then(|group| Place::of_path(&group.id));
    let ours =
        subnet.map(|subnet| Place::new(&subnet.network.group, &group_name(&subnet.network.name)));
    match group {
        None => vec![ResourceId::from(UNPROTECTED)],
        group if group == ours => {
            let own = main(nic).into_iter();
            let groups = own.flat_map(|own| &own.application_security_groups);
            groups
                .filter_map(|group| Some(Place::of_path(&group.id)?.id()))
                .collect()
        }
        Some(other) => vec![other.id()],
    }
}

fn attributes(own: Option<&IpConfiguration>, ways: &Ways) -> Attributes {
    let private = own.and_then(|own| own.private_ip.clone());
    let public = own
        .and_then(public_ip)
        .and_then(|at| ways.ips.get(&at).cloned());
    let pairs = [("private_ip", private), ("public_ip", public)];
    let pairs = pairs
        .into_iter()
        .filter_map(|(key, ip)| Some((key.to_owned(), ip?)));
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_counts_and_what_failed_at_birth_has_none() {
        let of = |provisioning: &str, codes: &[&str]| {
            let statuses: Vec<_> = codes
                .iter()
                .map(|code| serde_json::json!({ "code": code }))
                .collect();
            let vm = serde_json::json!({
                "provisioningState": provisioning,
                "instanceView": { "statuses": statuses },
            });
            state(&serde_json::from_value(vm).expect("a machine"))
        };
        let failed = "ProvisioningState/failed/AllocationFailed";
        assert_eq!(of("Failed", &[failed]), ResourceState::Failed);
        assert_eq!(
            of("Failed", &[failed, "PowerState/running"]),
            ResourceState::Ready
        );
        assert_eq!(
            of("Succeeded", &["PowerState/deallocated"]),
            ResourceState::Stopped
        );
        assert_eq!(
            of("Creating", &["PowerState/running"]),
            ResourceState::Pending
        );
        assert_eq!(
            of("Deleting", &["PowerState/running"]),
            ResourceState::Deleting
        );
        assert_eq!(
            of("Updating", &["PowerState/stopping"]),
            ResourceState::Pending
        );
    }
}
