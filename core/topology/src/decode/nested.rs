//! Nested blocks that may be repeated, with those that `dynamic` blocks stand for.

use std::sync::Arc;

use strat_model::Name;

use super::item::Item;
use crate::ast::{Block, Body, ExprKind, Ident};
use crate::report::{Failed, Outcome};
use crate::span::Span;
use crate::value::{Value, text_of};

/// A nested block: one that stands there, or one of a `dynamic` block's.
pub(super) struct Nested<'p> {
    pub(super) keyword: &'p str,
    /// Its name, where it has one.
    pub(super) label: Option<Ident>,
    pub(super) body: &'p Body,
    pub(super) head: Span,
    /// What an item of a `dynamic` block is called in it, and the item: its key and value.
    pub(super) item: Option<(Arc<str>, Value)>,
}

impl<'p> From<&'p Block> for Nested<'p> {
    fn from(block: &'p Block) -> Self {
        Self {
            keyword: &block.keyword.text,
            label: block.labels.first().cloned(),
            body: &block.body,
            head: block.head,
            item: None,
        }
    }
}

/// What an item is called in a `dynamic` block.
pub(crate) fn iterator(block: &Block) -> Option<Arc<str>> {
    let named = block.body.attribute("iterator");
    match named.map(|attribute| &attribute.value.kind) {
        Some(ExprKind::Name(name)) => Some(name.clone()),
        Some(ExprKind::Literal(value)) => text_of(value),
        Some(_) => None,
        None => block.labels.first().map(|label| label.text.clone()),
    }
}

/// The nested blocks of these keywords, in order, with those of `dynamic` blocks in their places.
pub(super) fn repeated<'p>(item: &mut Item<'_, 'p>, keywords: &[&str]) -> Outcome<Vec<Nested<'p>>> {
    let mut found = Vec::new();
    let mut result = Ok(());
    let thing = item.thing;
    for block in &thing.block.body.blocks {
        let label = block.labels.first().map_or("", |label| &*label.text);
        match &*block.keyword.text {
            word if keywords.contains(&word) => found.push(Nested::from(block)),
            "dynamic" if keywords.contains(&label) => match expanded(item, block) {
                Ok(blocks) => found.extend(blocks),
                Err(failed) => result = Err(failed),
            },
            // It has been reported as unknown, or is somebody else's.
            _ => {}
        }
    }
    result.map(|()| found)
}

fn expanded<'p>(item: &mut Item<'_, 'p>, block: &'p Block) -> Outcome<Vec<Nested<'p>>> {
    let keyword = block.labels.first().ok_or(Failed)?;
    let content = block.body.blocks("content").next().ok_or_else(|| {
        item.ev.fail(
            block.head,
            "missing_block",
            "this `dynamic` block has no `content`",
            "needs `content { … }`",
            Some(format!(
                "what each `{}` says stands in it: `content {{ … }}`",
                keyword.text
            )),
        )
    })?;
    let iterator = iterator(block).ok_or(Failed)?;
    let over = block.body.attribute("for_each").ok_or(Failed)?;
    let value = item.eval_nested(&over.value, None)?;
    let span = over.value.span;
    let (value, sensitive) = value.reveal();
    let value = item.ev.plain(value.marked(sensitive), span, "for_each")?;
    let pairs: Vec<(Value, Value)> = match &value {
        Value::List(items) => {
            let numbered = items.iter().enumerate();
            numbered
                .map(|(at, one)| (Value::int(at as u64), one.clone()))
                .collect()
        }
        Value::Map(map) => {
            let pairs = map.iter();
            pairs
                .map(|(key, one)| (Value::String(key.clone()), one.clone()))
                .collect()
        }
        other => {
            let found = other.describe();
            return Err(item.ev.fail(
                span,
                "wrong_type",
                format!("`for_each` goes over a list or a map, not {found}"),
                format!("this is {found}"),
                None,
            ));
        }
    };
    let mut blocks = Vec::with_capacity(pairs.len());
    for (key, one) in pairs {
        let words = [(Arc::from("key"), key.clone()), (Arc::from("value"), one)];
        let bound = (iterator.clone(), Value::map(words));
        let label = label_of(item, block, &bound, &key)?;
        blocks.push(Nested {
            keyword: &keyword.text,
            label,
            body: &content.body,
            head: content.head,
            item: Some(bound),
        });
    }
    Ok(blocks)
}

/// The name of one: what `labels` says, else the item's key.
fn label_of(
    item: &mut Item<'_, '_>,
    block: &Block,
    bound: &(Arc<str>, Value),
    key: &Value,
) -> Outcome<Option<Ident>> {
    let (value, span) = match block.body.attribute("labels") {
        Some(labels) => {
            let span = labels.value.span;
            let value = item.eval_nested(&labels.value, Some(bound))?;
            let value = item.ev.plain(value, span, "labels")?;
            match value {
                Value::List(items) => (items.first().cloned().unwrap_or(Value::Null), span),
                other => (other, span),
            }
        }
        None => (key.clone(), block.head),
    };
    let Some(text) = text_of(&value) else {
        return Ok(None);
    };
    // A list's items have no names of their own.
    let text: Arc<str> = match (&value, block.body.attribute("labels")) {
        (Value::Number(_), None) => Arc::from(format!("{}-{text}", bound.0)),
        _ => text,
    };
    if Name::new(&text).is_err() {
        return Err(item.ev.fail(
            span,
            "bad_name",
            format!("`{text}` is not a name"),
            "names the nested block",
            Some("say what each is called: `labels = […]`".to_owned()),
        ));
    }
    Ok(Some(Ident { text, span }))
}
