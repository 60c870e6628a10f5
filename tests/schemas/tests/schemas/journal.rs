//! Journals, as they are written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::shop::Shop;
use crate::strict::{assert_holds, assert_refused, validator};

#[tokio::test(start_paused = true)]
async fn what_applies_write() {
    let shop = Shop::new();
    shop.forbid("dc1", "create_volume", 1).await;
    assert!(!shop.apply().await, "the fault was passed over");
    let mut lines = shop.journal();
    assert!(shop.apply().await, "not everything was made");
    lines.extend(shop.journal());

    let validator = validator("journal");
    for line in &lines {
        assert_holds(&validator, line);
    }
    let records: BTreeSet<_> = lines.iter().filter_map(|l| l["record"].as_str()).collect();
    let all = [
        "account",
        "applied",
        "failed",
        "run_finished",
        "run_started",
        "started",
        "succeeded",
    ];
    assert_eq!(records, BTreeSet::from(all));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_line_of_a_journal() {
    let lines = Shop::applied().await.journal();
    let validator = validator("journal");
    let spoilt = |record: &str, field: &str, value: Value| {
        let line = lines.iter().find(|line| line["record"] == record);
        let what = format!("{field} of {record} as {value}");
        assert_refused(&validator, line.expect(record), &what, |line| {
            line[field] = value;
        });
    };
    spoilt("started", "v", json!(3));
    spoilt("started", "at", json!("yesterday"));
    spoilt("started", "record", json!("guessed"));
    spoilt("started", "addr", json!("network.core"));
    spoilt("started", "owner", json!("a/b/c"));
    spoilt("started", "operation", json!("explode"));
    spoilt("started", "token", json!("XYZ"));
    spoilt("started", "entry", json!("1"));
    spoilt("succeeded", "ids", json!("i-1"));
    spoilt("succeeded", "user_data", json!("secret"));
    spoilt("run_finished", "counts", json!({ "done": 1 }));
    spoilt("applied", "entries", json!({ "core": 1 }));
    spoilt("applied", "entries", json!({ "network.core@dc1": -1 }));
}
