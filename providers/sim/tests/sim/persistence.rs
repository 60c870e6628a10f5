//! The world in a folder: what was answered stays, whoever dies.

use std::fs;
use std::io::Write;
use std::sync::Arc;

use crate::common::{clock, ground, machine, make, name, network, pass, site, token};
use strat_model::{ErrorKind, Idempotency, Kind, Spec};
use strat_provider::{CreateMachines, Filter, ProviderExt};
use strat_sim::{Profile, World};

#[tokio::test(start_paused = true)]
async fn another_process_sees_what_was_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = World::open(folder.path(), 1, clock()).expect("a world");
    let two = World::open(folder.path(), 2, clock()).expect("the same world");
    let one = one.connect(site(Profile::Aws)).expect("a site");
    let two = two.connect(site(Profile::Aws)).expect("a site");
    let made = make(&*one, network(), "net").await;
    let seen = two
        .list_all(Kind::Network, &Filter::All)
        .await
        .expect("a list");
    assert_eq!(seen, vec![made.clone()]);
    two.delete_all(Kind::Network, &[made.id])
        .await
        .expect("deleted");
    assert!(
        one.list_all(Kind::Network, &Filter::All)
            .await
            .expect("a list")
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_line_cut_short_is_as_if_it_never_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), 1, clock()).expect("a world");
    let here = world.connect(site(Profile::Aws)).expect("a site");
    let made = make(&*here, network(), "net").await;
    let log = folder.path().join("log-1.jsonl");
    let whole = fs::metadata(&log).expect("a log").len();
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(&log)
        .expect("a log");
    file.write_all(b"{\"changes\":[{\"put\":{\"reg")
        .expect("written");
    let again = World::open(folder.path(), 1, clock()).expect("a world");
    let there = again.connect(site(Profile::Aws)).expect("a site");
    let seen = there
        .list_all(Kind::Network, &Filter::All)
        .await
        .expect("a list");
    assert_eq!(seen, vec![made]);
    assert_eq!(fs::metadata(&log).expect("a log").len(), whole);
    make(&*here, network(), "other").await;
    assert_eq!(
        there
            .list_all(Kind::Network, &Filter::All)
            .await
            .expect("a list")
            .len(),
        2
    );
}

#[tokio::test(start_paused = true)]
async fn a_damaged_world_is_refused_not_guessed_at() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("log-1.jsonl"), "nonsense\n").expect("written");
    let error = World::open(folder.path(), 1, clock()).expect_err("an error");
    let cause = std::error::Error::source(&error)
        .expect("a cause")
        .to_string();
    assert!(cause.contains("damaged at byte 0"), "{cause}");
}

#[tokio::test(start_paused = true)]
async fn compaction_loses_nothing_and_others_follow_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), 1, clock()).expect("a world");
    let second = World::open(folder.path(), 1, clock()).expect("a world");
    let here = world.connect(site(Profile::Aws)).expect("a site");
    let there = second.connect(site(Profile::Aws)).expect("a site");
    let subnet = ground(&*here).await;
    let spec = machine(&*here, &subnet).await;
    let mut other = spec.clone();
    let names: Vec<_> = (0..600).map(|n| format!("web-{n}")).collect();
    let mark = crate::common::mark("machines.web@here");
    let token = token("web");
    let request = CreateMachines {
        spec: &spec,
        names: &names,
        mark: &mark,
        token: &token,
    };
    let batch = here.create_machines(request).await.expect("machines");
    let id = &batch.created[0].id;
    for round in 0..6000 {
        other
            .labels
            .insert("round".to_owned(), format!("{round:0250}"));
        let fields = [strat_model::Field::Labels].into();
        here.update(id, &Spec::Machine(other.clone()), &fields, &mark)
            .await
            .expect("updated");
    }
    assert!(
        folder.path().join("log-2.jsonl").exists(),
        "it was compacted"
    );
    assert!(!folder.path().join("log-1.jsonl").exists());
    let seen = there
        .list_all(Kind::Machine, &Filter::All)
        .await
        .expect("a list");
    assert_eq!(seen.len(), 600);
    let again = there.create_machines(request).await;
    assert_eq!(again.expect("the same").created[5].id, batch.created[5].id);
}

#[tokio::test(start_paused = true)]
async fn what_a_token_made_is_known_to_who_opens_the_world_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = clock();
    let open = || {
        let world = World::open(folder.path(), 1, Arc::clone(&clock)).expect("a world");
        world.connect(site(Profile::Aws)).expect("a site")
    };
    let mark = crate::common::mark("network.net@here");
    let token = token("net");
    let here = open();
    let made = here.create(&network(), "net", &mark, &token).await;
    let made = made.expect("made");
    drop(here);

    let here = open();
    let again = here.create(&network(), "net", &mark, &token).await;
    assert_eq!(again.expect("the same").id, made.id);
    let other = here.create(&network(), "other", &mark, &token).await;
    assert_eq!(other.expect_err("used").kind(), ErrorKind::Precondition);

    let Idempotency::Token { window_ms } = here.capabilities().idempotency else {
        panic!("it has tokens");
    };
    pass(window_ms).await;
    let later = here.create(&network(), "net", &mark, &token).await;
    let later = later.expect("another: the token is forgotten");
    assert_ne!(later.id, made.id);
    let again = open().create(&network(), "net", &mark, &token).await;
    assert_eq!(again.expect("the same").id, later.id);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_says_apart_what_a_token_made_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || {
        let world = World::open(folder.path(), 1, clock()).expect("a world");
        world.connect(site(Profile::Aws)).expect("a site")
    };
    let made = make(&*open(), network(), "net").await;
    // As older versions wrote it after each thing.
    let log = folder.path().join("log-1.jsonl");
    let text = fs::read_to_string(&log).expect("a log");
    let last = text.lines().last().expect("a line");
    let last: serde_json::Value = serde_json::from_str(last).expect("JSON");
    let thing = &last["changes"][0]["put"]["thing"];
    let token = thing["token"].as_str().expect("a token");
    let region = &last["changes"][0]["put"]["region"];
    let change = serde_json::json!({"token": {"region": region, "key": format!("network:{token}"), "record": {
        "request": thing["request"], "kind": "network", "ids": [made.id], "expires": thing["remembered_until"],
    }}});
    let line = serde_json::json!({"changes": [change]});
    fs::write(&log, format!("{text}{line}\n")).expect("written");
    let again = make(&*open(), network(), "net").await;
    assert_eq!(again.id, made.id);
}

#[tokio::test(start_paused = true)]
async fn sites_of_one_region_share_it_and_accounts_do_not() {
    let world = crate::common::world();
    let one = world.connect(site(Profile::Gcp)).expect("a site");
    let mut twin = site(Profile::Gcp);
    twin.name = name("twin");
    let twin = world.connect(twin).expect("a site");
    let stranger = world
        .connect(site(Profile::Gcp).in_account("other"))
        .expect("a site");
    make(&*one, network(), "net").await;
    assert_eq!(
        twin.list_all(Kind::Network, &Filter::All)
            .await
            .expect("a list")
            .len(),
        1
    );
    assert!(
        stranger
            .list_all(Kind::Network, &Filter::All)
            .await
            .expect("a list")
            .is_empty()
    );
}
