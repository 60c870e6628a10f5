//! Deleting things, and what stands in the way.

use strat_model::{Kind, ResourceId, Result, Spec};
use strat_provider::Outcome;

use super::Cloud;
use crate::Profile;
use crate::error::Trouble;
use crate::world::{Thing, Tx, after};

impl Cloud {
    /// Deletes one thing. One that is not there, or on its way out, is deleted already.
    pub(crate) fn delete(&self, tx: &mut Tx<'_>, kind: Kind, id: &ResourceId) -> Result<()> {
        self.check_kind(kind)?;
        let Some(thing) = tx
            .region()
            .get(kind, id)
            .filter(|thing| thing.is_wanted())
            .cloned()
        else {
            return Ok(());
        };
        if super::read::is_hidden(tx, &thing) {
            return Err(super::read::hidden(tx));
        }
        self.check_unused(tx, &thing)?;
        if kind == Kind::Machine {
            self.let_go(tx, id);
        }
        let mut next = (*thing).clone();
        next.gone_at = Some(after(tx.now, self.delay(kind, self.times(tx).delete_ms)));
        tx.change(&thing, next, self.times(tx).consistency_ms);
        Ok(())
    }

    /// Deletes machines, all in one call.
    pub(crate) fn delete_machines(
        &self,
        tx: &mut Tx<'_>,
        ids: &[ResourceId],
    ) -> Result<Vec<Outcome>> {
        self.check_many(ids)?;
        let mut outcomes = Vec::with_capacity(ids.len());
        for id in ids {
            let volumes = tx
                .region()
                .users(id)
                .filter(|user| user.kind() == Kind::Volume);
            let volumes: Vec<ResourceId> = volumes.map(|volume| volume.id.clone()).collect();
            // EC2 shuts an instance's system down as it terminates it, and cuts its power only if
            // that takes too long ("How instance termination works" in its user guide).
            let machine = tx.region().get(Kind::Machine, id);
            let hangs = machine.is_none_or(|machine| machine.hangs);
            let volumes = match self.capabilities.delete_shuts_down && !hangs {
                true => Vec::new(),
                false => volumes,
            };
            volumes
                .iter()
                .for_each(|volume| self.note_pulled(tx, volume));
            outcomes.push(Outcome {
                result: self.delete(tx, Kind::Machine, id),
                id: id.clone(),
            });
        }
        Ok(outcomes)
    }

    /// Fails if these are more ids than a call takes.
    pub(super) fn check_many(&self, ids: &[ResourceId]) -> Result<()> {
        self.check_count(ids.len())
    }

    /// Fails if a call about so many things is about too many.
    pub(super) fn check_count(&self, count: usize) -> Result<()> {
        let max = self.capabilities.ids_per_call as usize;
        if count <= max {
            return Ok(());
        }
        let message = format!("a call takes at most {max} ids, not {count}");
        Err(self.fail(Trouble::BadParameter, message))
    }

    /// Detaches what is attached to a machine.
    pub(crate) fn let_go(&self, tx: &mut Tx<'_>, machine: &ResourceId) {
        let attached: Vec<_> = tx.region().users(machine).cloned().collect();
        for thing in attached {
            let mut next = (*thing).clone();
            match &mut next.spec {
                Spec::Volume(volume) => volume.attach = None,
                Spec::Address(address) => address.attach = None,
                _ => continue,
            }
            tx.change(&thing, next, self.times(tx).consistency_ms);
        }
    }

    /// Fails if something uses the thing, or something is in it.
    fn check_unused(&self, tx: &Tx<'_>, thing: &Thing) -> Result<()> {
        let (kind, id) = (thing.kind(), &thing.id);
        let matters = |user: &Thing| match kind {
            Kind::Network | Kind::Subnet => true,
            Kind::Firewall => user.id != *id,
            // A machine's disk may be a layer over the image's file, which is then needed.
            Kind::Image => self.profile() == Profile::Onprem,
            Kind::Address | Kind::Keypair | Kind::Machine | Kind::Volume | Kind::Bucket => false,
        };
        if let Some(user) = tx.region().users(id).find(|user| matters(user)) {
            let message = format!(
                "the {kind} {id} is in use by the {} {} (`{}`)",
                user.kind(),
                user.id,
                user.name
            );
            return Err(self.fail(Trouble::InUse, message));
        }
        match &thing.spec {
            Spec::Volume(volume) => match &volume.attach {
                Some(machine) => {
                    let message = format!("the volume {id} is attached to {machine}");
                    Err(self.fail(Trouble::InUse, message))
                }
                None => Ok(()),
            },
            Spec::Bucket(_) if thing.objects > 0 => {
                let message = format!("there are {} objects in the bucket {id}", thing.objects);
                Err(self.fail(Trouble::NotEmpty, message))
            }
            _ => Ok(()),
        }
    }
}
