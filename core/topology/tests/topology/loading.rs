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
    fs::write(&path, b"# \xff").expect("written");
    assert!(matches!(
        Sources::load(&path),
        Err(LoadError::NotUtf8 {
            line: 1,
            column: 3,
            ..
        })
    ));
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
