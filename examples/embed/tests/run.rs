//! The examples, run.

use std::path::{Path, PathBuf};
use std::process::Command;

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for file in files {
        std::fs::copy(from.join(file), dir.path().join(file)).expect("a copy");
    }
    dir
}

fn run(program: &str, path: &Path) -> String {
    let output = Command::new(program).arg(path).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn embed_plan_apply() {
    let files = ["shop.hcl", "ops.pub", "web-init.yaml"];
    let dir = copy(&here().join("../hybrid-shop"), &files);
    let first = run(env!("CARGO_BIN_EXE_embed_plan_apply"), dir.path());
    assert!(
        first.starts_with("33 to create, 0 to update, 0 to delete\n"),
        "{first}"
    );
    assert!(first.contains("create machines.web@dc1"), "{first}");
    assert!(first.contains("db_primary = \"10.20."), "{first}");
    let second = run(env!("CARGO_BIN_EXE_embed_plan_apply"), dir.path());
    assert!(
        second.starts_with("0 to create, 0 to update, 0 to delete\n"),
        "{second}"
    );
}

#[test]
fn custom_provider() {
    let dir = copy(&here().join("custom_provider"), &["buckets.hcl"]);
    let path = dir.path().join("buckets.hcl");
    let first = run(env!("CARGO_BIN_EXE_custom_provider"), &path);
    assert!(first.starts_with("2 changes\n"), "{first}");
    let second = run(env!("CARGO_BIN_EXE_custom_provider"), &path);
    assert!(second.starts_with("0 changes\n"), "{second}");
    assert_eq!(
        second.matches("here: bucket archive-").count(),
        2,
        "{second}"
    );
    let text = std::fs::read_to_string(&path).expect("text");
    std::fs::write(
        &path,
        text.replace("versioning = true", "versioning = false"),
    )
    .expect("written");
    let third = run(env!("CARGO_BIN_EXE_custom_provider"), &path);
    assert!(third.starts_with("1 changes\n"), "{third}");
}

#[test]
fn a_custom_provider_is_short() {
    let text = std::fs::read_to_string(here().join("custom_provider/provider.rs")).expect("text");
    assert!(text.lines().count() < 100);
}
