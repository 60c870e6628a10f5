//! What happens, as it happens: for progress bars, `--json` streams and logs.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strat_model::{Addr, ErrorView, Kind, Name, ResourceId};
use strat_planner::StepOp;
use tokio::sync::mpsc;

/// What a step does, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the step operation of its name")]
pub enum Operation {
    Create,
    Update,
    Attach,
    Detach,
    Stop,
    Start,
    Restart,
    Probe,
    Delete,
}

impl Operation {
    /// The word in events, reports and the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Attach => "attach",
            Self::Detach => "detach",
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Probe => "probe",
            Self::Delete => "delete",
        }
    }
}

impl From<&StepOp> for Operation {
    fn from(op: &StepOp) -> Self {
        match op {
            StepOp::Create { .. } => Self::Create,
            StepOp::Update { .. }
            | StepOp::Rename { .. }
            | StepOp::Release { .. }
            | StepOp::ClearRules { .. } => Self::Update,
            StepOp::Attach { .. } => Self::Attach,
            StepOp::Detach { .. } => Self::Detach,
            StepOp::Stop { .. } => Self::Stop,
            StepOp::Start { .. } => Self::Start,
            StepOp::Restart { .. } => Self::Restart,
            StepOp::Probe { .. } => Self::Probe,
            StepOp::Delete { .. } => Self::Delete,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that happened.
///
/// A run emits a bounded number of events a step, so that a slow reader costs little memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Somebody else holds a lease; we wait. Once for each holder, and every half minute.
    LeaseWaiting {
        /// Where it is kept.
        place: String,
        /// Who holds it: `user@host`.
        holder: String,
        /// What they are doing.
        command: String,
        /// Since when, by their clock.
        since: Option<Timestamp>,
        /// When it ends by itself unless it is renewed.
        expires: Timestamp,
        /// How long we have waited, in seconds.
        waited_s: u64,
        /// How much longer we wait at most, in seconds.
        patience_s: u64,
    },
    /// What an earlier run began is not done yet; we wait. Once, and every half minute.
    HalfDone {
        /// The addresses.
        addrs: Vec<String>,
        /// How long we have waited, in seconds.
        waited_s: u64,
    },
    /// The lists of a site may not show yet what others made there; it is looked at once they do. Once, when
    /// a run begins.
    ListsLag {
        /// The site.
        site: Name,
        /// How long it is waited for, in milliseconds.
        wait_ms: u64,
    },
    /// A call at a site has had no answer so far. Every ten seconds, once for each site.
    Silent {
        /// The site.
        site: Name,
        /// What was called, such as `list`.
        operation: &'static str,
        /// The kind of thing that it is about, where it is about one.
        kind: Option<Kind>,
        /// How long it has had no answer, in seconds.
        waited_s: u64,
    },
    /// A call at a site failed for the fourth time or more, and is tried again. Every ten seconds at most, once
    /// for each site.
    Retrying {
        /// The site.
        site: Name,
        /// What was called, such as `list`.
        operation: &'static str,
        /// The kind of thing that it is about, where it is about one.
        kind: Option<Kind>,
        /// Why it failed.
        why: String,
        /// How often it was tried so far.
        attempts: u32,
        /// How long the pause is before it is tried again, in milliseconds.
        wait_ms: u64,
    },
    /// What leases are kept in was made, once.
    LeaseStoreMade {
        /// Whose.
        place: String,
        /// What it is.
        what: String,
    },
    /// Something is not as it should be, and it goes on all the same.
    Warning {
        /// What.
        message: String,
    },
    /// One kind at one site was listed.
    Observed {
        /// The site.
        site: Name,
        /// The kind.
        kind: Kind,
        /// How many were seen.
        count: usize,
        /// Whether all of them were.
        complete: bool,
    },
    /// An entry that an interrupted run left open was closed.
    Settled {
        /// What it was about.
        addr: Addr,
        /// The site.
        site: Name,
        /// What the run was doing.
        operation: Operation,
        /// What a create had made after all.
        found: Vec<ResourceId>,
    },
    /// A run begins.
    RunStarted {
        /// The plan's id.
        plan: String,
        /// How many steps it has.
        steps: usize,
    },
    /// A step begins.
    StepStarted {
        /// Its number.
        step: u32,
        /// What it is about.
        addr: Addr,
        /// The site.
        site: Name,
        /// What it does.
        operation: Operation,
        /// To how many things.
        count: u32,
    },
    /// A step's call was answered; now it waits for the things to be ready, or gone. Once, and again after
    /// ten seconds, then ever more rarely, up to once a minute.
    StepProgress {
        /// Its number.
        step: u32,
        /// What it is about.
        addr: Addr,
        /// The site.
        site: Name,
        /// What it does.
        operation: Operation,
        /// For how many things it waits.
        waiting: usize,
        /// How long it has waited, in seconds.
        waited_s: u64,
    },
    /// Some of what is in a bucket was deleted, before the bucket is.
    Emptying {
        /// The step's number.
        step: u32,
        /// The bucket.
        addr: Addr,
        /// The site.
        site: Name,
        /// How many objects and versions so far.
        removed: u64,
    },
    /// A step is done.
    StepFinished {
        /// Its number.
        step: u32,
        /// What it is about.
        addr: Addr,
        /// The site.
        site: Name,
        /// What it did.
        operation: Operation,
        /// To how many things.
        count: u32,
    },
    /// A step failed.
    StepFailed {
        /// Its number.
        step: u32,
        /// What it is about.
        addr: Addr,
        /// The site.
        site: Name,
        /// What it was to do.
        operation: Operation,
        /// The failure.
        error: Box<ErrorView>,
    },
    /// A step was left out.
    StepSkipped {
        /// Its number.
        step: u32,
        /// What it is about.
        addr: Addr,
        /// The site.
        site: Name,
        /// The failure that it would have needed not to be.
        because: Addr,
    },
    /// A stop was asked for: calls in flight are finished, nothing new begins.
    Stopping,
    /// A run ended.
    RunFinished {
        /// Steps that are done.
        done: usize,
        /// Steps that failed.
        failed: usize,
        /// Steps that were left out because of a failure.
        skipped: usize,
        /// Steps that a stop kept from beginning, or from being waited for.
        stopped: usize,
    },
}

/// Where events go. Cheap to clone; sending never blocks and never fails.
#[derive(Clone, Default)]
pub struct EventSink(Option<Arc<dyn Fn(Event) + Send + Sync>>);

impl EventSink {
    /// A sink that drops everything.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// A sink that calls `f`, which must return quickly.
    pub fn callback(f: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(f)))
    }

    /// A sink and the receiver of what is sent to it. Without a bound of its own: a run emits a
    /// bounded number of events a step.
    #[must_use]
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        // A receiver that went away wants no more events.
        let sink = Self::callback(move |event| {
            let _ = sender.send(event);
        });
        (sink, receiver)
    }

    /// Sends an event.
    pub fn send(&self, event: Event) {
        if let Some(f) = &self.0 {
            f(event);
        }
    }
}

impl fmt::Debug for EventSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = if self.0.is_some() { "callback" } else { "none" };
        write!(f, "EventSink({target})")
    }
}
