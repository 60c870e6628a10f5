//! One region: its things, and the indexes over them.

use std::cell::OnceCell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::Ipv4Net;
use jiff::Timestamp;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use strat_model::{CapacityKind, ErrorKind, Kind, Name, Owner, ResourceId, Scope, Spec, Token};

use super::links::Links;
use super::{RegionKey, Thing, usage::Usage};
use crate::faults::Trials;
use crate::leases::LeaseRecord;

/// What is stored of a region besides its things.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RegionRecord {
    pub(crate) key: RegionKey,
    /// Counts the regions of the world, from 0.
    pub(crate) index: u32,
    /// The serial of the next thing.
    pub(crate) next_serial: u64,
    /// Every zone that any site of it uses.
    pub(crate) zones: BTreeSet<Name>,
    /// The names of the sites that were ever connected to it.
    pub(crate) sites: BTreeSet<Name>,
    /// What was done to it behind its users' backs.
    #[serde(default)]
    pub(crate) trials: Trials,
    /// The volumes that a call pulled off a machine that ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pulled: Vec<ResourceId>,
    /// Leases, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) leases: BTreeMap<String, LeaseRecord>,
}

/// What a create with a token led to. One that made a single thing has none of its own: the thing
/// says it all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TokenRecord {
    pub(crate) request: String,
    pub(crate) kind: Kind,
    pub(crate) ids: Vec<ResourceId>,
    pub(crate) expires: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shortfall: Option<Shortfall>,
}

/// Why a batch came out smaller than asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Shortfall {
    pub(crate) kind: ErrorKind,
    pub(crate) scope: Scope,
    pub(crate) message: String,
    pub(crate) code: Option<String>,
}

#[derive(Debug)]
struct Slot {
    thing: Arc<Thing>,
    /// Whether the indexes hold it: until it is gone.
    indexed: bool,
}

type ByToken = FxHashMap<(Kind, Token), Arc<Thing>>;

/// One region in memory.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) record: RegionRecord,
    pub(crate) usage: Usage,
    things: BTreeMap<Kind, BTreeMap<ResourceId, Slot>>,
    /// Made when first asked for.
    by_owner: OnceCell<FxHashMap<(Kind, Owner), BTreeSet<ResourceId>>>,
    /// The addresses of each machine.
    addresses: FxHashMap<ResourceId, BTreeSet<ResourceId>>,
    /// Made when first asked for.
    links: OnceCell<Links>,
    tokens: FxHashMap<String, TokenRecord>,
    /// What each token made last. Made when first asked for.
    by_token: OnceCell<ByToken>,
    expiring: BTreeSet<(Timestamp, String)>,
    going: BTreeSet<(Timestamp, Kind, ResourceId)>,
    fading: BTreeSet<(Timestamp, Kind, ResourceId)>,
}

impl Region {
    pub(crate) fn new(record: RegionRecord) -> Self {
        Self {
            usage: Usage::new(record.key.profile),
            record,
            things: BTreeMap::new(),
            by_owner: OnceCell::new(),
            addresses: FxHashMap::default(),
            links: OnceCell::new(),
            tokens: FxHashMap::default(),
            by_token: OnceCell::new(),
            expiring: BTreeSet::new(),
            going: BTreeSet::new(),
            fading: BTreeSet::new(),
        }
    }

    /// The thing of an id, gone or not.
    pub(crate) fn remembered(&self, kind: Kind, id: &ResourceId) -> Option<&Arc<Thing>> {
        Some(&self.things.get(&kind)?.get(id)?.thing)
    }

    /// The thing of an id, unless it is gone.
    pub(crate) fn get(&self, kind: Kind, id: &ResourceId) -> Option<&Arc<Thing>> {
        let slot = self.things.get(&kind)?.get(id)?;
        slot.indexed.then_some(&slot.thing)
    }

    /// The things of a name that are not gone.
    pub(crate) fn named(&self, kind: Kind, name: &str) -> impl Iterator<Item = &Arc<Thing>> {
        let ids = self.links().named(kind, name);
        ids.filter_map(move |id| self.get(kind, id))
    }

    /// What refers to a thing and is not gone.
    pub(crate) fn users(&self, id: &ResourceId) -> impl Iterator<Item = &Arc<Thing>> {
        let users = self.links().users(id);
        users.filter_map(|(kind, id)| self.get(*kind, id))
    }

    fn links(&self) -> &Links {
        self.links
            .get_or_init(|| Links::of(self.all().map(|thing| &**thing)))
    }

    /// The things of a kind after an id, gone ones included, in the order of their ids.
    pub(crate) fn after<'a>(
        &'a self,
        kind: Kind,
        owner: Option<&Owner>,
        after: Option<&ResourceId>,
    ) -> Box<dyn Iterator<Item = &'a Arc<Thing>> + 'a> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, |id| Excluded(id.clone()));
        let Some(things) = self.things.get(&kind) else {
            return Box::new(std::iter::empty());
        };
        match owner {
            None => Box::new(things.range((from, Unbounded)).map(|(_, slot)| &slot.thing)),
            Some(owner) => match self.by_owner().get(&(kind, owner.clone())) {
                None => Box::new(std::iter::empty()),
                Some(ids) => Box::new(
                    ids.range((from, Unbounded))
                        .filter_map(|id| things.get(id).map(|slot| &slot.thing)),
                ),
            },
        }
    }

    /// Everything that is not gone.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Thing>> {
        let slots = self.things.values().flat_map(BTreeMap::values);
        slots.filter(|slot| slot.indexed).map(|slot| &slot.thing)
    }

    /// Everything, gone or not, and the tokens: what a snapshot holds.
    pub(crate) fn contents(
        &self,
    ) -> (
        impl Iterator<Item = &Arc<Thing>>,
        impl Iterator<Item = (&String, &TokenRecord)>,
    ) {
        let slots = self.things.values().flat_map(BTreeMap::values);
        (slots.map(|slot| &slot.thing), self.tokens.iter())
    }

    /// How many changes a snapshot of it would hold.
    pub(crate) fn size(&self) -> usize {
        1 + self.tokens.len() + self.things.values().map(BTreeMap::len).sum::<usize>()
    }

    /// Adds a thing, or puts it in place of what it was.
    pub(crate) fn put(&mut self, thing: &Arc<Thing>) {
        let (kind, id) = (thing.kind(), thing.id.clone());
        let slot = Slot {
            thing: Arc::clone(thing),
            indexed: true,
        };
        let things = self.things.entry(kind).or_default();
        if let Some(old) = things.insert(id.clone(), slot) {
            if old.indexed {
                self.unindex(&old.thing);
            }
            self.disown(&old.thing);
        }
        self.record.next_serial = self.record.next_serial.max(thing.serial + 1);
        if let Some(at) = thing.gone_at {
            self.going.insert((at, kind, id.clone()));
        }
        if let Some(by_owner) = self.by_owner.get_mut() {
            for owner in thing.owners() {
                let key = (kind, owner);
                by_owner.entry(key).or_default().insert(id.clone());
            }
        }
        if let Some(by_token) = self.by_token.get_mut() {
            note_token(by_token, thing);
        }
        self.index(thing);
    }

    fn by_token(&self) -> &ByToken {
        self.by_token.get_or_init(|| {
            let mut by_token = ByToken::default();
            for slot in self.things.values().flat_map(BTreeMap::values) {
                note_token(&mut by_token, &slot.thing);
            }
            by_token
        })
    }

    fn by_owner(&self) -> &FxHashMap<(Kind, Owner), BTreeSet<ResourceId>> {
        self.by_owner.get_or_init(|| {
            let mut by_owner: FxHashMap<_, Vec<ResourceId>> = FxHashMap::default();
            for (kind, things) in &self.things {
                for (id, slot) in things {
                    for owner in slot.thing.owners() {
                        let ids = by_owner.entry((*kind, owner)).or_default();
                        ids.push(id.clone());
                    }
                }
            }
            let sets = by_owner.into_iter();
            sets.map(|(key, ids)| (key, ids.into_iter().collect()))
                .collect()
        })
    }

    /// The addresses of a machine that are not gone.
    pub(crate) fn addresses(&self, machine: &ResourceId) -> impl Iterator<Item = &Arc<Thing>> {
        let ids = self.addresses.get(machine);
        let ids = ids.into_iter().flatten();
        ids.filter_map(|id| self.get(Kind::Address, id))
    }

    /// Brings the indexes up to the time: what is gone counts for nothing.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        while let Some((_, kind, id)) = pop_due(&mut self.going, now) {
            let slot = self
                .things
                .get_mut(&kind)
                .and_then(|things| things.get_mut(&id));
            let Some(slot) = slot.filter(|slot| slot.indexed && slot.thing.is_gone(now)) else {
                continue;
            };
            slot.indexed = false;
            let thing = Arc::clone(&slot.thing);
            self.unindex(&thing);
            if let Some(at) = thing.forgotten_at() {
                self.fading.insert((at, kind, id));
            }
        }
        while let Some((_, kind, id)) = pop_due(&mut self.fading, now) {
            let things = self.things.entry(kind).or_default();
            if things.get(&id).is_some_and(|slot| !slot.indexed)
                && let Some(slot) = things.remove(&id)
            {
                self.disown(&slot.thing);
                if let Some(by_token) = self.by_token.get_mut() {
                    forget_token(by_token, &slot.thing);
                }
            }
        }
        while self.expiring.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((at, key)) = self.expiring.pop_first()
                && self
                    .tokens
                    .get(&key)
                    .is_some_and(|record| record.expires == at)
            {
                self.tokens.remove(&key);
            }
        }
    }

    /// What a token led to, if it is remembered.
    pub(crate) fn token(&self, kind: Kind, token: &Token, now: Timestamp) -> Option<TokenRecord> {
        if let Some(record) = self.tokens.get(&token_key(kind, token)) {
            return Some(record.clone());
        }
        let thing = self.by_token().get(&(kind, token.clone()))?;
        let expires = thing.remembered_until.filter(|until| *until > now)?;
        Some(TokenRecord {
            request: thing.request.clone(),
            kind,
            ids: vec![thing.id.clone()],
            expires,
            shortfall: None,
        })
    }

    /// Remembers what a token led to, where that is more than one thing.
    pub(crate) fn put_token(&mut self, key: String, record: TokenRecord) {
        self.expiring.insert((record.expires, key.clone()));
        self.tokens.insert(key, record);
    }

    /// The next free address of a subnet, `reserved` at its start and end left out.
    pub(crate) fn free_address(
        &self,
        subnet: &ResourceId,
        range: Ipv4Net,
        reserved: (u32, u32),
    ) -> Option<u32> {
        self.links().free_address(subnet, range, reserved)
    }

    fn index(&mut self, thing: &Thing) {
        if let Some(links) = self.links.get_mut() {
            links.add(thing);
        }
        if let Some(machine) = carrier(thing) {
            let addresses = self.addresses.entry(machine.clone());
            addresses.or_default().insert(thing.id.clone());
        }
        self.usage.add(&thing.spec);
    }

    fn unindex(&mut self, thing: &Thing) {
        if let Some(links) = self.links.get_mut() {
            links.remove(thing);
        }
        if let Some(machine) = carrier(thing)
            && let Some(addresses) = self.addresses.get_mut(machine)
        {
            addresses.remove(&thing.id);
        }
        self.usage.remove(&thing.spec);
    }

    fn disown(&mut self, thing: &Thing) {
        let Some(by_owner) = self.by_owner.get_mut() else {
            return;
        };
        for owner in thing.owners() {
            let key = (thing.kind(), owner);
            if let Some(ids) = by_owner.get_mut(&key) {
                ids.remove(&thing.id);
                if ids.is_empty() {
                    by_owner.remove(&key);
                }
            }
        }
    }

    /// How many more machines of an offer may be had; `None` is without bound.
    pub(crate) fn stock(
        &self,
        machine_type: &str,
        zone: &Name,
        capacity: CapacityKind,
    ) -> Option<u64> {
        let limit = self
            .record
            .trials
            .stock_limit(machine_type, zone, capacity)?;
        Some(limit.saturating_sub(self.usage.machines(machine_type, zone, capacity)))
    }
}

/// The key of what a token led to.
pub(crate) fn token_key(kind: Kind, token: &Token) -> String {
    format!("{kind}:{token}")
}

/// Notes the token that made a thing, unless it made another since, when it was forgotten.
fn note_token(by_token: &mut ByToken, thing: &Arc<Thing>) {
    let Some(token) = &thing.token else { return };
    let last = by_token.entry((thing.kind(), token.clone()));
    let last = last.or_insert_with(|| Arc::clone(thing));
    if last.serial <= thing.serial {
        *last = Arc::clone(thing);
    }
}

/// Forgets the token that made a thing, unless it made another since.
fn forget_token(by_token: &mut ByToken, thing: &Thing) {
    let Some(token) = &thing.token else { return };
    if let Entry::Occupied(last) = by_token.entry((thing.kind(), token.clone()))
        && last.get().id == thing.id
    {
        last.remove();
    }
}

/// The machine that an address is attached to.
const fn carrier(thing: &Thing) -> Option<&ResourceId> {
    match &thing.spec {
        Spec::Address(address) => address.attach.as_ref(),
        _ => None,
    }
}

fn pop_due(
    queue: &mut BTreeSet<(Timestamp, Kind, ResourceId)>,
    now: Timestamp,
) -> Option<(Timestamp, Kind, ResourceId)> {
    if queue.first().is_some_and(|(at, ..)| *at <= now) {
        queue.pop_first()
    } else {
        None
    }
}
