//! What a store of leases promises: one suite for every store, whether a site keeps it or not.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use strat_model::{ErrorKind, Result};
use strat_provider::{Clock, Kept, LeaseKey, LeaseVersion, Leases};

/// A store under test, and keys that nobody else has.
#[derive(Debug)]
pub struct LeaseBench<'a> {
    /// The store.
    pub store: &'a dyn Leases,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// A word that no other run has.
    pub run: String,
}

/// How long a read is waited for beyond what the store says that it may lag.
const SLACK: Duration = Duration::from_secs(5);

impl LeaseBench<'_> {
    /// The key of a word at the store's first place.
    async fn key(&self, word: &str) -> LeaseKey {
        let places = self.store.places().await.expect("places");
        LeaseKey::of(&format!("{} {word}", self.run), &places[0])
    }

    /// Makes what the store lacks, if it lacks anything.
    async fn ready(&self) {
        self.store.make().await.expect("its store can be made");
        self.store.make().await.expect("made already is no error");
        let missing = self.store.missing().await.expect("it can be looked for");
        assert_eq!(missing, None, "what was made is not missing");
    }

    async fn write(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        self.store.replace(key, text, seen).await
    }

    /// Reads until this is what is shown.
    async fn shows(&self, key: &LeaseKey, text: &str) -> Kept {
        let until = self.clock.moment().elapsed + self.store.lag() + SLACK;
        loop {
            let kept = self.store.read(key).await.expect("it can be read");
            match kept {
                Some(kept) if kept.text == text => return kept,
                other if self.clock.moment().elapsed > until => {
                    panic!("`{text}` is not shown, but {other:?}")
                }
                _ => self.clock.sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

fn refused(outcome: Result<LeaseVersion>, what: &str) {
    let error = outcome.expect_err(what);
    assert_eq!(error.kind(), ErrorKind::Precondition, "{what}: {error}");
}

/// A place is said, and it is the same each time.
///
/// # Panics
/// If not.
pub async fn a_place_is_said(bench: &LeaseBench<'_>) {
    let places = bench.store.places().await.expect("places");
    assert!(!places.is_empty() && places.iter().all(|place| !place.is_empty()));
    assert_eq!(bench.store.places().await.expect("places"), places);
}

/// Of many that take a lease at once, one has it; and what it wrote is there.
///
/// # Panics
/// If not.
pub async fn of_many_at_once_one_takes_it(bench: &LeaseBench<'_>) {
    bench.ready().await;
    let key = bench.key("many").await;
    assert_eq!(bench.store.read(&key).await.expect("a read"), None);
    let texts: Vec<String> = (0..4).map(|n| format!("{{\"taker\":{n}}}")).collect();
    let takes = texts.iter().map(|text| bench.write(&key, text, None));
    let outcomes = join_all(takes).await;
    let won: Vec<usize> = (0..texts.len()).filter(|n| outcomes[*n].is_ok()).collect();
    assert_eq!(won.len(), 1, "{outcomes:?}");
    let winner = won[0];
    for (n, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(version) => {
                let kept = bench.shows(&key, &texts[winner]).await;
                assert_eq!(kept.version, version);
            }
            Err(_) if n == winner => unreachable!("it won"),
            other => refused(other, "one has it already"),
        }
    }
}

/// Only who saw the newest version writes the next; and nobody writes as if nothing were there.
///
/// # Panics
/// If not.
pub async fn only_the_newest_version_is_followed(bench: &LeaseBench<'_>) {
    bench.ready().await;
    let key = bench.key("newest").await;
    let text = |n: u32| format!("{{\"writing\":{n}}}");
    let first = bench.write(&key, &text(1), None).await.expect("free");
    let second = bench
        .write(&key, &text(2), Some(&first))
        .await
        .expect("the newest");
    assert_ne!(first, second);
    refused(
        bench.write(&key, &text(3), Some(&first)).await,
        "an old version",
    );
    refused(
        bench.write(&key, &text(3), None).await,
        "as if nothing were there",
    );
    bench.shows(&key, &text(2)).await;
    let third = bench
        .write(&key, &text(4), Some(&second))
        .await
        .expect("the newest");
    let kept = bench.shows(&key, &text(4)).await;
    assert_eq!(kept.version, third);
    // Many that saw the same: one of them goes on.
    let texts: Vec<String> = (10..14).map(text).collect();
    let takes = texts
        .iter()
        .map(|text| bench.write(&key, text, Some(&third)));
    let won = join_all(takes)
        .await
        .into_iter()
        .filter(Result::is_ok)
        .count();
    assert_eq!(won, 1, "a version is followed once");
}

/// Keys are apart, and texts come back whole: long ones too.
///
/// # Panics
/// If not.
pub async fn keys_are_apart(bench: &LeaseBench<'_>) {
    bench.ready().await;
    let long = format!("{{\"who\":\"{}\"}}", "ü".repeat(1000));
    for (word, text) in [("one", "{\"key\":1}"), ("other", long.as_str())] {
        bench
            .write(&bench.key(word).await, text, None)
            .await
            .expect("free");
    }
    bench.shows(&bench.key("one").await, "{\"key\":1}").await;
    bench.shows(&bench.key("other").await, &long).await;
}

/// A store that holds its conditions is found to do so, and what it keeps stays as it is.
///
/// # Panics
/// If not.
pub async fn conditions_are_proved(bench: &LeaseBench<'_>) {
    bench.ready().await;
    let (key, text) = (bench.key("proved").await, "{\"proof\":1}");
    let version = bench.write(&key, text, None).await.expect("free");
    let kept = Kept {
        text: text.to_owned(),
        version: version.clone(),
    };
    bench
        .store
        .prove(&key, &kept)
        .await
        .expect("it holds its conditions");
    bench
        .write(&key, "{\"proof\":2}", Some(&version))
        .await
        .expect("nothing was written");
}
