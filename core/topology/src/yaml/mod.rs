//! YAML as a tree with places, for topology files and for `yamldecode`; and values as YAML.

mod emit;
mod keys;
mod value;

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

pub(crate) use emit::emit;
pub(crate) use keys::twice;
pub(crate) use value::{number, scalar, to_value};

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 200;
/// The most nodes that are read; aliases and what they name count for all that they stand for.
pub(crate) const MAX_NODES: usize = 4_000_000;

/// A node and the bytes it is written in.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) range: Range<usize>,
    pub(crate) kind: NodeKind,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(crate) enum NodeKind {
    /// A scalar; `plain` if it has neither quotes nor a tag that makes it a string.
    Scalar { text: String, plain: bool },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in its order.
    Map(Vec<(Node, Node)>),
}

/// Why a text is no YAML.
#[derive(Debug)]
pub(crate) struct YamlError {
    /// The byte where it was noticed.
    pub(crate) at: usize,
    pub(crate) message: String,
}

/// Reads the one document of a text; an empty text is null.
pub(crate) fn parse(text: &str) -> Result<Node, YamlError> {
    let mut loader = Loader {
        offsets: Offsets::of(text),
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        nodes: 0,
    };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                let range =
                    loader.offsets.byte(span.start.index())..loader.offsets.byte(span.end.index());
                loader.event(event, range)?;
            }
            Err(error) => {
                return Err(YamlError {
                    at: loader.offsets.byte(error.marker().index()),
                    message: error.info().to_owned(),
                });
            }
        }
    }
    Ok(loader.root.unwrap_or(Node {
        range: 0..0,
        kind: NodeKind::Scalar {
            text: "null".to_owned(),
            plain: true,
        },
    }))
}

/// From characters, which the parser counts, to bytes.
struct Offsets {
    /// Empty for a text in which the two are the same.
    bytes: Vec<usize>,
    len: usize,
}

impl Offsets {
    fn of(text: &str) -> Self {
        let bytes = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).collect()
        };
        Self {
            bytes,
            len: text.len(),
        }
    }

    fn byte(&self, character: usize) -> usize {
        if self.bytes.is_empty() {
            character.min(self.len)
        } else {
            self.bytes.get(character).copied().unwrap_or(self.len)
        }
    }
}

/// A collection that is being read.
struct Open {
    start: usize,
    anchor: usize,
    items: Vec<Node>,
    is_map: bool,
}

struct Loader {
    offsets: Offsets,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    root: Option<Node>,
    nodes: usize,
}

impl Loader {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), YamlError> {
        let fail = |message: &str| {
            Err(YamlError {
                at: range.start,
                message: message.to_owned(),
            })
        };
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                return fail("there is a second document; only one is read");
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
            Event::Scalar(text, style, anchor, tag) => {
                let at = range.start;
                let untagged = style == ScalarStyle::Plain;
                let plain = value::is_plain(&text, untagged, tag.as_deref());
                let kind = NodeKind::Scalar {
                    plain: plain.map_err(|message| YamlError { at, message })?,
                    text: text.into_owned(),
                };
                return self.put(Node { range, kind }, anchor, 1);
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some((node, size)) => return self.put(node, 0, size),
                None => return fail("this alias stands inside what it stands for"),
            },
            Event::SequenceStart(anchor, tag) => {
                collection_tag(range.start, tag.as_deref(), "seq")?;
                self.open(range.start, anchor, false)?;
            }
            Event::MappingStart(anchor, tag) => {
                collection_tag(range.start, tag.as_deref(), "map")?;
                self.open(range.start, anchor, true)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    return self.close(open, range.end);
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, start: usize, anchor: usize, is_map: bool) -> Result<(), YamlError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(YamlError {
                at: start,
                message: format!("nested more than {MAX_DEPTH} levels deep"),
            });
        }
        self.open.push(Open {
            start,
            anchor,
            items: Vec::new(),
            is_map,
        });
        Ok(())
    }

    fn close(&mut self, open: Open, end: usize) -> Result<(), YamlError> {
        let kind = if open.is_map {
            let mut pairs = Vec::with_capacity(open.items.len() / 2);
            let mut items = open.items.into_iter();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                pairs.push((key, value));
            }
            NodeKind::Map(keys::checked(pairs)?)
        } else {
            NodeKind::List(open.items)
        };
        let node = Node {
            range: open.start..end,
            kind,
        };
        let size = if open.anchor > 0 { count(&node) } else { 1 };
        self.nodes = self.nodes.saturating_sub(size - 1);
        self.put(node, open.anchor, size)
    }

    fn put(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), YamlError> {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            return Err(YamlError {
                at: node.range.start,
                message: format!("more than {MAX_NODES} values, with its aliases filled in"),
            });
        }
        if anchor > 0 {
            self.nodes += size;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }
}

/// A tag that a list or a map may have.
fn collection_tag(at: usize, tag: Option<&Tag>, wanted: &str) -> Result<(), YamlError> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == wanted) => Err(YamlError {
            at,
            message: value::unknown_tag(tag),
        }),
        _ => Ok(()),
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.kind {
        // A long text is many nodes, so that aliases of it are bounded, too.
        NodeKind::Scalar { text, .. } => text.len() / 64,
        NodeKind::List(items) => items.iter().map(count).sum(),
        NodeKind::Map(pairs) => pairs.iter().map(|(k, v)| count(k) + count(v)).sum(),
    }
}
