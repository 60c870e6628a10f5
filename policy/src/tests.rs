//! Policies of a few lines, over documents of a few fields.

use std::path::PathBuf;

use serde_json::{Value, json};
use stratiform::policy::{Policies as _, PolicyError, Ruling};

use crate::RegoPolicies;

/// A folder with policies.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
    dir
}

fn read(files: &[(&str, &str)]) -> Result<RegoPolicies, PolicyError> {
    let dir = folder(files);
    RegoPolicies::read(&[dir.path().to_owned()])
}

/// What policies say: the ruling, the rule, the sentence, the address.
fn said(files: &[(&str, &str)], input: &Value) -> Vec<(Ruling, String, String, Option<String>)> {
    let policies = read(files).expect("policies");
    let verdicts = policies.judge(input).expect("verdicts").into_iter();
    verdicts
        .map(|one| (one.ruling, one.rule, one.message, one.addr))
        .collect()
}

/// The message, and the line and column, of what is wrong with one policy.
#[track_caller]
fn wrong(text: &str) -> (String, Option<(usize, usize)>) {
    of_error(&read(&[("a.rego", text)]).expect_err("a wrong policy"))
}

fn of_error(error: &PolicyError) -> (String, Option<(usize, usize)>) {
    let label = error.finding.labels.first();
    let place = label.and_then(|label| {
        let at = label.origin.start as usize;
        error.sources.line_and_column(&label.origin.file, at)
    });
    (error.finding.message.clone(), place)
}

#[test]
fn sentences_and_objects_of_any_package_count() {
    let text = "package a.b\n
deny contains \"no\" if input.x == 1
deny_named contains {\"msg\": \"named\", \"addr\": \"machine.db\"} if input.x == 1
violation contains \"worse\" if input.x == 1
warn contains \"careful\" if input.x == 1
denial contains \"not a rule that counts\" if input.x == 1
deny_helper(x) if x == 1
";
    let all = said(&[("sub/a.rego", text)], &json!({ "x": 1 }));
    let all: Vec<_> = all
        .iter()
        .map(|(ruling, rule, message, addr)| (*ruling, &**rule, &**message, addr.as_deref()))
        .collect();
    assert_eq!(
        all,
        [
            (Ruling::Deny, "data.a.b.deny", "no", None),
            (
                Ruling::Deny,
                "data.a.b.deny_named",
                "named",
                Some("machine.db")
            ),
            (Ruling::Deny, "data.a.b.violation", "worse", None),
            (Ruling::Warn, "data.a.b.warn", "careful", None),
        ]
    );
    assert_eq!(said(&[("sub/a.rego", text)], &json!({ "x": 2 })), []);
}

#[test]
fn packages_share_what_they_define_and_tests_are_left_out() {
    let files = [
        ("lib.rego", "package lib\n\nbad := {\"x\"}\n"),
        (
            "a.rego",
            "package a\n\nimport data.lib\n\ndeny contains msg if { some msg in lib.bad }\n",
        ),
        ("a_test.rego", "package a\n\ndeny contains \"of a test\"\n"),
    ];
    let all = said(&files, &json!({}));
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].2, "x");
}

#[test]
fn each_part_of_a_rule_is_named_by_its_line() {
    let text = "package a\n\ndeny contains \"one\"\n\ndeny contains \"two\" if false\n";
    let policies = read(&[("a.rego", text)]).expect("policies");
    let verdicts = policies.judge(&json!({})).expect("verdicts");
    let lines: Vec<_> = verdicts[0].defined_at.iter().map(|at| at.line).collect();
    assert_eq!(lines, [3, 5]);
    assert!(verdicts[0].defined_at[0].file.ends_with("a.rego"));
}

#[test]
fn a_wrong_policy_is_told_with_its_place() {
    let of = |body: &str| wrong(&format!("package a\n\n{body}\n"));
    assert_eq!(of("deny contains msg if {\n  msg := \n}").1, Some((4, 7)));
    let (message, place) = of("deny contains msg if {\n  msg := nothing(input.x)\n}");
    assert!(
        message.contains("could not find function nothing"),
        "{message}"
    );
    assert_eq!(place.map(|(line, _)| line), Some(4));
    let (message, place) = of("deny contains msg if {\n  msg := x\n}");
    assert!(message.contains("unsafe"), "{message}");
    assert_eq!(place.map(|(line, _)| line), Some(4));
    // The older form of the language, which has no `if`.
    let (message, place) = of("deny[msg] { msg := \"no\" }");
    assert!(message.contains("`if` keyword"), "{message}");
    assert_eq!(place.map(|(line, _)| line), Some(3));
    // Nobody is called, and no file is read.
    for call in [
        "http.send({\"url\": \"http://x\"})",
        "opa.runtime()",
        "time.now_ns()",
    ] {
        let (message, _) = of(&format!("deny contains msg if {{ msg := {call} }}"));
        assert!(
            message.contains("could not find function"),
            "{call}: {message}"
        );
    }
}

#[test]
fn a_guard_that_guards_nothing_is_an_error() {
    let empty = folder(&[("README.md", "none")]);
    let missing = empty.path().join("missing");
    for path in [empty.path().to_owned(), missing] {
        let error = RegoPolicies::read(&[path]).expect_err("no policy");
        let (message, _) = of_error(&error);
        assert!(
            message.contains("holds no policy") || message.contains("cannot be read"),
            "{message}"
        );
    }
    let (message, _) = wrong("package a\n\ndenied contains \"x\"\n");
    assert!(message.contains("could deny or warn"), "{message}");
}

#[test]
fn what_a_rule_says_must_be_understood() {
    let judged = |rule: &str| {
        let policies = read(&[("a.rego", &format!("package a\n\n{rule}\n"))]).expect("policies");
        policies.judge(&json!({ "x": 1 }))
    };
    for (rule, word) in [
        ("deny if input.x == 1", "no set of sentences"),
        ("deny contains {\"message\": \"x\"}", "as `msg`"),
        ("deny contains 7", "neither a sentence"),
        ("deny contains \" \"", "neither a sentence"),
    ] {
        let error = judged(rule).expect_err(rule);
        let (message, place) = of_error(&error);
        assert!(message.contains(word), "{message}");
        assert_eq!(place, Some((3, 1)), "{rule}");
    }
    assert_eq!(judged("deny if input.x == 2").expect("undefined"), []);
    // An error while it is evaluated is no permission.
    let error = judged("deny contains msg if msg := 1 / (input.x - 1)").expect_err("a division");
    assert!(of_error(&error).0.contains("divide by zero"), "{error}");
}

#[test]
fn a_policy_that_does_not_end_is_ended_by_its_steps() {
    let text = "package a\n\ndeny contains \"x\" if {\n  input.x == 1\n  some i in numbers.range(1, 100000)\n  \
                some j in numbers.range(1, 100000)\n  i + j == 0\n}\n";
    let policies = read(&[("a.rego", text)]).expect("policies");
    let error = policies
        .judge(&json!({ "x": 1 }))
        .expect_err("too many steps");
    assert!(of_error(&error).0.contains("steps"), "{error}");
    // The next one has all of its steps again.
    assert_eq!(policies.judge(&json!({ "x": 2 })).expect("verdicts"), []);
}

#[test]
fn one_file_may_be_named_too() {
    let dir = folder(&[("a.rego", "package a\n\nwarn contains \"x\"\n")]);
    let path: PathBuf = dir.path().join("a.rego");
    let policies = RegoPolicies::read(&[path]).expect("policies");
    assert_eq!(policies.judge(&json!({})).expect("verdicts").len(), 1);
}
