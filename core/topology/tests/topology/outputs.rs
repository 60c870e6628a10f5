//! Outputs, before and after an apply.

use serde_json::json;
use strat_model::{
    Bytes, CapacityKind, Coverage, ImageRef, Inventory, Kind, MachineSpec, Mark, Resource,
    ResourceState, SiteInventory, Spec, TemplatePart,
};
use strat_topology::{Evaluated, Inputs, Json};

use crate::support::{codes, evaluate, evaluate_with};

const TEXT: &str = r#"
topology "t" {
  realm  = "bank"
  labels = { env = local.env }
}
locals {
  env    = "test"
  labels = machine.app.labels
}
variable "token" {
  default   = "hunter2"
  sensitive = true
}
site "a" { provider = "sim" }
network "n" {
  cidr  = "10.0.0.0/16"
  sites = [site.a]
}
subnet "s" {
  network = network.n
  newbits = 4
}
machine "db" {
  for_each  = { one = 2, two = 4 }
  cpu       = each.value
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.s
}
machine "app" {
  cpu       = 1
  memory    = "1GiB"
  image     = "debian-12"
  subnet    = subnet.s
  user_data = "db=${machine.db["one"].private_ip} token=${var.token}\n"
}
machines "web" {
  count  = 3
  cpu    = 1
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
}
output "ip"      { value = machine.db["one"].private_ip }
output "url"     { value = "http://${machine.db["one"].private_ip}:80" }
output "ips"     { value = machines.web.private_ips }
output "first"   { value = machines.web.private_ips[0] }
output "many"    { value = machines.web.private_ips[7] }
output "count"   { value = machines.web.count }
output "cpu"     { value = { for key, m in machine.db : key => m.cpu } }
output "all"     { value = values(machine.db)[*].private_ip }
output "splat"   { value = machine.db[*].cpu }
output "cidr"    { value = network.n.cidr }
output "sites"   { value = network.n.sites }
output "labels"  { value = local.labels }
output "whole"   { value = machine.db["one"] }
output "gone"    { value = machine.db["two"].private_ip }
output "fleet"   { value = machines.web }
output "joined"  { value = join(",", machines.web.ids) }
output "secret" {
  value       = "x${var.token}"
  sensitive   = true
  description = "do not look"
}
"#;

fn resource(evaluated: &Evaluated, addr: &str, id: &str, state: ResourceState) -> Resource {
    let spec = MachineSpec {
        machine_type: "m".to_owned(),
        cpu: 1,
        memory: Bytes::gib(1),
        capacity: CapacityKind::OnDemand,
        zone: "a1".parse().expect("zone"),
        image: ImageRef::Named {
            name: String::new(),
            id: "i".into(),
        },
        subnet: "s".into(),
        firewalls: strat_model::Shared::new(),
        keypair: None,
        user_data: None,
        disks: Vec::new(),
        public_ip: None,
        labels: strat_model::Labels::new(),
    };
    Resource {
        id: id.into(),
        name: format!("name-{id}"),
        mark: Some(Mark {
            owner: evaluated.intent.owner.clone(),
            addr: addr.parse().expect("addr"),
            spec: String::new(),
            generation: 1,
            origin: None,
            protect: false,
            disposable: false,
            notes: strat_model::Shared::new(),
        }),
        witness: strat_model::Witness::Held,
        state,
        spec: Spec::Machine(spec),
        attributes: [("private_ip".to_owned(), format!("10.0.0.{id}"))].into(),
        created: None,
    }
}

fn inventory(evaluated: &Evaluated) -> Inventory {
    let ready = |addr, id| resource(evaluated, addr, id, ResourceState::Ready);
    let mut foreign = ready("machines.web@a", "9");
    foreign.mark.as_mut().expect("mark").owner = "other/t".parse().expect("owner");
    let resources = vec![
        ready("machine.db[\"one\"]@a", "1"),
        resource(
            evaluated,
            "machine.db[\"two\"]@a",
            "2",
            ResourceState::Deleting,
        ),
        ready("machines.web@a", "4"),
        ready("machines.web@a", "3"),
        foreign,
    ];
    let site = SiteInventory {
        observed_at: "2030-01-01T00:00:00Z".parse().expect("time"),
        coverage: [(Kind::Machine, Coverage::Complete)].into(),
        resources,
        missed: Vec::new(),
        left: std::collections::BTreeSet::new(),
        lookups: Vec::new(),
    };
    Inventory {
        sites: [("a".parse().expect("site"), site)].into(),
        ..Inventory::default()
    }
}

#[test]
fn after_an_apply() {
    let evaluated = evaluate(&[("t.hcl", TEXT)]).expect("it evaluates");
    let outputs = evaluated.outputs(&inventory(&evaluated));
    let value = |name: &str| outputs[name].value.as_ref().map(Json::to_value);
    assert_eq!(value("ip"), Some(json!("10.0.0.1")));
    assert_eq!(value("url"), Some(json!("http://10.0.0.1:80")));
    assert_eq!(value("ips"), Some(json!(["10.0.0.3", "10.0.0.4"])));
    assert_eq!(value("first"), Some(json!("10.0.0.3")));
    assert_eq!(value("many"), None);
    assert!(outputs["many"].error.is_some());
    assert_eq!(value("joined"), Some(json!("3,4")));
    assert_eq!(value("gone"), None);
    assert_eq!(outputs["gone"].error, None);
    assert_eq!(value("all"), None);
    assert_eq!(value("whole").expect("whole")["zone"], json!("a1"));
    let fleet = value("fleet").expect("a fleet is a list");
    let ids: Vec<_> = (0..2).map(|at| fleet[at]["id"].clone()).collect();
    assert_eq!(ids, [json!("3"), json!("4")]);
    assert_eq!(value("secret"), Some(json!("xhunter2")));
    assert!(outputs["secret"].sensitive);
    assert_eq!(
        outputs["secret"].description.as_deref(),
        Some("do not look")
    );
}

#[test]
fn before_an_apply() {
    let evaluated = evaluate(&[("t.hcl", TEXT)]).expect("it evaluates");
    let outputs = evaluated.outputs(&Inventory::default());
    let value = |name: &str| outputs[name].value.as_ref().map(Json::to_value);
    assert!(outputs.values().all(|output| output.error.is_none()));
    assert_eq!(value("ip"), None);
    assert_eq!(value("count"), Some(json!(3)));
    assert_eq!(value("cpu"), Some(json!({ "one": 2, "two": 4 })));
    assert_eq!(value("labels"), Some(json!({ "env": "test" })));
    assert_eq!(value("splat"), Some(json!([2, 4])));
    assert_eq!(value("cidr"), Some(json!("10.0.0.0/16")));
    assert_eq!(value("sites"), Some(json!(["a"])));
    assert_eq!(value("fleet"), None);
}

#[test]
fn a_fleet_that_is_switched_off_has_empty_lists() {
    let text = TEXT.replace("count  = 3", "count  = 0");
    let text = text
        .replace("private_ips[0]", "private_ips")
        .replace("private_ips[7]", "private_ips");
    let evaluated = evaluate(&[("t.hcl", &text)]).expect("it evaluates");
    let outputs = evaluated.outputs(&Inventory::default());
    assert_eq!(outputs["ips"].value, Some(Json::Array(Vec::new())));
    assert_eq!(outputs["joined"].value, Some(json!("").into()));
}

#[test]
fn user_data_waits_in_place() {
    let evaluated = evaluate(&[("t.hcl", TEXT)]).expect("it evaluates");
    let machine = &evaluated.intent.machines[0];
    assert_eq!(machine.common.addr.to_string(), "machine.app");
    let data = machine.user_data.as_ref().expect("user data");
    let of = "machine.db[\"one\"]".parse().expect("addr");
    let attribute = "private_ip".to_owned();
    let parts = [
        TemplatePart::Text("db=".to_owned()),
        TemplatePart::Attribute { of, attribute },
        TemplatePart::Text(" token=hunter2\n".to_owned()),
    ];
    assert!(data.parts() == parts);
}

#[test]
fn secrets_are_never_shown() {
    let head = TEXT.split("output \"ip\"").next().expect("head").to_owned();
    for (line, code) in [
        ("output \"x\" { value = var.token }", "sensitive_value"),
        (
            "output \"x\" { value = upper(var.token) }",
            "sensitive_value",
        ),
        (
            "output \"x\" { value = [for c in [1] : \"${var.token}\"] }",
            "sensitive_value",
        ),
        (
            "output \"x\" { value = var.token == \"a\" ? 1 : 2 }",
            "sensitive_value",
        ),
        ("locals { x = tonumber(var.token) }", "bad_argument"),
        ("locals { x = var.token + 1 }", "wrong_type"),
        ("locals { x = { a = 1 }[var.token] }", "missing_key"),
        ("locals { x = regex(var.token, \"a\") }", "bad_argument"),
        ("locals { x = cidrhost(var.token, 1) }", "bad_argument"),
        (
            "bucket \"b\" {\n  site = site.a\n  labels = { a = var.token }\n}",
            "sensitive_value",
        ),
        (
            "bucket \"b\" {\n  site = site.a\n  for_each = [var.token]\n}",
            "sensitive_value",
        ),
        ("bucket \"b\" {\n  site = var.token\n}", "sensitive_value"),
        ("locals { x = file(var.token) }", "sensitive_value"),
        (
            "site \"b\" {\n  provider = \"sim\"\n  profile = var.token\n}",
            "sensitive_value",
        ),
        (
            "variable \"n\" {\n  type = number\n  default = \"hunter2\"\n  sensitive = true\n}",
            "wrong_type",
        ),
        (
            "variable \"n\" {\n  default = \"hunter2\"\n  sensitive = true\n  validation {\n    condition = var.n != \"hunter2\"\n    message = \"no ${var.n}\"\n  }\n}",
            "validation",
        ),
    ] {
        let found = evaluate(&[("t.hcl", &format!("{head}{line}\n"))]).expect_err(line);
        assert_eq!(codes(&found), [code], "{line}: {found:#?}");
        assert!(
            !format!("{found:?}").contains("hunter2"),
            "{line}: {found:#?}"
        );
    }
    let inputs = Inputs {
        vars: [("token".to_owned(), "hunter3".to_owned())].into(),
        ..Inputs::default()
    };
    let text = head.replace("default   = \"hunter2\"", "type = number");
    let found = evaluate_with(&[("t.hcl", &text)], &inputs).expect_err("refused");
    assert!(
        !format!("{found:?}{inputs:?}").contains("hunter3"),
        "{found:#?}"
    );
}
