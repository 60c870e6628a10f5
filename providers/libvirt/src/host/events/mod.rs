//! What libvirt tells by itself, so that a wait need not ask.
//!
//! The Rust binding of libvirt's library takes no events of machines without unsafe code, and this
//! project has none. `virsh` is libvirt's own and takes them: one process of it stands beside a
//! host's connection, from the first wait on, and a thread reads its lines.
//!
//! Nothing depends on an event but how soon a wait ends. A wait looks first, again when something is
//! told of its machine, and every second besides, because what was told before `virsh` listened is
//! not told again. Where no `virsh` runs, as it is not installed, or has ended, it looks as often as
//! it would without one; the next wait starts another.
//!
//! How the process ends: it is killed with its host; the kernel kills it with this process, however
//! that dies, where util-linux's `setpriv` is there to ask for it; else its next line ends it, for
//! which nobody is there (`SIGPIPE`), or ten minutes do. It ends by itself when libvirtd does.

mod virsh;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strat_model::Result;

/// How often a wait looks where it would be told.
const RECHECK: Duration = Duration::from_secs(1);
/// How long a wait's call is held back until `virsh` is connected.
const CONNECTING: Duration = Duration::from_secs(2);
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No `virsh` runs.
    Off,
    /// It is not connected yet.
    Starting,
    /// Nor was it after [`CONNECTING`]; nobody is held back for it any more.
    Late,
    /// It listens.
    Listening,
    /// The host is gone.
    Closed,
}

#[derive(Debug)]
struct Heard {
    phase: Phase,
    child: Option<Child>,
    /// The number of the newest event.
    newest: u64,
    /// Number, machine and event, oldest first.
    events: VecDeque<(u64, String, Event)>,
}

#[derive(Debug)]
struct Ear {
    heard: Mutex<Heard>,
    changed: Condvar,
}

/// The events of one host.
#[derive(Debug)]
pub(super) struct Events {
    program: &'static str,
    uri: String,
    ear: Arc<Ear>,
}

impl Events {
    /// Those of the host that a URI reaches. Nothing is started yet.
    pub(super) fn new(uri: &str) -> Self {
        Self::by("virsh", uri)
    }

    fn by(program: &'static str, uri: &str) -> Self {
        let heard = Heard {
            phase: Phase::Off,
            child: None,
            newest: 0,
            events: VecDeque::new(),
        };
        let ear = Ear {
            heard: Mutex::new(heard),
            changed: Condvar::new(),
        };
        Self {
            program,
            uri: uri.to_owned(),
            ear: Arc::new(ear),
        }
    }

    /// Starts to listen, if nobody does. It returns at once.
    pub(super) fn listen(&self) {
        let mut heard = self.ear.lock();
        if heard.phase != Phase::Off {
            return;
        }
        let (ear, program, uri) = (Arc::clone(&self.ear), self.program, self.uri.clone());
        // The thread that starts it outlives it: the kernel would kill it with its thread.
        let started = std::thread::Builder::new()
            .name("libvirt-virsh".to_owned())
            .spawn(move || ear.run(program, &uri));
        match started {
            Ok(_) => heard.phase = Phase::Starting,
            Err(error) => tracing::debug!("no thread listens to events: {error}"),
        }
    }

    /// A place in what is told of a machine. It is taken before the call whose outcome is awaited,
    /// which it holds back for a moment if `virsh` was only just started.
    pub(super) fn watch<'a>(&'a self, machine: &'a str) -> Watch<'a> {
        let starting = |heard: &mut Heard| heard.phase == Phase::Starting;
        let mut heard = self.ear.sleep(CONNECTING, starting);
        if heard.phase == Phase::Starting {
            heard.phase = Phase::Late;
        }
        Watch {
            ear: &self.ear,
            machine,
            since: heard.newest,
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let mut heard = self.ear.lock();
        heard.phase = Phase::Closed;
        if let Some(child) = &mut heard.child {
            let _ = child.kill();
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

    /// Runs `virsh` until it ends.
    fn run(&self, program: &str, uri: &str) {
        match virsh::start(program, uri) {
            Ok((child, lines)) => self.read(child, lines),
            Err(error) => tracing::debug!("{program} does not start: {error}"),
        }
        let mut heard = self.lock();
        if heard.phase != Phase::Closed {
            heard.phase = Phase::Off;
        }
        let child = heard.child.take();
        drop(heard);
        self.changed.notify_all();
        if let Some(mut child) = child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn read(&self, mut child: Child, lines: ChildStdout) {
        let mut heard = self.lock();
        if heard.phase == Phase::Closed {
            let _ = child.kill();
        }
        heard.child = Some(child);
        drop(heard);
        for line in BufReader::new(lines).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let mut heard = self.lock();
            if let Some((machine, event)) = virsh::parse(&line) {
                heard.push(machine, event);
            } else if line == virsh::READY && heard.phase != Phase::Closed {
                heard.phase = Phase::Listening;
            } else {
                continue;
            }
            drop(heard);
            self.changed.notify_all();
        }
    }
}

impl Heard {
    fn push(&mut self, machine: &str, event: Event) {
        self.newest += 1;
        self.events
            .push_back((self.newest, machine.to_owned(), event));
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
                if heard.phase != Phase::Listening || idle >= RECHECK || left == 0 {
                    break "its time";
                }
            };
        }
    }
}
