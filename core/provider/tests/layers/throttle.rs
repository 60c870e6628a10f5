//! The throttle against a token bucket that it is told nothing of.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures::future::join_all;
use strat_provider::Provider;
use strat_provider::layers::{
    Api, CallStats, Effect, LayerPolicy, LayerStack, RateHint, RetryPolicy,
};
use tokio::time::{Instant, sleep, timeout};

use crate::fake::{Fake, clock, create_network, list};
use crate::server::Server;

fn stack() -> LayerStack {
    let policy = LayerPolicy {
        retry: RetryPolicy {
            attempts_max: 20,
            ..RetryPolicy::default()
        },
        ..LayerPolicy::default()
    };
    LayerStack::standard(policy, clock(), Rng::with_seed(11))
}

/// Makes `calls` from `callers` tasks at once; gives the seconds it took.
async fn load(provider: &Arc<dyn Provider>, calls: usize, callers: usize) -> f64 {
    let start = Instant::now();
    let tasks = (0..callers).map(|caller| {
        let provider = Arc::clone(provider);
        let share = calls / callers + usize::from(caller < calls % callers);
        tokio::spawn(async move {
            for _ in 0..share {
                list(&*provider).await.expect("in the end");
            }
        })
    });
    for task in join_all(tasks).await {
        task.expect("a task");
    }
    start.elapsed().as_secs_f64()
}

struct Case {
    rate: f64,
    burst: f64,
    latency_ms: u64,
    calls: usize,
    callers: usize,
}

#[tokio::test(start_paused = true)]
async fn it_uses_what_is_allowed_and_hardly_more() {
    let case = |rate, burst, latency_ms, calls, callers| Case {
        rate,
        burst,
        latency_ms,
        calls,
        callers,
    };
    let cases = [
        case(20.0, 20.0, 100, 1000, 500),
        case(20.0, 20.0, 100, 1000, 50),
        case(20.0, 100.0, 100, 1000, 1000),
        case(20.0, 100.0, 300, 1500, 200),
        case(20.0, 5.0, 50, 1000, 100),
        case(20.0, 1.0, 100, 1000, 100),
        case(20.0, 200.0, 20, 2000, 500),
        case(2.0, 10.0, 100, 200, 50),
        case(5.0, 50.0, 200, 500, 100),
        case(100.0, 100.0, 100, 5000, 500),
        case(20.0, 40.0, 1000, 1000, 300),
        case(20.0, 40.0, 100, 1000, 16),
        case(20.0, 40.0, 100, 300, 300),
        case(1.0, 10.0, 100, 100, 20),
        case(20.0, 20.0, 1000, 1000, 100),
        case(20.0, 20.0, 0, 1000, 100),
        case(20.0, 20.0, 5, 200, 100),
        case(300.0, 100.0, 100, 10_000, 500),
        case(0.5, 10.0, 100, 60, 20),
    ];
    for case in cases {
        let server = Server::new(case.rate, case.burst, case.latency_ms);
        let provider = stack().wrap(server.provider(), "account");
        let took = load(&provider, case.calls, case.callers).await;
        let ratio = took / server.lower_bound(case.calls);
        let share = server.refused_share(10.0);
        eprintln!(
            "{}/s burst {} {} ms, {} callers: {ratio:.3} x, {:.1} % after 10 s, {:?} in all",
            case.rate,
            case.burst,
            case.latency_ms,
            case.callers,
            share * 100.0,
            server.counts(0.0),
        );
    }
}
