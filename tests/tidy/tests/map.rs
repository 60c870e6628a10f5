//! ARCHITECTURE.md is the map of the code: its floors are the folders that are there, and what its table
//! says that a crate uses is what the crate's manifest says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut above = here.ancestors();
    above.nth(2).expect("the workspace").to_path_buf()
}

fn map() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the map")
}

/// The part of the map below a heading.
fn part<'a>(map: &'a str, heading: &str) -> &'a str {
    let (_, rest) = map.split_once(heading).expect(heading);
    rest.split_once("\n## ").map_or(rest, |(part, _)| part)
}

/// The folders within a folder, without hidden ones.
fn folders(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).expect("a folder");
    let folders = entries.map(|entry| entry.expect("an entry"));
    folders
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect()
}

/// The crates of ours that a crate's own code uses.
fn uses(dir: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(dir.join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = text.parse().expect("TOML");
    let used = manifest.get("dependencies").and_then(toml::Value::as_table);
    let names = used.into_iter().flat_map(|used| used.keys());
    names
        .filter_map(|name| match name.as_str() {
            "stratiform" => Some("the library".to_owned()),
            "strat-sim" => Some("the simulator".to_owned()),
            name => name.strip_prefix("strat-").map(str::to_owned),
        })
        .collect()
}

#[test]
fn floors_are_the_folders_that_are_there() {
    let map = map();
    let part = part(&map, "## Floors\n");
    let block = part.split("```").nth(1).expect("a drawing");
    let mut floors: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for line in block.lines().filter(|line| !line.trim().is_empty()) {
        let (floor, rest) = line.split_once(' ').expect("a floor and its rooms");
        let rooms = rest.trim_start();
        // What a floor is stands to the right of its rooms, after a wide gap.
        let rooms = rooms.split("     ").next().unwrap_or(rooms);
        floors.insert(floor, rooms.split_whitespace().map(str::to_owned).collect());
    }
    assert_eq!(floors["core"], folders(&root().join("core")));
    assert_eq!(floors["providers"], folders(&root().join("providers")));
    let mut top = folders(&root());
    for floor in ["core", "providers"] {
        assert!(top.remove(floor), "{floor}");
    }
    let drawn: BTreeSet<String> = floors["above"].union(&floors["beside"]).cloned().collect();
    assert_eq!(drawn, top);
}

#[test]
fn a_room_uses_what_the_map_says() {
    let map = map();
    let mut seen = 0;
    for line in part(&map, "## Rooms\n").lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [room, _, used] = cells[..] else { continue };
        let Some((_, path)) = room.split_once("](") else {
            continue;
        };
        let dir = root().join(path.trim_end_matches(')'));
        let said: BTreeSet<String> = used
            .trim_end_matches('|')
            .split(", ")
            .map(|word| word.trim().to_owned())
            .collect();
        assert!(dir.exists(), "{room}");
        // Those that stand for many are held by the test of layers.
        let stands_for_many = ["all of core", "providers", "doubles", ""];
        if !dir.join("Cargo.toml").exists()
            || said
                .iter()
                .any(|word| stands_for_many.contains(&word.as_str()))
        {
            continue;
        }
        let is = uses(&dir);
        let said: BTreeSet<String> = said
            .into_iter()
            .filter(|word| word != "nothing")
            .map(|word| word.replace('/', "-"))
            .collect();
        assert_eq!(said, is, "{room}");
        seen += 1;
    }
    assert!(seen > 10, "the table was not read: {seen} rows");
}
