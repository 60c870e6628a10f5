//! Comparing one goal with one real thing.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{
    Addr, Field, ImageRef, Kind, Loss, MachineSpec, Mark, Means, Name, Noun, Resource, ResourceId,
    ResourceState, Spec, Transition, own_labels,
};

use serde_json::json;

use super::Differ;
use super::references::Reference;
use super::value::{field_value, plain_fields};
use crate::plan::FieldChange;
use crate::{Entry, Goal};

/// A field that differs, and whether only because what it refers to is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delta {
    pub(super) field: Field,
    pub(super) by_reference: bool,
}

impl Differ<'_> {
    /// The fields in which `resource` differs from `goal`.
    pub(super) fn deltas(
        &self,
        addr: &Addr,
        entry: &Entry,
        goal: &Goal,
        resource: &Resource,
    ) -> Vec<Delta> {
        let mut found = Vec::new();
        let mut put = |differs: bool, field: Field| {
            if differs {
                found.push(Delta {
                    field,
                    by_reference: false,
                });
            }
        };
        let notes = resource.mark.as_ref().map(|mark| &mark.notes);
        let readable = |field| self.can_read(&addr.site, goal, field);
        // Of an adopted thing nobody noted what cannot be read, so it is taken as it is.
        let adopted = resource.mark.as_ref().is_some_and(Mark::is_adopted);
        let noted = |field: Field| {
            let note = notes.and_then(|notes| notes.get(&field));
            note == goal.notes.get(&field) || (adopted && note.is_none())
        };
        match (&goal.spec, &resource.spec) {
            (Spec::Network(want), Spec::Network(is)) => put(want.cidr != is.cidr, Field::Cidr),
            (Spec::Subnet(want), Spec::Subnet(is)) => {
                put(want.cidr != is.cidr, Field::Cidr);
                put(want.zone != is.zone, Field::Zone);
                let asked = want.internet.is_some();
                put(asked && want.internet != is.internet, Field::Internet);
            }
            (Spec::Image(want), Spec::Image(is)) => {
                // The same content from another place is the same image.
                put(
                    readable(Field::Sha256) && want.sha256 != is.sha256,
                    Field::Sha256,
                );
            }
            (Spec::Machine(want), Spec::Machine(is)) => {
                machine(want, is, &mut put);
                put(
                    self.public_ip_differs(&addr.site, want, resource),
                    Field::PublicIp,
                );
            }
            (Spec::Volume(want), Spec::Volume(is)) => {
                put(want.size != is.size, Field::Size);
                put(
                    readable(Field::Class) && want.class != is.class,
                    Field::Class,
                );
                put(want.zone != is.zone, Field::Zone);
            }
            (Spec::Bucket(want), Spec::Bucket(is)) => {
                put(want.versioning != is.versioning, Field::Versioning);
            }
            // References, and rules that may have some, are compared below.
            (Spec::Firewall(_) | Spec::Address(_), _) => {}
            (want, is) => {
                for field in plain_fields(want) {
                    let differs = || field_value(want, field) != field_value(is, field);
                    put(readable(field) && differs(), field);
                }
            }
        }
        put(
            readable(Field::Labels) && labels_differ(goal, resource),
            Field::Labels,
        );
        for field in goal.notes.keys().filter(|field| !readable(**field)) {
            // What was asked for is no field of its own: the type that it became is compared.
            if !matches!(field, Field::Request | Field::UserData) {
                put(!noted(*field), *field);
            }
        }
        if let Spec::Machine(want) = &goal.spec {
            put(resource.state == ResourceState::Stopped, Field::Power);
            let note = notes.and_then(|notes| notes.get(&Field::UserData));
            let unknown = adopted && note.is_none();
            let same = unknown || self.user_data_note(want).as_ref() == note;
            put(!same, Field::UserData);
        }
        put(
            resource
                .mark
                .as_ref()
                .is_some_and(|mark| mark.protect != entry.protect),
            Field::Protect,
        );
        put(
            resource
                .mark
                .as_ref()
                .is_some_and(|mark| mark.disposable != entry.disposable),
            Field::Disposable,
        );
        put(resource.departs(), Field::Setup);
        found.extend(self.reference_deltas(addr, goal, resource));
        found.retain(|delta| !entry.ignore.contains(&delta.field));
        found.sort_by_key(|delta| delta.field);
        found
    }

    fn can_read(&self, site: &Name, goal: &Goal, field: Field) -> bool {
        let facts = self.facts.get(site);
        facts.is_some_and(|facts| facts.capabilities.can_read(goal.spec.kind(), field))
    }

    /// The note that user data would leave now; `None` in the inner option is no user data, and a
    /// digest that nothing has where it waits for something that is not there yet.
    fn user_data_note(&self, machine: &MachineSpec<Addr>) -> Option<String> {
        let data = machine.user_data.as_ref()?;
        let place = data.parts().as_ptr();
        // Nothing else is compared between the instances of a block, and none is in its own user
        // data: what is made anew is the same for all of them.
        if let Some((filled, note)) = &*self.filled.borrow()
            && *filled == place
        {
            return Some(note.clone());
        }
        let resolved = data.resolve(|local, attribute| {
            if let Some((place, given)) = self.index.given_as(local).next() {
                return given.attribute(&place.site, attribute);
            }
            let place = self.index.places(local).first()?;
            if self.remade.contains(place) {
                return None;
            }
            let found = self.index.at(place).first()?;
            found.attribute(&place.site, attribute)
        });
        let note = resolved.map_or_else(|| "known after apply".to_owned(), |data| data.digest);
        if data.references().next().is_some() {
            self.filled.replace(Some((place, note.clone())));
        }
        Some(note)
    }

    fn reference_deltas(&self, addr: &Addr, goal: &Goal, resource: &Resource) -> Vec<Delta> {
        let site = &addr.site;
        let one = |want: &Addr, is: &ResourceId| self.reference(site, want, is);
        let maybe = |want: Option<&Addr>, is: Option<&ResourceId>| match (want, is) {
            (Some(want), Some(is)) => one(want, is),
            (None, None) => Reference::Same,
            // It was let go when what it is for went.
            (Some(want), None) if self.remade.contains(want) => Reference::Remade,
            (Some(_), None) | (None, Some(_)) => Reference::Other,
        };
        let mut found = Vec::new();
        let mut put = |reference: Reference, field: Field| {
            if reference != Reference::Same {
                let by_reference = reference == Reference::Remade;
                found.push(Delta {
                    field,
                    by_reference,
                });
            }
        };
        match (&goal.spec, &resource.spec) {
            (Spec::Subnet(want), Spec::Subnet(is)) => {
                put(one(&want.network, &is.network), Field::Network);
            }
            (Spec::Firewall(want), Spec::Firewall(is)) => {
                put(one(&want.network, &is.network), Field::Network);
                put(self.rules(addr, want, is), Field::Rules);
            }
            (Spec::Address(want), Spec::Address(is)) => {
                put(
                    maybe(want.attach.as_ref(), is.attach.as_ref()),
                    Field::Attach,
                );
            }
            (Spec::Machine(want), Spec::Machine(is)) => {
                put(one(&want.subnet, &is.subnet), Field::Subnet);
                // A key pair counts at the first boot alone: no machine is made anew for another.
                put(
                    self.set(site, want.firewalls.iter(), is.firewalls.iter()),
                    Field::Firewalls,
                );
                if let (
                    ImageRef::Managed(want),
                    ImageRef::Managed(is) | ImageRef::Named { id: is, .. },
                ) = (&want.image, &is.image)
                {
                    put(one(want, is), Field::Image);
                }
            }
            (Spec::Volume(want), Spec::Volume(is)) => {
                put(
                    maybe(want.attach.as_ref(), is.attach.as_ref()),
                    Field::Attach,
                );
            }
            _ => {}
        }
        found
    }

    /// Deltas as a plan shows them.
    pub(super) fn field_changes(
        &self,
        addr: &Addr,
        goal: &Goal,
        resource: &Resource,
        deltas: &[Delta],
    ) -> Vec<FieldChange> {
        let is = super::value::named(resource, |id| self.name_of(&addr.site, id));
        let one = |delta: &Delta| {
            let field = delta.field;
            let (before, after) = match field {
                Field::Power => ("stopped".into(), "running".into()),
                Field::Protect => {
                    let now = resource.mark.as_ref().is_some_and(|mark| mark.protect);
                    (now.into(), (!now).into())
                }
                Field::Disposable => {
                    let now = resource.mark.as_ref().is_some_and(|mark| mark.disposable);
                    (now.into(), (!now).into())
                }
                Field::UserData => {
                    let note = resource
                        .mark
                        .as_ref()
                        .and_then(|mark| mark.notes.get(&field));
                    let after = match &goal.spec {
                        Spec::Machine(spec) => self.user_data_note(spec),
                        _ => None,
                    };
                    (note.cloned().into(), after.into())
                }
                Field::Setup => {
                    let departures = resource.departures();
                    let is = departures.iter().map(|(what, one)| (*what, &one.is));
                    let ought = departures.iter().map(|(what, one)| (*what, &one.ought));
                    let values = |map: BTreeMap<&str, &String>| json!(map);
                    (values(is.collect()), values(ought.collect()))
                }
                Field::Labels => {
                    let (is, want) = (resource.spec.labels(), goal.spec.labels());
                    let own = own_labels(is, want, resource.mark.as_ref());
                    (json!(own), json!(want))
                }
                _ => (
                    field_value(&is, field).unwrap_or_default(),
                    field_value(&goal.spec, field).unwrap_or_default(),
                ),
            };
            let after = if delta.by_reference && before == after {
                format!("{} (made anew)", after.as_str().unwrap_or("the same")).into()
            } else {
                after
            };
            let takes = self.transition(addr, goal, resource, std::slice::from_ref(delta));
            FieldChange {
                field,
                before,
                after,
                forces_replacement: takes.means == Means::Recreate,
                stops: takes.stops(),
            }
        };
        deltas.iter().map(one).collect()
    }

    /// Whether a thing has to be made anew to change these fields.
    pub(super) fn remakes(
        &self,
        addr: &Addr,
        goal: &Goal,
        resource: &Resource,
        deltas: &[Delta],
    ) -> bool {
        !self.transition(addr, goal, resource, deltas).is_in_place()
    }

    /// Those of the deltas for which a thing has to be made anew.
    pub(super) fn forcing(
        &self,
        addr: &Addr,
        goal: &Goal,
        resource: &Resource,
        deltas: &[Delta],
    ) -> Vec<Delta> {
        let deltas = deltas.iter().copied();
        deltas
            .filter(|delta| self.remakes(addr, goal, resource, std::slice::from_ref(delta)))
            .collect()
    }

    /// What it takes to change these fields of a thing. The mark can always be written, and power is
    /// no field of a spec.
    ///
    /// What would stop a member of a fleet makes it anew: in waves, so that the others do its work.
    pub(super) fn transition(
        &self,
        addr: &Addr,
        goal: &Goal,
        resource: &Resource,
        deltas: &[Delta],
    ) -> Transition {
        let setup = deltas.iter().find(|delta| delta.field == Field::Setup);
        if let Some(why) = setup.and_then(|_| resource.stays_departed()) {
            return Transition::refused(why);
        }
        let fields = deltas.iter().map(|delta| delta.field);
        let fields: BTreeSet<Field> = fields
            .filter(|field| !matches!(field, Field::Power | Field::Setup) && !field.is_of_mark())
            .collect();
        let Some(facts) = self.facts.get(&addr.site).filter(|_| !fields.is_empty()) else {
            return Transition::by(Means::Live);
        };
        let to = goal.spec.without_refs();
        let mut takes = facts.changes.change(resource, &to, &fields);
        if takes.stops() && addr.local.noun == Noun::Machines {
            return Transition::by(Means::Recreate);
        }
        if takes.loses.contains(&Loss::DynamicAddress) && self.has_address(&addr.site, resource) {
            takes.loses.remove(&Loss::DynamicAddress);
        }
        takes
    }

    /// Whether a machine has a public address of its own and is to have none, or the other way round. A
    /// cloud gives one only to what runs; and beside an address that was set aside and is attached to the
    /// machine there is none of its own, which nobody can tell from never having had one; so all addresses must
    /// have been seen.
    fn public_ip_differs(
        &self,
        site: &Name,
        want: &MachineSpec<Addr>,
        resource: &Resource,
    ) -> bool {
        let Spec::Machine(is) = &resource.spec else {
            return false;
        };
        let (Some(want), Some(is)) = (want.public_ip, is.public_ip) else {
            return false;
        };
        let seen = self.inventory.sites.get(site);
        let are_known = seen.is_some_and(|seen| seen.is_complete(Kind::Address));
        let can_tell = resource.state == ResourceState::Ready && are_known;
        want != is && can_tell && !self.has_address(site, resource)
    }

    /// Whether an address that was set aside is attached to a machine.
    fn has_address(&self, site: &Name, machine: &Resource) -> bool {
        let seen = self.inventory.sites.get(site);
        let mut things = seen.into_iter().flat_map(|seen| &seen.resources);
        things.any(|thing| match &thing.spec {
            Spec::Address(address) => address.attach.as_ref() == Some(&machine.id),
            _ => false,
        })
    }
}

/// Whether the labels that the topology sets, or set, are others than it wants. What others put on
/// is theirs.
fn labels_differ(goal: &Goal, resource: &Resource) -> bool {
    let (want, is) = (goal.spec.labels(), resource.spec.labels());
    want != is && own_labels(is, want, resource.mark.as_ref()) != *want
}

fn machine(
    want: &MachineSpec<Addr>,
    is: &MachineSpec<ResourceId>,
    put: &mut impl FnMut(bool, Field),
) {
    put(want.machine_type != is.machine_type, Field::MachineType);
    put(want.capacity != is.capacity, Field::Capacity);
    put(want.zone != is.zone, Field::Zone);
    // A machine that asks for no disk gets the image's own, of whatever size that is.
    put(
        !want.disks.is_empty() && want.disks != is.disks,
        Field::Disks,
    );
}
