//! A cloud's token bucket, simulated.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use strat_model::{Error, ErrorKind, Result};
use tokio::time::{Instant, sleep};

use crate::fake::Fake;

/// Refuses what comes faster than its bucket refills.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) rate: f64,
    pub(crate) burst: f64,
    pub(crate) latency: Duration,
    /// The share of the latency by which it varies, at most.
    pub(crate) jitter: f64,
    /// How long an admitted call takes on top.
    pub(crate) work: Duration,
    /// What a refusal asks for.
    pub(crate) retry_after: Option<Duration>,
    /// What the bucket holds, and what came.
    pub(crate) state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    start: Instant,
    rate: f64,
    rng: Rng,
    tokens: f64,
    at: f64,
    admitted: Vec<f64>,
    refused: Vec<f64>,
}

impl Server {
    pub(crate) fn new(rate: f64, burst: f64, latency_ms: u64) -> Self {
        Self {
            rate,
            burst,
            latency: Duration::from_millis(latency_ms),
            jitter: 0.0,
            work: Duration::ZERO,
            retry_after: None,
            state: Mutex::new(State {
                start: Instant::now(),
                rate,
                rng: Rng::with_seed(17),
                tokens: burst,
                at: 0.0,
                admitted: Vec::new(),
                refused: Vec::new(),
            }),
        }
    }

    /// How long a call travels there and back: half the latency each, give or take the jitter.
    fn ways(&self) -> (Duration, Duration) {
        let rng = &mut self.state.lock().expect("state").rng;
        let half = self.latency / 2;
        let mut way = || half.mul_f64(1.0 + self.jitter * (2.0 * rng.f64() - 1.0));
        (way(), way())
    }

    /// One call arrives.
    fn arrive(&self) -> Result<()> {
        let mut state = self.state.lock().expect("state");
        let now = state.start.elapsed().as_secs_f64();
        state.tokens = self.burst.min(state.tokens + (now - state.at) * state.rate);
        state.at = now;
        if state.tokens >= 1.0 - 1e-9 {
            state.tokens -= 1.0;
            state.admitted.push(now);
            Ok(())
        } else {
            state.refused.push(now);
            let error = Error::new(ErrorKind::Throttled, "too many calls");
            Err(match self.retry_after {
                Some(wait) => error.with_retry_after(wait),
                None => error,
            })
        }
    }

    /// Changes the rate from now on.
    pub(crate) fn set_rate(&self, rate: f64) {
        self.state.lock().expect("state").rate = rate;
    }

    /// One call, there and back.
    pub(crate) async fn call(&self) -> Result<()> {
        let (there, back) = self.ways();
        sleep(there).await;
        let result = self.arrive();
        if result.is_ok() {
            sleep(self.work).await;
        }
        sleep(back).await;
        result
    }

    /// A provider whose calls all go to this server.
    pub(crate) fn provider(self: &Arc<Self>) -> Arc<Fake> {
        let server = Arc::clone(self);
        Fake::new(move |_| {
            let server = Arc::clone(&server);
            Box::pin(async move { server.call().await })
        })
    }

    /// How many calls were let through and how many refused, from `from` seconds on.
    pub(crate) fn counts(&self, from: f64) -> (usize, usize) {
        let state = self.state.lock().expect("state");
        let count = |times: &[f64]| times.iter().filter(|at| **at >= from).count();
        (count(&state.admitted), count(&state.refused))
    }

    /// The share refused from `from` seconds on.
    pub(crate) fn refused_share(&self, from: f64) -> f64 {
        let (admitted, refused) = self.counts(from);
        refused as f64 / (admitted + refused).max(1) as f64
    }

    /// The least time in which `calls` can be let through, in seconds.
    pub(crate) fn lower_bound(&self, calls: usize) -> f64 {
        ((calls as f64 - self.burst) / self.rate).max(0.0)
            + (self.latency + self.work).as_secs_f64()
    }
}
