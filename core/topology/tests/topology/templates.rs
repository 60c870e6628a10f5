//! Where texts end, and what white space of them stays.

use serde::Deserialize;
use strat_model::Inventory;
use strat_topology::format;

use crate::support::{codes, evaluate};

/// The outputs of a text, without a topology around it.
fn outputs(text: &str) -> serde_json::Value {
    let text = format!("topology \"t\" {{}}\n{text}");
    let evaluated =
        evaluate(&[("t.hcl", &text)]).unwrap_or_else(|found| panic!("{found:#?}\n{text}"));
    let outputs = evaluated.outputs(&Inventory::default());
    let values = outputs
        .into_iter()
        .map(|(name, output)| (name, plain(&output.value.expect("a value"))));
    serde_json::Value::Object(values.collect())
}

fn plain(value: &strat_topology::Json) -> serde_json::Value {
    serde_json::from_str(&value.to_string()).expect("it is JSON")
}

/// The value of an expression, and of the same after formatting.
#[track_caller]
fn value(expr: &str) -> serde_json::Value {
    let text = format!("output \"x\" {{\n  value = {expr}\n}}\n");
    let plain = outputs(&text)["x"].take();
    let formatted = format(&text).expect("it is formatted");
    assert_eq!(
        outputs(&formatted)["x"],
        plain,
        "formatting changed {text:?} to {formatted:?}"
    );
    plain
}

#[test]
fn an_empty_heredoc_swallows_nothing() {
    let text = "locals {\n  motd = <<EOT\nEOT\n}\noutput \"a\" { value = local.motd }\noutput \"b\" {\n  value = <<EOT\nb\nEOT\n}\n";
    assert_eq!(outputs(text), serde_json::json!({ "a": "", "b": "b\n" }));
    let indented = text.replace("<<EOT\nEOT", "<<-EOT\n  EOT");
    assert_eq!(outputs(&indented), outputs(text));
    let crlf = text.replace('\n', "\r\n");
    assert_eq!(outputs(&crlf)["a"], "");
}

#[test]
fn a_heredoc_ends_at_its_marker_alone() {
    for (expr, expect) in [
        (
            "<<EOT\nEOT b\nEOT, 1]\nEOTx\n-EOT\nEOT",
            "EOT b\nEOT, 1]\nEOTx\n-EOT\n",
        ),
        ("<<EOT\n${\"x\"}EOT\n  EOT  ", "xEOT\n"),
        ("<<EOT\n${\"x\"\n}\nEOT", "x\n"),
        (
            "<<EOT\n# not a comment /* nor \"this\nEOT",
            "# not a comment /* nor \"this\n",
        ),
        ("<<A\n${<<B\nA\nB\n}\nA", "A\n\n"),
        (
            "<<EOT\n$${a} %%{b} $a %d $$ \\n \"q\"\nEOT",
            "${a} %{b} $a %d $$ \\n \"q\"\n",
        ),
    ] {
        assert_eq!(value(expr), expect, "{expr:?}");
    }
    assert_eq!(
        value("[<<A\na\nA\n, <<B\nb\nB\n]"),
        serde_json::json!(["a\n", "b\n"])
    );
    let found = evaluate(&[(
        "t.hcl",
        "topology \"t\" {}\nlocals {\n  x = [<<EOT\n a\nEOT, 1]\n}\n",
    )]);
    assert_eq!(codes(&found.expect_err("it has no end")), ["syntax"]);
}

/// What Terraform 1.11.4 gives for each.
#[test]
fn quoted_texts_and_heredocs_are_as_in_terraform() {
    for (expr, expect) in [
        ("\"$$${1}\"", "$${1}"),
        ("\"${ 1 ~}   \\n\\n  x\"", "1x"),
        (
            "\"a  \\n  %{~ if true ~}  \\n \\t x \\n %{~ endif ~} z\"",
            "axz",
        ),
        (
            "\"%{ if true }\\\"q\\\"\\t\\u00e9%{ else }\\n%{ endif }\"",
            "\"q\"\té",
        ),
        (
            "<<-EOT\n    a\n      ${~ \"x\" ~}\n    b\n    EOT",
            "    a\nx    b\n",
        ),
        (
            "<<-EOT\n    a\n    %{~ if true ~}\n      b\n    %{~ endif ~}\n    c\n    EOT",
            "    a\n      b\n    c\n",
        ),
        (
            "<<-EOT\n    %{ if true }\n      b\n    %{ endif }\n    c\n  EOT",
            "\n  b\n\nc\n",
        ),
        (
            "<<-EOT\n\ttab\n\t  two\n\n   \n\t${\"z\"}\nEOT",
            "tab\n  two\n\n   \nz\n",
        ),
        (
            "<<-EOT\n    %{ if true ~}\n    x\n    %{ endif ~}\n  EOT",
            "    x\n",
        ),
        (
            "<<-EOT\n    %{ for v in [\"p\", \"q\"] ~}\n    x ${v}\n      y\n    %{ endfor ~}\n    z\n  EOT",
            "    x p\n  y\n    x q\n  y\n    z\n",
        ),
    ] {
        assert_eq!(value(expr), expect, "{expr:?}");
    }
}

#[derive(Deserialize)]
struct Case {
    template: String,
    value: String,
}

/// `templatefile("…", {})` of Terraform 1.11.4, half of them with `~` beside every kind of white
/// space; as a file, as a file with the line ends of Windows, and as a heredoc.
#[test]
fn template_files_are_as_in_terraform() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("terraform/templates.json"))
        .expect("the cases can be read");
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = String::new();
    for (at, case) in cases.iter().enumerate() {
        let path = folder.path().join(format!("{at}.tmpl"));
        std::fs::write(&path, &case.template).expect("it is written");
        let crlf = folder.path().join(format!("{at}.crlf"));
        std::fs::write(&crlf, case.template.replace('\n', "\r\n")).expect("it is written");
        for (name, path) in [("file", path), ("crlf", crlf)] {
            let path = path.display();
            text += &format!(
                "output \"{name}{at}\" {{\n  value = templatefile(\"{path}\", {{}})\n}}\n"
            );
        }
        text += &format!(
            "output \"heredoc{at}\" {{\n  value = <<EOT\n{}\nEOT\n}}\n",
            case.template
        );
    }
    let outputs = outputs(&text);
    for (at, case) in cases.iter().enumerate() {
        let template = &case.template;
        assert_eq!(outputs[format!("file{at}")], case.value, "{template:?}");
        assert_eq!(
            outputs[format!("crlf{at}")],
            case.value.replace('\n', "\r\n"),
            "{template:?}"
        );
        let last = template.rsplit_once("~}").map(|(_, last)| last);
        let strips_last = last.is_some_and(|last| last.trim().is_empty() && !last.contains('\n'));
        let heredoc = if strips_last {
            case.value.clone()
        } else {
            case.value.clone() + "\n"
        };
        assert_eq!(outputs[format!("heredoc{at}")], heredoc, "{template:?}");
    }
}
