//! What a run teaches the journal of what is there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use strat_engine::{Journal, JournalError, Noted, Observation};
use strat_model::{
    Addr, Kind, MissedState, Moves, Name, Owner, ResourceId, ResourceState, SiteInventory,
};
use strat_planner::Desired;

/// Things by address.
type Ids = BTreeMap<Addr, BTreeSet<ResourceId>>;

/// What a run teaches the journal: what is there, by id, and, under the name that the journal has,
/// what is not any more.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    there: Ids,
    gone: BTreeMap<Owner, Ids>,
}

impl Learned {
    pub(crate) fn of(
        (owner, moves): (&Owner, &Moves),
        journal: &Journal,
        observation: &Observation,
        desired: &Desired,
        made: &BTreeSet<(Name, ResourceId)>,
    ) -> Self {
        let mut learned = Self::default();
        for (site, seen) in &observation.inventory.sites {
            let noted = Kind::ALL.map(|kind| (kind, journal.noted(owner, moves, site, kind)));
            let noted: BTreeMap<Kind, Vec<Noted>> = noted.into();
            let has = learned.see(owner, site, seen, &noted);
            learned.unmake(site, seen, &noted, made);
            for kind in Kind::ALL.into_iter().filter(|kind| seen.is_complete(*kind)) {
                for (id, (addr, _)) in journal.released(owner, site, kind) {
                    let there = seen.missed.iter().any(|one| one.id == id);
                    let wanted = desired.entries.contains_key(&addr)
                        || desired.withheld.contains_key(&addr.local);
                    if !there || !wanted || has.contains(&addr) {
                        let owner = owner.clone();
                        learned.forget(&Noted { owner, addr, id });
                    }
                }
            }
            for missed in &seen.missed {
                let wanted = desired.entries.contains_key(&missed.addr)
                    || desired.withheld.contains_key(&missed.addr.local);
                // What this run made and is gone by its end died at launch: nobody took it away.
                let died = missed.addr.kind() == Kind::Machine
                    && made.contains(&(site.clone(), missed.id.clone()));
                let over = has.contains(&missed.addr) || !wanted || died;
                if missed.state == MissedState::Gone && over {
                    let noted = noted.get(&missed.addr.kind()).into_iter().flatten();
                    let noted = noted.filter(|one| one.id == missed.id);
                    noted.for_each(|one| learned.forget(one));
                }
            }
        }
        learned
    }

    /// Learns from what is there and is what its mark says. Gives the addresses that have something.
    fn see<'s>(
        &mut self,
        owner: &Owner,
        site: &Name,
        seen: &'s SiteInventory,
        noted: &BTreeMap<Kind, Vec<Noted>>,
    ) -> BTreeSet<&'s Addr> {
        let mut has = BTreeSet::new();
        let by_id = |kind: &Kind| {
            let mut by_id: BTreeMap<&ResourceId, Vec<&Noted>> = BTreeMap::new();
            for one in noted.get(kind).into_iter().flatten() {
                by_id.entry(&one.id).or_default().push(one);
            }
            (*kind, by_id)
        };
        let noted: BTreeMap<_, _> = Kind::ALL.iter().map(by_id).collect();
        for resource in &seen.resources {
            let Some(mark) = resource.mark.as_ref() else {
                continue;
            };
            let is_ours = owner.owns(&mark.owner) && mark.addr.site == *site;
            let deleting = resource.state == ResourceState::Deleting;
            if !is_ours || deleting || !resource.witness.is_held() {
                continue;
            }
            has.insert(&mark.addr);
            let noted = noted.get(&resource.kind());
            let noted = noted.and_then(|noted| noted.get(&resource.id));
            let noted = noted.into_iter().flatten();
            let (same, other): (Vec<&&Noted>, Vec<&&Noted>) =
                noted.partition(|one| one.addr == mark.addr && owner.owns(&one.owner));
            if same.is_empty() {
                let ids = self.there.entry(mark.addr.clone()).or_default();
                ids.insert(resource.id.clone());
            }
            other.into_iter().for_each(|one| self.forget(one));
        }
        has
    }

    /// What this run made and is on its way out by its end died at launch, or was taken away: the run
    /// told so already.
    fn unmake(
        &mut self,
        site: &Name,
        seen: &SiteInventory,
        noted: &BTreeMap<Kind, Vec<Noted>>,
        made: &BTreeSet<(Name, ResourceId)>,
    ) {
        let going = seen.resources.iter().filter(|one| {
            one.state == ResourceState::Deleting && made.contains(&(site.clone(), one.id.clone()))
        });
        for one in going {
            let noted = noted.get(&one.kind()).into_iter().flatten();
            let noted = noted.filter(|noted| noted.id == one.id);
            noted.for_each(|noted| self.forget(noted));
        }
    }

    fn forget(&mut self, noted: &Noted) {
        let gone = self.gone.entry(noted.owner.clone()).or_default();
        let ids = gone.entry(noted.addr.clone()).or_default();
        ids.insert(noted.id.clone());
    }

    /// Writes it down.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub(crate) async fn record(
        &self,
        owner: &Owner,
        journal: &Journal,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let none = Ids::new();
        journal.record_known(now, owner, &self.there, &none).await?;
        for (owner, gone) in &self.gone {
            journal.record_known(now, owner, &none, gone).await?;
        }
        Ok(())
    }
}
