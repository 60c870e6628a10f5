use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use strat_provider::{Clock, TokioClock};

use super::{
    FileLeaseStore, Holder, LeaseError, LeaseGuard, LeaseStore, MemoryLeaseStore, acquire_wait,
};
use crate::{Event, EventSink};

const TTL: Duration = Duration::from_secs(30);

fn clock() -> Arc<dyn Clock> {
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().expect("time");
    Arc::new(TokioClock::starting_at(start))
}

fn holder(id: &str) -> Holder {
    Holder {
        id: id.to_owned(),
        ..Holder::this_process("apply", Timestamp::UNIX_EPOCH)
    }
}

/// Both kinds of stores, and a folder that has to live as long.
fn stores(clock: &Arc<dyn Clock>) -> (tempfile::TempDir, [Arc<dyn LeaseStore>; 2]) {
    let dir = tempfile::tempdir().expect("folder");
    let file = FileLeaseStore::new(dir.path().join("new"), Arc::clone(clock));
    let memory = MemoryLeaseStore::new(Arc::clone(clock));
    (dir, [Arc::new(file), Arc::new(memory)])
}

#[tokio::test(start_paused = true)]
async fn one_holder_at_a_time_and_generations_grow() {
    let clock = clock();
    let (_dir, stores) = stores(&clock);
    for store in stores {
        assert_eq!(store.current().await.expect("reads"), None);
        let first = store.acquire(&holder("a"), TTL).await.expect("free");
        let error = store.acquire(&holder("b"), TTL).await.expect_err("held");
        assert!(
            error.to_string().contains("holds the lease since"),
            "{error}"
        );
        assert_eq!(store.current().await.expect("reads"), Some(first.clone()));
        store.release(&first).await.expect("releases");
        let second = store.acquire(&holder("b"), TTL).await.expect("free");
        assert!(second.generation > first.generation);
        // The old holder is fenced: it neither renews nor releases what is another's.
        let error = store.renew(&first, TTL).await.expect_err("lost");
        assert!(matches!(error, LeaseError::Lost { .. }), "{error}");
        store.release(&first).await.expect("harmless");
        assert_eq!(store.current().await.expect("reads"), Some(second.clone()));

        clock.sleep(TTL * 2).await;
        let third = store.acquire(&holder("a"), TTL).await.expect("expired");
        assert!(third.generation > second.generation);
        assert_eq!(store.break_().await.expect("breaks"), Some(third.clone()));
        store.renew(&third, TTL).await.expect_err("broken");
        assert_eq!(store.current().await.expect("reads"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_process_of_this_host_holds_nothing() {
    let clock = clock();
    let (_dir, stores) = stores(&clock);
    let mut dead = holder("dead");
    let Some(process) = &mut dead.process else {
        return; // The system does not say; the lease expires then.
    };
    // The same number, but another process.
    process.started += 1;
    assert!(dead.is_gone() && !holder("alive").is_gone());
    for store in stores {
        store.acquire(&dead, TTL).await.expect("free");
        store
            .acquire(&holder("next"), TTL)
            .await
            .expect("taken over at once");
    }
    // In another container the number says nothing.
    if let Some(process) = &mut dead.process {
        process.pid_namespace.push('x');
    }
    assert!(!dead.is_gone());
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_lease_or_the_patience() {
    let clock = clock();
    let (_dir, stores) = stores(&clock);
    for store in stores {
        store.acquire(&holder("a"), TTL).await.expect("free");
        let (events, mut seen) = EventSink::channel();
        let wait = |timeout| {
            let (store, clock, events) = (Arc::clone(&store), Arc::clone(&clock), events.clone());
            async move { acquire_wait(&*store, &holder("b"), TTL, timeout, &*clock, &events).await }
        };
        let error = wait(Duration::from_secs(5)).await.expect_err("impatient");
        assert!(matches!(error, LeaseError::Held { .. }), "{error}");
        wait(TTL * 2).await.expect("it expires");
        assert!(matches!(seen.try_recv(), Ok(Event::LeaseWaiting { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_keeps_its_lease_until_it_is_taken_away() {
    let clock = clock();
    let (_dir, stores) = stores(&clock);
    for store in stores {
        let lease = store.acquire(&holder("a"), TTL).await.expect("free");
        let guard = LeaseGuard::hold(Arc::clone(&store), lease, TTL, Arc::clone(&clock));
        clock.sleep(TTL * 10).await;
        guard.check().expect("renewed");
        store.acquire(&holder("b"), TTL).await.expect_err("held");
        store.break_().await.expect("breaks");
        clock.sleep(TTL).await;
        let error = guard.check().expect_err("lost");
        assert!(error.to_string().contains("somebody broke it"), "{error}");
        guard.release().await.expect("harmless");
    }
}

#[tokio::test]
async fn of_many_who_want_it_one_gets_it() {
    let clock = clock();
    let (_dir, stores) = stores(&clock);
    for store in stores {
        let tries = (0..20).map(|n| {
            let store = Arc::clone(&store);
            async move { store.acquire(&holder(&n.to_string()), TTL).await.is_ok() }
        });
        let won = futures::future::join_all(tries).await;
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    }
}
