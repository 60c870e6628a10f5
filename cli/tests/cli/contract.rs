//! JSON is a contract: every answer says the version of its form and holds against its schema, and so does
//! every failure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::strict::{assert_holds, assert_refused, validator};
use crate::support::{Done, Shop};

const TWO_SITES: &str = r#"
topology "shop" {}
site "dc1" {
  provider = "sim"
  profile  = "onprem"
  region   = "dc1"
  zones    = ["rack1"]
  capacity = { cpu = 64, memory = "256GiB", disk = "8TiB" }
}
site "east" {
  provider = "sim"
  region   = "us-east-1"
}
network "core" {
  cidr        = "10.20.0.0/16"
  site_prefix = 20
  sites       = [site.dc1, site.east]
}
subnet "app" {
  network = network.core
  newbits = 3
}
firewall "web" {
  network = network.core
  ingress "http" {
    from     = ["internet"]
    protocol = "tcp"
    ports    = [80]
  }
}
machines "web" {
  count     = 2
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  placement {
    sites = [site.dc1, site.east]
  }
}
bucket "assets" {
  site = site.east
}
burst "web" {
  fleet  = machines.web
  demand = "q"
  each   = 100
  max    = 20
}
output "ips" {
  value = machines.web.private_ips
}
"#;

/// What is asked of each command that has `--json`, in an order in which each can answer; the schema of the
/// answer, where there is one. What has none here has a test of its own, or needs a controller that runs.
const COMMANDS: &[(&str, &[&str], Option<&str>)] = &[
    ("validate", &[], None),
    ("plan", &[], Some("plan")),
    ("apply", &["--yes"], Some("apply")),
    ("show", &[], Some("show")),
    ("drift", &[], Some("plan")),
    ("graph", &[], None),
    (
        "reach",
        &["machines.web@east", "machines.web@east:80"],
        Some("reach"),
    ),
    ("adopt", &["--yes"], Some("apply")),
    ("offers", &["--site", "east", "--cpu", "2"], Some("offers")),
    ("providers", &[], None),
    ("history", &[], None),
    ("doctor", &[], None),
    ("rehearse", &["--fail", "site.east"], None),
    ("functions", &[], None),
    ("sim status", &[], None),
    ("sim list", &[], None),
    (
        "burst simulate",
        &["--shape", "flash", "--owned", "20", "--batch", "10"],
        None,
    ),
    ("release", &["bucket.assets@east", "--yes"], Some("apply")),
    (
        "destroy",
        &["--yes", "--allow-data-loss", "shop"],
        Some("apply"),
    ),
];

/// Those whose answer is asked for elsewhere: outputs are called as the topology says, without a version
/// among them; a controller's have schemas of their own.
const ELSEWHERE: &[&str] = &[
    "output",
    "burst explain",
    "burst rehearse",
    "burst run",
    "burst status",
    "test",
];

fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

/// The commands below one that have `--json`, by their help.
fn with_json(shop: &Shop, command: &[&str], found: &mut BTreeSet<String>) {
    let help = shop.ok(&[command, &["--help"]].concat()).stdout;
    if help.lines().any(|line| line.trim_start() == "--json") {
        found.insert(command.join(" "));
    }
    let mut lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let inner = lines.by_ref().take_while(|line| !line.is_empty());
    // A description that goes on below is indented further than a name.
    let inner = inner.filter(|line| !line.starts_with("   "));
    for name in inner.filter_map(|line| line.split_whitespace().next()) {
        with_json(shop, &[command, &[name]].concat(), found);
    }
}

fn parsed(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}\n{done}"))
}

#[test]
fn every_answer_says_its_version_and_every_failure_is_one() {
    let shop = Shop::of(TWO_SITES);
    let mut found = BTreeSet::new();
    with_json(&shop, &[], &mut found);
    let tried: BTreeSet<&str> = COMMANDS.iter().map(|(command, ..)| *command).collect();
    let known = |command: &&String| {
        tried.contains(command.as_str()) || ELSEWHERE.contains(&command.as_str())
    };
    let unknown: Vec<_> = found.iter().filter(|one| !known(one)).collect();
    assert!(unknown.is_empty(), "no test asks: {unknown:?}");
    let gone: Vec<_> = tried.iter().filter(|one| !found.contains(**one)).collect();
    assert!(gone.is_empty(), "these have no --json: {gone:?}");

    for (command, args, schema) in COMMANDS {
        let done = shop.run(&[&words(command), *args, &["--json"]].concat());
        assert!(matches!(done.code, Some(0 | 2)), "{command}\n{done}");
        let answer = parsed(&done);
        assert_eq!(answer["format_version"], json!(1), "{command}");
        if let Some(schema) = schema {
            assert_holds(&validator(schema), &answer);
        }
    }

    let error = validator("error");
    for command in &found {
        let done = shop.run(&[&words(command)[..], &["--json", "--nonsense"]].concat());
        assert_eq!(done.code, Some(1), "{command}\n{done}");
        let answer = parsed(&done);
        assert_holds(&error, &answer);
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(message.contains("nonsense"), "{command}: {message}");
    }
    let done = shop.run(&["show", "--json", "nowhere"]);
    let spoilt = |field: &str, value: Value| {
        let what = format!("{field} as {value}");
        assert_refused(&error, &parsed(&done), &what, |one| {
            one[field] = value.clone();
        });
    };
    spoilt("format_version", json!(2));
    spoilt("success", json!(true));
    spoilt("error", json!("no"));
    spoilt("surprise", json!(1));
}

#[test]
fn what_is_wrong_with_a_topology_is_in_its_failure() {
    let shop = Shop::of(&TWO_SITES.replace("subnet.app\n  firewalls", "subnet.ap\n  firewalls"));
    let error = validator("error");
    for command in [&["plan"][..], &["apply", "--yes"], &["drift"], &["offers"]] {
        let done = shop.run(&[command, &["--json"]].concat());
        assert_eq!(done.code, Some(1), "{done}");
        let answer = parsed(&done);
        assert_holds(&error, &answer);
        let finding = &answer["findings"][0];
        assert_eq!(finding["severity"], json!("error"), "{done}");
        assert_eq!(finding["labels"][0]["line"], json!(36), "{done}");
    }
    // No place for it: the failure says where it was looked for.
    let shop = Shop::of(&TWO_SITES.replace("cpu       = 2", "cpu       = 4096"));
    let answer = parsed(&shop.run(&["plan", "--json"]));
    assert_holds(&error, &answer);
    assert!(answer["unplaced"][0].is_object(), "{answer:#}");
}

/// The lines of a stream, each of which holds.
fn lines(done: &Done) -> Vec<Value> {
    let schema = validator("apply-events");
    let lines = done.stdout.lines();
    let lines = lines.map(|line| serde_json::from_str(line).expect("a line of JSON"));
    let lines: Vec<Value> = lines.collect();
    for line in &lines {
        assert_holds(&schema, line);
    }
    lines
}

fn events(lines: &[Value]) -> Vec<&str> {
    let events = lines.iter().map(|line| line["event"].as_str());
    events.map(|event| event.expect("an event")).collect()
}

#[test]
fn an_apply_is_told_line_by_line() {
    let shop = Shop::of(TWO_SITES);
    let stream = ["--yes", "--json", "--stream"];
    let made = lines(&shop.ok(&[&["apply"][..], &stream].concat()));
    let told = events(&made);
    let planned = told.iter().position(|event| *event == "planned");
    let started = told.iter().position(|event| *event == "run_started");
    assert!(planned < started && planned.is_some(), "{told:?}");
    assert_eq!(told.last(), Some(&"applied"), "{told:?}");
    let of = |event: &str| told.iter().filter(|one| **one == event).count();
    assert!(of("step_started") > 5, "{told:?}");
    assert_eq!(of("step_started"), of("step_finished"), "{told:?}");
    let (first, last) = (&made[planned.expect("one")], made.last().expect("a line"));
    assert_eq!(first["summary"]["create"], json!(11), "{first:#}");
    assert_eq!(last["success"], json!(true), "{last:#}");
    assert_eq!(
        last["steps"].as_array().map(Vec::len),
        Some(of("step_finished"))
    );

    let spoilt = |line: &Value, field: &str, value: Value| {
        let what = format!("{field} as {value}");
        assert_refused(&validator("apply-events"), line, &what, |one| {
            one[field] = value.clone();
        });
    };
    let step = told.iter().position(|event| *event == "step_finished");
    let step = &made[step.expect("a step")];
    spoilt(step, "event", json!("guessed"));
    spoilt(step, "addr", json!("network.core"));
    spoilt(step, "at", json!("yesterday"));
    spoilt(step, "surprise", json!(1));
    spoilt(last, "success", json!("yes"));
    spoilt(last, "surprise", json!(1));

    // What fails is told step by step, and by the last line.
    shop.ok(&[
        "sim",
        "fault",
        "east",
        "--kind",
        "forbidden",
        "--operation",
        "delete_bucket",
    ]);
    let destroy = ["destroy", "--allow-data-loss", "shop"];
    let done = shop.run(&[&destroy[..], &stream].concat());
    assert_eq!(done.code, Some(1), "{done}");
    let gone = lines(&done);
    let failed = gone.iter().find(|line| line["event"] == "step_failed");
    let failed = failed.unwrap_or_else(|| panic!("{done}"));
    assert_eq!(failed["error"]["kind"], json!("forbidden"), "{failed:#}");
    assert_eq!(gone.last().expect("a line")["success"], json!(false));

    // What is refused before anything is done is a line, too.
    let refused = shop.run(&[&["apply", "nowhere"][..], &stream].concat());
    assert_eq!(events(&lines(&refused)), ["failed"], "{refused}");
    shop.run(&["apply", "--yes", "--stream"])
        .failed_saying(&["--json"]);
}
