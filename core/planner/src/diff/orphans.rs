//! Things that carry the mark and are in the topology no more.

use strat_model::{Addr, Kind, Name, Resource};

use super::value::resource_value;
use super::{Differ, change, target};
use crate::plan::{Action, Cause, Mode};
use crate::{Target, View, unseen};

impl<'a> Differ<'a> {
    /// Plans to delete what is marked as ours and no longer wanted. Only a mark that was seen
    /// leads here; nothing is deleted because it was *not* seen. What may be used by something of
    /// a kind that was seen in part is withheld.
    pub(super) fn orphans(&mut self) {
        let index = self.index;
        if index.addrs().count() == self.found {
            return;
        }
        for (addr, found) in index.addrs() {
            if self.desired.entries.contains_key(addr) {
                continue;
            }
            let blind = !self.facts.contains_key(&addr.site);
            let withheld = |local| self.desired.withheld.contains_key(local);
            let whole = strat_model::LocalAddr::new(addr.local.noun, addr.local.name.clone());
            if blind || withheld(&addr.local) || withheld(&whole) || self.may_be_used(addr) {
                continue;
            }
            if self.is_removed(addr) || self.is_held(addr) {
                continue;
            }
            let (renamed, found): (Vec<&Resource>, Vec<&Resource>) = found
                .iter()
                .partition(|one| self.former(addr, one).is_some());
            self.only_rename(
                addr,
                &renamed,
                "that it goes, which the topology does not have",
            );
            let gone = found.into_iter().filter(|one| self.may_end(addr, one));
            let gone: Vec<&Resource> = gone.collect();
            if !gone.is_empty() {
                self.orphan(addr, &gone);
            }
        }
    }

    /// Whether not all was seen of its kind, or of what may use it at a site that is not blind.
    fn may_be_used(&mut self, addr: &Addr) -> bool {
        if self.seen_whole {
            return false;
        }
        let kind = addr.kind();
        let looked_at = std::iter::once(&kind).chain(kind.users());
        let partial = |kind: &Kind| unseen::partial(self.inventory, &addr.site, *kind);
        let Some(why) = looked_at.into_iter().find_map(partial) else {
            return false;
        };
        self.withhold(&addr.site, kind, why);
        true
    }

    fn orphan(&mut self, addr: &'a Addr, found: &[&'a Resource]) {
        let entries = &self.desired.entries;
        let is_there = |site: &&Name| entries.contains_key(&addr.local.at(site));
        let elsewhere = self.facts.keys().filter(is_there).map(Name::as_str);
        let elsewhere: Vec<_> = elsewhere.collect();
        let reason = match self.mode {
            Mode::Destroy => "everything of the topology is to go".to_owned(),
            Mode::Apply if !elsewhere.is_empty() => format!(
                "the topology wants none here: it is to be at {}",
                elsewhere.join(", ")
            ),
            Mode::Apply => {
                "it carries this topology's mark and is in the topology no more".to_owned()
            }
        };
        let mut change = change(addr, Action::Delete, Cause::Topology, reason);
        change.count = u32::try_from(found.len()).unwrap_or(u32::MAX);
        change.targets = found.iter().map(|resource| target(resource, 0)).collect();
        change.before = found.first().map_or(View::NOTHING, |resource| {
            resource_value(resource, |id| self.name_of(&addr.site, id)).into()
        });
        change.protected = found
            .iter()
            .any(|r| r.mark.as_ref().is_some_and(|mark| mark.protect));
        self.changes.push(change);
    }
}

/// Whether a change is about what was asked for; everything is when nothing was.
pub(super) fn is_targeted(targets: &[Target], addr: &Addr) -> bool {
    targets.is_empty() || targets.iter().any(|target| target.covers(addr))
}
