//! What is called otherwise than before: its mark is rewritten, and it stays.

use strat_model::{Addr, Resource};

use super::value::resource_value;
use super::{Differ, change, target};
use crate::left::Reason;
use crate::plan::{Action, Cause, Former};

impl<'a> Differ<'a> {
    /// What a thing was called before, if it is renamed.
    pub(super) fn former(&self, addr: &Addr, resource: &Resource) -> Option<&'a Former> {
        self.edits.former(&addr.site, &resource.id)
    }

    /// Those of some things that are renamed.
    pub(super) fn renamed(&self, addr: &Addr, found: &[&'a Resource]) -> Vec<&'a Resource> {
        let found = found.iter().copied();
        found
            .filter(|one| self.former(addr, one).is_some())
            .collect()
    }

    /// Plans to give things their new names, and says what else waits for the next apply: nothing is
    /// renamed and made anew, or deleted, at once.
    pub(super) fn only_rename(&mut self, addr: &'a Addr, things: &[&Resource], waits: &str) {
        let Some((first, former)) = things
            .first()
            .and_then(|first| Some((first, self.former(addr, first)?)))
        else {
            return;
        };
        let why = format!("{waits} waits for the next apply: in this one it is renamed");
        self.withheld.insert(Reason::from(why).of(addr));
        let reason = format!("it was {former} until now, and is renamed");
        let mut change = change(addr, Action::Update, Cause::Topology, reason);
        change.count = u32::try_from(things.len()).unwrap_or(u32::MAX);
        change.before = resource_value(first, |id| self.name_of(&addr.site, id)).into();
        change.after = change.before.clone();
        change.targets = things.iter().map(|one| target(one, 0)).collect();
        let marks = || things.iter().filter_map(|one| one.mark.as_ref());
        change.protect = marks().any(|mark| mark.protect);
        change.disposable = marks().all(|mark| mark.disposable);
        self.changes.push(change);
    }

    /// The reason of an update of something that is renamed, too.
    pub(super) fn with_former(
        &self,
        addr: &Addr,
        resource: &Resource,
        reason: String,
        alone: bool,
    ) -> String {
        match self.former(addr, resource) {
            None => reason,
            Some(former) if alone => format!("it was {former} until now, and is renamed"),
            Some(former) => format!("it was {former} until now, and is renamed; {reason}"),
        }
    }
}
