//! What a person, or the topology, lets go: it stays as it is, without its mark.

use strat_model::Addr;

use super::value::resource_value;
use super::{Differ, change, target};
use crate::dependency::covers;
use crate::plan::{Action, Cause, Mode};

impl Differ<'_> {
    /// Plans to take the marks off what is at some addresses.
    pub(super) fn release(&mut self, addrs: &[Addr], cause: Cause) {
        for addr in addrs {
            let found = self.index.at(addr);
            let Some(first) = found.first() else {
                continue;
            };
            let reason = match self.desired.entries.contains_key(addr) {
                true => {
                    "it is let go and stays as it is; take its block out of the topology, too, or \
                     the next apply wants one there again"
                }
                false => "it is let go and stays as it is",
            };
            let mut change = change(addr, Action::Forget, cause, reason);
            change.count = u32::try_from(found.len()).unwrap_or(u32::MAX);
            change.before = resource_value(first, |id| self.name_of(&addr.site, id)).into();
            change.targets = found.iter().map(|one| target(one, 0)).collect();
            let mut marks = found.iter().filter_map(|one| one.mark.as_ref());
            change.protected = marks.any(|mark| mark.protect);
            self.changes.push(change);
        }
    }

    /// Plans to take the marks off what the topology says that it has let go.
    pub(super) fn removed(&mut self) {
        if self.removed.is_empty() || self.mode != Mode::Apply {
            return;
        }
        let index = self.index;
        let there = index.addrs().map(|(addr, _)| addr);
        let addrs: Vec<Addr> = there
            .filter(|addr| self.is_removed(addr))
            .cloned()
            .collect();
        self.release(&addrs, Cause::Topology);
    }

    /// Whether the topology says that it has let an address go, and asks for nothing there.
    pub(super) fn is_removed(&self, addr: &Addr) -> bool {
        let mut removed = self.removed.iter();
        self.mode == Mode::Apply
            && removed.any(|local| covers(local, addr))
            && !self.desired.entries.contains_key(addr)
    }
}
