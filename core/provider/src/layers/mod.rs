//! Layers round a provider: trace, retry, throttle, timeout, fence, chaos.
//!
//! [`Layered`] is the one forwarder: it is a [`Provider`](crate::Provider) round another, and sends
//! every call through a stack of [`Layer`]s. A layer sees a [`Call`] (what is called, never what
//! with) and a [`Next`], which it runs not at all, once or several times. The typed answer stays in
//! the forwarder, so a layer is one small function for all calls there are.
//!
//! # The order
//!
//! [`LayerStack`] builds the standard stack, outermost first:
//!
//! 1. [`Trace`]: one span and one pair of events for what the caller sees as one call, retries and
//!    waits included.
//! 2. [`Retry`]: above the throttle, so that each attempt waits for a permit of its own and a
//!    retried call never jumps the queue.
//! 3. [`Throttle`]: above the timeout, so that waiting for a permit never counts as waiting for the
//!    cloud. It learns from every attempt.
//! 4. [`Timeout`]: bounds one attempt.
//! 5. [`Fence`]: asks, before each attempt at a write leaves, whether the lease outlasts it.
//! 6. [`Chaos`], in tests only: innermost, so that the others meet its faults as they would the
//!    cloud's own.
//!
//! This is the only place in the workspace that retries or throttles a provider's calls.

mod backoff;
mod call;
mod chaos;
mod fence;
mod flaws;
mod forward;
mod histogram;
mod layer;
mod observer;
mod outcome;
mod retry;
mod stack;
mod stats;
mod throttle;
mod timeout;
mod trace;

pub use backoff::{Backoff, RetryPolicy};
pub use call::{Api, Call, Effect};
pub use chaos::{Chaos, ChaosPolicy, Fault, KillPoint, KillSwitch, ScriptedFault, is_killed};
pub use fence::{Fence, LeaseLost, WriteGate, WritePermit, is_lease_lost};
pub use flaws::Flaws;
pub use forward::Layered;
pub use layer::{Layer, Next};
pub use observer::{CallEvent, CallObserver, Ending, Phase, Reporter};
pub use outcome::is_outcome_unknown;
pub use retry::Retry;
pub use stack::{LayerPolicy, LayerStack};
pub use stats::{CallCounts, CallKey, CallStats};
pub use throttle::{RateHint, Throttle, ThrottlePolicy, Throttles};
pub use timeout::{Answered, Timeout, TimeoutPolicy};
pub use trace::Trace;

/// Locks what no panic can leave half-changed, poisoned or not.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
