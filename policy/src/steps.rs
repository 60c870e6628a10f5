//! A bound on the work of a policy that is the same on every machine: a clock that counts.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::Duration;

use regorus::utils::limits::{ExecutionTimerConfig, TimeSource, set_time_source};

/// How many statements a package of policies may take to judge one plan.
pub const STEPS_MAX: u64 = 20_000_000;

/// After how many statements the engine looks at the clock.
const BETWEEN_LOOKS: u32 = 1_000;

/// A clock that goes on by one nanosecond each time that somebody looks at it; one for each thread, so
/// that plans that are judged at the same time do not use up each other's steps.
#[derive(Debug)]
struct Counted;

static COUNTED: Counted = Counted;

thread_local! {
    static LOOKS: Cell<u64> = const { Cell::new(0) };
}

impl TimeSource for Counted {
    fn now(&self) -> Option<Duration> {
        let looks = LOOKS.get();
        LOOKS.set(looks + 1);
        Some(Duration::from_nanos(looks))
    }
}

/// The bound, as the engine takes it.
pub(crate) fn bound() -> ExecutionTimerConfig {
    // It is set once for the process; a second time changes nothing.
    let _ = set_time_source(&COUNTED);
    ExecutionTimerConfig {
        limit: Duration::from_nanos(STEPS_MAX / u64::from(BETWEEN_LOOKS)),
        check_interval: NonZeroU32::new(BETWEEN_LOOKS).unwrap_or(NonZeroU32::MIN),
    }
}
