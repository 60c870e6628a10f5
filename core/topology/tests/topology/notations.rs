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
moved {
  from = machine.sql[0]
  to   = machine.db["a"]
}
moved {
  from = site.dc0
  to   = site.dc1
}
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
moved:
  - from: machine.sql[0]
    to: machine.db["a"]
  - { from: site.dc0, to: site.dc1 }
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
	"output": { "ip": { "value": "${machine.db[\"a\"].private_ip}" } },
	"moved": [{ "from": "machine.sql[0]", "to": "machine.db[\"a\"]" },
		{ "from": "site.dc0", "to": "${site.dc1}" }]
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

/// The value of a document, by `yamldecode` and as the default of a variable.
#[track_caller]
fn yaml_value(document: &str) -> Result<serde_json::Value, String> {
    let quoted = serde_json::Value::from(document)
        .to_string()
        .replace("${", "$${");
    let hcl = format!("topology \"t\" {{}}\noutput \"v\" {{ value = yamldecode({quoted}) }}\n");
    let indented = document.replace('\n', "\n      ");
    let yaml = format!("topology: {{ t: {{}} }}\noutput:\n  v:\n    value:\n      {indented}\n");
    let value = |file: (&str, &str)| match evaluate(&[file]) {
        Ok(evaluated) => {
            let outputs = evaluated.outputs(&strat_model::Inventory::default());
            let value = outputs["v"].value.as_ref().expect("a value").to_string();
            Ok(serde_json::from_str(&value).expect("it is JSON"))
        }
        Err(found) => Err(found[0].message.clone()),
    };
    let decoded = value(("t.hcl", &hcl));
    let block = value(("t.yaml", &yaml));
    match (&decoded, &block) {
        (Ok(one), Ok(other)) => assert_eq!(one, other, "{document}"),
        (Err(_), Err(_)) => {}
        _ => panic!("{document}: {decoded:?}, {block:?}"),
    }
    decoded
}

#[test]
fn yaml_is_read_by_the_core_schema() {
    use serde_json::json;
    for (document, expect) in [
        (
            "[.5, 1., 1.5e3, -.5, +7, 007, 0x1F, 0o17, 1E2]",
            json!([0.5, 1, 1500, -0.5, 7, 7, 31, 15, 100]),
        ),
        (
            "[1_000, 0b1, 1:30, \"5\", .5.5, e5, +, ., 0xg, 1e, yes, No]",
            json!([
                "1_000", "0b1", "1:30", "5", ".5.5", "e5", "+", ".", "0xg", "1e", "yes", "No"
            ]),
        ),
        (
            "[null, Null, NULL, ~, true, TRUE, False]",
            json!([null, null, null, null, true, true, false]),
        ),
        (
            "[!!str 5, !!int \"5\", !!float 5, !!bool \"true\", !!null \"\", ! 5]",
            json!(["5", 5, 5, true, null, "5"]),
        ),
        (
            "{ a: !!seq [1], b: !!map { c: 1 } }",
            json!({ "a": [1], "b": { "c": 1 } }),
        ),
        (
            "a: &a { x: 1, y: 2 }\nb:\n  <<: *a\n  y: 3",
            json!({ "a": { "x": 1, "y": 2 }, "b": { "x": 1, "y": 3 } }),
        ),
        (
            "a: { <<: [{ x: 1 }, { x: 2, y: 2 }], z: 3 }",
            json!({ "a": { "x": 1, "y": 2, "z": 3 } }),
        ),
        ("\"<<\": 1", json!({ "<<": 1 })),
    ] {
        assert_eq!(yaml_value(document), Ok(expect), "{document}");
    }
    for (document, why) in [
        (".inf", "no number"),
        ("[-.INF]", "no number"),
        (".nan", "no number"),
        ("1e999999", "10,000 digits"),
        ("!!int x", "no `!!int`"),
        ("!!binary aGk=", "`!!binary` is not known"),
        ("!!timestamp 2020-01-01", "`!!timestamp` is not known"),
        ("!mine 1", "`!mine` is not known"),
        ("!!set { a: }", "`!!set` is not known"),
        ("{ a: 1, a: 2 }", "`a` stands twice"),
        ("{ 1: 1, \"1\": 2 }", "`1` stands twice"),
        ("{ <<: 1 }", "merges a map"),
    ] {
        let found = yaml_value(document).expect_err(document);
        assert!(found.contains(why), "{document}: {found}");
    }
    let twice = r#"{"topology": {"t": {}}, "site": {"a": {"provider": "sim", "provider": "sim"}}}"#;
    assert_eq!(
        codes(&evaluate(&[("t.json", twice)]).expect_err("refused")),
        ["syntax"]
    );
}

#[test]
fn places_in_scalars_are_exact() {
    let head = "topology: { t: {} }\nlocals:\n  x:";
    for scalar in [
        " |\n    one\n      two ${no.where} é\n\n    three\n",
        " |2-\n      é one\n    ${no.where}\n",
        " >\n    one\n    two\n\n    a ${no.where}\n",
        " \"a\\tb\\u00e9 \\\"é\\\" ${no.where}\"\n",
        " \"one\n    two \\\n    \\  ${no.where}\"\n",
        " 'it''s ${no.where}'\n",
        " one\n    two ${no.where}\n",
        "\n    - |\n      ${no.where}\n",
    ] {
        let text = format!("{head}{scalar}");
        let found = evaluate(&[("t.yaml", &text)])
            .err()
            .unwrap_or_else(|| panic!("{text}"));
        let place = &found[0].labels[0].origin;
        let here = &text[place.start as usize..place.end as usize];
        assert!(here.contains("no"), "{text:?}: {here:?}: {found:#?}");
        assert!("no.where".contains(here), "{text:?}: {here:?}");
        // A slip of syntax is told at its place, too.
        let slip = text.replace("no.where", "no.where +");
        let found = evaluate(&[("t.yaml", &slip)])
            .err()
            .unwrap_or_else(|| panic!("{slip}"));
        let place = &found[0].labels[0].origin;
        assert_eq!(
            &slip[place.start as usize..place.end as usize],
            "}",
            "{slip:?}"
        );
    }
    let json = "{\"topology\": {\"t\": {}}, \"locals\": {\"x\": \"\\ud83d\\ude00\\n\\u0041 ${no.where}\"}}";
    let found = evaluate(&[("t.json", json)]).expect_err("refused");
    let place = &found[0].labels[0].origin;
    assert_eq!(&json[place.start as usize..place.end as usize], "no");
}
