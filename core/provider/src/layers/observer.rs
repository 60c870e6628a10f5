//! Who is told what becomes of calls.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use strat_model::{Error, ErrorKind};

use super::Call;
use crate::Clock;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With an answer.
    Done,
    /// With an error, or with an answer that says the same error of everything.
    Failed(ErrorKind),
    /// With an answer that has errors inside, the first of this kind: some was done.
    Partial(ErrorKind),
    /// The caller stopped waiting for it. Of a write, the outcome is unknown.
    Cancelled,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy)]
pub enum Phase<'a> {
    /// It begins.
    Started,
    /// The throttle held an attempt back, and lets it go now.
    Waited {
        /// For how long.
        wait: Duration,
    },
    /// The cloud said "too many calls".
    Throttled {
        /// How many calls a second the throttle lets through from now on.
        rate: f64,
    },
    /// An attempt has had no answer so far.
    Silent {
        /// For how long.
        waited: Duration,
    },
    /// An attempt failed, and another follows.
    Retrying {
        /// Why the attempt failed.
        error: &'a Error,
        /// How long until the next.
        wait: Duration,
    },
    /// It is over.
    Finished {
        /// How.
        ending: Ending,
        /// How long it took, with all waits and attempts.
        took: Duration,
    },
}

/// One thing that happens to one call.
#[derive(Debug, Clone, Copy)]
pub struct CallEvent<'a> {
    /// The call; [`Call::attempt`] says how far it is.
    pub call: &'a Call<'a>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub phase: Phase<'a>,
}

/// Is told of every call: for progress, timings and tests.
pub trait CallObserver: Debug + Send + Sync {
    /// Takes note. It runs inside the call, so it must be quick and must not block.
    fn on_event(&self, event: &CallEvent<'_>);
}

/// The clock and the observers of a stack.
#[derive(Debug, Clone)]
pub struct Reporter {
    clock: Arc<dyn Clock>,
    observers: Arc<[Arc<dyn CallObserver>]>,
}

impl Reporter {
    /// Reports to `observers`, in their order.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, observers: Vec<Arc<dyn CallObserver>>) -> Self {
        Self {
            clock,
            observers: observers.into(),
        }
    }

    /// The clock that all layers of the stack go by.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// How long ago `start` was; zero if the clock went back.
    #[must_use]
    pub fn since(&self, start: Timestamp) -> Duration {
        Duration::try_from(self.clock.now().duration_since(start)).unwrap_or_default()
    }

    /// Tells the log and all observers.
    pub fn emit<'a>(&self, call: &'a Call<'a>, phase: Phase<'a>) {
        let event = CallEvent {
            call,
            at: self.clock.now(),
            phase,
        };
        super::trace::log(&event);
        for observer in &*self.observers {
            observer.on_event(&event);
        }
    }
}
