//! Texts that nobody would write: generated from the grammar, and damaged. Nothing ends the process,
//! every finding has a place in the text, the formatter changes no value, and encodings lose nothing.
//!
//! `STRAT_CASES` says how many cases each test tries, a thousand times as many for a long run; a
//! failing case tells its number, which `STRAT_FIRST_CASE` begins with.

mod generator;

use strat_model::{Diagnostic, Inventory};
use strat_topology::{Inputs, Topology, format};

use crate::support::{evaluate, sources};
use generator::Gen;

/// The cases of each test, unless more are asked for.
const CASES: u64 = 150;

#[expect(
    clippy::disallowed_methods,
    reason = "a long run is asked for from outside"
)]
fn number(variable: &str, default: u64) -> u64 {
    let asked = std::env::var(variable).ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Tries `check`, which says whether a case came to what is tried, with as many generators as are asked
/// for. At least a tenth of many cases must.
fn cases(check: impl Fn(&mut Gen) -> bool) {
    let first = number("STRAT_FIRST_CASE", 0);
    let count = number("STRAT_CASES", CASES);
    let mut came = 0;
    for case in first..first + count {
        let _told = Told(case);
        came += u64::from(check(&mut Gen::new(case)));
    }
    assert!(
        count < CASES || came * 10 >= count,
        "{came} of {count} cases"
    );
}

/// Tells which case it was that panicked.
struct Told(u64);

impl Drop for Told {
    #[expect(clippy::print_stderr, reason = "said of a test that fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let case = self.0;
            eprintln!("this was case {case}: try it with STRAT_FIRST_CASE={case} STRAT_CASES=1");
        }
    }
}

/// Seeds in each notation.
const SEEDS: [(&str, &str); 4] = [
    ("t.hcl", include_str!("../../diagnostics/base.hcl")),
    (
        "t.hcl",
        "topology \"t\" {}\nlocals {\n  a = <<-EOT\n    x ${1 + 2 ~}\n    %{ for n in [1] }y%{ endfor ~}\n  EOT\n  b = { for k, v in { a = 1 } : k => v... if v > 0 }\n  c = \"a\\n${[1, 2][*]}\"\n}\n",
    ),
    (
        "t.yaml",
        "topology: { t: {} }\nlocals:\n  a: &a { x: 1, y: [~, .5, 0x1f, \"q\\n\"] }\n  b: { <<: *a, z: !!str 1 }\n  c: |\n    text ${1 + 1}\n  d: >-\n    folded\nsite:\n  a: { provider: sim }\nbucket:\n  b: { site: \"${site.a}\" }\n",
    ),
    (
        "t.json",
        "{\"//\": \"c\", \"topology\": {\"t\": {}}, \"locals\": {\"a\": [1, 2.5e3, \"\\ud83d\\ude00 ${1 + 1}\", null]}, \"site\": {\"a\": {\"provider\": \"sim\"}}, \"bucket\": {\"b\": [{\"site\": \"${site.a}\"}]}}",
    ),
];

/// What a run finds, and the value of the output.
fn run(name: &str, text: &str) -> (Vec<Diagnostic>, Option<String>) {
    let sources = sources(&[(name, text)]);
    let topology = match Topology::parse(&sources) {
        Ok(topology) => topology,
        Err(found) => return (found, None),
    };
    let (evaluated, found) = topology.check(&Inputs::default());
    let outputs = evaluated.outputs(&Inventory::default());
    let value = outputs.get("r").and_then(|output| output.value.as_ref());
    (found, value.map(ToString::to_string))
}

/// Every finding has its place between characters of the text.
fn placed(name: &str, text: &str, found: &[Diagnostic]) {
    let read = text.strip_prefix('\u{feff}').unwrap_or(text);
    for label in found.iter().flat_map(|finding| &finding.labels) {
        let range = label.origin.start as usize..label.origin.end as usize;
        if &*label.origin.file == name {
            assert!(
                read.get(range.clone()).is_some(),
                "{range:?} of {text:?}: {found:#?}"
            );
        }
    }
}

#[test]
fn what_is_generated_is_answered() {
    cases(|generator| {
        let text = generator.topology();
        let (found, value) = run("t.hcl", &text);
        placed("t.hcl", &text, &found);
        let damaged = generator.damaged(&text);
        let (found, _) = run("t.hcl", &damaged);
        placed("t.hcl", &damaged, &found);
        value.is_some()
    });
}

#[test]
fn what_is_damaged_is_answered() {
    cases(|generator| {
        let (name, seed) = SEEDS[generator.below(SEEDS.len())];
        let text = generator.damaged(seed);
        let (found, _) = run(name, &text);
        placed(name, &text, &found);
        !found.is_empty()
    });
}

#[test]
fn the_formatter_changes_no_value() {
    cases(|generator| {
        let text = generator.topology();
        let text = if generator.chance(30) {
            generator.damaged(&text)
        } else {
            text
        };
        let Ok(formatted) = format(&text) else {
            return false;
        };
        assert_eq!(format(&formatted).as_ref(), Ok(&formatted), "of {text:?}");
        let ((before, old), (after, new)) = (run("t.hcl", &text), run("t.hcl", &formatted));
        let codes = |found: &[Diagnostic]| {
            let mut codes: Vec<_> = found.iter().map(|finding| finding.code.clone()).collect();
            codes.sort();
            codes
        };
        assert_eq!(codes(&before), codes(&after), "{text}\nas\n{formatted}");
        assert_eq!(old, new, "{text}\nas\n{formatted}");
        old.is_some()
    });
}

#[test]
fn encodings_lose_nothing() {
    cases(|generator| {
        let value = generator.expr(3);
        let of = |value: &str| {
            let text = format!(
                "topology \"t\" {{}}\nsite \"a\" {{ provider = \"sim\" }}\nvariable \"v\" {{ default = [1, \"b\"] }}\nlocals {{\n  a = [1]\n  m = {{ a = \"é\" }}\n  s = \"x: #\"\n  w = try(jsondecode(jsonencode({value})), null)\n}}\noutput \"r\" {{\n  value = [yamldecode(yamlencode(local.w)) == local.w, jsondecode(jsonencode(local.w)) == local.w, yamldecode(jsonencode(local.w)) == local.w]\n}}\n"
            );
            evaluate(&[("t.hcl", &text)])
        };
        let Ok(evaluated) = of(&value) else {
            return false;
        };
        let outputs = evaluated.outputs(&Inventory::default());
        let Some(held) = &outputs["r"].value else {
            return false;
        };
        assert_eq!(held.to_string(), "[true,true,true]", "{value}");
        true
    });
}
