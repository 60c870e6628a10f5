//! Things that others own: found, referred to, and left as they are.

use serde_json::Value;

use crate::support::Shop;

/// What the network team has, in an account that both topologies use.
const CORP: &str = r#"
topology "corp" {}
site "east" {
  provider = "sim"
  region   = "us-east-1"
}
network "core" {
  cidr   = "10.0.0.0/16"
  sites  = [site.east]
  labels = { team = "net" }
}
subnet "app" {
  network = network.core
  newbits = 4
  labels  = { tier = "app" }
}
firewall "ssh" {
  network = network.core
  labels  = { purpose = "ssh" }
  ingress "ssh" {
    from  = ["10.0.0.0/8"]
    ports = [22]
  }
}
keypair "ops" {
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJd0bXkgc2ltdWxhdGVkIGtleSBvbmx5ICE="
  labels     = { for = "everybody" }
}
address "vip" {
  site   = site.east
  labels = { use = "vip" }
}
bucket "shared" {
  site   = site.east
  labels = { use = "shared" }
}
bucket "other" {
  site   = site.east
  labels = { use = "shared" }
}
"#;

/// What a product team runs in it.
const SHOP: &str = r#"
topology "shop" {}
site "east" {
  provider = "sim"
  region   = "us-east-1"
}
network "corp" {
  lookup {
    site   = site.east
    labels = { team = "net" }
  }
}
subnet "app" {
  lookup {
    site   = site.east
    labels = { tier = "app" }
  }
}
firewall "ssh" {
  lookup {
    site   = site.east
    labels = { purpose = "ssh" }
  }
}
keypair "ops" {
  lookup {
    site   = site.east
    labels = { for = "everybody" }
  }
}
address "vip" {
  lookup {
    site   = site.east
    labels = { use = "vip" }
  }
}
subnet "own" {
  network = network.corp
  newbits = 4
  labels  = { of = "shop" }
}
firewall "web" {
  network = network.corp
  ingress "http" {
    from  = ["internet"]
    ports = [80]
  }
  ingress "ssh" {
    from  = [firewall.ssh]
    ports = [22]
  }
}
machine "db" {
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.ssh, firewall.web]
  keypair   = keypair.ops
}
machines "web" {
  count     = 3
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.own
  firewalls = [firewall.web]
  user_data = "vip=${address.vip.ip} net=${network.corp.cidr}"
}
output "vip" {
  value = address.vip.ip
}
output "range" {
  value = network.corp.cidr
}
"#;

/// Both topologies over one simulated cloud.
fn both() -> (Shop, std::path::PathBuf) {
    let shop = Shop::of(SHOP);
    let corp = shop.path().join("corp");
    std::fs::create_dir_all(&corp).expect("a folder");
    // One world for both.
    let world = shop.path().join("world");
    let line = "region   = \"us-east-1\"";
    let with = format!("{line}\n  world    = \"{}\"", world.display());
    std::fs::write(corp.join("corp.hcl"), CORP.replace(line, &with)).expect("written");
    shop.edit(line, &with);
    shop.ok(&["apply", "--yes", "corp"]);
    (shop, corp)
}

/// Everything that the other team has, as JSON.
fn of_others(shop: &Shop) -> Value {
    shop.json(&["show", "corp", "--json"])["resources"].clone()
}

#[test]
fn what_others_own_is_used_and_left_as_it_is() {
    let (shop, _) = both();
    let theirs = of_others(&shop);
    let plan = shop.ok(&["plan"]);
    for word in [
        "Looked up, and never written to:",
        "network.corp@east is ",
        "10.0.0.0/16",
        "subnet.app@east/us-east-1a is ",
        "address.vip@east is ",
    ] {
        assert!(plan.stdout.contains(word), "no `{word}` in\n{plan}");
    }
    let json = shop.json(&["plan", "--json"]);
    let changed: Vec<&str> = json["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter_map(|change| change["addr"].as_str())
        .collect();
    let own = ["subnet.own", "firewall.web", "machine.db", "machines.web"];
    assert!(!changed.is_empty());
    for addr in &changed {
        assert!(own.iter().any(|own| addr.starts_with(own)), "{addr}");
    }
    shop.ok(&["apply", "--yes"]);
    let again = shop.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{again}");
    assert_eq!(of_others(&shop), theirs, "nothing of theirs was written to");
    // Where the things are that were made.
    let show = shop.json(&["show", "--json"]);
    let ids = |kind: &str| -> Vec<String> {
        let all = show["lookups"].as_array().expect("lookups").iter();
        let all = all.filter(|one| one["kind"] == kind);
        let things = all.flat_map(|one| one["things"].as_array().expect("things"));
        things
            .filter_map(|thing| thing["id"].as_str().map(str::to_owned))
            .collect()
    };
    let resources = show["resources"].as_array().expect("resources");
    let of = |addr: &str| {
        let mut all = resources.iter();
        all.find(|one| one["addr"].as_str().is_some_and(|a| a.starts_with(addr)))
            .unwrap_or_else(|| panic!("no {addr}"))
    };
    let db = &of("machine.db")["spec"];
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    assert!(ids("subnet").contains(&text(&db["subnet"])), "{db}");
    assert!(
        db["firewalls"].to_string().contains(&ids("firewall")[0]),
        "{db}"
    );
    assert_eq!(vec![text(&db["keypair"])], ids("keypair"));
    assert_eq!(
        vec![text(&of("subnet.own")["spec"]["network"])],
        ids("network")
    );
    // Ranges of both teams are apart.
    let range = |thing: &Value| -> (u32, u32) {
        let cidr = text(&thing["spec"]["cidr"]);
        let (first, bits) = cidr.split_once('/').expect("a range");
        let first = u32::from(first.parse::<std::net::Ipv4Addr>().expect("an address"));
        let bits: u32 = bits.parse().expect("a prefix");
        (first, first + ((1_u64 << (32 - bits)) - 1) as u32)
    };
    let is_subnet = |thing: &&Value| thing["kind"] == "subnet";
    let mine: Vec<_> = resources.iter().filter(is_subnet).map(range).collect();
    let theirs: Vec<_> = theirs
        .as_array()
        .expect("things")
        .iter()
        .filter(is_subnet)
        .map(range)
        .collect();
    assert!(!mine.is_empty() && !theirs.is_empty());
    for one in &mine {
        assert!(
            theirs
                .iter()
                .all(|other| one.1 < other.0 || other.1 < one.0)
        );
    }
    let outputs = shop.json(&["output", "--json"]);
    assert_eq!(outputs["range"]["value"], "10.0.0.0/16", "{outputs}");
    assert!(outputs["vip"]["value"].is_string(), "{outputs}");
    let shown = shop.ok(&["show"]);
    assert!(shown.stdout.contains("Looked up; others own it"), "{shown}");
    // They stay when all of this goes.
    let before = of_others(&shop);
    shop.ok(&["destroy", "--yes", "--allow-data-loss", "shop"]);
    assert_eq!(of_others(&shop), before);
}

#[test]
fn what_is_missing_ambiguous_or_ones_own_is_an_error_at_its_place() {
    let (shop, _) = both();
    let id = of_others(&shop);
    let buckets = id.as_array().expect("things").iter();
    let buckets: Vec<String> = buckets
        .filter(|thing| thing["kind"] == "bucket")
        .filter_map(|thing| thing["id"].as_str().map(str::to_owned))
        .collect();
    // Two are like that.
    let more = "bucket \"b\" {\n  lookup {\n    site   = site.east\n    labels = { use = \"shared\" }\n  }\n}\n";
    std::fs::write(shop.path().join("more.hcl"), more).expect("written");
    let done = shop.run(&["plan"]);
    done.failed_saying(&[
        "2 buckets with `use = shared` are at east",
        "more.hcl:2",
        &buckets[0],
    ]);
    let json: Value = serde_json::from_str(&shop.run(&["plan", "--json"]).stdout).expect("JSON");
    assert_eq!(json["error"]["kind"], "not_found", "{json}");
    // Nothing is.
    let none = more.replace("labels = { use = \"shared\" }", "id = \"no-such-bucket\"");
    std::fs::write(shop.path().join("more.hcl"), none).expect("written");
    shop.run(&["apply", "--yes"])
        .failed_saying(&["there is no bucket with the id `no-such-bucket` at east"]);
    assert!(shop.things().is_empty(), "nothing was made");
    // By its id it is one.
    let one = more.replace(
        "labels = { use = \"shared\" }",
        &format!("id = \"{}\"", buckets[1]),
    );
    std::fs::write(shop.path().join("more.hcl"), one).expect("written");
    shop.ok(&["apply", "--yes"]);
    // What one owns oneself is not others'.
    let own = more
        .replace("bucket \"b\"", "subnet \"again\"")
        .replace("use = \"shared\"", "of = \"shop\"");
    std::fs::write(shop.path().join("more.hcl"), own).expect("written");
    shop.run(&["plan"]).failed_saying(&[
        "is this topology's own: subnet.own@east",
        "refer to `subnet.own`",
    ]);
}

#[test]
fn a_saved_plan_is_out_of_date_once_another_thing_is_found() {
    let (shop, _) = both();
    shop.ok(&["plan", "--out", "plan.json"]);
    let corp = shop.path().join("corp/corp.hcl");
    let text = std::fs::read_to_string(&corp).expect("the file");
    // Their new key pair has the label, and the old one has not.
    let new = text.replace("keypair \"ops\"", "keypair \"ops2\"");
    std::fs::write(&corp, new).expect("written");
    shop.ok(&["apply", "--yes", "corp"]);
    shop.run(&["apply", "plan.json", "--yes"])
        .failed_saying(&["keypair.ops@east, which is looked up, is not"]);
    assert!(shop.things().is_empty());
    shop.ok(&["apply", "--yes"]);
}

#[test]
fn a_rehearsal_finds_copies_of_what_others_own() {
    let (shop, _) = both();
    shop.ok(&["apply", "--yes"]);
    let done = shop.ok(&["rehearse", "--fail", "site.east/us-east-1a"]);
    assert!(!done.stdout.is_empty(), "{done}");
}
