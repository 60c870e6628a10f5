//! What is told of the word under the cursor.

use std::fmt::Write as _;
use std::ops::Range;

use gen_lsp_types as lsp;
use stratiform::topology::editor::{
    AttributeDoc, BlockDoc, Cursor, Definition, Item, ItemKind, Outline,
};
use stratiform::topology::{functions, is_formatted};

use crate::convert::markdown;
use crate::prices::cheapest;
use crate::requests::Here;
use crate::server::Session;

/// The most lines of a definition that are shown.
const LINES_MAX: usize = 12;
/// The attributes that say how large a machine is.
const SIZES: [&str; 4] = ["cpu", "memory", "machine_type", "gpus"];

/// What is told of the word at a place.
pub(crate) fn hover(session: &mut Session, here: &Here) -> Option<lsp::Hover> {
    let (text, bytes) = told(session, here)?;
    Some(lsp::Hover {
        contents: lsp::Contents::MarkupContent(markdown(text)),
        range: Some(here.lines().range(bytes)),
    })
}

fn told(session: &mut Session, here: &Here) -> Option<(String, Range<usize>)> {
    if here.is_hcl() {
        let outline = Outline::of(&here.text);
        let mut way = Vec::new();
        if let Some(item) = item_at(&outline.items, here.byte, &mut way) {
            let text = of_item(session, here, &way, item)?;
            return Some((text, item.name.clone()));
        }
        let cursor = Cursor::at(&here.text, here.byte);
        if cursor.is_call && cursor.chain.is_empty() {
            let word = here.text.get(cursor.word.clone())?;
            return Some((of_function(word)?, cursor.word));
        }
    }
    let file = here.file();
    let (definition, place) = here.view.names.at(&file, here.byte)?;
    let range = place.start as usize..place.end as usize;
    Some((of_definition(here, definition), range))
}

/// The item on whose keyword or name a byte is, with the blocks around it.
fn item_at<'o>(items: &'o [Item], byte: usize, way: &mut Vec<&'o Item>) -> Option<&'o Item> {
    let item = items
        .iter()
        .find(|item| (item.range.start..=item.range.end).contains(&byte))?;
    if (item.name.start..=item.name.end).contains(&byte) {
        return Some(item);
    }
    way.push(item);
    item_at(&item.items, byte, way)
}

fn of_item(session: &mut Session, here: &Here, way: &[&Item], item: &Item) -> Option<String> {
    let text = &**here.text;
    let step = |item: &&Item| {
        let word = text.get(item.name.clone()).unwrap_or_default();
        (word, item.label(text))
    };
    let around = way.iter().map(step);
    let word = text.get(item.name.clone())?;
    let machine = match &item.kind {
        ItemKind::Block(_) => Some(item),
        ItemKind::Attribute(_) if SIZES.contains(&word) => way.last().copied(),
        ItemKind::Attribute(_) | ItemKind::Word => None,
    };
    let mut told = match &item.kind {
        ItemKind::Attribute(_) => {
            let block = BlockDoc::at(around)?;
            of_attribute(block, &block.attribute(word)?)
        }
        ItemKind::Block(_) | ItemKind::Word => {
            of_block(BlockDoc::at(around.chain([(word, item.label(text))]))?)
        }
    };
    if let Some(machine) = machine {
        let lines = cheapest(session, &here.view.root, &here.file(), machine.name.start);
        if !lines.is_empty() {
            let _ = write!(
                told,
                "\n\nThe cheapest that will do:\n\n- {}",
                lines.join("\n- ")
            );
        }
    }
    Some(told)
}

/// What a block is, and what may stand in it.
pub(crate) fn of_block(block: BlockDoc) -> String {
    let label = block.label().map(|label| format!(" \"{label}\""));
    let mut told = format!(
        "```hcl\n{}{} {{ … }}\n```\n\n{}",
        block.keyword(),
        label.unwrap_or_default(),
        block.doc()
    );
    let required = block.attributes().filter(|one| one.required);
    let required: Vec<String> = required.map(|one| format!("`{}`", one.name)).collect();
    if !required.is_empty() {
        let _ = write!(told, "\n\nNeeds {}.", required.join(", "));
    }
    told
}

/// What an attribute is and takes.
pub(crate) fn of_attribute(block: BlockDoc, attribute: &AttributeDoc) -> String {
    let need = match attribute.required {
        true => "needed",
        false => "may be left out",
    };
    format!(
        "**`{}`** of `{}`, {need}: {}\n\n{}",
        attribute.name,
        block.keyword(),
        attribute.takes,
        attribute.doc
    )
}

/// What a function takes and gives.
fn of_function(name: &str) -> Option<String> {
    let name = name.strip_prefix("core::").unwrap_or(name);
    let function = functions().into_iter().find(|one| one.name == name)?;
    Some(format!(
        "```hcl\n{}\n```\n\n{}\n\nExample: `{}`",
        function.signature, function.doc, function.example
    ))
}

/// What a name stands for: the text that defines it.
fn of_definition(here: &Here, definition: &Definition) -> String {
    let text = here.view.text(&definition.head.file).unwrap_or_default();
    let start = definition.head.start as usize;
    let line = text.get(start..).unwrap_or_default();
    let line = start..start + line.find(['\n', '\r']).unwrap_or(line.len());
    let outline = match is_formatted(&definition.head.file) {
        true => Outline::of(text),
        false => Outline::default(),
    };
    let whole = outline.items.into_iter().find_map(|item| {
        let is_it = item.name.start == start;
        let mut inner = item.items.into_iter();
        let inner = inner.find(|one| one.name.start == start);
        match is_it {
            true => Some(item.range),
            false => inner.map(|one| one.range),
        }
    });
    let whole = whole.unwrap_or(line);
    let shown = text.get(whole).unwrap_or_default();
    let mut lines: Vec<&str> = shown.lines().take(LINES_MAX).collect();
    if shown.lines().count() > LINES_MAX {
        lines.push("…");
    }
    let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
    let file = definition.head.file.rsplit('/').next().unwrap_or_default();
    format!("```hcl\n{}\n```\n\n{file}, line {line}", lines.join("\n"))
}
