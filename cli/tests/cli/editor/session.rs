//! How a session begins and ends, what is no message, and findings as one types.

use std::path::Path;

use serde_json::{Value, json};

use super::{Editor, place, uri};
use crate::support::Shop;

const SMALL: &str =
    "topology \"shop\" {}\nsite \"a\" {\n  provider = \"sim\"\n  region   = \"r\"\n}\n";

fn codes(findings: &[Value]) -> Vec<&str> {
    findings
        .iter()
        .map(|one| one["code"].as_str().expect("a code"))
        .collect()
}

#[test]
fn a_session_ends_as_asked_or_abruptly() {
    let shop = Shop::of(SMALL);
    assert_eq!(Editor::open(&shop).shut_down(), Some(0));
    assert_eq!(Editor::open(&shop).end(), Some(1));
    let mut editor = Editor::open(&shop);
    editor.ask("shutdown", &Value::Null);
    let refused = editor.ask("textDocument/hover", &json!({}));
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    assert_eq!(
        editor.end(),
        Some(0),
        "the stream may end behind the shutdown"
    );
}

#[test]
fn before_its_beginning_a_session_answers_nothing() {
    let shop = Shop::of(SMALL);
    let mut editor = Editor::start(&shop, &["--stdio"]);
    let refused = editor.ask("textDocument/hover", &json!({}));
    assert_eq!(refused["error"]["code"], -32002, "{refused}");
    let refused = editor.ask("initialize", &json!([1]));
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    editor.initialize(shop.path(), &json!({}));
    let again = editor.ask("initialize", &json!({ "capabilities": {} }));
    assert_eq!(again["error"]["code"], -32600, "{again}");
    assert_eq!(editor.shut_down(), Some(0));
}

#[test]
fn what_is_no_message_does_not_end_the_session() {
    let shop = Shop::of(SMALL);
    let mut editor = Editor::open(&shop);
    for text in ["{", "[]", "17", "{\"jsonrpc\":\"2.0\"}"] {
        editor.send_text(text);
        editor.wait(|message| message["method"] == "window/logMessage");
    }
    editor.send_raw("Nonsense\r\n\r\n");
    let unknown = editor.ask("textDocument/juggle", &json!({}));
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    let wrong = editor.ask("textDocument/hover", &json!({ "position": 7 }));
    assert_eq!(wrong["error"]["code"], -32602, "{wrong}");
    editor.tell("textDocument/didOpen", &json!({ "textDocument": 1 }));
    editor.tell("$/whatever", &json!({}));
    let elsewhere = json!({ "uri": "untitled:1", "languageId": "hcl", "version": 1, "text": "" });
    editor.tell(
        "textDocument/didOpen",
        &json!({ "textDocument": elsewhere }),
    );
    let params = json!({
        "textDocument": { "uri": "file:///nowhere/a.hcl" },
        "position": { "line": 4_000_000_000_u32, "character": 4_000_000_000_u32 },
    });
    let answer = editor.ask("textDocument/hover", &params);
    assert!(
        answer["error"].is_null() && answer["result"].is_null(),
        "{answer}"
    );
    assert_eq!(editor.shut_down(), Some(0));
}

#[test]
fn a_folder_that_is_not_there_has_what_is_open_in_it() {
    let shop = Shop::of(SMALL);
    let mut editor = Editor::start(&shop, &[]);
    editor.initialize(Path::new("/not/there"), &json!({}));
    let uri = "file:///not/there/new.hcl";
    editor.open_text(uri, "topology \"new\" {}\nmachin \"x\" {}\n");
    assert_eq!(codes(&editor.findings(uri)), ["unknown_block"]);
    editor.replace(uri, "topology \"new\" {}\n");
    assert_eq!(editor.findings(uri).len(), 0);
    assert_eq!(editor.shut_down(), Some(0));
}

#[test]
fn findings_are_those_of_validate_in_units_of_utf_16() {
    let text = format!("{SMALL}locals {{\n  a = \"𝄞ö\" + local.nothing\n}}\n");
    let shop = Shop::of(&text);
    let mut editor = Editor::open(&shop);
    let uri = uri(&shop, "shop.hcl");
    editor.open_file(&shop, "shop.hcl");
    let findings = editor.findings(&uri);
    let told = shop.run(&["validate", "--json"]);
    let told: Value = serde_json::from_str(&told.stdout).expect("JSON");
    let told = told["diagnostics"].as_array().expect("findings").clone();
    assert_eq!(codes(&findings), codes(&told));
    let (line, column) = place(&text, text.find("local.nothing").expect("in the text"));
    let expected = json!({ "line": line, "character": column });
    assert_eq!(findings[0]["range"]["start"], expected, "{findings:#?}");
    let message = findings[0]["message"].as_str().expect("a message");
    assert!(message.contains("there is no local `nothing`"), "{message}");
}

#[test]
fn positions_are_bytes_where_the_client_can_do_that() {
    let text = format!("{SMALL}locals {{\n  a = \"𝄞\" == local.nothing\n}}\n");
    let shop = Shop::of(&text);
    let mut editor = Editor::start(&shop, &[]);
    let offered = json!({ "general": { "positionEncodings": ["utf-16", "utf-8"] } });
    let capabilities = editor.initialize(shop.path(), &offered);
    assert_eq!(capabilities["positionEncoding"], "utf-8");
    editor.open_file(&shop, "shop.hcl");
    let findings = editor.findings(&uri(&shop, "shop.hcl"));
    assert_eq!(
        findings[0]["range"]["start"]["character"], 16,
        "{findings:#?}"
    );
}

#[test]
fn what_is_typed_counts_before_it_is_saved() {
    let shop = Shop::of(SMALL);
    let mut editor = Editor::open(&shop);
    let uri = uri(&shop, "shop.hcl");
    let text = editor.open_file(&shop, "shop.hcl");
    assert_eq!(editor.findings(&uri).len(), 0);
    // Keystroke by keystroke, on the line behind the last one.
    let (line, _) = place(&text, text.len());
    for (column, letter) in (0..).zip("bucket \"b\" {}".chars()) {
        editor.change(&uri, (line, column), (line, column), &letter.to_string());
    }
    // A burst is not examined letter by letter.
    let mut told = 0;
    loop {
        told += 1;
        if codes(&editor.findings(&uri)) == ["missing_attribute"] {
            break;
        }
    }
    assert!(told < 5, "{told} times");
    editor.change(&uri, (line, 12), (line, 12), "\n  site = site.a\n");
    assert_eq!(editor.findings(&uri).len(), 0);
    // On disk it is as it was.
    assert_eq!(shop.ok(&["validate"]).code, Some(0));
    let on_disk = std::fs::read_to_string(shop.path().join("shop.hcl")).expect("the file");
    assert_eq!(on_disk, SMALL);
    assert!(!shop.path().join(".stratiform").exists());
}

#[test]
fn a_mistake_in_one_file_is_told_in_the_other() {
    let shop = Shop::of(SMALL);
    std::fs::write(
        shop.path().join("more.hcl"),
        "bucket \"b\" {\n  site = site.a\n}\n",
    )
    .expect("written");
    let mut editor = Editor::open(&shop);
    let (first, second) = (uri(&shop, "shop.hcl"), uri(&shop, "more.hcl"));
    editor.open_file(&shop, "shop.hcl");
    assert_eq!(editor.findings(&first).len(), 0);
    editor.replace(&first, &SMALL.replace("\"a\"", "\"b\""));
    assert_eq!(codes(&editor.findings(&second)), ["unknown_reference"]);
    editor.replace(&first, SMALL);
    assert_eq!(editor.findings(&second).len(), 0, "it is right again");
    // A file that is not on disk is part of the folder as soon as it is open.
    let new = uri(&shop, "new.hcl");
    editor.open_text(&new, "bucket \"b\" {\n  site = site.a\n}\n");
    editor.findings_until(&new, |list| codes(list) == ["duplicate_name"]);
    editor.tell(
        "textDocument/didClose",
        &json!({ "textDocument": { "uri": new } }),
    );
    editor.findings_until(&new, <[Value]>::is_empty);
}

#[test]
fn a_module_is_examined_with_the_topology_that_uses_it() {
    let shop = Shop::of(&format!(
        "{SMALL}module \"eu\" {{\n  source = \"./modules/store\"\n  site   = site.a\n}}\n"
    ));
    let folder = shop.path().join("modules/store");
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = "variable \"site\" {}\nbucket \"b\" {\n  site = var.site\n}\noutput \"name\" {\n  value = bucket.b.name\n}\n";
    std::fs::write(folder.join("main.hcl"), text).expect("written");
    let mut editor = Editor::open(&shop);
    let module = uri(&shop, "modules/store/main.hcl");
    editor.open_file(&shop, "modules/store/main.hcl");
    assert_eq!(editor.findings(&module).len(), 0);
    editor.replace(&module, &text.replace("var.site", "var.sit"));
    assert_eq!(codes(&editor.findings(&module)), ["unknown_reference"]);
}

#[test]
fn the_examples_are_right_in_an_editor() {
    let shop = Shop::new();
    let mut editor = Editor::open(&shop);
    editor.open_file(&shop, "shop.hcl");
    let uri = uri(&shop, "shop.hcl");
    assert_eq!(editor.findings(&uri), Vec::<Value>::new());
    let of = json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 2, "insertSpaces": true } });
    let symbols = editor.ask("textDocument/documentSymbol", &of);
    let symbols = symbols["result"].as_array().expect("symbols").clone();
    assert!(
        symbols
            .iter()
            .any(|one| one["name"] == "web" && one["detail"] == "machines")
    );
    let folds = editor.ask("textDocument/foldingRange", &of);
    assert!(
        folds["result"].as_array().expect("folds").len() > 20,
        "{folds}"
    );
    let links = editor.ask("textDocument/documentLink", &of);
    let links: Vec<&str> = links["result"]
        .as_array()
        .expect("links")
        .iter()
        .map(|one| {
            one["target"]
                .as_str()
                .expect("a target")
                .rsplit('/')
                .next()
                .expect("a name")
        })
        .collect();
    assert!(
        links.contains(&"ops.pub") && links.contains(&"web-init.yaml"),
        "{links:?}"
    );
    let edits = editor.ask("textDocument/formatting", &of);
    assert_eq!(edits["result"], json!([]), "it is in its canonical layout");
}

#[test]
fn ten_thousand_lines_are_no_matter() {
    let mut text = SMALL.to_owned();
    for number in 0..2_500 {
        text += &format!("bucket \"b{number}\" {{\n  site = site.a\n}}\n\n");
    }
    let shop = Shop::of(&text);
    let mut editor = Editor::open(&shop);
    let uri = uri(&shop, "shop.hcl");
    editor.open_file(&shop, "shop.hcl");
    assert_eq!(editor.findings(&uri).len(), 0);
    let marked = format!("{text}output \"x\" {{\n  value = bucket.|\n}}\n");
    let result = editor.ask_at("textDocument/completion", &uri, &marked);
    assert_eq!(result["isIncomplete"], true);
    assert_eq!(result["items"].as_array().expect("items").len(), 200);
    assert_eq!(codes(&editor.findings(&uri)), ["syntax"]);
    assert_eq!(editor.shut_down(), Some(0));
}
