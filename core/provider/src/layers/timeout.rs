//! No attempt waits forever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use strat_model::{Error, ErrorKind, Result};

use super::{Api, Call, Effect, Flaws, Layer, Next, Phase, Reporter};

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
    /// A read at a site where nothing has answered yet: its address may be wrong, or it is down.
    pub first: Duration,
    /// After how long without an answer that is said, and how often again.
    pub tell: Duration,
}

impl Default for TimeoutPolicy {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(60),
            write: Duration::from_secs(120),
            image_write: Duration::from_secs(3600),
            lease: Duration::from_secs(15),
            first: Duration::from_secs(20),
            tell: Duration::from_secs(10),
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

/// Whether anything at a site has answered yet. Clones tell of the same site.
#[derive(Debug, Clone, Default)]
pub struct Answered(Arc<AtomicBool>);

impl Answered {
    /// Something has: an answer, or a refusal.
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether something has.
    #[must_use]
    pub fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Gives up on an attempt after a time. Of a write that is given up, the outcome is unknown.
#[derive(Debug)]
pub struct Timeout {
    policy: TimeoutPolicy,
    reporter: Reporter,
    answered: Answered,
}

impl Timeout {
    /// Bounds attempts by `policy` on the reporter's clock.
    #[must_use]
    pub fn new(policy: TimeoutPolicy, reporter: Reporter, answered: Answered) -> Self {
        Self {
            policy,
            reporter,
            answered,
        }
    }

    fn limit(&self, call: &Call<'_>) -> Duration {
        let limit = self.policy.limit(call);
        match call.effect {
            Effect::Read if !self.answered.is_so() => limit.min(self.policy.first),
            Effect::Read | Effect::Write => limit,
        }
    }
}

#[async_trait]
impl Layer for Timeout {
    async fn around(&self, call: &Call<'_>, next: Next<'_>) -> Result<Flaws> {
        let limit = self.limit(call);
        let mut attempt = next.run();
        let mut waited = Duration::ZERO;
        while waited < limit {
            let step = self.policy.tell.min(limit - waited);
            // `select` asks the call first: an answer at the last moment is an answer.
            match select(attempt, self.reporter.clock().sleep(step)).await {
                Either::Left((result, _)) => {
                    if !matches!(&result, Err(error) if error.kind() == ErrorKind::Timeout) {
                        self.answered.note();
                    }
                    return result;
                }
                Either::Right(((), rest)) => attempt = rest,
            }
            waited += step;
            if waited < limit {
                self.reporter.emit(call, Phase::Silent { waited });
            }
        }
        let error = Error::new(
            ErrorKind::Timeout,
            format!("no answer within {} s", limit.as_secs_f64()),
        );
        Err(match self.answered.is_so() {
            true => error,
            false => error.with_help(
                "nothing at this site has answered yet: see whether its endpoint is right, and \
                 whether it can be reached from here",
            ),
        })
    }
}
