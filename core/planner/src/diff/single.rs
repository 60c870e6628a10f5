//! Things of which there is one at an address.

use std::sync::Arc;

use strat_model::{Addr, Field, Kind, Means, Name, Resource, ResourceState, Spec, Transition};

use super::compare::Delta;
use super::value::resource_value;
use super::{Differ, change, target};
use crate::left::Refused;
use crate::plan::{Action, Cause, Change, ReplaceOrder};
use crate::{Entry, Goal, View, resource_name};

/// Why something is made anew that is as it should be.
pub(super) const ASKED: &str = "it is to be made anew: that was asked for";

/// Why something is off, or let go, that is to be neither.
pub(super) const LEFT: &str = "a run that did not come to its end left it so";

/// Why a subnet stays wider than it is to be.
const WIDENED: &str =
    "it was made wider by hand, and to have it as it was, all that is in it would go";

impl<'a> Differ<'a> {
    /// Compares the one thing at an address.
    pub(super) fn single(&mut self, addr: &'a Addr, entry: &'a Entry, found: &[&'a Resource]) {
        let Some(goal) = entry.goals.first() else {
            return;
        };
        let Some((resource, leftovers)) = found.split_first() else {
            self.create_single(addr, entry, goal);
            return;
        };
        let mut deltas = self.deltas(addr, entry, goal, resource);
        let failed = resource.state == ResourceState::Failed;
        let refused = match failed {
            true => None,
            false => self.refuse(addr, goal, resource, &mut deltas),
        };
        // What the topology asks for and cannot be is left whole, mark included: it would tell as applied.
        if refused
            .as_ref()
            .is_some_and(|one| one.cause != Cause::Drift)
        {
            self.refused.extend(refused);
            return;
        }
        let takes = self.transition(addr, goal, resource, &deltas);
        let asked = self.is_asked(addr, resource);
        let ends = failed || asked || !takes.is_in_place();
        let renamed = self.renamed(addr, found);
        if !renamed.is_empty() && (ends || !leftovers.is_empty()) {
            let what = if leftovers.is_empty() {
                let forcing = self.forcing(addr, goal, resource, &deltas);
                let why = list(&forcing);
                format!("that it is made anew because of its {why}")
            } else {
                "that what an interrupted replacement left goes".to_owned()
            };
            self.only_rename(addr, &renamed, &what);
            return;
        }
        self.leftovers(addr, resource, leftovers);
        let attaches = deltas.iter().any(|delta| delta.field == Field::Attach);
        if (ends || (attaches && !resource.witness.is_held())) && !self.may_end(addr, resource) {
            return;
        }
        if failed {
            let mut change = self.replace(addr, entry, goal, resource, &deltas);
            change.cause = Cause::Drift;
            "the cloud reports it as failed".clone_into(&mut change.reason);
            self.changes.push(change);
        } else if ends {
            let mut change = self.replace(addr, entry, goal, resource, &deltas);
            if asked {
                change.cause = Cause::Requested;
                ASKED.clone_into(&mut change.reason);
            }
            self.changes.push(change);
        } else if !deltas.is_empty()
            || !renamed.is_empty()
            || !self.mark_is_current(entry, goal, &goal.digest(), resource)
        {
            let change = self.update(addr, entry, goal, resource, &deltas);
            self.changes.push(change);
        } else if refused.is_none() {
            self.unchanged += 1;
        }
        self.refused.extend(refused.filter(|_| !ends));
    }

    /// Whether a person asked for a thing to be made anew.
    pub(super) fn is_asked(&self, addr: &Addr, resource: &Resource) -> bool {
        let key = || (addr.site.clone(), resource.id.clone());
        !self.replace.is_empty() && self.replace.contains(&key())
    }

    /// Takes out of the deltas those that cannot be made good, and says which they are.
    pub(super) fn refuse(
        &self,
        addr: &Addr,
        goal: &Goal,
        resource: &Resource,
        deltas: &mut Vec<Delta>,
    ) -> Option<Refused> {
        let mut why = None;
        let refused = deltas.extract_if(.., |delta| {
            let takes = self.transition(addr, goal, resource, std::slice::from_ref(delta));
            match takes.means {
                Means::Refused { why: of } => {
                    why.get_or_insert(of);
                    true
                }
                Means::Recreate if self.was_widened(addr, goal, resource, delta) => {
                    why.get_or_insert_with(|| WIDENED.to_owned());
                    true
                }
                _ => false,
            }
        });
        let refused: Vec<Delta> = refused.collect();
        // Nearly always nothing: no digest is made for that.
        let why = why?;
        Some(Refused {
            addr: addr.clone(),
            id: resource.id.clone(),
            cause: self.cause(&addr.site, &goal.digest(), resource, &refused),
            fields: self.field_changes(addr, goal, resource, &refused),
            why,
        })
    }

    /// Whether a subnet differs in that somebody made it wider by hand, which some clouds do while machines
    /// are in it. To have it as it was, all that is in it would go.
    fn was_widened(&self, addr: &Addr, goal: &Goal, resource: &Resource, delta: &Delta) -> bool {
        let (Spec::Subnet(wanted), Spec::Subnet(is)) = (&goal.spec, &resource.spec) else {
            return false;
        };
        let deltas = std::slice::from_ref(delta);
        delta.field == Field::Cidr
            && is.cidr.contains(&wanted.cidr)
            && self.cause(&addr.site, &goal.digest(), resource, deltas) == Cause::Drift
    }

    fn create_single(&mut self, addr: &'a Addr, entry: &Entry, goal: &Arc<Goal>) {
        if self.loses_disks(addr, entry) {
            return;
        }
        self.remade.insert(addr);
        let missed = self.missed(addr);
        let (cause, reason) = match missed.and_then(|missed| missed.why.as_deref()) {
            Some(why) => (Cause::Drift, format!("its cloud ended it: {why}")),
            None if missed.is_some() || self.applied(addr) > 0 => {
                let reason = "it was deleted behind Stratiform's back".to_owned();
                (Cause::Drift, reason)
            }
            None => {
                let reason = "it is in the topology and not there yet".to_owned();
                (Cause::Topology, reason)
            }
        };
        let mut change = change(addr, Action::Create, cause, reason);
        change.after = View::of_goal(Arc::clone(goal));
        change.goals = vec![Arc::clone(goal)];
        change.protect = entry.protect;
        change.disposable = entry.disposable;
        change.depends_on.clone_from(&entry.depends_on);
        self.changes.push(change);
    }

    /// A thing without a mark whose name is the one that this address's first thing has.
    pub(super) fn unmarked(&self, addr: &Addr) -> Option<&'a Resource> {
        let name = resource_name(&self.desired.owner, addr, 1);
        let lost = self.index.unmarked(&addr.site, &name);
        lost.into_iter().find(|found| found.kind() == addr.kind())
    }

    /// Whether the mark says what the goal says. Where it does not, and nothing else differs, the
    /// mark alone is written.
    ///
    /// `digest` is the goal's: many things may share one goal.
    pub(super) fn mark_is_current(
        &self,
        entry: &Entry,
        goal: &Goal,
        digest: &str,
        resource: &Resource,
    ) -> bool {
        resource.mark.as_ref().is_some_and(|mark| {
            let request = Field::Request;
            mark.owner == self.desired.owner
                && mark.spec == digest
                && mark.protect == entry.protect
                && mark.disposable == entry.disposable
                && mark.notes.get(&request) == goal.notes.get(&request)
                && mark.notes.get(&Field::Labels) == goal.notes.get(&Field::Labels)
        })
    }

    fn update(
        &self,
        addr: &Addr,
        entry: &Entry,
        goal: &Arc<Goal>,
        resource: &Resource,
        deltas: &[Delta],
    ) -> Change {
        let cause = self.cause(&addr.site, &goal.digest(), resource, deltas);
        let reason = match cause {
            _ if deltas.is_empty() => "only its mark is out of date".to_owned(),
            Cause::Drift => "it was changed behind Stratiform's back".to_owned(),
            Cause::Dependency => "what it refers to is made anew".to_owned(),
            Cause::Interrupted => LEFT.to_owned(),
            Cause::Topology | Cause::Requested => {
                format!("the topology changed its {}", list(&of_topology(deltas)))
            }
        };
        let reason = self.with_former(addr, resource, reason, deltas.is_empty());
        let mut change = change(addr, Action::Update, cause, reason);
        self.fill(&mut change, entry, goal, resource, deltas);
        change
    }

    fn replace(
        &mut self,
        addr: &'a Addr,
        entry: &Entry,
        goal: &Arc<Goal>,
        resource: &Resource,
        deltas: &[Delta],
    ) -> Change {
        self.remade.insert(addr);
        let forcing = self.forcing(addr, goal, resource, deltas);
        let cause = self.cause(&addr.site, &goal.digest(), resource, &forcing);
        let why = list(&forcing);
        let reason = match cause {
            Cause::Drift => format!(
                "its {why} was changed behind Stratiform's back and cannot be changed in place"
            ),
            Cause::Dependency => format!("what its {why} refers to is made anew"),
            Cause::Topology | Cause::Interrupted | Cause::Requested => {
                format!("the topology changed its {why}, which cannot be changed in place")
            }
        };
        let reason = if addr.kind() == Kind::Keypair {
            format!("{reason}; a key counts at the first boot: machines that run keep theirs")
        } else {
            reason
        };
        let mut change = change(addr, Action::Replace, cause, reason);
        self.fill(&mut change, entry, goal, resource, deltas);
        change.protected = self.is_protected(entry, resource);
        let order = self.order(goal, resource);
        if order == ReplaceOrder::DestroyFirst {
            self.destroy_first.insert(addr);
        }
        change.order = Some(order);
        change
    }

    fn fill(
        &self,
        change: &mut Change,
        entry: &Entry,
        goal: &Arc<Goal>,
        resource: &Resource,
        deltas: &[Delta],
    ) {
        let addr = change.addr.clone();
        change.before = resource_value(resource, |id| self.name_of(&addr.site, id)).into();
        change.after = View::of_goal(Arc::clone(goal));
        change.fields = self.field_changes(&addr, goal, resource, deltas);
        let takes = match change.action {
            Action::Replace => Transition::by(Means::Recreate),
            _ => self.transition(&addr, goal, resource, deltas),
        };
        let mut target = target(resource, 0);
        target.fields = deltas.iter().map(|delta| delta.field).collect();
        target.start = target.fields.contains(&Field::Power);
        if takes.stops() || target.start {
            let rollout = self.desired.rollouts.get(&addr.local);
            change.health = rollout.and_then(|rollout| rollout.health.clone());
        }
        change.transition = Some(takes);
        change.targets = vec![target];
        change.goals = vec![Arc::clone(goal)];
        change.protect = entry.protect;
        change.disposable = entry.disposable;
        change.depends_on.clone_from(&entry.depends_on);
    }

    /// Whether a protection forbids deleting a thing: the one on the thing itself counts even
    /// when the topology has lifted it, until an apply has written that.
    pub(super) fn is_protected(&self, entry: &Entry, resource: &Resource) -> bool {
        entry.protect || resource.mark.as_ref().is_some_and(|mark| mark.protect)
    }

    /// The new one first, unless both cannot be at once: two subnets of one network with
    /// overlapping ranges, or in something that itself goes first.
    pub(super) fn order(&self, goal: &Goal, resource: &Resource) -> ReplaceOrder {
        if let (Spec::Subnet(want), Spec::Subnet(is)) = (&goal.spec, &resource.spec) {
            let overlap = want.cidr.contains(&is.cidr) || is.cidr.contains(&want.cidr);
            if overlap && !self.remade.contains(&want.network) {
                return ReplaceOrder::DestroyFirst;
            }
        }
        let mut first = false;
        goal.spec
            .for_each_ref(|reference| first |= self.destroy_first.contains(reference));
        if first {
            ReplaceOrder::DestroyFirst
        } else {
            ReplaceOrder::CreateFirst
        }
    }

    /// Older things at an address that has a newer one: an interrupted replacement left them. They go
    /// once their successor does their work; the step that deletes waits for one that is being made.
    fn leftovers(&mut self, addr: &'a Addr, newest: &Resource, leftovers: &[&'a Resource]) {
        let fails = matches!(
            newest.state,
            ResourceState::Failed | ResourceState::Deleting
        );
        if leftovers.is_empty() || fails {
            return;
        }
        if !leftovers.iter().all(|old| self.may_end(addr, old)) {
            return;
        }
        let reason = "an interrupted replacement left it; its successor is there";
        let mut change = change(addr, Action::Delete, Cause::Interrupted, reason);
        change.count = u32::try_from(leftovers.len()).unwrap_or(u32::MAX);
        change.targets = leftovers
            .iter()
            .map(|resource| target(resource, 0))
            .collect();
        change.before = resource_value(leftovers[0], |id| self.name_of(&addr.site, id)).into();
        change.protected = leftovers
            .iter()
            .any(|r| r.mark.as_ref().is_some_and(|mark| mark.protect));
        self.changes.push(change);
    }
}

impl Differ<'_> {
    /// Where a difference comes from. What a run of ours shut down, let go or had not led to its way out yet
    /// before it broke off was changed by nobody else.
    pub(super) fn cause(
        &self,
        site: &Name,
        digest: &str,
        resource: &Resource,
        deltas: &[Delta],
    ) -> Cause {
        let ours =
            |delta: &Delta| matches!(delta.field, Field::Power | Field::Attach | Field::Internet);
        let set_up = |delta: &Delta| delta.field == Field::Setup;
        let left = || {
            let seen = self.inventory.sites.get(site);
            seen.is_some_and(|seen| seen.left.contains(&resource.id))
        };
        match cause(digest, resource, deltas) {
            Cause::Drift if deltas.iter().all(ours) && left() => Cause::Interrupted,
            Cause::Drift if deltas.iter().all(set_up) && resource.is_unfinished() => {
                Cause::Interrupted
            }
            other => other,
        }
    }
}

/// Where a difference comes from: the mark tells what the thing was last brought to. `digest` is
/// that of what it is to be brought to.
fn cause(digest: &str, resource: &Resource, deltas: &[Delta]) -> Cause {
    let current = resource
        .mark
        .as_ref()
        .is_some_and(|mark| mark.spec == digest);
    let waits = |delta: &Delta| delta.by_reference || delta.field == Field::UserData;
    let mark_alone = deltas.iter().all(|delta| delta.field.is_of_mark());
    // No topology says any of it.
    let setup_alone = deltas.iter().all(|delta| delta.field == Field::Setup);
    if mark_alone {
        Cause::Topology
    } else if setup_alone {
        Cause::Drift
    } else if current && deltas.iter().all(waits) {
        Cause::Dependency
    } else if current {
        Cause::Drift
    } else {
        Cause::Topology
    }
}

/// What of the differences a topology can have changed.
pub(super) fn of_topology(deltas: &[Delta]) -> Vec<Delta> {
    let deltas = deltas.iter().copied();
    deltas.filter(|delta| delta.field != Field::Setup).collect()
}

/// Field names in a sentence.
pub(super) fn list(deltas: &[Delta]) -> String {
    let names: Vec<_> = deltas.iter().map(|delta| delta.field.as_str()).collect();
    match names.as_slice() {
        [] => "mark".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
