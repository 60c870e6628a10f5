//! Renames: everywhere, and so that what is there keeps its identity.

use serde_json::{Value, json};

use super::{Editor, edited, place, uri};
use crate::support::Shop;

const TEXT: &str = "\
topology \"shop\" {}

site \"east\" {
  provider = \"sim\"
  region   = \"r\"
}

variable \"where\" {
  default = \"x\"
}

bucket \"logs\" {
  site   = site.east
  labels = { where = var.where }
} # kept

output \"logs\" {
  value = bucket.logs.name
}
";

/// Renames what stands at the `|` of a file that is open with this text.
fn rename(editor: &mut Editor, uri: &str, marked: &str, new: &str) -> Value {
    let byte = marked.find('|').expect("a cursor");
    let text = marked.replacen('|', "", 1);
    editor.replace(uri, &text);
    let (line, character) = place(&text, byte);
    let params = json!({
        "textDocument": { "uri": uri },
        "position": { "line": line, "character": character },
        "newName": new,
    });
    editor.ask("textDocument/rename", &params)
}

fn at(from: &str, to: &str) -> String {
    assert!(TEXT.contains(from), "{from}");
    TEXT.replacen(from, to, 1)
}

fn refused(answer: &Value, why: &str) {
    let message = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(why), "{answer}");
}

#[test]
fn what_is_there_keeps_its_identity() {
    let shop = Shop::of(TEXT);
    shop.ok(&["apply", "--yes"]);
    let mut editor = Editor::open(&shop);
    let uri = uri(&shop, "shop.hcl");
    editor.open_file(&shop, "shop.hcl");
    let answer = rename(
        &mut editor,
        &uri,
        &at("bucket.logs.name", "bucket.lo|gs.name"),
        "archive",
    );
    let text = edited(TEXT, &answer["result"]["changes"][&uri]);
    assert!(text.contains("bucket \"archive\" {"), "{text}");
    assert!(text.contains("value = bucket.archive.name"), "{text}");
    assert!(text.contains("output \"logs\""), "{text}");
    let moved = "} # kept\n\nmoved {\n  from = bucket.logs\n  to   = bucket.archive\n}\n\noutput";
    assert!(text.contains(moved), "{text}");
    std::fs::write(shop.path().join("shop.hcl"), &text).expect("written");
    shop.ok(&["fmt", "--check"]);
    // Its mark is rewritten, and nothing is made or deleted.
    let plan = shop.json(&["plan", "--json"]);
    let summary = &plan["summary"];
    for action in ["create", "delete", "replace"] {
        assert_eq!(summary[action], 0, "{plan:#}");
    }
    shop.ok(&["apply", "--yes"]);
    assert!(
        shop.things()
            .iter()
            .any(|(_, addr)| addr.contains("bucket.archive"))
    );
    // Back again: of the two renames the later one is left, and the world follows.
    let marked = text.replacen("bucket \"archive\"", "bucket \"arch|ive\"", 1);
    let answer = rename(&mut editor, &uri, &marked, "logs");
    let back = edited(&text, &answer["result"]["changes"][&uri]);
    assert_eq!(back.matches("moved {").count(), 1, "{back}");
    assert!(
        back.contains("  from = bucket.archive\n  to   = bucket.logs\n"),
        "{back}"
    );
    std::fs::write(shop.path().join("shop.hcl"), &back).expect("written");
    let plan = shop.json(&["plan", "--json"]);
    for action in ["create", "delete", "replace"] {
        assert_eq!(plan["summary"][action], 0, "{plan:#}");
    }
}

#[test]
fn sites_and_variables_are_renamed_in_every_file() {
    let shop = Shop::of(TEXT);
    let more = "network \"n\" {\n  cidr  = \"10.0.0.0/16\"\n  sites = [\"east\"]\n}\n";
    std::fs::write(shop.path().join("more.hcl"), more).expect("written");
    std::fs::write(shop.path().join("x.auto.vars.hcl"), "where = \"y\"\n").expect("written");
    let mut editor = Editor::open(&shop);
    let own = uri(&shop, "shop.hcl");
    editor.open_file(&shop, "shop.hcl");
    let answer = rename(
        &mut editor,
        &own,
        &at("site \"east\"", "site \"ea|st\""),
        "dc1",
    );
    let changes = &answer["result"]["changes"];
    let text = edited(TEXT, &changes[&own]);
    assert!(
        text.contains("site \"dc1\"") && text.contains("site   = site.dc1"),
        "{text}"
    );
    assert!(
        text.contains("moved {\n  from = site.east\n  to   = site.dc1\n}"),
        "{text}"
    );
    let other = edited(more, &changes[uri(&shop, "more.hcl")]);
    assert!(other.contains("sites = [\"dc1\"]"), "{other}");
    // A variable's value in a file goes with it, the key of a map does not; and nothing is moved.
    let answer = rename(&mut editor, &own, &at("var.where", "var.whe|re"), "place");
    let changes = &answer["result"]["changes"];
    let text = edited(TEXT, &changes[&own]);
    assert!(text.contains("labels = { where = var.place }"), "{text}");
    assert!(
        text.contains("variable \"place\"") && !text.contains("moved"),
        "{text}"
    );
    let values = edited("where = \"y\"\n", &changes[uri(&shop, "x.auto.vars.hcl")]);
    assert_eq!(values, "place = \"y\"\n");
}

#[test]
fn what_is_in_a_module_is_moved_wherever_it_is_used() {
    let use_of = |name: &str| {
        format!("module \"{name}\" {{\n  source = \"./m\"\n  site   = site.east\n}}\n")
    };
    let shop = Shop::of(&format!("{TEXT}\n{}\n{}", use_of("a"), use_of("b")));
    let folder = shop.path().join("m");
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = "variable \"site\" {}\n\nbucket \"store\" {\n  site = var.site\n}\n";
    std::fs::write(folder.join("main.hcl"), text).expect("written");
    shop.ok(&["validate"]);
    let mut editor = Editor::open(&shop);
    let module = uri(&shop, "m/main.hcl");
    editor.open_file(&shop, "m/main.hcl");
    let marked = text.replacen("bucket \"store\"", "bucket \"sto|re\"", 1);
    let answer = rename(&mut editor, &module, &marked, "box");
    let changes = &answer["result"]["changes"];
    assert!(
        edited(text, &changes[&module]).contains("bucket \"box\""),
        "{answer}"
    );
    let own = std::fs::read_to_string(shop.path().join("shop.hcl")).expect("the file");
    let own = edited(&own, &changes[uri(&shop, "shop.hcl")]);
    for name in ["a", "b"] {
        let moved =
            format!("moved {{\n  from = bucket.{name}.store\n  to   = bucket.{name}.box\n}}");
        assert!(own.contains(&moved), "{own}");
    }
    std::fs::write(shop.path().join("shop.hcl"), &own).expect("written");
    std::fs::write(folder.join("main.hcl"), text.replace("store", "box")).expect("written");
    shop.ok(&["validate"]);
    // The variable is named by those who use the module, too.
    let marked = text.replacen("var.site", "var.si|te", 1);
    let answer = rename(&mut editor, &module, &marked, "place");
    assert!(
        answer["result"]["changes"][uri(&shop, "shop.hcl")].is_array(),
        "{answer}"
    );
}

#[test]
fn what_cannot_be_renamed_says_why() {
    let shop = Shop::of(TEXT);
    let mut editor = Editor::open(&shop);
    let uri = uri(&shop, "shop.hcl");
    editor.open_file(&shop, "shop.hcl");
    let bucket = at("bucket \"logs\"", "bucket \"lo|gs\"");
    refused(&rename(&mut editor, &uri, &bucket, "a b"), "is no name");
    refused(&rename(&mut editor, &uri, &bucket, ""), "is no name");
    let two = format!("{bucket}\nbucket \"other\" {{\n  site = site.east\n}}\n");
    refused(&rename(&mut editor, &uri, &two, "other"), "already");
    let broken = format!("{bucket}\nbucket \"x\" {{\n");
    refused(
        &rename(&mut editor, &uri, &broken, "new"),
        "cannot be parsed",
    );
    let topology = at("topology \"shop\"", "topology \"sh|op\"");
    refused(&rename(&mut editor, &uri, &topology, "store"), "lineage");
    let keyword = at("default = \"x\"", "def|ault = \"x\"");
    refused(
        &rename(&mut editor, &uri, &keyword, "new"),
        "nothing here has a name",
    );
    let many = bucket.replace("site \"east\" {", "site \"east\" {\n  for_each = [\"a\"]");
    let many = many
        .replace("lo|gs", "logs")
        .replace("site \"east\"", "site \"ea|st\"");
    refused(&rename(&mut editor, &uri, &many, "west"), "one by one");
    let before = editor.ask_at(
        "textDocument/prepareRename",
        &uri,
        &at("site.east", "site.ea|st"),
    );
    assert_eq!(before["placeholder"], "east");
    let nothing = editor.ask_at("textDocument/prepareRename", &uri, &at("region", "reg|ion"));
    assert_eq!(nothing, Value::Null);
}
