//! Data goes only by name.

use serde_json::{Value, json};
use stratiform::SavedPlan;

use crate::support::{Done, Shop};

const SHOP: &str = r#"
topology "shop" {}

site "dc1" {
  provider = "sim"
  profile  = "onprem"
  region   = "dc1"
  zones    = ["rack1", "rack2"]
  capacity = { cpu = 64, memory = "256GiB", disk = "8TiB" }
}

site "east" {
  provider = "sim"
  profile  = "aws"
  region   = "us-east-1"
}

network "core" {
  cidr        = "10.20.0.0/16"
  site_prefix = 20
  sites       = [site.dc1, site.east]
}

subnet "app" {
  network = network.core
  newbits = 3
}

machine "db" {
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app

  placement {
    sites = [site.dc1]
  }
}

machines "web" {
  count  = 2
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app

  placement {
    sites = [site.dc1]
  }
}

volume "db" {
  size   = "10GiB"
  class  = "ssd"
  attach = machine.db
}

volume "spare" {
  size = "10GiB"
  site = site.dc1
  zone = "rack1"
}

bucket "logs" {
  site = site.east
}
"#;

fn shop() -> Shop {
    let shop = Shop::of(SHOP);
    shop.ok(&["apply", "--yes"]);
    shop
}

/// The id of what is at an address.
fn id(shop: &Shop, addr: &str) -> String {
    let things = shop.json(&["show", "--json"]);
    let things = things["resources"].as_array().expect("resources");
    let found = things.iter().find(|thing| thing["addr"] == json!(addr));
    let found = found.unwrap_or_else(|| panic!("no {addr} in {things:#?}"));
    found["id"].as_str().expect("an id").to_owned()
}

#[track_caller]
fn lost(plan: &Value) -> Vec<&str> {
    let losses = plan["data_loss"].as_array().expect("`data_loss`");
    losses
        .iter()
        .map(|loss| loss["addr"].as_str().expect("an address"))
        .collect()
}

#[track_caller]
fn refused(done: &Done, addr: &str) {
    done.failed_saying(&["data would be lost for good", addr]);
}

#[test]
fn a_volume_is_made_anew_only_by_name() {
    let shop = shop();
    let before = id(&shop, "volume.db@dc1");
    shop.edit("class  = \"ssd\"", "class  = \"nvme\"");
    let plan = shop.ok(&["plan"]);
    assert!(plan.stdout.contains("its data is lost"), "{plan}");
    let plan = shop.json(&["plan", "--json"]);
    assert_eq!(lost(&plan), ["volume.db@dc1"]);
    assert_eq!(plan["data_loss"][0]["id"], json!(before));

    // A yes, a consent to much, the topology's name, another's name and another thing's id are no
    // consent to this.
    for extra in [
        &[][..],
        &["--allow-deletes"],
        &["--allow-data-loss", "shop"],
        &["--allow-data-loss", "volume.spare@dc1"],
        &["--allow-data-loss", "volume.db@dc1=vol-other"],
    ] {
        let done = shop.run(&[&["apply", "--yes"], extra].concat());
        refused(&done, "--allow-data-loss volume.db@dc1");
    }
    shop.run(&["apply", "--yes", "--allow-data-loss", "volume.*@dc1"]);
    assert_eq!(id(&shop, "volume.db@dc1"), before);

    let named = format!("volume.db@dc1={before}");
    shop.ok(&["apply", "--yes", "--allow-data-loss", &named]);
    assert_ne!(id(&shop, "volume.db@dc1"), before);
    shop.run(&["plan", "--detailed-exitcode"]);
}

#[test]
fn a_renamed_or_forgotten_block_keeps_its_data() {
    let shop = shop();
    shop.edit("volume \"db\"", "volume \"data\"");
    refused(&shop.run(&["apply", "--yes"]), "volume.db@dc1");
    shop.edit("volume \"data\"", "volume \"db\"");
    shop.edit("machine \"db\"", "machine \"main\"");
    shop.edit("machine.db", "machine.main");
    refused(&shop.run(&["apply", "--yes"]), "machine.db@dc1");
}

#[test]
fn a_volume_stays_in_its_zone_and_at_its_site() {
    let shop = shop();
    let before = id(&shop, "volume.spare@dc1");
    let all = ["apply", "--yes", "--allow-data-loss", "volume.spare@dc1"];
    shop.edit("zone = \"rack1\"", "zone = \"rack2\"");
    shop.run(&all).failed_saying(&[
        "volume.spare is in rack1 and cannot move to rack2",
        "shop.hcl",
        "copy what is on this one",
    ]);
    shop.edit("site = site.dc1\n  zone = \"rack2\"", "site = site.east");
    shop.run(&all)
        .failed_saying(&["volume.spare is at dc1 and cannot move to east"]);
    assert_eq!(id(&shop, "volume.spare@dc1"), before);
}

#[test]
fn what_holds_no_data_needs_no_name() {
    let shop = shop();
    let text = SHOP.replace("count  = 2", "count  = 0");
    let start = text.find("volume \"spare\"").expect("the block");
    std::fs::write(shop.path().join("shop.hcl"), &text[..start]).expect("written");
    // Members of a fleet, a volume that was never attached, an empty bucket.
    assert!(lost(&shop.json(&["plan", "--json"])).is_empty());
    let done = shop.ok(&["apply", "--yes"]);
    assert!(done.stderr.contains("4 deleted"), "{done}");
}

#[test]
fn what_was_attached_or_filled_once_does() {
    let shop = shop();
    let attached = "size   = \"10GiB\"\n  class  = \"ssd\"\n  attach = machine.db";
    shop.edit(attached, "size = \"10GiB\"\n  site = site.dc1");
    shop.ok(&["apply", "--yes"]);
    shop.ok(&["sim", "fill-bucket", "bucket.logs@east", "3"]);
    let start = SHOP.find("volume \"db\"").expect("the block");
    std::fs::write(shop.path().join("shop.hcl"), &SHOP[..start]).expect("written");
    let plan = shop.json(&["plan", "--json"]);
    assert_eq!(lost(&plan), ["volume.db@dc1", "bucket.logs@east"]);
    refused(&shop.run(&["apply", "--yes"]), "bucket.logs@east");

    // With its name it is emptied, and goes.
    let names = ["volume.db@dc1", "bucket.logs@east"];
    let mut args = vec!["apply", "--yes"];
    names
        .iter()
        .for_each(|name| args.extend(["--allow-data-loss", name]));
    let done = shop.ok(&args);
    let left = shop.things();
    assert!(!left.iter().any(|(kind, _)| kind == "bucket"), "{done}");
}

#[test]
fn what_its_mark_says_is_disposable_goes_unattended() {
    let shop = shop();
    let mark = |text: &str| {
        let text = text.replace("machine \"db\" {", "machine \"db\" {\n  disposable = true");
        text.replace("volume \"db\" {", "volume \"db\" {\n  disposable = true")
    };
    // The file alone gives nothing up: the mark does not say so yet.
    let disposable = mark(SHOP);
    let path = shop.path().join("shop.hcl");
    let anew = disposable.replace("\"ssd\"", "\"nvme\"");
    std::fs::write(&path, anew).expect("written");
    refused(&shop.run(&["apply", "--yes"]), "volume.db@dc1");
    std::fs::write(&path, &disposable).expect("written");
    let done = shop.ok(&["apply", "--yes"]);
    assert!(done.stderr.contains("2 updated"), "{done}");
    assert_eq!(shop.run(&["plan", "--detailed-exitcode"]).code, Some(0));
    shop.ok(&["destroy", "--yes"]);
    assert!(shop.things().is_empty());
}

#[test]
fn a_saved_plan_needs_the_same_names() {
    let shop = shop();
    shop.edit("class  = \"ssd\"", "class  = \"nvme\"");
    shop.ok(&["plan", "--out", "plan.json"]);
    let text = std::fs::read_to_string(shop.path().join("plan.json")).expect("the plan");
    let plan: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(lost(&plan), ["volume.db@dc1"]);
    refused(&shop.run(&["apply", "plan.json"]), "volume.db@dc1");

    // Whoever takes the loss out of the file has another plan than its digest says.
    let mut forged = plan.clone();
    forged["data_loss"] = json!([]);
    let path = shop.path().join("forged.json");
    std::fs::write(&path, forged.to_string()).expect("written");
    shop.run(&["apply", "forged.json"])
        .failed_saying(&["changed since it was written"]);

    // With another digest, too, it is another plan than there would be now.
    let mut forged = SavedPlan::read(&shop.path().join("plan.json")).expect("the plan");
    forged.plan.data_loss.clear();
    for change in &mut forged.plan.changes {
        for target in &mut change.targets {
            target.data_loss = false;
        }
    }
    forged.write(&path).expect("written");
    shop.run(&["apply", "forged.json"])
        .failed_saying(&["the plan is out of date"]);

    shop.ok(&["apply", "plan.json", "--allow-data-loss", "volume.db@dc1"]);
    let plan = shop.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}
