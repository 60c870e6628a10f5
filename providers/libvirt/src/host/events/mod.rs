//! What libvirt tells by itself, so that a wait need not ask.
//!
//! Nothing depends on an event but how soon a wait ends. A wait looks first, again when something is
//! told of its machine, and every second besides, because what was told before libvirt was asked to is
//! not told again. Where it tells nothing, or the connection broke, a wait looks as often as it would
//! without events; the next one asks again.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strat_model::Result;

use crate::rpc::Told;

/// How often a wait looks where it would be told.
const RECHECK: Duration = Duration::from_secs(1);
/// How many events are kept; a wait needs those of a few seconds.
const KEPT: usize = 256;

/// What was told of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// It does not run any more, or is not there any more.
    Ended,
    /// It let go of the device of this alias.
    Released(String),
    /// It refuses to let go of the device of this alias.
    Refused(String),
}

/// How long a wait may last: so many pauses, between which it looks where nobody tells it anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) pause: Duration,
    pub(crate) times: u32,
}

#[derive(Debug, Default)]
struct Heard {
    /// Whether libvirt was asked to tell, over a connection that lives.
    is_told: bool,
    /// The number of the newest event.
    newest: u64,
    /// Number, machine and event, oldest first.
    events: VecDeque<(u64, String, Event)>,
}

#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<Heard>,
    changed: Condvar,
}

/// The events of one host.
#[derive(Debug, Default)]
pub(super) struct Events {
    ear: Arc<Ear>,
}

impl Events {
    /// What a connection is given, to tell what it hears.
    pub(super) fn teller(&self) -> impl Fn(Told) + Send + 'static {
        let ear = Arc::clone(&self.ear);
        move |told| ear.hear(told)
    }

    /// Whether libvirt was asked to tell.
    pub(super) fn are_told(&self) -> bool {
        self.ear.lock().is_told
    }

    /// It was asked to, and does from now on.
    pub(super) fn begin(&self) {
        self.ear.lock().is_told = true;
    }

    /// A place in what is told of a machine. It is taken before the call whose outcome is awaited.
    pub(super) fn watch<'a>(&'a self, machine: &'a str) -> Watch<'a> {
        let since = self.ear.lock().newest;
        Watch {
            ear: &self.ear,
            machine,
            since,
        }
    }
}

impl Ear {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while something holds, but not longer than this.
    fn sleep(
        &self,
        time: Duration,
        holds: impl FnMut(&mut Heard) -> bool,
    ) -> MutexGuard<'_, Heard> {
        let slept = self.changed.wait_timeout_while(self.lock(), time, holds);
        slept.unwrap_or_else(PoisonError::into_inner).0
    }

    fn hear(&self, told: Told) {
        let mut heard = self.lock();
        match told {
            Told::Ended(machine) => heard.push(machine, Event::Ended),
            Told::Released(machine, device) => heard.push(machine, Event::Released(device)),
            Told::Refused(machine, device) => heard.push(machine, Event::Refused(device)),
            Told::Closed => heard.is_told = false,
        }
        drop(heard);
        self.changed.notify_all();
    }
}

impl Heard {
    fn push(&mut self, machine: String, event: Event) {
        self.newest += 1;
        self.events.push_back((self.newest, machine, event));
        while self.events.len() > KEPT {
            self.events.pop_front();
        }
    }

    /// What was told of a machine after an event of this number.
    fn of<'a>(&'a self, machine: &'a str, since: u64) -> impl Iterator<Item = &'a Event> {
        let later = self.events.iter().filter(move |(n, ..)| *n > since);
        later.filter_map(move |(_, name, event)| (name == machine).then_some(event))
    }
}

/// A place in what is told of a machine.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    ear: &'a Ear,
    machine: &'a str,
    since: u64,
}

impl Watch<'_> {
    /// Looks until there is an answer; `None` if patience runs out. Each look is given all that was
    /// told since the watch began.
    pub(crate) fn until<T>(
        &self,
        patience: Patience,
        mut look: impl FnMut(&[Event]) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let (mut left, mut looks, mut woken_by) = (patience.times, 0_u64, "nothing");
        loop {
            // What is told during the look ends the next pause at once.
            let heard = self.ear.lock();
            let (newest, told): (_, Vec<_>) = (
                heard.newest,
                heard.of(self.machine, self.since).cloned().collect(),
            );
            drop(heard);
            looks += 1;
            if let Some(found) = look(&told)? {
                tracing::debug!(machine = self.machine, looks, woken_by, "a wait is over");
                return Ok(Some(found));
            }
            let mut idle = Duration::ZERO;
            woken_by = loop {
                if left == 0 {
                    tracing::debug!(machine = self.machine, looks, "a wait was in vain");
                    return Ok(None);
                }
                left -= 1;
                let silent = |heard: &mut Heard| heard.of(self.machine, newest).next().is_none();
                let heard = self.ear.sleep(patience.pause, silent);
                if heard.of(self.machine, newest).next().is_some() {
                    break "an event";
                }
                idle += patience.pause;
                if !heard.is_told || idle >= RECHECK || left == 0 {
                    break "its time";
                }
            };
        }
    }
}
