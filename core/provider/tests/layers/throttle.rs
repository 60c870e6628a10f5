//! The throttle against a token bucket that it is told nothing of.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures::future::join_all;
use strat_provider::Provider;
use strat_provider::layers::{Api, CallStats, Effect, LayerPolicy, LayerStack, RateHint};
use tokio::time::{Instant, sleep, timeout};

use crate::fake::{Fake, clock, create_network, list};
use crate::server::Server;

fn stack() -> LayerStack {
    LayerStack::standard(LayerPolicy::default(), clock(), Rng::with_seed(11))
}

/// Makes `calls` reads from `callers` tasks at once; gives the seconds it took.
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

/// Loads a server, and checks the time against its lower bound and the share refused after the
/// first ten seconds.
async fn check(server: Server, calls: usize, callers: usize, ratio_max: f64, share_max: f64) {
    let server = Arc::new(server);
    let provider = stack().wrap(server.provider(), "account");
    let took = load(&provider, calls, callers).await;
    let ratio = took / server.lower_bound(calls);
    let share = server.refused_share(10.0);
    let what = format!(
        "{}/s, burst {}, {:?}, {callers} callers: {ratio:.3} of the bound, {:.1} % refused",
        server.rate,
        server.burst,
        server.latency,
        share * 100.0
    );
    assert!(ratio <= ratio_max && share <= share_max, "{what}");
}

#[tokio::test(start_paused = true)]
async fn it_uses_what_is_allowed_and_hardly_more() {
    for (burst, latency_ms, calls, callers) in [
        (20.0, 100, 1000, 500),
        (20.0, 100, 1000, 50),
        (20.0, 0, 1000, 100),
        (20.0, 5, 200, 100),
        (5.0, 50, 1000, 100),
        (40.0, 100, 1000, 16),
        (40.0, 100, 300, 300),
        (100.0, 100, 1000, 1000),
        (100.0, 300, 1500, 200),
        (200.0, 20, 2000, 500),
    ] {
        let server = Server::new(20.0, burst, latency_ms);
        check(server, calls, callers, 1.05, 0.04).await;
    }
}

#[tokio::test(start_paused = true)]
async fn limits_of_any_size_are_found() {
    check(Server::new(300.0, 100.0, 100), 10_000, 500, 1.05, 0.04).await;
    check(Server::new(100.0, 100.0, 100), 5000, 500, 1.05, 0.04).await;
    check(Server::new(5.0, 50.0, 200), 500, 100, 1.05, 0.04).await;
    check(Server::new(2.0, 10.0, 100), 200, 50, 1.05, 0.04).await;
    // So few calls that each probe of the limit weighs.
    check(Server::new(1.0, 10.0, 100), 100, 20, 1.05, 0.1).await;
    check(Server::new(0.5, 10.0, 100), 100, 20, 1.05, 0.2).await;
}

#[tokio::test(start_paused = true)]
async fn slow_and_uneven_ways_are_no_hindrance() {
    check(Server::new(20.0, 40.0, 1000), 1000, 300, 1.05, 0.04).await;
    check(Server::new(20.0, 20.0, 1000), 1000, 100, 1.05, 0.04).await;
    let jittery = |jitter, latency_ms| Server {
        jitter,
        ..Server::new(20.0, 20.0, latency_ms)
    };
    check(jittery(0.9, 200), 1000, 200, 1.05, 0.05).await;
    check(jittery(0.3, 1000), 1000, 200, 1.1, 0.07).await;
    let busy = Server {
        work: Duration::from_secs(8),
        ..Server::new(20.0, 20.0, 100)
    };
    check(busy, 1000, 500, 1.3, 0.04).await;
}

#[tokio::test(start_paused = true)]
async fn a_cloud_with_no_burst_at_all_is_used_well_enough() {
    check(Server::new(20.0, 1.0, 100), 1000, 100, 1.3, 0.05).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_of_patience_in_every_refusal_costs_little() {
    let patient = Server {
        retry_after: Some(Duration::from_secs(1)),
        ..Server::new(20.0, 20.0, 100)
    };
    check(patient, 1000, 200, 1.1, 0.04).await;
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_that_the_cloud_asks_for_stops_all_calls() {
    let server = Arc::new(Server {
        retry_after: Some(Duration::from_secs(30)),
        ..Server::new(20.0, 20.0, 100)
    });
    let provider = stack().wrap(server.provider(), "account");
    let task = tokio::spawn(async move { load(&provider, 100, 100).await });
    sleep(Duration::from_secs(29)).await;
    let (_, refused) = server.counts(1.0);
    assert_eq!(refused, 0);
    task.await.expect("all calls in the end");
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_let_through_again_after_a_quiet_time() {
    let server = Arc::new(Server::new(20.0, 100.0, 100));
    let provider = stack().wrap(server.provider(), "account");
    load(&provider, 400, 100).await;
    let mut took = Vec::new();
    let mut refused = 0;
    for _ in 0..20 {
        sleep(Duration::from_secs(20)).await;
        let before = server.counts(0.0).1;
        took.push(load(&provider, 100, 100).await);
        refused += server.counts(0.0).1 - before;
    }
    // Paced throughout it would take five seconds each time.
    let best = took.iter().copied().fold(f64::MAX, f64::min);
    let mean = took.iter().sum::<f64>() / 20.0;
    assert!(best < 1.0 && mean < 2.5, "{took:?}");
    assert!(refused < 100, "{refused} of 2000");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_changes_is_followed() {
    let server = Arc::new(Server::new(20.0, 20.0, 100));
    let provider = stack().wrap(server.provider(), "account");
    load(&provider, 500, 100).await;
    server.set_rate(60.0);
    let up = load(&provider, 1500, 100).await;
    assert!(up < 1.5 * 1500.0 / 60.0, "{up}");
    server.set_rate(10.0);
    let down = load(&provider, 500, 100).await;
    assert!(down < 1.2 * 500.0 / 10.0, "{down}");
}

#[tokio::test(start_paused = true)]
async fn sites_of_one_account_share_what_is_learnt() {
    let server = Arc::new(Server::new(20.0, 20.0, 100));
    let stack = stack();
    let first = stack.wrap(server.provider(), "account");
    let second = stack.wrap(server.provider(), "account");
    load(&first, 400, 50).await;
    let before = server.counts(0.0).1;
    let (a, b) = tokio::join!(load(&first, 200, 50), load(&second, 200, 50));
    assert!(a.max(b) < 1.1 * 400.0 / 20.0);
    assert!(server.counts(0.0).1 - before <= 16);
}

#[tokio::test(start_paused = true)]
async fn two_clients_that_do_not_know_of_each_other_share_too() {
    let server = Arc::new(Server::new(20.0, 20.0, 100));
    let first = stack().wrap(server.provider(), "account");
    let second = stack().wrap(server.provider(), "account");
    let (a, b) = tokio::join!(load(&first, 500, 50), load(&second, 500, 50));
    assert!(a.max(b) < 1.2 * 1000.0 / 20.0, "{a} {b}");
    assert!(server.refused_share(10.0) < 0.08);
}

#[tokio::test(start_paused = true)]
async fn a_hint_spares_the_search() {
    let server = Arc::new(Server::new(20.0, 50.0, 100));
    let hint = RateHint {
        rate: 20.0,
        burst: 50,
    };
    let provider = stack()
        .with_rate_hint("account", Api::Observe, Effect::Read, hint)
        .wrap(server.provider(), "account");
    let took = load(&provider, 500, 100).await;
    assert!(took < 1.1 * server.lower_bound(500), "{took}");
    let (_, refused) = server.counts(0.0);
    assert!(refused <= 20, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn reads_and_writes_are_metered_apart() {
    let server = Arc::new(Server::new(1.0, 1.0, 10));
    let metered = Arc::clone(&server);
    let fake = Fake::new(move |operation| {
        let metered = Arc::clone(&metered);
        Box::pin(async move {
            match operation {
                "list" => metered.call().await,
                _ => Ok(()),
            }
        })
    });
    let stats = Arc::new(CallStats::new());
    let provider = stack()
        .with_observer(Arc::clone(&stats) as _)
        .wrap(fake, "account");
    let reads = tokio::spawn({
        let provider = Arc::clone(&provider);
        async move { load(&provider, 30, 30).await }
    });
    sleep(Duration::from_secs(5)).await;
    let start = Instant::now();
    for _ in 0..100 {
        create_network(&*provider)
            .await
            .expect("no limit on writes");
    }
    assert!(start.elapsed() < Duration::from_millis(10));
    reads.await.expect("reads");
    let total = stats.total();
    assert!(total.throttles > 0 && total.waits > 0 && total.waited > Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_comes_first_goes_first() {
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hint = RateHint {
        rate: 10.0,
        burst: 1,
    };
    let provider = stack()
        .with_rate_hint("account", Api::Observe, Effect::Read, hint)
        .wrap(Fake::ok(), "account");
    let tasks = (0..50).map(|caller| {
        let (provider, order) = (Arc::clone(&provider), Arc::clone(&order));
        async move {
            list(&*provider).await.expect("a page");
            order.lock().expect("order").push(caller);
        }
    });
    join_all(tasks).await;
    assert!(order.lock().expect("order").is_sorted());
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_holds_nobody_up() {
    let hint = RateHint {
        rate: 1.0,
        burst: 1,
    };
    let provider = stack()
        .with_rate_hint("account", Api::Observe, Effect::Read, hint)
        .wrap(Fake::ok(), "account");
    // One head of the queue and nine behind it give up; the last one stays.
    let tasks: Vec<_> = (0..12)
        .map(|caller| {
            let provider = Arc::clone(&provider);
            let patience = Duration::from_millis(if caller < 11 { 500 } else { 60_000 });
            tokio::spawn(async move { timeout(patience, list(&*provider)).await.is_ok() })
        })
        .collect();
    let start = Instant::now();
    let ends = join_all(tasks).await;
    assert!(ends.into_iter().last().expect("one").expect("a task"));
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_in_flight_gives_its_place_back() {
    let fake = Fake::new(|operation| {
        Box::pin(async move {
            match operation {
                "list" => std::future::pending().await,
                _ => Ok(()),
            }
        })
    });
    let provider = stack().wrap(fake, "account");
    // More than the window at once: the later ones wait for answers that never come.
    let patience = Duration::from_secs(1);
    let calls = (0..200).map(|_| timeout(patience, list(&*provider)));
    assert!(join_all(calls).await.iter().all(Result::is_err));
    // The site is there: another of its calls is answered.
    create_network(&*provider).await.expect("an answer");
    // Their places are free again: these get as far as the provider, and time out there.
    let start = Instant::now();
    let error = list(&*provider).await.expect_err("no answer");
    assert_eq!(error.kind(), strat_model::ErrorKind::Timeout);
    assert!(start.elapsed() >= Duration::from_secs(60));
}
