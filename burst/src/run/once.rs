//! One decision, from values that are given: nothing is measured, recorded or carried out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use strat_burst_policy::{
    Decision, History, Policy, PolicyError, Reading, Sample, decide as decided,
};
use strat_model::burst::BurstIntent;
use stratiform::Session;
use stratiform::engine::Observation;

use super::drain::{Drained, Hook, Hooks, Notice};
use super::inputs::Known;
use super::machines::Look;
use crate::log::Learnt;

/// How long after what was seen it is decided: each machine that is there counts as past its start.
const LATER: Duration = Duration::from_secs(3600);

/// What a burst would decide of what was seen, if its signals gave these values: for trying a policy on
/// a simulated world. One that is not named is missing, as if its query gave nothing.
///
/// It is decided as if the world had been like that for an hour, and nothing had been decided before: so
/// what goes down only after a time of less need is held.
///
/// # Errors
/// If the settings of the policy contradict each other.
pub async fn decide_once(
    session: &Session,
    observation: &Observation,
    intent: &BurstIntent,
    values: &BTreeMap<String, f64>,
) -> Result<Decision, PolicyError> {
    let policy = Policy::new(intent.policy.clone())?;
    let now = session.clock().now();
    let now = now.checked_add(LATER).unwrap_or(now);
    let signals = values.iter().map(|(name, value)| {
        let value = Reading::of(*value);
        (name.clone(), Sample { value, at: now })
    });
    let mut look = Look {
        session,
        observation,
        hooks: Arc::new(Nobody),
        now,
        alarms: Vec::new(),
    };
    let known = Known {
        signals: &signals.collect(),
        expected: None,
        history: History::default(),
        epoch: 0,
        paused: false,
        last: &[],
        unseen: &BTreeMap::new(),
    };
    let built = look.build(intent, known, &mut Learnt::default()).await;
    let mut decision = decided(&policy, &built.inputs);
    decision.alarms.extend(look.alarms);
    Ok(decision)
}

/// Nobody is asked: a simulated machine runs nothing.
#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Hooks for Nobody {
    async fn drain(&self, _: &Hook) -> Drained {
        Drained::Yes
    }

    async fn notice(&self, _: &str) -> Notice {
        Notice::None
    }
}
