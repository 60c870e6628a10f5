//! Fleets: members are interchangeable, so they are compared by count and by spec.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use strat_model::{Addr, Field, Means, Name, Resource, ResourceState, Spec, Transition};

use super::compare::Delta;
use super::single::{ASKED, LEFT, list, of_topology};
use super::value::{resource_value, spec_value};
use super::{Differ, change, target};
use crate::left::{Reason, Refused};
use crate::plan::{Action, Cause, Change};
use crate::{Entry, Goal, Scale, View, claims};

/// A member, and in what it differs from the goal of its zone.
struct Member<'a> {
    resource: &'a Resource,
    deltas: Vec<Delta>,
    verdict: Verdict,
    /// Whether a person asked for it to be made anew.
    asked: bool,
    /// What differs beyond its fields and stays so.
    refused: Option<Refused>,
}

/// What a member needs; the order is that in which members are worth keeping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Keep,
    Update,
    Replace,
}

/// Members that need the same thing done for the same reason.
type Groups<'a> = BTreeMap<(Action, Vec<Field>, u8, bool), Vec<(usize, Member<'a>)>>;

impl<'a> Differ<'a> {
    /// Compares a fleet at a site, zone by zone.
    pub(super) fn fleet(&mut self, addr: &'a Addr, entry: &'a Entry, found: &[&'a Resource]) {
        let mut by_zone: BTreeMap<Option<&Name>, Vec<&Resource>> = BTreeMap::new();
        let mut excess: Vec<&Resource> = Vec::new();
        let scale = self.desired.scales.get(&addr.local);
        for resource in found {
            if scale.is_some_and(|scale| scale.lets_go(&addr.site, &resource.id)) {
                excess.push(resource);
            } else {
                by_zone.entry(resource.zone()).or_default().push(resource);
            }
        }
        self.drain_members(addr, scale, found);
        let mut missing = Vec::new();
        let mut groups = Groups::new();
        let mut left = vec![0; entry.goals.len()];
        // First whoever is of a goal's size already; then, where there are too few, the others.
        for sized in [true, false] {
            for (number, goal) in entry.goals.iter().enumerate() {
                if sized {
                    left[number] = goal.count;
                }
                let Some(here) = by_zone.get_mut(&goal.zone()) else {
                    continue;
                };
                let mine: Vec<&Resource>;
                (mine, *here) = std::mem::take(here)
                    .into_iter()
                    .partition(|resource| !sized || is_of_size(resource, goal));
                // Once for all members, not once for each.
                let digest = goal.digest();
                let mut members: Vec<_> = mine
                    .into_iter()
                    .map(|r| self.member(addr, entry, goal, &digest, r))
                    .collect();
                members.sort_by(|a, b| {
                    // Of those too many, rather what cannot go now: what can be reached stays.
                    let unseen = |one: &Member<'_>| one.resource.state == ResourceState::Unseen;
                    let keys = |one| (unseen(one), one.verdict);
                    keys(a)
                        .cmp(&keys(b))
                        .then_with(|| a.resource.id.cmp(&b.resource.id))
                });
                let keep = members.len().min(left[number] as usize);
                here.extend(members.split_off(keep).into_iter().map(|m| m.resource));
                left[number] -= u32::try_from(keep).unwrap_or(left[number]);
                self.group(addr, (goal, &digest), number, members, &mut groups);
            }
        }
        // What is not looked at counts as there, in whatever zone: no other is made for it.
        let others = by_zone.values().flatten().chain(&excess);
        let mut unseen = others
            .filter(|one| one.state == ResourceState::Unseen)
            .count();
        for (goal, short) in entry.goals.iter().zip(left) {
            let covered = unseen.min(short as usize);
            unseen -= covered;
            let short = short - u32::try_from(covered).unwrap_or(short);
            if short > 0 {
                missing.push(Arc::new(Goal {
                    count: short,
                    ..Goal::clone(goal)
                }));
            }
        }
        excess.extend(by_zone.into_values().flatten());
        let (renamed, excess): (Vec<&Resource>, Vec<&Resource>) = excess
            .into_iter()
            .partition(|one| self.former(addr, one).is_some());
        self.only_rename(addr, &renamed, "that those too many go");
        self.create_members(addr, entry, missing, found.len());
        for ((action, ..), members) in groups {
            let change = self.change_members(addr, entry, action, &members);
            self.changes.push(change);
        }
        self.delete_members(addr, entry, &excess);
    }

    fn member(
        &self,
        addr: &Addr,
        entry: &Entry,
        goal: &Goal,
        digest: &str,
        resource: &'a Resource,
    ) -> Member<'a> {
        let mut deltas = self.deltas(addr, entry, goal, resource);
        let failed = resource.state == ResourceState::Failed;
        let asked = self.is_asked(addr, resource) || self.leaves(entry, resource).is_some();
        let stays = resource.departs() && resource.stays_departed().is_some();
        let refused = match stays && !failed {
            true => self.refuse(addr, goal, resource, &mut deltas),
            false => None,
        };
        let verdict = if resource.state == ResourceState::Unseen {
            Verdict::Keep
        } else if failed || asked || self.remakes(addr, goal, resource, &deltas) {
            Verdict::Replace
        } else if !deltas.is_empty()
            || self.former(addr, resource).is_some()
            || !self.mark_is_current(entry, goal, digest, resource)
        {
            Verdict::Update
        } else {
            Verdict::Keep
        };
        Member {
            resource,
            deltas,
            verdict,
            asked,
            refused,
        }
    }

    /// Whether a member cannot become what its goal says at all; that is withheld then.
    fn is_refused(&mut self, addr: &Addr, goal: &Goal, member: &Member<'_>) -> bool {
        let failed = member.resource.state == ResourceState::Failed;
        let takes = self.transition(addr, goal, member.resource, &member.deltas);
        let Means::Refused { why } = takes.means else {
            return false;
        };
        if failed {
            return false;
        }
        let why = format!("its {} cannot be changed: {why}", list(&member.deltas));
        self.withheld.insert(Reason::from(why).of(addr));
        true
    }

    fn group(
        &mut self,
        addr: &'a Addr,
        (goal, digest): (&Goal, &str),
        number: usize,
        members: Vec<Member<'a>>,
        groups: &mut Groups<'a>,
    ) {
        let mut renamed = Vec::new();
        for mut member in members {
            let refused = member.refused.take();
            self.refused
                .extend(refused.filter(|_| member.verdict != Verdict::Replace));
            let is_renamed = self.former(addr, member.resource).is_some();
            if is_renamed && member.verdict == Verdict::Replace {
                renamed.push(member.resource);
                continue;
            }
            let action = match member.verdict {
                Verdict::Keep => {
                    self.unchanged += 1;
                    continue;
                }
                Verdict::Update => Action::Update,
                Verdict::Replace if self.is_refused(addr, goal, &member) => continue,
                Verdict::Replace if !self.may_end(addr, member.resource) => continue,
                Verdict::Replace => Action::Replace,
            };
            let fields = member.deltas.iter().map(|delta| delta.field).collect();
            let cause = self.member_cause(addr, digest, &member) as u8;
            groups
                .entry((action, fields, cause, is_renamed))
                .or_default()
                .push((number, member));
        }
        self.only_rename(addr, &renamed, "that they are made anew");
    }

    fn create_members(
        &mut self,
        addr: &'a Addr,
        entry: &Entry,
        missing: Vec<Arc<Goal>>,
        found: usize,
    ) {
        let count: u32 = missing.iter().map(|goal| goal.count).sum();
        let Some(first) = missing.first() else { return };
        let (want, found) = (entry.count(), u32::try_from(found).unwrap_or(u32::MAX));
        let seen = self.inventory.sites.get(&addr.site);
        let gone = seen.map_or(0, |seen| claims::gone(seen, addr));
        let ended = seen.and_then(|seen| claims::ended(seen, addr));
        let lost = self.applied(addr).max(found + gone);
        let lost = lost.min(want).saturating_sub(found);
        let (cause, reason) = if lost > 0 {
            (Cause::Drift, lost_members(lost, want, ended))
        } else if found == 0 {
            (
                Cause::Topology,
                format!("the topology wants {want} here and there is none yet"),
            )
        } else {
            (
                Cause::Topology,
                format!("the topology wants {want} here and there are {found}"),
            )
        };
        let reason = match self.desired.scales.get(&addr.local) {
            Some(scale) => format!("{} wants {want} here and there are {found}", scale.by),
            None => reason,
        };
        let reason = match &entry.why {
            Some(why) => format!("{reason}; {why}"),
            None => reason,
        };
        let mut change = change(addr, Action::Create, cause, reason);
        change.count = count;
        change.after = with_zones(spec_value(&first.spec), &missing).into();
        change.goals = missing;
        change.protect = entry.protect;
        change.disposable = entry.disposable;
        change.depends_on.clone_from(&entry.depends_on);
        self.changes.push(change);
    }

    fn member_cause(&self, addr: &Addr, digest: &str, member: &Member<'_>) -> Cause {
        if member.resource.state == ResourceState::Failed {
            return Cause::Drift;
        }
        if member.asked {
            return Cause::Requested;
        }
        self.cause(&addr.site, digest, member.resource, &member.deltas)
    }

    fn change_members(
        &self,
        addr: &Addr,
        entry: &Entry,
        action: Action,
        members: &[(usize, Member<'a>)],
    ) -> Change {
        let (number, first) = &members[0];
        let goal = &entry.goals[*number];
        let cause = self.member_cause(addr, &goal.digest(), first);
        let what = list(&first.deltas);
        let reason = match (cause, action) {
            _ if first.resource.state == ResourceState::Failed => {
                "the cloud reports it as failed".to_owned()
            }
            (Cause::Requested, _) => match self.leaves(entry, first.resource) {
                Some(why) if !self.is_asked(addr, first.resource) => why.to_owned(),
                _ => ASKED.to_owned(),
            },
            (Cause::Drift, _) => format!("its {what} was changed behind Stratiform's back"),
            (Cause::Interrupted, _) => LEFT.to_owned(),
            (Cause::Dependency, _) => format!("what its {what} refers to is made anew"),
            _ if first.deltas.is_empty() => "only its mark is out of date".to_owned(),
            (_, Action::Replace) => {
                format!("the topology changed its {what}, which cannot be changed in place")
            }
            _ => format!(
                "the topology changed its {}",
                list(&of_topology(&first.deltas))
            ),
        };
        let pure = first.deltas.is_empty();
        let reason = self.with_former(addr, first.resource, reason, pure);
        let mut change = change(addr, action, cause, reason);
        change.count = u32::try_from(members.len()).unwrap_or(u32::MAX);
        change.before = resource_value(first.resource, |id| self.name_of(&addr.site, id)).into();
        change.after = View::of_goal(Arc::clone(goal));
        change.fields = self.field_changes(addr, goal, first.resource, &first.deltas);
        change.transition = Some(match action {
            Action::Replace => Transition::by(Means::Recreate),
            _ => self.transition(addr, goal, first.resource, &first.deltas),
        });
        if action == Action::Replace {
            change.order = Some(self.order(goal, first.resource));
            change.protected = members
                .iter()
                .any(|(_, m)| self.is_protected(entry, m.resource));
        }
        for (number, member) in members {
            let mut target = target(member.resource, *number);
            target.fields = member.deltas.iter().map(|delta| delta.field).collect();
            target.start = target.fields.contains(&Field::Power);
            change.targets.push(target);
        }
        change.goals = counted(&entry.goals, members);
        change.protect = entry.protect;
        change.disposable = entry.disposable;
        change.depends_on.clone_from(&entry.depends_on);
        change
    }

    /// Writes into members' marks since when they drain, and for whom, or that they no longer do. All
    /// that says the same is one change.
    fn drain_members(&mut self, addr: &'a Addr, scale: Option<&Scale>, found: &[&'a Resource]) {
        let Some(scale) = scale.filter(|scale| !scale.drains.is_empty()) else {
            return;
        };
        let mut notes: BTreeMap<&str, Vec<&Resource>> = BTreeMap::new();
        for resource in found {
            let key = (addr.site.clone(), resource.id.clone());
            let Some(note) = scale.drains.get(&key) else {
                continue;
            };
            let mark = resource.mark.as_ref();
            let noted = mark.and_then(|mark| mark.notes.get(&Field::Drain));
            if noted != Some(note) {
                notes.entry(note).or_default().push(resource);
            }
        }
        for (note, members) in notes {
            let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
            let reason = format!("{} has {count} drained or put back to work", scale.by);
            let mut change = change(addr, Action::Update, Cause::Topology, reason);
            change.count = count;
            change.drains = Some(note.to_owned());
            let value = resource_value(members[0], |id| self.name_of(&addr.site, id));
            change.before = value.clone().into();
            change.after = value.into();
            change.targets = members.iter().map(|one| target(one, 0)).collect();
            self.changes.push(change);
        }
    }

    fn delete_members(&mut self, addr: &'a Addr, entry: &Entry, excess: &[&'a Resource]) {
        let excess = excess.iter().copied();
        let excess: Vec<&Resource> = excess.filter(|one| self.may_end(addr, one)).collect();
        let Some(first) = excess.first() else { return };
        let (want, count) = (
            entry.count(),
            u32::try_from(excess.len()).unwrap_or(u32::MAX),
        );
        let reason = match self.desired.scales.get(&addr.local) {
            Some(scale) => format!("{} lets {count} go", scale.by),
            None => format!(
                "the topology wants {want} here; {count} too many, or in a zone where none is wanted"
            ),
        };
        let mut change = change(addr, Action::Delete, Cause::Topology, reason);
        change.count = count;
        change.before = resource_value(first, |id| self.name_of(&addr.site, id)).into();
        change.targets = excess.iter().map(|resource| target(resource, 0)).collect();
        change.targets.sort_by(|a, b| a.id.cmp(&b.id));
        change.protected = excess
            .iter()
            .any(|r| r.mark.as_ref().is_some_and(|mark| mark.protect));
        self.changes.push(change);
    }
}

/// Whether a machine is of a goal's type, bought in the goal's way.
fn is_of_size(resource: &Resource, goal: &Goal) -> bool {
    match (&resource.spec, &goal.spec) {
        (Spec::Machine(is), Spec::Machine(goal)) => {
            (&is.machine_type, is.capacity) == (&goal.machine_type, goal.capacity)
        }
        _ => true,
    }
}

/// The goals with the counts that this change brings to each.
fn counted(goals: &[Arc<Goal>], members: &[(usize, Member<'_>)]) -> Vec<Arc<Goal>> {
    let mut counts = vec![0_u32; goals.len()];
    for (number, _) in members {
        counts[*number] += 1;
    }
    let counted = goals.iter().zip(counts).map(|(goal, count)| {
        Arc::new(Goal {
            count,
            ..Goal::clone(goal)
        })
    });
    counted.collect()
}

/// A member's fields, with how many there are in each zone instead of one zone.
fn with_zones(mut value: serde_json::Map<String, Value>, goals: &[Arc<Goal>]) -> Value {
    let mut zones: BTreeMap<String, u32> = BTreeMap::new();
    for goal in goals {
        if let Some(zone) = goal.zone() {
            *zones.entry(zone.to_string()).or_default() += goal.count;
        }
    }
    value.remove("zone");
    value.insert("zones".to_owned(), json!(zones));
    value.into()
}

/// What became of members that are not there any more, `ended` of them by their cloud's own doing.
fn lost_members(lost: u32, want: u32, ended: Option<(u32, &str)>) -> String {
    let verb = |count: u32| if count == 1 { "was" } else { "were" };
    let (was, behind) = (verb(lost), "deleted behind Stratiform's back");
    match ended {
        None => format!("{lost} of {want} {was} {behind}"),
        Some((ended, why)) if ended >= lost => {
            format!("{lost} of {want} {was} ended by the cloud: {why}")
        }
        Some((ended, why)) => {
            let (rest, are) = (lost - ended, verb(ended));
            format!("{ended} of {want} {are} ended by the cloud: {why}; {rest} {behind}")
        }
    }
}
