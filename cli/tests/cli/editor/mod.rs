//! `strat lsp`, spoken to in the frames of the protocol over its stdin and stdout.

mod clients;
mod language;
mod renames;
mod session;

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Shop;

/// The longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of the server.
pub(super) struct Editor {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    next_id: i32,
    version: i32,
}

/// The URI of a file of a shop.
pub(super) fn uri(shop: &Shop, file: &str) -> String {
    format!("file://{}", shop.path().join(file).display())
}

impl Editor {
    /// Starts the server, and says nothing yet.
    pub(super) fn start(shop: &Shop, args: &[&str]) -> Self {
        let mut child = shop
            .command(&[&["lsp"], args].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("strat runs");
        let mut output = BufReader::new(child.stdout.take().expect("its stdout"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read_frame(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            messages,
            next_id: 0,
            version: 1,
        }
    }

    /// Starts the server, and a session in the shop's folder.
    pub(super) fn open(shop: &Shop) -> Self {
        let mut editor = Self::start(shop, &[]);
        let capabilities = json!({
            "textDocument": { "completion": { "completionItem": { "snippetSupport": true } } },
        });
        editor.initialize(shop.path(), &capabilities);
        editor
    }

    /// Begins the session, and gives what the server can do.
    pub(super) fn initialize(&mut self, folder: &Path, capabilities: &Value) -> Value {
        let root = format!("file://{}", folder.display());
        let params = json!({
            "processId": null,
            "rootUri": root,
            "workspaceFolders": [{ "uri": root, "name": "shop" }],
            "capabilities": capabilities,
        });
        let answer = self.ask("initialize", &params);
        self.tell("initialized", &json!({}));
        answer["result"]["capabilities"].clone()
    }

    /// Opens a file with the text that it has on disk.
    pub(super) fn open_file(&mut self, shop: &Shop, file: &str) -> String {
        let text = std::fs::read_to_string(shop.path().join(file)).expect("the file");
        self.open_text(&uri(shop, file), &text);
        text
    }

    /// Opens a file with a text of its own.
    pub(super) fn open_text(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "hcl", "version": 1, "text": text });
        self.tell("textDocument/didOpen", &json!({ "textDocument": document }));
    }

    /// Replaces what is between two places, each a line and a column.
    pub(super) fn change(&mut self, uri: &str, from: (u32, u32), to: (u32, u32), text: &str) {
        let at = |(line, character): (u32, u32)| json!({ "line": line, "character": character });
        let change = json!({ "range": { "start": at(from), "end": at(to) }, "text": text });
        self.change_by(uri, &json!([change]));
    }

    pub(super) fn change_by(&mut self, uri: &str, changes: &Value) {
        self.version += 1;
        let document = json!({ "uri": uri, "version": self.version });
        let params = json!({ "textDocument": document, "contentChanges": changes });
        self.tell("textDocument/didChange", &params);
    }

    /// Replaces all of a text.
    pub(super) fn replace(&mut self, uri: &str, text: &str) {
        self.change_by(uri, &json!([{ "text": text }]));
    }

    /// Sends a notification.
    pub(super) fn tell(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request, and gives the whole answer.
    pub(super) fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.wait(|message| message["id"] == id)
    }

    /// Asks about the place of the `|` in a text, which is opened or replaced without it.
    pub(super) fn ask_at(&mut self, method: &str, uri: &str, marked: &str) -> Value {
        let byte = marked.find('|').expect("a cursor");
        let text = marked.replacen('|', "", 1);
        self.replace(uri, &text);
        let (line, character) = place(&text, byte);
        let params = json!({
            "textDocument": { "uri": uri },
            "position": { "line": line, "character": character },
            "context": { "includeDeclaration": true },
        });
        let answer = self.ask(method, &params);
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// The labels of what may be typed at the `|` of a text.
    pub(super) fn complete(&mut self, uri: &str, marked: &str) -> Vec<String> {
        let result = self.ask_at("textDocument/completion", uri, marked);
        let items = result["items"].as_array().expect("items");
        let label = |item: &Value| item["label"].as_str().expect("a label").to_owned();
        items.iter().map(label).collect()
    }

    /// The next findings of a file.
    pub(super) fn findings(&mut self, uri: &str) -> Vec<Value> {
        let message = self.wait(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
        });
        let list = message["params"]["diagnostics"].as_array();
        list.expect("a list").clone()
    }

    /// The next findings of a file that are as they should be.
    pub(super) fn findings_until(&mut self, uri: &str, is_right: impl Fn(&[Value]) -> bool) {
        loop {
            if is_right(&self.findings(uri)) {
                return;
            }
        }
    }

    /// Waits for a message; those before it are passed over.
    pub(super) fn wait(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let message = message.expect("the server answers in time");
            if is_it(&message) {
                return message;
            }
        }
    }

    pub(super) fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string());
    }

    pub(super) fn send_text(&mut self, text: &str) {
        self.send_raw(&format!("Content-Length: {}\r\n\r\n{text}", text.len()));
    }

    pub(super) fn send_raw(&mut self, text: &str) {
        let input = self.input.as_mut().expect("an open stdin");
        input.write_all(text.as_bytes()).expect("the server reads");
        input.flush().expect("the server reads");
    }

    /// Closes the server's stdin, and gives its exit code.
    pub(super) fn end(mut self) -> Option<i32> {
        self.input = None;
        self.child.wait().expect("it ends").code()
    }

    /// Shuts the session down and exits, and gives the exit code.
    pub(super) fn shut_down(mut self) -> Option<i32> {
        let answer = self.ask("shutdown", &Value::Null);
        assert!(answer["error"].is_null(), "{answer}");
        self.tell("exit", &Value::Null);
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The line and the column in units of UTF-16 of a byte.
pub(super) fn place(text: &str, byte: usize) -> (u32, u32) {
    let before = &text[..byte];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default();
    let number = |n: usize| u32::try_from(n).expect("a small number");
    (number(line), number(column.encode_utf16().count()))
}

/// A text with the edits of an answer made in it.
pub(super) fn edited(text: &str, edits: &Value) -> String {
    let byte = |position: &Value| {
        let line = position["line"].as_u64().expect("a line");
        let units = position["character"].as_u64().expect("a column");
        let start: usize = text
            .split_inclusive('\n')
            .take(usize::try_from(line).expect("a small number"))
            .map(str::len)
            .sum();
        let mut left = usize::try_from(units).expect("a small number");
        let rest = text[start..].char_indices().find(|(_, c)| {
            let is_it = left == 0;
            left = left.saturating_sub(c.len_utf16());
            is_it
        });
        rest.map_or(text.len(), |(at, _)| start + at)
    };
    let edits = edits.as_array().expect("edits").iter();
    let mut edits: Vec<_> = edits
        .map(|edit| {
            let new = edit["newText"].as_str().expect("a text");
            (
                byte(&edit["range"]["start"]),
                byte(&edit["range"]["end"]),
                new,
            )
        })
        .collect();
    edits.sort_unstable();
    let mut text = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        text.replace_range(start..end, new);
    }
    text
}

fn read_frame(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.parse().ok()?;
        }
    }
    let mut bytes = vec![0; length];
    output.read_exact(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
