//! Hosts that several tests share, one after the other: two tests at a time, each with a pair.

use std::sync::{Condvar, Mutex, OnceLock, PoisonError};

use super::bystanders;
use super::peer::Peer;

/// How many tests have hosts at once.
const SLOTS: usize = 2;

/// The pairs, and which of them nobody has.
struct Slots {
    pairs: [OnceLock<[Peer; 2]>; SLOTS],
    free: Mutex<Vec<usize>>,
    given_back: Condvar,
}

static ALL: Slots = Slots {
    pairs: [const { OnceLock::new() }; SLOTS],
    free: Mutex::new(Vec::new()),
    given_back: Condvar::new(),
};

/// A pair of hosts that this test has for itself.
pub(crate) struct Pair {
    index: usize,
    hosts: &'static [Peer; 2],
    before: Vec<Vec<String>>,
}

impl Pair {
    /// Waits for a pair.
    pub(crate) fn take() -> Self {
        static FILLED: OnceLock<()> = OnceLock::new();
        FILLED.get_or_init(|| {
            ALL.free
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(0..SLOTS);
        });
        let mut free = ALL.free.lock().unwrap_or_else(PoisonError::into_inner);
        let index = loop {
            match free.pop() {
                Some(index) => break index,
                None => {
                    free = ALL
                        .given_back
                        .wait(free)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        };
        drop(free);
        let hosts = ALL.pairs[index].get_or_init(|| {
            [
                Peer::start(&format!("{index}a")),
                Peer::start(&format!("{index}b")),
            ]
        });
        let before = hosts
            .iter()
            .map(|host| bystanders::look(&host.connect()))
            .collect();
        Self {
            index,
            hosts,
            before,
        }
    }

    /// The hosts.
    pub(crate) const fn hosts(&self) -> &'static [Peer; 2] {
        self.hosts
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        let looked = std::panic::catch_unwind(|| {
            self.hosts
                .iter()
                .map(|host| bystanders::look(&host.connect()))
                .collect::<Vec<_>>()
        });
        ALL.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.index);
        ALL.given_back.notify_one();
        if !std::thread::panicking() {
            assert_eq!(
                looked.expect("the foreign things are there"),
                self.before,
                "what is foreign stays as it was"
            );
        }
    }
}
