//! One more pair in a map of YAML or JSON.

use super::{Pinned, insert, line_end, quoted};
use crate::yaml::{Node, NodeKind};

/// The text with the pair in its block.
pub(super) fn write(root: &Node, text: &str, pinned: &Pinned, is_json: bool) -> Option<String> {
    let (keyword, name) = pinned.block.split_once('.')?;
    let (label, content) = child(child(root, keyword)?.1, name)?;
    let key = match is_json {
        true => quoted(pinned.attribute),
        false => pinned.attribute.to_owned(),
    };
    // No template stands in a word or an account's name, so nothing of it is doubled here.
    let pair = format!("{key}: {}", serde_json::Value::from(pinned.value.as_str()));
    match &content.kind {
        NodeKind::Map(pairs) if text.get(content.range.start..)?.starts_with('{') => {
            in_braces(text, content.range.start + 1, pairs, &pair)
        }
        NodeKind::Map(pairs) => {
            let at = pairs.first()?.0.range.start;
            let indent = " ".repeat(column(text, at));
            insert(text, at, &format!("{pair}{}{indent}", line_end(text)))
        }
        NodeKind::Scalar { plain: true, .. } => in_nothing(text, label, content, &pair, is_json),
        _ => None,
    }
}

/// The pair of a key in a map, or in one of the maps of a list.
fn child<'n>(node: &'n Node, key: &str) -> Option<(&'n Node, &'n Node)> {
    match &node.kind {
        NodeKind::Map(pairs) => pairs.iter().find_map(|(name, value)| match &name.kind {
            NodeKind::Scalar { text, .. } if text == key => Some((name, value)),
            _ => None,
        }),
        NodeKind::List(items) => items.iter().find_map(|item| child(item, key)),
        NodeKind::Scalar { .. } => None,
    }
}

/// `{ a: 1 }`, over one line or several.
fn in_braces(text: &str, open: usize, pairs: &[(Node, Node)], pair: &str) -> Option<String> {
    let Some((first, _)) = pairs.first() else {
        let close = open + text.get(open..)?.find('}')?;
        let (before, after) = (text.get(..open)?, text.get(close..)?);
        return Some(format!("{before} {pair} {after}"));
    };
    let space = text.get(open..first.range.start)?;
    // What stands before the first key is repeated if it is space alone, not a comment.
    let space = if space.trim().is_empty() { space } else { " " };
    insert(text, open, &format!("{space}{pair},"))
}

/// `shop:`, `shop: ~` or `"shop": null`.
fn in_nothing(
    text: &str,
    label: &Node,
    content: &Node,
    pair: &str,
    is_json: bool,
) -> Option<String> {
    let colon = label.range.end + text.get(label.range.end..)?.find(':')? + 1;
    let NodeKind::Scalar { text: value, .. } = &content.kind else {
        return None;
    };
    let written = text.get(content.range.clone())?;
    let is_nothing = matches!(written, "" | "~") || written.eq_ignore_ascii_case("null");
    if !is_nothing || !(value.is_empty() || value == "~" || value.eq_ignore_ascii_case("null")) {
        return None;
    }
    let line = text.get(..label.range.start)?.rsplit('\n').next()?;
    let in_flow = is_json || line.contains('{');
    let (start, end) = match written.is_empty() {
        true => (colon, colon),
        false => (colon, content.range.end),
    };
    let (before, after) = (text.get(..start)?, text.get(end..)?);
    if in_flow {
        return Some(format!("{before} {{ {pair} }}{after}"));
    }
    let indent = " ".repeat(column(text, label.range.start) + 2);
    Some(format!("{before}{}{indent}{pair}{after}", line_end(text)))
}

/// How far from the beginning of its line a byte is.
fn column(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before
        .rsplit('\n')
        .next()
        .map_or(0, |line| line.chars().count())
}
