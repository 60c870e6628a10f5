//! Whatever a topology says, evaluation ends, with a finding at its place.

use std::fmt::Write as _;

use crate::support::evaluate;

/// The first finding of a topology of locals.
#[track_caller]
fn refused(locals: &str, code: &str, place: &str) {
    let text = format!("topology \"t\" {{}}\nlocals {{\n{locals}\n}}\n");
    let found = evaluate(&[("t.hcl", &text)]).map(drop).expect_err(place);
    let finding = found.iter().find(|finding| finding.code == code);
    let finding = finding.unwrap_or_else(|| panic!("{place}: {:?}", found[0]));
    let origin = &finding.labels[0].origin;
    let here = &text[origin.start as usize..origin.end as usize];
    assert!(here.contains(place), "{here}: {finding:?}");
}

/// A chain of locals, each made of the one before.
fn doubling(first: &str, next: &str, times: usize) -> String {
    let mut text = format!("  x0 = {first}\n");
    for n in 1..=times {
        let next = next.replace('X', &format!("local.x{}", n - 1));
        let _ = writeln!(text, "  x{n} = {next}");
    }
    text
}

#[test]
fn values_grow_no_further_than_a_bound() {
    for (first, next) in [
        ("\"ab\"", "\"${X}${X}\""),
        ("\"ab\"", "join(X, [X, X, X])"),
        ("\"ab\"", "replace(X, \"a\", X)"),
        ("\"ab\"", "<<EOT\n${X}${X}\nEOT\n"),
        ("[1]", "concat(X, X)"),
        ("[1]", "[X, X]"),
        ("[\"a\"]", "[for x in X : \"${x}${x}${x}${x}\"]"),
    ] {
        let mut found = Vec::new();
        let locals = doubling(first, next, 64);
        let text = format!("topology \"t\" {{}}\nlocals {{\n{locals}\n}}\n");
        if let Err(list) = evaluate(&[("t.hcl", &text)]) {
            found = list;
        }
        assert!(!found.is_empty(), "{next}");
        let place = &found[0].labels[0].origin;
        assert!(place.start > 20, "{next}: {found:?}");
    }
    let long = format!("  s = \"{}\"\n", "a".repeat(256 << 10));
    for (value, place) in [
        ("join(local.s, range(1000))", "local.s"),
        ("formatlist(\"%s%s\", local.s, range(1000))", "local.s"),
        ("replace(local.s, \"a\", local.s)", "local.s"),
    ] {
        refused(&format!("{long}  x = {value}"), "bad_argument", place);
    }
    for (value, place) in [
        ("[for n in range(1000) : \"${local.s}${n}\"]", "[for n in"),
        (
            "{ for n in range(1000) : n => \"${local.s}${n}\" }",
            "{ for n in",
        ),
        (
            "\"%{ for n in range(1000) }${local.s}%{ endfor }\"",
            "%{ for n",
        ),
    ] {
        refused(&format!("{long}  x = {value}"), "too_large", place);
    }
}

#[test]
fn values_nest_no_deeper_than_a_bound() {
    refused(&doubling("1", "[X]", 600), "too_large", "[local.");
    refused(&doubling("1", "{ a = X }", 600), "too_large", "local.");
    let mut text = "[".repeat(199);
    text += &"]".repeat(199);
    let json = format!("output \"x\" {{ value = yamldecode(\"{text}\") }}\ntopology \"t\" {{}}\n");
    evaluate(&[("t.hcl", &json)]).expect("199 levels are fine");
}

#[test]
fn what_an_alias_stands_for_is_bounded() {
    let long = "a".repeat(1 << 20);
    let aliases = "*a, ".repeat(2000);
    let yaml =
        format!("topology: {{ t: {{}} }}\nlocals: {{ a: &a [\"{long}\"], b: [{aliases}] }}\n");
    let found = evaluate(&[("t.yaml", &yaml)])
        .map(drop)
        .expect_err("refused");
    assert!(found[0].message.contains("too large"), "{found:?}");
}

#[test]
fn a_topology_file_ends_no_process() {
    for nested in ["[", "{a: ", "- ", "? "] {
        let text = format!("topology:\n  t: {}", nested.repeat(10_000));
        assert!(evaluate(&[("t.yaml", &text)]).is_err(), "{nested}");
    }
    for nested in ["[", "{\"a\":"] {
        let text = nested.repeat(100_000);
        assert!(evaluate(&[("t.json", &text)]).is_err(), "{nested}");
    }
}
