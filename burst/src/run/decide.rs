//! The decisions of a round: measured, made, recorded and carried out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use strat_burst_policy::{Forecaster, Reading, Record, Sample};
use strat_model::burst::BurstIntent;
use stratiform::engine::{ExecuteOptions, Observation};
use stratiform::{ApplyOptions, ApplyOutcome, Run, RunOptions, Session, Stop};

use super::act::{scales, told_to_go};
use super::budget::{gone, made, spent};
use super::controller::{COMMAND, Controller, Round, said};
use super::drain::Hook;
use super::inputs::{Built, Known};
use super::machines::Look;
use crate::log::{Decided, Done, Learnt, Line, history_after};
use crate::status::BurstStatus;

/// How long a decision waits for an apply that holds the lease, at most.
const PATIENCE: Duration = Duration::from_secs(20);

impl Controller {
    /// Decides for each burst, those of the highest priority first.
    pub(super) async fn decide_all(&mut self, round: &mut Round, stop: &Stop) {
        let mut intents = self.workspace.intent().bursts.clone();
        intents.sort_by(|a, b| {
            let key = |one: &BurstIntent| std::cmp::Reverse(one.policy.priority);
            let batch = |one: &BurstIntent| one.policy.class != Default::default();
            (batch(a), key(a), &a.policy.name).cmp(&(batch(b), key(b), &b.policy.name))
        });
        let (signals, mut whys) = self.measure(&intents).await;
        let Some(session) = self.session.take() else {
            return;
        };
        for intent in &intents {
            let name = &intent.policy.name;
            let none = BTreeMap::new();
            let samples = signals.get(name).unwrap_or(&none);
            let alarms = whys.remove(name).unwrap_or_default();
            match self.decide(&session, intent, samples, alarms, stop).await {
                Ok(decided) => round.decided.push(decided),
                Err(error) => round.problems.push(format!("burst.{name}: {error}")),
            }
        }
        self.session = Some(session);
    }

    /// The signals of all bursts, at once; and why those that are missing are.
    async fn measure(
        &mut self,
        intents: &[BurstIntent],
    ) -> (
        BTreeMap<String, BTreeMap<String, Sample>>,
        BTreeMap<String, Vec<String>>,
    ) {
        let now = self.now();
        let signals = Arc::clone(&self.options.signals);
        let asked = intents.iter().flat_map(|intent| {
            let signals = &signals;
            intent.policy.signals.iter().map(move |signal| async move {
                let name = &intent.policy.name;
                let measured = signals.measure(name, signal, now).await;
                (name.clone(), signal.name.clone(), measured)
            })
        });
        let mut samples: BTreeMap<String, BTreeMap<String, Sample>> = BTreeMap::new();
        let mut whys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (burst, signal, measured) in join_all(asked).await {
            if let Some(why) = measured.why {
                let whys = whys.entry(burst.clone()).or_default();
                whys.push(format!("{signal} is not measured: {why}"));
            }
            let of = samples.entry(burst).or_default();
            of.insert(signal, measured.sample);
        }
        for intent in intents {
            self.foresee(intent, samples.get(&intent.policy.name)).await;
        }
        (samples, whys)
    }

    /// Lets the forecasts of a burst see what was measured; at first, what was measured before.
    async fn foresee(&mut self, intent: &BurstIntent, samples: Option<&BTreeMap<String, Sample>>) {
        let now = self.now();
        let signals = Arc::clone(&self.options.signals);
        let Some(kept) = self.bursts.get_mut(&intent.policy.name) else {
            return;
        };
        let Some(setting) = kept.policy.settings().forecast.clone() else {
            return;
        };
        let step_s = kept.policy.settings().interval_s;
        if kept.forecasters.is_empty() {
            let boots = kept.learnt.boots_s.values().flatten().copied().max();
            let ahead_s = boots.unwrap_or(180) + step_s;
            let longest = setting.seasons_s.iter().max().copied().unwrap_or(0);
            let of = |season: &u64| Forecaster::new(&setting, *season, step_s, ahead_s);
            kept.forecasters = setting.seasons_s.iter().map(of).collect();
            let steps = usize::try_from(4 * longest / step_s.max(1)).unwrap_or(0);
            let mut all = intent.policy.signals.iter();
            if let Some(signal) = all.find(|signal| signal.name == setting.of) {
                for value in signals.history(signal, step_s, steps, now).await.values {
                    for forecaster in &mut kept.forecasters {
                        forecaster.observe(value);
                    }
                }
            }
        }
        let sample = samples.and_then(|samples| samples.get(&setting.of));
        let value = sample.and_then(|sample| match sample.value {
            Reading::Number(value) => Some(value),
            Reading::NotANumber | Reading::Nothing => None,
        });
        for forecaster in &mut kept.forecasters {
            forecaster.observe(value);
        }
    }

    /// Decides for one burst, and carries out what was decided.
    async fn decide(
        &mut self,
        session: &Session,
        intent: &BurstIntent,
        samples: &BTreeMap<String, Sample>,
        alarms: Vec<String>,
        stop: &Stop,
    ) -> Result<(Record, Option<Done>), String> {
        let observation = session.observe().await.map_err(|error| said(&error))?;
        let mut look = self.look(session, &observation, alarms.clone());
        let (record, built, learnt) = self.record(&mut look, intent, samples).await?;
        let told = std::mem::take(&mut look.alarms);
        let built_scales = scales(intent, &record.decision, &built);
        if built_scales.is_empty() {
            self.write(intent, &record, learnt, &told)?;
            self.note(intent, record.clone(), None);
            return Ok((record, None));
        }
        let options = RunOptions {
            lock_timeout: PATIENCE.min(self.interval() / 2),
            holder: self.options.holder.clone(),
            ..RunOptions::new(COMMAND)
        };
        let run = match session.begin(&options).await {
            Ok(run) => run,
            Err(error) => {
                self.write(intent, &record, learnt, &told)?;
                let done = self.done(&record, None, false, vec![said(&error)]);
                return self.close(intent, record, done);
            }
        };
        // What was seen before the lease was ours may have changed since.
        let observation = run.observe_now().await;
        let mut look = self.look(session, &observation, alarms);
        let decided = self.record(&mut look, intent, samples).await;
        let told = std::mem::take(&mut look.alarms);
        let written = decided.and_then(|(record, built, learnt)| {
            self.write(intent, &record, learnt, &told)?;
            Ok((record, built))
        });
        let outcome = match written {
            Ok((record, built)) => {
                let decision = (&record, &built);
                let done = self.carry_out(&run, observation.clone(), intent, decision, stop);
                let done = done.await;
                self.ask_to_drain(intent, &observation, &record, &built)
                    .await;
                Ok((record, done))
            }
            Err(why) => Err(why),
        };
        let ended = run.end().await;
        let (record, mut done) = outcome?;
        if let Err(error) = ended {
            done.problems.push(said(&error));
        }
        self.close(intent, record, done)
    }

    fn look<'s>(
        &self,
        session: &'s Session,
        observation: &'s Observation,
        alarms: Vec<String>,
    ) -> Look<'s>
    where
        Self: 's,
    {
        Look {
            session,
            observation,
            hooks: Arc::clone(&self.options.hooks),
            now: self.now(),
            alarms,
        }
    }

    /// Makes a decision from what was seen.
    async fn record(
        &self,
        look: &mut Look<'_>,
        intent: &BurstIntent,
        samples: &BTreeMap<String, Sample>,
    ) -> Result<(Record, Built, Learnt), String> {
        let gone = || "it is not in the topology any more".to_owned();
        let kept = self.bursts.get(&intent.policy.name).ok_or_else(gone)?;
        let epoch = self.epoch().ok_or("the lead is lost: nothing is decided")?;
        let last = kept.last.as_ref();
        let history = last.map(|(record, done)| {
            let begun = done.as_ref().is_none_or(|done| done.begun);
            history_after(&kept.policy, record, begun)
        });
        let known = Known {
            signals: samples,
            expected: Forecaster::best(&kept.forecasters),
            history: history.unwrap_or_default(),
            epoch,
            paused: self.pause.is_some(),
            last: last.map_or(&[], |(record, _)| record.inputs.machines.as_slice()),
            unseen: last.map_or(&NO_SITES, |(record, _)| &record.inputs.unseen),
        };
        let mut learnt = kept.learnt.clone();
        let mut built = look.build(intent, known, &mut learnt).await;
        let before = last.map(|(record, done)| (record, done.as_ref()));
        built.inputs.spent = spent(before, &mut learnt.paid, &built.inputs, look.now);
        let record = Record::of(&kept.policy, &built.inputs)
            .map_err(|error| format!("the decision cannot be recorded: {error}"))?;
        Ok((record, built, learnt))
    }

    /// Writes a decision down, before anything is done for it.
    fn write(
        &mut self,
        intent: &BurstIntent,
        record: &Record,
        learnt: Learnt,
        alarms: &[String],
    ) -> Result<(), String> {
        let Some(kept) = self.bursts.get_mut(&intent.policy.name) else {
            return Ok(());
        };
        kept.learnt = learnt.clone();
        let decided = Decided {
            record: record.clone(),
            learnt,
        };
        let line = Line::Decided(Box::new(decided));
        let written = kept.log.append(&line);
        written.map_err(|error| {
            format!("the decision cannot be written, so nothing is done: {error}")
        })?;
        let settings = kept.policy.settings();
        let bounds = (settings.min, settings.max);
        let fleet = intent.fleet.to_string();
        let status = BurstStatus::of(&fleet, bounds, &record.id, &record.decision, alarms);
        kept.status = Some(status);
        Ok(())
    }

    /// Applies what a decision comes to, within its run.
    async fn carry_out(
        &self,
        run: &Run<'_>,
        observation: Observation,
        intent: &BurstIntent,
        (record, built): (&Record, &Built),
        stop: &Stop,
    ) -> Done {
        let scales = scales(intent, &record.decision, built);
        if scales.is_empty() {
            return self.done(record, None, false, Vec::new());
        }
        let planned = match run.plan_scales(observation, scales).await {
            Ok(planned) => planned,
            Err(error) => return self.done(record, None, false, vec![said(&error)]),
        };
        let plan = &planned.saved.plan;
        let mut problems: Vec<String> = plan
            .withheld
            .iter()
            .map(|left| format!("{} is left alone: {}", left.what, left.why))
            .collect();
        if self.epoch().is_none() {
            let why = "the lead was lost before anything was done".to_owned();
            return self.done(record, None, false, vec![why]);
        }
        let options = ApplyOptions {
            // What goes was named by the decision, thing by thing; the plan deletes nothing else.
            allow_deletes: true,
            only_once: true,
            stop: stop.clone(),
            execute: ExecuteOptions {
                await_fleets: false,
                ..ExecuteOptions::default()
            },
            ..ApplyOptions::default()
        };
        match run.apply(&planned, &options).await {
            Ok(outcome) => {
                problems.extend(failures(&outcome));
                let done = self.done(record, Some(plan.id.clone()), true, problems);
                Done {
                    made: made(&outcome, &intent.fleet, &built.inputs.offers, done.at),
                    gone: gone(&outcome, &intent.fleet),
                    ..done
                }
            }
            Err(error) => {
                problems.push(said(&error));
                self.done(record, Some(plan.id.clone()), true, problems)
            }
        }
    }

    /// Asks those that were just told to go to empty themselves. Whether they are empty is asked in the
    /// next round.
    async fn ask_to_drain(
        &self,
        intent: &BurstIntent,
        observation: &Observation,
        record: &Record,
        built: &Built,
    ) {
        let asked = told_to_go(&record.decision, built).into_iter().map(|one| {
            let mut resources = observation.inventory.resources();
            let real = resources.find(|(site, real)| **site == one.site && real.id == one.id);
            let hook = real.and_then(|(_, real)| Hook::of(&intent.policy.drain, real));
            async move {
                if let Some(Some(hook)) = hook {
                    self.options.hooks.drain(&hook).await;
                }
            }
        });
        join_all(asked).await;
    }

    fn done(
        &self,
        record: &Record,
        run: Option<String>,
        begun: bool,
        problems: Vec<String>,
    ) -> Done {
        Done {
            id: record.id.clone(),
            at: self.now(),
            run,
            begun,
            problems,
            made: Vec::new(),
            gone: BTreeMap::new(),
        }
    }

    /// Writes down what came of a decision.
    fn close(
        &mut self,
        intent: &BurstIntent,
        record: Record,
        done: Done,
    ) -> Result<(Record, Option<Done>), String> {
        let written = match self.bursts.get(&intent.policy.name) {
            Some(kept) => kept.log.append(&Line::Done(done.clone())),
            None => Ok(()),
        };
        self.note(intent, record.clone(), Some(done.clone()));
        written.map_err(|error| format!("what came of it cannot be written: {error}"))?;
        Ok((record, Some(done)))
    }

    fn note(&mut self, intent: &BurstIntent, record: Record, done: Option<Done>) {
        if let Some(kept) = self.bursts.get_mut(&intent.policy.name) {
            if let (Some(done), Some(status)) = (&done, &mut kept.status) {
                status.alarms.extend(done.problems.iter().cloned());
            }
            kept.last = Some((record, done));
        }
    }
}

static NO_SITES: BTreeMap<String, Timestamp> = BTreeMap::new();

/// What was not done.
fn failures(outcome: &ApplyOutcome) -> Vec<String> {
    let mut failures = Vec::new();
    for report in &outcome.reports {
        failures.extend(report.fatal.iter().map(ToString::to_string));
        let failed = report.failures();
        failures.extend(failed.map(|(step, error)| format!("{}: {}", step.addr, error.view())));
    }
    failures
}
