//! The same topology in HCL, YAML and JSON gives the same intent.

use crate::support::{codes, evaluate, intent_text};

const HCL: &str = r#"
topology "shop" { labels = { env = var.env } }
variable "env" {
  type    = string
  default = "test"
  validation {
    condition = var.env != ""
    message   = "not empty"
  }
}
locals { ports = [80, 443] }
site "dc1" {
  provider = "sim"
  zones    = ["rack1", "rack2"]
}
network "core" {
  cidr  = "10.0.0.0/16"
  sites = [site.dc1]
}
subnet "app" {
  network = network.core
  newbits = 4
}
firewall "web" {
  network = network.core
  ingress "http" {
    from  = ["internet"]
    ports = local.ports
  }
}
machine "db" {
  for_each = { a = "rack1", b = "rack2" }
  cpu      = 2
  memory   = "4GiB"
  image    = "debian-12"
  subnet   = subnet.app
  disk { size = "10GiB" }
  disk { size = "20GiB" }
  placement { zone = each.value }
  user_data = "env=${var.env}\n"
}
bucket "logs" {
  site       = site.dc1
  depends_on = [machine.db]
}
output "ip" { value = machine.db["a"].private_ip }
"#;

const YAML: &str = r#"
topology:
  shop:
    labels: { env: "${var.env}" }
variable:
  env:
    type: string
    default: test
    validation:
      condition: ${var.env != ""}
      message: not empty
locals:
  ports: [80, 443]
site:
  dc1:
    provider: sim
    zones: [rack1, rack2]
network:
  core:
    cidr: 10.0.0.0/16
    sites: ["${site.dc1}"]
subnet:
  app:
    network: ${network.core}
    newbits: 4
firewall:
  web:
    network: ${network.core}
    ingress:
      http:
        from: [internet]
        ports: ${local.ports}
machine:
  db:
    for_each: { a: rack1, b: rack2 }
    cpu: 2
    memory: 4GiB
    image: debian-12
    subnet: ${subnet.app}
    disk:
      - size: 10GiB
      - size: 20GiB
    placement:
      zone: ${each.value}
    user_data: |
      env=${var.env}
bucket:
  logs:
    site: ${site.dc1}
    depends_on: [machine.db]
output:
  ip:
    value: ${machine.db["a"].private_ip}
"#;

const JSON: &str = r#"{
	"//": "tabs are fine",
	"topology": { "shop": { "labels": { "env": "${var.env}" } } },
	"variable": { "env": { "type": "string", "default": "test",
		"validation": [{ "condition": "${var.env != \"\"}", "message": "not empty" }] } },
	"locals": { "ports": [80, 443] },
	"site": { "dc1": { "provider": "sim", "zones": ["rack1", "rack2"] } },
	"network": { "core": { "cidr": "10.0.0.0/16", "sites": ["${site.dc1}"] } },
	"subnet": { "app": { "network": "${network.core}", "newbits": 4 } },
	"firewall": { "web": { "network": "${network.core}",
		"ingress": { "http": { "from": ["internet"], "ports": "${local.ports}" } } } },
	"machine": { "db": {
		"for_each": { "a": "rack1", "b": "rack2" },
		"cpu": 2, "memory": "4GiB", "image": "debian-12", "subnet": "${subnet.app}",
		"disk": [{ "size": "10GiB" }, { "size": "20GiB" }],
		"placement": { "zone": "${each.value}" },
		"user_data": "env=${var.env}\n" } },
	"bucket": { "logs": { "site": "${site.dc1}", "depends_on": ["machine.db"] } },
	"output": { "ip": { "value": "${machine.db[\"a\"].private_ip}" } }
}"#;

#[test]
fn three_notations_of_one_topology() {
    let hcl = intent_text(&evaluate(&[("t.hcl", HCL)]).expect("HCL"));
    let yaml = intent_text(&evaluate(&[("t.yaml", YAML)]).expect("YAML"));
    let json = intent_text(&evaluate(&[("t.json", JSON)]).expect("JSON"));
    assert_eq!(hcl, yaml);
    assert_eq!(hcl, json);
}

#[test]
fn places_in_yaml_are_exact() {
    let text = YAML.replace("var.env}\"", "var.enf}\"");
    let found = evaluate(&[("t.yaml", &text)]).expect_err("refused");
    assert_eq!(codes(&found), ["unknown_reference"]);
    let place = &found[0].labels[0].origin;
    assert_eq!(&text[place.start as usize..place.end as usize], "var.enf");
}

#[test]
fn broken_data_is_told_of() {
    for (name, text, code) in [
        ("t.yaml", "topology: [", "syntax"),
        ("t.json", "{\"topology\": }", "syntax"),
        ("t.json", "topology: {}", "syntax"),
        ("t.yaml", "topology: shop", "wrong_shape"),
        ("t.yaml", "- a", "wrong_shape"),
        (
            "t.yaml",
            "topology: { t: }\nmachin: { a: {} }",
            "unknown_block",
        ),
        (
            "t.yaml",
            "topology: { t: }\nlocals: { a: \"${\" }",
            "syntax",
        ),
        ("t.yaml", "", "missing_topology"),
        ("t.json", "", "missing_topology"),
        ("t.yaml", "a: &a [*a]", "syntax"),
        (
            "t.yaml",
            &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
            "syntax",
        ),
        (
            "t.json",
            &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
            "syntax",
        ),
    ] {
        let found = evaluate(&[(name, text)]).expect_err("refused");
        assert_eq!(codes(&found)[0], code, "{text:.40}: {found:#?}");
    }
}

#[test]
fn signs_of_two_halves_are_read() {
    let text = r#"{ "topology": { "t": {} },
      "locals": { "a": "\ud83d\ude00 \u00e9", "b": "\\", "c": [1, -2.5e1, true, null, {}] },
      "output": { "a": { "value": "${local.a}" }, "c": { "value": "${local.c}" } } }"#;
    let evaluated = evaluate(&[("t.json", text)]).expect("it evaluates");
    let outputs = evaluated.outputs(&strat_model::Inventory::default());
    assert_eq!(
        outputs["a"].value,
        Some(serde_json::json!("\u{1f600} é").into())
    );
    let list = serde_json::json!([1, -25, true, null, {}]);
    assert_eq!(outputs["c"].value, Some(list.into()));
}

#[test]
fn places_in_json_are_exact() {
    let text = JSON.replace("${local.ports}", "${local.prots}");
    let text = text.replace("tabs are fine", "ü \\ud83d\\ude00");
    let found = evaluate(&[("t.json", &text)]).expect_err("refused");
    assert_eq!(codes(&found), ["unknown_reference"]);
    let place = &found[0].labels[0].origin;
    let here = &text[place.start as usize..place.end as usize];
    assert_eq!(here, "local.prots");
}

#[test]
fn other_data_is_told_from_a_topology() {
    let other = "packages: [nginx]\nruncmd: []\n";
    let found = evaluate(&[("t.yaml", YAML), ("init.yaml", other)]).expect_err("refused");
    assert_eq!(codes(&found), ["no_topology_file"]);
    let typo = "machin: { a: {} }\n";
    let found = evaluate(&[("t.yaml", YAML), ("more.yaml", typo)]).expect_err("refused");
    assert_eq!(codes(&found), ["unknown_block"]);
}
