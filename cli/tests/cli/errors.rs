//! What is told when something is wrong.

use std::process::Stdio;

use serde_json::json;

use crate::support::{Done, Shop};

#[test]
fn a_missing_path() {
    let shop = Shop::new();
    shop.run(&["plan", "nowhere"])
        .failed_saying(&["`nowhere` does not exist", "help:"]);
    std::fs::create_dir(shop.path().join("empty")).expect("a folder");
    shop.run(&["plan", "empty"])
        .failed_saying(&["no topology files", "strat init"]);
}

#[test]
fn a_variable_that_cannot_be() {
    let shop = Shop::new();
    shop.run(&["validate", "--var", "web_count=0"])
        .failed_saying(&["between 1 and 500", "shop.hcl", "1 error"]);
    shop.run(&["validate", "--var", "web_cuont=3"])
        .failed_saying(&["web_cuont", "did you mean `web_count`?"]);
    shop.run(&["validate", "--var", "web_count"])
        .failed_saying(&["NAME=VALUE"]);
    shop.run(&["validate", "--var-file", "none.hcl"])
        .failed_saying(&["none.hcl"]);
}

#[test]
fn everything_that_is_wrong_in_one_run() {
    let shop = Shop::new();
    shop.edit(
        "provider = \"sim\"\n  profile  = \"aws\"",
        "provider = \"smi\"\n  profile  = \"aws\"",
    );
    shop.edit("profile  = \"azure\"", "profil  = \"azure\"");
    let wrong = shop.run(&["validate"]);
    wrong.failed_saying(&[
        "there is no provider `smi`",
        "did you mean `sim`?",
        "profil",
        "did you mean `profile`?",
        "errors",
    ]);
    assert!(
        wrong.stderr.is_ascii() || !wrong.stderr.contains('\u{1b}'),
        "{wrong}"
    );
    let json = shop.run(&["validate", "--json"]);
    assert_eq!(json.code, Some(1));
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["valid"], json!(false));
    let first = &json["diagnostics"][0];
    assert!(
        first["labels"][0]["line"]
            .as_u64()
            .is_some_and(|line| line > 1),
        "{first}"
    );
}

#[test]
fn nobody_to_ask() {
    let shop = Shop::new();
    shop.run(&["apply"])
        .failed_saying(&["stdin is no terminal", "--yes"]);
    shop.run(&["destroy"]).failed_saying(&["--yes"]);
    assert!(!shop.path().join(".stratiform").exists());
}

#[test]
fn colours_only_where_they_belong() {
    let shop = Shop::new();
    let piped = shop.ok(&["plan"]);
    assert!(!piped.stdout.contains('\u{1b}'), "{piped}");
    let forced = shop.ok(&["plan", "--color", "always"]);
    assert!(forced.stdout.contains("\u{1b}[32m+"), "{forced}");
    let never = shop
        .command(&["plan"])
        .env("NO_COLOR", "1")
        .env("CLICOLOR_FORCE", "1")
        .output()
        .expect("strat runs");
    assert!(!Done::of(&never).stdout.contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away() {
    let shop = Shop::new();
    for args in [&["plan"][..], &["plan", "--json"], &["offers"], &["--help"]] {
        let mut child = shop
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strat runs");
        drop(child.stdout.take());
        let done = Done::of(&child.wait_with_output().expect("an end"));
        assert_eq!(done.code, Some(0), "{args:?}\n{done}");
        assert!(!done.stderr.contains("panicked"), "{done}");
    }
}

#[test]
fn help_and_usage() {
    let shop = Shop::new();
    let bare = shop.run(&[]);
    assert!(bare.stderr.contains("Usage: strat"), "{bare}");
    let help = shop.ok(&["--help"]);
    assert!(help.stdout.contains("Exit codes:"), "{help}");
    // 2 means "there are changes"; a slip on the command line must not look like that.
    let slip = shop.run(&["plan", "--detailed-exitcodes"]);
    assert_eq!(slip.code, Some(1), "{slip}");
    let lines = help.stdout.lines().skip_while(|line| *line != "Commands:");
    for line in lines.skip(1).take_while(|line| !line.is_empty()) {
        let Some(line) = line
            .strip_prefix("  ")
            .filter(|line| !line.starts_with(' '))
        else {
            continue;
        };
        let command = line.split(' ').next().expect("a word");
        let help = shop.ok(&[command, "--help"]);
        assert!(help.stdout.contains("Examples:"), "{command}\n{help}");
    }
}

#[test]
fn a_clouds_refusal_is_told_once_with_help() {
    let shop = Shop::new();
    shop.ok(&["plan"]);
    shop.ok(&[
        "sim",
        "fault",
        "dc1",
        "--kind",
        "quota",
        "--operation",
        "create_machines",
        "--times",
        "9",
    ]);
    let failed = shop.run(&["apply", "--yes"]);
    failed.failed_saying(&[
        "Failed:",
        "quota exceeded",
        "higher quota",
        "Left out:",
        "goes on from here",
    ]);
    shop.ok(&["sim", "calm", "dc1"]);
    shop.ok(&["apply", "--yes"]);
    shop.assert_converged();
}

#[test]
fn a_site_that_does_not_answer_is_left_alone() {
    let shop = Shop::applied();
    shop.edit("protect  = true", "protect  = false");
    shop.ok(&["apply", "--yes"]);
    shop.ok(&["sim", "lose-region", "west"]);
    let plan = shop.run(&["plan", "--detailed-exitcode"]);
    // No changes were seen, but neither was everything.
    assert_eq!(plan.code, Some(1), "{plan}");
    assert!(plan.stdout.contains("as far as can be seen"), "{plan}");
    // It is asked once, not for each kind of what may be there.
    assert_eq!(plan.stderr.matches("warning: west").count(), 1, "{plan}");
    let destroyed = shop.run(&["destroy", "--yes", "--allow-data-loss", "shop"]);
    destroyed.failed_saying(&["warning: west", "27 deleted", "goes on from here"]);
    assert!(
        destroyed.stdout.contains("? what is at west"),
        "{destroyed}"
    );
    shop.ok(&["sim", "restore-region", "west"]);
    assert_eq!(shop.things().len(), 6);
    shop.ok(&["destroy", "--yes", "--allow-data-loss", "shop"]);
    assert!(shop.things().is_empty());
}
