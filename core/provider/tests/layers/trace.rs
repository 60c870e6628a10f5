//! What observers and counters are told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use strat_model::{ErrorKind, Kind, ResourceId};
use strat_provider::layers::{
    Api, CallEvent, CallKey, CallObserver, CallStats, LayerPolicy, LayerStack, Phase,
};
use strat_provider::{Provider, ProviderExt};

use crate::fake::{Fake, clock, create_network, error, list, name};

/// Keeps the events as words.
#[derive(Debug, Default)]
struct Words(Mutex<Vec<String>>);

impl CallObserver for Words {
    fn on_event(&self, event: &CallEvent<'_>) {
        let word = match event.phase {
            Phase::Started => "started".to_owned(),
            Phase::Waited { .. } => "waited".to_owned(),
            Phase::Throttled { .. } => "throttled".to_owned(),
            Phase::Silent { .. } => "silent".to_owned(),
            Phase::Retrying { error, .. } => format!("retrying after {}", error.kind()),
            Phase::Finished { ending, .. } => format!("{ending:?}"),
        };
        let attempt = event.call.attempt();
        self.0
            .lock()
            .expect("words")
            .push(format!("{attempt} {word}"));
    }
}

fn observed(fake: Arc<Fake>) -> (Arc<dyn Provider>, Arc<Words>, Arc<CallStats>) {
    let words = Arc::new(Words::default());
    let stats = Arc::new(CallStats::new());
    let stack = LayerStack::standard(LayerPolicy::default(), clock(), Rng::with_seed(1))
        .with_observer(Arc::clone(&words) as _)
        .with_observer(Arc::clone(&stats) as _);
    (stack.wrap(fake, "account"), words, stats)
}

#[tokio::test(start_paused = true)]
async fn a_call_is_told_from_its_start_to_its_end() {
    let fake = Fake::failing([error(ErrorKind::Transient), error(ErrorKind::Quota)]);
    let (provider, words, stats) = observed(fake);
    create_network(&*provider).await.expect_err("an error");
    list(&*provider).await.expect("a page");
    assert_eq!(
        *words.0.lock().expect("words"),
        [
            "1 started",
            "1 retrying after transient fault",
            "2 Failed(Quota)",
            "1 started",
            "1 Done",
        ]
    );
    let counts = stats.counts();
    let key = |api, operation| CallKey {
        site: name("dc1"),
        api,
        operation,
    };
    let create = counts[&key(Api::Network, "create_network")];
    assert_eq!((create.calls, create.failures, create.retries), (1, 1, 1));
    assert!(create.took >= Duration::from_millis(200));
    let list = counts[&key(Api::Observe, "list")];
    assert_eq!((list.calls, list.failures), (1, 0));
    assert_eq!(stats.total().calls, 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_is_told_too() {
    let fake = Fake::new(|_| Box::pin(std::future::pending()));
    let (provider, words, stats) = observed(fake);
    let limit = Duration::from_secs(1);
    let gone = tokio::time::timeout(limit, list(&*provider)).await;
    assert!(gone.is_err());
    assert_eq!(
        *words.0.lock().expect("words"),
        ["1 started", "1 Cancelled"]
    );
    assert_eq!(stats.total().cancelled, 1);
    assert_eq!(stats.total().took, limit);
}

#[tokio::test(start_paused = true)]
async fn an_error_inside_an_answer_is_told_like_one_of_the_call() {
    // Of three things, the second is refused for good.
    let fake = Fake::script([None, Some(error(ErrorKind::Conflict)), None]);
    let (provider, words, stats) = observed(fake);
    let ids = ["a", "b", "c"].map(ResourceId::from);
    let outcomes = provider.delete(Kind::Network, &ids).await;
    let done: Vec<bool> = outcomes.iter().map(|one| one.result.is_ok()).collect();
    assert_eq!(done, [true, false, true], "it goes on after an error");
    let told = outcomes[1].result.as_ref().expect_err("the second");
    assert_eq!(told.operation(), Some("delete_network"));
    assert_eq!(
        *words.0.lock().expect("words"),
        ["1 started", "1 Partial(Conflict)"]
    );
    assert_eq!(stats.total().failures, 1);

    let (provider, words, _) = observed(Fake::script([Some(error(ErrorKind::Conflict))]));
    provider.delete(Kind::Network, &ids[..1]).await;
    assert_eq!(
        *words.0.lock().expect("words"),
        ["1 started", "1 Failed(Conflict)"]
    );
}
