//! The queue in front of a pacer.

use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex, Notify};

use super::pacer::{Admission, Answer, Pacer, Ticket};
use crate::Clock;
use crate::layers::lock;

/// The shortest sleep: what timers can tell apart. A shorter one would only spin.
pub(super) const SLEEP_MIN: Duration = Duration::from_millis(1);

/// A queue, first in, first out, whose head asks the pacer.
#[derive(Debug)]
pub(super) struct Limiter {
    pacer: StdMutex<Pacer>,
    /// Tokio's mutex is fair: the queue is its list of waiters, and a waiter that is dropped
    /// leaves it.
    head: Mutex<()>,
    answer: Notify,
    clock: Arc<dyn Clock>,
    start: Timestamp,
}

impl Limiter {
    pub(super) fn new(pacer: Pacer, clock: Arc<dyn Clock>) -> Self {
        Self {
            pacer: StdMutex::new(pacer),
            head: Mutex::new(()),
            answer: Notify::new(),
            start: clock.now(),
            clock,
        }
    }

    /// Waits until a call may go. Cancel-safe.
    pub(super) async fn acquire(&self) -> Permit<'_> {
        let _head = self.head.lock().await;
        loop {
            let now = self.now();
            let admission = lock(&self.pacer).admit(now);
            match admission {
                Admission::Now(ticket) => {
                    return Permit {
                        limiter: self,
                        ticket,
                        answer: Answer::Unclear,
                    };
                }
                Admission::At(at) => {
                    let wait = Duration::try_from_secs_f64(at - now).unwrap_or_default();
                    self.clock.sleep(wait.max(SLEEP_MIN)).await;
                }
                // Only the head waits here, and a permit that comes back in between is kept.
                Admission::AfterAnswer => self.answer.notified().await,
            }
        }
    }

    fn now(&self) -> f64 {
        self.clock.now().duration_since(self.start).as_secs_f64()
    }
}

/// Leave to make one call. Dropped without an answer, it teaches nothing.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    limiter: &'a Limiter,
    ticket: Ticket,
    answer: Answer,
}

impl Permit<'_> {
    /// Reports the answer; gives the rate from now on, in calls a second.
    pub(super) fn answered(mut self, answer: Answer) -> f64 {
        self.answer = answer;
        let limiter = self.limiter;
        drop(self);
        lock(&limiter.pacer).rate()
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let now = self.limiter.now();
        lock(&self.limiter.pacer).answered(self.ticket, self.answer, now);
        self.limiter.answer.notify_one();
    }
}
