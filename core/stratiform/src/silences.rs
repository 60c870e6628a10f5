//! Calls that have no answer, told while they are waited for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use strat_engine::{Event, EventSink};
use strat_model::Name;
use strat_provider::layers::{CallEvent, CallObserver, Phase};

/// How long a site's next silence is not told after one was: many calls wait at once, and one line says it.
const PAUSE: SignedDuration = SignedDuration::from_secs(9);

/// Tells of each site that a call there has had no answer so far.
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
        let Phase::Silent { waited } = event.phase else {
            return;
        };
        let call = event.call;
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let last = told.get(call.site);
            if last.is_some_and(|last| event.at.duration_since(*last) < PAUSE) {
                return;
            }
            told.insert(call.site.clone(), event.at);
        }
        self.events.send(Event::Silent {
            site: call.site.clone(),
            operation: call.operation,
            kind: call.kind,
            waited_s: waited.as_secs(),
        });
    }
}
