//! Functions that read files, relative to the topology's folder.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use strat_model::{Diagnostic, Inventory};
use strat_topology::{Inputs, SourceFile, Sources, Topology};

use crate::support::codes;

/// The value of an expression in a topology of that folder, as JSON text.
fn value(folder: &Path, expression: &str) -> Result<String, Vec<Diagnostic>> {
    let file = SourceFile::new(
        "t.hcl",
        format!(
            "topology \"t\" {{}}\nlocals {{\n  x = {expression}\n}}\noutput \"r\" {{\n  value = local.x\n}}\n"
        ),
    );
    let topology = Topology::parse(&Sources::from_files(folder, vec![file]))?;
    let outputs = topology
        .evaluate(&Inputs::default())?
        .outputs(&Inventory::default());
    Ok(outputs["r"].value.as_ref().expect("a value").to_string())
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [
        "keys/a.pub",
        "keys/b.pub",
        "keys/deep/c.pub",
        "keys/notes.txt",
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, "abc").expect("a file");
    }
    folder
}

#[test]
fn the_content_of_a_file_is_digested() {
    let folder = folder();
    for (function, of_text) in [
        ("filemd5", "md5"),
        ("filesha1", "sha1"),
        ("filesha256", "sha256"),
        ("filesha512", "sha512"),
        ("filebase64sha256", "base64sha256"),
        ("filebase64sha512", "base64sha512"),
        ("filebase64", "base64encode"),
    ] {
        let of_file = value(folder.path(), &format!("{function}(\"keys/a.pub\")"));
        let of_text = value(folder.path(), &format!("{of_text}(\"abc\")"));
        assert_eq!(of_file.expect(function), of_text.expect(function));
        let missing = value(folder.path(), &format!("{function}(\"keys/none\")"));
        assert_eq!(codes(&missing.expect_err(function)), ["bad_file"]);
    }
}

#[test]
fn a_large_file_is_digested_but_not_read_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = fs::File::create(folder.path().join("disk.img")).expect("a file");
    file.set_len(20 << 20).expect("its size");
    let digest = value(folder.path(), "filesha1(\"disk.img\")").expect("a digest");
    assert_eq!(digest, "\"9674344c90c2f0646f0b78026e127c9b86e3ad77\"");
    let found = value(folder.path(), "filebase64(\"disk.img\")").expect_err("refused");
    assert!(found[0].message.contains("16 MiB"), "{found:?}");
}

#[test]
fn files_are_listed_by_pattern() {
    let folder = folder();
    for (arguments, wanted) in [
        ("\"keys\", \"*.pub\"", r#"["a.pub","b.pub"]"#),
        (
            "\"keys\", \"**/*.pub\"",
            r#"["a.pub","b.pub","deep/c.pub"]"#,
        ),
        (
            "\".\", \"keys/{a,notes}.*\"",
            r#"["keys/a.pub","keys/notes.txt"]"#,
        ),
        ("\"keys\", \"[!a].pub\"", r#"["b.pub"]"#),
        ("\"keys\", \"?.pub\"", r#"["a.pub","b.pub"]"#),
        ("\"keys\", \"*\"", r#"["a.pub","b.pub","notes.txt"]"#),
        ("\"none\", \"*\"", "[]"),
    ] {
        let found = value(folder.path(), &format!("fileset({arguments})"));
        assert_eq!(found.expect(arguments), wanted, "{arguments}");
    }
    let found = value(folder.path(), "fileset(\"keys\", \"[a\")").expect_err("refused");
    assert_eq!(codes(&found), ["bad_argument"]);
}

#[test]
fn a_whole_path_begins_at_the_topologys_folder() {
    let folder = folder();
    let path = value(folder.path(), "abspath(\"keys/../x\")").expect("a path");
    let whole = folder.path().join("x");
    assert_eq!(path, serde_json::json!(whole).to_string());
}

#[test]
fn a_text_is_rendered_as_a_template() {
    let folder = folder();
    let text = "templatestring(\"%%{ for n in names }<$${n}>%%{ endfor }\", { names = [1, 2] })";
    assert_eq!(value(folder.path(), text).expect("a text"), "\"<1><2>\"");
    let found = value(folder.path(), "templatestring(\"$${b}\", { a = 1 })").expect_err("refused");
    assert_eq!(codes(&found), ["unknown_reference"]);
    assert!(
        found[0].message.starts_with("in templatestring:1:3"),
        "{found:?}"
    );
    let found = value(folder.path(), "templatestring(sensitive(\"x\"), {})").expect_err("refused");
    assert_eq!(codes(&found), ["sensitive_value"]);
}

#[test]
fn what_was_encrypted_for_a_key_is_decrypted() {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topology/keys");
    let secret = "uvqRyJh30COphsqfv0NTpLCytbM3AY+CTolg4NVAh8i4LWxjs+kXs2CZfk+74huCmWbFzvQI7/J9vnkzQ9hClu0ERt2Cyh0AJoCRnT4loY4riYXbHV2VvhPk4yp3HlbYy/p+p2RCx8GhrsQ9lN2TDezZUjF8uo4cpB63a1mQOYo=";
    for form in ["pkcs1", "pkcs8", "openssh"] {
        let call = format!("rsadecrypt(\"{secret}\", file(\"{form}.pem\"))");
        assert_eq!(value(&keys, &call).expect(form), "\"pässwörd\"");
        let other = secret.replacen('u', "v", 1);
        let call = format!("rsadecrypt(\"{other}\", file(\"{form}.pem\"))");
        assert_eq!(
            codes(&value(&keys, &call).expect_err(form)),
            ["bad_argument"]
        );
    }
    let found = value(&keys, &format!("rsadecrypt(\"{secret}\", \"no key\")"));
    assert_eq!(codes(&found.expect_err("refused")), ["bad_argument"]);
}

#[test]
fn compressed_text_is_what_it_was() {
    let folder = folder();
    let text = value(
        folder.path(),
        "base64gzip(join(\"\", [for i in range(1000) : i]))",
    );
    let text = text.expect("a text");
    let bytes = STANDARD.decode(text.trim_matches('"')).expect("base64");
    let mut plain = String::new();
    let mut reader = flate2::read::GzDecoder::new(&*bytes);
    std::io::Read::read_to_string(&mut reader, &mut plain).expect("gzip");
    let wanted: String = (0..1000).map(|i| i.to_string()).collect();
    assert_eq!(plain, wanted);
}
