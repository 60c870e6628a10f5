//! What is read of a folder, and what is said when nothing can be.

use std::fs;

use strat_topology::{LoadError, Sources};

#[test]
fn a_folder_gives_its_topology_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str| fs::write(folder.path().join(name), "x").expect("written");
    let names = || {
        let sources = Sources::load(folder.path()).expect("it loads");
        let names = sources
            .files()
            .iter()
            .map(|file| file.name.rsplit('/').next().map(str::to_owned));
        names.map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    assert!(matches!(
        Sources::load(folder.path()),
        Err(LoadError::NoFiles { .. })
    ));
    write("notes.txt");
    assert!(matches!(
        Sources::load(folder.path()),
        Err(LoadError::NoFiles { .. })
    ));
    write("b.yaml");
    write("a.json");
    assert_eq!(names(), ["a.json", "b.yaml"]);
    let plan = r#"{ "changes": [], "format_version": 1 }"#;
    fs::write(folder.path().join("plan.json"), plan).expect("written");
    // As a shell on Windows writes it.
    let marked = format!("\u{feff}{plan}");
    fs::write(folder.path().join("marked.json"), marked).expect("written");
    assert_eq!(names(), ["a.json", "b.yaml"]);
    for name in ["z.hcl", "c.strat.yaml", "prod.vars.hcl", ".hidden.hcl"] {
        write(name);
    }
    fs::create_dir(folder.path().join("folder.hcl")).expect("made");
    assert_eq!(names(), ["c.strat.yaml", "z.hcl"]);
}

#[test]
fn what_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing.hcl");
    assert!(matches!(
        Sources::load(&missing),
        Err(LoadError::Missing { .. })
    ));
    let path = folder.path().join("bad.hcl");
    fs::write(&path, "\u{feff}# mark").expect("written");
    let sources = Sources::load(&path).expect("it loads");
    assert_eq!(sources.base_dir(), folder.path());
    assert_eq!(sources.get(&path.to_string_lossy()), Some("# mark"));
    let file = fs::File::create(&path).expect("made");
    file.set_len((64 << 20) + 1).expect("grown");
    assert!(matches!(
        Sources::load(&path),
        Err(LoadError::TooLarge { .. })
    ));
}

#[test]
fn what_is_not_utf8_is_told_at_its_place_beside_other_mistakes() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes, place, others) in [
        (
            "a.hcl",
            &b"topology \"t\" {}\nlocals {\n  \xc3\xa4 = \"x\xff\"\n}\n"[..],
            (3, 9),
            0,
        ),
        (
            "a.hcl",
            b"\xef\xbb\xbftopology \"t\" {}\n\xff\nfoo {}\n",
            (2, 1),
            1,
        ),
        (
            "a.yaml",
            b"topology: { t: {} }\n# \xfe\nsite: { a: { provider: sim, \"x\": 1 } }\n",
            (2, 3),
            0,
        ),
        (
            "a.json",
            b"{\"topology\": {\"t\": {}}, \"//\": \"\xe2\x82\"}",
            (1, 32),
            0,
        ),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        let sources = Sources::load(&path).expect("it loads");
        let found = strat_topology::Topology::parse(&sources).expect_err(name);
        let finding = found.iter().find(|finding| finding.code == "not_utf8");
        let finding = finding.unwrap_or_else(|| panic!("{name}: {found:#?}"));
        let origin = &finding.labels[0].origin;
        let at = sources.line_and_column(&origin.file, origin.start as usize);
        assert_eq!(at, Some(place), "{name}");
        let text = format!("line {}, column {}", place.0, place.1);
        assert!(finding.message.contains(&text), "{finding:?}");
        assert_eq!(found.len(), 1 + others, "{found:#?}");
    }
}

#[test]
fn images_are_digested() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("disk.img"), "").expect("written");
    let text = "topology \"t\" {}\nimage \"i\" {\n  source = \"disk.img\"\n}\n";
    fs::write(folder.path().join("t.hcl"), text).expect("written");
    let sources = Sources::load(folder.path()).expect("it loads");
    let topology = strat_topology::Topology::parse(&sources).expect("it parses");
    let evaluated = topology
        .evaluate(&strat_topology::Inputs::default())
        .expect("it evaluates");
    let image = &evaluated.intent.images[0];
    assert!(image.sha256.starts_with("e3b0c44298fc1c149afb"));
    assert!(image.source.ends_with("/disk.img"));
}
