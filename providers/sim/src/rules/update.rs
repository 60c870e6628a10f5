//! Changing things in place.

use std::collections::BTreeSet;

use strat_model::{Bytes, Field, Kind, Mark, Resource, ResourceId, Result, Spec};

use super::Cloud;
use crate::error::Trouble;
use crate::world::{Thing, Tx};

/// An update of one thing of any kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) spec: &'a Spec<ResourceId>,
    pub(crate) fields: &'a BTreeSet<Field>,
    pub(crate) mark: Option<&'a Mark>,
}

impl Cloud {
    /// Brings the named fields of a thing to what the spec says, and writes its mark.
    pub(crate) fn update(
        &self,
        tx: &mut Tx<'_>,
        id: &ResourceId,
        change: Change<'_>,
    ) -> Result<Resource> {
        let kind = change.spec.kind();
        self.check_kind(kind)?;
        let thing = self.existing(tx, kind, id)?;
        let mut next = (*thing).clone();
        self.check_fields(tx, &thing, &change)?;
        for field in change.fields {
            take(&mut next.spec, change.spec, *field);
        }
        if thing.spec != next.spec && self.stops(tx, &thing, &change) && !thing.stopped {
            let message = format!("the {kind} {id} must be off for this");
            return Err(self.fail(Trouble::NotReady, message));
        }
        if let (Spec::Machine(is), Spec::Machine(to)) = (&thing.spec, &next.spec) {
            next.resized |= is.machine_type != to.machine_type;
            if change.fields.contains(&Field::PublicIp) {
                let public = tx.other_public_ip().filter(|_| to.public_ip == Some(true));
                next.attributes.remove("public_ip");
                next.attributes
                    .extend(public.map(|ip| ("public_ip".to_owned(), ip)));
            }
        }
        next.mark = change.mark.cloned();
        if let Some(mark) = change.mark {
            self.check_tags(mark, next.spec.labels())?;
        }
        if next.spec == thing.spec && next.mark == thing.mark {
            return Ok(self.report(tx, &thing));
        }
        self.check_change(tx, &thing, &next.spec)?;
        let thing = tx.change(&thing, next, self.times(tx).consistency_ms);
        Ok(self.report(tx, &thing))
    }

    /// Whether a machine has to be off for a change.
    fn stops(&self, tx: &Tx<'_>, thing: &Thing, change: &Change<'_>) -> bool {
        let (is, to) = (self.report(tx, thing), change.spec.without_refs());
        let takes = |field: &Field| self.changes.change(&is, &to, &BTreeSet::from([*field]));
        change.fields.iter().any(|field| takes(field).stops())
    }

    fn check_fields(&self, tx: &Tx<'_>, thing: &Thing, change: &Change<'_>) -> Result<()> {
        if change.fields.is_empty() {
            return Ok(());
        }
        let is = self.report(tx, thing);
        let to = change.spec.without_refs();
        for field in change.fields {
            let one = BTreeSet::from([*field]);
            if !self.changes.change(&is, &to, &one).is_in_place() {
                let kind = is.kind();
                let message = format!("the {field} of a {kind} cannot be changed in place");
                return Err(self.fail(Trouble::CannotDo, message));
            }
        }
        Ok(())
    }

    /// Checks what a thing is to become by its kind's own rules.
    fn check_change(&self, tx: &Tx<'_>, old: &Thing, new: &Spec<ResourceId>) -> Result<()> {
        if self.capabilities.beyond(&old.spec).is_none() {
            self.check_limits(tx, new)?;
        }
        match (&old.spec, new) {
            (Spec::Firewall(old), Spec::Firewall(new)) if old.rules != new.rules => {
                self.check_rules(tx, new)
            }
            (Spec::Address(old), Spec::Address(new)) if old.attach != new.attach => new
                .attach
                .iter()
                .try_for_each(|machine| self.need(tx, Kind::Machine, machine).map(|_| ())),
            (Spec::Machine(old), Spec::Machine(new))
                if (&old.machine_type, &old.disks) != (&new.machine_type, &new.disks) =>
            {
                self.check_resize(tx, old, new)
            }
            (Spec::Volume(old_spec), Spec::Volume(new)) if old_spec.size != new.size => {
                if new.size < old_spec.size {
                    let message = format!("the volume {} cannot shrink", old.id);
                    return Err(self.fail(Trouble::BadParameter, message));
                }
                self.check_disk(tx, Bytes(new.size.0 - old_spec.size.0))
            }
            (Spec::Machine(old), Spec::Machine(new)) if old.firewalls != new.firewalls => {
                let subnet = tx.region().get(Kind::Subnet, &new.subnet);
                let Some(Spec::Subnet(subnet)) = subnet.map(|thing| &thing.spec) else {
                    return Ok(());
                };
                let mut firewalls = new.firewalls.iter();
                firewalls.try_for_each(|id| self.check_firewall_of(tx, id, &subnet.network))
            }
            _ => Ok(()),
        }
    }
}

/// Takes one field over. What has calls of its own (a volume's attachment, a machine's power) and
/// what lives in the mark is left alone.
fn take(to: &mut Spec<ResourceId>, from: &Spec<ResourceId>, field: Field) {
    if field == Field::Labels {
        to.labels_mut().clone_from(from.labels());
        return;
    }
    match (to, from, field) {
        (Spec::Firewall(to), Spec::Firewall(from), Field::Rules) => {
            to.rules.clone_from(&from.rules);
        }
        (Spec::Address(to), Spec::Address(from), Field::Attach) => {
            to.attach.clone_from(&from.attach);
        }
        (Spec::Machine(to), Spec::Machine(from), Field::MachineType) => {
            to.machine_type.clone_from(&from.machine_type);
            (to.cpu, to.memory) = (from.cpu, from.memory);
        }
        (Spec::Subnet(to), Spec::Subnet(from), Field::Internet) => to.internet = from.internet,
        (Spec::Machine(to), Spec::Machine(from), Field::PublicIp) => to.public_ip = from.public_ip,
        (Spec::Machine(to), Spec::Machine(from), Field::Disks) => to.disks.clone_from(&from.disks),
        (Spec::Volume(to), Spec::Volume(from), Field::Class) => to.class = from.class,
        (Spec::Machine(to), Spec::Machine(from), Field::Firewalls) => {
            to.firewalls.clone_from(&from.firewalls);
        }
        (Spec::Volume(to), Spec::Volume(from), Field::Size) => to.size = from.size,
        (Spec::Bucket(to), Spec::Bucket(from), Field::Versioning) => {
            to.versioning = from.versioning;
        }
        _ => {}
    }
}
