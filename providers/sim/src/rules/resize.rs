//! Rules of machines that become another size.

use strat_model::{Bytes, FlexSize, MachineSpec, ResourceId, Result, Scope, Spec};

use super::Cloud;
use super::compute::{has_gpus, lacking};
use crate::error::Trouble;
use crate::world::{Thing, Tx};

impl Cloud {
    /// Fails if a machine cannot become another size: more than there is, or than is allowed.
    pub(super) fn check_resize(
        &self,
        tx: &Tx<'_>,
        old: &MachineSpec<ResourceId>,
        new: &MachineSpec<ResourceId>,
    ) -> Result<()> {
        self.check_size(new)?;
        let disk =
            |spec: &MachineSpec<ResourceId>| spec.disks.iter().map(|d| d.size.0).sum::<u64>();
        if let Some(mut free) = self.free(tx) {
            free.cpu += u64::from(old.cpu);
            free.memory.0 += old.memory.0;
            free.disk.0 = free.disk.0.saturating_add(disk(old));
            let disks = Bytes(disk(new));
            if let Some((count, model)) =
                old.machine_type.parse().ok().and_then(|s: FlexSize| s.gpus)
            {
                *free.gpus.entry(model).or_default() += u64::from(count);
            }
            let fits = free.cpu >= u64::from(new.cpu)
                && free.memory >= new.memory
                && free.disk >= disks
                && has_gpus(&free, &new.machine_type);
            if !fits {
                let kind = &new.machine_type;
                let why = lacking(&free, new, disks);
                let message = format!("there is no room for a `{kind}`: {why}");
                return Err(self
                    .fail(Trouble::OutOfStock, message)
                    .with_scope(Scope::Offer));
            }
            return Ok(());
        }
        let (family, was) = (
            self.family(&new.machine_type),
            self.family(&old.machine_type),
        );
        for (counted, scope) in [(None, Scope::Region), (Some(family), Scope::Offer)] {
            let (limit, used) = (self.quota(tx, counted), tx.region().usage.cpu(counted));
            let own = counted.is_none() || family == was;
            let others = used.saturating_sub(if own { u64::from(old.cpu) } else { 0 });
            if others + u64::from(new.cpu) > limit {
                let what = counted.unwrap_or("all machines");
                let message = format!("{others} of {limit} virtual CPUs of {what} are in use");
                return Err(self.fail(Trouble::OverQuota, message).with_scope(scope));
            }
        }
        Ok(())
    }

    /// Fails if a machine that is off cannot be started, because there is no capacity of its type. A
    /// cloud finds that out at the start; owned hardware is its machine's all along.
    pub(super) fn check_stock(&self, tx: &Tx<'_>, thing: &Thing) -> Result<()> {
        let Spec::Machine(spec) = &thing.spec else {
            return Ok(());
        };
        let (region, kind) = (tx.region(), &spec.machine_type);
        let used = region.usage.machines(kind, &spec.zone, spec.capacity);
        let trial = &region.record.trials;
        let limit = trial.stock_limit(kind, &spec.zone, spec.capacity);
        let limit = limit.or_else(|| self.site.behaviour.stock.get(kind).copied());
        if thing.resized && limit.is_some_and(|limit| used > limit) {
            let message = format!("there is no `{kind}` left in {}", spec.zone);
            return Err(self
                .fail(Trouble::OutOfStock, message)
                .with_scope(Scope::Offer));
        }
        Ok(())
    }
}
