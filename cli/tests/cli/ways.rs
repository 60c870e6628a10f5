//! The ways between machines and the internet, as people say and see them.

use serde_json::Value;

use crate::support::Shop;

const OPEN: &str = r#"
topology "shop" { lineage = "w4y0ut00w4y0ut00" }
site "east" {
  provider = "sim"
  profile  = "aws"
  region   = "us-east-1"
  zones    = ["us-east-1a"]
}
network "core" {
  cidr  = "10.0.0.0/16"
  sites = [site.east]
}
subnet "app" {
  network  = network.core
  newbits  = 4
  internet = "public"
}
firewall "web" {
  network = network.core
  ingress "http" {
    from  = ["internet"]
    ports = [80]
  }
}
machine "web" {
  cpu       = 2
  memory    = "8GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  public_ip = true
}
machine "job" {
  cpu    = 2
  memory = "8GiB"
  image  = "debian-12"
  subnet = subnet.app
}
"#;

/// The entry of `show --json` at an address.
fn shown(shop: &Shop, addr: &str) -> Value {
    let all = shop.json(&["show", "--json"]);
    let all = all["resources"].as_array().expect("resources").clone();
    let own = all.into_iter().find(|one| one["addr"] == addr);
    own.unwrap_or_else(|| panic!("nothing at {addr}"))
}

/// The change of a plan at an address.
fn change(plan: &Value, addr: &str) -> Value {
    let all = plan["changes"].as_array().expect("changes").clone();
    let own = all.into_iter().find(|one| one["addr"] == addr);
    own.unwrap_or_else(|| panic!("no change at {addr}: {plan:#}"))
}

fn is_converged(shop: &Shop) {
    let plan = shop.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}

#[test]
fn who_is_reached_is_said_before_it_is_and_seen_afterwards() {
    let shop = Shop::of(OPEN);
    let plan = shop.ok(&["plan"]).stdout;
    assert!(plan.contains("open to the internet"), "{plan}");
    assert_eq!(plan.matches("a public address").count(), 1, "{plan}");
    shop.ok(&["apply", "--yes"]);
    let ip = |addr: &str| shown(&shop, addr)["attributes"]["public_ip"].clone();
    assert!(ip("machine.web@east").is_string());
    assert!(ip("machine.job@east").is_null());
    is_converged(&shop);

    // Closed again: in place, and told as what is lost.
    shop.edit("  internet = \"public\"\n", "");
    shop.edit("  public_ip = true\n", "");
    let told = shop.ok(&["plan"]).stdout;
    assert!(told.contains("its public address is given back"), "{told}");
    let plan = shop.json(&["plan", "--json"]);
    let subnet = change(&plan, "subnet.app@east/us-east-1a");
    assert_eq!(subnet["action"], "update");
    assert_eq!(subnet["fields"][0]["before"], "public");
    assert_eq!(subnet["fields"][0]["after"], "outbound");
    let web = change(&plan, "machine.web@east");
    assert_eq!(web["action"], "update", "no machine is made anew for it");
    assert_eq!(plan["changes"].as_array().map(Vec::len), Some(2));
    let before = shown(&shop, "machine.web@east")["id"].clone();
    shop.ok(&["apply", "--yes"]);
    assert_eq!(shown(&shop, "machine.web@east")["id"], before);
    assert!(ip("machine.web@east").is_null());
    is_converged(&shop);
}

#[test]
fn what_asks_for_an_address_that_nobody_would_reach_is_refused_at_its_place() {
    let shop = Shop::of(OPEN);
    shop.edit("internet = \"public\"", "internet = \"none\"");
    let refused = shop.run(&["plan"]);
    refused.failed_saying(&["not_public", "machine.web", "public_ip", "subnet.app"]);
}
