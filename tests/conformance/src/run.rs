//! Running one behaviour: what came of it, and clearing up after it.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

use crate::{Bench, Harness};

/// What came of a behaviour that did not fail. A failure is a panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider keeps the promise.
    Held,
    /// The promise is not about this provider, or could not be put to the test, and why.
    NotApplicable(String),
}

/// Runs a future on a tokio runtime of one thread.
///
/// # Panics
/// If the future does, or there can be no runtime.
pub fn block_on(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(test);
}

/// Waits for a behaviour, deletes what it made, and reports.
///
/// # Panics
/// If the behaviour does.
#[expect(clippy::print_stderr, reason = "a test runner shows what tests print")]
pub async fn judge(name: &str, harness: &dyn Harness, behaviour: impl Future<Output = Outcome>) {
    let outcome = AssertUnwindSafe(behaviour).catch_unwind().await;
    let cleared = AssertUnwindSafe(clear_up(harness)).catch_unwind().await;
    match (outcome, cleared) {
        (Err(panic), _) | (Ok(_), Err(panic)) => resume_unwind(panic),
        (Ok(Outcome::Held), Ok(())) => {}
        (Ok(Outcome::NotApplicable(why)), Ok(())) => eprintln!("{name}: not applicable: {why}"),
    }
}

async fn clear_up(harness: &dyn Harness) {
    Bench::new(harness).await.clear_up().await;
}
