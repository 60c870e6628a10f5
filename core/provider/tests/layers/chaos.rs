//! Faults on purpose.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use strat_model::{ErrorKind, Kind, ResourceId, Spec};
use strat_provider::layers::{
    Chaos, ChaosPolicy, Fault, KillPoint, LayerPolicy, LayerStack, Layered, ScriptedFault,
    is_killed,
};
use strat_provider::{Provider, ProviderExt};
use tokio::time::Instant;

use crate::fake::{Fake, clock, create_network, list, mark, specs, token};

fn chaotic(fake: &Arc<Fake>, policy: ChaosPolicy) -> (Layered, Arc<Chaos>) {
    let chaos = Arc::new(Chaos::new(policy, Rng::with_seed(3), clock()));
    let layered = Layered::new(Arc::clone(fake) as _, vec![Arc::clone(&chaos) as _]);
    (layered, chaos)
}

#[tokio::test(start_paused = true)]
async fn a_script_hits_the_calls_it_names() {
    let fake = Fake::ok();
    let policy = ChaosPolicy::scripted([
        ScriptedFault::new("create_network", 2, Fault::LoseAnswer),
        ScriptedFault::new("create_network", 3, Fault::FailBefore(ErrorKind::Forbidden)),
        ScriptedFault::new("list", 1, Fault::Delay(Duration::from_secs(3))),
    ]);
    let (provider, chaos) = chaotic(&fake, policy);
    create_network(&provider).await.expect("the first");
    let lost = create_network(&provider).await.expect_err("the second");
    assert_eq!(lost.kind(), ErrorKind::Timeout);
    assert_eq!(fake.done().len(), 2, "done, though nobody was told");
    let failed = create_network(&provider).await.expect_err("the third");
    assert_eq!(failed.kind(), ErrorKind::Forbidden);
    assert_eq!(fake.done().len(), 2);
    let start = Instant::now();
    list(&provider).await.expect("a page");
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!(chaos.calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_stays_dead() {
    for (point, effects) in [(KillPoint::BeforeEffect, 2), (KillPoint::AfterEffect, 3)] {
        let fake = Fake::ok();
        let (provider, chaos) = chaotic(&fake, ChaosPolicy::killed_after(2, point));
        create_network(&provider).await.expect("alive");
        list(&provider).await.expect("alive");
        assert!(!chaos.is_killed());
        for _ in 0..3 {
            let error = create_network(&provider).await.expect_err("dead");
            assert!(is_killed(&error) && !error.kind().is_retryable());
        }
        assert!(chaos.is_killed());
        assert_eq!(fake.done().len(), effects);
    }
}

/// What 200 creates and deletes of a machine come to, with these dice.
async fn rolled(seed: u64) -> Vec<Option<ErrorKind>> {
    let policy = ChaosPolicy {
        fail_before: 0.1,
        lose_answer: 0.1,
        throttle: 0.1,
        stock_out: 0.2,
        delay: 0.2,
        delay_max: Duration::from_secs(1),
        ..ChaosPolicy::default()
    };
    let chaos = Chaos::new(policy, Rng::with_seed(seed), clock());
    let provider = Layered::new(Fake::ok(), vec![Arc::new(chaos)]);
    let machine = specs()
        .into_iter()
        .find(|spec| matches!(spec, Spec::Machine(_)))
        .expect("a machine");
    let mut ends = Vec::new();
    for _ in 0..100 {
        let created = provider.create(&machine, "m", &mark(), &token()).await;
        ends.push(created.err().map(|error| error.kind()));
        let ids = [ResourceId::from("m")];
        let deleted = provider.delete(Kind::Machine, &ids).await;
        ends.extend(
            deleted
                .into_iter()
                .map(|one| one.result.err().map(|error| error.kind())),
        );
    }
    ends
}

#[tokio::test(start_paused = true)]
async fn the_dice_are_seeded() {
    let ends = rolled(1).await;
    assert_eq!(ends, rolled(1).await);
    assert_ne!(ends, rolled(2).await);
    let count = |kind| ends.iter().filter(|end| **end == kind).count();
    for kind in [
        None,
        Some(ErrorKind::Transient),
        Some(ErrorKind::Timeout),
        Some(ErrorKind::Throttled),
        Some(ErrorKind::Capacity),
    ] {
        assert!(count(kind) > 5, "{kind:?}");
    }
    let stock_outs_of_deletes = ends.iter().skip(1).step_by(2);
    assert!(
        !stock_outs_of_deletes
            .clone()
            .any(|end| *end == Some(ErrorKind::Capacity))
    );
}

#[tokio::test(start_paused = true)]
async fn the_standard_stack_rides_out_passing_faults() {
    let policy = ChaosPolicy {
        fail_before: 0.2,
        lose_answer: 0.1,
        ..ChaosPolicy::default()
    };
    let fake = Fake::ok();
    let stack = LayerStack::standard(LayerPolicy::default(), clock(), Rng::with_seed(5))
        .with_chaos(Arc::new(Chaos::new(policy, Rng::with_seed(6), clock())));
    let provider = stack.wrap(Arc::clone(&fake) as Arc<dyn Provider>, "account");
    for _ in 0..200 {
        create_network(&*provider).await.expect("in the end");
    }
    assert!(fake.done().len() > 200, "repeated with the same token");
}
