//! The life of a topology: planned, applied, disturbed, mended, destroyed.

use serde_json::json;

use crate::support::Shop;

#[test]
fn validate_plan_apply_show() {
    let shop = Shop::new();
    let valid = shop.ok(&["validate"]);
    assert!(valid.stdout.contains("`shop` is valid"), "{valid}");
    let files = std::fs::read_dir(shop.path()).expect("the folder").count();
    assert_eq!(files, 3, "checking leaves nothing behind");
    assert_eq!(shop.ok(&["fmt", "--check"]).stdout, "");

    // dc1: network, 2 subnets, 2 firewalls, keypair, 2 + 6 machines, 2 volumes: 16.
    // east: network, 2 subnets in each of 3 zones, 2 firewalls, keypair, bucket: 11.
    // west: network, 2 subnets, 2 firewalls, keypair: 6.
    let plan = shop.json(&["plan", "--json"]);
    assert_eq!(plan["format_version"], json!(1));
    assert_eq!(plan["topology"], json!("shop"));
    assert_eq!(plan["summary"]["create"], json!(33));
    let changes = plan["changes"].as_array().expect("changes");
    let keys = [
        "addr", "kind", "site", "action", "count", "reason", "before", "after",
    ];
    for change in changes {
        for key in keys {
            assert!(change.get(key).is_some(), "no `{key}` in {change}");
        }
    }
    for key in ["currency", "monthly_before", "monthly_after"] {
        assert!(plan["cost"].get(key).is_some(), "no `{key}`");
    }
    let fleet: Vec<_> = changes
        .iter()
        .filter(|change| change["addr"] == json!("machines.web@dc1"))
        .collect();
    assert_eq!(fleet.len(), 1);
    assert_eq!(fleet[0]["count"], json!(6));
    assert_eq!(fleet[0]["kind"], json!("machine"));

    let applied = shop.ok(&["apply", "--yes"]);
    assert!(applied.stderr.contains("33 created"), "{applied}");
    assert!(applied.stdout.contains("db_primary"), "{applied}");
    shop.assert_converged();

    let kinds = |kind: &str| shop.things().iter().filter(|(k, _)| k == kind).count();
    for (kind, count) in [
        ("network", 3),
        ("subnet", 10),
        ("firewall", 6),
        ("keypair", 3),
        ("machine", 8),
        ("volume", 2),
        ("bucket", 1),
    ] {
        assert_eq!(kinds(kind), count, "{kind}");
    }
    let show = shop.ok(&["show"]);
    assert!(show.stdout.contains("33 resources."), "{show}");
}

#[test]
fn no_local_file_is_the_state() {
    let shop = Shop::applied();
    std::fs::remove_dir_all(shop.path().join(".stratiform")).expect("removed");
    shop.assert_converged();
    let ignore = shop.path().join(".stratiform/.gitignore");
    assert!(!ignore.exists(), "a plan writes nothing");
    shop.ok(&["apply", "--yes"]);
    assert_eq!(std::fs::read_to_string(ignore).expect("text"), "*\n");
}

#[test]
fn drift_is_seen_and_mended() {
    let shop = Shop::applied();
    let none = shop.run(&["drift", "--detailed-exitcode"]);
    assert_eq!(none.code, Some(0), "{none}");
    shop.ok(&["sim", "delete-machine", "machines.web@dc1"]);
    shop.ok(&[
        "sim",
        "add-rule",
        "firewall.web@dc1",
        "debug",
        "--port",
        "8080",
    ]);
    shop.ok(&["sim", "stop", "machine.db[\"primary\"]@dc1"]);

    let drift = shop.run(&["drift", "--detailed-exitcode"]);
    assert_eq!(drift.code, Some(2), "{drift}");
    for word in [
        "+ machines.web",
        "~ firewall.web",
        "stopped -> running",
        "behind",
    ] {
        assert!(drift.stdout.contains(word), "no `{word}` in\n{drift}");
    }
    let json = shop.json(&["drift", "--json"]);
    assert_eq!(json["changes"].as_array().map(Vec::len), Some(3));

    shop.ok(&["apply", "--yes"]);
    shop.assert_converged();
}

#[test]
fn what_is_protected_is_not_destroyed() {
    let shop = Shop::applied();
    let refused = shop.run(&["destroy", "--yes"]);
    refused.failed_saying(&[
        "volume.db[\"primary\"]@dc1",
        "`protect = false`",
        "`volume \"db\"`",
    ]);
    assert_eq!(shop.things().len(), 33, "nothing was touched");

    // Taking the block away does not lift the protection: it lives on the thing.
    let text = std::fs::read_to_string(shop.path().join("shop.hcl")).expect("text");
    let start = text.find("volume \"db\"").expect("the block");
    let end = start + text[start..].find("\n}").expect("its end") + 2;
    std::fs::write(
        shop.path().join("shop.hcl"),
        [&text[..start], &text[end..]].concat(),
    )
    .expect("written");
    shop.run(&["apply", "--yes"]).failed_saying(&["protected"]);
    std::fs::write(shop.path().join("shop.hcl"), &text).expect("written");

    shop.edit("protect  = true", "protect  = false");
    shop.ok(&["apply", "--yes"]);
    // A yes alone destroys no data, and a wrong name none either.
    for args in [
        &["destroy", "--yes"][..],
        &["destroy", "--yes", "--allow-data-loss", "other"],
    ] {
        let refused = shop.run(args);
        refused.failed_saying(&["data would be lost", "--allow-data-loss shop"]);
        assert!(refused.stdout.contains("its data is lost"), "{refused}");
    }
    assert_eq!(shop.things().len(), 33, "nothing was touched");
    let destroyed = shop.ok(&["destroy", "--yes", "--allow-data-loss", "shop"]);
    assert!(destroyed.stderr.contains("33 deleted"), "{destroyed}");
    assert!(shop.things().is_empty());
    let empty = shop.ok(&["show"]);
    assert_eq!(empty.stdout, "Nothing is there.\n");
}

#[test]
fn a_fleet_grows_and_shrinks() {
    let shop = Shop::applied();
    let grown = shop.ok(&["apply", "--yes", "--var", "web_count=8"]);
    assert!(grown.stderr.contains("2 created"), "{grown}");
    assert_eq!(shop.things().len(), 35);
    let shrunk = shop.ok(&["apply", "--yes"]);
    assert!(shrunk.stderr.contains("2 deleted"), "{shrunk}");
    shop.assert_converged();
}

#[test]
fn outputs_history_and_the_rest() {
    let shop = Shop::applied();
    let one = shop.ok(&["output", "--name", "db_primary"]);
    assert!(one.stdout.starts_with("10.20."), "{one}");
    let all = shop.json(&["output", "--json"]);
    assert_eq!(
        all["web_private_ips"]["value"].as_array().map(Vec::len),
        Some(6)
    );
    assert!(shop.ok(&["history"]).stdout.contains("apply"));
    assert!(shop.ok(&["doctor"]).stdout.contains("journal is whole"));
    assert!(shop.ok(&["graph"]).stdout.starts_with("digraph"));
    let offers = shop.json(&["offers", "--json", "--site", "east", "--cpu", "4"]);
    let offer = &offers["offers"][0];
    for key in [
        "site",
        "zone",
        "machine_type",
        "cpu",
        "memory_bytes",
        "gpus",
        "gpu",
        "price_hour",
        "currency",
        "capacity",
    ] {
        assert!(offer.get(key).is_some(), "no `{key}` in {offer}");
    }
    let providers = shop.json(&["providers", "--json"]);
    // Beside those that were asked for when it was built.
    let built_in = providers["providers"].as_array().expect("a list");
    assert!(built_in.iter().any(|one| one["name"] == json!("sim")));
    assert!(shop.ok(&["functions"]).stdout.contains("templatefile"));
    assert!(shop.ok(&["completions", "bash"]).stdout.contains("strat"));
    assert!(shop.ok(&["sim", "status"]).stdout.contains("us-east-1"));
}

#[test]
fn the_first_topology_runs() {
    let shop = Shop::new();
    shop.ok(&["init", "first"]);
    let text = std::fs::read_to_string(shop.path().join("first/main.hcl")).expect("text");
    assert!(text.contains("lineage = \""), "{text}");
    shop.ok(&["fmt", "--check", "first"]);
    shop.ok(&["apply", "first", "--yes"]);
    let plan = shop.run(&["plan", "first", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan}");
    shop.run(&["init", "first"])
        .failed_saying(&["name another folder"]);
}

#[test]
fn a_topology_is_pinned_once() {
    let shop = Shop::of(
        "# Ours.\ntopology \"shop\" {} # the shop\n\nsite \"east\" {\n  provider = \"sim\"\n  region   = \
         \"us-east-1\" # here\n}\n",
    );
    shop.run(&["pin"]).failed_saying(&["add --yes"]);
    let shown = shop.ok(&["pin", "--yes"]);
    assert!(
        shown.stdout.contains("site.east  account = \"main\""),
        "{shown}"
    );
    let text = std::fs::read_to_string(shop.path().join("shop.hcl")).expect("text");
    for kept in ["# Ours.", "# the shop", "# here", "  account  = \"main\"\n"] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    shop.ok(&["fmt", "--check"]);
    let again = shop.ok(&["pin", "--yes"]);
    assert!(again.stderr.contains("Nothing to write"), "{again}");
}

#[test]
fn what_others_make_by_hand_is_there_and_no_plan_touches_it() {
    let shop = Shop::applied();
    shop.ok(&["sim", "make", "dc1", "machine", "theirs", "--count", "3"]);
    let machines = shop.ok(&["sim", "list", "--kind", "machine"]).stdout;
    for name in ["theirs-1", "theirs-2", "theirs-3"] {
        assert!(machines.contains(name), "{machines}");
    }
    shop.run(&["sim", "make", "dc1", "bucket", "x", "--subnet", "nowhere"])
        .failed_saying(&["nowhere"]);
    let plan = shop.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}

#[test]
fn a_running_world_is_made_slower_and_narrower_by_hand() {
    let shop = Shop::applied();
    shop.ok(&["sim", "lag", "dc1", "--create", "700", "--lists", "90"]);
    shop.ok(&["sim", "limits", "dc1", "--firewalls", "0"]);
    let status = shop.ok(&["sim", "status"]).stdout;
    for told in [
        "new machines take 700 ms",
        "lists are behind by 90 ms",
        "at most 0 firewalls",
    ] {
        assert!(status.contains(told), "{told} in {status}");
    }
    shop.run(&["plan"])
        .failed_saying(&["beyond_limit", "at most 0"]);
    shop.run(&["sim", "fault", "dc1"])
        .failed_saying(&["--kind"]);
    shop.ok(&[
        "sim",
        "fault",
        "dc1",
        "--silent",
        "--operation",
        "create_machines",
    ]);
    assert!(
        shop.ok(&["sim", "status"])
            .stdout
            .contains("1 faults waiting")
    );
    shop.ok(&["sim", "calm", "dc1"]);
    let plan = shop.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}
