//! Many machines.

use strat_model::Kind;
use strat_provider::{CreateMachines, Filter, Provider, ProviderExt};
use strat_sim::{Profile, World};

use crate::common::{clock, machine, make, mark, network, site, subnet, token};

async fn fill(provider: &dyn Provider, batches: usize) {
    let net = make(provider, network(), "net").await;
    let zones = provider.zones().await.expect("zones");
    for part in 0..batches {
        // A /20 holds about four batches of a thousand.
        let index = part / 4;
        let cidr = format!("10.0.{}.0/20", (index % 16) * 16);
        let zone = Some(zones[0].as_str());
        let sub = make(
            provider,
            subnet(&net.id, &cidr, zone),
            &format!("sub-{index}"),
        )
        .await;
        let spec = machine(provider, &sub.id).await;
        let names: Vec<_> = (0..1000).map(|n| format!("web-{part}-{n}")).collect();
        let (mark, token) = (mark("machines.web@here"), token(&part.to_string()));
        let request = CreateMachines {
            spec: &spec,
            names: &names,
            mark: &mark,
            token: &token,
        };
        let batch = provider.create_machines(request).await.expect("machines");
        assert_eq!(batch.created.len(), 1000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_machines_are_one_call_and_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), 1, clock()).expect("a world");
    let here = world.connect(site(Profile::Aws)).expect("a site");
    let lines = || {
        let text = std::fs::read_to_string(folder.path().join("log-1.jsonl")).expect("a log");
        text.lines().count()
    };
    let net = make(&*here, network(), "net").await;
    let zones = here.zones().await.expect("zones");
    let sub = subnet(&net.id, "10.0.0.0/20", Some(zones[0].as_str()));
    make(&*here, sub, "sub-0").await;
    let before = lines();
    world.reset_calls();
    fill(&*here, 1).await;
    assert_eq!(world.calls()["create_machines"], 1);
    assert_eq!(lines(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_large_world_is_opened_listed_and_deleted() {
    const BATCHES: usize = 10;
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), 1, clock()).expect("a world");
    let here = world.connect(site(Profile::Aws)).expect("a site");
    fill(&*here, BATCHES).await;

    let again = World::open(folder.path(), 1, clock()).expect("a world");
    let there = again.connect(site(Profile::Aws)).expect("a site");
    let all = there
        .list_all(Kind::Machine, &Filter::All)
        .await
        .expect("a list");
    assert_eq!(all.len(), BATCHES * 1000);
    assert_eq!(
        again.calls()["list"],
        BATCHES as u64,
        "a page holds a thousand"
    );
    let one = there
        .observe()
        .get(Kind::Machine, std::slice::from_ref(&all[7].id))
        .await;
    assert_eq!(one.expect("a read"), [all[7].clone()]);
    let ids: Vec<_> = all.iter().map(|machine| machine.id.clone()).collect();
    there
        .delete_all(Kind::Machine, &ids)
        .await
        .expect("deleted");
    assert_eq!(again.calls()["delete_machines"], BATCHES as u64);
    assert!(
        here.list_all(Kind::Machine, &Filter::All)
            .await
            .expect("a list")
            .is_empty()
    );
}
