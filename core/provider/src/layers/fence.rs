//! No write leaves without a lease that outlasts it.

use std::error::Error as StdError;
use std::fmt::{self, Debug};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use strat_model::{Error, ErrorKind, Result, Scope};

use super::{Api, Call, Effect, Flaws, Layer, Next, TimeoutPolicy};
use crate::Clock;

/// The right to write at a site for a time. Asking it reads clocks and nothing else.
pub trait WritePermit: Debug + Send + Sync {
    /// How much longer it holds; and why not, once it does not.
    ///
    /// # Errors
    /// A sentence that says what became of it.
    fn left(&self) -> std::result::Result<Duration, String>;
}

/// Lets writes at some sites through while somebody holds the right to them. Clones are one gate.
///
/// A gate without a permit is shut: what writes without a lease is a mistake in the program.
#[derive(Debug, Clone, Default)]
pub struct WriteGate(Arc<Gate>);

#[derive(Debug, Default)]
struct Gate {
    permit: RwLock<Option<Arc<dyn WritePermit>>>,
    unfinished: AtomicU32,
}

/// A write that left. Dropped before it was answered, it stays unfinished.
struct Sent<'a> {
    gate: &'a Gate,
    answered: bool,
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        if self.answered {
            self.gate.unfinished.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl WriteGate {
    /// A gate that is shut.
    #[must_use]
    pub fn shut() -> Self {
        Self::default()
    }

    /// Lets writes through for as long as `permit` holds.
    pub fn open(&self, permit: Arc<dyn WritePermit>) {
        *self
            .0
            .permit
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(permit);
    }

    /// Lets nothing through any more.
    pub fn close(&self) {
        *self
            .0
            .permit
            .write()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether a write that it let through was given up before an answer came: what it does, it may
    /// do at any moment.
    #[must_use]
    pub fn has_unfinished(&self) -> bool {
        self.0.unfinished.load(Ordering::Relaxed) > 0
    }

    /// Notes that a write leaves.
    fn send(&self) -> Sent<'_> {
        self.0.unfinished.fetch_add(1, Ordering::Relaxed);
        Sent {
            gate: &self.0,
            answered: false,
        }
    }

    /// Whether a write that may take `needed` may leave now.
    ///
    /// # Errors
    /// `Precondition` with [`LeaseLost`] as its source: the write was not sent.
    pub fn check(&self, needed: Duration) -> Result<()> {
        let permit = self.0.permit.read().unwrap_or_else(PoisonError::into_inner);
        let why = match permit.as_ref().map(|permit| permit.left()) {
            None => "no lease is held here".to_owned(),
            Some(Err(why)) => why,
            Some(Ok(left)) if left >= needed => return Ok(()),
            Some(Ok(left)) => format!(
                "it holds for {:.0} s more and was not renewed, and this call may take {:.0} s",
                left.as_secs_f64(),
                needed.as_secs_f64()
            ),
        };
        Err(
            Error::new(ErrorKind::Precondition, "not sent: the lease was lost")
                .with_scope(Scope::Account)
                .with_help("begin again: another run finishes the work")
                .with_source(LeaseLost { why }),
        )
    }
}

/// In the source chain of an error: the write was not sent, because the right to it was gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseLost {
    why: String,
}

impl LeaseLost {
    /// Lost for this reason, in words.
    #[must_use]
    pub fn because(why: impl fmt::Display) -> Self {
        let why = why.to_string();
        Self { why }
    }
}

impl fmt::Display for LeaseLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl StdError for LeaseLost {}

/// Whether an error says that a lease was lost: whether [`LeaseLost`] is in its chain.
#[must_use]
pub fn is_lease_lost(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<LeaseLost>() {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Time for a call to leave, and for clocks that run at different speeds; at most a share of what
/// an attempt may take.
const MARGIN: (Duration, u32) = (Duration::from_secs(5), 24);

/// Asks a [`WriteGate`] before each attempt at a write, and lets it through only if the lease
/// outlasts it: the attempt's timeout and a margin.
///
/// # Behavior
/// - Innermost, so that neither a wait for a permit nor a pause before a repetition lies between
///   the question and the call.
/// - Reads pass. So do the writes of leases themselves: they carry conditions of their own.
/// - It reads clocks, and calls nothing.
/// - An image may take longer than any lease to write. It needs as much as another write when it
///   begins, and is given up when the lease ends under it.
#[derive(Debug)]
pub struct Fence {
    gate: WriteGate,
    policy: TimeoutPolicy,
    clock: Arc<dyn Clock>,
}

impl Fence {
    /// Fences writes by `gate`; `policy` says how long an attempt may take.
    #[must_use]
    pub fn new(gate: WriteGate, policy: TimeoutPolicy, clock: Arc<dyn Clock>) -> Self {
        Self {
            gate,
            policy,
            clock,
        }
    }

    /// How much longer a lease must hold for an attempt at this call to leave.
    fn needed(&self, call: &Call<'_>) -> Duration {
        self.policy.limit(call).min(self.policy.write) + self.margin()
    }

    fn margin(&self) -> Duration {
        MARGIN.0.min(self.policy.write / MARGIN.1)
    }

    /// Returns when the lease does not hold any more.
    async fn lost(&self) -> Error {
        loop {
            self.clock.sleep(self.margin()).await;
            if let Err(error) = self.gate.check(self.margin()) {
                return error;
            }
        }
    }
}

#[async_trait]
impl Layer for Fence {
    async fn around(&self, call: &Call<'_>, next: Next<'_>) -> Result<Flaws> {
        if call.effect == Effect::Read || call.api == Api::Leases {
            return next.run().await;
        }
        self.gate.check(self.needed(call))?;
        let mut sent = self.gate.send();
        if self.policy.limit(call) <= self.policy.write {
            let result = next.run().await;
            sent.answered = true;
            return result;
        }
        match futures::future::select(next.run(), Box::pin(self.lost())).await {
            futures::future::Either::Left((result, _)) => {
                sent.answered = true;
                result
            }
            futures::future::Either::Right((lost, _)) => Err(Error::new(
                ErrorKind::Timeout,
                "given up half-way: the lease was lost",
            )
            .with_scope(Scope::Account)
            .with_source(lost)),
        }
    }
}
