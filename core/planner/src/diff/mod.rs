//! The difference between what is to be and what is.

mod addresses;
mod compare;
mod data;
mod ends;
mod finish;
mod fleet;
mod held;
mod leaving;
mod moved;
mod orphans;
mod references;
mod release;
mod renames;
mod single;
mod strangers;
mod tight;
mod value;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashSet;
use strat_model::{
    Addr, Inventory, Kind, LocalAddr, Name, Noun, Resource, ResourceId, SiteFacts, TemplatePart,
};

use crate::left::{Reason, Refused, Withheld};
use crate::plan::{Cause, Change, Mode, Plan, TargetRef};
use crate::{Desired, Edits, Entry, InventoryIndex, Target, View, unseen};

pub(crate) use data::is_noted_unattached;
pub(crate) use value::{field_value, spec_value};

/// What the last finished apply left: how many things at each address. It only ever explains a
/// difference; nothing is made or deleted because of it.
pub type Applied = BTreeMap<Addr, u32>;

/// What a plan is to be about.
#[derive(Debug, Clone, PartialEq)]
pub struct DiffOptions {
    /// What it is for.
    pub mode: Mode,
    /// Only these, and what they need; empty is everything.
    pub targets: Vec<Target>,
    /// Sites that are left out: nothing there is looked at, and the plan says so under "withheld".
    pub without: BTreeSet<Name>,
    /// The share of the existing things that may be deleted for good without explicit consent,
    /// from 0 to 1.
    pub delete_share_max: f64,
    /// Deletes of up to this many things never need an explicit consent.
    pub delete_free: u32,
    /// What a person said is the topology's: see [`claim`](crate::claim).
    pub edits: Edits,
    /// Only what a person said is the topology's is planned for.
    pub only_edits: bool,
    /// What is at these is let go, and nothing else is planned.
    pub release: Vec<Addr>,
    /// What the topology says that it has let go: it stays as it is, without its mark.
    pub removed: Vec<LocalAddr>,
    /// Things that are made anew because a person asked for it, by site and id.
    pub replace: BTreeSet<(Name, ResourceId)>,
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Apply,
            targets: Vec::new(),
            without: BTreeSet::new(),
            delete_share_max: 0.5,
            delete_free: 5,
            edits: Edits::default(),
            only_edits: false,
            release: Vec::new(),
            removed: Vec::new(),
            replace: BTreeSet::new(),
        }
    }
}

/// Compares what is to be with what is.
///
/// What a site did not show completely is neither created nor deleted: it is withheld, and the
/// plan says so. Only what carries this topology's mark is ever touched.
#[must_use]
pub fn diff(
    desired: &Desired,
    inventory: &Inventory,
    facts: &BTreeMap<Name, SiteFacts>,
    applied: Option<&Applied>,
    options: &DiffOptions,
) -> Plan {
    let inventory = &*unseen::left(inventory, &options.without);
    let index = InventoryIndex::new(inventory, &desired.owner);
    let mut facts = unseen::plannable(facts, inventory);
    if facts.keys().any(|site| options.without.contains(site)) {
        facts
            .to_mut()
            .retain(|site, _| !options.without.contains(site));
    }
    let mut differ = Differ {
        desired,
        inventory,
        facts: &facts,
        seen_whole: facts.keys().all(|site| unseen::is_whole(inventory, site)),
        applied,
        index: &index,
        changes: Vec::with_capacity(desired.entries.len()),
        withheld: BTreeSet::new(),
        refused: Vec::new(),
        held: held::Held::default(),
        remade: FxHashSet::default(),
        destroy_first: FxHashSet::default(),
        unchanged: 0,
        found: 0,
        mode: options.mode,
        filled: RefCell::default(),
        edits: &options.edits,
        removed: &options.removed,
        replace: &options.replace,
    };
    differ.blind_sites();
    differ.hold();
    for site in &options.without {
        let what = format!("what is at {site}");
        differ
            .withheld
            .insert(Reason::from("it is left out").of(&what));
    }
    if options.release.is_empty() {
        differ.entries();
        differ.removed();
        differ.orphans();
    } else {
        differ.release(&options.release, Cause::Requested);
    }
    differ.hold_unseen();
    differ.finish(options)
}

/// The work in progress of one [`diff`].
struct Differ<'a> {
    desired: &'a Desired,
    inventory: &'a Inventory,
    facts: &'a BTreeMap<Name, SiteFacts>,
    /// Whether everything was seen of all sites that have facts.
    seen_whole: bool,
    applied: Option<&'a Applied>,
    index: &'a InventoryIndex<'a>,
    changes: Vec<Change>,
    withheld: BTreeSet<Withheld>,
    /// What cannot be changed.
    refused: Vec<Refused>,
    held: held::Held<'a>,
    /// Addresses whose thing is made anew, or for the first time: what refers to them is to refer
    /// to the new one.
    remade: FxHashSet<&'a Addr>,
    /// Those of them whose old thing goes first.
    destroy_first: FxHashSet<&'a Addr>,
    unchanged: u32,
    /// At how many addresses something is that was compared.
    found: usize,
    mode: Mode,
    /// The places in the user data that was filled in last, by where they are in memory, and its
    /// note: the instances of a block may share what names many things.
    filled: RefCell<Option<(*const TemplatePart, String)>>,
    /// What a person said of things.
    edits: &'a Edits,
    /// What the topology has let go.
    removed: &'a [LocalAddr],
    /// What a person asked to be made anew.
    replace: &'a BTreeSet<(Name, ResourceId)>,
}

impl<'a> Differ<'a> {
    /// Compares every entry, in the order in which things depend on each other, so that a
    /// replacement is known before what refers to it is looked at.
    fn entries(&mut self) {
        let mut entries: Vec<_> = self.desired.entries.iter().collect();
        let rank = |kind| Kind::ALL.iter().position(|other| *other == kind);
        entries.sort_by_key(|(addr, _)| rank(addr.kind()));
        for (addr, entry) in entries {
            self.entry(addr, entry);
        }
    }

    fn entry(&mut self, addr: &'a Addr, entry: &'a Entry) {
        if self.is_unseen(addr, entry) {
            return;
        }
        let found = self.index.at(addr);
        self.found += usize::from(!found.is_empty());
        if self.is_held(addr) {
            return;
        }
        if addr.local.noun == Noun::Machines {
            self.fleet(addr, entry, found);
        } else {
            self.single(addr, entry, found);
        }
    }

    /// Whether too little was seen for a comparison; that is withheld then.
    fn is_unseen(&mut self, addr: &Addr, entry: &Entry) -> bool {
        if self.seen_whole {
            return false;
        }
        let (site, kind) = (&addr.site, addr.kind());
        if let Some(why) = unseen::partial(self.inventory, site, kind) {
            self.withhold(site, kind, why);
            return true;
        }
        let mut unseen = None;
        for goal in &entry.goals {
            goal.spec.for_each_ref(|of| {
                let why = unseen::partial(self.inventory, site, of.kind());
                unseen = unseen.or(why.map(|why| (of.kind(), why)));
            });
        }
        let Some((needed, why)) = unseen else {
            return false;
        };
        let why = format!("they refer to {}: {why}", needed.plural());
        self.withhold(site, kind, &why);
        true
    }

    fn withhold(&mut self, site: &Name, kind: Kind, why: &str) {
        let what = format!("{} at {site}", kind.plural());
        self.withheld.insert(Reason::from(why).of(&what));
    }

    /// Says of which sites nothing can be said.
    fn blind_sites(&mut self) {
        for site in self.inventory.sites.keys() {
            if !self.facts.contains_key(site) {
                let why = unseen::ground(self.inventory, site);
                let why = why.unwrap_or("it did not say what it can do");
                let what = format!("what is at {site}");
                self.withheld.insert(Reason::from(why).of(&what));
            }
        }
    }

    /// How many things the last finished apply left at an address.
    fn applied(&self, addr: &Addr) -> u32 {
        self.applied
            .and_then(|applied| applied.get(addr))
            .copied()
            .unwrap_or(0)
    }

    fn withheld(&self) -> Vec<Withheld> {
        let unseen = self.withheld.iter().cloned();
        let unplaced = self.desired.withheld.iter();
        let unplaced = unplaced.map(|(addr, why)| why.clone().of(addr));
        let strangers = strangers::strangers(self.inventory, &self.desired.owner);
        unplaced.chain(unseen).chain(strangers).collect()
    }
}

/// A target of a change, as it is now.
fn target(resource: &Resource, goal: usize) -> TargetRef {
    TargetRef::of(resource, goal)
}

/// An empty change, to be filled in.
fn change(
    addr: &Addr,
    action: crate::Action,
    cause: crate::Cause,
    reason: impl Into<String>,
) -> Change {
    Change {
        addr: addr.clone(),
        kind: addr.kind(),
        site: addr.site.clone(),
        action,
        count: 1,
        order: None,
        cause,
        reason: reason.into(),
        before: View::NOTHING,
        after: View::NOTHING,
        fields: Vec::new(),
        transition: None,
        health: None,
        drains: None,
        public_ips: false,
        protected: false,
        protect: false,
        disposable: false,
        targets: Vec::new(),
        goals: Vec::new(),
        depends_on: Arc::default(),
    }
}
