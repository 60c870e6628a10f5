//! Notes of machines and volumes, on every host of the site: where each is, whose, and what it takes.
//!
//! While its host is looked at, a thing speaks for itself and its note for nothing. A host that was away when
//! the last note was written has an older one, so of several that say of one thing that it is on hosts that
//! are away, the highest edition counts. One that says that it is where it can be looked for counts against
//! those only if it is no older and the thing is there: editions begin anew when a thing is deleted and made
//! again.
//! What has a note too many, because a host was away when the thing was deleted, is withheld until its
//! host is looked at; nothing is ever made because a note is missing on one host alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use serde::{Deserialize, Serialize};
use strat_model::{
    Attributes, Bytes, CapacityKind, ImageRef, Kind, MachineSpec, Name, Owner, Resource,
    ResourceId, ResourceState, Result, Spec, VolumeSpec,
};

use super::{Site, flexible_size};
use crate::host::{Host, MachineBody, Shelf};
use crate::storage::VolumeBody;
use crate::thing::{Phase, Thing};

/// What is noted of a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Noted {
    /// The host that it is on.
    pub(crate) host: String,
    /// That host's zone.
    zone: Name,
    /// Its id.
    id: String,
    /// How often it was noted.
    edition: u64,
    /// What is kept of it there.
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Machine(MachineBody),
    Volume(VolumeBody),
}

/// A note of a thing.
pub(crate) type Note = Thing<Noted>;

/// The notes of one host, by the things' names.
type Notes = BTreeMap<String, Note>;

impl Noted {
    /// What is kept of it, if it is a machine.
    pub(crate) const fn machine(&self) -> Option<&MachineBody> {
        match &self.what {
            What::Machine(body) => Some(body),
            What::Volume(_) => None,
        }
    }
}

impl Site {
    /// Notes on all hosts where a machine is.
    pub(crate) fn note_machine(
        &self,
        host: &Host,
        uuid: &str,
        thing: &Thing<MachineBody>,
    ) -> Result<()> {
        self.note(Kind::Machine, machine_note(host, uuid, thing))
    }

    /// Notes on all hosts where a volume is.
    pub(crate) fn note_volume(&self, host: &Host, thing: &Thing<VolumeBody>) -> Result<()> {
        self.note(Kind::Volume, volume_note(host, thing))
    }

    fn note(&self, kind: Kind, mut note: Note) -> Result<()> {
        if !self.has_others() {
            return Ok(());
        }
        let _noting = self.noting.lock().unwrap_or_else(PoisonError::into_inner);
        // Of this thing alone: what is noted of the others is no matter here.
        let lists = self.on_shelves(kind, |shelf| {
            let known = shelf.one(&note.name)?.into_iter();
            Ok(known.map(|one: Note| (one.name.clone(), one)).collect())
        })?;
        note.body.edition = edition(&lists, &note);
        self.put_notes(kind, &lists, &[note])
    }

    /// Takes the notes of a thing away that is not there any more. Where that does not work, the thing
    /// counts as there once its host is away.
    pub(crate) fn unnote(&self, kind: Kind, name: &str) {
        if !self.has_others() {
            return;
        }
        let _noting = self.noting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.on_shelves(kind, |shelf| shelf.remove(name)) {
            tracing::debug!("{name} is still noted: {error}");
        }
    }

    /// The notes of things of a kind that are on hosts that are not looked at.
    pub(crate) fn noted(&self, kind: Kind) -> Result<Vec<Note>> {
        let (mut away, here) = self.sides(&self.notes(kind)?);
        if away.keys().any(|name| here.contains_key(name)) {
            let there = self.names_of(kind)?;
            away.retain(|name, note| {
                let known = here.get(name).map(|known| &known.body);
                let seen = |host: &str| there.contains(&(host.to_owned(), name.clone()));
                let known = known.filter(|known| seen(&known.host));
                is_away(note.body.edition, known.map(|known| known.edition))
            });
        }
        Ok(away.into_values().collect())
    }

    /// The newest notes of things on hosts that are not looked at, and on those that are.
    fn sides(&self, lists: &[Notes]) -> (Notes, Notes) {
        let (mut away, mut here) = (Notes::new(), Notes::new());
        for (name, note) in lists.iter().flatten() {
            let side = match self.is_away(&note.body.host) {
                true => &mut away,
                false => &mut here,
            };
            let known = side.get(name).map(|known| known.body.edition);
            if known < Some(note.body.edition) {
                side.insert(name.clone(), note.clone());
            }
        }
        (away, here)
    }

    /// The hosts and names of all things of a kind on hosts that are looked at.
    fn names_of(&self, kind: Kind) -> Result<BTreeSet<(String, String)>> {
        if kind == Kind::Machine {
            let guests = self.guests()?.into_iter();
            let names = guests.map(|(host, guest)| (host.name().to_string(), guest.name));
            return Ok(names.collect());
        }
        let volumes = self.volume_things()?.into_iter();
        let names = volumes.map(|(name, found)| (self.hosts[found.host].name().to_string(), name));
        Ok(names.collect())
    }

    /// The notes of the machines on hosts that are not looked at, if there are such hosts.
    pub(crate) fn noted_machines(&self) -> Result<Vec<MachineBody>> {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        let all_here = absent.is_empty() && self.listed.iter().all(|host| !self.is_away(host));
        drop(absent);
        if all_here {
            return Ok(Vec::new());
        }
        let notes = self.noted(Kind::Machine)?.into_iter();
        Ok(notes
            .filter_map(|note| note.body.machine().cloned())
            .collect())
    }

    /// Brings every host's notes of an owner's things up to date.
    pub(super) fn spread_notes(&self, owner: &Owner) -> Result<()> {
        let _noting = self.noting.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut machines, mut volumes) = (Notes::new(), Notes::new());
        for (host, guest) in self.guests()? {
            if let Some(thing) = &guest.thing {
                let note = machine_note(host, &guest.uuid, thing);
                machines.insert(note.name.clone(), note);
            }
        }
        for (name, found) in self.volume_things()? {
            volumes.insert(name, volume_note(&self.hosts[found.host], &found.thing));
        }
        for (kind, here) in [(Kind::Machine, machines), (Kind::Volume, volumes)] {
            let lists = self.notes(kind)?;
            let is_theirs = |note: &Note| {
                let mark = note.mark();
                mark.is_some_and(|mark| mark.owner.is_namesake(owner))
            };
            let mut wanted: Vec<Note> = here
                .values()
                .filter(|one| is_theirs(one))
                .cloned()
                .collect();
            for note in &mut wanted {
                note.body.edition = edition(&lists, note);
            }
            let (away, known) = self.sides(&lists);
            let left = known.iter().filter(|(name, note)| {
                let is_there = here.contains_key(*name) || away.contains_key(*name);
                !is_there && is_theirs(note)
            });
            for (name, _) in left {
                self.on_shelves(kind, |shelf| shelf.remove(name))?;
            }
            let away = away.into_iter();
            wanted.extend(
                away.filter_map(|(name, note)| (!here.contains_key(&name)).then_some(note)),
            );
            self.put_notes(kind, &lists, &wanted)?;
        }
        Ok(())
    }

    /// Takes away what is still noted of owners that have nothing any more.
    pub(super) fn forget_notes(&self, owners: &[Owner]) -> Result<()> {
        let _noting = self.noting.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in [Kind::Machine, Kind::Volume] {
            for (host, list) in self.hosts.iter().zip(self.notes(kind)?) {
                let is_theirs = |note: &&Note| {
                    let mark = note.mark();
                    mark.is_some_and(|mark| owners.contains(&mark.owner))
                };
                for note in list.values().filter(is_theirs) {
                    Shelf::of_notes(host, &self.pool(host)?, kind).remove(&note.name)?;
                }
            }
        }
        Ok(())
    }

    /// Writes notes wherever there is another one, or none.
    fn put_notes(&self, kind: Kind, lists: &[Notes], notes: &[Note]) -> Result<()> {
        let place = |host: &Host| self.hosts.iter().position(|one| one.name() == host.name());
        self.each(|host| {
            if host.traits()?.offers("test") {
                return Ok(());
            }
            let known = place(host).and_then(|place| lists.get(place));
            let pool = self.pool(host)?;
            let shelf = Shelf::of_notes(host, &pool, kind);
            let is_new = |note: &&Note| known.and_then(|list| list.get(&note.name)) != Some(*note);
            notes
                .iter()
                .filter(is_new)
                .try_for_each(|note| shelf.put(note))
        })?;
        Ok(())
    }

    /// The notes of each host.
    fn notes(&self, kind: Kind) -> Result<Vec<Notes>> {
        self.on_shelves(kind, |shelf| shelf.all())
    }

    /// Does something with the notes of each host, but for libvirt's mock driver, which keeps none.
    fn on_shelves<T: Default + Send>(
        &self,
        kind: Kind,
        work: impl Fn(Shelf<'_>) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        self.each(|host| match host.traits()?.offers("test") {
            true => Ok(T::default()),
            false => work(Shelf::of_notes(host, &self.pool(host)?, kind)),
        })
    }

    /// A thing as it is noted, and why it is not looked at.
    pub(super) fn of_note(&self, note: &Note, why: &str) -> Resource {
        let Noted {
            host,
            zone,
            id,
            what,
            ..
        } = &note.body;
        let mut attributes = Attributes::from([
            ("host".to_owned(), host.clone()),
            (Resource::UNSEEN.to_owned(), why.to_owned()),
        ]);
        let spec = match what {
            What::Machine(body) => {
                attributes.extend(body.ip.map(|ip| ("private_ip".to_owned(), ip.to_string())));
                let size = flexible_size(&body.machine_type);
                let (cpu, memory) = size.unwrap_or((1, Bytes(0)));
                Spec::Machine(MachineSpec {
                    machine_type: body.machine_type.clone(),
                    cpu,
                    memory,
                    capacity: CapacityKind::Owned,
                    zone: zone.clone(),
                    image: ImageRef::Named {
                        name: String::new(),
                        id: ResourceId::from(&body.image),
                    },
                    subnet: ResourceId::from(&body.subnet),
                    firewalls: body.firewalls.iter().map(ResourceId::from).collect(),
                    keypair: body.keypair.as_ref().map(ResourceId::from),
                    user_data: None,
                    disks: body.disks.clone(),
                    public_ip: None,
                    labels: note.labels.clone(),
                })
            }
            What::Volume(body) => Spec::Volume(VolumeSpec {
                size: body.size,
                class: body.class,
                zone: zone.clone(),
                attach: None,
                labels: note.labels.clone(),
            }),
        };
        Resource {
            id: ResourceId::from(id),
            name: note.name.clone(),
            mark: note.mark(),
            witness: note.witness(),
            state: ResourceState::Unseen,
            spec,
            attributes,
            created: Some(note.created),
        }
    }
}

fn machine_note(host: &Host, uuid: &str, thing: &Thing<MachineBody>) -> Note {
    whole(thing).with_body(Noted {
        host: host.name().to_string(),
        zone: host.zone().clone(),
        id: format!("{}/{uuid}", host.name()),
        edition: 0,
        what: What::Machine(thing.body.clone()),
    })
}

fn volume_note(host: &Host, thing: &Thing<VolumeBody>) -> Note {
    whole(thing).with_body(Noted {
        host: host.name().to_string(),
        zone: host.zone().clone(),
        id: thing.name.clone(),
        edition: 0,
        what: What::Volume(thing.body.clone()),
    })
}

/// A thing as it is once it is made: how far it is says its host.
fn whole<B: Clone>(thing: &Thing<B>) -> Thing<B> {
    let mut thing = thing.clone();
    thing.phase = Phase::Made;
    thing
}

/// Whether a thing counts as being on a host that is not looked at: of the newest note that says so, and of
/// the newest that says that it is where it was found, the editions.
pub(super) fn is_away(away: u64, found: Option<u64>) -> bool {
    found.is_none_or(|found| found < away)
}

/// The edition of a note: that of the newest, if that says the same, else the next one.
fn edition(lists: &[Notes], note: &Note) -> u64 {
    let known = lists.iter().filter_map(|list| list.get(&note.name));
    let Some(newest) = known.max_by_key(|known| known.body.edition) else {
        return 1;
    };
    let mut same = note.clone();
    same.body.edition = newest.body.edition;
    newest.body.edition + u64::from(same != *newest)
}
