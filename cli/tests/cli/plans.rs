//! Plans: targets, consent, plans on disk.

use serde_json::{Value, json};

use crate::support::Shop;

fn addrs(plan: &Value) -> Vec<String> {
    let changes = plan["changes"].as_array().expect("changes");
    changes
        .iter()
        .map(|change| change["addr"].as_str().expect("addr").to_owned())
        .collect()
}

#[test]
fn a_target_brings_what_it_needs_and_no_more() {
    let shop = Shop::new();
    let plan = shop.json(&["plan", "--json", "--target", "machine.db[\"primary\"]"]);
    assert_eq!(
        addrs(&plan),
        [
            "network.core@dc1",
            "subnet.data@dc1",
            "firewall.db@dc1",
            "firewall.web@dc1",
            "keypair.ops@dc1",
            "machine.db[\"primary\"]@dc1"
        ]
    );
    shop.ok(&["apply", "--yes", "--target", "machine.db[\"primary\"]"]);
    assert_eq!(shop.things().len(), 6);
    shop.ok(&["apply", "--yes"]);
    shop.assert_converged();
    shop.run(&["plan", "--target", "machine.bd"])
        .failed_saying(&["machine.bd", "machine.db"]);
    shop.run(&["plan", "--target", "nonsense"])
        .failed_saying(&["is not an address"]);
}

#[test]
fn a_saved_plan_is_applied_as_it_is() {
    let shop = Shop::new();
    shop.ok(&["plan", "--out", "plan.json"]);
    // From another folder too: the plan knows where its topology is.
    let applied = shop
        .command(&["apply"])
        .arg(shop.path().join("plan.json"))
        .current_dir(std::env::temp_dir())
        .output()
        .expect("strat runs");
    assert!(applied.status.success(), "{applied:?}");
    shop.assert_converged();
    shop.run(&["apply", "plan.json"])
        .failed_saying(&["out of date", "make the plan again"]);
}

#[test]
fn the_answer_of_plan_json_is_a_plan_too() {
    let shop = Shop::new();
    let plan = shop.ok(&["plan", "--json"]);
    std::fs::write(shop.path().join("p.json"), plan.stdout).expect("written");
    shop.ok(&["apply", "p.json"]);
    shop.assert_converged();
}

#[test]
fn a_plan_that_the_world_left_behind_is_refused() {
    let shop = Shop::applied();
    shop.ok(&["plan", "--out", "plan.json", "--var", "env=prod"]);
    shop.ok(&[
        "sim",
        "resize-volume",
        "volume.db[\"primary\"]@dc1",
        "300GiB",
    ]);
    shop.run(&["apply", "plan.json"]).failed_saying(&[
        "volume.db[\"primary\"]@dc1 was changed since the plan was made",
        "make the plan again",
    ]);
}

#[test]
fn a_plan_that_the_topology_left_behind_is_refused() {
    let shop = Shop::new();
    shop.ok(&["plan", "--out", "plan.json"]);
    shop.edit("newbits = 3", "newbits = 4");
    shop.run(&["apply", "plan.json"])
        .failed_saying(&["subnet.app@dc1 is to be something else now"]);
}

#[test]
fn a_plan_of_another_format_is_refused() {
    let shop = Shop::new();
    shop.ok(&["plan", "--out", "plan.json"]);
    let path = shop.path().join("plan.json");
    let text = std::fs::read_to_string(&path).expect("the plan");
    let mut plan: Value = serde_json::from_str(&text).expect("JSON");
    plan["format_version"] = json!(99);
    std::fs::write(&path, plan.to_string()).expect("written");
    shop.run(&["apply", "plan.json"])
        .failed_saying(&["plan format 99"]);
}

#[test]
fn no_secret_is_in_a_plan() {
    let shop = Shop::new();
    shop.edit(
        "variable \"env\" {",
        "variable \"secret\" {\n  type = string\n  sensitive = true\n}\n\nvariable \"env\" {",
    );
    shop.edit("{ env = var.env })", "{ env = var.secret })");
    let args = [
        "plan",
        "--out",
        "plan.json",
        "--var",
        "secret=hunter2",
        "--var",
        "env=prod",
    ];
    shop.ok(&args);
    let plan = std::fs::read_to_string(shop.path().join("plan.json")).expect("the plan");
    assert!(!plan.contains("hunter2"));
    shop.run(&["apply", "plan.json"])
        .failed_saying(&["`secret` has no value"]);
    let applied = shop
        .command(&["apply", "plan.json"])
        .env("STRAT_VAR_secret", "hunter2")
        .env("STRAT_VAR_of_another_topology", "x")
        .output()
        .expect("strat runs");
    assert!(applied.status.success(), "{applied:?}");
    let journal = shop.path().join(".stratiform");
    for file in std::fs::read_dir(journal).expect("the state folder") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("bytes");
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"));
    }
}

#[test]
fn deleting_much_takes_consent() {
    let shop = Shop::applied();
    shop.edit("protect  = true", "protect  = false");
    shop.ok(&["apply", "--yes"]);
    let mut text = std::fs::read_to_string(shop.path().join("shop.hcl")).expect("text");
    text.truncate(text.find("# One address space").expect("the rest"));
    std::fs::write(shop.path().join("shop.hcl"), text).expect("written");
    let refused = shop.run(&["apply", "--yes"]);
    refused.failed_saying(&["deletes 33 of the 33", "--allow-deletes"]);
    // A share of deletes is one thing, data is another.
    let refused = shop.run(&["apply", "--yes", "--allow-deletes"]);
    refused.failed_saying(&["data would be lost", "machine.db[\"primary\"]@dc1"]);
    let mut args = vec!["apply", "--yes", "--allow-deletes"];
    for name in [
        "machine.db[\"primary\"]@dc1",
        "machine.db[\"standby\"]@dc1",
        "volume.db[\"primary\"]@dc1",
        "volume.db[\"standby\"]@dc1",
    ] {
        args.extend(["--allow-data-loss", name]);
    }
    shop.ok(&args);
    assert!(shop.things().is_empty());
}

#[test]
fn out_of_stock_moves_on() {
    let shop = Shop::new();
    shop.edit(
        "sites  = [site.dc1, site.east, site.west]\n    spread",
        "sites  = [site.east, site.west]\n    spread",
    );
    // The world is made by the first look at it.
    shop.ok(&["plan"]);
    shop.ok(&["sim", "stock", "east", "--left", "0"]);
    let applied = shop.ok(&["apply", "--yes"]);
    let at_west =
        |(kind, addr): &(String, String)| kind == "machine" && addr == "machines.web@west";
    assert_eq!(
        shop.things().iter().filter(|t| at_west(t)).count(),
        6,
        "{applied}"
    );
    let plan = shop.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}
