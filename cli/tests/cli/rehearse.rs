//! Losses that are rehearsed, and the same losses in earnest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::Shop;
use crate::without::THREE;

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.clone(), std::fs::read(&path).expect("a file"));
        }
    }
    all
}

/// Rehearses, and holds that nothing real was written.
fn rehearse(shop: &Shop, fails: &[&str]) -> Value {
    let before = files(shop.path());
    let mut args = vec!["rehearse", "--json"];
    args.extend(fails.iter().flat_map(|what| ["--fail", what]));
    let result = shop.json(&args);
    assert!(files(shop.path()) == before, "something was written");
    result
}

/// What a plan does: address, action, how many and why.
fn effects(changes: &Value) -> Vec<Value> {
    let changes = changes.as_array().expect("changes").iter();
    changes
        .map(|c| json!([c["addr"], c["action"], c["count"], c["reason"]]))
        .collect()
}

fn load<'a>(loads: &'a Value, addr: &str) -> &'a Value {
    let mut loads = loads.as_array().expect("loads").iter();
    loads.find(|load| load["addr"] == addr).expect(addr)
}

#[test]
fn a_fleet_that_survives_holds_without_any_one_site() {
    let shop =
        Shop::of(&THREE.replace("prefer = \"balance\"\n    spread = \"zone\"", "survive = 1"));
    shop.ok(&["apply", "--yes"]);
    for site in ["site.east", "site.west", "site.north"] {
        let result = rehearse(&shop, &[site]);
        let web = load(&result["loads"], "machines.web");
        assert_eq!(web["holds"], true, "{site}: {web}");
        assert_eq!(web["wanted"], 6);
        assert!(web["left"].as_u64() >= Some(6), "{site}: {web}");
    }
    let text = shop.ok(&["rehearse", "--fail", "site.north", "--detailed-exitcode"]);
    assert!(
        text.stdout.contains("The load holds without site.north"),
        "{text}"
    );
    let two = rehearse(&shop, &["site.east", "site.west"]);
    let web = load(&two["loads"], "machines.web");
    assert_eq!(web["holds"], false, "one loss is promised, not two: {web}");
}

#[test]
fn what_is_rehearsed_of_a_site_is_what_then_happens() {
    let shop = Shop::of(THREE);
    shop.ok(&["apply", "--yes"]);
    let result = rehearse(&shop, &["site.east"]);
    assert_eq!(result["holds"], false);
    assert_eq!(result["pending"], 0);
    let web = load(&result["loads"], "machines.web");
    assert_eq!(
        (&web["before"], &web["left"]),
        (&json!(6), &json!(4)),
        "{web}"
    );
    let down = result["down"].as_array().expect("down");
    for (addr, count) in [
        ("machines.web@east", 2),
        ("volume.db@east", 1),
        ("bucket.logs@east", 1),
    ] {
        let is = |down: &&Value| down["addr"] == addr && down["count"] == count;
        assert!(down.iter().any(|down| is(&down)), "{addr}: {down:#?}");
    }

    let told = shop.run(&["rehearse", "--fail", "site.east", "--detailed-exitcode"]);
    assert_eq!(told.code, Some(2), "{told}");
    for words in [
        "The load does not hold without site.east",
        "2 too few",
        "its volume volume.db may be at",
    ] {
        assert!(told.stdout.contains(words), "no `{words}` in {told}");
    }

    let [plain, without] = result["next"].as_array().expect("next").as_slice() else {
        panic!("two ways: {:#}", result["next"])
    };
    assert_eq!(
        plain["changes"],
        json!([]),
        "a silent site is not a lost one"
    );
    assert_eq!(plain["ends_well"], false);
    assert_eq!(without["command"], "strat apply --without site.east");
    assert_eq!(without["ends_well"], true, "{without:#}");
    assert_eq!(load(&without["loads"], "machines.web")["left"], 6);
    assert_eq!(load(&without["loads"], "machine.db")["left"], 0);
    // Machines of the simulator take 300 ms, and nothing here waited for them.
    assert!(
        without["took_ms"].as_u64() >= Some(300),
        "{}",
        without["took_ms"]
    );
    assert!(without["monthly_after"].as_f64() > Some(0.0));

    shop.ok(&["sim", "lose-region", "east"]);
    let real = shop.json(&["plan", "--json", "--without", "site.east"]);
    assert_eq!(effects(&real["changes"]), effects(&without["changes"]));
    assert_eq!(real["summary"], without["summary"]);
    assert_eq!(real["withheld"], without["withheld"]);
    shop.ok(&["apply", "--yes", "--without", "site.east"]);
}

#[test]
fn what_is_rehearsed_of_a_zone_is_what_then_happens() {
    let shop = Shop::of(THREE);
    shop.ok(&["apply", "--yes"]);
    let zone = rehearse(&shop, &["zone.east.us-east-1a"]);
    assert_eq!(zone, {
        let mut same = rehearse(&shop, &["site.east/us-east-1a"]);
        same["next"][0]["took_ms"] = zone["next"][0]["took_ms"].clone();
        same
    });
    let next = &zone["next"][0];
    assert_eq!(zone["next"].as_array().map(Vec::len), Some(1));
    assert_eq!(zone["holds"], false, "{:#}", zone["loads"]);

    shop.ok(&["sim", "lose-zone", "east", "us-east-1a"]);
    let real = shop.json(&["plan", "--json"]);
    assert_eq!(effects(&real["changes"]), effects(&next["changes"]));
    // Machines with an identity are made anew only by name; the rehearsed command has the names.
    let command = next["command"].as_str().expect("a command");
    let names = command.split_whitespace().filter(|word| word.contains('@'));
    let mut args = vec!["apply", "--yes"];
    names.for_each(|name| args.extend(["--allow-data-loss", name]));
    assert!(args.len() > 2, "{command}");
    let applied = shop.run(&args);
    let code = if next["ends_well"] == true { 0 } else { 1 };
    assert_eq!(applied.code, Some(code), "{applied}\n{next:#}");
    // What the real apply left is what the rehearsed one did.
    let show = shop.json(&["show", "--json"]);
    let ready = |addr: &str| {
        let things = show["resources"].as_array().expect("resources").iter();
        let ours = things.filter(|thing| {
            let at = thing["addr"].as_str().unwrap_or_default();
            at.split('@').next() == Some(addr)
        });
        ours.filter(|t| t["kind"] == "machine" && t["state"] == "ready")
            .count()
    };
    // Broken machines are made anew in another zone; one whose volume is in the lost zone waits.
    for (addr, count) in [("machines.web", 6), ("machine.job", 1), ("machine.db", 0)] {
        assert_eq!(load(&next["loads"], addr)["left"], count, "{next:#}");
    }
    for addr in ["machines.web", "machine.db", "machine.job"] {
        let left = load(&next["loads"], addr)["left"].as_u64();
        assert_eq!(
            left,
            Some(ready(addr) as u64),
            "{addr}\n{applied}\n{next:#}"
        );
    }
}

#[test]
fn a_provider_and_several_at_once() {
    let shop = Shop::of(THREE);
    shop.ok(&["apply", "--yes"]);
    let all = rehearse(&shop, &["provider.sim"]);
    assert!(
        all["loads"]
            .as_array()
            .expect("loads")
            .iter()
            .all(|load| load["left"] == 0)
    );
    let refused = all["next"][1]["refused"].as_str().expect("refused");
    assert!(refused.contains("every site"), "{refused}");

    let both = rehearse(&shop, &["site.west", "zone.east.us-east-1a"]);
    let web = load(&both["loads"], "machines.web");
    assert!(web["left"].as_u64() < Some(4), "{web}");
    assert_eq!(both["next"][1]["without"], json!(["west"]));
}

#[test]
fn what_there_is_not_cannot_fail() {
    let shop = Shop::of(THREE);
    let check = |what: &str, words: &[&str]| {
        shop.run(&["rehearse", "--fail", what]).failed_saying(words);
    };
    check("site.esat", &["no site `esat`", "did you mean `east`?"]);
    check(
        "zone.east.us-east-1z",
        &[
            "no zone `east.us-east-1z`",
            "did you mean `east.us-east-1a`?",
        ],
    );
    check("provider.smi", &["no provider `smi`", "sim"]);
    check("machine.db", &["zone.SITE.ZONE"]);
    shop.run(&["rehearse"]).failed_saying(&["--fail"]);
}
