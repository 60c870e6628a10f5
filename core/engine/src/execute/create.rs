//! Making things.

use std::collections::BTreeSet;

use strat_model::{
    Addr, Digest, Error, ErrorKind, Field, FirewallSpec, Idempotency, Mark, MarkOrigin, Noun,
    Resource, ResourceId, ResourceState, Result, Spec, Token, UserData,
};
use strat_planner::{Action, Goal, fleet_names, resource_name};
use strat_provider::{CreateMachines, MachineBatch, ProviderExt as _};

use super::context::{Failure, ready};
use super::known::detach;
use super::report::OfferRef;
use super::step::{Begin, PLAN_AGAIN, StepRun, outcome_is_unknown};
use super::wait::Until;
use crate::lock;

/// How often a create is begun anew because its answer was a thing that is already going away.
const ATTEMPTS_MAX: u32 = 3;

/// What a create step is to make.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'s> {
    pub(super) goal: usize,
    pub(super) count: u32,
    pub(super) generation: u64,
    pub(super) part: u32,
    pub(super) without: &'s [Addr],
}

/// One create call.
struct Attempt<'s> {
    spec: &'s Spec<ResourceId>,
    mark: &'s Mark,
    token: Token,
    names: Vec<String>,
    /// Whether the token follows from the address alone, so that any earlier run may have used it.
    fixed: bool,
}

impl Attempt<'_> {
    /// Whether a thing is what this call makes, or an earlier one with its token.
    fn is_it(&self, made: &Resource) -> bool {
        made.state == ResourceState::Deleting
            || made.mark.as_ref().is_some_and(|mark| {
                (&mark.owner, &mark.addr) == (&self.mark.owner, &self.mark.addr)
            })
    }
}

/// Whether the first token of a new thing follows from its address alone: then a second folder that
/// makes it at the same moment is answered with the first one's, or refused.
const fn has_fixed_token(noun: Noun) -> bool {
    matches!(noun, Noun::Machine | Noun::Volume)
}

impl StepRun<'_, '_> {
    /// Makes what is wanted, and waits until it is fit for use.
    ///
    /// A repeated token may answer with a machine that was ended since (a plan that is applied a
    /// second time): it gets a new attempt, with a token of its own.
    pub(super) async fn create(&mut self, wanted: Wanted<'_>) -> Result<(), Failure> {
        self.is_not_there()?;
        let (site, goal) = (&self.step.site, self.goal(wanted.goal)?);
        let spending = self.context.run.spending;
        if let Err(why) = spending.take(site, goal, wanted.count) {
            return Err(self.error(ErrorKind::Precondition, why).into());
        }
        let made = self.create_within(wanted).await;
        let short = usize::try_from(wanted.count).unwrap_or(usize::MAX);
        let short = short.saturating_sub(self.made.len());
        let short = u32::try_from(short).unwrap_or(0);
        spending.give_back(site, goal, short.saturating_add(self.lost));
        made
    }

    /// Makes it, within the budgets.
    async fn create_within(&mut self, wanted: Wanted<'_>) -> Result<(), Failure> {
        let (spec, mut mark) = self.prepare(&wanted).await?;
        let part = wanted.part;
        let offer = OfferRef::of(&spec).map_or(String::new(), |offer| offer.to_string());
        let mut missing = wanted.count;
        let mut live = Vec::new();
        let mut shortfall = None;
        for number in 1..=ATTEMPTS_MAX {
            let (plan, addr) = (self.context.run.plan, &self.step.addr);
            let generation = wanted.generation;
            let first = number == 1 && plan.avoided.is_empty();
            let fixed = first && has_fixed_token(addr.local.noun);
            let token = if fixed {
                Token::of_single(&plan.topology, addr, generation, part)
            } else {
                Token::derive(&plan.id, addr, generation, number, part, &offer)
            };
            let names = if addr.local.noun == Noun::Machines {
                fleet_names(&plan.topology, addr, &token, missing)
            } else {
                vec![resource_name(&plan.topology, addr, generation)]
            };
            mark.origin = Some(MarkOrigin::Made(token.clone()));
            let attempt = Attempt {
                spec: &spec,
                mark: &mark,
                token,
                names,
                fixed,
            };
            let Some(batch) = self.attempt(&attempt).await? else {
                continue;
            };
            let (dead, made): (Vec<_>, Vec<_>) = batch
                .created
                .into_iter()
                .partition(|one| one.state == ResourceState::Deleting);
            self.made.extend(made.iter().map(|one| one.id.clone()));
            live.extend(made);
            shortfall = batch.shortfall;
            missing = u32::try_from(dead.len()).unwrap_or(missing);
            if missing == 0 || shortfall.is_some() {
                break;
            }
            // Where the name is the identity, the new one has to wait for the old one to be gone.
            let dead: Vec<ResourceId> = dead.into_iter().map(|one| one.id).collect();
            if self.provider.capabilities().idempotency == Idempotency::Name {
                self.wait(&dead, &Until::Gone).await?;
            }
        }
        self.await_ready(live).await?;
        if let Some(why) = shortfall {
            let made = self.made.len();
            let error = why.wrapped(format!("{made} of {} made", wanted.count));
            return Err(error.with_addr(&self.step.addr).into());
        }
        if missing > 0 {
            let what = "what was made is being deleted again at once";
            return Err(self.error(ErrorKind::Conflict, what).into());
        }
        Ok(())
    }

    /// Compare, of compare-and-set: what a plan makes for the first time must not be there yet.
    fn is_not_there(&self) -> Result<()> {
        let addr = &self.step.addr;
        let first = self.change.action == Action::Create && addr.local.noun != Noun::Machines;
        let known = lock(&self.context.known);
        match known.at(addr).filter(|_| first) {
            None => Ok(()),
            Some(there) => {
                let what = format!(
                    "{} {} is there already, made since the plan was",
                    self.step.kind, there.id
                );
                Err(self
                    .error(ErrorKind::Precondition, what)
                    .with_help(PLAN_AGAIN))
            }
        }
    }

    /// The spec with everything in it known, and the mark.
    async fn prepare(&self, wanted: &Wanted<'_>) -> Result<(Spec<ResourceId>, Mark)> {
        let goal = self.goal(wanted.goal)?;
        let mut goal = goal.clone();
        let digest = goal.digest();
        detach(&mut goal.spec);
        let partial = !wanted.without.is_empty();
        if let (true, Spec::Firewall(spec)) = (partial, &mut goal.spec) {
            leave_out(spec, wanted.without);
        }
        let spec = self.resolve(&goal.spec, true).await?;
        let mut mark = self.mark(&goal, wanted.generation, &spec);
        // Half a firewall does not say that it is a whole one.
        mark.spec = if partial {
            Digest::of_parts(["partial", &digest]).short().to_owned()
        } else {
            digest
        };
        Ok((spec, mark))
    }

    /// The mark of what a goal makes or brings about; who makes it adds the call.
    pub(super) fn mark(&self, goal: &Goal, generation: u64, spec: &Spec<ResourceId>) -> Mark {
        let mut notes = goal.notes.clone();
        if let Spec::Machine(spec) = spec
            && let Some(user_data) = &spec.user_data
        {
            notes.insert(Field::UserData, user_data.digest.clone());
        }
        if let Spec::Machine(spec) = spec {
            // What it was given: a size that somebody changes later is told from it.
            notes.insert(Field::MachineType, spec.machine_type.clone());
        }
        Mark {
            owner: self.context.run.plan.topology.clone(),
            addr: self.step.addr.clone(),
            spec: goal.digest(),
            generation,
            origin: None,
            protect: self.change.protect,
            disposable: self.change.disposable,
            notes,
        }
    }

    /// Names real things in place of addresses, and fills in the text of user data.
    ///
    /// With `user_data` false, a text that cannot be had is left out: only for a change that does
    /// not touch it.
    pub(super) async fn resolve(
        &self,
        spec: &Spec<Addr>,
        user_data: bool,
    ) -> Result<Spec<ResourceId>> {
        let mut refs = BTreeSet::new();
        spec.for_each_ref(|addr| {
            refs.insert(addr.clone());
        });
        for addr in &refs {
            let found = ready(self.context, addr).await;
            found.map_err(|error| error.with_addr(&self.step.addr))?;
        }
        let mut spec = spec.try_map_refs(|addr| {
            let known = lock(&self.context.known);
            let found = known.at(addr).map(|resource| resource.id.clone());
            found.ok_or_else(|| {
                let what = format!("it refers to {addr}, which is not there");
                self.error(ErrorKind::Precondition, what)
                    .with_help(PLAN_AGAIN)
            })
        })?;
        if let Spec::Machine(machine) = &mut spec
            && let Some(template) = &machine.user_data
        {
            match self.fill(template).await {
                Ok(filled) => machine.user_data = Some(filled),
                Err(why) if user_data => return Err(why.with_addr(&self.step.addr)),
                Err(_) => machine.user_data = None,
            }
        }
        Ok(spec)
    }

    async fn fill(&self, template: &UserData) -> Result<UserData> {
        let source = self.context.run.user_data;
        let site = &self.step.site;
        // What an interrupted run left half made has no address yet: wait for it.
        for (local, _) in source.references(&template.digest) {
            let found = lock(&self.context.known)
                .local(local, site)
                .map(|(addr, _)| addr);
            if let Some(addr) = found {
                ready(self.context, &addr).await?;
            }
        }
        let known = lock(&self.context.known);
        source.resolve(&template.digest, |local, attribute| {
            let (addr, resource) = known.local(local, site)?;
            resource.attribute(&addr.site, attribute)
        })
    }

    /// One call, recorded before and after. An answer that did not come, or came for some of a batch
    /// alone, is looked up.
    ///
    /// `None` where the token was used up by something that is not this thing: made with other
    /// parameters, such as an offer that ran out, and gone, or called otherwise by now.
    async fn attempt(&self, attempt: &Attempt<'_>) -> Result<Option<MachineBatch>, Failure> {
        let entry = self
            .begin(Begin {
                generation: attempt.mark.generation,
                token: Some(&attempt.token),
                names: &attempt.names,
                spec: &attempt.mark.spec,
                ids: &[],
            })
            .await?;
        let (made, error) = match self.call(attempt).await {
            Ok(MachineBatch {
                created,
                shortfall: Some(error),
            }) if outcome_is_unknown(&error) => (created, error),
            Ok(batch) if attempt.fixed && !batch.created.iter().all(|one| attempt.is_it(one)) => {
                let what = "the token of this create made another thing before";
                let error = self.error(ErrorKind::Precondition, what);
                self.fail(entry, &error, false).await?;
                let unmarked = batch.created.into_iter().find(|one| one.mark.is_none());
                return unmarked.map_or(Ok(None), |one| Err(self.unmarked(&one).into()));
            }
            Ok(batch) => return self.end(entry, Ok(batch), made_ids).await.map(Some),
            Err(error) => (Vec::new(), error),
        };
        if attempt.fixed && error.kind() == ErrorKind::Precondition {
            self.fail(entry, &error, false).await?;
            return self.unless_there(attempt, error).await.map(|()| None);
        }
        let look = outcome_is_unknown(&error) || error.kind() == ErrorKind::AlreadyExists;
        if !look {
            return self.end(entry, Err(error), made_ids).await.map(Some);
        }
        match self.look_up(attempt).await {
            Ok(mut found) if !found.is_empty() || !made.is_empty() => {
                let seen: BTreeSet<ResourceId> = found.iter().map(|one| one.id.clone()).collect();
                found.extend(made.into_iter().filter(|one| !seen.contains(&one.id)));
                let shortfall = (found.len() < attempt.names.len()).then_some(error);
                let batch = MachineBatch {
                    created: found,
                    shortfall,
                };
                self.end(entry, Ok(batch), made_ids).await.map(Some)
            }
            // Looked for and not there: now the outcome is known.
            Ok(_) => {
                self.fail(entry, &error, false).await?;
                if error.kind() == ErrorKind::AlreadyExists {
                    return Err(self.taken(&attempt.names).with_source(error).into());
                }
                let what = "no answer came; it was looked for, and nothing was made";
                let error = error.with_known_outcome().wrapped(what);
                let error = error.with_help("apply again: it goes on where this ended");
                Err(error.with_addr(&self.step.addr).into())
            }
            // The outcome stays unknown, and the entry open: the next run settles it.
            Err(failure) => {
                self.fail(entry, &error, true).await?;
                tracing::debug!(%failure, "what came of a create could not be looked up");
                Err(error.with_addr(&self.step.addr).into())
            }
        }
    }

    /// Looks for what a token was used for that anybody with this topology may have used, once a list
    /// cannot lag any more.
    async fn unless_there(&self, attempt: &Attempt<'_>, error: Error) -> Result<(), Failure> {
        let (site, kind) = (&self.step.site, self.step.kind);
        let now = self.context.run.clock.now();
        let settled = now.checked_add(self.context.window(site));
        let settled = settled.unwrap_or(jiff::Timestamp::MAX);
        let names = &attempt.names;
        let found = self.context.find(site, kind, names, settled).await?;
        match found.into_iter().find(|one| attempt.is_it(one)) {
            None => Ok(()),
            Some(twin) => {
                let what = format!("{kind} {} is there already, made by another run", twin.id);
                let refused = self.error(ErrorKind::Precondition, what);
                Err(refused.with_help(PLAN_AGAIN).with_source(error).into())
            }
        }
    }

    fn unmarked(&self, found: &Resource) -> Error {
        let (kind, id) = (self.step.kind, &found.id);
        let what = format!("{kind} {id} is there already, and its mark is gone");
        let refused = self.error(ErrorKind::AlreadyExists, what);
        refused.with_help(format!("adopt it as {}", self.step.addr))
    }

    fn taken(&self, names: &[String]) -> strat_model::Error {
        let what = format!(
            "a {} named `{}` is there already, and its mark does not say that it is what this plan \
             makes",
            self.step.kind,
            names.join("`, `"),
        );
        self.error(ErrorKind::AlreadyExists, what)
            .with_help("adopt it, or rename or remove it")
    }

    async fn call(&self, attempt: &Attempt<'_>) -> Result<MachineBatch> {
        if let Spec::Machine(spec) = attempt.spec {
            let request = CreateMachines {
                spec,
                names: &attempt.names,
                mark: attempt.mark,
                token: &attempt.token,
            };
            return self.provider.create_machines(request).await;
        }
        let Some(name) = attempt.names.first() else {
            return Err(self.error(ErrorKind::Internal, "a create has no name"));
        };
        let made = self
            .provider
            .create(attempt.spec, name, attempt.mark, &attempt.token)
            .await?;
        Ok(MachineBatch {
            created: vec![made],
            shortfall: None,
        })
    }

    /// What a call made whose answer did not come, or what was there before it: by name, and only
    /// with the mark that this call writes. At once, and again when a list cannot lag any more.
    async fn look_up(&self, attempt: &Attempt<'_>) -> Result<Vec<Resource>> {
        let (site, kind) = (&self.step.site, self.step.kind);
        let now = self.context.run.clock.now();
        let settled = now
            .checked_add(self.context.window(site))
            .unwrap_or(jiff::Timestamp::MAX);
        let mut found = Vec::new();
        for not_before in [now, settled] {
            found = self
                .context
                .find(site, kind, &attempt.names, not_before)
                .await?;
            found.retain(|one| {
                let same = |mark: &Mark| {
                    let wanted = attempt.mark;
                    (&mark.owner, &mark.addr) == (&wanted.owner, &wanted.addr)
                        && (mark.generation, &mark.spec) == (wanted.generation, &wanted.spec)
                };
                one.state != ResourceState::Deleting
                    && one.witness.is_held()
                    && one.mark.as_ref().is_some_and(same)
            });
            if found.len() == attempt.names.len() {
                break;
            }
        }
        Ok(found)
    }
}

fn made_ids(batch: &MachineBatch) -> Vec<ResourceId> {
    batch.created.iter().map(|one| one.id.clone()).collect()
}

/// Leaves out the rules that name firewalls which are not there yet.
fn leave_out(spec: &mut FirewallSpec<Addr>, without: &[Addr]) {
    spec.rules.retain(|rule| {
        let mut named = rule.peers.iter().filter_map(strat_model::Peer::firewall);
        !named.any(|firewall| without.contains(firewall))
    });
}
