use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use strat_conformance::leases::{self, LeaseBench};
use strat_provider::{Clock, LeaseKey, Leases, TokioClock};

use super::{
    Claim, FileLeases, Holder, LeaseError, LeaseGuard, LeasePolicy, MemoryLeases, Spot, Watched,
    free, look, take, take_from, watch_renewals,
};
use crate::{Event, EventSink};

fn clock() -> Arc<dyn Clock> {
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().expect("time");
    Arc::new(TokioClock::starting_at(start))
}

fn claim(id: &str) -> Claim {
    Claim {
        holder: Holder {
            id: id.to_owned(),
            ..Holder::this_process("apply", Timestamp::UNIX_EPOCH)
        },
        policy: LeasePolicy::default(),
        folder: None,
        may_make: true,
    }
}

/// Both kinds of stores, and a folder that has to live as long.
fn spots() -> (tempfile::TempDir, [Spot; 2]) {
    let dir = tempfile::tempdir().expect("folder");
    let file: Arc<dyn Leases> = Arc::new(FileLeases::new(dir.path().join("new"), Duration::ZERO));
    let spots = [file, Arc::new(MemoryLeases::default())].map(|store| Spot {
        store,
        key: LeaseKey::of("shop", "here"),
        place: "here".to_owned(),
        window: Duration::from_secs(15),
    });
    (dir, spots)
}

async fn taken(
    spot: &Spot,
    id: &str,
    patience: Duration,
    clock: &Arc<dyn Clock>,
) -> Result<LeaseGuard, LeaseError> {
    take(spot, &claim(id), patience, clock, &EventSink::none()).await
}

/// As long as a dead holder is waited for: its term, its longest attempt, and the window.
const WAIT: Duration = Duration::from_secs(240 + 120 + 15);

#[tokio::test]
async fn files_and_memory_hold_what_every_store_promises() {
    let clock = clock();
    let memory = MemoryLeases::default();
    let bench = |store| LeaseBench {
        store,
        clock: Arc::clone(&clock),
        run: "run".to_owned(),
    };
    leases::a_place_is_said(&bench(&memory)).await;
    leases::of_many_at_once_one_takes_it(&bench(&memory)).await;
    leases::only_the_newest_version_is_followed(&bench(&memory)).await;
    leases::keys_are_apart(&bench(&memory)).await;
    leases::conditions_are_proved(&bench(&memory)).await;
    // A folder keeps one lease, so each has a folder of its own; keys are not apart.
    let dirs = [(); 4].map(|()| tempfile::tempdir().expect("a folder"));
    let files = dirs
        .each_ref()
        .map(|dir| FileLeases::new(dir.path(), Duration::ZERO));
    leases::a_place_is_said(&bench(&files[0])).await;
    leases::of_many_at_once_one_takes_it(&bench(&files[1])).await;
    leases::only_the_newest_version_is_followed(&bench(&files[2])).await;
    leases::conditions_are_proved(&bench(&files[3])).await;
}

#[tokio::test(start_paused = true)]
async fn one_holder_at_a_time_and_epochs_grow() {
    let clock = clock();
    let (_dir, spots) = spots();
    for spot in spots {
        assert!(look(&spot, &*clock).await.expect("reads").is_none());
        let first = taken(&spot, "a", Duration::ZERO, &clock)
            .await
            .expect("free");
        let error = taken(&spot, "b", Duration::ZERO, &clock)
            .await
            .expect_err("held");
        let said = error.to_string();
        assert!(said.contains("holds the lease of here since"), "{said}");
        assert!(said.contains("ends at 2026-03-01T00:06:15Z"), "{said}");
        let epoch = first.check().expect("ours").generation;
        first.release().await.expect("releases");
        let second = taken(&spot, "b", Duration::ZERO, &clock)
            .await
            .expect("free");
        assert!(second.check().expect("ours").generation > epoch);
        // The folder's word is drawn once and handed on.
        assert!(second.folder().is_some());
        assert_eq!(second.before(), Some(second.folder()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_has_been_watched_since_it_was_first_seen() {
    let clock = clock();
    let (_dir, spots) = spots();
    for spot in spots {
        let dead = taken(&spot, "dead", Duration::ZERO, &clock);
        dead.await.expect("free").abandon();
        let first = (spot.read().await.expect("reads"), clock.moment().elapsed);
        clock.sleep(WAIT).await;
        let (claim, none) = (claim("b"), EventSink::none());
        let taken = take_from(&spot, &claim, first, Duration::ZERO, &clock, &none).await;
        taken.expect("it was silent for long enough");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_holder_is_watched_for_its_term_and_more() {
    let clock = clock();
    let (_dir, spots) = spots();
    for spot in spots {
        let dead = taken(&spot, "dead", Duration::ZERO, &clock)
            .await
            .expect("free");
        dead.abandon();
        let begun = clock.moment().elapsed;
        taken(&spot, "b", WAIT - Duration::from_secs(1), &clock)
            .await
            .expect_err("too soon");
        // Who looks anew begins to watch anew: it trusts no clock but its own.
        let again = clock.moment().elapsed;
        let next = taken(&spot, "b", WAIT * 2, &clock).await.expect("it ended");
        assert!(clock.moment().elapsed >= again + WAIT, "{begun:?}");
        assert_eq!(next.check().expect("ours").generation, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_lives_keeps_it_and_who_waits_is_told() {
    let clock = clock();
    let (_dir, spots) = spots();
    for spot in spots {
        let guard = taken(&spot, "a", Duration::ZERO, &clock)
            .await
            .expect("free");
        let (events, mut seen) = EventSink::channel();
        let patience = Duration::from_secs(100);
        let waited = take(&spot, &claim("b"), patience, &clock, &events).await;
        assert!(matches!(waited, Err(LeaseError::Held { .. })), "{waited:?}");
        let mut told = Vec::new();
        while let Ok(event) = seen.try_recv() {
            match event {
                Event::LeaseWaiting {
                    waited_s,
                    patience_s,
                    since: Some(_),
                    ..
                } => told.push((waited_s, patience_s)),
                other => panic!("{other:?}"),
            }
        }
        assert!(told.len() >= 3 && told[0] == (0, 100), "{told:?}");
        clock.sleep(WAIT * 3).await;
        guard.check().expect("renewed all the time");
        assert!(guard.permit().left().expect("ours") > Duration::from_secs(120));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_process_of_this_host_holds_nothing() {
    let clock = clock();
    let (_dir, spots) = spots();
    let mut dead = claim("dead");
    let Some(process) = &mut dead.holder.process else {
        return; // The system does not say; the lease ends by itself then.
    };
    // The same number, but another process.
    process.started += 1;
    assert!(dead.holder.is_gone() && claim("alive").holder.lives_here());
    for spot in spots {
        let none = EventSink::none();
        let guard = take(&spot, &dead, Duration::ZERO, &clock, &none)
            .await
            .expect("free");
        guard.abandon();
        taken(&spot, "next", Duration::ZERO, &clock)
            .await
            .expect("taken over at once");
    }
    // In another container the number says nothing.
    if let Some(process) = &mut dead.holder.process {
        process.pid_namespace.push('x');
    }
    assert!(!dead.holder.is_gone() && !dead.holder.lives_here());
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_away_is_noticed_and_who_renews_keeps_it() {
    let clock = clock();
    let (_dir, spots) = spots();
    for spot in spots {
        let guard = taken(&spot, "a", Duration::ZERO, &clock)
            .await
            .expect("free");
        let found = look(&spot, &*clock).await.expect("reads").expect("held");
        let watched = watch_renewals(&spot, &found, &*clock).await.expect("reads");
        assert_eq!(watched, Watched::Renewed);
        // It was written since: what was found is not what is there.
        assert!(!free(&spot, &found, &*clock).await.expect("writes"));
        let found = look(&spot, &*clock).await.expect("reads").expect("held");
        assert!(free(&spot, &found, &*clock).await.expect("writes"));
        assert!(look(&spot, &*clock).await.expect("reads").is_none());
        clock.sleep(Duration::from_secs(61)).await;
        let error = guard.check().expect_err("lost").to_string();
        assert!(error.contains("took it away by hand"), "{error}");
        guard.release().await.expect("harmless");

        let silent = taken(&spot, "b", Duration::ZERO, &clock)
            .await
            .expect("free");
        silent.abandon();
        let found = look(&spot, &*clock).await.expect("reads").expect("held");
        let watched = watch_renewals(&spot, &found, &*clock).await.expect("reads");
        assert_eq!(watched, Watched::Silent);
    }
}

#[tokio::test]
async fn a_held_file_lock_is_not_waited_for_for_ever() {
    let dir = tempfile::tempdir().expect("a folder");
    let lock = crate::files::append(&dir.path().join("lease.lock")).expect("made");
    lock.lock().expect("locked");
    let store = FileLeases {
        patience: Duration::from_millis(50),
        ..FileLeases::new(dir.path(), Duration::ZERO)
    };
    let key = LeaseKey::of("", "");
    let error = store.replace(&key, "{}", None).await.expect_err("locked");
    assert!(error.to_string().contains("lease.lock` locked"), "{error}");
    assert!(
        error.help().is_some_and(|help| help.contains("fuser")),
        "{error:?}"
    );
}

#[tokio::test]
async fn garbage_is_refused_with_the_way_out_and_old_records_are_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("lease.json");
    let clock = clock();
    let store = Arc::new(FileLeases::new(dir.path(), Duration::ZERO));
    let spot = Spot {
        store,
        key: LeaseKey::of("", ""),
        place: "here".to_owned(),
        window: Duration::ZERO,
    };
    for text in ["", "{", "[]", "\u{0}"] {
        std::fs::write(&path, text).expect("written");
        let error = taken(&spot, "a", Duration::ZERO, &clock)
            .await
            .expect_err("garbage");
        let cause = std::error::Error::source(&error)
            .expect("a cause")
            .to_string();
        assert!(
            cause.contains("holds no lease") && error.help().contains("remove it"),
            "{cause}"
        );
    }
    let newer = r#"{"v":9,"epoch":1}"#;
    std::fs::write(&path, newer).expect("written");
    let error = taken(&spot, "a", Duration::ZERO, &clock)
        .await
        .expect_err("newer");
    assert!(
        matches!(error, LeaseError::Newer { version: 9, .. }),
        "{error}"
    );
    let first = r#"{"v":1,"generation":7,"held":null}"#;
    std::fs::write(&path, first).expect("written");
    let guard = taken(&spot, "a", Duration::ZERO, &clock)
        .await
        .expect("free");
    assert_eq!(guard.check().expect("ours").generation, 8);
}
