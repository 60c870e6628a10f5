//! `strat test`: files of tests beside a topology.

use serde_json::{Value, json};

use crate::support::Shop;

const EXAMPLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/hybrid-shop/shop.test.hcl"
);

/// The reference topology with a file of tests.
fn with(test: &str) -> Shop {
    let shop = Shop::new();
    std::fs::write(shop.path().join("shop.test.hcl"), test).expect("written");
    shop
}

fn names(shop: &Shop) -> Vec<String> {
    let entries = std::fs::read_dir(shop.path()).expect("the folder");
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn the_tests_of_the_reference_topology_pass_and_leave_nothing_behind() {
    let shop = with(&std::fs::read_to_string(EXAMPLE).expect("the example"));
    let before = names(&shop);
    let done = shop.ok(&["test"]);
    assert!(
        done.stdout.ends_with("6 runs passed, 0 failed.\n"),
        "{done}"
    );
    assert!(
        done.stdout
            .contains("  pass  the whole shop is made (apply)\n"),
        "{done}"
    );
    assert_eq!(done.stderr, "");
    assert_eq!(
        names(&shop),
        before,
        "a test writes nothing beside the topology"
    );
    // A file of tests is no part of the topology.
    shop.ok(&["validate"]);
}

#[test]
fn a_topology_that_is_not_there_is_told_before_any_run() {
    let shop = with(&std::fs::read_to_string(EXAMPLE).expect("the example"));
    let done = shop.run(&["test", "nowhere"]);
    assert_eq!((done.code, &*done.stdout), (Some(1), ""), "{done}");
    assert!(done.stderr.contains("`nowhere` does not exist"), "{done}");
}

#[test]
fn what_does_not_hold_is_told_with_both_sides() {
    let shop = with(
        "run \"counts\" {\n  command = plan\n\n  assert {\n    condition     = plan.summary.create == var.web_count\n    \
         error_message = \"so many\"\n  }\n}\n\nrun \"never\" {\n}\n",
    );
    let done = shop.run(&["test"]);
    done.failed_saying(&[
        "so many",
        "shop.test.hcl:5:21",
        "plan.summary.create is 33; var.web_count is 6",
    ]);
    assert!(
        done.stdout
            .contains("  FAIL  counts (plan)\n  skip  never (apply)\n"),
        "{done}"
    );
    assert!(
        done.stdout
            .ends_with("0 runs passed, 1 failed, 1 skipped.\n"),
        "{done}"
    );

    let done = shop.run(&["test", "--json"]);
    assert_eq!(done.code, Some(1));
    let json: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(json["format_version"], json!(1));
    assert_eq!((&json["failed"], &json["skipped"]), (&json!(1), &json!(1)));
    let run = &json["files"][0]["runs"][0];
    assert_eq!(run["passed"], json!(false));
    assert_eq!(run["findings"][0]["code"], json!("assertion_failed"));
    assert_eq!(run["findings"][0]["labels"][0]["line"], json!(5));
}

#[test]
fn a_failure_that_is_expected_has_to_come() {
    let shop = with(
        "run \"right\" {\n  command         = plan\n  expect_failures = [\"validation\"]\n\n  variables {\n    \
         web_count = 501\n  }\n}\n\nrun \"wrong\" {\n  command         = plan\n  \
         expect_failures = [\"validation\"]\n}\n",
    );
    let done = shop.run(&["test"]);
    done.failed_saying(&[
        "was to fail by `validation`, and it succeeded",
        "shop.test.hcl:10:1",
    ]);
    assert!(done.stdout.contains("  pass  right (plan)"), "{done}");
    // What fails and is not expected to is told as a plan would tell it.
    let shop = with("run \"a\" {\n  variables {\n    web_count = 501\n  }\n}\n");
    shop.run(&["test"])
        .failed_saying(&["web_count must be between 1 and 500"]);
}

#[test]
fn a_real_cloud_is_simulated() {
    let shop = with(
        "run \"all\" {\n  assert {\n    condition = plan.summary.create == 33\n  }\n}\n\n\
         run \"out\" {\n  disturb = [\"stock east --left 0\"]\n}\n",
    );
    // Neither credentials nor a feature of the build are needed.
    shop.edit(
        "  provider = \"sim\"\n  profile  = \"aws\"",
        "  provider = \"aws\"\n  profile  = \"nobody\"",
    );
    shop.edit(
        "  provider = \"sim\"\n  profile  = \"azure\"",
        "  provider = \"azure\"\n  subscription = \"none\"",
    );
    let done = shop.ok(&["test"]);
    assert!(
        done.stdout.ends_with("2 runs passed, 0 failed.\n"),
        "{done}"
    );
}

#[test]
fn what_is_wrong_with_a_file_of_tests_is_told_with_its_place() {
    for (test, words) in [
        (
            "runs \"a\" {\n}\n",
            &["no block `runs`", "did you mean `run`?", ":1:1"][..],
        ),
        (
            "run \"a\" {\n  comand = plan\n}\n",
            &["did you mean `command`?", ":2:3"],
        ),
        (
            "run \"a\" {\n  command = destroy\n}\n",
            &["`command` is `plan` or `apply`", ":2:13"],
        ),
        (
            "run \"a\" {\n  assert {\n  }\n}\n",
            &["asserts nothing", ":2:3"],
        ),
        (
            "run \"a\" {\n}\nrun \"a\" {\n}\n",
            &["two runs `a`", ":3:1"],
        ),
        (
            "run \"a\" {\n  assert {\n    condition = plan.sumary.create == 1\n  }\n}\n",
            &["sumary", ":3:"],
        ),
        (
            "run \"a\" {\n}\nrun \"b\" {\n  disturb = [\"delete-machine machines.nobody@dc1\"]\n}\n",
            &[
                "cannot be disturbed by `delete-machine machines.nobody@dc1`",
                "no machine",
                ":4",
            ],
        ),
        (
            "run \"a\" {\n  disturb = [\"status\"]\n}\n",
            &["changes nothing of the world"],
        ),
    ] {
        with(test).run(&["test"]).failed_saying(words);
    }
    Shop::new()
        .run(&["test"])
        .failed_saying(&["there is no test", ".test.hcl"]);
    with("run \"a\" {\n}\n")
        .run(&["test", "--filter", "nothing"])
        .failed_saying(&["no run has a name with that in it"]);
}

#[cfg(feature = "policy")]
#[test]
fn plans_of_tests_are_held_against_policies() {
    let shop = with(
        "run \"a\" {\n  command         = plan\n  expect_failures = [\"denied_by_policy\"]\n}\n",
    );
    let rule = "package a\n\ndeny contains \"no\" if input.summary.create > 30\n";
    std::fs::write(shop.path().join("a.rego"), rule).expect("written");
    shop.ok(&["test", "--policy", "a.rego"]);
    shop.run(&["test"]).failed_saying(&["and it succeeded"]);
}

#[cfg(feature = "burst")]
#[test]
fn bursts_decide_by_what_their_signals_say() {
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/burst");
    let shop = Shop::of(&std::fs::read_to_string(format!("{from}/shop.hcl")).expect("the example"));
    let test = std::fs::read_to_string(format!("{from}/shop.test.hcl")).expect("its tests");
    let path = shop.path().join("shop.test.hcl");
    std::fs::write(&path, &test).expect("written");
    let done = shop.ok(&["test"]);
    assert!(done.stdout.contains("3 runs passed, 0 failed."), "{done}");
    for (from, to, word) in [
        ("burst \"web\"", "burst \"wob\"", "no burst `wob`"),
        ("demand = 900", "load = 900", "has no signal `load`"),
        ("demand = 900", "demand = \"much\"", "is a number"),
    ] {
        std::fs::write(&path, test.replace(from, to)).expect("written");
        shop.run(&["test"]).failed_saying(&[word, "shop.test.hcl:"]);
    }
}
