//! Things take their time, and tokens are forgotten in the end.

use strat_model::{Bytes, ErrorKind, Kind, ResourceState, Spec, UserData};
use strat_provider::{Filter, ProviderExt};
use strat_sim::{
    Behaviour, Disturbance, Fault, Narrow, Pace, PlannedFault, Profile, SimControl, SimSite,
};

use crate::common::{
    ground, machine, make, mark, network, pass, site, state, subnet, token, world,
};

fn slow(profile: Profile) -> SimSite {
    site(profile).behaving(Behaviour {
        create_ms: 300,
        delete_ms: 300,
        ..Behaviour::instant()
    })
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_pending_then_ready_then_deleting_then_gone() {
    for profile in Profile::ALL {
        let here = world().connect(slow(profile)).expect("a site");
        let net = make(&*here, network(), "net").await;
        pass(300).await;
        let zones = here.zones().await.expect("zones");
        let zonal = profile == Profile::Aws;
        let spec = subnet(&net.id, "10.0.0.0/24", zonal.then(|| zones[0].as_str()));
        let sub = make(&*here, spec, "sub").await;
        pass(300).await;
        let spec = Spec::Machine(machine(&*here, &sub.id).await);
        let made = make(&*here, spec, "web").await;
        assert_eq!(made.state, ResourceState::Pending);
        pass(299).await;
        assert_eq!(state(&*here, &made).await, Some(ResourceState::Pending));
        pass(1).await;
        assert_eq!(state(&*here, &made).await, Some(ResourceState::Ready));
        here.delete_all(Kind::Machine, std::slice::from_ref(&made.id))
            .await
            .expect("deleted");
        assert_eq!(state(&*here, &made).await, Some(ResourceState::Deleting));
        let error = here
            .delete_all(Kind::Subnet, std::slice::from_ref(&sub.id))
            .await
            .expect_err("in use");
        assert_eq!(
            error.kind(),
            ErrorKind::Conflict,
            "it is in the subnet until it is gone"
        );
        pass(300).await;
        assert_eq!(state(&*here, &made).await, None);
        here.delete_all(Kind::Subnet, &[sub.id])
            .await
            .expect("deleted");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ready_cannot_be_built_on() {
    let here = world().connect(slow(Profile::Azure)).expect("a site");
    let net = make(&*here, network(), "net").await;
    let spec = subnet(&net.id, "10.0.0.0/24", None);
    let early = here
        .create(&spec, "sub", &mark("subnet.sub@here"), &token("sub"))
        .await;
    let error = early.expect_err("too early");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.code(), Some("ReferencedResourceNotProvisioned"));
    assert!(error.message().contains("is pending"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_name_is_taken_until_its_thing_is_gone() {
    let here = world().connect(slow(Profile::Gcp)).expect("a site");
    let net = make(&*here, network(), "net").await;
    pass(300).await;
    here.delete_all(Kind::Network, &[net.id])
        .await
        .expect("deleted");
    let again = || async {
        here.create(
            &network(),
            "net",
            &mark("network.net@here"),
            &token("again"),
        )
        .await
    };
    assert_eq!(
        again().await.expect_err("going").kind(),
        ErrorKind::Conflict
    );
    pass(300).await;
    again().await.expect("the name is free");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_forgotten_after_its_window() {
    let here = world().connect(site(Profile::Aws)).expect("a site");
    let subnet = ground(&*here).await;
    let spec = Spec::Machine(machine(&*here, &subnet).await);
    let first = make(&*here, spec.clone(), "web").await;
    here.delete_all(Kind::Machine, std::slice::from_ref(&first.id))
        .await
        .expect("deleted");
    pass(23 * 3_600_000).await;
    let dead = make(&*here, spec.clone(), "web").await;
    assert_eq!((&dead.id, dead.state), (&first.id, ResourceState::Deleting));
    pass(3_600_000).await;
    let second = make(&*here, spec, "web").await;
    assert_ne!(second.id, first.id);
    assert_eq!(state(&*here, &second).await, Some(ResourceState::Ready));
}

#[tokio::test(start_paused = true)]
async fn calls_take_their_time() {
    let world = world();
    let behaviour = Behaviour {
        latency_ms: 30,
        ..Behaviour::instant()
    };
    let here = world
        .connect(site(Profile::Gcp).behaving(behaviour))
        .expect("a site");
    let before = world.clock().now();
    here.identity().await.expect("who we are");
    let passed = world.clock().now().duration_since(before);
    assert_eq!(passed.as_millis(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_world_becomes_slower_and_faster_while_it_runs() {
    let world = world();
    let here = world.connect(site(Profile::Gcp)).expect("a site");
    let control = SimControl::new(world);
    let region = control.find("here").expect("the region");
    let pace = |pace| {
        let touched = control.disturb(&region, &Disturbance::SetPace(pace));
        assert!(touched.expect("set").is_empty());
    };
    let sub = ground(&*here).await;
    pace(Pace {
        latency_ms: Some(40),
        create_ms: Some(600),
        delete_ms: Some(90),
        consistency_ms: Some(5000),
    });
    let began = tokio::time::Instant::now();
    let web = make(&*here, Spec::Machine(machine(&*here, &sub).await), "web").await;
    assert_eq!(began.elapsed().as_millis() % 40, 0, "whole calls");
    assert!(began.elapsed().as_millis() >= 40);
    pace(Pace {
        create_ms: Some(600),
        delete_ms: Some(90),
        ..Pace::default()
    });
    assert_eq!(state(&*here, &web).await, Some(ResourceState::Pending));
    pass(600).await;
    assert_eq!(state(&*here, &web).await, Some(ResourceState::Ready));
    let listed = here
        .list_all(Kind::Machine, &Filter::All)
        .await
        .expect("a list");
    assert!(listed.is_empty(), "lists are behind: {listed:?}");
    pass(5000).await;
    let listed = here
        .list_all(Kind::Machine, &Filter::All)
        .await
        .expect("a list");
    assert_eq!(listed.len(), 1);
    let ids = std::slice::from_ref(&web.id);
    here.delete_all(Kind::Machine, ids).await.expect("deleted");
    assert_eq!(state(&*here, &web).await, Some(ResourceState::Deleting));
    pass(90).await;
    assert_eq!(state(&*here, &web).await, None);
    control.disturb(&region, &Disturbance::Calm).expect("calm");
    let web = make(&*here, Spec::Machine(machine(&*here, &sub).await), "other").await;
    assert_eq!(
        state(&*here, &web).await,
        Some(ResourceState::Ready),
        "at once again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_met_with_silence_is_never_answered_and_does_nothing() {
    let world = world();
    let here = world.connect(site(Profile::Azure)).expect("a site");
    let control = SimControl::new(world);
    let region = control.find("here").expect("the region");
    let silent = Disturbance::Inject(PlannedFault {
        operation: None,
        fault: Fault::Silence,
        times: 1,
        after: 0,
    });
    control.disturb(&region, &silent).expect("planned");
    let hour = std::time::Duration::from_secs(3600);
    let answer = tokio::time::timeout(hour, make(&*here, network(), "net")).await;
    assert!(answer.is_err(), "nothing comes in an hour");
    assert!(control.resources(&region, None).expect("things").is_empty());
    make(&*here, network(), "net").await;
}

#[tokio::test(start_paused = true)]
async fn a_cloud_takes_less_than_its_like_where_somebody_says_so() {
    let world = world();
    let here = world.connect(site(Profile::Aws)).expect("a site");
    let control = SimControl::new(world.clone());
    let region = control.find("here").expect("the region");
    let sub = ground(&*here).await;
    let narrow = Narrow {
        disks: Some(1),
        user_data: Some(Bytes(8)),
        ..Narrow::default()
    };
    control
        .disturb(&region, &Disturbance::SetLimits(narrow))
        .expect("set");
    let mut spec = machine(&*here, &sub).await;
    spec.user_data = Some(UserData::text("#cloud-config"));
    let refused = here
        .create(
            &Spec::Machine(spec.clone()),
            "web",
            &mark("machine.web@here"),
            &token("web"),
        )
        .await
        .expect_err("who is connected already is held to it");
    assert!(refused.to_string().contains("takes 8B"), "{refused}");
    let again = world.connect(site(Profile::Aws)).expect("a site");
    let (limits, most) = (
        again.capabilities().limits,
        again.capabilities().user_data_max,
    );
    assert_eq!(
        (limits.disks, most),
        (1, Bytes(8)),
        "who connects now is told"
    );
    control
        .disturb(&region, &Disturbance::SetLimits(Narrow::default()))
        .expect("set");
    make(&*here, Spec::Machine(spec), "web").await;
}
