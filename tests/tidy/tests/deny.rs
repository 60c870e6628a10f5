//! What we build on, held against `deny.toml`: licences, sources, and crates in several versions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use spdx::{Expression, LicenseReq, ParseMode};

/// `deny.toml`, the parts that are held.
#[derive(Debug, Deserialize)]
struct Deny {
    graph: Graph,
    licenses: Licenses,
    sources: Sources,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
    exceptions: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    skip: Vec<Skip>,
}

#[derive(Debug, Deserialize)]
struct Skip {
    #[serde(rename = "crate")]
    name: String,
}

/// What `cargo metadata` says.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Package {
    name: String,
    version: String,
    id: String,
    license: Option<String>,
    rust_version: Option<String>,
    /// `None` for our own.
    source: Option<String>,
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn parsed<T: DeserializeOwned>(file: &str) -> T {
    let text = fs::read_to_string(root().join(file)).expect(file);
    toml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What is built for these targets, with every feature.
fn packages(targets: &[String]) -> BTreeSet<Package> {
    let of = |target: &String| {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--locked", "--all-features"])
            .args(["--format-version", "1", "--filter-platform", target])
            .current_dir(root())
            .output()
            .expect("cargo runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let metadata = serde_json::from_slice::<Metadata>(&output.stdout).expect("JSON");
        let built: BTreeSet<_> = metadata.resolve.nodes.into_iter().map(|n| n.id).collect();
        let packages = metadata.packages.into_iter();
        packages.filter(move |package| built.contains(&package.id))
    };
    targets.iter().flat_map(of).collect()
}

/// Whether a licence is one that may be; `A WITH B` is its own, and so is each side of `AND`.
fn may_be(license: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = Expression::parse_mode(license, ParseMode::LAX);
    let is_allowed = |required: &LicenseReq| allowed.contains(&required.to_string());
    expression.is_ok_and(|expression| expression.evaluate(is_allowed))
}

#[test]
fn what_we_build_on_is_as_deny_toml_says() {
    let deny: Deny = parsed("deny.toml");
    let packages = packages(&deny.graph.targets);
    assert!(packages.len() > 100, "the graph is read");
    let mut wrong = Vec::new();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &packages {
        let Package { name, version, .. } = package;
        let Some(source) = &package.source else {
            continue;
        };
        versions.entry(name).or_default().push(version);
        let registry = source.strip_prefix("registry+").unwrap_or(source);
        if !deny.sources.allow_registry.contains(registry) {
            wrong.push(format!("{name} {version} comes from {source}"));
        }
        let license = package.license.as_deref().unwrap_or("no licence");
        let exceptions = deny.licenses.exceptions.iter();
        let mut exceptions = exceptions.filter(|exception| exception.name == *name);
        let is_excepted = exceptions.any(|exception| may_be(license, &exception.allow));
        if !is_excepted && !may_be(license, &deny.licenses.allow) {
            wrong.push(format!("{name} {version} is under `{license}`"));
        }
    }
    versions.retain(|_, versions| versions.len() > 1);
    let mut skipped: BTreeSet<_> = deny.bans.skip.iter().map(|s| s.name.as_str()).collect();
    for (name, versions) in versions {
        let mut named = |version: &&str| skipped.remove(format!("{name}@{version}").as_str());
        let left = versions.iter().filter(|version| !named(version)).count();
        if left > 1 {
            wrong.push(format!("{name} is there in the versions {versions:?}"));
        }
    }
    wrong.extend(
        skipped
            .iter()
            .map(|name| format!("{name} is skipped for nothing")),
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The numbers of a version of Rust: `1.91` is 1.91.0.
fn numbers(version: &str) -> Vec<u32> {
    let numbers = version.split('.').map(str::parse);
    let mut numbers: Vec<u32> = numbers.collect::<Result<_, _>>().expect("numbers");
    numbers.resize(3, 0);
    numbers
}

/// What our own code uses of the standard library is held to the same version by clippy
/// (`incompatible_msrv`), which is on by default.
#[test]
fn no_dependency_wants_a_newer_rust_than_we_say() {
    let deny: Deny = parsed("deny.toml");
    let manifest: toml::Table = parsed("Cargo.toml");
    let ours = manifest["workspace"]["package"]["rust-version"].as_str();
    let ours = numbers(ours.expect("a version"));
    let newer: Vec<_> = packages(&deny.graph.targets)
        .into_iter()
        .filter(|package| {
            package
                .rust_version
                .as_deref()
                .is_some_and(|its| numbers(its) > ours)
        })
        .map(|package| (package.name, package.version, package.rust_version))
        .collect();
    assert!(newer.is_empty(), "{newer:#?}");
}

#[test]
fn licences_are_read_as_their_expressions_say() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"];
    let allowed = allowed.map(str::to_owned).into();
    let check = |license, wanted| assert_eq!(may_be(license, &allowed), wanted, "{license}");
    check("MIT", true);
    check("LGPL-2.1", false);
    check("MIT OR LGPL-2.1-or-later", true);
    check("MIT/Apache-2.0", true);
    check("MIT AND LGPL-2.1-only", false);
    check("(Apache-2.0 OR MIT) AND ISC", true);
    check("Apache-2.0 WITH LLVM-exception", true);
    check("Apache-2.0", false);
    check("no licence", false);
}
