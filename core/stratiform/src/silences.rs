//! Calls that have no answer, or fail and are tried again, told while they are waited for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use strat_engine::{Event, EventSink};
use strat_model::Name;
use strat_provider::layers::{CallEvent, CallObserver, Phase};

/// How often a call is tried before it is told that it fails: most are well after one or two.
const ATTEMPTS_UNTOLD: u32 = 4;

/// How long the next of a site is not told after one was: many calls wait at once, and one line says it.
const PAUSE: SignedDuration = SignedDuration::from_secs(9);

/// Tells of each site that a call there has had no answer so far, or failed and is tried again.
#[derive(Debug)]
pub(crate) struct Silences {
    events: EventSink,
    /// When it was told last, by site.
    told: Mutex<BTreeMap<Name, Timestamp>>,
}

impl Silences {
    pub(crate) fn new(events: EventSink) -> Self {
        Self {
            events,
            told: Mutex::default(),
        }
    }
}

impl CallObserver for Silences {
    fn on_event(&self, event: &CallEvent<'_>) {
        match event.phase {
            Phase::Silent { .. } => {}
            Phase::Retrying { .. } if event.call.attempt() >= ATTEMPTS_UNTOLD => {}
            _ => return,
        }
        let call = event.call;
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let last = told.get(call.site);
            if last.is_some_and(|last| event.at.duration_since(*last) < PAUSE) {
                return;
            }
            told.insert(call.site.clone(), event.at);
        }
        let (site, operation, kind) = (call.site.clone(), call.operation, call.kind);
        match event.phase {
            Phase::Silent { waited } => self.events.send(Event::Silent {
                site,
                operation,
                kind,
                waited_s: waited.as_secs(),
            }),
            Phase::Retrying { error, wait } => self.events.send(Event::Retrying {
                site,
                operation,
                kind,
                why: error.message().to_owned(),
                attempts: call.attempt(),
                wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            }),
            _ => {}
        }
    }
}
