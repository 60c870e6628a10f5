//! Machines: reading, changing, starting, deleting them.

use std::collections::BTreeSet;

use strat_model::{
    Attributes, Bytes, CapacityKind, ErrorKind, Field, FlexSize, ImageRef, Kind, Labels,
    MachineSpec, MarkOrigin, Resource, ResourceId, ResourceState, Result, Spec, Witness,
};
use strat_provider::{Outcome, Shutdown};

use super::seen;
use crate::error::{Explain as _, fail, missing};
use crate::host::{Guest, Host, MachineBody};
use crate::network::{machine_filter, subnet_body};
use crate::provider::OwnedUpdate;
use crate::rpc::sys;
use crate::site::{Site, check_fields};
use crate::thing::{NAMESPACE, Phase, Thing};
use crate::xml::Element;

impl Site {
    pub(crate) fn get_machines(&self, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        let (mut machines, mut known) = (Vec::new(), seen::KnownByHost::new());
        for id in ids {
            if let Some((host, guest)) = self.guest(id)? {
                let mut machine = self.machine_of(host, &guest);
                self.tell_rest(host, &guest, &mut known, &mut machine)?;
                machines.push(machine);
            }
        }
        Ok(machines)
    }

    pub(crate) fn update_machine(
        &self,
        request: &OwnedUpdate<MachineSpec<ResourceId>>,
    ) -> Result<Resource> {
        let sizes = [Field::MachineType, Field::Disks];
        let others = request.fields.iter().copied();
        let others = others.filter(|field| !sizes.contains(field)).collect();
        check_fields(&self.live, Kind::Machine, &others)?;
        let _definitions = self.lock_definitions();
        let (host, guest) = self.need_guest(&request.id)?;
        let mut thing = match guest.thing.clone() {
            Some(thing) => thing,
            None => {
                let spec = Spec::Machine(request.spec.clone());
                request.adopted(&guest.name, &spec, self.now(), foreign_body(&guest))?
            }
        };
        if let Some(mark) = &request.mark {
            self.enroll(&mark.owner, host)?;
        }
        thing.set_mark(request.mark.as_ref());
        if request.fields.contains(&Field::Labels) {
            thing.labels.clone_from(&request.spec.labels);
        }
        if request.fields.contains(&Field::MachineType) {
            self.resize(host, &guest, &mut thing, &request.spec)?;
        }
        if request.fields.contains(&Field::Disks) {
            self.grow_disks(host, &guest, &mut thing, &request.spec.disks)?;
        }
        let mut changed = BTreeSet::new();
        if request.fields.contains(&Field::Firewalls) {
            let subnet = self.need_subnet(&thing.body.subnet)?;
            let network = subnet_body(&subnet)
                .map(|(network, _)| network.to_owned())
                .unwrap_or_default();
            self.check_firewalls(request.spec.firewalls.iter(), &network)?;
            let wanted: BTreeSet<_> = request
                .spec
                .firewalls
                .iter()
                .map(ToString::to_string)
                .collect();
            changed = thing
                .body
                .firewalls
                .symmetric_difference(&wanted)
                .cloned()
                .collect();
            thing.body.firewalls = wanted;
        }
        self.write_thing(host, &guest, &thing)?;
        self.note_machine(host, &guest.uuid, &thing)?;
        if request.fields.contains(&Field::Setup) {
            self.set_up(host, &guest)?;
        }
        if !changed.is_empty() {
            self.refresh_filters(&changed, &BTreeSet::from([guest.name.clone()]))?;
        }
        let (host, guest) = self.need_guest(&request.id)?;
        Ok(self.machine_of(host, &guest))
    }

    /// Writes a machine's document into its definition, and into the running machine's.
    pub(super) fn write_thing(
        &self,
        host: &Host,
        guest: &Guest,
        thing: &Thing<MachineBody>,
    ) -> Result<()> {
        let doing = || format!("writing the mark of the machine {}", guest.name);
        let Some(domain) = host.domain(&guest.uuid)? else {
            return Err(missing(format!("machine {}", guest.name)));
        };
        let mut flags = sys::VIR_DOMAIN_AFFECT_CONFIG;
        if domain.is_active().on(host, doing)? {
            flags |= sys::VIR_DOMAIN_AFFECT_LIVE;
        }
        // libvirt puts the namespace in itself.
        let element = Element::leaf("thing", thing.to_json()?).to_string();
        let kind = sys::VIR_DOMAIN_METADATA_ELEMENT;
        domain
            .set_metadata(kind, Some(&element), Some("strat"), Some(NAMESPACE), flags)
            .on(host, doing)
    }

    pub(super) fn start_machines(&self, ids: &[ResourceId]) -> Vec<Outcome> {
        let one = |id: &ResourceId| Outcome {
            id: id.clone(),
            result: self.start_machine(id),
        };
        ids.iter().map(one).collect()
    }

    fn start_machine(&self, id: &ResourceId) -> Result<()> {
        let (host, guest) = self.need_guest(id)?;
        if guest.running {
            return Ok(());
        }
        if guest
            .thing
            .as_ref()
            .is_some_and(|thing| thing.phase != Phase::Made)
        {
            let message = format!("the machine {id} was never finished, or is being deleted");
            return Err(fail(ErrorKind::Precondition, message));
        }
        for network in &guest.networks {
            host.start_network(network)?;
        }
        self.power_on(host, &guest)
    }

    /// Starts a machine, now and whenever its host starts.
    pub(super) fn power_on(&self, host: &Host, guest: &Guest) -> Result<()> {
        let doing = || format!("starting the machine {}", guest.name);
        let Some(domain) = host.domain(&guest.uuid)? else {
            return Err(missing(format!("machine {}", guest.name)));
        };
        if !host.traits()?.offers("test") {
            domain.set_autostart(true).on(host, doing)?;
        }
        if domain.is_active().on(host, doing)? {
            return Ok(());
        }
        match domain.create() {
            Err(error) if !domain.is_active().unwrap_or(false) => {
                Err(crate::error::explain(host, &doing(), &error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Vec<Outcome> {
        let one = |id: &ResourceId| Outcome {
            id: id.clone(),
            result: self.stop_machine(id, how),
        };
        ids.iter().map(one).collect()
    }

    /// Presses the power button of a machine (ACPI), or cuts its power. What is off stays off when
    /// its host starts.
    fn stop_machine(&self, id: &ResourceId, how: Shutdown) -> Result<()> {
        let (host, guest) = self.need_guest(id)?;
        let doing = || format!("shutting the machine {} down", guest.name);
        let Some(domain) = host.domain(&guest.uuid)? else {
            return Err(missing(format!("machine {}", guest.name)));
        };
        if !host.traits()?.offers("test") {
            domain.set_autostart(false).on(host, doing)?;
        }
        let asked = match how {
            _ if !domain.is_active().on(host, doing)? => return Ok(()),
            Shutdown::Ask => domain.shutdown(),
            Shutdown::Cut => domain.destroy(),
        };
        match asked {
            Err(error) if domain.is_active().unwrap_or(false) => {
                Err(crate::error::explain(host, &doing(), &error))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn delete_machines(&self, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        let max = self.capabilities.ids_per_call as usize;
        if ids.len() > max {
            let message = format!("a call takes at most {max} ids, not {}", ids.len());
            return Err(fail(ErrorKind::Invalid, message));
        }
        let mut firewalls = BTreeSet::new();
        let mut left = BTreeSet::new();
        let mut delete = |id: &ResourceId| {
            let Some((host, guest)) = self.guest(id)? else {
                return Ok(());
            };
            let mark = guest.thing.as_ref().and_then(Thing::mark);
            left.extend(mark.map(|mark| (host.name(), mark.owner)));
            let carried = guest.body().map(|body| body.firewalls.clone());
            firewalls.extend(carried.into_iter().flatten());
            self.delete_machine(host, guest)
        };
        let one = |id: &ResourceId| Outcome {
            id: id.clone(),
            result: delete(id),
        };
        let mut outcomes: Vec<Outcome> = ids.iter().map(one).collect();
        if !left.is_empty() {
            let _placement = self.lock_placement();
            for (name, owner) in left {
                if let Some(host) = self.host(name.as_str()) {
                    self.leave(&owner, host);
                }
            }
        }
        if firewalls.is_empty() {
            return Ok(outcomes);
        }
        let _definitions = self.lock_definitions();
        if let Err(error) = self.refresh_filters(&firewalls, &BTreeSet::new()) {
            // A machine is gone only when no rule speaks of it any more: repeating mends it.
            let done = outcomes.iter_mut().filter(|one| one.result.is_ok());
            done.for_each(|one| one.result = Err(error.clone()));
        }
        Ok(outcomes)
    }

    /// Deletes a machine with all that was made for it, and its definition last: until then its
    /// mark leads to what is left. Of a foreign machine only the definition goes.
    pub(super) fn delete_machine(&self, host: &Host, mut guest: Guest) -> Result<()> {
        let doing = || format!("deleting the machine {}", guest.name);
        let Some(domain) = host.domain(&guest.uuid)? else {
            return Ok(());
        };
        if let Some(mut thing) = guest.thing.take() {
            thing.phase = Phase::Leaving { since: self.now() };
            self.write_thing(host, &guest, &thing)?;
            guest.thing = Some(thing);
        }
        if domain.is_active().on(host, doing)?
            && let Err(error) = domain.destroy()
            && domain.is_active().unwrap_or(false)
        {
            return Err(crate::error::explain(host, &doing(), &error));
        }
        if let Some(thing) = &guest.thing {
            self.remove_parts(host, &guest.name, thing)?;
        }
        let flags = sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
            | sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
            | if host.traits()?.offers("test") {
                0
            } else {
                sys::VIR_DOMAIN_UNDEFINE_NVRAM
            };
        domain.undefine_flags(flags).found(host, doing)?;
        if guest.thing.is_some() {
            self.unnote(Kind::Machine, &guest.name);
        }
        Ok(())
    }

    /// Deletes a machine's own disks, its seed, its address and its filter.
    fn remove_parts(&self, host: &Host, name: &str, thing: &Thing<MachineBody>) -> Result<()> {
        if host.traits()?.offers("test") {
            return Ok(());
        }
        let body = &thing.body;
        // A machine that was adopted keeps its disks' files: others made them.
        if let Some(ip) = body.ip {
            for part in self.parts(name, body) {
                self.pool_named(host, &part.pool)?
                    .remove(host, &part.volume)?;
            }
            host.reserve_address(&body.subnet, &body.mac, ip, false)?;
        }
        host.remove_filter(&machine_filter(name))
    }

    pub(super) fn machine_of(&self, host: &Host, guest: &Guest) -> Resource {
        let foreign = foreign_body(guest);
        let body = guest.body().unwrap_or(&foreign);
        let thing = guest.thing.as_ref();
        let mut attributes = Attributes::from([("host".to_owned(), host.name().to_string())]);
        attributes.extend(body.ip.map(|ip| ("private_ip".to_owned(), ip.to_string())));
        let leaves = self.emptied(host).filter(|_| thing.is_some());
        attributes.extend(leaves.map(|why| (Resource::LEAVES.to_owned(), why)));
        let (cpu, memory) = seen::size(&body.machine_type, guest);
        let gpus = seen::gpus(&body.machine_type, host, guest);
        let mut machine = Resource {
            id: machine_id(host, guest),
            name: guest.name.clone(),
            witness: witness(host, guest),
            mark: thing.and_then(Thing::mark),
            state: self.state_of(guest),
            spec: Spec::Machine(MachineSpec {
                machine_type: machine_type(&body.machine_type, (cpu, memory), gpus),
                cpu,
                memory,
                capacity: CapacityKind::Owned,
                zone: host.zone().clone(),
                image: ImageRef::Named {
                    name: String::new(),
                    id: ResourceId::from(&body.image),
                },
                subnet: ResourceId::from(seen::subnet(body, guest)),
                firewalls: body.firewalls.iter().map(ResourceId::from).collect(),
                keypair: body.keypair.as_ref().map(ResourceId::from),
                user_data: None,
                disks: body.disks.clone(),
                public_ip: None,
                labels: thing.map_or_else(Labels::new, |thing| thing.labels.clone()),
            }),
            attributes,
            created: thing.map(|thing| thing.created),
        };
        seen::tell_run(host, guest, body, &mut machine);
        machine
    }

    fn state_of(&self, guest: &Guest) -> ResourceState {
        let phase = guest
            .thing
            .as_ref()
            .map_or(Phase::Made, |thing| thing.phase);
        let abandoned = guest
            .thing
            .as_ref()
            .is_some_and(|thing| thing.is_abandoned(self.now()));
        match phase {
            Phase::Making | Phase::Leaving { .. } if abandoned => ResourceState::Failed,
            Phase::Making => ResourceState::Pending,
            Phase::Leaving { .. } => ResourceState::Deleting,
            Phase::Made if guest.crashed => ResourceState::Failed,
            Phase::Made if guest.running => ResourceState::Ready,
            Phase::Made => ResourceState::Stopped,
        }
    }
}

/// The machine type of what runs: the one that it was given, unless somebody gave it other CPUs, other
/// memory or other GPUs since.
fn machine_type(given: &str, has: (u32, Bytes), gpus: Option<(u32, String)>) -> String {
    let (cpu, memory) = has;
    let has = FlexSize {
        cpu,
        mib: memory.0 >> 20,
        gpus,
    };
    match given.parse::<FlexSize>() {
        Ok(size) if size != has => has.to_string(),
        Ok(_) | Err(_) => given.to_owned(),
    }
}

/// A machine's id.
pub(crate) fn machine_id(host: &Host, guest: &Guest) -> ResourceId {
    ResourceId::from(format!("{}/{}", host.name(), guest.uuid))
}

/// Whether a guest is the one that its document was written for: its UUID is made of its name and the
/// token of the call that made it, and a clone, which has the same document, has another. A guest that
/// was adopted keeps the UUID that it had, and its mark names it.
fn witness(host: &Host, guest: &Guest) -> Witness {
    let Some(thing) = &guest.thing else {
        return Witness::Lacking;
    };
    let (mark, id) = (thing.mark(), machine_id(host, guest));
    if matches!(
        mark.as_ref().and_then(|m| m.origin.as_ref()),
        Some(MarkOrigin::Adopted(_))
    ) {
        return Witness::by_mark(mark.as_ref(), &id);
    }
    if guest.uuid == thing.machine_uuid() {
        return Witness::Held;
    }
    Witness::Refuted {
        why: "its UUID is not the one that the call that made it gave".to_owned(),
    }
}

/// What can be said of a machine that carries no document.
fn foreign_body(guest: &Guest) -> MachineBody {
    MachineBody {
        machine_type: format!("flex-{}-{}", guest.next.0, guest.next.1.0 >> 20),
        image: String::new(),
        subnet: guest.networks.first().cloned().unwrap_or_default(),
        firewalls: BTreeSet::new(),
        keypair: None,
        disks: Vec::new(),
        ip: None,
        mac: guest.macs.first().cloned().unwrap_or_default(),
        boot_size: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_somebody_resized_is_of_the_type_that_runs() {
        let check = |given, cpu, gib, expect| {
            assert_eq!(machine_type(given, (cpu, Bytes::gib(gib)), None), expect);
        };
        check("flex-2-4096", 2, 4, "flex-2-4096");
        check("flex-2-4096", 1, 4, "flex-1-4096");
        check("flex-2-4096", 2, 8, "flex-2-8192");
        check("flex-2-4096-1xL4", 2, 4, "flex-2-4096");
        let gpus = Some((1, "L4".to_owned()));
        let with = machine_type("flex-2-4096", (2, Bytes::gib(4)), gpus);
        assert_eq!(with, "flex-2-4096-1xL4");
    }
}
