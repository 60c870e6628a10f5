//! What is on sale: live, remembered, built in; and planning with it offline.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Done, Shop};

/// A shop, and a folder for caches of its own.
struct Market {
    shop: Shop,
    caches: tempfile::TempDir,
}

impl Market {
    fn new() -> Self {
        Self {
            shop: Shop::new(),
            caches: tempfile::tempdir().expect("a folder"),
        }
    }

    fn run_in(&self, folder: &Path, args: &[&str]) -> Done {
        let mut command = self.shop.command(args);
        command.current_dir(folder);
        command.env("XDG_CACHE_HOME", self.caches.path());
        Done::of(&command.output().expect("strat runs"))
    }

    fn run(&self, args: &[&str]) -> Done {
        self.run_in(self.shop.path(), args)
    }

    fn ok(&self, args: &[&str]) -> Done {
        let done = self.run(args);
        assert_eq!(done.code, Some(0), "strat {args:?}\n{done}");
        done
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(args).stdout).expect("JSON")
    }

    fn remembered(&self) -> Vec<std::path::PathBuf> {
        let folder = self.caches.path().join("stratiform/offers");
        let Ok(files) = std::fs::read_dir(folder) else {
            return Vec::new();
        };
        let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        files.sort();
        files
    }
}

fn offers(json: &Value) -> &[Value] {
    json["offers"].as_array().expect("offers")
}

#[test]
fn live_offers_are_filtered_and_sorted() {
    let market = Market::new();
    let gpus = market.json(&[
        "offers",
        "--json",
        "--gpu",
        "t4",
        "--on-demand",
        "--limit",
        "4",
    ]);
    let prices: Vec<f64> = offers(&gpus)
        .iter()
        .map(|offer| {
            assert_eq!(
                (&offer["gpu"], &offer["source"]),
                (&json!("T4"), &json!("live"))
            );
            assert_eq!(offer["capacity"], json!("on_demand"));
            assert!(offer["as_of"].is_string() && offer["cloud"] == json!("sim"));
            offer["price_hour"].as_f64().expect("a price")
        })
        .collect();
    assert!(prices.len() == 4 && prices.is_sorted(), "{prices:?}");
    let table = market.ok(&[
        "offers",
        "--site",
        "east",
        "--cpu",
        "4",
        "--max-price",
        "0.2 USD",
    ]);
    assert!(
        table.stdout.contains("m5.xlarge") && !table.stdout.contains("dc1"),
        "{table}"
    );
    assert!(!table.stdout.contains("m5.4xlarge"), "{table}");
    let none = market.json(&["offers", "--json", "--region", "moon"]);
    assert!(offers(&none).is_empty());
    market
        .run(&["offers", "--site", "moon"])
        .failed_saying(&["no site `moon`", "east"]);
    assert!(market.remembered().is_empty(), "a search writes nothing");
}

#[test]
fn what_sites_answered_is_remembered_and_a_site_that_fails_keeps_it() {
    let market = Market::new();
    // What the provider tells without a network is known, and said to be that.
    let before = market.ok(&["offers", "--offline", "--limit", "1"]);
    assert!(before.stderr.contains("east: its provider"), "{before}");
    market.ok(&["offers", "refresh"]);
    let files = market.remembered();
    assert_eq!(files.len(), 3, "{files:?}");
    let east = files
        .iter()
        .find(|file| file.to_string_lossy().contains("east-"))
        .expect("east's");
    let first = std::fs::read(east).expect("a file");

    let offline = market.json(&["offers", "--offline", "--json", "--site", "east"]);
    let live = market.json(&["offers", "--json", "--site", "east"]);
    let bare = |json: &Value| -> Vec<Value> {
        let mut offers = offers(json).to_vec();
        for offer in &mut offers {
            offer["source"].take();
            offer["as_of"].take();
        }
        offers
    };
    assert_eq!(offers(&offline)[0]["source"], json!("cache"));
    assert_eq!(bare(&offline), bare(&live));

    market.ok(&[
        "sim",
        "fault",
        "east",
        "--kind",
        "forbidden",
        "--operation",
        "list_offers",
    ]);
    let partly = market.run(&["offers", "refresh"]);
    partly_failed(&partly);
    assert_eq!(std::fs::read(east).expect("still there"), first);
    market.ok(&["offers", "--offline", "--site", "east"]);
}

#[track_caller]
fn partly_failed(done: &Done) {
    assert_eq!(done.code, Some(1), "{done}");
    assert!(done.stderr.contains("east"), "{done}");
    assert!(
        done.stdout.contains("west-") && !done.stdout.contains("east-"),
        "{done}"
    );
}

#[test]
fn without_a_topology_the_snapshot_is_searched() {
    let market = Market::new();
    let empty = tempfile::tempdir().expect("a folder");
    let search = |args: &[&str]| market.run_in(empty.path(), args);
    let found = search(&[
        "offers",
        "--cloud",
        "aws",
        "--region",
        "eu-central-1",
        "--cpu",
        "2",
        "--arch",
        "x86_64",
        "--json",
    ]);
    let json: Value =
        serde_json::from_str(&found.stdout).unwrap_or_else(|e| panic!("{e}\n{found}"));
    let m5 = offers(&json)
        .iter()
        .find(|offer| offer["machine_type"] == json!("m5.large"));
    let m5 = m5.expect("on sale");
    assert_eq!(m5["price_hour"], json!(0.115));
    assert_eq!((&m5["site"], &m5["zone"]), (&Value::Null, &Value::Null));
    assert_eq!(m5["zones"].as_array().map(Vec::len), Some(3));
    assert_eq!(m5["source"], json!("snapshot"));
    let day = m5["as_of"].as_str().expect("a day");
    assert!(found.stderr.contains(&format!("as of {day}")), "{found}");
    assert!(
        offers(&json)
            .iter()
            .all(|o| o["arch"] == json!("x86_64") && o["cpu"].as_u64() >= Some(2))
    );
    // What the source has no price for comes last and is no zero.
    let last = offers(&json).last().expect("some");
    assert_eq!(
        (&last["price_hour"], &last["currency"]),
        (&Value::Null, &Value::Null)
    );
    search(&["offers", "--cloud", "aes"]).failed_saying(&["no cloud `aes`", "azure"]);
    search(&["offers", "--site", "east"]).failed_saying(&["no topology", "--cloud"]);
    search(&["offers", "nowhere.hcl"]).failed_saying(&["nowhere.hcl"]);
}

/// Google's custom types are in no list: they come with a size, and with a word on their price.
#[test]
fn what_is_made_to_measure_is_shown_for_a_size_with_a_word_on_its_price() {
    let market = Market::new();
    let empty = tempfile::tempdir().expect("a folder");
    let search = |args: &[&str]| {
        let place = ["offers", "--cloud", "gcp", "--region", "europe-west4"];
        market.run_in(empty.path(), &[&place, args].concat())
    };
    let found = search(&["--cpu", "6", "--memory", "20GiB", "--on-demand", "--json"]);
    let json: Value =
        serde_json::from_str(&found.stdout).unwrap_or_else(|e| panic!("{e}\n{found}"));
    let first = &offers(&json)[0];
    assert_eq!(first["machine_type"], json!("e2-custom-6-20480"));
    assert_eq!(first["made_to_measure"], json!(true));
    assert_eq!(first["price_hour"], json!(0.218865654));
    let custom = offers(&json)
        .iter()
        .filter(|offer| offer["made_to_measure"] == json!(true));
    assert_eq!(custom.count(), 4, "one of each series");
    assert!(found.stderr.contains("worked out") && found.stderr.contains("5 %"));
    let listed = search(&["--limit", "3"]);
    assert!(!listed.stdout.contains("custom"), "{listed}");
    assert!(listed.stderr.contains("--cpu and --memory"), "{listed}");
    let other = market.run_in(empty.path(), &["offers", "--cloud", "aws", "--cpu", "64"]);
    assert!(!other.stderr.to_lowercase().contains("custom"), "{other}");
}

#[test]
fn a_plan_offline_asks_nobody_costs_the_same_and_cannot_be_applied() {
    let market = Market::new();
    let offline = market.json(&["plan", "--offline", "--json"]);
    assert!(
        !market.shop.path().join(".sim").exists(),
        "no world was opened"
    );
    assert!(!market.shop.path().join(".stratiform").exists());
    let online = market.json(&["plan", "--json"]);
    assert_eq!(offline["summary"], online["summary"]);
    assert_eq!(offline["cost"], online["cost"]);
    assert_eq!(
        offline["offline"]["sites"]["east"]["source"],
        json!("provider")
    );
    assert!(online.get("offline").is_none());

    let path = market.shop.path().join("offline.json");
    std::fs::write(&path, offline.to_string()).expect("written");
    market
        .run(&["apply", "offline.json", "--yes"])
        .failed_saying(&["offline.json", "without asking the sites"]);
    assert_eq!(
        market.run(&["plan", "--offline", "--out", "x.json"]).code,
        Some(1)
    );

    // What runs does not count, and that is said.
    market.shop.ok(&["apply", "--yes"]);
    let text = market.ok(&["plan", "--offline"]);
    assert!(
        text.stdout.starts_with("Offline: no site was asked"),
        "{text}"
    );
    assert!(
        text.stdout.contains("33 to create") && text.stdout.contains("Cost:"),
        "{text}"
    );
}
