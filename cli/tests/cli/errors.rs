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
    let needs = Shop::of("topology \"t\" {}\nvariable \"size\" { type = number }\n");
    needs
        .run(&["validate"])
        .failed_saying(&["`size` has no value", "--var size="]);
    needs
        .run(&["validate", "--var", "size=large"])
        .failed_saying(&["`size`", "it was given as `size = large`"]);
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

/// What `validate --json` tells: the code of each finding with its file and line.
fn told(shop: &Shop, args: &[&str]) -> Vec<(String, String, u64)> {
    let json = shop.run(&[&["validate", "--json"], args].concat());
    assert_eq!(json.code, Some(1), "{json}");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["valid"], json!(false));
    let findings = json["diagnostics"].as_array().expect("findings").iter();
    let findings = findings.map(|finding| {
        let label = &finding["labels"][0];
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let line = label["line"].as_u64().unwrap_or_default();
        (text(&finding["code"]), text(&label["file"]), line)
    });
    findings.collect()
}

#[test]
fn an_unknown_attribute_hides_neither_provider_nor_image() {
    let shop = Shop::of(
        r#"topology "shop" {}
site "east" {
  provider = "sim"
  region   = "us-east-1"
}
site "west" { provider = "smi" }
network "core" {
  cidr  = "10.0.0.0/16"
  sites = [site.east]
}
subnet "app" {
  network = network.core
  newbits = 4
}
machine "web" {
  cpu    = 2
  memory = "4GiB"
  image  = "debian-99"
  subnet = subnet.app
}
machine "db" {
  cpu    = 2
  memory = "4GiB"
  memry  = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
}
bucket "a" { site = site.east }
bucket "a" { site = site.east }
"#,
    );
    let mut codes: Vec<String> = told(&shop, &[])
        .into_iter()
        .map(|(code, ..)| code)
        .collect();
    codes.sort();
    let wanted = [
        "duplicate_name",
        "unknown_attribute",
        "unknown_image",
        "unknown_provider",
    ];
    assert_eq!(codes, wanted);
    shop.run(&["validate"]).failed_saying(&[
        "debian-99",
        "there is no provider `smi`",
        "no attribute `memry`",
        "is declared twice",
        "4 errors",
    ]);
}

#[test]
fn what_is_not_utf8_is_told_with_its_place() {
    let shop = Shop::of("topology \"t\" {}\nvariable \"n\" {}\n");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(shop.path().join(name), bytes).expect("written");
    };
    write("vars.hcl", b"# \xc3\xa4\nn = \"\xff\"\n");
    let wanted = ("not_utf8".to_owned(), "vars.hcl".to_owned(), 2);
    assert_eq!(
        told(&shop, &["shop.hcl", "--var-file", "vars.hcl"]),
        [wanted]
    );
    shop.run(&["validate", "shop.hcl", "--var-file", "vars.hcl"])
        .failed_saying(&[
            "`vars.hcl` is not UTF-8 text: at line 2, column 6",
            "1 error",
        ]);
    for (name, bytes) in [
        ("bad.hcl", &b"topology \"t\" {}\n# \xff\n"[..]),
        ("bad.yaml", b"topology: { t: {} }\n# \xff\n"),
        (
            "bad.json",
            b"{ \"topology\": { \"t\": {} },\n \"//\": \"\xff\" }\n",
        ),
    ] {
        write(name, bytes);
        let told = told(&shop, &[name]);
        assert_eq!(told, [("not_utf8".to_owned(), name.to_owned(), 2)]);
        shop.run(&["plan", name])
            .failed_saying(&[&format!("`{name}` is not UTF-8 text: at line 2")]);
    }
    shop.run(&["fmt", "bad.hcl"])
        .failed_saying(&["`bad.hcl` is not UTF-8 text: at line 2, column 3"]);
    write("init.yaml", b"one\nt\xfe\n");
    write(
        "shop.hcl",
        b"topology \"t\" {}\noutput \"o\" {\n  value = templatefile(\"init.yaml\", {})\n}\n",
    );
    assert_eq!(
        told(&shop, &["shop.hcl"]),
        [("bad_file".to_owned(), "shop.hcl".to_owned(), 3)]
    );
    shop.run(&["validate", "shop.hcl"])
        .failed_saying(&["`init.yaml` is not UTF-8 text: at line 2, column 2"]);
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
    let applied = shop.run(&["apply", "--yes"]);
    applied.failed_saying(&["warning: west", "not everything could be seen"]);
    let all = format!("{}{}", applied.stdout, applied.stderr);
    assert!(!all.contains("Done: nothing to do"), "{all}");
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
