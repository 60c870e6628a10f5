//! Real clients: Neovim's own, and what the extension for VS Code says of itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::Shop;

fn extension() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../editors/vscode")
}

fn json(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).expect("a file of the extension");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What Neovim does and writes down: it waits for findings, completes, renames, formats.
const SCRIPT: &str = r#"
local file, out = vim.env.FILE, vim.env.OUT
vim.cmd('edit ' .. file)
local id = vim.lsp.start_client({ name = 'strat', cmd = { vim.env.STRAT, 'lsp' }, root_dir = vim.fn.fnamemodify(file, ':h') })
vim.lsp.buf_attach_client(0, id)
local result = {}
local function ask(method, line, column, more)
  local params = vim.tbl_extend('force', {
    textDocument = { uri = vim.uri_from_bufnr(0) },
    position = { line = line, character = column },
  }, more or {})
  local answers = vim.lsp.buf_request_sync(0, method, params, 30000) or {}
  return (answers[id] or {}).result
end
vim.wait(30000, function() return #vim.diagnostic.get(0) > 0 end, 20)
for _, one in ipairs(vim.diagnostic.get(0)) do
  table.insert(result, 'finding ' .. one.lnum .. ' ' .. one.message:gsub('\n.*', ''))
end
-- The mistake is set right as by hand: line 6 is a bucket's `sit`.
vim.api.nvim_buf_set_text(0, 6, 5, 6, 5, { 'e' })
vim.wait(30000, function() return #vim.diagnostic.get(0) == 0 end, 20)
table.insert(result, 'findings ' .. #vim.diagnostic.get(0))
local items = ask('textDocument/completion', 6, 14).items
for _, item in ipairs(items) do
  if item.label == 'site.east' or item.label == 'east' then table.insert(result, 'offered ' .. item.label) end
end
local edit = ask('textDocument/rename', 5, 10, { newName = 'archive' })
vim.lsp.util.apply_workspace_edit(edit, 'utf-16')
local edits = ask('textDocument/formatting', 0, 0, { options = { tabSize = 2, insertSpaces = true } })
vim.lsp.util.apply_text_edits(edits, 0, 'utf-16')
vim.cmd('write')
vim.fn.writefile(result, out)
vim.cmd('qall!')
"#;

const TEXT: &str = "\
topology \"shop\" {}
site \"east\" {
  provider = \"sim\"
  region = \"r\"
}
bucket \"logs\" {
  sit = site.east
}
";

#[test]
fn neovim_finds_completes_renames_and_formats() {
    let shop = Shop::of(TEXT);
    let (script, out) = (shop.path().join("script.lua"), shop.path().join("out"));
    std::fs::write(&script, SCRIPT).expect("written");
    let file = shop.path().join("shop.hcl");
    let done = Command::new("nvim")
        .args(["--headless", "-u", "NONE", "-i", "NONE", "-n", "-c"])
        .arg(format!("luafile {}", script.display()))
        .envs([("FILE", &file), ("OUT", &out)])
        .env("STRAT", env!("CARGO_BIN_EXE_strat"))
        .env("XDG_STATE_HOME", shop.path())
        .env("XDG_CACHE_HOME", shop.path())
        .output()
        .expect("Neovim is not installed: run scripts/peers/neovim once, as root");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    let result = std::fs::read_to_string(&out).unwrap_or_else(|error| panic!("{error}\n{told}"));
    let lines: Vec<&str> = result.lines().collect();
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("finding 6 ") && line.contains("`sit`")),
        "{result}\n{told}"
    );
    assert!(lines.contains(&"findings 0"), "{result}\n{told}");
    assert!(
        lines.iter().any(|line| line.starts_with("offered ")),
        "{result}\n{told}"
    );
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(
        text.contains("bucket \"archive\" {\n  site = site.east\n}"),
        "{text}\n{told}"
    );
    assert!(
        text.contains("moved {\n  from = bucket.logs\n  to   = bucket.archive\n}"),
        "{text}"
    );
    assert!(text.contains("  region   = \"r\""), "{text}");
    shop.ok(&["validate"]);
}

#[test]
fn the_extension_says_what_is_in_its_folder() {
    let folder = extension();
    let package = json(&folder.join("package.json"));
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    let file = |value: &Value| {
        let name = value
            .as_str()
            .unwrap_or_else(|| panic!("a file, not {value}"));
        let path = folder.join(name);
        assert!(path.is_file(), "{}", path.display());
        path
    };
    let client = std::fs::read_to_string(file(&package["main"])).expect("the client");
    let contributes = &package["contributes"];
    let languages = contributes["languages"].as_array().expect("languages");
    let ids: BTreeSet<&str> = languages
        .iter()
        .filter_map(|one| one["id"].as_str())
        .collect();
    for language in languages {
        json(&file(&language["configuration"]));
    }
    for grammar in contributes["grammars"].as_array().expect("grammars") {
        assert!(ids.contains(grammar["language"].as_str().expect("a language")));
        let text = json(&file(&grammar["path"]));
        assert_eq!(text["scopeName"], grammar["scopeName"]);
        for name in text["patterns"].as_array().expect("patterns") {
            let name = name["include"]
                .as_str()
                .expect("an include")
                .trim_start_matches('#');
            assert!(text["repository"][name].is_object(), "{name}");
        }
    }
    // What the client reads of the settings is declared.
    let declared = contributes["configuration"]["properties"]
        .as_object()
        .expect("settings");
    for name in declared.keys() {
        let own = name.strip_prefix("stratiform.").expect("its own settings");
        assert!(client.contains(&format!("get('{own}'")), "{own}");
    }
    assert_eq!(client.matches(".get('").count(), declared.len());
    assert!(package["dependencies"]["vscode-languageclient"].is_string());
    assert!(client.contains("'lsp'"));
}
