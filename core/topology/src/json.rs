//! JSON as a tree with places. YAML's reader takes most of it, but not the two halves of a sign
//! beyond the first 65,536, which YAML cannot write that way.

use std::ops::Range;

use serde::de::IgnoredAny;
use serde_json::error::Category;

use crate::yaml::{MAX_NODES, Node, NodeKind, number, twice};

/// Why a text is no JSON: the bytes where it was noticed, and the reason.
pub(crate) type JsonError = (Range<usize>, String);

/// Reads a text; an empty one is null.
pub(crate) fn parse(text: &str) -> Result<Node, JsonError> {
    if text.trim().is_empty() {
        return Ok(scalar("null", true, 0..0));
    }
    // Numbers are not looked at: those beyond a double are numbers, too.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(explain(text, &error));
    }
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        nodes: 0,
        problem: None,
    };
    let node = reader.value();
    reader.problem.map_or(Ok(node), Err)
}

fn explain(text: &str, error: &serde_json::Error) -> JsonError {
    let line = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1));
    let start: usize = line.map(str::len).sum();
    let at = start + error.column().saturating_sub(1);
    // Where a text ends too early there is no sign to point at but the last one.
    let at = match error.classify() {
        Category::Eof => text.trim_end().len().saturating_sub(1),
        _ => at,
    };
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    (at..at + 1, message.to_owned())
}

fn scalar(text: impl Into<String>, plain: bool, range: Range<usize>) -> Node {
    let text = text.into();
    Node {
        range,
        kind: NodeKind::Scalar { text, plain },
    }
}

/// Reads a text that is known to be well-formed, but for its nesting and the halves of signs.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// How many values and keys were read.
    nodes: usize,
    /// The first thing that is wrong.
    problem: Option<JsonError>,
}

/// The deepest nesting.
const MAX_DEPTH: usize = 128;

impl Reader<'_> {
    /// The next byte that is neither white space nor between two items.
    fn peek(&mut self) -> u8 {
        let skip = |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b':');
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(skip).count();
        rest.iter()
            .find(|byte| !skip(byte))
            .copied()
            .unwrap_or(b'}')
    }

    fn value(&mut self) -> Node {
        let next = self.peek();
        let start = self.at;
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let why = format!("more than {MAX_NODES} values");
            self.problem.get_or_insert((start..start + 1, why));
            self.at = self.text.len();
            return scalar("null", true, start..start);
        }
        let kind = match next {
            b'{' => {
                let pairs = self.items(b'}', |this| (this.value(), this.value()));
                // `//` is a comment, of which there may be several.
                let again = twice(&pairs).filter(|(_, text)| &**text != "//");
                if let Some((key, text)) = again {
                    let why = format!("the key `{text}` stands twice in one map");
                    self.problem.get_or_insert((key.range.clone(), why));
                }
                NodeKind::Map(pairs)
            }
            b'[' => NodeKind::List(self.items(b']', Self::value)),
            b'"' => return self.string(start),
            _ => return self.word(start),
        };
        Node {
            range: start..self.at,
            kind,
        }
    }

    fn items<T>(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut items = Vec::new();
        if self.depth >= MAX_DEPTH {
            let why = format!("it is nested in more than {MAX_DEPTH} levels");
            self.problem.get_or_insert((self.at..self.at + 1, why));
            self.at = self.text.len();
            return items;
        }
        self.depth += 1;
        self.at += 1;
        while self.peek() != end && self.at < self.text.len() {
            items.push(item(self));
        }
        self.at = (self.at + 1).min(self.text.len());
        self.depth -= 1;
        items
    }

    fn string(&mut self, start: usize) -> Node {
        self.at += 1;
        let mut escaped = false;
        let inner = self.text.as_bytes()[self.at..].iter();
        let inner = inner.take_while(|byte| {
            let ends = **byte == b'"' && !escaped;
            escaped = **byte == b'\\' && !escaped;
            !ends
        });
        self.at += inner.count() + 1;
        let end = self.at.min(self.text.len());
        let text = serde_json::from_str::<String>(&self.text[start..end]);
        let text = text.unwrap_or_else(|error| {
            let (_, why) = explain(self.text, &error);
            self.problem.get_or_insert((start..end, why));
            String::new()
        });
        scalar(text, false, start..end)
    }

    fn word(&mut self, start: usize) -> Node {
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, ',' | ':' | '}' | ']');
        let rest = &self.text[start..];
        self.at += rest.find(ends).unwrap_or(rest.len());
        let word = &self.text[start..self.at];
        if let Some(Err(why)) = number(word) {
            self.problem.get_or_insert((start..self.at, why.to_owned()));
        }
        scalar(word, true, start..self.at)
    }
}
