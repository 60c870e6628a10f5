//! Time as an argument.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// A moment on two clocks: for what must hold across a suspended host and a clock that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Time since some fixed moment of this boot. It counts while the host sleeps and is never set
    /// back; a virtual machine that is paused from outside may miss the pause.
    pub elapsed: Duration,
    /// The time of day as the system has it now. It jumps when it is set.
    pub wall: Timestamp,
}

/// Where the time comes from. Tests put a clock of their own here, or pause tokio's.
#[async_trait]
pub trait Clock: Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The moment now, on a clock that counts while the host sleeps, and by the time of day.
    fn moment(&self) -> Moment;

    /// Returns once `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}

/// A clock that runs with tokio's: real time, or paused and advanced in tests.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    start: Timestamp,
    base: tokio::time::Instant,
    /// Whether it shows the system's own time.
    is_system: bool,
}

impl TokioClock {
    /// A clock that shows the real time now and goes on from there.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    pub fn system() -> Self {
        Self {
            is_system: true,
            ..Self::starting_at(Timestamp::now())
        }
    }

    /// A clock that shows `start` now.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            start,
            base: tokio::time::Instant::now(),
            is_system: false,
        }
    }
}

#[async_trait]
impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.start
            .checked_add(self.base.elapsed())
            .unwrap_or(Timestamp::MAX)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    fn moment(&self) -> Moment {
        if self.is_system {
            return Moment {
                elapsed: since_boot().unwrap_or_else(|| self.base.elapsed()),
                wall: Timestamp::now(),
            };
        }
        Moment {
            elapsed: self.base.elapsed(),
            wall: self.now(),
        }
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The time since the boot, sleep included.
///
/// `CLOCK_BOOTTIME`, see clock_gettime(2). Where a system has none, tokio's clock is taken: on
/// macOS and Windows that one counts sleep by itself, or the wall clock ends the term.
#[cfg(target_os = "linux")]
fn since_boot() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).ok()
}

/// As above, where the system has no such clock.
#[cfg(not(target_os = "linux"))]
const fn since_boot() -> Option<Duration> {
    None
}

/// A clock that runs with another one and on which nobody waits: a sleep returns at once, and the
/// clock has moved on by its length. For asking what needs no network, where any wait is pretended.
#[derive(Debug)]
pub struct SkippingClock {
    inner: TokioClock,
    skipped_ms: AtomicU64,
}

impl SkippingClock {
    /// A clock that shows the real time now.
    #[must_use]
    pub fn system() -> Self {
        Self {
            inner: TokioClock::system(),
            skipped_ms: AtomicU64::new(0),
        }
    }
}

#[async_trait]
impl Clock for SkippingClock {
    fn now(&self) -> Timestamp {
        let skipped = Duration::from_millis(self.skipped_ms.load(Ordering::Relaxed));
        let now = self.inner.now().checked_add(skipped);
        now.unwrap_or(Timestamp::MAX)
    }

    fn moment(&self) -> Moment {
        let skipped = Duration::from_millis(self.skipped_ms.load(Ordering::Relaxed));
        Moment {
            elapsed: self.inner.moment().elapsed.saturating_add(skipped),
            wall: self.now(),
        }
    }

    async fn sleep(&self, duration: Duration) {
        let skipped_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.skipped_ms.fetch_add(skipped_ms, Ordering::Relaxed);
        // Others have their turn, so that who waits in a loop does not keep the thread.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_and_the_time_has_passed() {
        let hour = Duration::from_secs(3_600);
        let clock = SkippingClock::system();
        let (before, real) = (clock.now(), tokio::time::Instant::now());
        clock.sleep(hour).await;
        assert!(clock.now() >= before.checked_add(hour).expect("time"));
        assert!(real.elapsed() < hour);
    }
}
