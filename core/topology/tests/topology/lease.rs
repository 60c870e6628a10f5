//! Where leases are kept, in each notation.

use strat_model::LeaseSpec;
use strat_topology::{Inputs, SourceFile, Sources, Topology};

const HCL: &str = r#"
variable "db" { default = "db.example" }
topology "shop" {
  lease {
    store = "postgres"
    host  = var.db
    port  = 6432
  }
}
"#;

const YAML: &str = r#"
variable:
  db:
    default: db.example
topology:
  shop:
    lease:
      store: postgres
      host: ${var.db}
      port: 6432
"#;

const JSON: &str = r#"{
  "variable": { "db": { "default": "db.example" } },
  "topology": { "shop": { "lease": { "store": "postgres", "host": "${var.db}", "port": 6432 } } }
}"#;

fn lease(name: &str, text: &str) -> Option<LeaseSpec> {
    let source = SourceFile::new(name, text);
    let topology =
        Topology::parse(&Sources::from_files("", vec![source])).expect("it is well-formed");
    let evaluated = topology.evaluate(&Inputs::default());
    let evaluated = evaluated.unwrap_or_else(|findings| panic!("{findings:#?}"));
    let place = evaluated.lease_origin("port");
    assert_eq!(place.is_some(), evaluated.intent.lease.is_some());
    evaluated.intent.lease
}

#[test]
fn it_reads_the_same_in_every_notation() {
    for (name, text) in [("t.hcl", HCL), ("t.yaml", YAML), ("t.json", JSON)] {
        let lease = lease(name, text).expect("a lease");
        assert_eq!(lease.store, "postgres", "{name}");
        let settings = serde_json::Value::Object(lease.settings);
        assert_eq!(
            settings,
            serde_json::json!({ "host": "db.example", "port": 6432 }),
            "{name}"
        );
    }
    assert_eq!(lease("t.hcl", "topology \"shop\" {}\n"), None);
}
