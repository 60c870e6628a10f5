//! Where the time went: the table, and the trace.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::Shop;

#[test]
fn timings_name_every_part_and_every_operation() {
    let shop = Shop::new();
    let done = shop.ok(&["apply", "--yes", "--timings"]);
    let lines: Vec<Vec<&str>> = done
        .stderr
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    for part in [
        "read", "parse", "evaluate", "connect", "settle", "observe", "place", "compare", "order",
        "execute",
    ] {
        let found = lines.iter().find(|line| line.first() == Some(&part));
        assert!(found.is_some(), "no part `{part}` in\n{done}");
    }
    let calls = |site: &str, operation: &str| {
        let of = |line: &&Vec<&str>| line.first() == Some(&site) && line.get(2) == Some(&operation);
        let line = lines.iter().find(of);
        let line = line.unwrap_or_else(|| panic!("no {operation} at {site} in\n{done}"));
        line[3].parse::<u64>().expect("a count")
    };
    assert!(calls("dc1", "create_machines") >= 1);
    // A network, and its subnet: one call each.
    assert_eq!(calls("dc1", "create_network"), 1);
    let quiet = shop.ok(&["plan"]);
    assert!(!quiet.stderr.contains("OPERATION"), "{quiet}");
}

#[test]
fn a_trace_holds_calls_and_no_secret() {
    let shop = Shop::new();
    let trace = shop.path().join("trace.json");
    let path = trace.to_str().expect("a path");
    shop.ok(&["apply", "--yes", "--trace-out", path]);
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let events: Vec<Value> = serde_json::from_str(&text).expect("an array of events");
    // What begins ends, whatever runs beside it.
    let mut open: BTreeMap<(i64, &str), i64> = BTreeMap::new();
    for event in &events {
        let key = || {
            let id = event["id"].as_str().expect("an id");
            (event["pid"].as_i64().expect("a process"), id)
        };
        match event["ph"].as_str() {
            Some("b") => *open.entry(key()).or_default() += 1,
            Some("e") => *open.entry(key()).or_default() -= 1,
            _ => {}
        }
    }
    assert!(!open.is_empty() && open.values().all(|open| *open == 0));
    let find = |name: &str, key: &str, value: &str| {
        let is = |event: &&Value| event["name"] == name && event["args"][key] == value;
        let found = events.iter().find(is);
        found.unwrap_or_else(|| panic!("no {name} with {key} {value}"))
    };
    let created = find("create_machines", "site", "dc1");
    let site = find("process_name", "name", "site dc1");
    assert_eq!(created["pid"], site["pid"]);
    let execute = events.iter().find(|event| event["name"] == "execute");
    let execute = execute.expect("the execution");
    let (from, to) = (&execute["ts"], &execute["dur"]);
    let (from, to) = (from.as_u64().expect("ts"), to.as_u64().expect("dur"));
    let at = created["ts"].as_u64().expect("ts");
    assert!((from..=from + to).contains(&at), "{created} in {execute}");
    // What the machines are told at their first start is in no span.
    let init = std::fs::read_to_string(shop.path().join("web-init.yaml")).expect("user data");
    let line = init.lines().find(|line| line.len() > 20).expect("a line");
    assert!(!text.contains(line.trim()), "{line}");
}
