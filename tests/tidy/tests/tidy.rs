//! House rules that a compiler does not hold: which layer may use which, how long a file may be,
//! what no source may say, and that every dependency has its reason written down.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The longest source file, in lines. The style asks for 150 and rarely past 400.
const LINES_MAX: usize = 450;

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("the workspace")
        .to_path_buf()
}

/// Every file below `dir` with one of the endings, without build output and hidden folders.
fn files(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    open.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<PathBuf> {
    files(&root(), &[".rs"])
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The manifests of the workspace: package name to its folder and parsed text.
fn manifests() -> BTreeMap<String, (PathBuf, toml::Table)> {
    let manifests = files(&root(), &["Cargo.toml"])
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(&path).expect("a manifest");
            let table: toml::Table = text.parse().expect("TOML");
            let name = table.get("package")?.get("name")?.as_str()?.to_owned();
            Some((
                name,
                (path.parent().expect("a folder").to_path_buf(), table),
            ))
        });
    manifests.collect()
}

fn dependencies(table: &toml::Table, section: &str) -> BTreeSet<String> {
    let deps = table.get(section).and_then(toml::Value::as_table);
    deps.into_iter()
        .flat_map(|deps| deps.keys().cloned())
        .collect()
}

#[test]
fn layers_use_only_what_lies_below_them() {
    let core = [
        "strat-model",
        "strat-parallel",
        "strat-catalogue",
        "strat-provider",
        "strat-s3",
        "strat-topology",
        "strat-planner",
        "strat-engine",
    ];
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("strat-model", &[] as &[&str]),
        ("strat-parallel", &[]),
        ("strat-catalogue", &core[..1]),
        ("strat-provider", &core[..1]),
        ("strat-s3", &["strat-model", "strat-provider"]),
        ("strat-postgres", &["strat-model", "strat-provider"]),
        ("strat-topology", &core[..2]),
        ("strat-planner", &core[..1]),
        (
            "strat-engine",
            &[
                "strat-model",
                "strat-parallel",
                "strat-provider",
                "strat-planner",
            ],
        ),
        ("stratiform", &core),
        ("strat-rehearsal", &["stratiform", "strat-sim"]),
        ("strat-policy", &["stratiform"]),
        ("strat-lsp", &["stratiform"]),
        ("strat-burst-policy", &core[..1]),
        (
            "strat-burst",
            &["strat-model", "strat-burst-policy", "stratiform"],
        ),
    ]);
    let manifests = manifests();
    let ours: BTreeSet<&String> = manifests.keys().collect();
    let mut wrong = Vec::new();
    for (name, (dir, table)) in &manifests {
        let is_provider = dir.starts_with(root().join("providers"));
        let permitted: &[&str] = match allowed.get(name.as_str()) {
            Some(permitted) => permitted,
            None if is_provider => &core[..5],
            None => continue,
        };
        for dep in dependencies(table, "dependencies") {
            if ours.contains(&dep) && !permitted.contains(&dep.as_str()) {
                wrong.push(format!("{name} uses {dep}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(manifests.len() > 8, "the manifests were not found");
}

#[test]
fn the_planner_never_waits() {
    for path in files(&root().join("core/planner/src"), &[".rs"]) {
        let text = fs::read_to_string(&path).expect("a source");
        let waits = text.contains("async fn") || text.contains(".await");
        assert!(!waits, "{} waits; planning is synchronous", shown(&path));
    }
}

#[test]
fn every_provider_has_the_same_files() {
    // They keep buckets and leases, and are no clouds.
    let stores = ["s3", "postgres"];
    let rooms = ["config", "error", "observe", "writes", "images", "offers"];
    let mut missing = Vec::new();
    for entry in fs::read_dir(root().join("providers")).expect("providers") {
        let dir = entry.expect("an entry").path();
        if !dir.join("Cargo.toml").exists() || stores.iter().any(|store| dir.ends_with(store)) {
            continue;
        }
        for room in rooms {
            let file = dir.join("src").join(format!("{room}.rs"));
            let folder = dir.join("src").join(room).join("mod.rs");
            if !file.exists() && !folder.exists() {
                missing.push(format!("{}: {room}", shown(&dir)));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn no_file_outgrows_its_name() {
    let long: Vec<String> = sources()
        .iter()
        .filter_map(|path| {
            let lines = fs::read_to_string(path).expect("a source").lines().count();
            (lines > LINES_MAX).then(|| format!("{} has {lines} lines", shown(path)))
        })
        .collect();
    assert!(
        long.is_empty(),
        "split these (at most {LINES_MAX} lines): {long:#?}"
    );
}

#[test]
fn no_source_promises_what_is_not_done() {
    // Put together here so that this file does not find itself.
    let words = [["TO", "DO"], ["FIX", "ME"], ["X", "XX"], ["HA", "CK"]].map(|word| word.concat());
    let macros = [
        ["todo", "!("],
        ["unimplemented", "!("],
        ["#[all", "ow("],
        ["#[ign", "ore"],
    ]
    .map(|m| m.concat());
    let mut found = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).expect("a source");
        for (number, line) in text.lines().enumerate() {
            let word = |word: &String| {
                line.split(|c: char| !c.is_ascii_alphanumeric())
                    .any(|part| part == word)
            };
            if words.iter().any(word) || macros.iter().any(|m| line.contains(m.as_str())) {
                found.push(format!("{}:{}: {}", shown(&path), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn help_is_a_field_of_an_error_and_no_part_of_its_text() {
    // Put together here so that this file does not find itself.
    let mark = ["he", "lp: "].concat();
    let mut found = Vec::new();
    for path in sources() {
        // What draws a failure writes the word, and tests look for it.
        let draws = shown(&path).starts_with("cli/src/render") || shown(&path).contains("tests/");
        if draws || path.ends_with("cli/src/commands/doctor.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source");
        for (number, line) in text.lines().enumerate() {
            // In a text, not a field of that name.
            let at = line.find(&mark).map(|at| &line[..at]);
            let in_text = at.is_some_and(|before| before.matches('"').count() % 2 == 1);
            let continued = line.trim_start().starts_with(&mark) && line.trim_end().ends_with('\\');
            if in_text || continued {
                found.push(format!("{}:{}: {}", shown(&path), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_dependency_has_its_reason() {
    let reasons =
        fs::read_to_string(root().join("docs/dependencies.md")).expect("docs/dependencies.md");
    let listed: BTreeSet<&str> = reasons
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let manifests = manifests();
    let mut used = BTreeSet::new();
    for (_, table) in manifests.values() {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            used.extend(dependencies(table, section));
        }
    }
    used.retain(|dep| !manifests.contains_key(dep));
    let without: Vec<_> = used
        .iter()
        .filter(|dep| !listed.contains(dep.as_str()))
        .collect();
    assert!(
        without.is_empty(),
        "no reason in docs/dependencies.md for: {without:#?}"
    );
    let gone: Vec<_> = listed.iter().filter(|dep| !used.contains(**dep)).collect();
    assert!(
        gone.is_empty(),
        "docs/dependencies.md speaks of what is not used: {gone:#?}"
    );
}

#[test]
fn the_reference_topology_is_evaluated_by_a_test() {
    // A moved or renamed example would make its tests pass on nothing.
    for file in ["shop.hcl", "web-init.yaml", "ops.pub"] {
        assert!(
            root().join("examples/hybrid-shop").join(file).exists(),
            "{file}"
        );
    }
}

#[test]
fn pages_link_to_files_that_exist() {
    let mut broken = Vec::new();
    for path in files(&root(), &[".md"]) {
        let text = fs::read_to_string(&path).expect("a page");
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            if !path.parent().expect("a folder").join(target).exists() {
                broken.push(format!("{} -> {target}", shown(&path)));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The arms of the `match` whose body begins at `start`: their patterns.
fn patterns(text: &str, start: usize) -> Vec<&str> {
    let (mut depth, mut begin, mut patterns) = (1_u32, start, Vec::new());
    for (offset, c) in text[start..].char_indices() {
        let at = start + offset;
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && text[at..].starts_with("=>") {
            patterns.push(text[begin..at].trim());
        }
        if depth == 1 && matches!(c, ',' | '}') {
            begin = at + 1;
        }
    }
    patterns
}

/// Where a `match` has arms for kinds of things and one for all the rest, by line.
fn catches_kinds(text: &str) -> Vec<usize> {
    let is_kind = |pattern: &&str| pattern.trim_start_matches(['|', ' ']).starts_with("Kind::");
    let is_rest = |pattern: &&str| {
        let name = pattern.split_whitespace().next().unwrap_or_default();
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let mut found = Vec::new();
    for (at, _) in text.match_indices("match ") {
        let Some(body) = text[at..].find('{').map(|offset| at + offset + 1) else {
            continue;
        };
        let patterns = patterns(text, body);
        if patterns.iter().any(is_kind) && patterns.iter().any(is_rest) {
            found.push(text[..at].matches('\n').count() + 1);
        }
    }
    found
}

#[test]
fn nothing_but_a_provider_takes_a_kind_for_the_rest() {
    // Whoever adds a kind is to be told by the compiler of every place that decides by kind. Only a
    // provider does not know all kinds. The lexer's kinds of tokens are none of things.
    let sample = "match kind {\n Kind::Network => f(a, b),\n _ => g(),\n}";
    assert_eq!(
        catches_kinds(sample),
        [1],
        "the test finds what it looks for"
    );
    let whole = "match kind {\n Kind::Network => f(),\n Kind::Subnet | Kind::Image => {}\n}";
    assert!(catches_kinds(whole).is_empty());
    let mut found = Vec::new();
    for path in sources() {
        let name = shown(&path);
        let is_of_tokens = name.contains("topology/src/syntax/");
        let decides = ["core/", "cli/src", "rehearsal/src", "lsp/src"];
        if is_of_tokens || !decides.iter().any(|dir| name.starts_with(dir)) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source");
        found.extend(
            catches_kinds(&text)
                .iter()
                .map(|line| format!("{name}:{line}")),
        );
    }
    assert!(found.is_empty(), "name every kind in these: {found:#?}");
}

#[test]
fn layers_forward_every_method() {
    // A method that has a default would slip past the layers: clippy refuses that where it is asked.
    let mut bare = Vec::new();
    for path in files(&root().join("core/provider/src/layers/forward"), &[".rs"]) {
        let text = fs::read_to_string(&path).expect("a source");
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let implements = line.starts_with("impl ") && line.contains(" for Layered");
            let asked = lines[..number]
                .iter()
                .rev()
                .take_while(|line| line.starts_with("#["));
            let mut asked = asked.filter(|line| line.contains("clippy::missing_trait_methods"));
            if implements && asked.next().is_none() {
                bare.push(format!("{}:{}", shown(&path), number + 1));
            }
        }
    }
    assert!(
        bare.is_empty(),
        "deny `missing_trait_methods` on: {bare:#?}"
    );
}
