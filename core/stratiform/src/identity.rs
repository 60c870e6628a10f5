//! Whose the accounts are, and whose the journal is: told before anything is planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use strat_engine::{Journal, JournalError, Observation, Problem, SettleReport, settle};
use strat_model::{Addr, Coverage, Kind, Missed, MissedState, Name, Noun, Owner, ResourceState};
use strat_planner::{Action, Claims, Plan, resource_name};
use strat_provider::{Identity, Sought};

use crate::{Error, Session};

/// What was found out about the sites' accounts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accounts {
    /// The account of each site that said it.
    pub(crate) known: BTreeMap<Name, String>,
    /// Sites whose account should be a certain one, and that did not say it.
    pub(crate) unknown: Vec<Problem>,
    /// Sites that gave no answer, however often they were asked. Nothing else is asked of them in
    /// this run: each question would be waited for as long again.
    pub(crate) silent: Vec<Problem>,
}

impl Accounts {
    /// Whether a site gave no answer.
    pub(crate) fn is_silent(&self, site: &Name) -> bool {
        self.silent.iter().any(|problem| problem.site == *site)
    }
}

impl Session {
    /// Asks every site which account it is in.
    ///
    /// # Errors
    /// [`Error::Account`] if it is another than the topology says, or than the one in which the journal
    /// knows things: with those credentials nothing that is ours would be seen.
    pub(crate) async fn accounts(&self, journal: &Journal) -> Result<Accounts, Error> {
        let mut accounts = Accounts::default();
        if self.workspace().is_elsewhere() {
            return Ok(accounts);
        }
        let owner = self.workspace().owner();
        let moves = &self.workspace().intent().moves;
        let asked = self.sites().iter().map(|(site, provider)| async move {
            let identity = provider.identity().await;
            (site, identity)
        });
        for (site, identity) in join_all(asked).await {
            let spec = self.workspace().intent().sites.get(site);
            let pinned = spec.and_then(|spec| spec.account.clone());
            let is_pinned = pinned.is_some();
            let wanted = pinned.or_else(|| journal.account_as(owner, moves, site));
            match (identity, wanted) {
                (Ok(Identity { account, principal }), Some(wanted))
                    if !is_same(&account, &wanted) =>
                {
                    return Err(Error::Account {
                        site: site.clone(),
                        account,
                        principal,
                        wanted,
                        is_pinned,
                    });
                }
                (Ok(identity), _) => {
                    accounts.known.insert(site.clone(), identity.account);
                }
                (Err(error), wanted) => {
                    let is_silent = error.kind().is_retryable();
                    let problem = Problem {
                        site: site.clone(),
                        kind: None,
                        error: Arc::new(error),
                    };
                    if is_silent {
                        accounts.silent.push(problem);
                    } else if wanted.is_some() {
                        accounts.unknown.push(problem);
                    }
                }
            }
        }
        Ok(accounts)
    }

    /// Says of an observation what the accounts and the journal tell of it.
    pub(crate) fn place(
        &self,
        observation: &mut Observation,
        journal: &Journal,
        accounts: &Accounts,
    ) {
        for problem in &accounts.unknown {
            let why = format!("its account could not be told: {}", problem.error);
            if let Some(seen) = observation.inventory.sites.get_mut(&problem.site) {
                let partial = Coverage::Partial { why };
                seen.coverage = Kind::ALL.map(|kind| (kind, partial.clone())).into();
                seen.resources.clear();
                seen.missed.clear();
            }
            // A site of which nothing is known was told already.
            let mut told = observation.problems.iter();
            if !told.any(|one| one.site == problem.site && one.kind.is_none()) {
                observation.problems.push(problem.clone());
            }
        }
        if self.workspace().is_elsewhere() {
            return;
        }
        let mut known = journal.known_sites(self.workspace().owner());
        let intent = self.workspace().intent();
        known.retain(|site, _| !intent.sites.contains_key(&intent.moves.site(site)));
        observation.inventory.unlisted = known;
    }

    /// Another topology whose things this folder's journal knows, where it knows none of this one and
    /// no run of it: it was renamed, or is in the wrong folder.
    pub(crate) fn namesake(&self, journal: &Journal) -> Option<(Owner, usize)> {
        let owner = self.workspace().owner();
        let ran = journal.runs().iter().any(|run| owner.owns(&run.owner));
        if ran || self.workspace().is_elsewhere() {
            return None;
        }
        let mut known = journal.known_owners();
        let moves = &self.workspace().intent().moves;
        known.retain(|other, _| !moves.owns(owner, other));
        known.into_iter().next()
    }

    /// Closes what an interrupted run left open, under whatever name it made things.
    pub(crate) async fn settle(&self, journal: &Journal) -> Result<SettleReport, JournalError> {
        let owner = self.workspace().owner();
        let moves = &self.workspace().intent().moves;
        let mut sites = self.sites().clone();
        for former in moves.sites.keys() {
            if let Some(provider) = sites.get(&moves.site(former)).cloned() {
                sites.entry(former.clone()).or_insert(provider);
            }
        }
        let (clock, events) = (&**self.clock(), self.events());
        let mut report = settle(&sites, owner, journal, clock, events).await?;
        for former in moves.former_owners(owner) {
            let more = settle(&sites, &former, journal, clock, events).await?;
            report.settled.extend(more.settled);
            report.problems.extend(more.problems);
        }
        Ok(report)
    }
}

/// Whether two accounts are one. Hardware of one's own says the hosts that it is made of, which come
/// and go one by one.
fn is_same(one: &str, other: &str) -> bool {
    let words = |text: &str| -> BTreeSet<String> { text.split(", ").map(str::to_owned).collect() };
    one == other || !words(one).is_disjoint(&words(other))
}

impl Session {
    /// Looks, before anything is made, for what is there by the names that it would get, whatever
    /// marks say: what lost its mark, or what a late list does not show yet, and is in no journal. Gives
    /// whether anything was found.
    pub(crate) async fn look_before(&self, observation: &mut Observation, plan: &Plan) -> bool {
        let mut wanted: BTreeMap<(&Name, Kind), BTreeMap<String, &Addr>> = BTreeMap::new();
        let creates = plan.changes.iter();
        let creates = creates.filter(|change| change.action == Action::Create);
        for change in creates.filter(|change| change.addr.local.noun != Noun::Machines) {
            let name = resource_name(&plan.topology, &change.addr, 1);
            let names = wanted.entry((&change.site, change.kind)).or_default();
            names.insert(name, &change.addr);
        }
        let looks = wanted.iter().filter_map(|((site, kind), names)| {
            let provider = self.sites().get(*site)?;
            Some(async move {
                let texts: Vec<String> = names.keys().cloned().collect();
                let mut found = Ok(Vec::new());
                for names in texts.chunks(provider.capabilities().ids_per_call.max(1) as usize) {
                    let sought = Sought { names, addrs: &[] };
                    match (provider.observe().find(*kind, sought).await, &mut found) {
                        (Ok(more), Ok(found)) => found.extend(more),
                        (Err(error), _) => found = Err(error),
                        (Ok(_), Err(_)) => {}
                    }
                }
                ((*site).clone(), *kind, names, found)
            })
        });
        let owner = self.workspace().owner();
        let mut any = false;
        for (site, kind, names, all) in join_all(looks).await {
            let Some(seen) = observation.inventory.sites.get_mut(&site) else {
                continue;
            };
            let all = match all {
                Ok(all) => all,
                Err(error) => {
                    let why = format!("whether any is there unmarked: {error}");
                    seen.coverage.insert(kind, Coverage::Partial { why });
                    any = true;
                    continue;
                }
            };
            for found in all {
                let known = seen.resources.iter().any(|one| one.id == found.id);
                let Some(addr) = names.get(&found.name).filter(|_| !known) else {
                    continue;
                };
                if found.state == ResourceState::Deleting {
                    continue;
                }
                match &found.mark {
                    None => seen.missed.push(Missed {
                        addr: (*addr).clone(),
                        id: found.id.clone(),
                        state: MissedState::Unmarked,
                        why: None,
                    }),
                    // It is there, and the list is late: the tags of a new bucket take long to show.
                    Some(mark) if owner.owns(&mark.owner) && mark.addr == **addr => {}
                    Some(_) => continue,
                }
                seen.resources.push(found);
                any = true;
            }
        }
        any
    }

    /// Reads by id what a person says is the topology's and no list of ours shows.
    pub(crate) async fn look_at(
        &self,
        observation: &mut Observation,
        claims: &Claims,
    ) -> Result<(), Error> {
        for (addr, id) in &claims.adopt {
            let (Some(id), Some(provider)) = (id, self.sites().get(&addr.site)) else {
                continue;
            };
            let Some(seen) = observation.inventory.sites.get_mut(&addr.site) else {
                continue;
            };
            let kind = addr.kind();
            if seen
                .resources
                .iter()
                .any(|one| one.kind() == kind && one.id == *id)
            {
                continue;
            }
            let ids = std::slice::from_ref(id);
            let read = provider.observe().get(kind, ids).await;
            seen.resources.extend(read.map_err(|source| Error::Site {
                site: addr.site.clone(),
                source: Arc::new(source),
            })?);
        }
        Ok(())
    }
}
