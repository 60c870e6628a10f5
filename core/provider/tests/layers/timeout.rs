//! Attempts that take too long.

use std::sync::Arc;
use std::time::Duration;

use strat_model::ErrorKind;
use strat_provider::Clock;
use strat_provider::layers::{
    Answered, CallEvent, CallObserver, LayerPolicy, LayerStack, Layered, Phase, Reporter, Timeout,
    TimeoutPolicy,
};
use tokio::time::Instant;

use crate::fake::{Fake, clock, create_network, list};

fn timed(fake: Arc<Fake>) -> Layered {
    let policy = TimeoutPolicy {
        read: Duration::from_secs(2),
        write: Duration::from_secs(5),
        image_write: Duration::from_secs(60),
        lease: Duration::from_secs(1),
        first: Duration::from_secs(60),
        tell: Duration::from_secs(10),
    };
    let timeout = Timeout::new(
        policy,
        Reporter::new(clock(), Vec::new()),
        Answered::default(),
    );
    Layered::new(fake, vec![Arc::new(timeout)])
}

#[tokio::test(start_paused = true)]
async fn reads_and_writes_have_their_own_limits() {
    let fake = Fake::new(|_| Box::pin(std::future::pending()));
    let provider = timed(Arc::clone(&fake));
    let start = Instant::now();
    let error = list(&provider).await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed().as_secs(), 2);

    let start = Instant::now();
    let error = create_network(&provider).await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(fake.done().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_is_passed_on() {
    let provider = timed(Fake::failing([]));
    create_network(&provider).await.expect("an answer");
}

/// How many seconds calls had been silent for when it was told.
#[derive(Debug, Default)]
struct Silences(std::sync::Mutex<Vec<u64>>);

impl CallObserver for Silences {
    fn on_event(&self, event: &CallEvent<'_>) {
        if let Phase::Silent { waited } = event.phase {
            self.0.lock().expect("no panic").push(waited.as_secs());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_where_nothing_ever_answered_is_given_up_soon_and_told_meanwhile() {
    let silences = Arc::new(Silences::default());
    let clock: Arc<dyn Clock> = clock();
    let rng = fastrand::Rng::with_seed(7);
    let stack = LayerStack::standard(LayerPolicy::default(), clock, rng)
        .with_observer(Arc::clone(&silences) as Arc<dyn CallObserver>);
    let provider = stack.wrap(Fake::new(|_| Box::pin(std::future::pending())), "account");
    let start = Instant::now();
    let error = list(&*provider).await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let help = error.help().expect("what to do");
    assert!(help.contains("see whether its endpoint is right"), "{help}");
    let took = start.elapsed().as_secs();
    assert!(
        (40..45).contains(&took),
        "two attempts of 20 s, not {took} s"
    );
    assert_eq!(*silences.0.lock().expect("no panic"), [10, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_site_that_answered_once_is_waited_for() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let fake = Fake::new(move |_| {
        let number = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match number {
            0 => Box::pin(std::future::ready(Ok(()))),
            _ => Box::pin(std::future::pending()),
        }
    });
    let rng = fastrand::Rng::with_seed(7);
    let stack = LayerStack::standard(LayerPolicy::default(), clock(), rng);
    let provider = stack.wrap(fake, "account");
    list(&*provider).await.expect("an answer");
    let start = Instant::now();
    list(&*provider).await.expect_err("no answer");
    let took = start.elapsed().as_secs();
    assert!(took > 200, "{took} s");
}
