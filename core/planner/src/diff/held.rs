//! What is left alone because nobody can tell whose, or what, it is, and what depends on it.

use rustc_hash::FxHashSet;
use strat_model::{Addr, Kind, MissedState, Name, Noun, Resource, ResourceId, ResourceState, Spec};

use super::Differ;
use crate::left::Reason;
use crate::lower::attachment;
use crate::{Dependency, Entry};

/// The addresses that are left alone, and the real things that they use.
#[derive(Debug, Default)]
pub(super) struct Held<'a> {
    addrs: FxHashSet<&'a Addr>,
    /// What is there of them, and all that it is in: nothing of this is deleted or made anew.
    needed: FxHashSet<(&'a Name, &'a ResourceId)>,
}

impl<'a> Differ<'a> {
    /// Finds out what is left alone, and says so.
    pub(super) fn hold(&mut self) {
        let index = self.index;
        for (addr, why) in index.all_held() {
            // Placement has said so of these already.
            if !self.desired.withheld.contains_key(&addr.local) {
                self.withheld.insert(why.clone().of(addr));
            }
            self.held.addrs.insert(addr);
        }
        for stranger in index.strangers() {
            let (kind, id) = (stranger.resource.kind(), &stranger.resource.id);
            let addr = stranger.resource.mark.as_ref().map(|mark| &mark.addr);
            let addr = addr.map_or_else(String::new, |addr| format!(" of {addr}"));
            let why = format!("it carries the mark{addr} and is not it: {}", stranger.why);
            let what = format!("{kind} {id} at {}", stranger.site);
            self.withheld.insert(Reason::from(why).of(&what));
        }
        for (addr, why) in &self.edits.taken {
            self.withheld.insert(Reason::from(why).of(addr));
            self.held.addrs.insert(addr);
        }
        let mut lost = self.hold_lost();
        let unseen = self.inventory.resources();
        lost.extend(unseen.filter(|(_, one)| one.state == ResourceState::Unseen));
        if self.held.addrs.is_empty() && self.desired.withheld.is_empty() && lost.is_empty() {
            return;
        }
        self.hold_dependents();
        self.hold_needed(lost);
    }

    /// Takes out of the changes what is, or has a copy, where nobody looks now, and says so: the copy
    /// would stay as it was, and be taken for what is meant once it is looked at again.
    pub(super) fn hold_unseen(&mut self) {
        let (index, mut changes) = (self.index, std::mem::take(&mut self.changes));
        changes.retain_mut(|change| {
            if change.targets.is_empty() {
                return true;
            }
            let before = change.targets.len();
            change.targets.retain(|target| {
                let why = index
                    .by_id(&change.site, &target.id)
                    .and_then(Resource::unseen);
                if let Some(why) = why {
                    let why = format!("{} is left as it is: {why}", target.id);
                    self.withheld.insert(Reason::from(why).of(&change.addr));
                }
                why.is_none()
            });
            let left = before - change.targets.len();
            change.count -= u32::try_from(left).unwrap_or_default().min(change.count);
            !change.targets.is_empty()
        });
        self.changes = changes;
    }

    /// What is not there and has a thing without a mark by its name is left alone, before anything that
    /// depends on it is compared with one that would be made anew. Gives those things.
    fn hold_lost(&mut self) -> Vec<(&'a Name, &'a Resource)> {
        let (index, desired) = (self.index, self.desired);
        if !index.has_unmarked() {
            return Vec::new();
        }
        let mut all = Vec::new();
        for addr in desired.entries.keys() {
            let may_be = addr.local.noun != Noun::Machines
                && index.at(addr).is_empty()
                && !self.held.addrs.contains(addr);
            let Some(lost) = may_be.then(|| self.unmarked(addr)).flatten() else {
                continue;
            };
            let id = &lost.id;
            let why = format!("{id} has its name and no mark; if it is it, adopt {id} as {addr}");
            self.withheld.insert(Reason::from(why).of(addr));
            self.held.addrs.insert(addr);
            all.push((&addr.site, lost));
        }
        all
    }

    /// What refers to something that is left alone, or depends on it, is left alone too.
    fn hold_dependents(&mut self) {
        let desired = self.desired;
        loop {
            let mut more = Vec::new();
            for (addr, entry) in &desired.entries {
                if self.held.addrs.contains(addr) {
                    continue;
                }
                if let Some(of) = self.held_dependency(entry) {
                    more.push((addr, format!("{of} is withheld, and it depends on that")));
                }
            }
            if more.is_empty() {
                return;
            }
            for (addr, why) in more {
                self.withheld.insert(Reason::from(why).of(addr));
                self.held.addrs.insert(addr);
            }
        }
    }

    fn held_dependency(&self, entry: &Entry) -> Option<String> {
        let held = |addr: &Addr| {
            self.held.addrs.contains(addr) || self.desired.withheld.contains_key(&addr.local)
        };
        let mut found = None;
        for goal in &entry.goals {
            goal.spec.for_each_ref(|of| {
                if found.is_none() && held(of) {
                    found = Some(of.to_string());
                }
            });
        }
        let mut before = entry.depends_on.iter();
        found.or_else(|| {
            let waits = before.find(|dependency| match dependency {
                Dependency::One(addr) => held(addr),
                Dependency::All(all) => {
                    let mut addrs = self.held.addrs.iter();
                    addrs.any(|addr| dependency.covers(addr))
                        || self.desired.withheld.contains_key(all)
                }
            });
            waits.map(ToString::to_string)
        })
    }

    /// What is left alone uses what it is in, and so on.
    fn hold_needed(&mut self, lost: Vec<(&'a Name, &'a Resource)>) {
        let index = self.index;
        let mut open = lost;
        for addr in &self.held.addrs {
            open.extend(index.at(addr).iter().map(|found| (&addr.site, *found)));
        }
        for (site, seen) in &self.inventory.sites {
            let there = seen.missed.iter();
            let there = there.filter(|missed| missed.state != MissedState::Gone);
            let there = there.filter_map(|missed| index.by_id(site, &missed.id));
            open.extend(there.map(|found| (site, found)));
        }
        // What is attached to a machine that is left alone stays so.
        let machines: FxHashSet<_> = open.iter().map(|(site, one)| (*site, &one.id)).collect();
        for (addr, found) in index.addrs() {
            let attached = found.iter().filter(|one| {
                let to = attachment(&one.spec);
                to.is_some_and(|to| machines.contains(&(&addr.site, to)))
            });
            open.extend(attached.map(|one| (&addr.site, *one)));
        }
        while let Some((site, resource)) = open.pop() {
            if !self.held.needed.insert((site, &resource.id)) {
                continue;
            }
            resource.spec.for_each_ref(|id| {
                open.extend(index.by_id(site, id).map(|found| (site, found)));
            });
        }
    }

    /// Whether an address is left alone.
    pub(super) fn is_held(&self, addr: &Addr) -> bool {
        self.held.addrs.contains(addr)
    }

    /// Whether a thing may be deleted or made anew; where it may not, the plan says why.
    pub(super) fn may_end(&mut self, addr: &Addr, resource: &Resource) -> bool {
        let why = if let Some(why) = resource.unseen() {
            format!("{} is left as it is: {why}", resource.id)
        } else if self.held.needed.contains(&(&addr.site, &resource.id)) {
            "something that is withheld uses it, or it is attached to it".to_owned()
        } else if let Some(machine) = self.foreign_machine(addr, resource) {
            format!("it is attached to {machine}, which is not known to be the topology's")
        } else if resource.witness.is_held() {
            return true;
        } else {
            format!(
                "nothing but its mark says that {} is it, so it is neither deleted nor made anew; \
                 if it is it, adopt {} as {addr}",
                resource.id, resource.id
            )
        };
        self.withheld.insert(Reason::from(why).of(addr));
        false
    }

    /// The machine that a volume is attached to and that nothing says is ours: what runs on it may use
    /// the volume, and it may be ours and have lost its mark.
    fn foreign_machine(&self, addr: &Addr, resource: &Resource) -> Option<ResourceId> {
        let machine = attachment(&resource.spec).filter(|_| addr.kind() == Kind::Volume)?;
        let ours = self.index.addr_of(&addr.site, machine).is_some();
        let gone = self.index.by_id(&addr.site, machine);
        let going = gone.is_some_and(|one| one.mark.is_some());
        (!ours && !going).then(|| machine.clone())
    }

    /// Whether a thing is made anew that is known to have been there with what is gone with it.
    pub(super) fn loses_disks(&mut self, addr: &Addr, entry: &Entry) -> bool {
        let has_disks = entry.goals.iter().any(|goal| match &goal.spec {
            Spec::Machine(machine) => !machine.disks.is_empty(),
            _ => false,
        });
        if addr.kind() != Kind::Machine || !has_disks {
            return false;
        }
        let Some(missed) = self.missed(addr) else {
            return false;
        };
        let how = match &missed.why {
            Some(why) => format!("was ended by its cloud ({why})"),
            None => "was deleted behind Stratiform's back".to_owned(),
        };
        let why = format!(
            "{} {how}, and its disks with it; it is made anew with empty ones only if that is asked for",
            missed.id
        );
        self.withheld
            .insert(Reason::from(why).or_recreate(addr).of(addr));
        true
    }

    /// A thing that is known to have been at an address and is not there any more.
    pub(super) fn missed(&self, addr: &Addr) -> Option<&'a strat_model::Missed> {
        let seen = self.inventory.sites.get(&addr.site)?;
        let mut missed = seen.missed.iter();
        missed.find(|missed| missed.addr == *addr && missed.state == MissedState::Gone)
    }
}
