//! Retries: bounded, patient, honest.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use proptest::prelude::*;
use strat_model::{Error, ErrorKind, Kind, ResourceId, Result, Spec};
use strat_provider::layers::{
    Answered, Backoff, CallStats, Layered, Reporter, Retry, RetryPolicy, is_outcome_unknown,
};
use strat_provider::{CreateMachines, MachineBatch, ProviderExt};
use tokio::time::Instant;

use crate::fake::{Fake, clock, create_network, error, list, mark, specs, token};

const POLICY: RetryPolicy = RetryPolicy {
    attempts_max: 4,
    base: Duration::from_millis(200),
    cap: Duration::from_secs(2),
    deadline: Duration::from_secs(30),
};

fn retrying(fake: &Arc<Fake>, policy: RetryPolicy) -> (Layered, Arc<CallStats>) {
    let stats = Arc::new(CallStats::new());
    let reporter = Reporter::new(clock(), vec![Arc::clone(&stats) as _]);
    let retry = Retry::new(policy, Rng::with_seed(7), reporter, Answered::default());
    let layered = Layered::new(Arc::clone(fake) as _, vec![Arc::new(retry)]);
    (layered, stats)
}

fn forever(kind: ErrorKind) -> Vec<Error> {
    (0..100).map(|_| error(kind)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_passing_fault_passes() {
    let kinds = [
        ErrorKind::Transient,
        ErrorKind::Throttled,
        ErrorKind::Timeout,
    ];
    let fake = Fake::failing(kinds.map(error));
    let (provider, stats) = retrying(&fake, POLICY);
    create_network(&provider).await.expect("the fourth attempt");
    assert_eq!(fake.done().len(), 4);
    assert_eq!(stats.total().retries, 3);
}

#[tokio::test(start_paused = true)]
async fn only_retryable_kinds_are_repeated() {
    for kind in [
        ErrorKind::NotFound,
        ErrorKind::Capacity,
        ErrorKind::Quota,
        ErrorKind::Forbidden,
        ErrorKind::Internal,
    ] {
        let fake = Fake::failing(forever(kind));
        let (provider, _) = retrying(&fake, POLICY);
        let error = create_network(&provider).await.expect_err("an error");
        assert_eq!(error.kind(), kind);
        assert!(!is_outcome_unknown(&error));
        assert_eq!(fake.done().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded() {
    let fake = Fake::failing(forever(ErrorKind::Throttled));
    let (provider, _) = retrying(&fake, POLICY);
    let error = list(&provider).await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!(fake.done().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_bounds_the_whole() {
    let policy = RetryPolicy {
        attempts_max: 1000,
        deadline: Duration::from_secs(5),
        ..POLICY
    };
    let fake = Fake::failing(forever(ErrorKind::Transient));
    let (provider, _) = retrying(&fake, policy);
    let start = Instant::now();
    list(&provider).await.expect_err("an error");
    assert!(start.elapsed() <= Duration::from_millis(5_200));
    assert!(fake.done().len() > 3);
}

#[tokio::test(start_paused = true)]
async fn the_clouds_own_wait_is_kept() {
    let wait = Duration::from_secs(9);
    let throttled = || error(ErrorKind::Throttled).with_retry_after(wait);
    let (provider, _) = retrying(&Fake::failing([throttled()]), POLICY);
    let start = Instant::now();
    list(&provider).await.expect("the second attempt");
    assert!(start.elapsed() >= wait);

    // One that goes past the deadline is not sat out.
    let far = throttled().with_retry_after(Duration::from_secs(3600));
    let (provider, _) = retrying(&Fake::failing([far]), POLICY);
    let start = Instant::now();
    list(&provider).await.expect_err("no second attempt");
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_write_without_an_answer_says_so() {
    for kind in [ErrorKind::Timeout, ErrorKind::Transient] {
        let fake = Fake::failing(forever(kind));
        let (provider, _) = retrying(&fake, POLICY);
        let error = create_network(&provider).await.expect_err("an error");
        assert_eq!(error.kind(), kind);
        assert!(is_outcome_unknown(&error));
        assert!(error.to_string().contains("outcome unknown"), "{error}");
        assert_eq!(error.operation(), Some("create_network"));
        assert_eq!(error.request_id(), Some("r-1"));

        let (provider, _) = retrying(&Fake::failing(forever(kind)), POLICY);
        let error = list(&provider).await.expect_err("an error");
        assert!(!is_outcome_unknown(&error), "a read changes nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_not_forgotten_by_the_next_attempt() {
    let fake = Fake::failing([error(ErrorKind::Timeout), error(ErrorKind::Quota)]);
    let (provider, _) = retrying(&fake, POLICY);
    let error = create_network(&provider).await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert!(is_outcome_unknown(&error));
}

proptest! {
    #[test]
    fn backoff_is_bounded(
        base_ms in 0u64..10_000,
        cap_ms in 0u64..100_000,
        attempt in 0u32..=u32::MAX,
        seed: u64,
    ) {
        let policy = RetryPolicy {
            base: Duration::from_millis(base_ms),
            cap: Duration::from_millis(cap_ms),
            ..POLICY
        };
        let backoff = Backoff::new(&policy);
        let wait = backoff.wait(attempt, &mut Rng::with_seed(seed));
        prop_assert!(wait <= backoff.bound(attempt));
        prop_assert!(backoff.bound(attempt) <= policy.cap);
        prop_assert!(backoff.bound(attempt) <= backoff.bound(attempt.saturating_add(1)));
    }
}

/// A batch of three machines, on a provider that repeats what failed.
async fn batch(ends: impl IntoIterator<Item = Option<Error>>) -> (Result<MachineBatch>, usize) {
    let fake = Fake::script(ends);
    let (provider, _) = retrying(&fake, POLICY);
    let machine = specs().swap_remove(6);
    let Spec::Machine(spec) = &machine else {
        panic!("{machine:?}");
    };
    let names = ["a", "b", "c"].map(str::to_owned);
    let request = CreateMachines {
        spec,
        names: &names,
        mark: &mark(),
        token: &token(),
    };
    let made = ProviderExt::create_machines(&provider, request).await;
    (made, fake.done().len())
}

#[tokio::test(start_paused = true)]
async fn a_shortfall_that_may_pass_is_repeated() {
    let (made, calls) = batch([None, Some(error(ErrorKind::Throttled))]).await;
    let made = made.expect("a batch");
    assert_eq!((made.created.len(), calls), (3, 2 + 3));
    assert!(made.shortfall.is_none());

    let (made, calls) = batch([None, Some(error(ErrorKind::Capacity))]).await;
    let made = made.expect("a batch");
    assert_eq!((made.created.len(), calls), (1, 2));
    let why = made.shortfall.expect("a shortfall");
    assert_eq!(
        (why.kind(), why.operation()),
        (ErrorKind::Capacity, Some("create_machines"))
    );
    assert!(!is_outcome_unknown(&why));
}

#[tokio::test(start_paused = true)]
async fn what_was_made_is_not_given_up_for_a_later_error() {
    let refused = || Some(error(ErrorKind::Forbidden));
    let (made, _) = batch([None, Some(error(ErrorKind::Throttled)), refused()]).await;
    let made = made.expect("the first attempt's machine");
    assert_eq!(made.created.len(), 1);
    assert!(!is_outcome_unknown(&made.shortfall.expect("a shortfall")));

    // An attempt without an answer may have made the rest.
    let lost = || Some(error(ErrorKind::Timeout));
    let ends = [
        None,
        Some(error(ErrorKind::Throttled)),
        lost(),
        lost(),
        lost(),
    ];
    let (made, _) = batch(ends).await;
    let made = made.expect("the first attempt's machine");
    assert!(is_outcome_unknown(&made.shortfall.expect("a shortfall")));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_inside_an_answer_says_so() {
    let lost = || Some(error(ErrorKind::Timeout));
    let ends = (0..POLICY.attempts_max).flat_map(|_| [None, lost()]);
    let fake = Fake::script(ends);
    let (provider, stats) = retrying(&fake, POLICY);
    let ids = ["a", "b"].map(ResourceId::from);
    let outcomes = provider.delete(Kind::Network, &ids).await;
    assert!(outcomes[0].result.is_ok());
    let error = outcomes[1].result.as_ref().expect_err("no answer");
    assert!(is_outcome_unknown(error), "{error}");
    assert_eq!(stats.total().retries, u64::from(POLICY.attempts_max) - 1);
}
