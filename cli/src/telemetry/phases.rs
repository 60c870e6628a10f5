//! How long each part of the work took.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stratiform::PHASE_TARGET;
use tokio::time::Instant;
use tracing::Subscriber;
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// One part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PhaseTime {
    /// What was done.
    pub(crate) name: &'static str,
    /// How often.
    pub(crate) times: u32,
    /// How long, together.
    pub(crate) took: Duration,
}

/// The parts so far, in the order in which they first began. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct PhaseTimes(Arc<Mutex<Vec<PhaseTime>>>);

impl PhaseTimes {
    /// The parts so far.
    pub(super) fn get(&self) -> Vec<PhaseTime> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn add(&self, name: &'static str, times: u32, took: Duration) {
        let mut phases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match phases.iter_mut().find(|phase| phase.name == name) {
            Some(phase) => {
                phase.times += times;
                phase.took += took;
            }
            None => phases.push(PhaseTime { name, times, took }),
        }
    }
}

/// Measures the spans of phases.
#[derive(Debug)]
pub(super) struct Phases(PhaseTimes);

/// When a span began.
struct Began(Instant);

impl Phases {
    pub(super) const fn new(times: PhaseTimes) -> Self {
        Self(times)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Phases {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.target() != PHASE_TARGET {
            return;
        }
        self.0.add(metadata.name(), 1, Duration::ZERO);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Began(Instant::now()));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        if let Some(Began(began)) = span.extensions().get() {
            self.0.add(span.name(), 0, began.elapsed());
        }
    }
}
