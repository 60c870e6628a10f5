//! One more attribute in an HCL block.

use std::sync::Arc;

use super::{Pinned, insert, line_end, quoted};
use crate::ast::Block;
use crate::{format, syntax};

/// The attributes after which a site's account stands best.
const BEFORE: [&str; 3] = ["region", "profile", "provider"];

/// The text with the attribute in its block, laid out as the text is.
pub(super) fn write(text: &str, pinned: &Pinned) -> Option<String> {
    let name: Arc<str> = Arc::from("");
    let (body, problems) = syntax::hcl_body(0, &name, text);
    if !problems.is_empty() {
        return None;
    }
    let block = body.blocks.iter().find(|block| {
        let label = block.labels.first().map_or("", |label| &*label.text);
        format!("{}.{label}", block.keyword.text) == pinned.block
    })?;
    let written = put(text, block, pinned)?;
    let is_canonical = format::format(text).is_ok_and(|canonical| canonical == text);
    match is_canonical {
        true => format::format(&written).ok(),
        false => Some(written),
    }
}

fn put(text: &str, block: &Block, pinned: &Pinned) -> Option<String> {
    let end = line_end(text);
    let head = usize::try_from(block.head.end).ok()?;
    let open = head + text.get(head..)?.find('{')? + 1;
    let rest = text.get(open..)?;
    let attribute = format!("{} = {}", pinned.attribute, quoted(&pinned.value));
    let indent = " ".repeat(indent_of(text, usize::try_from(block.head.start).ok()?) + 2);
    let first_line = rest.split_inclusive('\n').next().unwrap_or_default();
    if first_line.trim_start().starts_with('}') {
        // `{}`
        let close = open + rest.find('}')?;
        let (before, after) = (text.get(..open)?, text.get(close..)?);
        let outer = &indent[2..];
        return Some(format!(
            "{before}{end}{indent}{attribute}{end}{outer}{after}"
        ));
    }
    let content = first_line.trim();
    if !content.is_empty() && !is_comment(content) {
        // `{ realm = "bank" }`: an HCL block on one line has one attribute.
        let close = open + first_line.rfind('}')?;
        let inner = text.get(open..close)?.trim();
        let (before, after) = (text.get(..open)?, text.get(close..)?);
        let outer = &indent[2..];
        return Some(format!(
            "{before}{end}{indent}{attribute}{end}{indent}{inner}{end}{outer}{after}"
        ));
    }
    let at = match after_which(block, pinned) {
        Some(value_end) => {
            let line = text.get(value_end..)?.find('\n')?;
            value_end + line + 1
        }
        None => open + first_line.len(),
    };
    insert(text, at, &format!("{indent}{attribute}{end}"))
}

/// The end of the value after which the attribute stands best, if there is one.
fn after_which(block: &Block, pinned: &Pinned) -> Option<usize> {
    if pinned.attribute != "account" {
        return None;
    }
    let mut known = BEFORE.iter().filter_map(|name| block.body.attribute(name));
    usize::try_from(known.next()?.value.span.end).ok()
}

fn is_comment(content: &str) -> bool {
    content.starts_with('#') || content.starts_with("//")
}

/// How many spaces the line has before a place.
fn indent_of(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rsplit('\n').next().map_or(0, str::len)
}
