//! The first week of somebody who knows Terraform: words, variables, environments, guards, modules.

use crate::support::Shop;

const SMALL: &str = r#"
topology "small" {}
site "east" {
  provider = "sim"
  region   = "us-east-1"
}
variable "password" {
  sensitive = true
}
variable "count" {
  type = number
}
network "core" {
  cidr  = "10.0.0.0/16"
  sites = [site.east]
}
subnet "app" {
  network = network.core
  newbits = 4
}
machines "web" {
  count     = var.count
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.app
  user_data = var.password
}
output "count" {
  value = var.count
}
output "ids" {
  value      = machines.web.ids
  depends_on = [machines.web]
}
"#;

fn with(shop: &Shop, file: &str, text: &str) {
    let path = shop.path().join(file);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("written");
}

#[test]
fn words_of_another_tool_are_answered_on_both_streams() {
    let shop = Shop::of(SMALL);
    let done = shop.run(&["state", "list"]);
    done.failed_saying(&["there is no command `state`", "`strat show`"]);
    let done = shop.run(&["apply", "-auto-approve"]);
    done.failed_saying(&["there is no option `-auto-approve`", "it is `--yes`"]);
    let done = shop.run(&["plan", "-json"]);
    done.failed_saying(&["options have two dashes: `--json`"]);
    // An answer in JSON too, for who asked for it.
    for args in [
        ["show", "--json", "--nonsense"],
        ["output", "--json", "nowhere"],
    ] {
        let done = shop.run(&args);
        let json: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
        assert_eq!(
            (&json["format_version"], &json["success"]),
            (&1.into(), &false.into())
        );
        assert!(json["error"]["message"].is_string(), "{done}");
    }
    let help = shop.ok(&["help", "plan"]);
    assert!(help.stdout.contains("Show what `apply` would do"), "{help}");
    let done = shop.run(&["output", "count"]);
    done.failed_saying(&["`strat output --name count`"]);
    let done = shop.run(&["history", "nowhere"]);
    done.failed_saying(&["`nowhere` cannot be read"]);
}

#[test]
fn files_of_another_tool_are_answered() {
    let shop = Shop::of(SMALL);
    std::fs::remove_file(shop.path().join("shop.hcl")).expect("removed");
    with(&shop, "main.tf", "resource \"aws_instance\" \"db\" {}\n");
    let done = shop.run(&["plan"]);
    done.failed_saying(&[
        "no topology files",
        "main.tf",
        "docs/language.md#coming-from-terraform",
    ]);
    let done = shop.run(&["offers"]);
    done.failed_saying(&["--cpu 4 --memory 16GiB"]);
    let done = shop.run(&["offers", "--cloud", "google", "--cpu", "4"]);
    done.failed_saying(&["did you mean `gcp`?"]);
    let done = shop.ok(&[
        "offers", "--cloud", "aws", "--arch", "arm64", "--limit", "1",
    ]);
    assert!(
        done.stdout.contains("aarch64") || done.stdout.lines().count() == 2,
        "{done}"
    );
    let done = shop.run(&["offers", "--arch", "sparc"]);
    done.failed_saying(&["`aarch64` (or `arm64`)"]);
    let text = "topology \"t\" {}\nsite \"a\" {\n  provider = \"libvirrt\"\n}\nimport {}\ndata \"x\" \"y\" {}\n";
    with(&shop, "t.hcl", text);
    let done = shop.run(&["validate"]);
    done.failed_saying(&["no block imports", "looked up in a block of its kind"]);
}

#[test]
fn variables_come_from_where_they_are_expected() {
    let shop = Shop::of(SMALL);
    let done = shop.run(&["plan"]);
    done.failed_saying(&[
        "the variable `password` has no value",
        "set STRAT_VAR_password in the environment",
        "--var count=",
    ]);
    with(
        &shop,
        "a.auto.vars.hcl",
        "count = 1\npassword = \"of a file\"\n",
    );
    with(&shop, "b.auto.vars.hcl", "count = 2\n");
    with(&shop, "prod.vars.hcl", "count = 5\n");
    let count = |args: &[&str]| {
        let mut all = vec!["plan", "--json"];
        all.extend(args);
        let mut command = shop.command(&all);
        let done = command
            .env("STRAT_VAR_count", "9")
            .output()
            .expect("strat runs");
        let json: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
        let changes = json["changes"].as_array().expect("changes").clone();
        let web = changes
            .iter()
            .find(|c| c["addr"] == "machines.web@east")
            .expect("web")
            .clone();
        web["count"].as_u64().expect("a count")
    };
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&["--env", "prod"]), 5);
    with(&shop, "named.vars.hcl", "count = 7\n");
    assert_eq!(count(&["--env", "prod", "--var-file", "named.vars.hcl"]), 7);
    assert_eq!(
        count(&["--var-file", "named.vars.hcl", "--var", "count=8"]),
        8
    );
    std::fs::remove_file(shop.path().join("b.auto.vars.hcl")).expect("removed");
    with(&shop, "a.auto.vars.hcl", "password = \"of a file\"\n");
    assert_eq!(count(&[]), 9);
}

#[test]
fn environments_are_apart() {
    let shop = Shop::of(&SMALL.replace("sensitive = true", "default = \"x\""));
    shop.ok(&["apply", "--yes", "--var", "count=1", "--env", "prod"]);
    shop.ok(&["apply", "--yes", "--var", "count=2", "--env", "dev"]);
    let count = |env: &str| {
        let show = shop.json(&["show", "--json", "--env", env]);
        let all = show["resources"].as_array().expect("resources").clone();
        all.iter().filter(|one| one["kind"] == "machine").count()
    };
    assert_eq!((count("prod"), count("dev")), (1, 2));
    for env in ["prod", "dev"] {
        assert!(shop.path().join(".stratiform/env").join(env).is_dir());
        let history = shop.ok(&["history", "--env", env]);
        assert!(
            history.stdout.contains(&format!("{env}/small")),
            "{history}"
        );
        let (var, env) = (if env == "prod" { "count=1" } else { "count=2" }, env);
        let plan = shop.run(&["plan", "--detailed-exitcode", "--var", var, "--env", env]);
        assert_eq!(plan.code, Some(0), "{plan}");
    }
    // A saved plan knows its environment, and the arguments of the environment count.
    shop.ok(&[
        "plan",
        "--env",
        "dev",
        "--var",
        "count=3",
        "--out",
        "plan.json",
    ]);
    let wrong = shop.run(&["apply", "plan.json", "--env", "prod"]);
    wrong.failed_saying(&["made for another environment"]);
    shop.ok(&["apply", "plan.json"]);
    assert_eq!(count("dev"), 3);
    let mut destroy = shop.command(&["destroy", "--yes", "--allow-deletes"]);
    let done = destroy
        .env("STRAT_ARGS", "--env dev")
        .output()
        .expect("strat runs");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert_eq!((count("prod"), count("dev")), (1, 0));
}

#[test]
fn who_looks_or_deletes_needs_no_values() {
    let shop = Shop::of(SMALL);
    let given = ["--var", "count=2", "--var", "password=x"];
    let mut apply = vec!["apply", "--yes"];
    apply.extend(given);
    shop.ok(&apply);
    assert_eq!(shop.things().len(), 6);
    shop.ok(&["doctor"]);
    let output = shop.ok(&["output"]);
    assert!(
        output.stdout.contains("the variable `count` has no value"),
        "{output}"
    );
    let output = shop.json(&["output", "--json", "--var", "count=2"]);
    assert_eq!(output["count"]["value"], 2);
    shop.ok(&["destroy", "--yes"]);
    assert!(shop.things().is_empty());
}

#[test]
fn a_thing_is_made_anew_at_a_persons_word() {
    let shop = Shop::of(&SMALL.replace("sensitive = true", "default = \"x\""));
    let var = ["--var", "count=2"];
    let run = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(var);
        shop.ok(&all)
    };
    run(&["apply", "--yes"]);
    let ids = || -> Vec<String> {
        let show = shop.json(&["show", "--json"]);
        let all = show["resources"].as_array().expect("resources").clone();
        let machines = all.iter().filter(|one| one["kind"] == "machine");
        machines
            .map(|one| one["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let before = ids();
    let plan = run(&["plan", "--replace", "machines.web", "--out", "plan.json"]);
    assert!(plan.stdout.contains("that was asked for"), "{plan}");
    shop.ok(&["apply", "plan.json"]);
    let after = ids();
    assert_eq!(after.len(), 2);
    assert!(
        before.iter().all(|id| !after.contains(id)),
        "{before:?} {after:?}"
    );
    let plan = run(&["plan", "--detailed-exitcode"]);
    assert!(plan.stdout.contains("No changes"), "{plan}");
    shop.run(&["plan", "--var", "count=2", "--replace", "machines.wbe"])
        .failed_saying(&["machines.wbe"]);
    shop.run(&["plan", "--var", "count=2", "--replace", "volume.data"])
        .failed_saying(&["is not made anew"]);
}

#[test]
fn what_is_removed_stays_and_is_no_more_ours() {
    let volume = "volume \"old\" {\n  size = \"10GiB\"\n  site = site.east\n}\n";
    let text = SMALL.replace("sensitive = true", "default = \"x\"");
    let shop = Shop::of(&format!("{text}{volume}"));
    shop.ok(&["apply", "--yes", "--var", "count=1"]);
    shop.edit(volume, "removed {\n  from = volume.old\n}\n");
    let plan = shop.ok(&["plan", "--var", "count=2"]);
    assert!(
        plan.stdout.contains("it is let go and stays as it is"),
        "{plan}"
    );
    shop.ok(&["apply", "--yes", "--var", "count=2"]);
    let all = shop.ok(&["sim", "list"]);
    assert!(all.stdout.contains("(unmarked)"), "{all}");
    assert!(!shop.things().iter().any(|(kind, _)| kind == "volume"));
    let plan = shop.run(&["plan", "--detailed-exitcode", "--var", "count=2"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}

#[test]
fn conditions_stop_a_plan_and_fail_an_apply() {
    let text = SMALL.replace("sensitive = true", "default = \"x\"").replace(
        "  user_data = var.password\n",
        "  user_data = var.password\n  precondition {\n    condition = var.count < 5\n    message   = \"at most four\"\n  }\n  \
         postcondition {\n    condition = length(machines.web.private_ips) == 3\n    message   = \"three are needed\"\n  }\n",
    );
    let check = "check \"many\" {\n  assert {\n    condition = length(machines.web.ids) > 9\n    message   = \"few\"\n  }\n}\n";
    let shop = Shop::of(&format!("{text}{check}"));
    let plan = shop.run(&["plan", "--var", "count=6"]);
    plan.failed_saying(&["`machines.web`: at most four", "this does not hold"]);
    let apply = shop.run(&["apply", "--yes", "--var", "count=2"]);
    apply.failed_saying(&["`machines.web`: three are needed", "the check `many`: few"]);
    assert_eq!(shop.things().len(), 6);
    let apply = shop.ok(&["apply", "--yes", "--var", "count=3"]);
    assert!(apply.stderr.contains("the check `many`: few"), "{apply}");
}

#[test]
fn a_module_goes_from_plan_to_destroy() {
    let module = "variable \"site\" {}\nvariable \"web\" {\n  type = number\n}\nvariable \"cidr\" {}\n\
        network \"core\" {\n  cidr  = var.cidr\n  sites = [var.site]\n}\n\
        subnet \"app\" {\n  network = network.core\n  newbits = 4\n}\n\
        machines \"web\" {\n  count  = var.web\n  cpu    = 2\n  memory = \"4GiB\"\n  image  = \"debian-12\"\n  subnet = subnet.app\n}\n\
        output \"ids\" {\n  value = machines.web.ids\n}\n";
    let topology = "topology \"shop\" {}\n\
        site \"cloud\" {\n  for_each = { east = \"us-east-1\", west = \"us-west-2\" }\n  provider = \"sim\"\n  region   = each.value\n}\n\
        locals {\n  shops = { east = 1, west = 2 }\n}\n\
        module \"shops\" {\n  source   = \"./modules/shop\"\n  for_each = local.shops\n  site     = site.cloud[each.key]\n  web      = each.value\n  cidr     = each.key == \"east\" ? \"10.1.0.0/16\" : \"10.2.0.0/16\"\n}\n\
        output \"ids\" {\n  value = { for key, shop in module.shops : key => length(shop.ids) }\n}\n";
    let shop = Shop::of(topology);
    with(&shop, "modules/shop/main.hcl", module);
    shop.ok(&["apply", "--yes"]);
    let things = shop.things();
    let addrs: Vec<&str> = things.iter().map(|(_, addr)| addr.as_str()).collect();
    assert!(
        addrs.contains(&"machines.shops.west.web@cloud-west"),
        "{addrs:?}"
    );
    assert_eq!(addrs.len(), 11, "{addrs:?}");
    let output = shop.json(&["output", "--json"]);
    assert_eq!(
        output["ids"]["value"],
        serde_json::json!({ "east": 1, "west": 2 })
    );
    let plan = shop.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan}");
    shop.edit("west = 2 }", "west = 3 }");
    let plan = shop.json(&["plan", "--json", "--target", "machines.shops.west.web"]);
    assert_eq!(plan["changes"].as_array().map(Vec::len), Some(1), "{plan}");
    // A mistake in a module is told in the module's file.
    with(
        &shop,
        "modules/shop/main.hcl",
        &module.replace("newbits = 4", "newbits = var.nowhere"),
    );
    let done = shop.run(&["validate"]);
    done.failed_saying(&["modules/shop/main.hcl", "newbits = var.nowhere"]);
    with(&shop, "modules/shop/main.hcl", module);
    shop.ok(&["destroy", "--yes", "--allow-deletes"]);
    assert!(shop.things().is_empty());
}

#[test]
fn expressions_are_evaluated_before_and_after_an_apply() {
    let shop = Shop::of(&SMALL.replace("sensitive = true", "default = \"x\""));
    let var = ["--var", "count=1"];
    let ask = |args: &[&str]| {
        let mut all = vec!["console"];
        all.extend(var);
        all.extend(args);
        shop.run(&all)
    };
    let done = ask(&[
        "--expr",
        "cidrsubnet(\"10.0.0.0/16\", 4, 2)",
        "--expr",
        "var.count + 1",
    ]);
    assert_eq!(done.stdout, "\"10.0.32.0/20\"\n2\n", "{done}");
    let done = ask(&["--expr", "machines.web.private_ips"]);
    assert!(done.stdout.contains("known after apply"), "{done}");
    shop.ok(&["apply", "--yes", "--var", "count=1"]);
    let done = ask(&["--expr", "length(machines.web.private_ips)"]);
    assert_eq!(done.stdout, "1\n", "{done}");
    let done = ask(&["--offline", "--expr", "length(machines.wbe.ids)"]);
    done.failed_saying(&["there is no machines `wbe`", "did you mean `web`?"]);
    let done = ask(&["--offline", "--expr", "sensitive(\"s3cret\")"]);
    assert_eq!(done.stdout, "(sensitive value)\n", "{done}");
}

#[test]
fn a_plan_for_a_pull_request_is_folded_and_coloured() {
    let shop = Shop::of(&SMALL.replace("sensitive = true", "default = \"x\""));
    let plan = shop.ok(&["plan", "--format", "markdown", "--var", "count=2"]);
    let text = &plan.stdout;
    assert!(text.starts_with("### Plan of `small`\n"), "{plan}");
    assert!(text.contains("**6** to create"), "{plan}");
    assert!(
        text.contains("<details><summary>east: 6 things</summary>"),
        "{plan}"
    );
    assert!(
        text.contains("```diff\n") && text.contains("\n+ machines.web x2"),
        "{plan}"
    );
    assert!(!text.contains('\u{1b}'), "{plan}");
    let json = shop.json(&["plan", "--format", "json", "--var", "count=2"]);
    assert_eq!(json["format_version"], 1);
}
