//! Pieces of work, on several threads.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use rayon_core::{ThreadPool, ThreadPoolBuilder};

/// The stack of each thread but the caller's, in bytes. Only what is used of it takes memory.
pub const STACK_BYTES: usize = 256 << 20;
/// The most threads that work, the caller's among them.
const THREADS_MAX: usize = 8;

/// The threads, from the first time on that they are wanted; none on one processor.
fn threads() -> Option<&'static ThreadPool> {
    static THREADS: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let start = || {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let others = processors.min(THREADS_MAX) - 1;
        let threads = ThreadPoolBuilder::new()
            .num_threads(others)
            .stack_size(STACK_BYTES)
            .thread_name(|n| format!("work-{n}"));
        // Where no thread can be had, the caller does it all.
        (others > 0).then(|| threads.build().ok()).flatten()
    };
    THREADS.get_or_init(start).as_ref()
}

/// Does `work` for each of `0..pieces`, on any thread, and gives the results to `take` in order, on
/// the caller's. `state` makes what a thread keeps from one piece to the next. With fewer than
/// `least` pieces a thread, fewer threads work.
///
/// # Errors
/// As `take` says; nothing after that is taken.
pub fn in_order<S, T: Send, E>(
    pieces: usize,
    least: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let wanted = (pieces / least.max(1)).saturating_sub(1);
    let threads = (wanted > 0).then(threads).flatten();
    let Some(threads) = threads else {
        let mut state = state();
        return (0..pieces).try_for_each(|at| take(work(&mut state, at)));
    };
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<T>>> = (0..pieces).map(|_| Mutex::new(None)).collect();
    // A lock is held for a move, so nobody panics with it.
    let slot = |at: usize| done[at].lock().unwrap_or_else(PoisonError::into_inner);
    // Does the next piece; false if there is none.
    let step = |state: &mut S| {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= pieces {
            return false;
        }
        let result = work(state, at);
        *slot(at) = Some(result);
        true
    };
    let mut taken = 0;
    let mut take_ready = || {
        while taken < pieces {
            let Some(ready) = slot(taken).take() else {
                break;
            };
            taken += 1;
            take(ready).inspect_err(|_| next.store(pieces, Ordering::Relaxed))?;
        }
        Ok(())
    };
    threads.in_place_scope(|scope| {
        for _ in 0..wanted.min(threads.current_num_threads()) {
            scope.spawn(|_| {
                let mut state = state();
                while step(&mut state) {}
            });
        }
        let mut state = state();
        while step(&mut state) {
            take_ready()?;
        }
        Ok(())
    })?;
    take_ready()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn results_come_in_order_and_once() {
        for pieces in [0, 1, 2, 3, 100, 5_000] {
            let mut taken = Vec::new();
            let all = in_order(
                pieces,
                1,
                || (),
                |(), at| (0..at % 7).fold(at, |sum, n| std::hint::black_box(sum + n - n)),
                |at| {
                    taken.push(at);
                    Ok::<_, Infallible>(())
                },
            );
            assert_eq!(all, Ok(()));
            assert_eq!(taken, (0..pieces).collect::<Vec<_>>());
        }
    }

    #[test]
    fn nothing_is_taken_after_one_that_is_refused() {
        let taken = RefCell::new(Vec::new());
        let take = |at| {
            taken.borrow_mut().push(at);
            if at == 700 { Err("refused") } else { Ok(()) }
        };
        let all = in_order(10_000, 1, || (), |(), at| at, take);
        assert_eq!(all, Err("refused"));
        assert_eq!(taken.into_inner(), (0..=700).collect::<Vec<_>>());
    }

    #[test]
    fn a_thread_keeps_its_state() {
        let started = AtomicUsize::new(0);
        let state = || {
            started.fetch_add(1, Ordering::Relaxed);
            0
        };
        let work = |done: &mut usize, _| {
            *done += 1;
            *done
        };
        let mut most = 0;
        let take = |done: usize| {
            most = most.max(done);
            Ok::<_, Infallible>(())
        };
        in_order(1_000, 1, state, work, take).expect("infallible");
        let started = started.into_inner();
        assert!(started <= THREADS_MAX, "{started}");
        assert!(most >= 1_000 / THREADS_MAX, "{most}");
    }

    #[test]
    fn little_work_starts_no_thread() {
        let caller = thread::current().id();
        let own = |id| {
            assert_eq!(id, caller);
            Ok::<_, Infallible>(())
        };
        in_order(99, 50, || (), |(), _| thread::current().id(), own).expect("infallible");
    }
}
