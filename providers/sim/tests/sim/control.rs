//! What happens behind everybody's back, and how it is seen.

use std::collections::BTreeSet;

use strat_model::{
    Bytes, Direction, ErrorKind, FirewallRule, FirewallSpec, Kind, Name, Peer, Protocol, Resource,
    ResourceState, Scope, Spec,
};
use strat_provider::{Filter, Provider, ProviderExt};
use strat_sim::{Disturbance, Profile, RegionKey, SimControl};

use crate::common::{
    ground, machine, make, mark, name, network, site, state, token, volume, world,
};

struct Stage {
    control: SimControl,
    key: RegionKey,
    here: std::sync::Arc<dyn Provider>,
    web: Resource,
}

impl Stage {
    async fn new(profile: Profile) -> Self {
        let world = world();
        let here = world.connect(site(profile)).expect("a site");
        let subnet = ground(&*here).await;
        let web = make(&*here, Spec::Machine(machine(&*here, &subnet).await), "web").await;
        let control = SimControl::new(world);
        let key = control.find("here").expect("the region");
        Self {
            control,
            key,
            here,
            web,
        }
    }

    fn disturb(&self, what: &Disturbance) -> Resource {
        let touched = self.control.disturb(&self.key, what).expect("disturbed");
        touched.into_iter().next().expect("something was touched")
    }

    fn trial(&self, what: &Disturbance) {
        self.control.disturb(&self.key, what).expect("disturbed");
    }

    async fn look(&self, thing: &Resource) -> Resource {
        let ids = [thing.id.clone()];
        let found = self
            .here
            .observe()
            .get(thing.kind(), &ids)
            .await
            .expect("a read");
        found.into_iter().next().expect("it is there")
    }
}

#[tokio::test(start_paused = true)]
async fn machines_are_deleted_stopped_broken_and_resized_by_hand() {
    for profile in Profile::ALL {
        let stage = Stage::new(profile).await;
        let which = "web".to_owned();
        let (to, memory) = match profile {
            Profile::Aws => ("m5.xlarge", 16),
            Profile::Azure => ("Standard_D4s_v5", 16),
            Profile::Gcp => ("n2-standard-4", 16),
            Profile::Onprem => ("flex-4-16384", 16),
        };
        let machine_type = to.to_owned();
        stage.disturb(&Disturbance::ResizeMachine {
            which: which.clone(),
            machine_type,
        });
        let Spec::Machine(seen) = stage.look(&stage.web).await.spec else {
            panic!("a machine")
        };
        assert_eq!(
            (seen.machine_type.as_str(), seen.cpu, seen.memory),
            (to, 4, Bytes::gib(memory))
        );
        stage.disturb(&Disturbance::StopMachine {
            which: which.clone(),
        });
        assert_eq!(
            state(&*stage.here, &stage.web).await,
            Some(ResourceState::Stopped)
        );
        stage.disturb(&Disturbance::BreakMachine {
            which: stage.web.id.to_string(),
        });
        assert_eq!(
            state(&*stage.here, &stage.web).await,
            Some(ResourceState::Failed)
        );
        let kind = Kind::Machine;
        stage.disturb(&Disturbance::Delete { kind, which });
        crate::common::pass(1).await;
        assert_eq!(state(&*stage.here, &stage.web).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn marks_and_labels_are_tampered_with() {
    let stage = Stage::new(Profile::Aws).await;
    let (kind, which) = (Kind::Machine, "web".to_owned());
    let owner = Filter::Owner("shop".parse().expect("an owner"));
    stage.disturb(&Disturbance::SetMark {
        kind,
        which: which.clone(),
        mark: None,
    });
    assert_eq!(stage.look(&stage.web).await.mark, None);
    assert!(
        stage
            .here
            .list_all(kind, &owner)
            .await
            .expect("a list")
            .is_empty()
    );
    let other = Box::new(mark("machine.other@here"));
    stage.disturb(&Disturbance::SetMark {
        kind,
        which: which.clone(),
        mark: Some(other.clone()),
    });
    assert_eq!(stage.look(&stage.web).await.mark, Some(*other));
    let (key, value) = ("role".to_owned(), Some("db".to_owned()));
    stage.disturb(&Disturbance::SetLabel {
        kind,
        which,
        key,
        value,
    });
    assert_eq!(stage.look(&stage.web).await.spec.labels()["role"], "db");
}

#[tokio::test(start_paused = true)]
async fn firewalls_and_volumes_are_changed_by_hand() {
    let stage = Stage::new(Profile::Aws).await;
    let networks = stage
        .here
        .list_all(Kind::Network, &Filter::All)
        .await
        .expect("a list");
    let spec = Spec::Firewall(FirewallSpec {
        network: networks[0].id.clone(),
        rules: BTreeSet::new(),
        labels: strat_model::Labels::new(),
    });
    let wall = make(&*stage.here, spec, "wall").await;
    let rule = |port: &str| FirewallRule {
        name: name("back-door"),
        direction: Direction::Ingress,
        peers: BTreeSet::from([Peer::Internet]),
        protocol: Protocol::Tcp,
        ports: BTreeSet::from([port.parse().expect("a port")]),
    };
    let rules = async || match stage.look(&wall).await.spec {
        Spec::Firewall(firewall) => firewall.rules,
        _ => panic!("a firewall"),
    };
    for port in ["22", "2222"] {
        let (which, rule) = ("wall".to_owned(), Box::new(rule(port)));
        stage.disturb(&Disturbance::SetRule { which, rule });
    }
    assert_eq!(rules().await, BTreeSet::from([rule("2222")]));
    let (which, direction) = ("wall".to_owned(), Direction::Ingress);
    stage.disturb(&Disturbance::DeleteRule {
        which,
        rule: name("back-door"),
        direction,
    });
    assert!(rules().await.is_empty());

    let disk = make(&*stage.here, volume(&*stage.here).await, "disk").await;
    stage
        .here
        .attach_volume(&disk.id, &stage.web.id)
        .await
        .expect("attached");
    stage.disturb(&Disturbance::DetachVolume {
        which: "disk".to_owned(),
    });
    let (which, size) = ("disk".to_owned(), Bytes::gib(5));
    stage.disturb(&Disturbance::ResizeVolume { which, size });
    let Spec::Volume(seen) = stage.look(&disk).await.spec else {
        panic!("a volume")
    };
    assert_eq!((seen.attach, seen.size), (None, Bytes::gib(5)));
}

#[tokio::test(start_paused = true)]
async fn foreign_things_of_every_kind_can_be_made() {
    for profile in Profile::ALL {
        let stage = Stage::new(profile).await;
        for kind in profile.kinds() {
            let spec = stage.control.plausible(&stage.key, kind).expect("a spec");
            let (name, spec) = (format!("stray-{kind}"), Box::new(spec));
            let stray = stage.disturb(&Disturbance::Create {
                name,
                spec,
                mark: None,
            });
            assert_eq!((stray.kind(), stray.mark), (kind, None));
            let all = stage
                .here
                .list_all(kind, &Filter::All)
                .await
                .expect("a list");
            assert!(
                all.iter().any(|thing| thing.id == stray.id),
                "{profile} {kind}"
            );
        }
        let views = stage.control.regions().expect("views");
        assert_eq!(views[0].things[&Kind::Machine], 2);
        assert_eq!(views[0].sites, BTreeSet::from([name("here")]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_zone_fails_its_machines_and_comes_back() {
    let stage = Stage::new(Profile::Gcp).await;
    let zone = stage.web.zone().expect("a zone").clone();
    stage.trial(&Disturbance::LoseZone { zone: zone.clone() });
    assert_eq!(
        state(&*stage.here, &stage.web).await,
        Some(ResourceState::Failed)
    );
    let (mark, token) = (mark("volume.disk@here"), token("disk"));
    let disk = volume(&*stage.here).await;
    let error = stage
        .here
        .create(&disk, "disk", &mark, &token)
        .await
        .expect_err("down");
    assert_eq!(
        (error.kind(), error.scope()),
        (ErrorKind::Capacity, Scope::Zone)
    );
    stage.trial(&Disturbance::RestoreZone { zone });
    assert_eq!(
        state(&*stage.here, &stage.web).await,
        Some(ResourceState::Ready)
    );
    let zone = Name::new("nowhere").expect("a name");
    let error = stage
        .control
        .disturb(&stage.key, &Disturbance::LoseZone { zone });
    assert_eq!(error.expect_err("no such zone").kind(), ErrorKind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn a_lost_region_answers_nothing_and_comes_back() {
    let stage = Stage::new(Profile::Azure).await;
    stage.trial(&Disturbance::LoseRegion);
    let error = stage.here.identity().await.expect_err("down");
    assert_eq!(
        (error.kind(), error.scope()),
        (ErrorKind::Transient, Scope::Region)
    );
    assert_eq!(
        stage
            .control
            .resources(&stage.key, None)
            .expect("things")
            .len(),
        3
    );
    stage.trial(&Disturbance::Calm);
    assert_eq!(
        state(&*stage.here, &stage.web).await,
        Some(ResourceState::Ready)
    );
}

#[tokio::test(start_paused = true)]
async fn reset_leaves_empty_sites_that_go_on() {
    let stage = Stage::new(Profile::Aws).await;
    stage.control.reset().expect("reset");
    assert!(
        stage
            .control
            .resources(&stage.key, None)
            .expect("things")
            .is_empty()
    );
    let again = make(&*stage.here, network(), "net").await;
    assert_eq!(
        state(&*stage.here, &again).await,
        Some(ResourceState::Ready)
    );
}

#[tokio::test(start_paused = true)]
async fn disturbances_are_data() {
    let text = r#"{ "do": "set_stock", "machine_type": "m5.large", "left": 0 }"#;
    let what: Disturbance = serde_json::from_str(text).expect("a disturbance");
    let stage = Stage::new(Profile::Aws).await;
    stage.trial(&what);
    let trials = &stage.control.regions().expect("views")[0].trials;
    assert_eq!(trials.stock.len(), 6, "three zones, bought two ways");
    assert!(serde_json::from_str::<Disturbance>(r#"{ "do": "nothing" }"#).is_err());
    let text = r#"{ "do": "inject", "operation": "list", "fault": { "fail": { "kind": "timeout" } }, "times": 1 }"#;
    let what: Disturbance = serde_json::from_str(text).expect("a disturbance");
    stage.trial(&what);
    let timed_out = stage.here.list_all(Kind::Machine, &Filter::All).await;
    assert_eq!(timed_out.expect_err("injected").kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn things_and_sites_are_found_by_what_people_call_them() {
    let stage = Stage::new(Profile::Aws).await;
    for word in ["here", "us-east-1", "aws/main/us-east-1"] {
        assert_eq!(stage.control.find(word).expect("found"), stage.key);
    }
    let lost = stage.control.find("nowhere").expect_err("not found");
    assert!(
        lost.message().contains("the world has: aws/main/us-east-1"),
        "{lost}"
    );
    let which = "nobody".to_owned();
    let what = Disturbance::StopMachine { which };
    let missing = stage
        .control
        .disturb(&stage.key, &what)
        .expect_err("not found");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}
