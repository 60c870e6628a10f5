//! What all steps of a run share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use strat_model::{
    Addr, Error, ErrorKind, Kind, Name, Resource, ResourceId, ResourceState, Result,
};
use strat_planner::StepId;
use strat_provider::{Filter, Provider, ProviderExt as _};

use super::Run;
use super::known::Known;
use super::step::PLAN_AGAIN;
use super::wait::{Until, Waits};
use crate::lock;

/// Why a step is not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// It failed.
    Error(Error),
    /// The whole run cannot go on.
    Fatal(Error),
    /// A stop came while it waited.
    Abandoned,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// What all steps of a run share.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) run: Run<'a>,
    pub(super) known: Mutex<Known>,
    pub(super) waits: Waits<'a>,
    /// What each step made.
    pub(super) made: Mutex<BTreeMap<StepId, Vec<ResourceId>>>,
    lists: BTreeMap<(&'a Name, Kind), tokio::sync::Mutex<Option<List>>>,
}

/// What a list showed, and when it was asked for.
#[derive(Debug)]
struct List {
    asked: Timestamp,
    items: Arc<Vec<Resource>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(run: Run<'a>) -> Self {
        let lists = run.sites.keys();
        let lists = lists.flat_map(|site| Kind::ALL.map(|kind| ((site, kind), Default::default())));
        Self {
            run,
            known: Mutex::new(Known::new(run.inventory, &run.plan.topology, run.graph)),
            waits: Waits::new(run.sites, run.clock, &run.options),
            made: Mutex::default(),
            lists: lists.collect(),
        }
    }

    pub(super) fn provider(&self, site: &Name) -> Result<&'a dyn Provider> {
        match self.run.sites.get(site) {
            Some(provider) => Ok(&**provider),
            None => Err(Error::new(
                ErrorKind::Invalid,
                format!("the plan needs the site `{site}`, which is not connected"),
            )),
        }
    }

    /// How long a site's lists may lag.
    pub(super) fn window(&self, site: &Name) -> Duration {
        let provider = self.run.sites.get(site);
        let window = provider.map_or(0, |site| site.capabilities().consistency_window_ms);
        Duration::from_millis(window)
    }

    /// The leases must be ours still: asked before a call is recorded. Whether the call may leave
    /// is asked once more where it leaves, by the innermost layer.
    pub(super) fn check_leases(&self, site: &Name) -> Result<(), Failure> {
        let leases = self.run.leases;
        if let Err(why) = leases.folder() {
            return Err(Failure::Fatal(
                why.within("nothing may be changed any more"),
            ));
        }
        leases.check(site).map_err(|why| {
            let message = format!("nothing may be changed at {site} any more");
            Failure::Error(why.within(&message))
        })
    }

    /// Fresh reads of ids at a site, sharing calls with other steps; `None` is what is not there.
    pub(super) async fn read(
        &self,
        site: &Name,
        kind: Kind,
        ids: &[ResourceId],
    ) -> Result<Vec<Option<Resource>>> {
        self.waits.wait(site, kind, ids, &Until::Read).await
    }

    /// The things of this owner with these names, as a list shows them that is asked for at
    /// `not_before` or later. Steps that ask at the same time share the list.
    pub(super) async fn find(
        &self,
        site: &Name,
        kind: Kind,
        names: &[String],
        not_before: Timestamp,
    ) -> Result<Vec<Resource>> {
        let provider = self.provider(site)?;
        let Some(list) = self.lists.get(&(site, kind)) else {
            return Ok(Vec::new());
        };
        if let Ok(wait) = Duration::try_from(not_before.duration_since(self.run.clock.now())) {
            self.run.clock.sleep(wait).await;
        }
        let mut list = list.lock().await;
        let items = match &*list {
            Some(list) if list.asked >= not_before => Arc::clone(&list.items),
            _ => {
                let asked = self.run.clock.now();
                let filter = Filter::Owner(self.run.plan.topology.clone());
                let items = Arc::new(provider.list_all(kind, &filter).await?);
                *list = Some(List {
                    asked,
                    items: Arc::clone(&items),
                });
                items
            }
        };
        let named = items.iter().filter(|item| names.contains(&item.name));
        Ok(named.cloned().collect())
    }
}

/// The things at one address that are to be fit for use before anything refers to them.
pub(super) async fn ready(context: &Context<'_>, addr: &Addr) -> Result<Resource> {
    let known = lock(&context.known).at(addr).cloned();
    let Some(known) = known else {
        return Err(Error::new(
            ErrorKind::Precondition,
            format!("it refers to {addr}, which is not there"),
        )
        .with_help(PLAN_AGAIN));
    };
    if known.state != ResourceState::Pending {
        return Ok(known);
    }
    // An interrupted run made it and did not wait for it.
    let ids = [known.id.clone()];
    let waits = &context.waits;
    let seen = waits.wait(&addr.site, addr.kind(), &ids, &Until::Settled);
    let seen = seen.await.map_err(|error| error.with_addr(addr))?;
    let fresh = seen.into_iter().flatten().next().unwrap_or(known);
    lock(&context.known).learn(addr, fresh.clone());
    Ok(fresh)
}
