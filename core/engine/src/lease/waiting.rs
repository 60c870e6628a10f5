//! What is told of waiting for a lease.

use std::time::Duration;

use jiff::Timestamp;
use strat_provider::Clock;

use super::Holder;
use super::take::{Sight, Spot};
use crate::{Event, EventSink};

/// How often it is told that somebody still waits.
const TELL: Duration = Duration::from_secs(30);

pub(super) fn later(clock: &dyn Clock, left: Duration) -> Timestamp {
    clock.now().checked_add(left).unwrap_or(Timestamp::MAX)
}

/// What was told of waiting.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    told: Option<(Option<String>, Duration)>,
}

impl Waiting {
    /// Tells whom we wait for: once for each holder, and every so often.
    pub(super) fn tell(
        &mut self,
        spot: &Spot,
        sight: &Sight,
        (begun, now, deadline): (Duration, Duration, Duration),
        clock: &dyn Clock,
        events: &EventSink,
    ) {
        let id = sight.holder.as_ref().map(|holder| holder.id.clone());
        let is_news = match &self.told {
            Some((told, at)) => *told != id || now.saturating_sub(*at) >= TELL,
            None => true,
        };
        if !is_news {
            return;
        }
        self.told = Some((id, now));
        let holder = sight.holder.as_ref();
        events.send(Event::LeaseWaiting {
            place: spot.place.clone(),
            holder: holder.map_or_else(|| "somebody".to_owned(), Holder::who),
            command: holder.map_or_else(String::new, |holder| holder.command.clone()),
            since: holder.map(|holder| holder.since),
            expires: later(clock, sight.left),
            waited_s: now.saturating_sub(begun).as_secs(),
            patience_s: deadline.saturating_sub(now).as_secs(),
        });
    }
}
