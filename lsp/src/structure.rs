//! What is in a file: its symbols, what folds, its canonical layout.

use gen_lsp_types as lsp;
use stratiform::topology::editor::{Item, ItemKind, Outline};
use stratiform::topology::{SourceFile, format_file};

use crate::position::Lines;
use crate::requests::Here;

/// The blocks and attributes of a file; of one in YAML or JSON, what has a name.
pub(crate) fn symbols(here: &Here) -> Vec<lsp::DocumentSymbol> {
    let lines = here.lines();
    if here.is_hcl() {
        let outline = Outline::of(&here.text);
        return outline
            .items
            .iter()
            .filter_map(|item| symbol(&lines, item))
            .collect();
    }
    let file = here.file();
    let all = here.view.names.definitions().iter();
    let own = all.filter(|one| *one.place.file == *file);
    own.map(|one| {
        let range = lines.range(one.place.start as usize..one.place.end as usize);
        let name = format!("{}.{}", one.root, one.name);
        named(name, None, lsp::SymbolKind::Struct, (range, range))
    })
    .collect()
}

fn symbol(lines: &Lines<'_>, item: &Item) -> Option<lsp::DocumentSymbol> {
    let text = lines.text();
    let word = text.get(item.name.clone())?;
    let ranges = (
        lines.range(item.range.clone()),
        lines.range(item.name.clone()),
    );
    Some(match &item.kind {
        ItemKind::Word => return None,
        ItemKind::Attribute(value) => {
            let value = text.get(value.clone()).unwrap_or_default().trim();
            let short = (!value.contains('\n') && value.len() <= 60).then(|| value.to_owned());
            named(word.to_owned(), short, lsp::SymbolKind::Property, ranges)
        }
        ItemKind::Block(_) => {
            let (name, detail) = match item.label(text) {
                Some(label) if !label.is_empty() => (label.to_owned(), Some(word.to_owned())),
                _ => (word.to_owned(), None),
            };
            let inner = item.items.iter().filter_map(|item| symbol(lines, item));
            lsp::DocumentSymbol {
                children: Some(inner.collect()),
                ..named(name, detail, kind(word), ranges)
            }
        }
    })
}

/// What a block looks like in a list of symbols.
fn kind(keyword: &str) -> lsp::SymbolKind {
    match keyword {
        "variable" | "locals" => lsp::SymbolKind::Variable,
        "module" => lsp::SymbolKind::Module,
        "site" | "topology" => lsp::SymbolKind::Namespace,
        "output" => lsp::SymbolKind::Constant,
        _ => lsp::SymbolKind::Struct,
    }
}

#[expect(deprecated, reason = "a field of the type has to be given")]
fn named(
    name: String,
    detail: Option<String>,
    kind: lsp::SymbolKind,
    (range, selection_range): (lsp::Range, lsp::Range),
) -> lsp::DocumentSymbol {
    lsp::DocumentSymbol {
        name,
        detail,
        kind,
        tags: None,
        deprecated: None,
        range,
        selection_range,
        children: None,
    }
}

/// What can be folded. The line of a closing bracket stays.
pub(crate) fn folds(here: &Here) -> Vec<lsp::FoldingRange> {
    if !here.is_hcl() {
        return Vec::new();
    }
    let lines = here.lines();
    let folds = Outline::of(&here.text).folds.into_iter();
    let folds = folds.filter_map(|(range, is_comment)| {
        let range = lines.range(range);
        let last = range.end.line - u32::from(!is_comment && range.end.line > 0);
        (last > range.start.line).then(|| lsp::FoldingRange {
            start_line: range.start.line,
            end_line: last,
            kind: is_comment.then_some(lsp::FoldingRangeKind::Comment),
            ..Default::default()
        })
    });
    folds.collect()
}

/// What brings a file into its canonical layout: nothing where it is in it, or is not valid.
pub(crate) fn format(here: &Here) -> Vec<lsp::TextEdit> {
    if !here.is_hcl() {
        return Vec::new();
    }
    let old = &**here.text;
    let Ok(new) = format_file(&SourceFile::new(here.file(), old)) else {
        return Vec::new();
    };
    if new == *old {
        return Vec::new();
    }
    // Only from the first line that differs to the last one, so that cursors elsewhere stay.
    let same = |pairs: &mut dyn Iterator<Item = (&str, &str)>| -> usize {
        pairs
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len())
            .sum()
    };
    let (a, b) = (old.split_inclusive('\n'), new.split_inclusive('\n'));
    let head = same(&mut a.zip(b));
    let (a, b) = (&old[head..], &new[head..]);
    let tail = same(
        &mut a
            .split_inclusive('\n')
            .rev()
            .zip(b.split_inclusive('\n').rev()),
    );
    let range = here.lines().range(head..old.len() - tail);
    let new_text = new[head..new.len() - tail].to_owned();
    vec![lsp::TextEdit { range, new_text }]
}
