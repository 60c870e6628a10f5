//! Bursts: a fleet whose count is held, and played over a trace.

use std::fmt::Write as _;

use crate::support::Shop;

pub(crate) const BASE: &str = r#"
topology "shop" {}
site "dc1" {
  provider = "sim"
  profile  = "onprem"
  region   = "dc1"
  zones    = ["rack1"]
  capacity = { cpu = 64, memory = "256GiB", disk = "8TiB" }
}
network "core" {
  cidr  = "10.20.0.0/16"
  sites = [site.dc1]
}
subnet "app" {
  network = network.core
  newbits = 3
}
machines "web" {
  count  = 5
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
}
"#;

/// What a trace is played with, in the order in which it is told.
pub(crate) const POLICIES: [&str; 6] = [
    "yours",
    "reactive",
    "hourly",
    "all_cloud",
    "all_owned",
    "oracle",
];

pub(crate) const BURST: &str = r#"
burst "web" {
  fleet  = machines.web
  demand = "sum(rate(http_requests_total[1m]))"
  each   = 100
  max    = 20
}
"#;

/// A day at one-minute steps: little, and from 10 to 16 o'clock much more, with a gap.
fn day() -> String {
    (0..1440).fold("at,load\n".to_owned(), |mut text, minute| {
        let load = if (600..960).contains(&minute) {
            1450
        } else {
            320
        };
        let load = if minute == 700 {
            String::new()
        } else {
            load.to_string()
        };
        let _ = writeln!(text, "{},{load}", minute * 60);
        text
    })
}

#[test]
fn a_count_is_held_by_its_burst_and_by_nobody_else() {
    let shop = Shop::of(BASE);
    shop.ok(&["apply", "--yes"]);
    // The topology now says fewer, and a burst holds what runs.
    shop.edit("count  = 5", "count  = 2");
    let path = shop.path().join("burst.hcl");
    std::fs::write(&path, BURST).expect("written");
    let plan = shop.ok(&["plan", "--detailed-exitcode"]);
    let said = "machines.web: 5 of 2 to 20, count held by burst.web";
    assert!(plan.stdout.contains(said), "{plan}");
    let json = shop.json(&["plan", "--json"]);
    assert_eq!(json["changes"].as_array().map(Vec::len), Some(0));
    assert_eq!(json["held"]["machines.web"]["count"], 5);
    // Whoever lowers what the burst may have, has fewer.
    std::fs::write(&path, BURST.replace("max    = 20", "max    = 3")).expect("written");
    shop.ok(&["apply", "--yes"]);
    let machines = |shop: &Shop| {
        shop.things()
            .iter()
            .filter(|(kind, _)| kind == "machine")
            .count()
    };
    assert_eq!(machines(&shop), 3);
    // Without a burst, the count is the topology's again.
    std::fs::remove_file(&path).expect("removed");
    shop.ok(&["apply", "--yes"]);
    assert_eq!(machines(&shop), 2);
}

#[test]
fn a_trace_is_played_and_judged() {
    let shop = Shop::of(&format!("{BASE}{BURST}"));
    std::fs::write(shop.path().join("day.csv"), day()).expect("written");
    let columns = ["--time-column", "at", "--demand-column", "load"];
    let play = |more: &[&str]| {
        let mut args = vec!["burst", "simulate", "--trace", "day.csv", "--owned", "8"];
        args.extend(columns);
        args.extend(more);
        shop.run(&args)
    };
    let done = play(&["--json", "--chart", "day.html"]);
    assert_eq!(done.code, Some(0), "{done}");
    let json: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(json["trace"]["step_s"], 60);
    let results = json["results"].as_array().expect("results");
    let policies: Vec<_> = results.iter().map(|of| of["policy"].as_str()).collect();
    assert_eq!(policies, POLICIES.map(Some));
    let yours = &results[0];
    // Late by a boot and an interval at ten o'clock, and never else.
    let violated = yours["violation_min"].as_f64().expect("minutes");
    assert!((1.0..=5.0).contains(&violated), "{yours}");
    assert!(
        yours["machine_hours"]["cloud"].as_f64() > Some(6.0 * 6.0),
        "{yours}"
    );
    let chart = std::fs::read_to_string(shop.path().join("day.html")).expect("a chart");
    assert!(chart.starts_with("<!doctype html>") && chart.contains("<polyline"));
    // The same for people, and what fails by what was asked.
    let text = play(&["--fail-if", "violation_min>60", "--fail-if", "usd<0.01"]);
    assert_eq!(text.code, Some(0), "{text}");
    assert!(text.stdout.contains("all owned"), "{text}");
    let text = play(&["--fail-if", "violation_min>0"]);
    assert_eq!(text.code, Some(2), "{text}");
    assert!(text.stderr.contains("violation_min>0 holds"), "{text}");
    // A cloud that has nothing to sell is worse.
    let without = play(&["--stock-out", "10h..12h", "--fail-if", "violation_min>100"]);
    assert_eq!(without.code, Some(2), "{without}");
}

#[test]
fn what_cannot_be_played_says_what_to_do() {
    let shop = Shop::of(BASE);
    let done = shop.run(&["burst", "simulate", "--shape", "office"]);
    assert_eq!(done.code, Some(1), "{done}");
    assert!(done.stderr.contains("this topology has no burst"), "{done}");
    assert!(done.stderr.contains("add a `burst` block"), "{done}");
    std::fs::write(shop.path().join("burst.hcl"), BURST).expect("written");
    std::fs::write(shop.path().join("bad.csv"), "time,demand\n0,1\n60,many\n").expect("written");
    let done = shop.run(&["burst", "simulate", "--trace", "bad.csv"]);
    assert_eq!(done.code, Some(1), "{done}");
    assert!(
        done.stderr.contains("line 3: `many` is no demand"),
        "{done}"
    );
    let done = shop.run(&["burst", "simulate", "--shape", "office", "--history", "7d"]);
    assert_eq!(done.code, Some(1), "{done}");
    assert!(done.stderr.contains("leaves nothing of a trace"), "{done}");
    let done = shop.run(&["burst", "simulate", "--shape", "office", "--burst", "wbe"]);
    assert!(
        done.stderr.contains("give one with `--burst`: web"),
        "{done}"
    );
}

#[test]
fn without_a_controller_status_and_explain_say_so() {
    let shop = Shop::of(BASE);
    let done = shop.run(&["burst", "status"]);
    assert_eq!(done.code, Some(1), "{done}");
    assert!(
        done.stderr.contains("no controller has run in this folder"),
        "{done}"
    );
    assert!(done.stderr.contains("strat burst run"), "{done}");
    let done = shop.run(&["burst", "explain", "3f2a9c01"]);
    assert_eq!(done.code, Some(1), "{done}");
    assert!(
        done.stderr.contains("there is no decision `3f2a9c01`"),
        "{done}"
    );
}

#[cfg(not(feature = "burst"))]
#[test]
fn without_its_feature_the_controller_says_how_to_build_it() {
    let shop = Shop::of(BASE);
    for verb in ["run", "serve"] {
        let done = shop.run(&["burst", verb]);
        assert_eq!(done.code, Some(1), "{done}");
        assert!(done.stderr.contains("--features burst"), "{done}");
    }
}

/// A shop of five machines whose burst reads its load from a file: 690, which two do not carry.
#[cfg(feature = "burst")]
pub(crate) fn loaded() -> Shop {
    let shop = Shop::of(BASE);
    shop.ok(&["apply", "--yes"]);
    shop.edit("count  = 5", "count  = 2");
    let burst = BURST.replace("sum(rate(http_requests_total[1m]))", "exec cat load");
    std::fs::write(shop.path().join("burst.hcl"), burst).expect("written");
    std::fs::write(shop.path().join("load"), "690\n").expect("written");
    shop
}

/// One decision by a program that prints a number, what it came to, and why; a record that was changed by
/// hand is found out.
#[cfg(feature = "burst")]
#[test]
fn a_decision_is_made_shown_and_explained() {
    let shop = loaded();
    let done = shop.ok(&["burst", "run", "--once", "--json"]);
    let round: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    let decision = &round["decided"][0];
    assert_eq!(
        (&decision["action"], &decision["want"]),
        (&"up".into(), &7.into())
    );
    assert_eq!(decision["done"]["problems"], serde_json::json!([]));
    let machines = |shop: &Shop| {
        let things = shop.things();
        things.iter().filter(|(kind, _)| kind == "machine").count()
    };
    assert_eq!(machines(&shop), 7);
    let status = shop.ok(&["burst", "status"]);
    assert!(status.stdout.contains("7 of 2 to 20"), "{status}");
    let status = shop.json(&["burst", "status", "--json"]);
    assert_eq!(status["bursts"][0]["want"], 7);
    let id = decision["id"].as_str().expect("an id");
    let why = shop.ok(&["burst", "explain", &id[..10]]);
    for words in ["690", "MACHINES", "make 2", "Carried out until"] {
        assert!(why.stdout.contains(words), "{words}: {why}");
    }
    let json = shop.json(&["burst", "explain", id, "--json"]);
    assert_eq!(json["replay"]["identical"], true);
    // Nothing is zero because nobody could measure it.
    std::fs::remove_file(shop.path().join("load")).expect("removed");
    let done = shop.ok(&["burst", "run", "--once"]);
    assert!(done.stderr.contains("demand"), "{done}");
    assert_eq!(machines(&shop), 7);
    let log = shop.path().join(".stratiform/burst/web.jsonl");
    let text = std::fs::read_to_string(&log).expect("read");
    std::fs::write(&log, text.replacen("690.0", "680.0", 1)).expect("written");
    let done = shop.run(&["burst", "explain", id]);
    assert_eq!(done.code, Some(3), "{done}");
    assert!(done.stderr.contains("it is not the same"), "{done}");
}

/// A pause holds for whoever is started in the folder, says by whom and why, and ends when it is told to.
#[cfg(feature = "burst")]
#[test]
fn a_pause_holds_until_it_is_ended() {
    let shop = loaded();
    let said = shop.ok(&["burst", "pause", "--why", "the network is being rebuilt"]);
    assert!(said.stderr.contains("nothing is done"), "{said}");
    let said = shop.ok(&["burst", "pause"]);
    assert!(said.stderr.contains("paused already, since"), "{said}");
    let decided = |shop: &Shop| {
        let done = shop.ok(&["burst", "run", "--once", "--json"]);
        let round: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
        round["decided"][0].clone()
    };
    let decision = decided(&shop);
    assert_eq!(
        (&decision["want"], &decision["steps"]),
        (&7.into(), &serde_json::json!([]))
    );
    let limits = decision["limits"].as_array().expect("limits");
    assert!(
        limits.iter().any(|limit| limit["by"] == "pause"),
        "{decision:#}"
    );
    let status = shop.ok(&["burst", "status"]);
    assert!(
        status
            .stdout
            .contains("the network is being rebuilt. Nothing is done."),
        "{status}"
    );
    let status = shop.json(&["burst", "status", "--json"]);
    assert_eq!(status["paused"]["why"], "the network is being rebuilt");
    let said = shop.ok(&["burst", "resume"]);
    assert!(said.stderr.contains("carried out again"), "{said}");
    let said = shop.ok(&["burst", "resume"]);
    assert!(said.stderr.contains("not paused"), "{said}");
    assert_eq!(decided(&shop)["action"], "up");
    let status = shop.json(&["burst", "status", "--json"]);
    assert!(status["paused"].is_null(), "{status:#}");
}
