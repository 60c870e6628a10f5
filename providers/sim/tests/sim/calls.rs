//! Calls: throttled, failing, unanswered, counted, stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use strat_model::{ErrorKind, Kind, Scope};
use strat_provider::{Filter, ProviderExt};
use strat_sim::{Behaviour, Disturbance, Fault, Phase, PlannedFault, Profile, SimControl, Verdict};

use crate::common::{make, mark, network, pass, site, token, world};

#[tokio::test(start_paused = true)]
async fn too_many_calls_are_throttled_each_operation_by_itself() {
    for profile in Profile::ALL {
        let behaviour = Behaviour {
            rate_per_second: Some(10),
            ..Behaviour::instant()
        };
        let here = world()
            .connect(site(profile).behaving(behaviour))
            .expect("a site");
        for _ in 0..20 {
            here.identity().await.expect("within the burst");
        }
        let error = here.identity().await.expect_err("too many");
        assert_eq!(
            (error.kind(), error.scope()),
            (ErrorKind::Throttled, Scope::Account)
        );
        assert_eq!(
            error.retry_after().is_some(),
            profile != Profile::Aws,
            "{profile}"
        );
        here.zones().await.expect("another operation");
        pass(100).await;
        here.identity()
            .await
            .expect("one more after a tenth of a second");
        here.identity().await.expect_err("and no more");
    }
}

#[tokio::test(start_paused = true)]
async fn planned_faults_befall_the_calls_they_are_for() {
    let world = world();
    let here = world.connect(site(Profile::Aws)).expect("a site");
    let control = SimControl::new(world);
    let key = control.find("here").expect("the region");
    let fault = Fault::Fail {
        kind: ErrorKind::Throttled,
        scope: Scope::Account,
        retry_after_ms: Some(1500),
    };
    let planned = PlannedFault {
        operation: Some("list".to_owned()),
        fault,
        times: 2,
        after: 1,
    };
    control
        .disturb(&key, &Disturbance::Inject(planned))
        .expect("injected");
    let list = || here.list_all(Kind::Network, &Filter::All);
    list().await.expect("the first passes");
    for _ in 0..2 {
        let error = list().await.expect_err("planned");
        assert_eq!(error.retry_after(), Some(Duration::from_millis(1500)));
        assert_eq!(
            (error.operation(), error.provider()),
            (Some("list"), Some("sim"))
        );
    }
    list().await.expect("the fourth passes");
    control
        .inject(&key, None, Fault::fail(ErrorKind::Forbidden), 1)
        .expect("injected");
    here.identity().await.expect("a read is no change");
    let (mark, token) = (mark("network.net@here"), token("net"));
    let refused = here.create(&network(), "net", &mark, &token).await;
    assert_eq!(refused.expect_err("planned").kind(), ErrorKind::Forbidden);
    assert!(list().await.expect("a list").is_empty(), "it had no effect");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_hides_an_effect() {
    let world = world();
    let behaviour = Behaviour {
        lost_answers: 1.0,
        ..Behaviour::instant()
    };
    let here = world
        .connect(site(Profile::Onprem).behaving(behaviour))
        .expect("a site");
    let (mark, token) = (mark("network.net@here"), token("net"));
    let unknown = here
        .create(&network(), "net", &mark, &token)
        .await
        .expect_err("lost");
    assert!(matches!(
        unknown.kind(),
        ErrorKind::Timeout | ErrorKind::Transient
    ));
    let list = here
        .list_all(Kind::Network, &Filter::All)
        .await
        .expect("reads are answered");
    assert_eq!(list.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn faults_of_the_service_have_no_effect() {
    let behaviour = Behaviour {
        faults: 1.0,
        ..Behaviour::instant()
    };
    let world = world();
    let here = world
        .connect(site(Profile::Gcp).behaving(behaviour))
        .expect("a site");
    let (mark, token) = (mark("network.net@here"), token("net"));
    let error = here
        .create(&network(), "net", &mark, &token)
        .await
        .expect_err("a fault");
    assert_eq!(error.kind(), ErrorKind::Transient);
    let control = SimControl::new(world);
    let key = control.find("here").expect("the region");
    assert!(control.resources(&key, None).expect("things").is_empty());
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted() {
    let world = world();
    let here = world.connect(site(Profile::Aws)).expect("a site");
    make(&*here, network(), "net").await;
    make(&*here, network(), "net").await;
    here.list_all(Kind::Network, &Filter::All)
        .await
        .expect("a list");
    let calls = world.calls();
    assert_eq!((calls["create_network"], calls["list"]), (2, 1));
    assert_eq!(world.calls_to(&site(Profile::Aws).region_key()), calls);
    assert!(world.calls_to(&site(Profile::Gcp).region_key()).is_empty());
    world.reset_calls();
    assert!(world.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stopped_call_never_answers() {
    for (phase, made) in [(Phase::Before, 0), (Phase::After, 1)] {
        let world = world();
        let here = world.connect(site(Profile::Aws)).expect("a site");
        let stopped = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stopped);
        world.on_call(Box::new(move |operation, at| {
            if operation == "create_network" && at == phase {
                seen.store(true, Ordering::SeqCst);
                return Verdict::Stop;
            }
            Verdict::Go
        }));
        let call = make(&*here, network(), "net");
        tokio::time::timeout(Duration::from_secs(3600), call)
            .await
            .expect_err("no answer");
        assert!(stopped.load(Ordering::SeqCst));
        world.clear_hook();
        let list = here
            .list_all(Kind::Network, &Filter::All)
            .await
            .expect("a list");
        assert_eq!(list.len(), made, "stopped {phase:?} its effect");
    }
}
