//! What people know from other tools: modules, sites of a list, nested blocks of a list, conditions,
//! what is let go, environments.

use std::path::Path;

use strat_model::{Inventory, Noun};
use strat_topology::{Inputs, Sources, Topology};

use crate::support::{codes, evaluate, evaluate_with, render, sources};

pub(crate) const HEAD: &str = r#"
topology "shop" {}
site "east" {
  provider = "sim"
  region   = "us-east-1"
}
network "core" {
  cidr  = "10.0.0.0/16"
  sites = [site.east]
}
"#;

/// A folder with a topology and what else is in it.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    dir
}

#[test]
fn a_site_for_each_item() {
    let evaluated = evaluate(&[(
        "shop.hcl",
        r#"
        topology "shop" {}
        variable "regions" {
          type    = map(string)
          default = { west = "eu-west-1", north = "eu-north-1" }
        }
        site "cloud" {
          for_each = var.regions
          provider = "sim"
          region   = each.value
          labels   = { key = each.key }
        }
        network "core" {
          cidr        = "10.0.0.0/14"
          site_prefix = 18
          sites       = values(site.cloud)
        }
        bucket "b" {
          site   = site.cloud["west"]
          labels = { region = site.cloud["west"].region }
        }
        "#,
    )]);
    let intent = evaluated.expect("right").intent;
    let sites: Vec<_> = intent.sites.keys().map(ToString::to_string).collect();
    assert_eq!(sites, ["cloud-north", "cloud-west"]);
    let west = &intent.sites["cloud-west"];
    assert_eq!(west.region.as_deref(), Some("eu-west-1"));
    assert_eq!(west.labels["key"], "west");
    assert_eq!(intent.networks[0].sites.len(), 2);
    assert_eq!(intent.buckets[0].common.labels["region"], "eu-west-1");
    let wrong = HEAD.replace(
        "provider = \"sim\"",
        "for_each = { \"a.b\" = 1 }\n  provider = \"sim\"",
    );
    let found = evaluate(&[("shop.hcl", &wrong)]).expect_err("no name");
    assert_eq!(codes(&found), ["bad_name"], "{found:#?}");
}

#[test]
fn nested_blocks_of_a_list() {
    let text = |dynamic: &str| {
        format!(
            r#"{HEAD}
            variable "ports" {{ default = {{ web = 80, api = 8080 }} }}
            firewall "f" {{
              network = network.core
              {dynamic}
            }}
            subnet "s" {{
              network = network.core
              newbits = 4
            }}
            machine "m" {{
              cpu    = 1
              memory = "1GiB"
              image  = "debian-12"
              subnet = subnet.s
              dynamic "disk" {{
                for_each = [10, 20]
                iterator = one
                content {{
                  size = "${{one.value}}GiB"
                }}
              }}
            }}"#
        )
    };
    let good = text(
        "dynamic \"ingress\" {\n for_each = var.ports\n content {\n from = [\"internet\"]\n ports = [ingress.value]\n }\n}",
    );
    let intent = evaluate(&[("shop.hcl", &good)]).expect("right").intent;
    let names: Vec<_> = intent.firewalls[0]
        .rules
        .iter()
        .map(|rule| rule.name.to_string())
        .collect();
    assert_eq!(names, ["api", "web"]);
    assert_eq!(intent.machines[0].disks.len(), 2);
    for (dynamic, code) in [
        (
            "dynamic \"disk\" {\n for_each = []\n content {}\n}",
            "unknown_block",
        ),
        ("dynamic \"ingress\" {\n for_each = [1]\n}", "missing_block"),
        (
            "dynamic \"ingress\" {\n for_each = [1]\n content {\n from = [\"internet\"]\n prots = [1]\n }\n}",
            "unknown_attribute",
        ),
        (
            "dynamic \"ingress\" {\n for_each = 3\n content {\n from = [\"internet\"]\n }\n}",
            "wrong_type",
        ),
    ] {
        let text = text(dynamic);
        let found = evaluate(&[("shop.hcl", &text)]).expect_err(dynamic);
        assert_eq!(codes(&found), [code], "{dynamic}: {found:#?}");
    }
}

#[test]
fn conditions_are_held_as_soon_as_they_are_known() {
    let text = |value: u32| {
        format!(
            r#"{HEAD}
            variable "nodes" {{ default = {value} }}
            bucket "b" {{
              for_each = toset(["x", "y"])
              site     = site.east
              precondition {{
                condition = each.key != "y" || var.nodes % 2 == 1
                message   = "${{var.nodes}} is even"
              }}
              postcondition {{
                condition = bucket.b[each.key].url != ""
                message   = "no address"
              }}
            }}
            check "many" {{
              assert {{
                condition = var.nodes > 5
                message   = "only ${{var.nodes}}"
              }}
            }}
            output "n" {{
              value = var.nodes
              precondition {{
                condition = var.nodes < 8
                message   = "too many"
              }}
            }}"#
        )
    };
    let warned = evaluate(&[("shop.hcl", &text(3))]).expect("right");
    assert_eq!(codes(&warned.warnings), ["check"]);
    assert_eq!(warned.warnings[0].message, "the check `many`: only 3");
    // What an apply tells is not known of what is not there.
    assert_eq!(codes(&warned.conditions(&Inventory::default())), ["check"]);
    let found = evaluate(&[("shop.hcl", &text(8))]).expect_err("wrong");
    assert_eq!(codes(&found), ["precondition", "precondition"]);
    let shown = render(&found, &sources(&[("shop.hcl", &text(8))]));
    assert!(shown.contains("`bucket.b[\"y\"]`: 8 is even"), "{shown}");
    assert!(shown.contains("the output `n`: too many"), "{shown}");
}

#[test]
fn what_is_removed_is_no_more_in_the_topology() {
    let text = format!("{HEAD}removed {{\n  from = volume.old\n}}\n");
    let intent = evaluate(&[("shop.hcl", &text)]).expect("right").intent;
    assert_eq!(intent.removed.len(), 1);
    assert_eq!(intent.removed[0].noun, Noun::Volume);
    for (from, code) in [
        ("network.core", "removed_still_there"),
        ("site.east", "bad_removed"),
        ("5", "bad_removed"),
    ] {
        let text = format!("{HEAD}removed {{\n  from = {from}\n}}\n");
        let found = evaluate(&[("shop.hcl", &text)]).expect_err(from);
        assert_eq!(codes(&found), [code], "{from}");
    }
    let yaml = "topology:\n  shop: {}\nsite:\n  east:\n    provider: sim\nremoved:\n  - from: volume.old\n";
    let intent = evaluate(&[("shop.yaml", yaml)]).expect("right").intent;
    assert_eq!(intent.removed.len(), 1);
}

#[test]
fn an_environment_is_a_realm_and_gives_its_name() {
    let text = format!(
        "{HEAD}variable \"env\" {{}}\nbucket \"b\" {{\n site = site.east\n labels = {{ env = var.env }}\n}}\n"
    );
    let inputs = |given: Option<&str>| Inputs {
        env: Some("prod".parse().expect("a name")),
        vars: given
            .map(|value| ("env".to_owned(), value.to_owned()))
            .into_iter()
            .collect(),
        ..Inputs::default()
    };
    let intent = evaluate_with(&[("shop.hcl", &text)], &inputs(None))
        .expect("right")
        .intent;
    assert_eq!(intent.owner.to_string(), "prod/shop");
    assert_eq!(intent.buckets[0].common.labels["env"], "prod");
    let intent = evaluate_with(&[("shop.hcl", &text)], &inputs(Some("dev")))
        .expect("right")
        .intent;
    assert_eq!(intent.buckets[0].common.labels["env"], "dev");
    let text = text.replace(
        "topology \"shop\" {}",
        "topology \"shop\" {\n realm = \"acme\"\n}",
    );
    let intent = evaluate_with(&[("shop.hcl", &text)], &inputs(None))
        .expect("right")
        .intent;
    assert_eq!(intent.owner.to_string(), "acme-prod/shop");
}

#[test]
fn files_of_values_beside_a_topology_are_read_in_order() {
    let dir = folder(&[
        ("shop.hcl", HEAD),
        ("b.auto.vars.hcl", ""),
        ("a.auto.vars.yaml", ""),
        (".c.auto.vars.hcl", ""),
        ("prod.vars.hcl", ""),
        ("test.vars.hcl", ""),
    ]);
    let names = |env: Option<&str>, path: &Path| -> Vec<String> {
        let files = Sources::values_beside(path, env).expect("files");
        let name = |name: &str| {
            Path::new(name)
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
        };
        files.iter().filter_map(|file| name(&file.name)).collect()
    };
    assert_eq!(
        names(None, dir.path()),
        ["a.auto.vars.yaml", "b.auto.vars.hcl"]
    );
    let prod = ["a.auto.vars.yaml", "b.auto.vars.hcl", "prod.vars.hcl"];
    assert_eq!(names(Some("prod"), &dir.path().join("shop.hcl")), prod);
    assert!(names(None, &dir.path().join("nowhere/x")).is_empty());
}

#[test]
fn who_needs_only_the_sites_needs_no_other_variable() {
    let text = format!(
        "{HEAD}variable \"password\" {{\n sensitive = true\n}}\nvariable \"region\" {{\n type = string\n default = \"x\"\n}}\n\
         bucket \"b\" {{\n site = site.east\n labels = {{ a = nonsensitive(var.password) }}\n}}\n\
         output \"region\" {{ value = var.region }}\noutput \"secret\" {{\n value = var.password\n sensitive = true\n}}\n"
    );
    let check = |text: &str| {
        let topology = Topology::parse(&sources(&[("shop.hcl", text)])).expect("well-formed");
        let (evaluated, findings, missing) = topology.check_sites(&Inputs::default());
        (evaluated, codes(&findings).join(" "), missing)
    };
    let (evaluated, found, missing) = check(&text);
    assert_eq!((found.as_str(), missing), ("", vec!["password".to_owned()]));
    let outputs = evaluated.outputs(&Inventory::default());
    assert!(outputs["region"].value.is_some());
    assert_eq!(
        outputs["secret"].error.as_deref(),
        Some("the variable `password` has no value")
    );
    // A site that needs one says so, and what else is wrong is told as ever.
    let site = text.replace("\"us-east-1\"", "var.password");
    assert_eq!(check(&site).1, "missing_variable");
    let other = text.replace("cidr  = ", "cdir  = ");
    assert!(check(&other).1.contains("unknown_attribute"));
}
