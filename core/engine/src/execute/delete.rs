//! Deleting things.

use std::time::Duration;

use strat_model::{
    Error, ErrorKind, Kind, Noun, Resource, ResourceId, ResourceState, Result, Witness,
};
use strat_planner::TargetRef;
use strat_provider::{Outcome, ProviderExt as _};

use super::context::Failure;
use super::step::{Begin, StepRun, outcome_is_unknown};
use super::wait::Until;
use crate::lock;

/// The pauses between deletes that are refused because something uses the thing.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(15);

impl StepRun<'_, '_> {
    /// Deletes things and waits until they are gone.
    ///
    /// # Guarantees
    ///
    /// - **Two keys.** Each thing, read afresh, carries a mark of this owner and address; and it
    ///   has a second witness that is not kept where the mark is: what its cloud knows of it (see
    ///   [`Witness`]), or the journal that saw it made.
    /// - What is not as the plan assumes is left, and so is the rest of its batch.
    /// - What holds data goes only if that was agreed to, thing by thing.
    /// - What is gone already is done.
    /// - A machine is shut down before, unless its cloud does that as it deletes it. At the deadline
    ///   one that has volumes stays, unless its power may be cut.
    pub(super) async fn delete(&mut self, targets: &[TargetRef]) -> Result<(), Failure> {
        self.agreed(targets)?;
        let ids: Vec<ResourceId> = targets.iter().map(|target| target.id.clone()).collect();
        let (site, kind) = (&self.step.site, self.step.kind);
        let fresh = self.context.read(site, kind, &ids).await;
        let fresh = fresh.map_err(|error| error.with_addr(&self.step.addr))?;
        let mut present = Vec::new();
        let mut doomed = Vec::new();
        for (target, fresh) in targets.iter().zip(fresh) {
            let Some(fresh) = fresh else { continue };
            present.push(target.id.clone());
            if fresh.state != ResourceState::Deleting {
                self.first_key(&fresh)?;
                self.expect(target, &fresh)?;
                doomed.push(fresh);
            }
        }
        doomed.iter().try_for_each(|one| self.second_key(one))?;
        self.successors_work(&doomed).await?;
        if kind == Kind::Machine {
            self.shut_down_to_delete(&doomed).await?;
        }
        if kind == Kind::Bucket {
            self.empty_buckets(targets, &doomed).await?;
        }
        let doomed: Vec<ResourceId> = doomed.into_iter().map(|one| one.id).collect();
        {
            // From now on, what is attached to them may be let go at any moment.
            let mut known = lock(&self.context.known);
            ids.iter().for_each(|id| known.deleted(site, id));
        }
        if !doomed.is_empty() {
            self.delete_now(&doomed).await?;
        }
        self.wait(&present, &Until::Gone).await?;
        Ok(())
    }

    /// What an interrupted replacement left goes only once its successor does its work.
    async fn successors_work(&mut self, doomed: &[Resource]) -> Result<(), Failure> {
        if doomed.is_empty() || self.step.addr.local.noun == Noun::Machines {
            return Ok(());
        }
        let generation = |one: &Resource| one.mark.as_ref().map(|mark| mark.generation);
        let oldest = doomed.iter().filter_map(generation).min();
        let site = self.context.run.inventory.sites.get(&self.step.site);
        let things = site.into_iter().flat_map(|site| &site.resources);
        let successors = things.filter(|one| {
            one.state == ResourceState::Pending
                && one.kind() == self.step.kind
                && one
                    .mark
                    .as_ref()
                    .is_some_and(|mark| mark.addr == self.step.addr)
                && generation(one) > oldest
        });
        let successors: Vec<ResourceId> = successors.map(|one| one.id.clone()).collect();
        for successor in self
            .wait(&successors, &Until::Settled)
            .await?
            .iter()
            .flatten()
        {
            if !matches!(
                successor.state,
                ResourceState::Ready | ResourceState::Stopped
            ) {
                let why = format!("its successor {} is not there", successor.id);
                return Err(self.refuse(&doomed[0].id, &why).into());
            }
        }
        Ok(())
    }

    /// Whether everybody who could lose data by it has agreed.
    fn agreed(&self, targets: &[TargetRef]) -> Result<()> {
        let consent = self.context.run.consent;
        let site = &self.step.site;
        let lacking = targets
            .iter()
            .find(|target| target.data_loss && !consent.may_lose(site, &target.id));
        lacking.map_or(Ok(()), |target| {
            let addr = &self.step.addr;
            let why = "its data would be lost, and nobody agreed to that";
            let refused = self.refuse(&target.id, why);
            Err(refused.with_help(format!("agree to the loss of {addr}, then apply again")))
        })
    }

    fn refuse(&self, id: &ResourceId, why: &str) -> Error {
        let what = format!("{} {id} is not deleted: {why}", self.step.kind);
        self.error(ErrorKind::Precondition, what)
    }

    /// The mark says that it is ours.
    fn first_key(&self, fresh: &Resource) -> Result<()> {
        let refuse = |why: &str| Err(self.refuse(&fresh.id, why));
        let Some(mark) = &fresh.mark else {
            let why = "it carries no mark any more, so nothing says that it is ours";
            let help = "adopt it, so that it is marked again, or delete it by hand";
            return Err(self.refuse(&fresh.id, why).with_help(help));
        };
        if !self.context.run.plan.topology.owns(&mark.owner) {
            return refuse(&format!("its mark says that it is {}'s", mark.owner));
        }
        if mark.addr != self.step.addr {
            return refuse(&format!("its mark says that it is {}", mark.addr));
        }
        Ok(())
    }

    /// Something that is not kept where the mark is says so too: what the cloud itself knows of the
    /// thing, or the journal that saw it made or adopted.
    fn second_key(&self, fresh: &Resource) -> Result<()> {
        let journal = self.context.run.journal;
        let owner = &self.context.run.plan.topology;
        if fresh.witness.is_held() || journal.made(owner, &self.step.addr, &fresh.id) {
            return Ok(());
        }
        let why = match &fresh.witness {
            Witness::Refuted { why } => why,
            Witness::Held | Witness::Lacking => "nothing but its mark says that it is ours",
        };
        let addr = &self.step.addr;
        let help = format!("if it is it, adopt {} as {addr}", fresh.id);
        Err(self.refuse(&fresh.id, why).with_help(help))
    }

    /// The call, repeated for a bounded time while what uses the things goes away. What cannot be
    /// deleted does not keep the rest.
    async fn delete_now(&mut self, ids: &[ResourceId]) -> Result<(), Failure> {
        let entry = self
            .begin(Begin {
                ids,
                ..Begin::default()
            })
            .await?;
        let clock = self.context.run.clock;
        let limit = self.context.run.options.conflict_deadline;
        let deadline = clock
            .now()
            .checked_add(limit)
            .unwrap_or(jiff::Timestamp::MAX);
        let mut pause = PAUSE_MIN;
        let mut left = ids.to_vec();
        let mut refused = None;
        loop {
            self.context.check_leases(&self.step.site)?;
            let outcomes = self.provider.delete(self.step.kind, &left).await;
            let failures = self.not_done(outcomes).await;
            let now = clock.now();
            let failed = |id: &ResourceId| failures.iter().any(|(other, _)| other == id);
            let gone = left.iter().filter(|id| !failed(id));
            self.deleted.extend(gone.map(|id| (id.clone(), now)));
            let may_wait = clock.now() < deadline;
            let (busy, final_) = failures
                .into_iter()
                .partition::<Vec<_>, _>(|(_, error)| may_wait && self.is_busy(error.kind()));
            // Of what stays, an unknown outcome counts most: the entry must not be closed on it.
            for (_, error) in final_ {
                let replace = refused
                    .as_ref()
                    .is_none_or(|first| outcome_is_unknown(&error) && !outcome_is_unknown(first));
                if replace {
                    refused = Some(error);
                }
            }
            let Some((_, waits_for)) = busy.first() else {
                let answer = refused.map_or(Ok(()), Err);
                return self.end(entry, answer, |()| ids.to_vec()).await;
            };
            if let Err(stopped) = self.sleep(pause).await {
                let error = refused.as_ref().unwrap_or(waits_for);
                self.fail(entry, error, outcome_is_unknown(error)).await?;
                return Err(stopped);
            }
            pause = (pause * 2).min(PAUSE_MAX);
            left = busy.into_iter().map(|(id, _)| id).collect();
        }
    }

    /// Whether something uses the thing that may go away. A bucket that is not empty by now is not
    /// emptied by waiting.
    fn is_busy(&self, kind: ErrorKind) -> bool {
        kind == ErrorKind::Conflict && self.step.kind != Kind::Bucket
    }

    /// What was not deleted. Where the answer did not come, a fresh read tells.
    async fn not_done(&self, outcomes: Vec<Outcome>) -> Vec<(ResourceId, Error)> {
        let failures = outcomes
            .into_iter()
            .filter_map(|one| Some((one.id, one.result.err()?)));
        let (unknown, mut failures) =
            failures.partition::<Vec<_>, _>(|(_, error)| outcome_is_unknown(error));
        let ids: Vec<ResourceId> = unknown.iter().map(|(id, _)| id.clone()).collect();
        if !ids.is_empty() && !self.are_going(&ids).await {
            failures.extend(unknown);
        }
        failures
    }

    /// Whether a delete was carried out whose answer did not come.
    async fn are_going(&self, ids: &[ResourceId]) -> bool {
        let (site, kind) = (&self.step.site, self.step.kind);
        let fresh = self.context.read(site, kind, ids).await;
        let fresh = fresh.unwrap_or_default();
        let is_going = |one: &Resource| one.state == ResourceState::Deleting;
        fresh.len() == ids.len() && fresh.iter().flatten().all(is_going)
    }
}
