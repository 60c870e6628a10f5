//! Changing things in place: updates, attachments, power.

use std::collections::BTreeSet;

use strat_model::{
    ErrorKind, Field, Kind, Mark, MarkOrigin, Resource, ResourceId, ResourceState, Result, Spec,
    merged_labels,
};
use strat_planner::{Action, TargetRef};
use strat_provider::{Outcome, ProviderExt as _};

use super::context::Failure;
use super::known::{attached_to, detach, set_attached};
use super::step::{Begin, StepRun, unwritable};
use super::wait::Until;
use crate::lock;

impl StepRun<'_, '_> {
    /// Changes a thing in place, all but its attachment, and writes its mark.
    pub(super) async fn update(
        &mut self,
        target: Option<&TargetRef>,
        goal: usize,
        fields: &BTreeSet<Field>,
    ) -> Result<(), Failure> {
        let fresh = self.target(target).await?;
        let goal = self.goal(goal)?;
        let mut wanted = goal.spec.clone();
        detach(&mut wanted);
        let touches_user_data = fields.contains(&Field::UserData);
        let mut spec = self.resolve(&wanted, touches_user_data).await?;
        set_attached(&mut spec, attached_to(&fresh.spec).cloned());

        let mut mark = self.mark(goal, generation(target, &fresh), &spec);
        mark.origin = self.origin(&fresh);
        if let Some(old) = &fresh.mark {
            // The thing is still what it was made with in what is not changed now, whatever the
            // topology says of it: an image, user data.
            let counts = |field: &Field| {
                let of_topology = matches!(field, Field::Request | Field::Labels | Field::Attach);
                !of_topology && !fields.contains(field)
            };
            let kept = old.notes.iter().filter(|(field, _)| counts(field));
            mark.notes
                .extend(kept.map(|(field, note)| (*field, note.clone())));
        }
        let labels = merged_labels(fresh.spec.labels(), goal.spec.labels(), fresh.mark.as_ref());
        *spec.labels_mut() = labels;
        let mut fields = fields.clone();
        fields.remove(&Field::Attach);

        let ids = [fresh.id];
        let entry = self.begin(Begin::change(&ids, &mark)).await?;
        let answer = self.provider.update(&ids[0], &spec, &fields, &mark).await;
        let updated = self.end(entry, answer, |_| ids.to_vec()).await?;
        self.settled(&ids, updated).await
    }

    /// Writes the mark that says which thing of which topology it is now, and whether it drains; all else
    /// stays, in the mark too.
    pub(super) async fn rename(&mut self, target: &TargetRef) -> Result<(), Failure> {
        let fresh = self.target(Some(target)).await?;
        let Some(mark) = fresh.mark.clone() else {
            let gone = "its mark is gone since the plan was made";
            return Err(self.error(ErrorKind::Precondition, gone).into());
        };
        let mut mark = Mark {
            owner: self.context.run.plan.topology.clone(),
            addr: self.step.addr.clone(),
            ..mark
        };
        if let Some(drains) = &self.change.drains {
            mark.notes.insert(Field::Drain, drains.clone());
        }
        let ids = [fresh.id];
        let entry = self.begin(Begin::change(&ids, &mark)).await?;
        let none = BTreeSet::new();
        let answer = self
            .provider
            .update(&ids[0], &fresh.spec, &none, &mark)
            .await;
        let updated = self.end(entry, answer, |_| ids.to_vec()).await?;
        self.settled(&ids, updated).await
    }

    /// Takes the mark off a thing. It is forgotten before: cut off in between, it is seen by its mark
    /// and known again.
    pub(super) async fn release(&mut self, target: &TargetRef) -> Result<(), Failure> {
        let fresh = self.target(Some(target)).await?;
        let ids = [fresh.id];
        let run = &self.context.run;
        let (now, owner) = (run.clock.now(), &run.plan.topology);
        let addr = &self.step.addr;
        let noted = run
            .journal
            .record_released(now, owner, addr, (target.generation, &ids));
        noted.await.map_err(unwritable)?;
        let begin = Begin {
            generation: target.generation,
            ids: &ids,
            ..Begin::default()
        };
        let entry = self.begin(begin).await?;
        let answer = self.provider.release(&ids[0], &fresh.spec).await;
        self.end(entry, answer, |_| ids.to_vec()).await.map(drop)
    }

    /// Attaches a volume or address as its goal says.
    pub(super) async fn attach(
        &mut self,
        target: Option<&TargetRef>,
        goal: usize,
    ) -> Result<(), Failure> {
        let fresh = self.target(target).await?;
        let goal = self.goal(goal)?;
        let spec = self.resolve(&goal.spec, false).await?;
        let machine = attached_to(&spec).cloned();
        if attached_to(&fresh.spec) == machine.as_ref() {
            self.wrote(&fresh);
            return Ok(());
        }
        let mut mark = self.mark(goal, generation(target, &fresh), &spec);
        mark.origin = self.origin(&fresh);
        let ids = [fresh.id];
        let entry = self.begin(Begin::change(&ids, &mark)).await?;
        let provider = self.provider;
        let answer = match (self.step.kind, &machine) {
            (Kind::Volume, Some(machine)) => provider.attach_volume(&ids[0], machine).await,
            (Kind::Volume, None) => provider.detach_volume(&ids[0]).await,
            _ => {
                let fields = BTreeSet::from([Field::Attach]);
                let update = provider.update(&ids[0], &spec, &fields, &mark);
                update.await.map(|updated| self.wrote(&updated))
            }
        };
        self.end(entry, answer, |()| ids.to_vec()).await?;
        self.attached(&ids, machine).await
    }

    /// Takes all rules off a firewall. Its mark stays as it is: what is left of it after a crash
    /// is drift, and the next plan says so.
    pub(super) async fn clear_rules(&mut self, target: &TargetRef) -> Result<(), Failure> {
        let fresh = self.target(Some(target)).await?;
        let (Spec::Firewall(firewall), Some(mark)) = (&fresh.spec, &fresh.mark) else {
            return Ok(());
        };
        let mut firewall = firewall.clone();
        firewall.rules.clear();
        let fields = BTreeSet::from([Field::Rules]);
        let ids = [fresh.id.clone()];
        let entry = self.begin(Begin::change(&ids, mark)).await?;
        let spec = Spec::Firewall(firewall);
        let answer = self.provider.update(&ids[0], &spec, &fields, mark).await;
        let updated = self.end(entry, answer, |_| ids.to_vec()).await?;
        self.settled(&ids, updated).await
    }

    /// Lets a volume go.
    pub(super) async fn detach(&mut self, target: &TargetRef) -> Result<(), Failure> {
        let fresh = self.target(Some(target)).await?;
        let Some(machine) = attached_to(&fresh.spec).cloned() else {
            return Ok(());
        };
        self.must_not_run(&machine).await?;
        let ids = [fresh.id];
        let entry = self
            .begin(Begin {
                generation: target.generation,
                ids: &ids,
                ..Begin::default()
            })
            .await?;
        let answer = self.provider.detach_volume(&ids[0]).await;
        self.end(entry, answer, |()| ids.to_vec()).await?;
        self.attached(&ids, None).await
    }

    /// Switches machines on.
    pub(super) async fn start(&mut self, targets: &[TargetRef]) -> Result<(), Failure> {
        let fresh = self.read_expected(targets).await?;
        let off = fresh.iter().filter(|one| one.state != ResourceState::Ready);
        let ids: Vec<ResourceId> = off.map(|one| one.id.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let entry = self
            .begin(Begin {
                ids: &ids,
                ..Begin::default()
            })
            .await?;
        let outcomes = self.provider.start_machines(&ids).await;
        let answer = Outcome::all_done(outcomes);
        self.end(entry, answer, |()| ids.clone()).await?;
        self.wait(&ids, &Until::Ready).await?;
        Ok(())
    }

    /// What the mark of a changed thing says of where it comes from: what it said before, or, of one
    /// that is adopted, that it is this one.
    fn origin(&self, fresh: &Resource) -> Option<MarkOrigin> {
        match (&fresh.mark, self.change.action) {
            (_, Action::Adopt) => Some(MarkOrigin::Adopted(fresh.id.clone())),
            (mark, _) => mark.as_ref().and_then(|mark| mark.origin.clone()),
        }
    }

    /// The thing that a step changes, read afresh: as the plan assumes it, or what a create of
    /// the same change made.
    async fn target(&self, target: Option<&TargetRef>) -> Result<Resource> {
        let gone = || self.error(ErrorKind::Precondition, "it is not there any more");
        let fresh = match target {
            Some(target) => self.read_expected(std::slice::from_ref(target)).await?,
            None => {
                let made = lock(&self.context.known)
                    .at(&self.step.addr)
                    .map(|made| made.id.clone());
                let made = made.ok_or_else(gone)?;
                let (site, kind) = (&self.step.site, self.step.kind);
                let read = self.context.read(site, kind, &[made]).await;
                let read = read.map_err(|error| error.with_addr(&self.step.addr))?;
                read.into_iter().flatten().collect()
            }
        };
        fresh.into_iter().next().ok_or_else(gone)
    }

    /// Waits until a change is done, unless the answer says so already.
    pub(super) async fn settled(
        &mut self,
        ids: &[ResourceId],
        updated: Resource,
    ) -> Result<(), Failure> {
        self.wrote(&updated);
        if matches!(updated.state, ResourceState::Ready | ResourceState::Stopped) {
            return Ok(());
        }
        self.wait_and_learn(ids, &Until::Settled).await
    }

    async fn attached(
        &mut self,
        ids: &[ResourceId],
        machine: Option<ResourceId>,
    ) -> Result<(), Failure> {
        self.wait_and_learn(ids, &Until::Attached(machine)).await
    }

    pub(super) async fn wait_and_learn(
        &mut self,
        ids: &[ResourceId],
        until: &Until,
    ) -> Result<(), Failure> {
        let seen = self.wait(ids, until).await?;
        seen.iter().flatten().for_each(|one| self.wrote(one));
        Ok(())
    }
}

/// The generation that a changed thing's mark says; the first, for one that is adopted.
fn generation(target: Option<&TargetRef>, fresh: &Resource) -> u64 {
    let marked = fresh.mark.as_ref().map(|mark| mark.generation);
    target
        .map(|target| target.generation)
        .or(marked)
        .unwrap_or(1)
        .max(1)
}
