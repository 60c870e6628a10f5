//! Writes leave only while a lease outlasts them.

use std::sync::Arc;
use std::time::Duration;

use strat_model::{ErrorKind, Scope};
use strat_provider::layers::{
    LayerPolicy, LayerStack, TimeoutPolicy, WriteGate, WritePermit, is_lease_lost,
};
use strat_provider::{Clock, LeaseKey, Provider, TokioClock};
use tokio::time::Instant;

use crate::fake::{Fake, clock, create_network, error, list};

/// A right that ends at a moment.
#[derive(Debug)]
struct Until(Instant);

impl WritePermit for Until {
    fn left(&self) -> Result<Duration, String> {
        let left = self.0.saturating_duration_since(Instant::now());
        match left.is_zero() {
            true => Err("it is over".to_owned()),
            false => Ok(left),
        }
    }
}

fn gated(fake: Arc<Fake>, gate: &WriteGate) -> Arc<dyn Provider> {
    let stack = LayerStack::standard(LayerPolicy::default(), clock(), fastrand::Rng::with_seed(7));
    stack.wrap_gated(fake, "a", Some(gate.clone()))
}

fn holds_for(seconds: u64) -> WriteGate {
    let gate = WriteGate::shut();
    gate.open(Arc::new(Until(
        Instant::now() + Duration::from_secs(seconds),
    )));
    gate
}

/// What a write needs at least: its timeout and a margin.
fn needed() -> u64 {
    TimeoutPolicy::default().write.as_secs() + 5
}

#[tokio::test(start_paused = true)]
async fn a_write_needs_a_lease_that_outlasts_it_and_a_read_needs_none() {
    let fake = Fake::ok();
    let shut = gated(Arc::clone(&fake), &WriteGate::shut());
    list(&*shut).await.expect("reads are free");
    let store = shut.leases().expect("leases");
    let key = LeaseKey::of("a", "b");
    store
        .replace(&key, "x", None)
        .await
        .expect("leases are how one gets the right");
    let lost = create_network(&*shut).await.expect_err("no lease");
    assert!(is_lease_lost(&lost), "{lost:?}");
    assert_eq!(
        (lost.kind(), lost.scope()),
        (ErrorKind::Precondition, Scope::Account)
    );
    assert_eq!(fake.done(), ["list", "replace_lease"], "nothing was sent");

    let gate = holds_for(needed() - 1);
    let lost = create_network(&*gated(Arc::clone(&fake), &gate)).await;
    assert!(is_lease_lost(&lost.expect_err("too short")));
    let gate = holds_for(needed());
    create_network(&*gated(Arc::clone(&fake), &gate))
        .await
        .expect("long enough");
    gate.close();
    let lost = create_network(&*gated(fake, &gate)).await;
    assert!(is_lease_lost(&lost.expect_err("closed")));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_asked_about_anew() {
    // The first attempt fails, and the lease is too short when the second would leave.
    let fake =
        Fake::failing([error(ErrorKind::Throttled).with_retry_after(Duration::from_secs(20))]);
    let gate = holds_for(needed() + 10);
    let lost = create_network(&*gated(Arc::clone(&fake), &gate))
        .await
        .expect_err("too late");
    assert!(is_lease_lost(&lost), "{lost:?}");
    assert_eq!(fake.done(), ["create_network"], "one attempt left");
}

#[tokio::test(start_paused = true)]
async fn what_was_given_up_without_an_answer_is_known() {
    let fake = Fake::new(|_| Box::pin(std::future::pending()));
    let gate = holds_for(1_000_000);
    let provider = gated(fake, &gate);
    let call = create_network(&*provider);
    assert!(
        tokio::time::timeout(Duration::from_secs(1), call)
            .await
            .is_err()
    );
    assert!(gate.has_unfinished());
    let gate = holds_for(1_000_000);
    create_network(&*gated(Fake::ok(), &gate))
        .await
        .expect("answered");
    assert!(!gate.has_unfinished());
}

#[tokio::test]
async fn the_systems_own_clock_goes_on() {
    let clock = TokioClock::system();
    let (first, second) = (clock.moment(), clock.moment());
    assert!(first.elapsed > Duration::ZERO && second.elapsed >= first.elapsed);
}
