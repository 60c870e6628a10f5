//! Golden texts of failures: what a person is told, and below it the JSON that a program reads.

use serde_json::Value;
use strat_sim::{Disturbance, Fault};
use stratiform::engine::{Holder, Journal};
use stratiform::model::{ErrorKind, Scope};
use stratiform::{ApplyOptions, PlanOptions, RunOptions, SavedPlan};

use super::bench::{BOTH, Bench, EAST, TOPOLOGY, told_outcome, without_times};

fn scoped(kind: ErrorKind, scope: Scope) -> Fault {
    Fault::Fail {
        kind,
        scope,
        retry_after_ms: None,
    }
}

fn shortage(left: u64) -> Disturbance {
    Disturbance::SetStock {
        machine_type: None,
        zone: None,
        capacity: None,
        left: Some(left),
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_anywhere() {
    let bench = Bench::new(BOTH);
    let session = bench.session().await;
    bench.disturb("east", &shortage(0));
    bench.disturb("west", &shortage(0));
    let told = bench.apply(&session).await;
    // All that was tried would be a golden text of a thousand lines.
    let (text, json) = told.split_once("---\n").expect("both forms");
    for words in [
        "Placed elsewhere:\n  > 4 of machines.web: east us-east-1a had no ",
        "(InsufficientInstanceCapacity); tried at east",
        "(SkuNotAvailable); not made\n  Nowhere else: ",
        "Failed:\n  x create machines.web@",
        "      out of capacity: there is no ",
        "goes on from here",
    ] {
        assert!(text.contains(words), "no `{words}` in\n{text}");
    }
    let json: Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(json["success"], false);
    assert!(json["stuck"]["message"].is_string(), "{json:#}");
    assert_eq!(json["steps"][0]["error"]["kind"], "capacity");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_made_in_part() {
    let bench = Bench::new(EAST);
    let session = bench.session().await;
    bench.disturb("east", &shortage(1));
    insta::assert_snapshot!("partial_batch", bench.apply(&session).await);
}

#[tokio::test(start_paused = true)]
async fn the_account_may_not_have_more() {
    let bench = Bench::new(EAST);
    let session = bench.session().await;
    let fault = scoped(ErrorKind::Quota, Scope::Region);
    bench.fail("east", "create_machines", fault, 99);
    insta::assert_snapshot!("quota", bench.apply(&session).await);
}

#[tokio::test(start_paused = true)]
async fn the_identity_is_not_known_any_more() {
    let bench = Bench::new(BOTH);
    let session = bench.session().await;
    let fault = scoped(ErrorKind::Unauthenticated, Scope::Account);
    bench.fail("east", "create_subnet", fault, 99);
    insta::assert_snapshot!("unauthenticated", bench.apply(&session).await);
}

#[tokio::test(start_paused = true)]
async fn the_identity_may_not() {
    let bench = Bench::new(EAST);
    let session = bench.session().await;
    let fault = scoped(ErrorKind::Forbidden, Scope::Account);
    bench.fail("east", "create_machines", fault, 99);
    insta::assert_snapshot!("forbidden", bench.apply(&session).await);
}

#[tokio::test(start_paused = true)]
async fn the_cloud_asks_for_fewer_calls_to_the_end() {
    let bench = Bench::new(EAST);
    let session = bench.session().await;
    bench.fail(
        "east",
        "create_machines",
        Fault::fail(ErrorKind::Throttled),
        999,
    );
    insta::assert_snapshot!("throttled_out", bench.apply(&session).await);
}

#[tokio::test(start_paused = true)]
async fn no_answer_comes_and_nothing_is_found() {
    let bench = Bench::new(EAST);
    let session = bench.session().await;
    bench.fail(
        "east",
        "create_network",
        Fault::fail(ErrorKind::Timeout),
        999,
    );
    insta::assert_snapshot!("timed_out", bench.apply(&session).await);
}

/// A machine takes over an hour: the first run gives up waiting for it, and so does the next.
#[tokio::test(start_paused = true)]
async fn what_an_earlier_run_began_is_not_ready() {
    let bench = Bench::new(EAST);
    bench.apply(&bench.session().await).await;
    let topology = TOPOLOGY.replace("PLACEMENT", EAST);
    let slow = topology
        .replace("count  = 4", "count  = 5")
        .replace("\"us-east-1\"", "\"us-east-1\"\n  create_ms = 5000000");
    bench.write(&slow);
    bench.apply(&bench.session().await).await;
    insta::assert_snapshot!("unfinished", bench.apply(&bench.session().await).await);
}

#[tokio::test(start_paused = true)]
async fn the_outcome_is_not_known() {
    let bench = Bench::new(EAST);
    let session = bench.session().await;
    // The list that would tell fails, too.
    bench.fail(
        "east",
        "create_network",
        Fault::fail(ErrorKind::Timeout),
        999,
    );
    let run = session
        .begin(&RunOptions::new("apply"))
        .await
        .expect("begun");
    let planned = run.plan(&PlanOptions::default()).await.expect("a plan");
    bench.fail("east", "list", Fault::fail(ErrorKind::Forbidden), 999);
    let outcome = run.apply(&planned, &ApplyOptions::default()).await;
    run.end().await.expect("ended");
    insta::assert_snapshot!(
        "outcome_unknown",
        told_outcome(&outcome.expect("an outcome"))
    );
}

#[tokio::test(start_paused = true)]
async fn something_else_changes_it() {
    let bench = Bench::new(EAST);
    let session = bench.session().await;
    bench.fail("east", "create_subnet", Fault::fail(ErrorKind::Conflict), 1);
    insta::assert_snapshot!("conflict_half_way", bench.apply(&session).await);
}

#[tokio::test(start_paused = true)]
async fn nothing_finds_a_place() {
    let bench = Bench::new(BOTH);
    let text = TOPOLOGY.replace("PLACEMENT", BOTH);
    bench.write(&text.replace("cpu    = 2", "cpu    = 2000"));
    let session = bench.session().await;
    let error = session
        .plan(&PlanOptions::default())
        .await
        .expect_err("no place");
    insta::assert_snapshot!("no_place", bench.told(&error));
}

#[tokio::test(start_paused = true)]
async fn another_run_holds_the_lease() {
    let bench = Bench::new(EAST);
    let session = bench.session().await;
    let run = session
        .begin(&RunOptions::new("apply"))
        .await
        .expect("begun");
    let error = session
        .begin(&RunOptions::new("apply"))
        .await
        .expect_err("held");
    let told = bench.told(&error);
    run.end().await.expect("ended");
    let me = Holder::this_process("apply", bench.clock.now());
    let told = told.replace(&me.who(), "ada@desk");
    let told = told.replace(&format!("process {}", me.pid), "process 7");
    insta::assert_snapshot!("lease_held", without_times(&told));
}

#[tokio::test(start_paused = true)]
async fn the_plan_is_out_of_date() {
    let bench = Bench::new(EAST);
    let session = bench.session().await;
    let saved = bench.plan(&session).await.saved;
    bench.apply(&session).await;
    let run = session
        .begin(&RunOptions::new("apply"))
        .await
        .expect("begun");
    let error = run.apply_saved(&saved, &ApplyOptions::default()).await;
    let error = error.expect_err("out of date");
    run.end().await.expect("ended");
    insta::assert_snapshot!("plan_out_of_date", bench.told(&error));
}

/// What is to be healthy before an old machine goes was agreed to with the plan.
#[tokio::test(start_paused = true)]
async fn the_waves_are_others_than_in_the_plan() {
    let bench = Bench::new(EAST);
    bench.apply(&bench.session().await).await;
    let other = |wave: u32| {
        let rest =
            format!("{EAST}\n  user_data = \"#!/bin/sh\"\n  rollout {{ wave = \"{wave}\" }}");
        bench.write(&TOPOLOGY.replace("PLACEMENT", &rest));
    };
    other(1);
    let saved = bench.plan(&bench.session().await).await.saved;
    other(3);
    let session = bench.session().await;
    let run = session.begin(&RunOptions::new("apply")).await;
    let run = run.expect("begun");
    let error = run.apply_saved(&saved, &ApplyOptions::default()).await;
    let told = bench.told(&error.expect_err("out of date"));
    run.end().await.expect("ended");
    let words = "machines.web is to be rolled out in other waves now";
    assert!(told.contains(words), "{told}");
}

#[tokio::test(start_paused = true)]
async fn the_plan_is_damaged() {
    let bench = Bench::new(EAST);
    let session = bench.session().await;
    let path = bench.path().join("plan.json");
    bench
        .plan(&session)
        .await
        .saved
        .write(&path)
        .expect("written");
    let text = std::fs::read_to_string(&path).expect("the plan");
    std::fs::write(&path, &text[..1]).expect("written");
    let cut = SavedPlan::read(&path).expect_err("cut short");
    let other = text.replacen("\"count\": 4", "\"count\": 5", 1);
    assert_ne!(other, text);
    std::fs::write(&path, other).expect("written");
    let changed = SavedPlan::read(&path).expect_err("changed");
    let told = [bench.told(&cut), bench.told(&changed)].concat();
    insta::assert_snapshot!("plan_damaged", told);
}

#[tokio::test(start_paused = true)]
async fn the_journal_is_damaged() {
    let bench = Bench::new(EAST);
    let session = bench.session().await;
    bench.apply(&session).await;
    let path = bench.path().join(".stratiform/journal.jsonl");
    let text = std::fs::read_to_string(&path).expect("the journal");
    std::fs::write(&path, text.replacen("{\"v\":", "{\"v\":x", 1)).expect("written");
    assert!(Journal::open(&bench.path().join(".stratiform")).is_err());
    let error = session
        .plan(&PlanOptions::default())
        .await
        .expect_err("damaged");
    insta::assert_snapshot!("journal_damaged", bench.told(&error));
}

#[tokio::test(start_paused = true)]
async fn a_site_cannot_be_seen() {
    let bench = Bench::new(BOTH);
    let session = bench.session().await;
    bench.apply(&session).await;
    bench.disturb("west", &Disturbance::LoseRegion);
    bench.write(
        &TOPOLOGY
            .replace("PLACEMENT", BOTH)
            .replace("count  = 4", "count  = 5"),
    );
    let session = bench.session().await;
    insta::assert_snapshot!("site_unseen", bench.apply(&session).await);
}
