//! What `pin` writes, and that it writes nothing else.

use strat_model::Lineage;
use strat_topology::{Pins, format, pin};

use crate::support::sources;

fn pins() -> Pins {
    let account = |site: &str, account: &str| (site.parse().expect(site), account.to_owned());
    Pins {
        lineage: Some(Lineage::new("0123456789abcdef").expect("a lineage")),
        accounts: [account("east", "012345678901"), account("dc1", "main")].into(),
    }
}

#[track_caller]
fn check(name: &str, text: &str, want: &str) {
    let sources = sources(&[(name, text)]);
    let written = pin(&sources, &pins()).expect("it is written");
    let got = written.first().map_or(text, |file| file.file.text.as_str());
    assert_eq!(got, want);
    // Once it is there, nothing is left to write.
    let sources = crate::support::sources(&[(name, got)]);
    assert!(pin(&sources, &pins()).expect("it is read").is_empty());
}

#[test]
fn hcl_keeps_its_comments_and_its_layout() {
    check(
        "t.hcl",
        "# The shop.\ntopology \"shop\" { # ours\n  # Teams.\n  realm  = \"bank\" # a\n  labels = { a = \"b\" }\n}\n\nsite \"east\" {\n  provider = \"sim\"\n  # Where.\n  region = \"us-east-1\" # here\n}\n",
        "# The shop.\ntopology \"shop\" { # ours\n  lineage = \"0123456789abcdef\"\n  # Teams.\n  realm  = \"bank\" # a\n  labels = { a = \"b\" }\n}\n\nsite \"east\" {\n  provider = \"sim\"\n  # Where.\n  region  = \"us-east-1\" # here\n  account = \"012345678901\"\n}\n",
    );
    check(
        "t.hcl",
        "topology \"shop\" {}\nsite \"dc1\" { provider = \"sim\" }\n",
        "topology \"shop\" {\n  lineage = \"0123456789abcdef\"\n}\nsite \"dc1\" {\n  account  = \"main\"\n  provider = \"sim\"\n}\n",
    );
    // What is laid out otherwise stays so.
    check(
        "t.hcl",
        "topology \"shop\" {\r\n      labels={ a = \"b\" }\r\n}\r\n",
        "topology \"shop\" {\r\n  lineage = \"0123456789abcdef\"\r\n      labels={ a = \"b\" }\r\n}\r\n",
    );
    let said = "topology \"shop\" {\n  lineage = \"fedcba9876543210\"\n}\n";
    check("t.hcl", said, said);
}

#[test]
fn what_is_canonical_stays_canonical() {
    let text = "topology \"shop\" {\n  realm = \"bank\"\n}\n\nsite \"east\" {\n  provider = \"sim\"\n  profile  = \"aws\"\n}\n";
    assert_eq!(format(text).expect("HCL"), text);
    let written = pin(&sources(&[("t.hcl", text)]), &pins()).expect("it is written");
    let text = written[0].file.text.as_str();
    assert_eq!(format(text).expect("HCL"), text);
    assert_eq!(written[0].pinned.len(), 2);
}

#[test]
fn yaml_keeps_its_comments_and_its_layout() {
    check(
        "t.yaml",
        "# The shop.\ntopology:\n  shop: # ours\n    # Labels.\n    labels: { a: b }\nsite:\n  east: { provider: sim, region: us-east-1 }\n  dc1:\n    provider: sim # here\n",
        "# The shop.\ntopology:\n  shop: # ours\n    # Labels.\n    lineage: \"0123456789abcdef\"\n    labels: { a: b }\nsite:\n  east: { account: \"012345678901\", provider: sim, region: us-east-1 }\n  dc1:\n    account: \"main\"\n    provider: sim # here\n",
    );
    check(
        "t.yaml",
        "topology:\n  shop:\nsite: { dc1: { provider: sim } }\n",
        "topology:\n  shop:\n    lineage: \"0123456789abcdef\"\nsite: { dc1: { account: \"main\", provider: sim } }\n",
    );
    check(
        "t.yaml",
        "topology: { shop: {} }\n",
        "topology: { shop: { lineage: \"0123456789abcdef\" } }\n",
    );
    check(
        "t.yaml",
        "topology:\n  shop: ~ # nothing yet\n",
        "topology:\n  shop:\n    lineage: \"0123456789abcdef\" # nothing yet\n",
    );
}

#[test]
fn json_keeps_its_layout() {
    check(
        "t.json",
        "{\n\t\"topology\": { \"shop\": null },\n\t\"site\": {\n\t\t\"dc1\": {\n\t\t\t\"provider\": \"sim\"\n\t\t}\n\t}\n}\n",
        "{\n\t\"topology\": { \"shop\": { \"lineage\": \"0123456789abcdef\" } },\n\t\"site\": {\n\t\t\"dc1\": {\n\t\t\t\"account\": \"main\",\n\t\t\t\"provider\": \"sim\"\n\t\t}\n\t}\n}\n",
    );
    check(
        "t.json",
        "{ \"topology\": [{ \"shop\": {} }] }\n",
        "{ \"topology\": [{ \"shop\": { \"lineage\": \"0123456789abcdef\" } }] }\n",
    );
}
