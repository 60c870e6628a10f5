//! Topologies in JSON.

use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};
use strat_schemas::documents;
use stratiform::Inputs;
use stratiform::topology::{SourceFile, Sources, Topology};

use crate::strict::{assert_holds, assert_refused};

const JSON: &str = include_str!("shop.strat.json");

/// As it is: this one forbids by itself what it does not know.
fn validator() -> Validator {
    let document = documents().into_iter().find(|d| d.name == "topology");
    jsonschema::validator_for(&document.expect("a schema").schema).expect("a schema")
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hybrid-shop")
}

/// What a text comes to, without the places in it.
fn intent(name: &str, text: &str) -> Result<String, String> {
    let file = SourceFile::new(name, text);
    let evaluated = Topology::parse(&Sources::from_files(folder(), vec![file]))
        .and_then(|topology| topology.evaluate(&Inputs::default()))
        .map_err(|found| format!("{found:#?}"))?;
    let intent = evaluated.intent;
    let machines = intent.machines.iter();
    let machines: Vec<_> = machines
        .map(|m| (&m.common.addr, m.count, &m.size, &m.disks, &m.user_data))
        .collect();
    let rules: Vec<_> = intent.firewalls.iter().map(|f| &f.rules).collect();
    let volumes: Vec<_> = intent.volumes.iter().map(|v| (v.size, &v.target)).collect();
    Ok(format!("{machines:?} {rules:?} {volumes:?}"))
}

fn reference() -> Value {
    serde_json::from_str(JSON).expect("JSON")
}

#[test]
fn the_reference_topology_in_json() {
    assert_holds(&validator(), &reference());
    let hcl = std::fs::read_to_string(folder().join("shop.hcl")).expect("the reference");
    let hcl = intent("shop.hcl", &hcl).expect("HCL");
    assert_eq!(intent("shop.strat.json", JSON).expect("JSON"), hcl);
}

#[test]
fn other_ways_to_write_it() {
    let json = json!({
        "topology": { "tiny": null },
        "locals": [{ "a": 1 }, { "b": null }],
        "variable": { "_x": { "type": "list(string)", "default": [], "description": null } },
        "site": [{ "east": { "provider": "sim", "region": "us-east-1" } }],
        "network": { "core": { "cidr": "10.0.0.0/16", "sites": "${[site.east]}" } },
        "subnet": { "app": { "network": "${network.core}", "newbits": "4" } },
        "firewall": { "all": {
            "network": "${network.core}",
            "ingress": { "a": { "from": "2001:db8::/32", "ports": 80 } },
            "egress": [{ "b": { "to": ["internet"], "protocol": "any", "ports": null } }],
        } },
        "machine": { "m": {
            "machine_type": "m5.large", "image": "debian-12", "subnet": "${subnet.app}",
            "for_each": ["a", "b"], "disk": [{ "size": "1.5 TiB" }], "placement": [],
            "depends_on": ["firewall.all"], "protect": "true",
        } },
        "bucket": { "logs": { "site": "east", "labels": { "n": 1 } } },
    });
    assert_holds(&validator(), &json);
    if let Err(found) = intent("t.json", &json.to_string()) {
        panic!("{found}");
    }
}

#[test]
fn what_is_no_topology() {
    let (validator, topology) = (validator(), reference());
    let spoilt = |pointer: &str, field: &str, value: Value| {
        let what = format!("{field} in {pointer} as {value}");
        assert_refused(&validator, &topology, &what, |topology| {
            topology.pointer_mut(pointer).expect(pointer)[field] = value;
        });
    };
    spoilt("", "machin", json!({}));
    spoilt("", "resource", json!({ "aws_instance": {} }));
    spoilt("/machine/db", "memry", json!("32GiB"));
    spoilt("/machine/db", "memory", json!(32));
    spoilt("/machine/db", "memory", json!("32"));
    spoilt("/machine/db", "cpu", json!(0));
    spoilt("/machine/db", "subnet", json!("data"));
    spoilt("/machine/db", "disk", json!({ "class": "ssd" }));
    spoilt(
        "/machine/db",
        "disk",
        json!([{ "size": "1GiB", "class": "tape" }]),
    );
    spoilt("/machine/db", "placement", json!([{}, {}]));
    spoilt("/machines/web", "count", json!(null));
    spoilt("/machines/web/placement", "spread", json!("rack"));
    spoilt("/network/core", "cidr", json!("10.20.0.0"));
    spoilt("/network/core", "sites", json!([]));
    spoilt(
        "/network",
        "-core",
        json!({ "cidr": "10.0.0.0/8", "sites": ["east"] }),
    );
    spoilt("/firewall/web/ingress/http", "from", json!("everybody"));
    spoilt("/firewall/web/ingress/http", "ports", json!([0]));
    spoilt("/firewall/web/ingress/http", "to", json!("internet"));
    spoilt("/site/dc1/capacity", "gpu", json!(4));
    spoilt("/bucket/assets", "versioning", json!("perhaps"));
    spoilt("/topology/shop", "labels", json!({ "": "platform" }));
    for (pointer, field) in [
        ("/machine/db", "image"),
        ("/machines/web", "count"),
        ("/volume/db", "size"),
        ("/site/east", "provider"),
        ("/subnet/app", "network"),
    ] {
        assert_refused(&validator, &topology, &format!("no {field}"), |topology| {
            let block = topology.pointer_mut(pointer).and_then(Value::as_object_mut);
            block.expect(pointer).remove(field);
        });
    }
}
