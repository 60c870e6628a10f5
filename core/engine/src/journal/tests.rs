use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use strat_model::{Addr, Error, ErrorKind, Kind, Owner, ResourceId, Token};

use super::{CallFailure, Journal, JournalError, RunRecord, Started};
use crate::{Counts, Operation};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("time")
}

fn owner() -> Owner {
    "bank/shop".parse().expect("owner")
}

fn addr() -> Addr {
    "machines.web@east".parse().expect("addr")
}

fn started(second: i64, operation: Operation, ids: &[&str]) -> Started {
    let addr = addr();
    Started {
        at: at(second),
        plan: "plan".to_owned(),
        step: 3,
        owner: owner(),
        site: addr.site.clone(),
        kind: Kind::Machine,
        operation,
        generation: 1,
        token: Some(Token::derive("plan", &addr, 1, 1, 0, "")),
        addr,
        names: vec!["shop-web-1".to_owned()],
        spec: "0123456789abcdef".to_owned(),
        ids: ids.iter().map(ResourceId::from).collect(),
    }
}

fn run(second: i64) -> RunRecord {
    RunRecord {
        plan: "plan".to_owned(),
        owner: owner(),
        holder: "ann@host".to_owned(),
        command: "apply".to_owned(),
        generation: 7,
        started: at(second),
        finished: None,
        interrupted: false,
    }
}

/// A run with one create that succeeded, one that is open, and one delete that failed.
async fn fill(journal: &Journal) {
    let create = |second| started(second, Operation::Create, &[]);
    journal.run_started(run(0)).await.expect("run");
    let first = journal.started(create(1)).await.expect("started");
    let ids = vec![ResourceId::from("i-1")];
    journal
        .succeeded(at(2), first, ids)
        .await
        .expect("succeeded");
    journal.started(create(3)).await.expect("started");
    let delete = started(4, Operation::Delete, &["i-0"]);
    let delete = journal.started(delete).await.expect("started");
    let kind = ErrorKind::Conflict;
    let failed = journal.failed(
        at(5),
        delete,
        CallFailure::of(&Error::new(kind, "busy"), false),
    );
    failed.await.expect("failed");
    let counts = Counts {
        done: 1,
        failed: 1,
        ..Counts::default()
    };
    journal
        .run_finished(at(6), "plan", counts, true)
        .await
        .expect("finished");
    let applied = BTreeMap::from([(addr(), 6)]);
    journal
        .record_applied(at(7), &owner(), &applied)
        .await
        .expect("applied");
}

fn assert_filled(journal: &Journal) {
    let pending = journal.pending();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].started, started(3, Operation::Create, &[]));
    assert_eq!(
        journal.applied(&owner()),
        Some(BTreeMap::from([(addr(), 6)]))
    );
    let runs = journal.runs();
    assert!(runs.len() == 1 && runs[0].interrupted && runs[0].finished.is_some());
}

fn file(dir: &Path) -> std::path::PathBuf {
    dir.join("journal.jsonl")
}

#[tokio::test]
async fn what_was_written_is_read_again() {
    let dir = tempfile::tempdir().expect("folder");
    let journal = Journal::open(&dir.path().join("new")).expect("opens");
    fill(&journal).await;
    assert_filled(&journal);
    let again = Journal::open(&dir.path().join("new")).expect("opens");
    assert_filled(&again);
    let site = addr().site;
    let touched = again.touched(&owner(), &site, Kind::Machine, at(0));
    assert!(touched.created.contains(&ResourceId::from("i-1")));
    assert!(touched.deleted.contains(&ResourceId::from("i-0")));
    let later = again.touched(&owner(), &site, Kind::Machine, at(100));
    assert!(later.created.is_empty() && later.deleted.is_empty());
    assert!(again.made(&owner(), &addr(), &ResourceId::from("i-1")));
    // The next entry has a number of its own.
    let entry = again
        .started(started(9, Operation::Create, &[]))
        .await
        .expect("started");
    again
        .succeeded(at(9), entry, Vec::new())
        .await
        .expect("succeeded");
    assert_filled(&Journal::open(&dir.path().join("new")).expect("opens"));
}

#[tokio::test]
async fn a_journal_cut_short_anywhere_loses_only_its_last_line() {
    let dir = tempfile::tempdir().expect("folder");
    fill(&Journal::open(dir.path()).expect("opens")).await;
    let whole = std::fs::read(file(dir.path())).expect("reads");
    for len in 0..whole.len() {
        std::fs::write(file(dir.path()), &whole[..len]).expect("writes");
        let journal = Journal::open(dir.path()).expect("opens");
        // The torn line goes with the next write, and what is written then can be read.
        let entry = journal
            .started(started(8, Operation::Update, &["i-1"]))
            .await;
        entry.expect("started");
        let again = Journal::open(dir.path()).expect("opens again");
        assert_eq!(again.pending(), journal.pending(), "cut at {len}");
    }
}

#[tokio::test]
async fn other_damage_is_told_with_its_line() {
    let dir = tempfile::tempdir().expect("folder");
    fill(&Journal::open(dir.path()).expect("opens")).await;
    let whole = std::fs::read_to_string(file(dir.path())).expect("reads");
    let damaged = whole.replacen("\"record\":\"succeeded\"", "\"record\":\"succeed", 1);
    std::fs::write(file(dir.path()), damaged).expect("writes");
    let error = Journal::open(dir.path()).expect_err("damaged");
    assert!(
        matches!(error, JournalError::Damaged { line: 3, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("journal.jsonl:3"), "{error}");

    let newer = whole.replacen("{\"v\":2", "{\"v\":3", 1);
    std::fs::write(file(dir.path()), newer).expect("writes");
    let error = Journal::open(dir.path()).expect_err("newer");
    assert!(
        matches!(error, JournalError::Newer { version: 3, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn compaction_keeps_what_matters() {
    let dir = tempfile::tempdir().expect("folder");
    let journal = Journal::open(dir.path()).expect("opens");
    fill(&journal).await;
    let lines = |dir: &Path| {
        std::fs::read_to_string(file(dir))
            .expect("reads")
            .lines()
            .count()
    };
    let before = lines(dir.path());
    journal
        .compact(at(10), Duration::from_secs(60))
        .await
        .expect("compacts");
    assert_filled(&Journal::open(dir.path()).expect("opens"));
    assert_eq!(lines(dir.path()), before);
    journal
        .compact(at(1000), Duration::from_secs(60))
        .await
        .expect("compacts");
    let again = Journal::open(dir.path()).expect("opens");
    assert_filled(&again);
    assert!(lines(dir.path()) < before);
    // Its calls are forgotten, and what they made is not.
    assert!(
        again
            .touched(&owner(), &addr().site, Kind::Machine, at(0))
            .created
            .is_empty()
    );
    assert!(again.made(&owner(), &addr(), &ResourceId::from("i-1")));
    journal
        .started(started(1001, Operation::Create, &[]))
        .await
        .expect("goes on");
    assert_eq!(Journal::open(dir.path()).expect("opens").pending().len(), 2);
}

#[tokio::test]
async fn a_second_writer_is_noticed() {
    let dir = tempfile::tempdir().expect("folder");
    let (first, second) = (Journal::open(dir.path()), Journal::open(dir.path()));
    let (first, second) = (first.expect("opens"), second.expect("opens"));
    first.run_started(run(0)).await.expect("writes");
    let error = second.run_started(run(1)).await.expect_err("changed");
    assert!(matches!(error, JournalError::Changed { .. }), "{error}");
}

#[tokio::test]
async fn an_unknown_outcome_stays_open() {
    let journal = Journal::in_memory();
    let entry = journal
        .started(started(0, Operation::Create, &[]))
        .await
        .expect("started");
    let error = Error::new(ErrorKind::Timeout, "no answer");
    let failed = |unknown| journal.failed(at(1), entry, CallFailure::of(&error, unknown));
    failed(true).await.expect("failed");
    assert_eq!(journal.pending().len(), 1);
    failed(false).await.expect("failed");
    assert!(journal.pending().is_empty());
}

#[tokio::test]
async fn many_steps_share_a_write() {
    let dir = tempfile::tempdir().expect("folder");
    let journal = Journal::open(dir.path()).expect("opens");
    let all = (0..500).map(|n| journal.started(started(n, Operation::Create, &[])));
    for entry in futures::future::join_all(all).await {
        entry.expect("started");
    }
    assert_eq!(
        Journal::open(dir.path()).expect("opens").pending().len(),
        500
    );
}
