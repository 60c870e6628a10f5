//! What an editor is told of the language: what may be typed, what a word means, where a name is from.

use serde_json::{Value, json};

use super::{Editor, edited, uri};
use crate::support::Shop;

const BASE: &str = "\
topology \"shop\" {}

site \"east\" {
  provider = \"sim\"
  profile  = \"aws\"
  region   = \"us-east-1\"
}

variable \"size\" {
  type    = number
  default = 4
}

network \"core\" {
  cidr  = \"10.0.0.0/16\"
  sites = [site.east]
}

subnet \"app\" {
  network = network.core
  newbits = 8
}
";

fn editor() -> (Shop, Editor, String) {
    let shop = Shop::of(BASE);
    let mut editor = Editor::open(&shop);
    editor.open_file(&shop, "shop.hcl");
    let uri = uri(&shop, "shop.hcl");
    assert_eq!(editor.findings(&uri), Vec::<Value>::new());
    (shop, editor, uri)
}

/// Asserts that some words are offered, and that others are not.
fn offers(found: &[String], wanted: &[&str], unwanted: &[&str]) {
    let has = |word: &&&str| found.iter().any(|one| one == **word);
    let missing: Vec<_> = wanted.iter().filter(|word| !has(word)).collect();
    assert!(missing.is_empty(), "no {missing:?} in {found:?}");
    let extra: Vec<_> = unwanted.iter().filter(has).collect();
    assert!(extra.is_empty(), "{extra:?} in {found:?}");
}

#[test]
fn blocks_and_attributes_are_offered_where_they_may_stand() {
    let (_shop, mut editor, uri) = editor();
    let top = editor.complete(&uri, &format!("{BASE}\nmac|"));
    offers(
        &top,
        &["machine", "machines", "bucket", "moved"],
        &["disk", "cpu"],
    );
    let machine = format!("{BASE}\nmachine \"db\" {{\n  cpu = 4\n  |\n}}\n");
    let inside = editor.complete(&uri, &machine);
    offers(
        &inside,
        &["memory", "subnet", "disk", "placement"],
        &["cpu", "machine", "cidr"],
    );
    let nested = format!("{BASE}\nmachine \"db\" {{\n  disk {{\n    si|\n  }}\n}}\n");
    offers(
        &editor.complete(&uri, &nested),
        &["size", "class"],
        &["memory"],
    );
    // The text is put in as a snippet, with the blocks that it is in as they are.
    let result = editor.ask_at("textDocument/completion", &uri, &machine);
    let disk = result["items"].as_array().expect("items");
    let disk = disk
        .iter()
        .find(|one| one["label"] == "disk")
        .expect("disk");
    assert_eq!(disk["insertTextFormat"], 2);
    assert_eq!(disk["textEdit"]["newText"], "disk {\n    $0\n  }");
}

#[test]
fn references_are_offered_although_the_text_is_half_typed() {
    let (_shop, mut editor, uri) = editor();
    let in_machine = |value: &str| format!("{BASE}\nmachine \"db\" {{\n  {value}\n}}\n");
    let subnet = editor.complete(&uri, &in_machine("subnet = |"));
    offers(
        &subnet,
        &["subnet.app", "var", "site", "max"],
        &["network.core", "module"],
    );
    let names = editor.complete(&uri, &in_machine("subnet = subnet.|"));
    assert_eq!(names, ["app"]);
    assert_eq!(editor.complete(&uri, &in_machine("cpu = var.s|")), ["size"]);
    let in_text = editor.complete(&uri, &in_machine("labels = { a = \"${var.|}\" }"));
    assert_eq!(in_text, ["size"]);
    offers(
        &editor.complete(&uri, &in_machine("x = subnet.app.|")),
        &["ids"],
        &["private_ip"],
    );
    // A block that is broken defines nothing; what it defined before is still offered.
    let broken = BASE.replace("subnet \"app\" {", "subnet \"app\" {{");
    let marked = format!("{broken}\nmachine \"db\" {{\n  subnet = subnet.|\n}}\n");
    assert_eq!(editor.complete(&uri, &marked), ["app"]);
}

#[test]
fn words_images_and_machine_types_are_offered() {
    let (_shop, mut editor, uri) = editor();
    let in_machine = |value: &str| format!("{BASE}\nmachine \"db\" {{\n  {value}\n}}\n");
    let mut arch = editor.complete(&uri, &in_machine("arch = \"|\""));
    arch.sort();
    assert_eq!(arch, ["aarch64", "amd64", "arm64", "x86_64"]);
    offers(
        &editor.complete(&uri, &in_machine("image = \"|\"")),
        &["debian-12"],
        &[],
    );
    offers(
        &editor.complete(&uri, &in_machine("protect = |")),
        &["true", "false"],
        &[],
    );
    // What is on sale at the site, with its size and price.
    editor.replace(&uri, BASE);
    let types = editor.ask_at(
        "textDocument/completion",
        &uri,
        &in_machine("machine_type = \"m|\""),
    );
    let types = types["items"].as_array().expect("items");
    assert!(!types.is_empty());
    for one in types {
        let (label, detail) = (
            one["label"].as_str().expect("a label"),
            one["detail"].as_str(),
        );
        assert!(label.starts_with('m'), "{one}");
        assert!(
            detail.is_some_and(|text| text.contains("vCPU") && text.contains("site.east")),
            "{one}"
        );
    }
    let provider = format!("{BASE}\nsite \"b\" {{\n  provider = \"|\"\n}}\n");
    offers(&editor.complete(&uri, &provider), &["sim"], &[]);
    let region = format!("{BASE}\nsite \"b\" {{\n  provider = \"aws\"\n  region = \"|\"\n}}\n");
    offers(&editor.complete(&uri, &region), &["eu-central-1"], &[]);
}

fn hover(editor: &mut Editor, uri: &str, marked: &str) -> String {
    let result = editor.ask_at("textDocument/hover", uri, marked);
    let text = result["contents"]["value"].as_str();
    text.unwrap_or_else(|| panic!("nothing is told: {result}"))
        .to_owned()
}

#[test]
fn a_word_says_what_it_is() {
    let (_shop, mut editor, uri) = editor();
    let at = |from: &str, to: &str| BASE.replacen(from, to, 1);
    let text = hover(&mut editor, &uri, &at("newbits", "new|bits"));
    assert!(
        text.contains("needed: a whole number from 0 to 28"),
        "{text}"
    );
    let text = hover(&mut editor, &uri, &at("subnet \"app\"", "sub|net \"app\""));
    assert!(
        text.contains("A range of a network") && text.contains("Needs `network`, `newbits`"),
        "{text}"
    );
    let call = format!("{BASE}\nlocals {{\n  a = ma|x(1, var.size)\n}}\n");
    let text = hover(&mut editor, &uri, &call);
    assert!(
        text.contains("max(number...)") && text.contains("Example"),
        "{text}"
    );
    let reference = format!("{BASE}\nlocals {{\n  a = max(1, var.si|ze)\n}}\n");
    let text = hover(&mut editor, &uri, &reference);
    assert!(
        text.contains("default = 4") && text.contains("shop.hcl, line 9"),
        "{text}"
    );
    let nothing = editor.ask_at("textDocument/hover", &uri, &format!("{BASE}# a com|ment\n"));
    assert_eq!(nothing, Value::Null);
}

#[test]
fn a_machine_says_what_it_costs_at_least() {
    let shop = Shop::new();
    let mut editor = Editor::open(&shop);
    let uri = uri(&shop, "shop.hcl");
    let text = editor.open_file(&shop, "shop.hcl");
    assert_eq!(editor.findings(&uri), Vec::<Value>::new());
    let told = hover(
        &mut editor,
        &uri,
        &text.replacen("  cpu       = 4", "  c|pu       = 4", 1),
    );
    assert!(told.contains("The cheapest that will do"), "{told}");
    assert!(
        told.contains("`site.east`: `") && told.contains("USD an hour"),
        "{told}"
    );
}

#[test]
fn a_name_leads_to_its_definition_and_to_its_uses() {
    let (shop, mut editor, uri) = editor();
    std::fs::write(
        shop.path().join("more.hcl"),
        "bucket \"b\" {\n  site = site.east\n}\n",
    )
    .expect("written");
    editor.tell("workspace/didChangeWatchedFiles", &json!({ "changes": [] }));
    let marked = BASE.replacen("[site.east]", "[site.ea|st]", 1);
    let definition = editor.ask_at("textDocument/definition", &uri, &marked);
    assert_eq!(definition["uri"], *uri);
    assert_eq!(
        definition["range"]["start"],
        json!({ "line": 2, "character": 6 })
    );
    let uses = editor.ask_at("textDocument/references", &uri, &marked);
    let files: Vec<&str> = uses
        .as_array()
        .expect("uses")
        .iter()
        .map(|one| {
            one["uri"]
                .as_str()
                .expect("a file")
                .rsplit('/')
                .next()
                .expect("a name")
        })
        .collect();
    assert_eq!(files.len(), 3, "{uses}");
    assert!(files.contains(&"more.hcl"), "{uses}");
}

#[test]
fn a_text_is_laid_out_as_fmt_does() {
    let (_shop, mut editor, uri) = editor();
    let text = BASE.replace("type    = number", "type=number");
    editor.replace(&uri, &text);
    let of = json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 2, "insertSpaces": true } });
    let edits = editor.ask("textDocument/formatting", &of)["result"].clone();
    assert_eq!(edited(&text, &edits), BASE);
    // Only the line that differs is replaced.
    assert_eq!(edits[0]["range"]["start"]["line"], 9, "{edits}");
    editor.replace(&uri, "topology \"shop\" {");
    assert_eq!(
        editor.ask("textDocument/formatting", &of)["result"],
        json!([])
    );
}

#[test]
fn names_in_yaml_are_known_by_their_places() {
    let text = "topology:\n  shop: {}\nsite:\n  east: {provider: sim, region: r}\nvariable:\n  size: {default: 4}\nbucket:\n  logs:\n    site: ${site.east}\n    labels: {n: \"${var.size}\"}\n";
    let shop = Shop::of("");
    std::fs::remove_file(shop.path().join("shop.hcl")).expect("removed");
    std::fs::write(shop.path().join("shop.strat.yaml"), text).expect("written");
    let mut editor = Editor::open(&shop);
    let uri = uri(&shop, "shop.strat.yaml");
    editor.open_file(&shop, "shop.strat.yaml");
    assert_eq!(editor.findings(&uri), Vec::<Value>::new());
    let marked = text.replacen("var.size", "var.si|ze", 1);
    let definition = editor.ask_at("textDocument/definition", &uri, &marked);
    let place = json!({ "line": 5, "character": 2 });
    assert_eq!(definition["range"]["start"], place);
    let told = hover(&mut editor, &uri, &marked);
    assert!(told.contains("size: {default: 4}"), "{told}");
    let params = json!({
        "textDocument": { "uri": uri },
        "position": place,
        "newName": "large",
    });
    let answer = editor.ask("textDocument/rename", &params);
    let renamed = edited(text, &answer["result"]["changes"][&uri]);
    assert_eq!(renamed, text.replace("size", "large"));
    // What may be there already wants a `moved` block, which is written in HCL.
    let params = json!({
        "textDocument": { "uri": uri },
        "position": { "line": 7, "character": 3 },
        "newName": "archive",
    });
    let answer = editor.ask("textDocument/rename", &params);
    let why = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(why.contains("written in HCL"), "{answer}");
}
