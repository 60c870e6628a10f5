//! Rules of machines: what may be had, and how many of a batch.

use std::net::Ipv4Addr;

use strat_model::{
    Attributes, Bytes, CapacityKind, Error, FlexSize, ImageRef, Kind, MachineSpec, Name, Pool,
    Resource, ResourceId, ResourceState, Result, Scope, Sizing, Spec, SubnetScope, SubnetSpec,
};
use strat_provider::{Outcome, Shutdown};

use super::create::digest_of;
use super::{Cloud, Request};
use crate::error::Trouble;
use crate::world::{Shortfall, Tx, after};

impl Cloud {
    /// Makes as many of a batch of machines as there is room for.
    pub(crate) fn create_machines(
        &self,
        tx: &mut Tx<'_>,
        asked: &MachineSpec<ResourceId>,
        names: &[String],
        request: Request<'_>,
    ) -> Result<(Vec<Resource>, Option<Error>)> {
        self.check_batch(names, request, asked)?;
        let whole = Spec::Machine(asked.clone());
        let all_names: Vec<_> = names.iter().map(String::as_str).collect();
        let digest = digest_of(&whole, &all_names);
        if let Some(record) = self.replay(tx, Kind::Machine, &digest, request.token)? {
            let things = record
                .ids
                .iter()
                .filter_map(|id| tx.region().remembered(Kind::Machine, id));
            let created = things.map(|thing| self.report(tx, thing)).collect();
            return Ok((created, record.shortfall.map(Shortfall::into_error)));
        }
        self.check_limits(tx, &whole)?;
        let subnet = self.check_machine(tx, asked)?;
        let (mut created, mut shortfall) = (Vec::with_capacity(names.len()), None);
        for name in names {
            match self.create_machine(tx, &whole, &subnet, name, request) {
                Ok(machine) => created.push(machine),
                Err(error) => {
                    shortfall = Some(error);
                    break;
                }
            }
        }
        if let (true, Some(error)) = (created.is_empty(), &shortfall) {
            return Err(Shortfall::of(error).into_error());
        }
        if names.len() > 1 {
            let ids = created.iter().map(|machine| machine.id.clone()).collect();
            let reason = shortfall.as_ref().map(Shortfall::of);
            self.remember(tx, Kind::Machine, &digest, request.token, ids, reason);
        }
        Ok((created, shortfall))
    }

    fn check_batch(
        &self,
        names: &[String],
        request: Request<'_>,
        asked: &MachineSpec<ResourceId>,
    ) -> Result<()> {
        let max = self.capabilities.create_batch as usize;
        if names.is_empty() || names.len() > max {
            let message = format!("a call makes 1 to {max} machines, not {}", names.len());
            return Err(self.fail(Trouble::BadParameter, message));
        }
        for name in names {
            self.check_name(Kind::Machine, name)?;
        }
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        if distinct.len() < names.len() {
            return Err(self.fail(Trouble::BadParameter, "two machines have one name"));
        }
        self.check_tags(request.mark, &asked.labels)
    }

    fn create_machine(
        &self,
        tx: &mut Tx<'_>,
        whole: &Spec<ResourceId>,
        subnet: &SubnetSpec<ResourceId>,
        name: &str,
        request: Request<'_>,
    ) -> Result<Resource> {
        // Names of a batch are repeated one by one, so each has a digest of its own.
        let digest = digest_of(whole, &[name]);
        if let Some(thing) = self.same_name(tx, whole, name, &digest, request)? {
            return Ok(self.report(tx, &thing));
        }
        let Spec::Machine(asked) = whole else {
            return Err(self.fail(Trouble::BadParameter, "this is no machine"));
        };
        self.check_room(tx, asked)?;
        let ip = self.lease(tx, &asked.subnet, subnet)?;
        let mut attributes = Attributes::from([("private_ip".to_owned(), ip.to_string())]);
        let public = tx.public_ip(tx.region().record.next_serial);
        let has_one = asked.public_ip.unwrap_or(self.capabilities.public_ips);
        let public = public.filter(|_| has_one);
        attributes.extend(public.map(|ip| ("public_ip".to_owned(), ip)));
        let spec = MachineSpec {
            user_data: None,
            ..asked.clone()
        };
        let birth = self.birth(tx, Kind::Machine, name, &digest, request);
        let thing = tx.make(Spec::Machine(spec), attributes, birth);
        Ok(self.report(tx, &thing))
    }

    /// Checks everything about a machine but whether there is room, and gives its subnet.
    fn check_machine(
        &self,
        tx: &Tx<'_>,
        asked: &MachineSpec<ResourceId>,
    ) -> Result<SubnetSpec<ResourceId>> {
        self.check_zone(tx, &asked.zone)?;
        self.check_size(asked)?;
        self.check_boot(tx, asked)?;
        let subnet = self.need(tx, Kind::Subnet, &asked.subnet)?;
        let Spec::Subnet(subnet) = &subnet.spec else {
            return Err(self.fail(Trouble::Missing, "this is no subnet"));
        };
        let zonal = self.capabilities.subnets == SubnetScope::Zonal;
        if zonal && subnet.zone.as_ref() != Some(&asked.zone) {
            let message = format!("the subnet {} is in another zone", asked.subnet);
            return Err(self.fail(Trouble::BadParameter, message));
        }
        for firewall in &asked.firewalls {
            self.check_firewall_of(tx, firewall, &subnet.network)?;
        }
        Ok(subnet.clone())
    }

    pub(super) fn check_size(&self, asked: &MachineSpec<ResourceId>) -> Result<()> {
        let refuse = |message| {
            Err(self
                .fail(Trouble::BadType, message)
                .with_scope(Scope::Offer))
        };
        let (kind, how) = (&asked.machine_type, asked.capacity);
        let Some((cpu, memory)) = self.size_of(&asked.zone, kind, how) else {
            let zone = &asked.zone;
            return refuse(format!(
                "no `{kind}` is to be had as {} in {zone}",
                how.as_str()
            ));
        };
        if let Sizing::Flexible {
            max_cpu,
            max_memory,
        } = self.capabilities.sizing
        {
            if how != CapacityKind::Owned {
                return refuse(format!("a `{kind}` here is owned, not bought"));
            }
            if cpu > max_cpu || memory > max_memory {
                return refuse(format!("`{kind}` is larger than any machine here"));
            }
        }
        // A flexible size is in whole MiB; what was asked for need not be.
        let exact = matches!(self.capabilities.sizing, Sizing::Catalogue);
        let same = memory == asked.memory
            || (!exact && memory.0 >> 20 == asked.memory.0.div_ceil(1 << 20));
        if cpu != asked.cpu || !same {
            return refuse(format!("a `{kind}` has {cpu} CPUs and {memory}"));
        }
        Ok(())
    }

    fn check_boot(&self, tx: &Tx<'_>, asked: &MachineSpec<ResourceId>) -> Result<()> {
        match &asked.image {
            ImageRef::Managed(image) => {
                self.need(tx, Kind::Image, image)?;
            }
            ImageRef::Named { id, .. } => {
                let known = self.images.ids().any(|image| image == id)
                    || tx.region().get(Kind::Image, id).is_some();
                if !known {
                    let message = format!("there is no image {id} in {}", self.site.region);
                    return Err(self.fail(Trouble::BadImage, message));
                }
            }
        }
        if let Some(keypair) = &asked.keypair {
            self.need(tx, Kind::Keypair, keypair)?;
        }
        let Some(data) = &asked.user_data else {
            return Ok(());
        };
        if data.as_text().is_none() {
            return Err(self.fail(
                Trouble::BadParameter,
                "the user data has places not filled in",
            ));
        }
        Ok(())
    }

    /// Fails if one machine more is more than there is, or more than is allowed.
    fn check_room(&self, tx: &Tx<'_>, asked: &MachineSpec<ResourceId>) -> Result<()> {
        let region = tx.region();
        let kind = &asked.machine_type;
        let refuse = |trouble, message, scope| Err(self.fail(trouble, message).with_scope(scope));
        if let Some(free) = self.free(tx) {
            let disks: u64 = asked.disks.iter().map(|disk| disk.size.0).sum();
            let fits = free.cpu >= u64::from(asked.cpu)
                && free.memory >= asked.memory
                && free.disk >= Bytes(disks)
                && has_gpus(&free, &asked.machine_type);
            if !fits {
                let message = format!(
                    "there is no room for a `{kind}`: {}",
                    lacking(&free, asked, Bytes(disks))
                );
                let scope = if free.cpu == 0 {
                    Scope::Region
                } else {
                    Scope::Offer
                };
                return refuse(Trouble::OutOfStock, message, scope);
            }
            return Ok(());
        }
        let family = self.family(kind);
        for (family, scope) in [(None, Scope::Region), (Some(family), Scope::Offer)] {
            let (limit, used) = (self.quota(tx, family), region.usage.cpu(family));
            if used + u64::from(asked.cpu) > limit {
                let what = family.unwrap_or("all machines");
                let message = format!("{used} of {limit} virtual CPUs of {what} are in use");
                return refuse(Trouble::OverQuota, message, scope);
            }
        }
        let left = region.stock(kind, &asked.zone, asked.capacity).or_else(|| {
            let limit = self.site.behaviour.stock.get(kind)?;
            let used = region.usage.machines(kind, &asked.zone, asked.capacity);
            Some(limit.saturating_sub(used))
        });
        if left == Some(0) {
            let message = format!("there is no `{kind}` left in {}", asked.zone);
            return refuse(Trouble::OutOfStock, message, Scope::Offer);
        }
        Ok(())
    }

    /// The most virtual CPUs of a family, or of all, that may run.
    pub(crate) fn quota(&self, tx: &Tx<'_>, family: Option<&str>) -> u64 {
        let quotas = &tx.region().record.trials.quotas;
        let set = quotas.get(family.unwrap_or("total")).copied();
        set.unwrap_or_else(|| self.site.behaviour.quota(family))
    }

    /// An address for a machine in the subnet of an id.
    pub(crate) fn lease_in(&self, tx: &mut Tx<'_>, id: &ResourceId) -> Result<Ipv4Addr> {
        let thing = self.existing(tx, Kind::Subnet, id)?;
        match &thing.spec {
            Spec::Subnet(subnet) => self.lease(tx, id, subnet),
            _ => Err(self.fail(Trouble::Missing, "this is no subnet")),
        }
    }

    /// The size that a machine type has in a zone.
    pub(crate) fn size_of(
        &self,
        zone: &Name,
        machine_type: &str,
        capacity: CapacityKind,
    ) -> Option<(u32, Bytes)> {
        match self.capabilities.sizing {
            Sizing::Flexible { .. } => {
                let size: FlexSize = machine_type.parse().ok()?;
                Some((size.cpu, size.memory()?))
            }
            Sizing::Catalogue => {
                let offer = self.offer(zone, machine_type, capacity)?;
                Some((offer.cpu, offer.memory))
            }
        }
    }

    fn lease(
        &self,
        tx: &mut Tx<'_>,
        id: &ResourceId,
        subnet: &SubnetSpec<ResourceId>,
    ) -> Result<Ipv4Addr> {
        let reserved = self.profile().reserved_addresses();
        match tx.region().free_address(id, subnet.cidr, reserved) {
            Some(ip) => Ok(Ipv4Addr::from(ip)),
            None => {
                let message = format!(
                    "all addresses of {} in the subnet {id} are in use",
                    subnet.cidr
                );
                Err(self
                    .fail(Trouble::OutOfAddresses, message)
                    .with_scope(Scope::Subnet))
            }
        }
    }

    /// Switches stopped machines on.
    pub(crate) fn start_machines(
        &self,
        tx: &mut Tx<'_>,
        ids: &[ResourceId],
    ) -> Result<Vec<Outcome>> {
        self.check_many(ids)?;
        let one = |id: &ResourceId| Outcome {
            result: self.start_machine(tx, id),
            id: id.clone(),
        };
        Ok(ids.iter().map(one).collect())
    }

    fn start_machine(&self, tx: &mut Tx<'_>, id: &ResourceId) -> Result<()> {
        let thing = self.existing(tx, Kind::Machine, id)?;
        if thing.state(tx.now, false) != ResourceState::Stopped {
            return Ok(());
        }
        if let Some(zone) = super::zone_of(&thing.spec) {
            self.check_zone(tx, zone)?;
        }
        self.check_stock(tx, &thing)?;
        let mut next = (*thing).clone();
        next.stopped = false;
        next.resized = false;
        // An address that was not set aside went back to the cloud when the machine was stopped.
        if let Some(public) = next.attributes.get_mut("public_ip")
            && let Some(other) = tx.other_public_ip()
        {
            *public = other;
        }
        next.ready_at = after(tx.now, self.delay(Kind::Machine, self.times(tx).create_ms));
        tx.change(&thing, next, 0);
        Ok(())
    }
}

impl Cloud {
    /// Switches machines off. One that hangs does not do what it is asked to.
    pub(crate) fn stop_machines(
        &self,
        tx: &mut Tx<'_>,
        ids: &[ResourceId],
        how: Shutdown,
    ) -> Result<Vec<Outcome>> {
        self.check_many(ids)?;
        let mut stop = |id: &ResourceId| {
            let thing = self.existing(tx, Kind::Machine, id)?;
            if !thing.stopped && (how == Shutdown::Cut || !thing.hangs) {
                let mut next = (*thing).clone();
                next.stopped = true;
                tx.change(&thing, next, 0);
            }
            Ok(())
        };
        let one = |id: &ResourceId| Outcome {
            id: id.clone(),
            result: stop(id),
        };
        Ok(ids.iter().map(one).collect())
    }
}

impl Shortfall {
    fn of(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            scope: error.scope(),
            message: error.message().to_owned(),
            code: error.code().map(str::to_owned),
        }
    }

    fn into_error(self) -> Error {
        let error = Error::new(self.kind, self.message).with_scope(self.scope);
        match self.code {
            Some(code) => error.with_code(code),
            None => error,
        }
    }
}

/// What there is too little of for a machine, in words. What is not bounded is never lacking.
pub(super) fn lacking(free: &Pool, asked: &MachineSpec<ResourceId>, disk: Bytes) -> String {
    let mut lacking = Vec::new();
    let mut look = |short: bool, what: &str, free: String, asked: String| {
        if short {
            lacking.push(format!("{free} of {asked} {what} are free"));
        }
    };
    let (cpu, memory) = (u64::from(asked.cpu), asked.memory);
    look(
        free.cpu < cpu,
        "CPUs",
        free.cpu.to_string(),
        cpu.to_string(),
    );
    look(
        free.memory < memory,
        "memory",
        free.memory.to_string(),
        memory.to_string(),
    );
    look(
        free.disk < disk,
        "disk",
        free.disk.to_string(),
        disk.to_string(),
    );
    let size = asked.machine_type.parse::<FlexSize>().ok();
    if let Some((count, model)) = size.and_then(|size| size.gpus) {
        let left = free.gpus.get(&model).copied().unwrap_or(0);
        if left < u64::from(count) {
            lacking.push(format!("{left} of {count} {model} are free"));
        }
    }
    lacking.join(", ")
}

/// Whether there are as many GPUs as a type has.
pub(super) fn has_gpus(free: &Pool, machine_type: &str) -> bool {
    let size = machine_type.parse::<FlexSize>().ok();
    let Some((count, model)) = size.and_then(|size| size.gpus) else {
        return true;
    };
    free.gpus
        .get(&model)
        .is_some_and(|free| *free >= u64::from(count))
}
