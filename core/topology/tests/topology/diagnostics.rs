//! What is told of each mistake: the text goes in, the findings come out.

use strat_model::Severity;
use strat_topology::{Inputs, SourceFile, Topology};

use crate::support::{codes, evaluate_with, render, sources};

const BASE: &str = include_str!("../diagnostics/base.hcl");

fn findings(files: &[(&str, &str)], inputs: &Inputs) -> String {
    let sources = sources(files);
    let found = match Topology::parse(&sources) {
        Err(found) => found,
        Ok(topology) => match topology.evaluate(inputs) {
            Err(found) => found,
            Ok(_) => return "nothing is wrong\n".to_owned(),
        },
    };
    assert!(
        found
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    );
    render(&found, &sources)
}

#[test]
fn beside_a_sound_topology() {
    insta::glob!("../diagnostics/with_base", "*.hcl", |path| {
        let text = std::fs::read_to_string(path).expect("the case can be read");
        let files = [("base.hcl", BASE), ("case.hcl", text.as_str())];
        insta::assert_snapshot!(findings(&files, &Inputs::default()));
    });
}

#[test]
fn alone() {
    insta::glob!("../diagnostics/alone", "*.hcl", |path| {
        let text = std::fs::read_to_string(path).expect("the case can be read");
        insta::assert_snapshot!(findings(&[("case.hcl", text.as_str())], &Inputs::default()));
    });
}

#[test]
fn the_base_is_sound() {
    assert!(evaluate_with(&[("base.hcl", BASE)], &Inputs::default()).is_ok());
}

const VARIABLES: &str = r#"
topology "t" {}
variable "count" {
  type = number
  validation {
    condition = var.count < 5
    message   = "at most 4"
  }
}
variable "names" {
  type    = list(string)
  default = []
}
"#;

fn inputs(vars: &[(&str, &str)], file: Option<(&str, &str)>) -> Inputs {
    let vars = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let file = file.map(|(name, text)| SourceFile::new(name, text));
    Inputs {
        vars: vars.collect(),
        var_files: file.into_iter().collect(),
        ..Inputs::default()
    }
}

#[test]
fn inputs_are_checked() {
    for (given, code) in [
        (inputs(&[], None), "missing_variable"),
        (inputs(&[("count", "9")], None), "validation"),
        (inputs(&[("count", "many")], None), "wrong_type"),
        (
            inputs(&[("count", "1"), ("nmaes", "[]")], None),
            "undeclared_variable",
        ),
        (
            inputs(&[("count", "1"), ("names", "a")], None),
            "wrong_type",
        ),
        (
            inputs(&[("count", "1"), ("names", "[")], None),
            "wrong_type",
        ),
        (inputs(&[], Some(("v.hcl", "count = 9\n"))), "validation"),
        (inputs(&[], Some(("v.hcl", "count = \n"))), "syntax"),
        (
            inputs(&[], Some(("v.hcl", "count = 1\ncount = 2\n"))),
            "duplicate_attribute",
        ),
        (inputs(&[], Some(("v.yaml", "count: [1]\n"))), "wrong_type"),
        (
            inputs(&[], Some(("v.json", "{\"count\": 9}"))),
            "validation",
        ),
    ] {
        let found = evaluate_with(&[("t.hcl", VARIABLES)], &given).expect_err("refused");
        assert_eq!(codes(&found)[0], code, "{given:?}: {found:#?}");
    }
}

#[test]
fn later_inputs_win() {
    let given = inputs(
        &[("names", "[\"a\"]")],
        Some(("v.yaml", "count: 2\nnames: [b]\nother: 1\n")),
    );
    let text = format!(
        "{VARIABLES}output \"names\" {{ value = var.names }}\noutput \"count\" {{ value = var.count }}\n"
    );
    let evaluated = evaluate_with(&[("t.hcl", &text)], &given).expect("it evaluates");
    assert_eq!(codes(&evaluated.warnings), ["undeclared_variable"]);
    let outputs = evaluated.outputs(&strat_model::Inventory::default());
    assert_eq!(
        outputs["names"].value,
        Some(serde_json::json!(["a"]).into())
    );
    assert_eq!(outputs["count"].value, Some(serde_json::json!(2).into()));
}

#[test]
fn variables_are_listed() {
    let topology = Topology::parse(&sources(&[("t.hcl", VARIABLES)])).expect("it parses");
    let listed = topology.variables();
    assert_eq!(listed[0].name, "count");
    assert_eq!(listed[0].ty, "number");
    assert_eq!(listed[0].default, None);
    assert_eq!(listed[1].ty, "list(string)");
    assert_eq!(listed[1].default, Some(serde_json::json!([])));
}

#[test]
fn a_sensitive_value_is_not_pointed_at() {
    let text = r#"
topology "t" {}
variable "pw" {
  type      = map(number)
  sensitive = true
}
variable "pin" {
  type      = string
  sensitive = true

  validation {
    condition = length(var.pin) > 50
    message   = "too short: ${var.pin}"
  }
}
"#;
    let given = inputs(
        &[],
        Some(("v.hcl", "pw = { hunter2 = \"x\" }\npin = \"hunter3\"\n")),
    );
    let found = evaluate_with(&[("t.hcl", text)], &given).expect_err("refused");
    assert_eq!(codes(&found), ["wrong_type", "validation"]);
    for finding in &found {
        assert!(finding.labels.iter().all(|l| &*l.origin.file == "t.hcl"));
        assert!(!format!("{finding:?}").contains("hunter"), "{finding:?}");
    }
}

#[test]
fn an_attribute_that_a_type_has_not_is_told() {
    const TYPE: &str = "list(object({ size = number, label = optional(string, \"x\") }))";
    let text = |rest: &str| {
        format!("topology \"t\" {{}}\nvariable \"disks\" {{\n  type = {TYPE}\n{rest}}}\n")
    };
    let given = inputs(
        &[],
        Some(("v.yaml", "disks: [{ size: 1, lable: hunter2 }]\n")),
    );
    let found = evaluate_with(&[("t.hcl", &text(""))], &given).expect_err("refused");
    assert_eq!(codes(&found), ["unknown_attribute"]);
    // Its place is told; the text of a file of values is not.
    assert!(!format!("{found:?}").contains("lable"), "{found:?}");
    assert_eq!(found[0].help.as_deref(), Some("did you mean `label`?"));
    assert_eq!(&*found[0].labels[0].origin.file, "v.yaml");

    let secret = text("  sensitive = true\n");
    let found = evaluate_with(&[("t.hcl", &secret)], &given).expect_err("refused");
    assert_eq!(codes(&found), ["unknown_attribute"]);
    assert!(!format!("{found:?}").contains("lable"), "{found:?}");
    assert_eq!(&*found[0].labels[0].origin.file, "t.hcl");
}
