//! `strat doctor`: who we are at each site, and which permission is missing.

use serde_json::{Value, json};

use crate::support::Shop;

fn fault(shop: &Shop, kind: &str, operation: &str) {
    shop.ok(&[
        "sim",
        "fault",
        "dc1",
        "--kind",
        kind,
        "--operation",
        operation,
    ]);
}

/// The permissions of a site that are in this state.
fn in_state<'a>(told: &'a Value, site: &str, state: &str) -> Vec<&'a str> {
    let sites = told["sites"].as_array().expect("sites");
    let site = sites.iter().find(|one| one["site"] == json!(site));
    let checks = site.expect("the site")["permissions"].as_array();
    let checks = checks.expect("permissions").iter();
    let names = checks.filter(|check| check["state"] == json!(state));
    names.filter_map(|one| one["permission"].as_str()).collect()
}

#[test]
fn a_missing_permission_is_named_and_nothing_is_used_up() {
    let shop = Shop::new();
    shop.ok(&["plan"]);
    let well = shop.ok(&["doctor"]);
    assert!(well.stdout.contains("permissions are there"), "{well}");
    let told = shop.json(&["doctor", "--json"]);
    assert_eq!(told["ok"], json!(true));
    assert!(in_state(&told, "dc1", "granted").contains(&"create_machines"));

    fault(&shop, "forbidden", "create_machines");
    // A stock-out is no matter of permissions.
    fault(&shop, "capacity", "create_volume");
    for _ in 0..2 {
        let ill = shop.run(&["doctor"]);
        assert_eq!(ill.code, Some(1), "{ill}");
        let line = "dc1: the permission `create_machines` is missing";
        assert!(ill.stdout.contains(line), "{ill}");
        assert!(
            ill.stdout.contains("help: allow `create_machines`"),
            "{ill}"
        );
        assert!(!ill.stdout.contains("create_volume"), "{ill}");
    }
    let ill = shop.run(&["doctor", "--json"]);
    assert_eq!(ill.code, Some(1), "{ill}");
    let told: Value = serde_json::from_str(&ill.stdout).expect("JSON");
    assert_eq!(told["ok"], json!(false));
    assert_eq!(in_state(&told, "dc1", "missing"), ["create_machines"]);

    shop.ok(&["sim", "calm", "dc1"]);
    shop.ok(&["doctor"]);
    assert!(shop.things().is_empty(), "looking makes nothing");
}
