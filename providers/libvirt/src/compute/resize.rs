//! Machines that become another size.

use std::collections::BTreeMap;

use strat_model::{DiskSpec, ErrorKind, FlexSize, MachineSpec, ResourceId, Result, only_grow};

use crate::error::{Explain as _, fail, missing};
use crate::host::{Guest, Host, MachineBody};
use crate::rpc::sys;
use crate::site::{Need, Site};
use crate::thing::Thing;

impl Site {
    /// Gives a machine that is off other processors and memory. They are set before the document says
    /// so: what is left of it after a crash is seen as a difference.
    pub(super) fn resize(
        &self,
        host: &Host,
        guest: &Guest,
        thing: &mut Thing<MachineBody>,
        to: &MachineSpec<ResourceId>,
    ) -> Result<()> {
        let wanted = (to.cpu, to.memory);
        let gpus = to
            .machine_type
            .parse()
            .ok()
            .and_then(|size: FlexSize| size.gpus);
        let has_gpus = host.gpus_among(&guest.passed.0);
        let is_same =
            (guest.cpu, guest.memory) == wanted && guest.next == wanted && has_gpus == gpus;
        if is_same && thing.body.machine_type == to.machine_type {
            return Ok(());
        }
        if guest.running {
            let message = format!("the machine {} must be off for this", guest.name);
            return Err(fail(ErrorKind::Conflict, message));
        }
        let keeps = gpus.as_ref().is_none_or(|(count, model)| {
            let has = has_gpus.as_ref();
            has.is_some_and(|(has, of)| of == model && has >= count)
        });
        if !keeps {
            let message = format!(
                "the machine {} gets no GPUs but when it is made",
                guest.name
            );
            return Err(fail(ErrorKind::Unsupported, message));
        }
        self.has_room(host, guest, to)?;
        let doing = || format!("making the machine {} another size", guest.name);
        let Some(domain) = host.domain(&guest.uuid)? else {
            return Err(missing(format!("machine {}", guest.name)));
        };
        // Each maximum first: what is above it comes down with it.
        let config = sys::VIR_DOMAIN_AFFECT_CONFIG;
        for flags in [config | sys::VIR_DOMAIN_MEM_MAXIMUM, config] {
            domain
                .set_memory(to.memory.0 >> 10, flags)
                .on(host, doing)?;
        }
        for flags in [config | sys::VIR_DOMAIN_VCPU_MAXIMUM, config] {
            domain.set_vcpus(to.cpu, flags).on(host, doing)?;
        }
        let keep = gpus.map_or(0, |(count, _)| count);
        for device in host.beyond(&guest.passed.0, keep) {
            let xml = device.xml().to_string();
            domain.detach_device_flags(&xml, config).on(host, doing)?;
        }
        thing.body.machine_type.clone_from(&to.machine_type);
        Ok(())
    }

    /// Fails unless a machine's host has room for it once it is of this size.
    fn has_room(&self, host: &Host, guest: &Guest, to: &MachineSpec<ResourceId>) -> Result<()> {
        if host.traits()?.offers("test") {
            return Ok(());
        }
        let guests = host.guests()?;
        let others: Vec<&Guest> = guests.iter().filter(|one| one.uuid != guest.uuid).collect();
        let room = self.room(0, host, &others)?;
        let need = Need {
            cpu: to.cpu.into(),
            memory: to.memory.0,
            pools: BTreeMap::new(),
            gpus: None,
        };
        if room.fits(&need) {
            return Ok(());
        }
        let message = format!(
            "{} has no room for the machine {} with {} CPUs and {}: {} CPUs and {} bytes are free \
             beside it",
            host.name(),
            guest.name,
            to.cpu,
            to.memory,
            room.cpu,
            room.memory
        );
        Err(fail(ErrorKind::Capacity, message))
    }

    /// Makes a machine's own disks as large as they are to be, whether it runs or not.
    pub(super) fn grow_disks(
        &self,
        host: &Host,
        guest: &Guest,
        thing: &mut Thing<MachineBody>,
        to: &[DiskSpec],
    ) -> Result<()> {
        if !only_grow(&thing.body.disks, to) {
            let message = format!("the disks of {} can only grow", guest.name);
            return Err(fail(ErrorKind::Unsupported, message));
        }
        let parts = self.parts(&guest.name, &thing.body);
        for ((is, to), part) in thing.body.disks.iter().zip(to).zip(&parts) {
            if to.size > is.size {
                self.grow(host, &part.pool, &part.volume, to.size)?;
            }
        }
        let boots = thing.body.disks.first().zip(to.first());
        if let Some((_, to)) = boots.filter(|(is, to)| to.size > is.size) {
            thing.body.boot_size = Some(to.size);
        }
        thing.body.disks = to.to_vec();
        Ok(())
    }
}
