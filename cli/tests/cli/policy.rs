//! Plans that are held against policies.

use serde_json::{Value, json};

use crate::support::{Done, Shop};

/// A shop at two sites, one of them with public addresses, under policies of its own.
const SHOP: &str = r#"
topology "shop" {
  lineage = "5g0hq2m8x4v7k1ty"
  labels  = { team = "search" }
}

site "east" {
  provider = "sim"
  profile  = "aws"
  region   = "us-east-1"
}

site "paris" {
  provider = "sim"
  profile  = "aws"
  region   = "eu-west-3"
  labels   = { residency = "eu" }
}

network "core" {
  cidr        = "10.0.0.0/16"
  site_prefix = 20
  sites       = [site.east, site.paris]
}

subnet "app" {
  network  = network.core
  newbits  = 4
  internet = "public"
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
  public_ip = true
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  labels    = { exposed = "search" }

  placement {
    sites = [site.paris, site.east]
  }
}

bucket "users" {
  site   = site.paris
  labels = { data = "eu" }
}
"#;

/// The shop, with the policies of the documentation beside it.
fn shop() -> Shop {
    let shop = Shop::of(SHOP);
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies");
    let to = shop.path().join("policies");
    std::fs::create_dir(&to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the policies") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
    shop
}

const PLAN: [&str; 3] = ["plan", "--policy", "policies"];

/// The number of things that the world has.
fn made(shop: &Shop) -> usize {
    shop.json(&["show", "--json"])["resources"]
        .as_array()
        .map_or(0, Vec::len)
}

#[track_caller]
fn json_of(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}\n{done}"))
}

#[test]
fn what_the_three_permit_is_applied() {
    let shop = shop();
    let plan = shop.ok(&PLAN);
    assert!(!plan.stderr.contains("policy"), "{plan}");
    shop.ok(&["apply", "--yes", "--policy", "policies"]);
    assert!(made(&shop) > 0);
    // What stands is judged, too, and not only what changes.
    shop.edit("labels   = { residency = \"eu\" }", "");
    let plan = shop.run(&PLAN);
    plan.failed_saying(&["bucket.users@paris holds data of the EU"]);
    let unguarded = shop.json(&["plan", "--json"]);
    assert_eq!(unguarded["summary"]["create"], json!(0));
    assert!(unguarded.get("policy").is_none(), "{unguarded}");
}

#[test]
fn a_machine_open_to_the_internet_needs_its_label() {
    let shop = shop();
    shop.edit("labels    = { exposed = \"search\" }", "");
    let plan = shop.run(&PLAN);
    plan.failed_saying(&[
        "denied_by_policy",
        "machines.web@paris is open to the internet by firewall.web@paris",
        "shop.hcl:42:1",
        "data.stratiform.public.deny",
        "policies/public.rego:13",
    ]);
    assert!(
        plan.stdout.contains("machines.web"),
        "the plan is shown\n{plan}"
    );

    let plan = shop.run(&["plan", "--json", "--policy", "policies"]);
    assert_eq!(plan.code, Some(1));
    let json = json_of(&plan);
    let said = &json["policy"][0];
    assert_eq!(said["ruling"], json!("deny"));
    assert_eq!(said["rule"], json!("data.stratiform.public.deny"));
    assert_eq!(said["addr"], json!("machines.web@paris"));
    assert_eq!(
        said["defined_at"],
        json!([{ "file": "policies/public.rego", "line": 13 }])
    );

    let apply = shop.run(&["apply", "--yes", "--json", "--policy", "policies"]);
    assert_eq!(apply.code, Some(1));
    let json = json_of(&apply);
    assert_eq!(json["error"]["kind"], json!("denied_by_policy"));
    assert_eq!(json["findings"][0]["labels"][0]["line"], json!(42));
    assert_eq!(made(&shop), 0, "nothing was called");
    // Without the rule it is closed: nothing listens to the internet.
    shop.edit("from     = [\"internet\"]", "from     = [\"10.0.0.0/16\"]");
    shop.ok(&PLAN);
}

#[test]
fn a_team_has_its_ceiling() {
    let shop = shop();
    shop.edit("count     = 2", "count     = 40");
    shop.run(&PLAN).failed_saying(&[
        "the team search may spend 500 US dollars a month",
        "ceiling.rego",
    ]);
    shop.edit("team = \"search\"", "team = \"sales\"");
    shop.run(&PLAN)
        .failed_saying(&["machines.web@paris has no label `team` of a team that has a ceiling"]);
    // The price alone is known without asking any cloud.
    let offline = ["plan", "--offline", "--policy", "policies"];
    shop.run(&offline).failed_saying(&["no label `team`"]);
}

#[test]
fn a_warning_is_told_and_stops_nothing() {
    let shop = shop();
    let monthly = shop.json(&["plan", "--json"])["cost"]["monthly_after"].clone();
    let monthly = monthly.as_f64().expect("a price");
    let ceiling = shop.path().join("policies/ceiling.rego");
    let text = std::fs::read_to_string(&ceiling).expect("the policy");
    let close = text.replace("\"search\": 500", &format!("\"search\": {}", monthly * 1.1));
    std::fs::write(&ceiling, close).expect("written");
    let plan = shop.ok(&PLAN);
    assert!(plan.stderr.contains("the team search spends"), "{plan}");
    let markdown = shop.ok(&["plan", "--format", "markdown", "--policy", "policies"]);
    assert!(
        markdown
            .stdout
            .contains("- **Warning** (`data.stratiform.ceiling.warn`)"),
        "{markdown}"
    );
    let apply = shop.json(&["apply", "--yes", "--json", "--policy", "policies"]);
    assert_eq!(apply["policy"][0]["ruling"], json!("warn"), "{apply}");
    assert_eq!(apply["success"], json!(true));
}

#[test]
fn what_runs_out_does_not_move_where_a_policy_forbids_it() {
    let shop = shop();
    // To apply once makes the world, so that it can be disturbed.
    shop.edit("count     = 2", "count     = 0");
    shop.ok(&["apply", "--yes"]);
    shop.edit("count     = 0", "count     = 2");
    let rule = "package placed\n\ndeny contains {\"msg\": \"not over there\", \"addr\": thing.addr} if {\n\
                \tsome thing in input.desired\n\tthing.kind == \"machine\"\n\tthing.site == \"east\"\n}\n";
    std::fs::write(shop.path().join("policies/placed.rego"), rule).expect("written");
    shop.ok(&["sim", "stock", "paris", "--left", "0"]);
    let machines = |shop: &Shop| {
        shop.things()
            .iter()
            .filter(|(kind, _)| kind == "machine")
            .count()
    };

    let apply = shop.run(&["apply", "--yes", "--policy", "policies"]);
    assert_eq!(apply.code, Some(1), "{apply}");
    assert!(apply.stderr.contains("not over there"), "{apply}");
    assert_eq!(machines(&shop), 0, "{apply}");
    // Without the policy they go where else the topology permits.
    shop.ok(&["apply", "--yes"]);
    assert_eq!(machines(&shop), 2);
}

#[test]
fn a_denied_plan_is_not_applied_from_its_file_either() {
    let shop = shop();
    shop.edit("labels    = { exposed = \"search\" }", "");
    let plan = shop.run(&["plan", "--out", "plan.json", "--policy", "policies"]);
    assert_eq!(plan.code, Some(1), "{plan}");
    let apply = shop.run(&["apply", "plan.json"]);
    apply.failed_saying(&["is open to the internet", "shop.hcl:42:1"]);
    // A plan that nobody judged is judged when it is applied.
    shop.ok(&["plan", "--out", "plan.json"]);
    let apply = shop.run(&["apply", "plan.json", "--policy", "policies"]);
    apply.failed_saying(&["is open to the internet"]);
    assert_eq!(made(&shop), 0);
    shop.ok(&["apply", "plan.json"]);
}

#[test]
fn the_environment_names_policies_that_the_command_line_cannot_leave_out() {
    let shop = shop();
    shop.edit("labels    = { exposed = \"search\" }", "");
    let other = shop.path().join("other");
    std::fs::create_dir(&other).expect("a folder");
    std::fs::write(
        other.join("a.rego"),
        "package a\n\nwarn contains \"hello\"\n",
    )
    .expect("written");
    let guarded = |args: &[&str]| {
        let mut command = shop.command(args);
        command.env("STRAT_POLICY", "policies");
        Done::of(&command.output().expect("strat runs"))
    };
    guarded(&["plan"]).failed_saying(&["is open to the internet"]);
    guarded(&["plan", "--policy", "other"]).failed_saying(&["is open to the internet", "hello"]);
    shop.ok(&["apply", "--yes"]);
    // A `destroy` leaves nothing that a policy could be about, unless it is about changes.
    let rule = "package keep\n\ndeny contains msg if {\n\tsome change in input.changes\n\
                \tchange.action == \"delete\"\n\tchange.kind == \"bucket\"\n\tmsg := \"buckets stay\"\n}\n";
    std::fs::write(shop.path().join("policies/keep.rego"), rule).expect("written");
    guarded(&["destroy", "--yes"]).failed_saying(&["buckets stay"]);
    assert!(made(&shop) > 0);
}

#[test]
fn a_wrong_or_missing_policy_stops_the_plan() {
    let shop = shop();
    shop.run(&["plan", "--policy", "nowhere"])
        .failed_saying(&["the policies `nowhere` cannot be read"]);
    std::fs::create_dir(shop.path().join("empty")).expect("a folder");
    shop.run(&["plan", "--policy", "empty"])
        .failed_saying(&["`empty` holds no policy"]);
    let broken = "package a\n\ndeny contains msg if {\n  msg := nothing(1)\n}\n";
    std::fs::write(shop.path().join("policies/broken.rego"), broken).expect("written");
    let plan = shop.run(&PLAN);
    plan.failed_saying(&[
        "wrong_policy",
        "could not find function nothing",
        "policies/broken.rego:4:",
    ]);
    assert_eq!(plan.stdout, "");
}

#[test]
fn what_policies_are_shown_can_be_looked_at() {
    let shop = shop();
    let input = shop.json(&["plan", "--policy-input"]);
    assert_eq!(input["sites"]["paris"]["labels"]["residency"], json!("eu"));
    assert_eq!(input["sites"]["paris"]["region"], json!("eu-west-3"));
    let desired = input["desired"].as_array().expect("things");
    let web = desired
        .iter()
        .find(|one| one["block"] == json!("machines.web"));
    let web = web.expect("the fleet");
    assert_eq!(web["public_ip"], json!(true));
    assert_eq!(web["spec"]["labels"]["team"], json!("search"));
    assert!(web["monthly"].as_f64().expect("a price") > 0.0);
    let counted = desired
        .iter()
        .filter(|one| one["block"] == json!("machines.web"));
    let counted: u64 = counted.filter_map(|one| one["count"].as_u64()).sum();
    assert_eq!(counted, 2);
    // All of the plan's own document is in it.
    let plan = shop.json(&["plan", "--json"]);
    for key in plan.as_object().expect("an object").keys() {
        assert!(input.get(key).is_some(), "no `{key}`");
    }
    let offline = shop.json(&["plan", "--offline", "--policy-input"]);
    assert!(offline["desired"].is_array());
}
