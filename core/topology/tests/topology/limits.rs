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

/// What is found in a topology of locals, which must be an error at a place in them.
#[track_caller]
fn grown(first: &str, next: &str, times: usize) {
    let locals = doubling(first, next, times);
    let text = format!(
        "topology \"t\" {{}}\nsite \"a\" {{ provider = \"sim\" }}\nlocals {{\n{locals}\n}}\n"
    );
    let found = evaluate(&[("t.hcl", &text)]).map(drop).expect_err(next);
    let codes = [
        "too_large",
        "bad_argument",
        "number_range",
        "too_many_steps",
    ];
    assert!(codes.contains(&&*found[0].code), "{next}: {found:#?}");
    assert!(found[0].labels[0].origin.start > 60, "{next}: {found:#?}");
}

#[test]
fn texts_grow_no_further_than_a_bound() {
    for next in [
        "\"${X}${X}\"",
        "join(X, [X, X, X])",
        "join(\",\", [X, X])",
        "replace(X, \"a\", X)",
        "<<EOT\n${X}${X}\nEOT\n",
        "format(\"%s%s\", X, X)",
        "jsonencode([X, X])",
        "templatestring(\"$${a}$${a}\", { a = X })",
        "\"%{ for n in range(3) }${X}%{ endfor }\"",
        "\"%{ if true }${X}${X}%{ endif }\"",
        "true ? \"${X}${X}\" : \"\"",
        "sensitive(\"${X}${X}\")",
    ] {
        grown("\"ab\"", next, 64);
    }
}

#[test]
fn lists_and_maps_grow_no_further_than_a_bound() {
    for next in [
        "concat(X, X)",
        "[X, X]",
        "[X, X][*]",
        "[for n in range(2) : X]",
        "{ for n in range(2) : n => X }",
        "{ for n in range(2) : \"a\" => X... }",
        "{ a = X, b = X }",
        "merge({ a = X }, { b = X })",
        "zipmap([\"a\", \"b\"], [X, X])",
        "flatten([X, X])",
        "setproduct(X, X)",
        "tolist([X, X])",
        "reverse([X, X])",
        "slice([X, X], 0, 2)",
        "values({ a = X, b = X })",
        "chunklist([X, X], 1)",
        "concat([X], [X])",
        "sensitive([X, X])",
        "jsondecode(jsonencode([X, X]))",
        "yamldecode(yamlencode([X, X]))",
    ] {
        // Few items, of which each is long, so that the bound is reached soon.
        let long = "a".repeat(64 << 10);
        grown(&format!("[\"{long}\", \"b\"]"), next, 64);
    }
    grown("[\"a\"]", "[for x in X : \"${x}${x}${x}${x}\"]", 64);
    grown("[\"a\"]", "formatlist(\"%s%s\", X, X)", 64);
    grown(
        "{ a = 1 }",
        "merge(X, { for k, v in X : \"${k}${k}\" => v })",
        64,
    );
}

#[test]
fn references_are_counted_as_other_items_are() {
    for (first, next) in [
        ("[site.a, \"ab\", site.a]", "concat(X, X)"),
        ("[site.a, \"ab\", site.a]", "[X[0], X, X, X[0]]"),
        ("[site.a, \"ab\", site.a]", "[for n in range(2) : X]"),
        ("{ a = site.a, b = \"ab\" }", "{ a = X.a, b = X, c = X }"),
        ("[site.a]", "[X, X]"),
    ] {
        grown(first, next, 64);
    }
}

#[test]
fn numbers_grow_no_further_than_a_bound() {
    grown("12345", "X * X", 64);
    grown("12345", "pow(X, 3)", 64);
    grown("12345.67", "X * X", 64);
    grown("3", "X / 7 + 1 / (X + 1)", 64);
    // A number that is long, and work on it, count for more than its digits.
    refused(
        "  n = pow(7, 11000)\n  x = [for i in range(1000) : local.n + i]",
        "too_large",
        "[for i",
    );
    refused(
        "  n = pow(7, 11000)\n  x = [for i in range(1000000) : local.n < i]",
        "too_many_steps",
        "local.n",
    );
}

#[test]
fn what_a_function_makes_of_long_texts_is_bounded() {
    let long = format!("  s = \"{}\"\n", "a".repeat(256 << 10));
    for (value, place) in [
        ("join(local.s, range(1000))", "local.s"),
        ("formatlist(\"%s%s\", local.s, range(1000))", "local.s"),
        ("replace(local.s, \"a\", local.s)", "local.s"),
        ("indent(1000, replace(local.s, \"a\", \"\\n\"))", "local.s"),
        (
            "split(\"\", \"${local.s}${local.s}${local.s}${local.s}${local.s}\")",
            "local.s",
        ),
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
            "{ for n in range(1000) : \"${local.s}${n}\" => n }",
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
fn evaluation_ends_after_so_many_steps() {
    let long = format!(
        "  s = \"{}\"\n  l = join(\"\", [for n in range(60) : local.s])\n",
        "a".repeat(256 << 10)
    );
    for (value, place) in [
        // The bytes that are made.
        ("[for n in range(500) : \"${local.l}x\" == \"\"]", "local.l"),
        // Those that a function goes through, and a pattern.
        (
            "regex(\"(a?){30}(a?){30}(a?){30}(a?){30}(a?){30}[^a]{900}x\", local.l)",
            "regex",
        ),
        // What fails, and where failure is asked for.
        (
            "[for n in range(500) : can(tonumber(\"${local.l}x\"))]",
            "local.l",
        ),
    ] {
        refused(&format!("{long}  x = {value}"), "too_many_steps", place);
    }
}

#[test]
fn instances_of_all_blocks_are_bounded() {
    let text = "topology \"t\" {}\nsite \"a\" { provider = \"sim\" }\nbucket \"a\" {\n  count = 1\n  site = site.a\n}\nbucket \"b\" {\n  count = 1000000\n  site = site.a\n}\n";
    let found = evaluate(&[("t.hcl", text)]).map(drop).expect_err("refused");
    assert_eq!(found[0].code, "bad_count", "{found:#?}");
    assert!(found[0].message.contains("together"), "{found:#?}");
}

#[test]
fn what_was_meant_is_not_looked_for_forever() {
    let mut text = "topology \"t\" {}\nlocals {\n".to_owned();
    for n in 0..2_000 {
        let _ = writeln!(text, "  name_{n} = local.nome_{n}");
    }
    text.push_str("}\n");
    let found = evaluate(&[("t.hcl", &text)])
        .map(drop)
        .expect_err("refused");
    assert_eq!(found[0].code, "unknown_reference");
    assert_eq!(found.last().expect("a last one").code, "too_many_findings");
    // What a finding quotes is no longer than can be read.
    let long = "a".repeat(4 << 20);
    for value in [
        format!("\"{long}\" + 1"),
        format!("{{ \"{long}\" = 1 }}[\"{long}b\"]"),
        format!("{{ for n in range(2) : \"{long}\" => n }}"),
        format!("lookup({{}}, \"{long}\")"),
    ] {
        let text = format!("topology \"t\" {{}}\nlocals {{\n  x = {value}\n}}\n");
        let found = evaluate(&[("t.hcl", &text)])
            .map(drop)
            .expect_err("refused");
        let text = format!("{found:?}");
        assert!(text.len() < 10_000, "{}", text.len());
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
    assert!(found[0].message.contains("aliases"), "{found:?}");
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
