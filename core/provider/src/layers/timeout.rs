//! No attempt waits forever.

use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use strat_model::{Error, ErrorKind, Result};

use super::{Api, Call, Effect, Flaws, Layer, Next, Reporter};

/// How long one attempt may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeoutPolicy {
    /// A read.
    pub read: Duration,
    /// A write.
    pub write: Duration,
    /// A write of an image, which may carry gigabytes.
    pub image_write: Duration,
    /// A read or write of a lease: a small text, of which a term has to hold several.
    pub lease: Duration,
}

impl Default for TimeoutPolicy {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(60),
            write: Duration::from_secs(120),
            image_write: Duration::from_secs(3600),
            lease: Duration::from_secs(15),
        }
    }
}

impl TimeoutPolicy {
    /// The same for a site whose leases have this term: an attempt takes at most half of it, and
    /// several at a lease fit into it.
    #[must_use]
    pub fn within(self, term: Option<Duration>) -> Self {
        let most = |limit: Duration, share: u32| term.map_or(limit, |term| limit.min(term / share));
        Self {
            write: most(self.write, 2),
            lease: most(self.lease, 4),
            ..self
        }
    }

    /// How long one attempt at `call` may take.
    #[must_use]
    pub fn limit(&self, call: &Call<'_>) -> Duration {
        match (call.effect, call.api) {
            (_, Api::Leases) => self.lease,
            (Effect::Read, _) => self.read,
            (Effect::Write, Api::Images) => self.image_write,
            (Effect::Write, _) => self.write,
        }
    }
}

/// Gives up on an attempt after a time. Of a write that is given up, the outcome is unknown.
#[derive(Debug)]
pub struct Timeout {
    policy: TimeoutPolicy,
    reporter: Reporter,
}

impl Timeout {
    /// Bounds attempts by `policy` on the reporter's clock.
    #[must_use]
    pub fn new(policy: TimeoutPolicy, reporter: Reporter) -> Self {
        Self { policy, reporter }
    }
}

#[async_trait]
impl Layer for Timeout {
    async fn around(&self, call: &Call<'_>, next: Next<'_>) -> Result<Flaws> {
        let limit = self.policy.limit(call);
        // `select` asks the call first: an answer at the last moment is an answer.
        match select(next.run(), self.reporter.clock().sleep(limit)).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(Error::new(
                ErrorKind::Timeout,
                format!("no answer within {} s", limit.as_secs_f64()),
            )),
        }
    }
}
