//! The standard stack.

use std::sync::{Arc, Mutex};

use fastrand::Rng;

use super::{
    Answered, Api, CallObserver, Chaos, Effect, Fence, Layer, Layered, RateHint, Reporter, Retry,
    RetryPolicy, Throttle, ThrottlePolicy, Throttles, Timeout, TimeoutPolicy, Trace, WriteGate,
    lock,
};
use crate::{Clock, Leases, Provider};

/// What the standard layers go by.
#[derive(Debug, Clone, Copy, Default)]
pub struct LayerPolicy {
    /// When to try again.
    pub retry: RetryPolicy,
    /// How fast to call.
    pub throttle: ThrottlePolicy,
    /// How long to wait.
    pub timeout: TimeoutPolicy,
}

/// Builds the standard stack (see [the module](super) for its order) and puts it round providers.
///
/// One stack serves all sites of a run, so that sites of one account share their throttle.
#[derive(Debug)]
pub struct LayerStack {
    policy: LayerPolicy,
    clock: Arc<dyn Clock>,
    rng: Mutex<Rng>,
    observers: Vec<Arc<dyn CallObserver>>,
    throttles: Throttles,
    chaos: Option<Arc<Chaos>>,
}

impl LayerStack {
    /// The standard stack on `clock`. `rng` jitters the waits between attempts.
    #[must_use]
    pub fn standard(policy: LayerPolicy, clock: Arc<dyn Clock>, rng: Rng) -> Self {
        Self {
            policy,
            throttles: Throttles::new(policy.throttle, Arc::clone(&clock)),
            clock,
            rng: Mutex::new(rng),
            observers: Vec::new(),
            chaos: None,
        }
    }

    /// Adds an observer of all calls. Keep a clone to read it afterwards.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn CallObserver>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Says beforehand what rate an account is allowed.
    #[must_use]
    pub fn with_rate_hint(self, account: &str, api: Api, effect: Effect, hint: RateHint) -> Self {
        self.throttles.hint(account, api, effect, hint);
        self
    }

    /// Adds chaos, innermost. One chaos counts the calls of all sites.
    #[must_use]
    pub fn with_chaos(mut self, chaos: Arc<Chaos>) -> Self {
        self.chaos = Some(chaos);
        self
    }

    /// Puts the stack round a provider.
    ///
    /// `account` names what the cloud meters together, such as provider, account and region; sites
    /// that give the same share their throttle.
    #[must_use]
    pub fn wrap(&self, provider: Arc<dyn Provider>, account: &str) -> Arc<dyn Provider> {
        self.wrap_gated(provider, account, None)
    }

    /// As [`LayerStack::wrap`], with writes that leave only while `gate` lets them.
    #[must_use]
    pub fn wrap_gated(
        &self,
        provider: Arc<dyn Provider>,
        account: &str,
        gate: Option<WriteGate>,
    ) -> Arc<dyn Provider> {
        let reporter = Reporter::new(Arc::clone(&self.clock), self.observers.clone());
        let rng = lock(&self.rng).fork();
        let term = provider.leases().and_then(Leases::term);
        let timeout = self.policy.timeout.within(term);
        let answered = Answered::default();
        let mut stack: Vec<Arc<dyn Layer>> = vec![
            Arc::new(Trace::new(reporter.clone())),
            Arc::new(Retry::new(
                self.policy.retry,
                rng,
                reporter.clone(),
                answered.clone(),
            )),
            Arc::new(Throttle::new(
                self.throttles.clone(),
                account,
                reporter.clone(),
            )),
            Arc::new(Timeout::new(timeout, reporter, answered)),
        ];
        if let Some(gate) = gate {
            let clock = Arc::clone(&self.clock);
            stack.push(Arc::new(Fence::new(gate, timeout, clock)));
        }
        if let Some(chaos) = &self.chaos {
            stack.push(Arc::clone(chaos) as Arc<dyn Layer>);
        }
        Arc::new(Layered::new(provider, stack))
    }
}
