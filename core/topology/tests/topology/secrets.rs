//! No secret is in a finding, nor the text of a file of values.

use proptest::prelude::*;
use strat_model::Diagnostic;
use strat_topology::{Inputs, SourceFile, Sources, Topology, functions};

use crate::support::{evaluate_with, sources};

const SECRET: &str = "hunter2";

/// That nothing of a secret is in findings.
#[track_caller]
fn keeps(found: &[Diagnostic], what: &str) {
    let text = format!("{found:?}");
    assert!(!text.contains(SECRET), "{what}: {text}");
}

/// Where an expression stands.
const PLACES: [&str; 16] = [
    "output \"o\" { value = E }",
    "locals { x = E }",
    "machine \"m\" {\n  cpu = E\n  memory = E\n  image = E\n  subnet = subnet.s\n  labels = { a = E }\n}",
    "machine \"m\" {\n  count = E\n  cpu = 1\n  memory = \"1GiB\"\n  image = \"debian-12\"\n  subnet = E\n}",
    "machine \"m\" {\n  for_each = [E]\n  cpu = 1\n  memory = \"1GiB\"\n  image = \"debian-12\"\n  subnet = subnet.s\n  firewalls = [E]\n}",
    "bucket \"b\" {\n  site = E\n  depends_on = [E]\n  labels = E\n}",
    "bucket \"b\" {\n  site = site.a\n  labels = { (E) = 1 }\n}",
    "volume \"v\" {\n  size = E\n  attach = E\n}",
    "firewall \"f\" {\n  network = network.n\n  ingress \"i\" {\n    from = [E]\n    ports = [E]\n  }\n}",
    "network \"m\" {\n  cidr = E\n  sites = [E]\n}",
    "site \"b\" {\n  provider = E\n  region = E\n  zones = [E]\n  other = E\n}",
    "keypair \"k\" { public_key = E }",
    "image \"i\" {\n  source = E\n  format = E\n}",
    "variable \"w\" {\n  default = \"x\"\n  validation {\n    condition = E\n    message = E\n  }\n}",
    "machines \"f\" {\n  count = E\n  cpu = 1\n  memory = \"1GiB\"\n  image = \"debian-12\"\n  subnet = subnet.s\n  placement {\n    sites = [E]\n    zone = E\n    spread = E\n  }\n}",
    "budget \"b\" { monthly = E }",
];

/// What is made of a secret.
fn expressions() -> Vec<String> {
    let mut all: Vec<String> = [
        "var.s",
        "var.m",
        "[var.s]",
        "{ a = var.s }",
        "var.s + 1",
        "-var.s",
        "!var.s",
        "var.s.x",
        "var.s[0]",
        "local.l[var.s]",
        "local.m[var.s]",
        "var.m.nothing",
        "var.m[0]",
        "\"x${var.s}\"",
        "\"${var.m}\"",
        "var.s ? 1 : 2",
        "true ? var.s : [1]",
        "[for x in var.s : x]",
        "{ for x in [var.s, var.s] : x => x }",
        "[for k, v in var.m : v + 1]",
        "{ for k, v in var.m : v => k + 1 }",
        "var.m[*].a.b",
        "var.s == 1 && var.s",
        "{ (var.s) = 1 }.y",
        "\"%{ if var.s }x%{ endif }\"",
        "\"%{ for x in var.s }x%{ endfor }\"",
        "max(var.s...)",
        "file(var.s)",
        "templatefile(\"tests/diagnostics/greeting.tmpl\", var.s)",
        "templatefile(\"tests/diagnostics/greeting.tmpl\", { name = var.m })",
        "machine[var.s]",
        "site.a[var.s]",
        "nonsensitive(sensitive(1))[var.s]",
        "keys(var.m)[0] + 1",
        "keys(var.m)[0].x",
        "local.m[keys(var.m)[0]]",
    ]
    .map(str::to_owned)
    .to_vec();
    for function in functions() {
        let name = function.name;
        if name == "nonsensitive" {
            continue;
        }
        for args in [
            "var.s",
            "var.m",
            "[var.s]",
            "var.s, var.s",
            "\"a\", var.s",
            "var.s, 1",
            "1, var.s",
            "[1], var.s",
            "var.m, var.s",
            "\"(\", var.s, 1",
            "var.s, var.s, var.s",
        ] {
            all.push(format!("{name}({args})"));
        }
    }
    all
}

#[test]
fn a_sensitive_value_is_in_no_finding() {
    let head = format!(
        "topology \"t\" {{}}\nvariable \"s\" {{\n  sensitive = true\n  default = \"{SECRET}\"\n}}\nvariable \"m\" {{\n  sensitive = true\n  default = {{ {SECRET} = \"{SECRET}\" }}\n}}\nlocals {{\n  l = [1]\n  m = {{ a = 1 }}\n}}\nsite \"a\" {{ provider = \"sim\" }}\nnetwork \"n\" {{\n  cidr = \"10.0.0.0/16\"\n  sites = [site.a]\n}}\nsubnet \"s\" {{\n  network = network.n\n  newbits = 4\n}}\n"
    );
    let mut shown = Vec::new();
    for (at, expression) in expressions().iter().enumerate() {
        // What calls say does not depend on where they stand.
        let places = if at < 36 { PLACES.len() } else { 1 };
        for place in &PLACES[..places] {
            let last = place.replace('E', expression);
            let text = format!("{head}{last}\n");
            if let Err(found) = evaluate_with(&[("t.hcl", &text)], &Inputs::default()) {
                let leaks = found
                    .iter()
                    .filter(|finding| format!("{finding:?}").contains(SECRET));
                shown.extend(leaks.map(|finding| format!("{last}: {finding:?}")));
            }
        }
    }
    assert!(shown.is_empty(), "{}:\n{}", shown.len(), shown.join("\n"));
}

#[test]
fn what_is_shown_of_a_topology_holds_no_known_secret() {
    for (name, text) in [
        (
            "t.hcl",
            "variable \"p\" {\n  sensitive = true\n  default   = \"hunter2\"\n}\nx = \n",
        ),
        (
            "t.hcl",
            "variable \"p\" {\n  default   = {\n    a = \"hunter2\"\n  }\n  sensitive = 1 == 1\n}\n",
        ),
        (
            "t.hcl",
            "site \"a\" {\n  password = \"hunter2\"\n  db_token = \"hunter2\"\n}\n",
        ),
        (
            "t.hcl",
            "site \"a\" {\n  endpoint = \"http://admin:hunter2@host:5000\"\n}\n",
        ),
        ("t.hcl", "locals { x = [sensitive(\"hunter2\")] }\n"),
        (
            "t.yaml",
            "variable:\n  p: { sensitive: true, default: hunter2 }\nsite:\n  a: { uri: \"admin:hunter2@host\" }\n",
        ),
        (
            "t.json",
            "{\"variable\": {\"p\": {\"sensitive\": true, \"default\": [\"hunter2\"]}}}",
        ),
    ] {
        let sources = sources(&[(name, text)]);
        let shown = sources.get(name).expect("it is a file of the topology");
        assert!(!shown.contains(SECRET), "{shown}");
        assert_eq!(shown.len(), text.len());
        assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
    }
    let plain = "variable \"p\" {\n  sensitive = false\n  default   = \"ann@example.org\"\n}\n";
    assert_eq!(sources(&[("t.hcl", plain)]).get("t.hcl"), Some(plain));
}

const DECLARED: &str = "topology \"t\" {}\nvariable \"number\" {\n  type = number\n  validation {\n    condition = var.number < 5\n    message = \"at most 4\"\n  }\n}\nvariable \"list\" {\n  type = list(object({ a = number }))\n}\nvariable \"any\" {}\n";

fn findings(name: &str, text: &str) -> (Vec<Diagnostic>, Sources) {
    let file = SourceFile::new(name, text);
    let topology = Topology::parse(&sources(&[("t.hcl", DECLARED)])).expect("it parses");
    let inputs = Inputs {
        var_files: vec![file.clone()],
        ..Inputs::default()
    };
    let found = match topology.evaluate(&inputs) {
        Ok(evaluated) => evaluated.warnings,
        Err(found) => found,
    };
    (found, sources(&[("t.hcl", DECLARED)]).with_values(&[file]))
}

const VALUES: [(&str, &str); 3] = [
    (
        "v.hcl",
        "number = 1\nlist   = [{ a = \"hunter2\" }, { hunter2 = 1 }]\nany    = {\n  k = \"a hunter2 b\"\n  hunter2 = <<EOT\nhunter2\nEOT\n}\nother = \"hunter2\"\n",
    ),
    (
        "v.yaml",
        "number: 1\nlist: [{a: hunter2}, {hunter2: 1}]\nany:\n  k: \"a hunter2 b\"\n  hunter2: |\n    hunter2\nother: hunter2\n",
    ),
    (
        "v.json",
        "{\"number\": 1, \"list\": [{\"a\": \"hunter2\"}, {\"hunter2\": 1}],\n\"any\": {\"k\": \"a hunter2 b\", \"hunter2\": \"hunter2\"},\n\"other\": \"hunter2\"}",
    ),
];

#[test]
fn the_text_of_a_file_of_values_is_never_shown() {
    for (name, text) in VALUES {
        let (found, sources) = findings(name, text);
        assert!(!found.is_empty());
        keeps(&found, name);
        assert_eq!(sources.get(name), None);
        assert!(sources.line_and_column(name, 3).is_some());
    }
    for text in [
        "number = \"hunter2\"\n",
        "number = hunter2\n",
        "number \"hunter2\"\n",
        "number: hunter2\n",
        "any = \"\\hunter2\"\n",
        "any = <<hunter2\nx\n",
        "any = hunter2(1)\n",
        "any = var.hunter2\n",
        "any = [hunter2\n",
        "any = { hunter2.x = 1 }\n",
        "hunter2 {}\n",
        "any = \"%{ hunter2 }\"\n",
        "any = 'hunter2'\n",
        "any = upper(\"hunter2\", 1)\n",
        "any = {}.hunter2\n",
        "any = 1 + \"hunter2\"\n",
        "any = parseint(\"hunter2\", 10)\n",
        "any = file(\"hunter2\")\n",
        "any = parseint(\"hunter\\u0032\", 10)\n",
        "any = { \u{5de}\u{5bc}hunter2 = 1, \u{fb3e}hunter2.x = 1 }\n",
        "list = [{ a = 1 }, { \u{fb3e}hunter2 = 1 }]\n",
        "number = 1\nany = { a = 1 }[\"hunter2\"]\n",
        "list = [{ \"a` hunter2\" = 1 }]\n",
        "list = [{ \"a`hunter2`b\" = 1 }]\n",
        "list = [{ \"a`\\\"hunter2\\\" `b\" = 1 }]\n",
        "list = [{ \"\\\"hunter2\\\"\" = 1 }]\n",
        "any = parseint(\"a\\\"hunter2\", 10)\n",
        "any = parseint(\"a`\\thunter2\", 10)\n",
    ] {
        let (found, _) = findings("v.hcl", text);
        assert!(!found.is_empty(), "{text}");
        keeps(&found, text);
    }
}

/// What is put into a file by mistake: a sign that means something somewhere, or anything.
fn damage() -> impl Strategy<Value = String> {
    let signs = "[`\"'\\\\{}:=,#$%<|>&*!-]{1,2}";
    prop_oneof![signs, "[\\PC\n]{0,2}", "[`\"'\\\\][a-z ]{1,2}[`\"'\\\\]"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_to_a_file_of_values_shows_nothing_of_it(which in 0..3_usize, at in 0..200_usize, cut in 0..3_usize, with in damage()) {
        let (name, text) = VALUES[which];
        let start = at % text.len();
        let mut damaged = text.to_owned();
        damaged.replace_range(start..(start + cut).min(text.len()), &with);
        let (found, _) = findings(name, &damaged);
        let text = format!("{found:?}");
        prop_assert!(!text.contains(SECRET), "{damaged:?}: {text}");
    }
}
