//! A cloud's token bucket, simulated.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strat_model::{Error, ErrorKind, Result};
use tokio::time::Instant;

use crate::fake::Fake;

/// Refuses what comes faster than its bucket refills.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) rate: f64,
    pub(crate) burst: f64,
    pub(crate) latency: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    start: Instant,
    tokens: f64,
    at: f64,
    admitted: Vec<f64>,
    refused: Vec<f64>,
}

impl Server {
    pub(crate) fn new(rate: f64, burst: f64, latency_ms: u64) -> Arc<Self> {
        Arc::new(Self {
            rate,
            burst,
            latency: Duration::from_millis(latency_ms),
            state: Mutex::new(State {
                start: Instant::now(),
                tokens: burst,
                at: 0.0,
                admitted: Vec::new(),
                refused: Vec::new(),
            }),
        })
    }

    /// One call arrives.
    fn arrive(&self) -> Result<()> {
        let mut state = self.state.lock().expect("state");
        let now = state.start.elapsed().as_secs_f64();
        state.tokens = self.burst.min(state.tokens + (now - state.at) * self.rate);
        state.at = now;
        if state.tokens >= 1.0 - 1e-9 {
            state.tokens -= 1.0;
            state.admitted.push(now);
            Ok(())
        } else {
            state.refused.push(now);
            Err(Error::new(ErrorKind::Throttled, "too many calls"))
        }
    }

    /// A provider whose calls all go to this server.
    pub(crate) fn provider(self: &Arc<Self>) -> Arc<Fake> {
        let server = Arc::clone(self);
        Fake::new(move |_| {
            let server = Arc::clone(&server);
            Box::pin(async move {
                tokio::time::sleep(server.latency / 2).await;
                let result = server.arrive();
                tokio::time::sleep(server.latency / 2).await;
                result
            })
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
        ((calls as f64 - self.burst) / self.rate).max(0.0) + self.latency.as_secs_f64()
    }
}
