//! Sites that are lost, and are said to be.

use serde_json::Value;

use crate::support::Shop;

/// A topology over three sites: a fleet that may be at each, a machine with a volume, one without,
/// and a bucket.
pub(crate) const THREE: &str = r#"
topology "three" {}

site "east" {
  provider   = "sim"
  region     = "us-east-1"
  latency_ms = 2
}

site "west" {
  provider   = "sim"
  region     = "us-west-2"
  latency_ms = 2
}

site "north" {
  provider   = "sim"
  profile    = "gcp"
  region     = "europe-north1"
  latency_ms = 2
}

network "core" {
  cidr        = "10.0.0.0/12"
  site_prefix = 16
  sites       = [site.east, site.west, site.north]
}

subnet "app" {
  network = network.core
  newbits = 4
}

machines "web" {
  count  = 6
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app

  placement {
    sites  = [site.east, site.west, site.north]
    prefer = "balance"
    spread = "zone"
  }
}

machine "db" {
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app

  placement { sites = [site.east, site.west] }
}

volume "db" {
  size   = "20GiB"
  attach = machine.db
}

machine "job" {
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app

  placement { sites = [site.east, site.west] }
}

bucket "logs" { site = site.east }
"#;

fn withheld(plan: &Value) -> String {
    plan["withheld"].to_string()
}

/// The sites of the machines of a local address, also of those that give no answer.
fn at(shop: &Shop, local: &str) -> Vec<String> {
    let list = shop.json(&["sim", "list", "--kind", "machine", "--json"]);
    let things = list["things"].as_array().expect("things").iter();
    let addrs = things.filter_map(|thing| thing["resource"]["mark"]["addr"].as_str());
    let mut sites: Vec<String> = addrs
        .filter_map(|addr| Some(addr.strip_prefix(local)?.strip_prefix('@')?.to_owned()))
        .collect();
    sites.sort();
    sites
}

#[test]
fn what_ran_at_a_lost_site_goes_elsewhere_once_that_is_said() {
    let shop = Shop::of(THREE);
    shop.ok(&["apply", "--yes"]);
    assert_eq!(
        at(&shop, "machines.web"),
        ["east", "east", "north", "north", "west", "west"]
    );
    assert_eq!(at(&shop, "machine.job"), ["east"]);
    shop.ok(&["sim", "lose-region", "east"]);

    // Only somebody who knows can say that it is more than silent.
    let plain = shop.json(&["plan", "--json"]);
    assert_eq!(plain["summary"]["create"], 0, "{plain:#}");
    assert!(
        withheld(&plain).contains("machines.web"),
        "{}",
        withheld(&plain)
    );

    let plan = shop.json(&[
        "plan",
        "--json",
        "--without",
        "site.east",
        "--out",
        "plan.json",
    ]);
    assert_eq!(plan["without"], serde_json::json!(["east"]));
    assert_eq!(plan["summary"]["create"], 3, "{:#}", plan["changes"]);
    assert_eq!(plan["summary"]["delete"], 0);
    for word in [
        "what is at east",
        "machine.db",
        "its volume volume.db may be at east, which is left out, and is never made anew",
        "bucket.logs",
        "it is to be at east, which is left out",
    ] {
        assert!(
            withheld(&plan).contains(word),
            "no `{word}` in {}",
            withheld(&plan)
        );
    }
    let done = shop.ok(&["apply", "plan.json"]);
    assert!(!done.stderr.contains("warning"), "{done}");
    let mut web = at(&shop, "machines.web");
    web.retain(|site| site != "east");
    assert_eq!(web.len(), 6, "{web:?}");
    assert_eq!(at(&shop, "machine.job"), ["east", "west"]);
    let again = shop.run(&["plan", "--without", "site.east", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{again}");

    // The site is back: its machines count again, and the surplus goes; the volume was never moved.
    shop.ok(&["sim", "restore-region", "east"]);
    assert_eq!(at(&shop, "machines.web").len(), 8);
    let args = ["apply", "--yes", "--allow-data-loss", "machine.job@west"];
    shop.ok(&args);
    assert_eq!(at(&shop, "machines.web").len(), 6);
    assert_eq!(at(&shop, "machine.job").len(), 1);
    assert_eq!(at(&shop, "machine.db"), ["east"]);
    let plan = shop.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}

#[test]
fn nothing_at_a_site_that_is_left_out_is_touched() {
    let shop = Shop::of(THREE);
    shop.ok(&["apply", "--yes"]);
    // It answers, and its machines are wanted no more; they stay all the same.
    shop.edit("count  = 6", "count  = 3");
    shop.ok(&["apply", "--yes", "--without", "site.east"]);
    assert_eq!(at(&shop, "machines.web").len(), 5);
    assert_eq!(at(&shop, "machine.db"), ["east"]);
}

#[test]
fn a_slip_is_refused() {
    let shop = Shop::of(THREE);
    shop.run(&["plan", "--without", "site.esat"])
        .failed_saying(&["no site `esat`", "did you mean `east`?"]);
    shop.run(&["plan", "--without", "machine.db"])
        .failed_saying(&["site.NAME"]);
    let all = [
        "plan",
        "--without",
        "site.east",
        "--without",
        "site.west",
        "--without",
        "site.north",
    ];
    shop.run(&all).failed_saying(&["every site"]);
    shop.ok(&["plan", "--without", "site.east", "--out", "p.json"]);
    shop.run(&["apply", "p.json", "--without", "site.west"])
        .failed_saying(&["leave --without out"]);
}
