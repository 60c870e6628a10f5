//! What others made, and what is where the topology does not look.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use strat_engine::{Event, Journal};
use strat_model::{Addr, Kind, Name, ResourceId};
use strat_planner::Mode;

use crate::leases::Leased;
use crate::{Error, Planned, Run, Session};

impl Run<'_> {
    /// Forgets what is known to be at a site that the topology does not have: it stays where it is, for
    /// good. Gives how many things that were.
    ///
    /// # Errors
    /// [`Error::NoSuchSite`] if nothing is known to be there, and if the journal cannot be written.
    pub async fn forget_site(&self, site: &Name) -> Result<usize, Error> {
        let owner = self.session.workspace().owner();
        let has = self.session.workspace().intent().sites.contains_key(site);
        let mut forgotten = BTreeMap::<Addr, BTreeSet<ResourceId>>::new();
        for kind in Kind::ALL.into_iter().filter(|_| !has) {
            for (id, addr) in self.journal.known(owner, site, kind) {
                forgotten.entry(addr).or_default().insert(id);
            }
        }
        if forgotten.is_empty() {
            return Err(Error::NoSuchSite {
                site: site.clone(),
                nearest: None,
            });
        }
        let now = self.session.clock().now();
        let journal = &self.journal;
        let none = BTreeMap::new();
        journal.record_known(now, owner, &none, &forgotten).await?;
        Ok(forgotten.values().map(BTreeSet::len).sum())
    }

    /// Whether a destroy knows of all that there is to destroy.
    pub(crate) fn is_whole(&self, planned: &Planned) -> Result<(), Error> {
        if planned.saved.plan.mode != Mode::Destroy || !planned.saved.targets.is_empty() {
            return Ok(());
        }
        let workspace = self.session.workspace();
        let (owner, intent) = (workspace.owner(), workspace.intent());
        let mut sites = planned.observation.inventory.unlisted.clone();
        if !intent.moves.is_empty() {
            // What was renamed and not yet applied is under the old name still.
            sites = self.journal.known_sites(owner);
            sites.retain(|site, _| !intent.sites.contains_key(site));
        }
        if !sites.is_empty() {
            return Err(Error::Unlisted { sites });
        }
        let known = self.journal.known_owners();
        let former = intent.moves.former_owners(owner).into_iter();
        let mut former = former.filter_map(|former| Some((known.get(&former)?, former)));
        let renamed = former.next().map(|(count, former)| (former, *count));
        match renamed.or_else(|| self.session.namesake(&self.journal)) {
            None => Ok(()),
            Some((other, count)) => Err(Error::Renamed {
                other,
                count,
                owner: planned.saved.plan.topology.clone(),
            }),
        }
    }
}

/// Lets lists catch up with what another folder, whose journal this one does not have, may just
/// have made: what a late list does not show would be made a second time. Waited for is a site
/// whose lease another folder had before us, and every site where the journal knows of no run; what
/// its own runs wrote, it knows.
pub(crate) async fn wait_out_others(session: &Session, journal: &Journal, leased: &Leased) {
    let owner = session.workspace().owner();
    let is_new = !journal.runs().iter().any(|run| run.owner == *owner);
    let others: BTreeSet<&Name> = leased.taken_from_others().collect();
    let sites = session.sites().iter();
    let sites = sites.filter(|(name, _)| is_new || others.contains(name));
    let windows = sites.map(|(name, site)| (name, site.capabilities().consistency_window_ms));
    let windows: Vec<_> = windows.filter(|(_, window)| *window > 0).collect();
    for (site, wait_ms) in &windows {
        session.events().send(Event::ListsLag {
            site: (*site).clone(),
            wait_ms: *wait_ms,
        });
    }
    if let Some(longest) = windows.iter().map(|(_, window)| *window).max() {
        session.clock().sleep(Duration::from_millis(longest)).await;
    }
}
