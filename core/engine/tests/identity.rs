//! Whose a thing is, and which call made it.

mod common;

use std::io::Write as _;

use common::{Bench, addr, failures, name, plan, shop};
use strat_engine::*;
use strat_model::*;
use strat_planner::{Mode, resource_name};
use strat_sim::Disturbance;

fn bucket_alone() -> Intent {
    let mut intent = shop::empty();
    intent.buckets = vec![BucketIntent {
        common: shop::common("bucket.assets"),
        site: name("west"),
        versioning: true,
    }];
    intent
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_run_twice_makes_nothing_twice_and_replaces_what_died() {
    let bench = Bench::realistic();
    let intent = shop::shop(&["east"]);
    let journal = Journal::in_memory();
    let lease = bench.guard().await;
    let seen = bench.observe(&intent.owner, &journal).await;
    let (desired, plan) = plan(&intent, &seen, &journal, Mode::Apply);
    let first = bench
        .execute(&desired, &plan, &seen, &journal, &lease)
        .await;
    assert!(first.is_success(), "{}", failures(&first));

    let fleet = addr("machines.web@east");
    let made = first
        .steps
        .iter()
        .find(|step| step.addr == fleet && !step.made.is_empty());
    let dead = Disturbance::Delete {
        kind: Kind::Machine,
        which: made.expect("machines").made[0].to_string(),
    };
    let region = bench.region("east");
    bench.control().disturb(&region, &dead).expect("dies");
    let again = bench
        .execute(&desired, &plan, &seen, &journal, &lease)
        .await;
    assert!(again.is_success(), "{}", failures(&again));
    bench.assert_converged(&intent, "twice").await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_is_told_and_left_alone() {
    let bench = Bench::realistic();
    let intent = bucket_alone();
    let bucket = addr("bucket.assets@west");
    let (control, region) = (bench.control(), bench.region("west"));
    let foreign = Disturbance::Create {
        name: resource_name(&intent.owner, &bucket, 1),
        spec: Box::new(control.plausible(&region, Kind::Bucket).expect("spec")),
        mark: None,
    };
    control.disturb(&region, &foreign).expect("takes the name");
    let report = bench.apply(&intent, Mode::Apply).await.report;
    let (_, error) = report.failures().next().expect("fails");
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(
        error.help().is_some_and(|help| help.contains("adopt it")),
        "{error}"
    );
    assert!(bench.journal().pending().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_carries_our_mark_where_nothing_copies_marks_is_deleted() {
    let bench = Bench::realistic();
    let mut intent = bucket_alone();
    let (control, region) = (bench.control(), bench.region("west"));
    let mark = Mark {
        owner: intent.owner.clone(),
        addr: addr("bucket.assets@west"),
        spec: "0123456789abcdef".to_owned(),
        generation: 1,
        origin: None,
        protect: false,
        disposable: false,
        notes: strat_model::Shared::new(),
    };
    let adopted = Disturbance::Create {
        name: "made-by-hand".to_owned(),
        spec: Box::new(control.plausible(&region, Kind::Bucket).expect("spec")),
        mark: Some(Box::new(mark)),
    };
    control.disturb(&region, &adopted).expect("is there");
    bench.clock.sleep(std::time::Duration::from_secs(10)).await;
    intent.buckets.clear();
    let applied = bench.apply(&intent, Mode::Apply).await;
    assert!(applied.report.is_success(), "{}", failures(&applied.report));
    assert_eq!(applied.report.counts.done, 1);
    bench.assert_empty("adopted").await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_that_cannot_be_recorded() {
    let mut bench = Bench::realistic();
    let path = bench.dir.path().join("journal.jsonl");
    bench.events = EventSink::callback(move |event| {
        if matches!(event, Event::StepFinished { .. }) {
            let file = std::fs::OpenOptions::new().append(true).open(&path);
            file.expect("opens")
                .write_all(b"{\"another\":\"writer\"}\n")
                .expect("writes");
        }
    });
    let intent = shop::shop(&["east"]);
    let lease = bench.guard().await;
    let journal = bench.journal();
    let seen = bench.observe(&intent.owner, &journal).await;
    let (desired, plan) = plan(&intent, &seen, &journal, Mode::Apply);
    let report = bench
        .execute(&desired, &plan, &seen, &journal, &lease)
        .await;
    let fatal = report.fatal.as_ref().expect("stops");
    assert!(fatal.message().contains("cannot be recorded"), "{fatal}");
    let (ours, _) = bench.census().await;
    assert!(!ours.contains_key(&addr("machine.db@east")), "{ours:?}");
}

#[tokio::test(start_paused = true)]
async fn the_journal_holds_no_user_data() {
    let bench = Bench::realistic();
    let mut intent = shop::shop(&["dc1"]);
    intent.machines[0].user_data = Some(UserData::text("password=hunter2"));
    assert!(bench.killed(&intent, Mode::Apply, 15).await.is_some());
    let text = std::fs::read_to_string(bench.dir.path().join("journal.jsonl")).expect("reads");
    assert!(text.contains("machine.db@dc1") || text.contains("network.core@dc1"));
    assert!(!text.contains("hunter2"));
}
