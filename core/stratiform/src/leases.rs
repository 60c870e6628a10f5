//! The leases of a run: its folder's, and one for each place where it writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use strat_engine::{
    Claim, FileLeases, HeldLeases, Holder, Journal, LeaseError, LeaseGuard, LeasePolicy,
    Observation, Problem, Spot, take, take_from,
};
use strat_model::{
    Coverage, Error as ProviderError, ErrorKind, Kind, Name, Result as ProviderResult,
};
use strat_provider::layers::WriteGate;
use strat_provider::{Kept, LeaseKey, LeaseVersion, Leases, Provider};

use crate::identity::Accounts;
use crate::{Error, MissingLeaseStore, RunOptions, Session};

/// A place whose writes a lease guards, and the sites that write there.
#[derive(Debug, Clone)]
pub struct LeasePlace {
    /// Where the lease is kept.
    pub spot: Spot,
    /// The sites that share it, sorted.
    pub sites: Vec<Name>,
    /// What was kept there when it was looked for, and when that was.
    first: (Option<Kept>, Duration),
}

/// The leases that a run holds, and the sites that it may not write to.
#[derive(Debug)]
pub(crate) struct Leased {
    pub(crate) held: HeldLeases,
    /// Sites whose lease could not be had. Nothing is changed there.
    pub(crate) withheld: Vec<Problem>,
    gates: Gates,
}

/// Gates that are shut again when a run ends, however it does.
#[derive(Debug)]
struct Gates(BTreeMap<Name, WriteGate>);

impl Drop for Gates {
    fn drop(&mut self) {
        self.0.values().for_each(WriteGate::close);
    }
}

impl Session {
    /// The lease of this topology's folder, whose journal only one run at a time may write.
    #[must_use]
    pub fn folder_lease(&self, patience: Duration) -> Spot {
        folder_lease(&self.workspace().state(), patience)
    }

    /// Where the leases of the connected sites are kept, in the order of their keys; and the sites
    /// whose lease cannot be read. All are asked side by side, so that one that gives no answer
    /// keeps nobody waiting for longer than its own calls take.
    pub async fn lease_places(
        &self,
        asked: impl Fn(&Name) -> bool,
    ) -> (Vec<LeasePlace>, Vec<Problem>) {
        let (mut places, mut problems) = (BTreeMap::<LeaseKey, LeasePlace>::new(), Vec::new());
        let sites = self.sites().iter().filter(|(site, _)| asked(site));
        let spots = sites
            .map(|(site, provider)| async move { (site, self.lease_spots(site, provider).await) });
        for (site, spots) in join_all(spots).await {
            let spots = spots.unwrap_or_else(|error| {
                problems.push(withheld(site, error));
                Vec::new()
            });
            for spot in spots {
                let (key, window) = (spot.key.clone(), spot.window);
                let (sites, first) = (Vec::new(), (None, Duration::ZERO));
                let place = LeasePlace { spot, sites, first };
                let place = places.entry(key).or_insert(place);
                place.sites.push(site.clone());
                place.spot.window = place.spot.window.max(window);
            }
        }
        let reads = places.into_values().map(|mut place| async move {
            let read = place.spot.read().await;
            let now = self.clock().moment().elapsed;
            read.map(|first| place.first = (first, now))
                .map_err(|error| (error, place.sites.clone()))
                .map(|()| place)
        });
        let mut readable = Vec::new();
        for read in join_all(reads).await {
            match read {
                Ok(place) => readable.push(place),
                Err((error, sites)) => {
                    problems.extend(sites.iter().map(|site| lacking(site, &error)));
                }
            }
        }
        (readable, problems)
    }

    /// What an apply would have to make once for leases to be kept in, such as a bucket. What cannot
    /// be looked for is left out; the apply will tell.
    pub async fn missing_lease_stores(
        &self,
        asked: impl Fn(&Name) -> bool,
    ) -> Vec<MissingLeaseStore> {
        let sites = self.sites().iter().filter(|(site, _)| asked(site));
        let shared = self.lease_store().is_some();
        let sites = sites.take(if shared { 1 } else { usize::MAX });
        let looks = sites.map(|(site, provider)| async move {
            let what = provider.leases()?.missing().await.ok()??;
            let place = match shared {
                true => "all sites".to_owned(),
                false => format!("site.{site}"),
            };
            Some(MissingLeaseStore { place, what })
        });
        // Sites that share a store are told apart by their names, and it is named by each.
        join_all(looks).await.into_iter().flatten().collect()
    }

    pub(crate) async fn lease_spots(
        &self,
        site: &Name,
        provider: &Arc<dyn Provider>,
    ) -> ProviderResult<Vec<Spot>> {
        let Some(leases) = provider.leases() else {
            return Ok(Vec::new());
        };
        let owner = self.workspace().owner().to_string();
        let spot = |place: String| Spot {
            store: Arc::new(SiteStore(Arc::clone(provider))),
            key: LeaseKey::of(&owner, &place),
            place: match self.lease_store() {
                Some(store) => format!("site.{site} ({place}), kept in {store}"),
                None => format!("site.{site} ({place})"),
            },
            window: window(&**provider),
        };
        Ok(leases.places().await?.into_iter().map(spot).collect())
    }

    /// Lets writes through to these sites for as long as their leases hold.
    pub(crate) fn open_gates(
        &self,
        sites: &[Name],
        held: &HeldLeases,
    ) -> BTreeMap<Name, WriteGate> {
        let gates = self.gates.iter().filter(|(site, _)| sites.contains(site));
        let gates: BTreeMap<Name, WriteGate> = gates
            .map(|(site, gate)| (site.clone(), gate.clone()))
            .collect();
        for (site, gate) in &gates {
            gate.open(held.permit(site));
        }
        gates
    }

    /// As [`Session::observe_with`]; of what is withheld nothing counts as seen whole.
    pub(crate) async fn observe_but(
        &self,
        journal: &Journal,
        accounts: &Accounts,
        withheld: &[Problem],
    ) -> Observation {
        let mut observation = self.observe_with(journal, accounts).await;
        for problem in withheld {
            let why = in_one_line(&problem.error);
            if let Some(seen) = observation.inventory.sites.get_mut(&problem.site) {
                let partial = || Coverage::Partial { why: why.clone() };
                seen.coverage = Kind::ALL.map(|kind| (kind, partial())).into();
            }
            observation.problems.push(problem.clone());
        }
        observation
    }
}

/// An error and what lies under it, in one line.
pub(crate) fn in_one_line(error: &strat_model::Error) -> String {
    let mut text = error.message().to_owned();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// The lease of a state folder, whose journal only one run at a time may write. `patience` is how
/// long another process may keep its file locked.
#[must_use]
pub fn folder_lease(state: &crate::StateDir, patience: Duration) -> Spot {
    Spot {
        store: Arc::new(FileLeases::new(state.path(), patience)),
        key: LeaseKey::of("folder", ""),
        place: format!("`{}`", state.path().display()),
        window: Duration::ZERO,
    }
}

/// A run that has its folder's lease, and is about to take those of places.
#[derive(Debug)]
pub(crate) struct Taking<'a> {
    session: &'a Session,
    options: &'a RunOptions,
    begun: Duration,
    claim: Claim,
    folder: LeaseGuard,
}

impl<'a> Taking<'a> {
    /// Takes the folder's lease. What is waited for is waited for once: the patience is for this
    /// lease and those of places together.
    pub(crate) async fn begin(
        session: &'a Session,
        options: &'a RunOptions,
    ) -> Result<Self, Error> {
        let clock = session.clock();
        let begun = clock.moment().elapsed;
        let mut claim = Claim {
            holder: options
                .holder
                .clone()
                .unwrap_or_else(|| Holder::this_process(&options.command, clock.now())),
            policy: session.workspace().lease_policy(),
            folder: None,
            may_make: options.may_make_lease_store,
        };
        let (patience, events) = (options.lock_timeout, session.events());
        let spot = session.folder_lease(patience);
        let folder = take(&spot, &claim, patience, clock, events).await?;
        claim.folder = folder.folder();
        Ok(Self {
            session,
            options,
            begun,
            claim,
            folder,
        })
    }

    /// Gives the folder's lease back.
    pub(crate) async fn give_up(self) -> Result<(), LeaseError> {
        self.folder.release().await
    }

    /// Takes the leases of places in the order of their keys, and opens the gates of the sites whose
    /// lease was had. Sites that gave no answer before are not asked.
    ///
    /// # Errors
    /// If leases were asked for and none was had: the first one's.
    pub(crate) async fn places(self, accounts: &Accounts) -> Result<Leased, Error> {
        let session = self.session;
        let (clock, events) = (session.clock(), session.events());
        let may_write = |site: &Name| {
            let only = self.options.sites.as_ref();
            only.is_none_or(|only| only.contains(site)) && !accounts.is_silent(site)
        };
        let (places, mut problems) = session.lease_places(may_write).await;
        let (mut guards, mut first) = (Vec::new(), None);
        for LeasePlace {
            spot,
            sites,
            first: seen,
        } in places
        {
            let waited = clock.moment().elapsed.saturating_sub(self.begun);
            let left = self.options.lock_timeout.saturating_sub(waited);
            let term = spot.store.term().map(LeasePolicy::of_term);
            let claim = Claim {
                policy: term.unwrap_or(self.claim.policy),
                ..self.claim.clone()
            };
            match take_from(&spot, &claim, seen, left, clock, events).await {
                Ok(guard) => guards.push((guard, sites)),
                Err(error) => {
                    problems.extend(sites.iter().map(|site| lacking(site, &error)));
                    first.get_or_insert(error);
                }
            }
        }
        let held = HeldLeases::new(self.folder, guards);
        let may: Vec<Name> = session
            .sites()
            .keys()
            .filter(|site| may_write(site))
            .filter(|site| !problems.iter().any(|problem| problem.site == **site))
            .cloned()
            .collect();
        if let (true, Some(error)) = (may.is_empty(), first) {
            held.release(|_| false).await?;
            return Err(error.into());
        }
        let gates = session.open_gates(&may, &held);
        Ok(Leased {
            held,
            withheld: problems,
            gates: Gates(gates),
        })
    }
}

impl Leased {
    /// The sites whose lease another folder had before us: what it made, our journal does not know.
    pub(crate) fn taken_from_others(&self) -> impl Iterator<Item = &Name> {
        let places = self.held.places();
        let others = places.filter(|(guard, _)| is_anothers(guard));
        others.flat_map(|(_, sites)| sites)
    }

    /// Gives all of them back, but for those of sites where calls were given up half-way.
    pub(crate) async fn release(self) -> Result<(), LeaseError> {
        let Self { held, gates, .. } = self;
        let unfinished = |site: &Name| gates.0.get(site).is_some_and(WriteGate::has_unfinished);
        held.release(unfinished).await
    }
}

fn is_anothers(guard: &LeaseGuard) -> bool {
    let before = guard.before();
    before.is_some_and(|before| before.is_none() || before != guard.folder())
}

/// How late what is written at a site may be seen.
fn window(provider: &dyn Provider) -> Duration {
    Duration::from_millis(provider.capabilities().consistency_window_ms)
}

/// Why nothing is changed at a site.
fn lacking(site: &Name, why: &LeaseError) -> Problem {
    let help = why.help().to_owned();
    let error = ProviderError::new(
        ErrorKind::Conflict,
        "nothing is changed here: its lease is not ours",
    );
    withheld(site, error.with_help(help).with_source(why.clone()))
}

fn withheld(site: &Name, error: ProviderError) -> Problem {
    Problem {
        site: site.clone(),
        kind: None,
        error: Arc::new(error),
    }
}

/// The store of a site, for as long as a lease lives.
#[derive(Debug)]
struct SiteStore(Arc<dyn Provider>);

impl SiteStore {
    fn store(&self) -> ProviderResult<&dyn Leases> {
        let none = || ProviderError::new(ErrorKind::Unsupported, "this site keeps no leases");
        self.0.leases().ok_or_else(none)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Leases for SiteStore {
    async fn places(&self) -> ProviderResult<Vec<String>> {
        self.store()?.places().await
    }

    async fn missing(&self) -> ProviderResult<Option<String>> {
        self.store()?.missing().await
    }

    async fn make(&self) -> ProviderResult<()> {
        self.store()?.make().await
    }

    async fn read(&self, key: &LeaseKey) -> ProviderResult<Option<Kept>> {
        self.store()?.read(key).await
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> ProviderResult<LeaseVersion> {
        self.store()?.replace(key, text, seen).await
    }

    async fn prove(&self, key: &LeaseKey, kept: &Kept) -> ProviderResult<bool> {
        self.store()?.prove(key, kept).await
    }

    fn term(&self) -> Option<Duration> {
        self.0.leases().and_then(Leases::term)
    }

    fn lag(&self) -> Duration {
        self.0.leases().map_or(Duration::ZERO, Leases::lag)
    }
}
