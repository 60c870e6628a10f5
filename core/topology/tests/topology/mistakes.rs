//! One mistake hides no other: all that is wrong is told in one run, in every notation.

use strat_topology::{Inputs, Topology};

use crate::support::{codes, sources};

/// The codes of all findings, sorted.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let sources = sources(files);
    let found = match Topology::parse(&sources) {
        Err(found) => found,
        Ok(topology) => topology.check(&Inputs::default()).1,
    };
    let mut codes: Vec<String> = codes(&found).into_iter().map(str::to_owned).collect();
    codes.sort();
    codes
}

const HCL: &str = r#"
topology "shop" {}

variable "size" {
  type    = number
  default = "large"
}

locals {
  twice = 1
}

locals {
  twice = local.gone
}

site "east" {
  provider = "sim"
  capacity = { cpu = 8, memori = "4GiB" }
}

network "core" {
  cidr  = "10.0.0.0/16"
  sites = [site.east, site.west]
}

subnet "app" {
  network = network.core
  newbits = 4
  labels  = { Role = "app" }
}

subnet "app" {
  network = network.cores
  newbits = 1 / 0
}

machine "web" {
  cpu    = 2
  memry  = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
  disk {
    size = "20 GB of it"
  }
  disc {
    size = "20GiB"
  }
}

machin "db" {
  cpu    = 4
  memory = 8
  subnet = subnet.nowhere
}

bucket "logs" {
  count = -1
  site  = site.east
}

output "ip" {
  value = machine.web.privat_ip
}

output "ip" {
  value = lenght([1])
}
"#;

const HCL_CODES: [&str; 16] = [
    "bad_count",
    "bad_size",
    "division_by_zero",
    "duplicate_name",
    "duplicate_name",
    "duplicate_name",
    "unknown_attribute",
    "unknown_attribute",
    "unknown_attribute",
    "unknown_block",
    "unknown_block",
    "unknown_function",
    "unknown_reference",
    "unknown_reference",
    "unknown_reference",
    "wrong_type",
];

#[test]
fn mistakes_of_all_kinds_are_told_at_once() {
    assert_eq!(found(&[("shop.hcl", HCL)]), HCL_CODES);
}

#[test]
fn in_yaml_and_json_too() {
    let yaml = r#"
topology: { shop: {} }
site:
  east: { provider: sim, region: [1] }
network:
  core: { cidr: 10.0.0.0/99, sites: ["${site.east}"] }
subnet:
  app: { network: "${network.cores}", newbits: 4, newbit: 3 }
machin:
  web: { cpu: 2, subnet: "${subnet.gone}" }
bucket:
  logs: { site: east, versioning: perhaps, labels: { a: "${1 / 0}" } }
output:
  a: { value: "${bucket.logs.ur}" }
"#;
    let wanted = [
        "bad_cidr",
        "division_by_zero",
        "unknown_attribute",
        "unknown_attribute",
        "unknown_block",
        "unknown_reference",
        "wrong_type",
        "wrong_type",
    ];
    assert_eq!(found(&[("shop.yaml", yaml)]), wanted);
    let json = r#"{
  "topology": { "shop": {} },
  "site": { "east": { "provider": "sim", "region": [1] } },
  "network": { "core": { "cidr": "10.0.0.0/99", "sites": ["${site.east}"] } },
  "subnet": { "app": { "network": "${network.cores}", "newbits": 4, "newbit": 3 } },
  "machin": { "web": { "cpu": 2, "subnet": "${subnet.gone}" } },
  "bucket": { "logs": { "site": "east", "versioning": "perhaps", "labels": { "a": "${1 / 0}" } } },
  "output": { "a": { "value": "${bucket.logs.ur}" } }
}"#;
    assert_eq!(found(&[("shop.json", json)]), wanted);
}

#[test]
fn what_cannot_be_read_does_not_hide_what_is_unknown() {
    let text = "topology \"t\" {}\nlocals {\n  a = [1, 2\n  b = 3\n}\nsite \"a\" {\n  provider = \"sim\"\n}\nbucket \"b\" {\n  site = site.a\n  versoning = true\n}\nbukket \"c\" {}\n";
    assert_eq!(
        found(&[("t.hcl", text)]),
        ["syntax", "unknown_attribute", "unknown_block"]
    );
    // In another file as well, and nothing is told of what may be in the broken part.
    let broken = "topology \"t\" {}\nsite \"a\" {\n  provider = \n}\n";
    let other = "bucket \"b\" {\n  site = site.a\n  versoning = true\n}\n";
    assert_eq!(
        found(&[("a.hcl", broken), ("b.hcl", other)]),
        ["syntax", "unknown_attribute"]
    );
    // A brace that is missing makes no cascade of blocks within blocks.
    let open = "topology \"t\" {}\nsite \"a\" {\n  provider = \"sim\"\n\nbucket \"b\" {\n  site = site.a\n}\n\nbucket \"c\" {\n  site = site.a\n}\n";
    assert_eq!(found(&[("t.hcl", open)]), ["syntax"]);
    let yaml = "topology: { t: {} }\nsite: { a: { provider: sim } }\nbucket:\n  b: { site: \"${site.\", versoning: true }\n";
    assert_eq!(found(&[("t.yaml", yaml)]), ["syntax", "unknown_attribute"]);
}

#[test]
fn an_unknown_block_is_one_mistake() {
    let text = "topology \"t\" {}\nresource \"aws_instance\" \"web\" {\n  ami = data.aws_ami.x.id\n  count = var.n\n  network_interface {\n    device = aws_eni.x.id\n  }\n}\nsite \"a\" { provider = \"sim\" }\nbucket \"b\" {\n  site = site.b\n}\n";
    assert_eq!(
        found(&[("t.hcl", text)]),
        ["unknown_block", "unknown_reference"]
    );
    let many: String = (0..40)
        .map(|n| format!("machin \"m{n}\" {{\n  cpu = 1\n  subnet = subnet.x\n}}\n"))
        .collect();
    let text = format!("topology \"t\" {{}}\n{many}");
    let codes = found(&[("t.hcl", &text)]);
    assert_eq!(codes, vec!["unknown_block"; 40]);
}
