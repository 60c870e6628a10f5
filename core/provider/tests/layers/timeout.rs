//! Attempts that take too long.

use std::sync::Arc;
use std::time::Duration;

use strat_model::ErrorKind;
use strat_provider::layers::{Layered, Reporter, Timeout, TimeoutPolicy};
use tokio::time::Instant;

use crate::fake::{Fake, clock, create_network, list};

fn timed(fake: Arc<Fake>) -> Layered {
    let policy = TimeoutPolicy {
        read: Duration::from_secs(2),
        write: Duration::from_secs(5),
        image_write: Duration::from_secs(60),
        lease: Duration::from_secs(1),
    };
    let timeout = Timeout::new(policy, Reporter::new(clock(), Vec::new()));
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
