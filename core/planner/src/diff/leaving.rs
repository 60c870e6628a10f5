//! Members of fleets that are to leave their host, because it is to be emptied.
//!
//! They are made anew as in a rollout, the new one first. Their host takes nothing new, so what they free
//! there is room for nobody: as many go as find room at once beside all else that is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use strat_model::{Name, Noun, Resource, Spec};

use super::Differ;
use super::tight::Order;
use crate::left::Reason;
use crate::plan::{Action, Change};
use crate::room::Room;
use crate::{Entry, Goal};

impl<'a> Differ<'a> {
    /// Why a member is to leave its host. One that is protected stays.
    pub(super) fn leaves<'r>(&self, entry: &Entry, resource: &'r Resource) -> Option<&'r str> {
        let protected = self.is_protected(entry, resource);
        resource.leaves().filter(|_| !protected)
    }

    /// Whether a change only has members leave their host, which nobody asked for one by one.
    fn is_leave(&self, change: &Change) -> bool {
        let is_fleet = change.addr.local.noun == Noun::Machines;
        let leaves = |target: &crate::plan::TargetRef| {
            let resource = self.index.by_id(&change.site, &target.id);
            resource.is_some_and(|one| one.leaves().is_some() && !self.is_asked(&change.addr, one))
        };
        let replaces = change.action == Action::Replace;
        is_fleet && replaces && change.targets.iter().all(leaves)
    }

    /// Takes out of the changes what would leave and finds no room elsewhere, and says so.
    pub(super) fn hold_leaving(&mut self, changes: &mut Vec<Change>) {
        if !changes.iter().any(|change| self.is_leave(change)) {
            return;
        }
        let facts = self.facts;
        let mut rooms: BTreeMap<&Name, Room<'a>> = BTreeMap::new();
        for (site, facts) in facts {
            rooms.insert(site, Room::now(facts));
        }
        let makes = |change: &&Change| matches!(change.action, Action::Create | Action::Replace);
        for change in changes
            .iter()
            .filter(makes)
            .filter(|one| !self.is_leave(one))
        {
            if let Some(room) = rooms.get_mut(&change.site) {
                for goal in &change.goals {
                    room.take_goal(goal);
                }
            }
        }
        changes.retain_mut(|change| {
            let Some(room) = rooms
                .get_mut(&change.site)
                .filter(|_| self.is_leave(change))
            else {
                return true;
            };
            let mut left = Vec::new();
            for goal in &change.goals {
                let Spec::Machine(spec) = &goal.spec else {
                    left.push(goal.count);
                    continue;
                };
                let (fits, _) = room.fits(room.need(spec), goal.count);
                room.take(room.need(spec), fits);
                left.push(fits);
            }
            let goals = change.goals.iter().zip(&left);
            let goals = goals.map(|(goal, count)| {
                Arc::new(Goal {
                    count: *count,
                    ..Goal::clone(goal)
                })
            });
            change.goals = goals.collect();
            let before = change.targets.len();
            change
                .targets
                .retain(|target| match left.get_mut(target.goal) {
                    Some(left) if *left > 0 => {
                        *left -= 1;
                        true
                    }
                    _ => false,
                });
            change.count = u32::try_from(change.targets.len()).unwrap_or(u32::MAX);
            if change.targets.len() < before {
                let stay = before - change.targets.len();
                self.stay(change, stay);
            }
            !change.targets.is_empty()
        });
    }

    /// Takes out of the changes what would leave, but only by going before its successor is there. Gives
    /// whether anything was taken out.
    pub(super) fn hold_tight(&mut self, changes: &mut Vec<Change>, order: &Order) -> bool {
        let before = changes.len();
        changes.retain(|change| {
            let stays = (order.turns(change) || order.tight.contains(&change.site))
                && self.is_leave(change);
            if stays {
                self.stay(change, change.targets.len());
            }
            !stays
        });
        changes.len() < before
    }

    /// Says of a change how many of its members stay where they are.
    fn stay(&mut self, change: &Change, count: usize) {
        let why = format!(
            "{}; {count} of its machines there find no room elsewhere, and stay",
            change.reason
        );
        self.withheld.insert(Reason::from(why).of(&change.addr));
    }
}
