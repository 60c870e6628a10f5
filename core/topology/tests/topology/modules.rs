//! Modules: the files of a folder, as often as they are used.

use std::path::Path;

use strat_model::{Diagnostic, Inventory, LocalAddr};
use strat_topology::{Evaluated, Inputs, Sources, Topology};

use crate::support::codes;
use crate::week::{HEAD, folder};

const MODULE: &str = r#"
variable "site" {}
variable "cidr" {
  default = "10.20.0.0/16"
}
variable "web" {
  type    = number
  default = 2
  validation {
    condition = var.web < 10
    message   = "at most nine"
  }
}
locals {
  name = "web-${var.web}"
}
network "core" {
  cidr  = var.cidr
  sites = [var.site]
}
subnet "app" {
  network = network.core
  newbits = 4
}
machines "web" {
  count  = var.web
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
  labels = { role = local.name, folder = path.module }
}
output "ids" {
  value = machines.web.ids
}
output "role" {
  value = local.name
}
"#;

fn load(path: &Path, inputs: &Inputs) -> Result<Evaluated, Vec<Diagnostic>> {
    let sources = Sources::load(path).expect("files");
    Topology::parse(&sources)?.evaluate(inputs)
}

fn with_module(topology: &str) -> Result<Evaluated, Vec<Diagnostic>> {
    let topology = format!("{HEAD}{topology}");
    let dir = folder(&[("shop.hcl", &topology), ("modules/shop/main.hcl", MODULE)]);
    load(dir.path(), &Inputs::default())
}

fn addrs(evaluated: &Evaluated) -> Vec<String> {
    let machines = evaluated.intent.machines.iter();
    machines.map(|one| one.common.addr.to_string()).collect()
}

#[test]
fn a_module_is_written_out_under_its_name() {
    let evaluated = with_module(
        r#"
        module "eu" {
          source = "./modules/shop"
          site   = site.east
          web    = 3
        }
        output "role" { value = module.eu.role }
        "#,
    );
    let evaluated = evaluated.expect("right");
    assert_eq!(addrs(&evaluated), ["machines.eu.web"]);
    let machine = &evaluated.intent.machines[0];
    assert_eq!(machine.count, 3);
    assert_eq!(machine.subnet.to_string(), "subnet.eu.app");
    assert_eq!(machine.common.labels["role"], "web-3");
    assert_eq!(machine.common.labels["folder"], "modules/shop");
    let outputs = evaluated.outputs(&Inventory::default());
    assert_eq!(
        outputs["role"].value.as_ref().map(ToString::to_string),
        Some("\"web-3\"".to_owned())
    );
}

#[test]
fn a_module_is_used_once_for_each() {
    let evaluated = with_module(
        r#"
        locals { shops = { de = 1, fr = 4 } }
        module "shops" {
          source   = "./modules/shop"
          for_each = local.shops
          site     = site.east
          web      = each.value
          cidr     = "10.2${each.value}.0.0/16"
        }
        module "more" {
          source = "./modules/shop"
          count  = 2
          site   = site.east
          web    = count.index + 1
          cidr   = "10.3${count.index}.0.0/16"
        }
        output "roles" { value = { for key, shop in module.shops : key => shop.role } }
        output "one" { value = module.shops["fr"].role }
        output "last" { value = module.more[1].role }
        "#,
    );
    let evaluated = evaluated.expect("right");
    let expect = [
        "machines.more.0.web",
        "machines.more.1.web",
        "machines.shops.de.web",
        "machines.shops.fr.web",
    ];
    assert_eq!(addrs(&evaluated), expect);
    let outputs = evaluated.outputs(&Inventory::default());
    let text = |name: &str| outputs[name].value.as_ref().map(ToString::to_string);
    assert_eq!(
        text("roles").as_deref(),
        Some("{\"de\":\"web-1\",\"fr\":\"web-4\"}")
    );
    assert_eq!(text("one").as_deref(), Some("\"web-4\""));
    assert_eq!(text("last").as_deref(), Some("\"web-2\""));
}

#[test]
fn modules_give_each_other_values_and_stand_in_each_other() {
    let inner = r#"
        variable "name" { type = string }
        output "long" { value = "${var.name}-long" }
        bucket "b" {
          site   = "east"
          labels = { name = var.name }
        }
    "#;
    let outer = r#"
        variable "name" { type = string }
        module "inner" {
          source = "../inner"
          name   = "${var.name}!"
        }
        output "long" { value = module.inner.long }
    "#;
    let topology = format!(
        r#"{HEAD}
        module "a" {{
          source = "./outer"
          name   = "a"
        }}
        module "b" {{
          source = "./outer"
          name   = module.a.long
        }}
        output "long" {{ value = module.b.long }}
        "#
    );
    let dir = folder(&[
        ("shop.hcl", &topology),
        ("outer/main.hcl", outer),
        ("inner/main.hcl", inner),
    ]);
    let evaluated = load(dir.path(), &Inputs::default()).expect("right");
    let buckets: Vec<_> = evaluated
        .intent
        .buckets
        .iter()
        .map(|b| b.common.addr.to_string())
        .collect();
    assert_eq!(buckets, ["bucket.a.inner.b", "bucket.b.inner.b"]);
    let outputs = evaluated.outputs(&Inventory::default());
    let long = outputs["long"].value.as_ref().map(ToString::to_string);
    assert_eq!(long.as_deref(), Some("\"a!-long!-long\""));
}

#[test]
fn what_is_wrong_with_a_module_is_told_at_its_place() {
    let check = |topology: &str, expect: &[&str], says: &str| {
        let found = with_module(topology).expect_err("wrong");
        assert_eq!(codes(&found), expect, "{found:#?}");
        let text = format!("{found:#?}");
        assert!(text.contains(says), "{text}");
    };
    let module = |body: &str| format!("module \"eu\" {{\n{body}\n}}\n");
    check(
        &module("source = \"git::https://example.com/shop.git\"\nsite = site.east"),
        &["bad_module_source"],
        "clone the repository",
    );
    check(
        &module("source = \"terraform-aws-modules/vpc/aws\""),
        &["bad_module_source"],
        "there is no registry",
    );
    check(
        &module("source = \"./modules/shpo\""),
        &["bad_module_source"],
        "holds no module",
    );
    check(
        &module("source = \"./modules/shop\""),
        &["missing_variable_of_module"],
        "is given no `site`",
    );
    check(
        &module("source = \"./modules/shop\"\nsite = site.east\nweb = \"many\""),
        &["wrong_type"],
        "`web` has the wrong type",
    );
    check(
        &module("source = \"./modules/shop\"\nsite = site.east\nweb = 12"),
        &["validation"],
        "at most nine",
    );
    check(
        &module("source = \"./modules/shop\"\nsite = site.east\nwbe = 2"),
        &["unknown_attribute"],
        "did you mean `web`?",
    );
    let eu = module("source = \"./modules/shop\"\nsite = site.east");
    check(
        &format!("{eu}output \"o\" {{ value = module.eu.rolle }}"),
        &["unknown_attribute"],
        "did you mean `role`?",
    );
    check(
        &format!("{eu}output \"o\" {{ value = module.us.role }}"),
        &["unknown_reference"],
        "there is no module `us`",
    );
}

#[test]
fn a_module_that_uses_itself_and_one_with_sites_are_refused() {
    let topology = format!("{HEAD}module \"a\" {{ source = \"./m\" }}\n");
    let again = "module \"again\" { source = \"../m\" }\n";
    let dir = folder(&[("shop.hcl", &topology), ("m/main.hcl", again)]);
    let found = load(dir.path(), &Inputs::default()).expect_err("endless");
    assert_eq!(codes(&found), ["too_deep"]);
    let site = "site \"w\" { provider = \"sim\" }\n";
    let dir = folder(&[("shop.hcl", &topology), ("m/main.hcl", site)]);
    let found = load(dir.path(), &Inputs::default()).expect_err("a site");
    assert_eq!(codes(&found), ["not_in_a_module"]);
}

#[test]
fn things_go_into_a_module_by_a_rename() {
    let evaluated = with_module(
        r#"
        module "eu" {
          source = "./modules/shop"
          site   = site.east
        }
        moved {
          from = machines.web
          to   = machines.eu.web
        }
        "#,
    );
    let moves = evaluated.expect("right").intent.moves;
    let web: LocalAddr = "machines.web".parse().expect("an address");
    assert_eq!(moves.local(&web).to_string(), "machines.eu.web");
}
