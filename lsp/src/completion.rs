//! What may be typed at the cursor.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use gen_lsp_types as lsp;
use stratiform::catalogue::{Cloud, Snapshot};
use stratiform::topology::editor::{
    AttributeDoc, BlockDoc, Cursor, Definition, Outline, Place, roots,
};
use stratiform::topology::functions;

use crate::convert::markdown;
use crate::hover::{of_attribute, of_block};
use crate::position::Lines;
use crate::prices::types;
use crate::requests::Here;
use crate::server::Session;
use crate::topologies::View;

/// The most items of a list; what is typed next makes it shorter.
const ITEMS_MAX: usize = 200;

/// What may be typed at a place of an HCL file.
pub(crate) fn complete(session: &mut Session, here: &Here) -> lsp::CompletionList {
    let mut items = if here.is_hcl() {
        Completion::new(session, here).items()
    } else {
        Vec::new()
    };
    let is_incomplete = items.len() > ITEMS_MAX;
    items.truncate(ITEMS_MAX);
    lsp::CompletionList {
        is_incomplete,
        items,
        ..Default::default()
    }
}

struct Completion<'c> {
    session: &'c mut Session,
    here: &'c Here,
    lines: Lines<'c>,
    cursor: Cursor,
    /// The block around.
    block: Option<BlockDoc>,
    /// The folder whose names are seen here.
    folder: PathBuf,
    /// What was defined when the whole text could last be parsed.
    before: Option<Arc<View>>,
}

/// What an item is, besides its name.
struct Kind {
    kind: lsp::CompletionItemKind,
    detail: Option<String>,
    doc: Option<String>,
    /// Where it stands in the list: those of a lower rank first.
    rank: u8,
}

impl Kind {
    fn of(kind: lsp::CompletionItemKind, rank: u8) -> Self {
        Self {
            kind,
            detail: None,
            doc: None,
            rank,
        }
    }
}

impl<'c> Completion<'c> {
    fn new(session: &'c mut Session, here: &'c Here) -> Self {
        let cursor = Cursor::at(&here.text, here.byte);
        let path = cursor.path.iter();
        let path = path.map(|(keyword, label)| (&**keyword, label.as_deref()));
        let block = BlockDoc::at(path);
        let before = session.topologies.known(&here.view.root).names.clone();
        let folder = here.path.parent().map(PathBuf::from).unwrap_or_default();
        Self {
            session,
            here,
            lines: here.lines(),
            cursor,
            block,
            folder,
            before,
        }
    }

    fn items(mut self) -> Vec<lsp::CompletionItem> {
        match self.cursor.place.clone() {
            Place::Text => Vec::new(),
            Place::Label(range) => self.label(range),
            Place::Item if self.cursor.chain.is_empty() => self.item(),
            Place::Item => Vec::new(),
            Place::Quoted(attribute, range) => self.quoted(&attribute, range),
            Place::Expression(attribute) => match self.cursor.chain.is_empty() {
                true => self.expression(&attribute),
                false => self.behind_dot(),
            },
        }
    }

    /// An item that takes the place of some bytes.
    fn made(
        &self,
        label: &str,
        text: String,
        bytes: Range<usize>,
        kind: Kind,
    ) -> lsp::CompletionItem {
        let range = self.lines.range(bytes);
        let is_snippet = self.session.has_snippets && text.contains('$');
        let new_text = match is_snippet {
            true => text,
            false => text.replace("$0", "").replace("${1:name}", "name"),
        };
        lsp::CompletionItem {
            label: label.to_owned(),
            kind: Some(kind.kind),
            detail: kind.detail,
            documentation: kind
                .doc
                .map(|doc| lsp::Documentation::MarkupContent(markdown(doc))),
            sort_text: Some(format!("{}{label}", kind.rank)),
            insert_text_format: Some(match is_snippet {
                true => lsp::InsertTextFormat::Snippet,
                false => lsp::InsertTextFormat::PlainText,
            }),
            text_edit: Some(lsp::CompletionItemTextEdit::TextEdit(lsp::TextEdit {
                range,
                new_text,
            })),
            ..Default::default()
        }
    }

    /// An item that takes the place of the word at the cursor.
    fn word(&self, label: &str, text: impl Into<String>, kind: Kind) -> lsp::CompletionItem {
        self.made(label, text.into(), self.cursor.word.clone(), kind)
    }

    /// Attributes and blocks.
    fn item(&self) -> Vec<lsp::CompletionItem> {
        let is_there = |name: &str| self.cursor.there.iter().any(|one| one == name);
        let Some(block) = self.block else {
            return match self.cursor.path.is_empty() {
                true => BlockDoc::of_file()
                    .map(|block| self.new_block(block))
                    .collect(),
                false => Vec::new(),
            };
        };
        let attributes = block.attributes().filter(|one| !is_there(one.name));
        let attributes = attributes.map(|attribute| self.new_attribute(block, &attribute));
        let blocks = block.blocks();
        let blocks = blocks.filter(|one| !(one.is_single() && is_there(one.keyword())));
        let mut items: Vec<_> = attributes.collect();
        items.extend(blocks.map(|block| self.new_block(block)));
        for input in self.module_inputs() {
            if !is_there(&input.name) {
                let kind = Kind {
                    detail: Some("a variable of the module".to_owned()),
                    ..Kind::of(lsp::CompletionItemKind::Variable, 0)
                };
                items.push(self.word(&input.name, format!("{} = $0", input.name), kind));
            }
        }
        items
    }

    fn new_block(&self, block: BlockDoc) -> lsp::CompletionItem {
        let label = block.label().map_or("", |_| " \"${1:name}\"");
        let column = self.lines.position(self.cursor.word.start).character as usize;
        let indent = " ".repeat(column);
        let text = format!("{}{label} {{\n{indent}  $0\n{indent}}}", block.keyword());
        let kind = Kind {
            detail: Some("block".to_owned()),
            doc: Some(of_block(block)),
            ..Kind::of(lsp::CompletionItemKind::Struct, 2)
        };
        self.word(block.keyword(), text, kind)
    }

    fn new_attribute(&self, block: BlockDoc, attribute: &AttributeDoc) -> lsp::CompletionItem {
        let kind = Kind {
            detail: Some(attribute.takes.replace('`', "")),
            doc: Some(of_attribute(block, attribute)),
            ..Kind::of(
                lsp::CompletionItemKind::Property,
                u8::from(!attribute.required),
            )
        };
        self.word(attribute.name, format!("{} = $0", attribute.name), kind)
    }

    /// The variables of the module that the block around uses.
    fn module_inputs(&self) -> Vec<Definition> {
        let [(keyword, Some(name))] = self.cursor.path.as_slice() else {
            return Vec::new();
        };
        match keyword == "module" {
            true => self.of_module(name, "var"),
            false => Vec::new(),
        }
    }

    /// What a module of the folder defines, of this root.
    fn of_module(&self, name: &str, root: &str) -> Vec<Definition> {
        let mut modules = self.named("module").into_iter();
        let module = modules.find(|one| &*one.name == name);
        let folder = module.and_then(|module| module.module);
        folder.map_or_else(Vec::new, |folder| {
            self.here.view.names.named(&folder, root).cloned().collect()
        })
    }

    /// What references beginning with `root` may name here: what is defined now, and what was when the
    /// text was last whole, since a block that is half typed defines nothing.
    fn named(&self, root: &str) -> Vec<Definition> {
        let now = self.here.view.names.named(&self.folder, root);
        let before = self.before.iter();
        let before = before.flat_map(|view| view.names.named(&self.folder, root));
        let mut seen = BTreeSet::new();
        let all = now
            .chain(before)
            .filter(|one| seen.insert(one.name.clone()));
        all.cloned().collect()
    }

    /// The label of a `dynamic` block is the keyword of the blocks that it stands for.
    fn label(&self, range: Range<usize>) -> Vec<lsp::CompletionItem> {
        let text = &self.here.text[..range.start];
        let is_dynamic = text.trim_end_matches('"').trim_end().ends_with("dynamic");
        let Some(block) = self.block.filter(|_| is_dynamic) else {
            return Vec::new();
        };
        let repeated = block.blocks().filter(|one| !one.is_single());
        repeated
            .map(|one| {
                let kind = Kind::of(lsp::CompletionItemKind::Struct, 0);
                self.made(one.keyword(), one.keyword().to_owned(), range.clone(), kind)
            })
            .collect()
    }

    /// The texts that an attribute of the block around may be, most of them with a word about each.
    fn texts(&mut self, attribute: &str, typed: &str) -> Vec<(String, Option<String>)> {
        let plain = |words: Vec<String>| words.into_iter().map(|word| (word, None)).collect();
        let keyword = self.block.map_or("", BlockDoc::keyword);
        match (keyword, attribute) {
            ("machine" | "machines", "image") => plain(self.session.settings.images.clone()),
            ("machine" | "machines", "machine_type") => {
                let root = self.here.view.root.clone();
                let types = types(self.session, &root, typed, ITEMS_MAX + 1).into_iter();
                types.map(|(name, detail)| (name, Some(detail))).collect()
            }
            ("site", "provider") => {
                let names = self.session.settings.registry.names();
                plain(names.map(str::to_owned).collect())
            }
            ("site", "region") => {
                let regions = self.cloud().map(|cloud| Snapshot::of(cloud).regions());
                let regions = regions.unwrap_or_default().into_iter();
                plain(regions.map(str::to_owned).collect())
            }
            _ => {
                let known = self.block.and_then(|block| block.attribute(attribute));
                let words = known.map_or(&[][..], |known| known.words);
                plain(words.iter().map(|word| (*word).to_owned()).collect())
            }
        }
    }

    /// The cloud that the `site` block around names as its provider.
    fn cloud(&self) -> Option<Cloud> {
        let text = &**self.here.text;
        let items = Outline::of(text).items;
        let around = |item: &&stratiform::topology::editor::Item| {
            (item.range.start..=item.range.end).contains(&self.here.byte)
        };
        let site = items.iter().find(around)?;
        let mut inner = site.items.iter();
        let provider = inner.find(|one| text.get(one.name.clone()) == Some("provider"))?;
        let (_, value) = text.get(provider.range.clone())?.split_once('=')?;
        value.trim().trim_matches('"').parse().ok()
    }

    fn quoted(&mut self, attribute: &str, range: Range<usize>) -> Vec<lsp::CompletionItem> {
        let end = self.here.byte.clamp(range.start, range.end);
        let typed = self
            .here
            .text
            .get(range.start..end)
            .unwrap_or_default()
            .to_owned();
        let mut texts = self.texts(attribute, &typed);
        let refers = self.block.and_then(|block| block.attribute(attribute));
        if refers.is_some_and(|one| one.refers_to.contains(&"site")) {
            // A site may be named as a text, too.
            let sites = self.named("site").into_iter();
            texts.extend(sites.map(|site| (site.name.to_string(), None)));
        }
        let items = texts.into_iter().map(|(text, detail)| {
            let kind = Kind {
                detail,
                ..Kind::of(lsp::CompletionItemKind::EnumMember, 0)
            };
            self.made(&text, text.clone(), range.clone(), kind)
        });
        items.collect()
    }

    /// The beginning of an expression.
    fn expression(&mut self, attribute: &str) -> Vec<lsp::CompletionItem> {
        let known = self.block.and_then(|block| block.attribute(attribute));
        let mut items = Vec::new();
        for (text, detail) in self.texts(attribute, "") {
            let label = format!("\"{text}\"");
            let kind = Kind {
                detail,
                ..Kind::of(lsp::CompletionItemKind::EnumMember, 0)
            };
            items.push(self.word(&label, label.clone(), kind));
        }
        if let Some(known) = &known {
            for word in ["true", "false"].into_iter().filter(|_| known.is_bool) {
                let kind = Kind::of(lsp::CompletionItemKind::Value, 0);
                items.push(self.word(word, word, kind));
            }
            for root in known.refers_to {
                for one in self.named(root) {
                    let name = format!("{root}.{}", one.name);
                    let kind = Kind::of(lsp::CompletionItemKind::Reference, 0);
                    items.push(self.word(&name, name.clone(), kind));
                }
            }
        }
        for root in roots() {
            let of_block = matches!(root, "each" | "count");
            let is_used = match of_block {
                true => self
                    .cursor
                    .there
                    .iter()
                    .any(|one| one == if root == "each" { "for_each" } else { "count" }),
                false => !self.named(root).is_empty(),
            };
            if is_used {
                let kind = Kind::of(lsp::CompletionItemKind::Keyword, 1);
                items.push(self.word(root, format!("{root}."), kind));
            }
        }
        for function in functions() {
            let kind = Kind {
                detail: Some(function.signature.to_owned()),
                doc: Some(format!(
                    "{}\n\nExample: `{}`",
                    function.doc, function.example
                )),
                ..Kind::of(lsp::CompletionItemKind::Function, 3)
            };
            items.push(self.word(function.name, format!("{}($0)", function.name), kind));
        }
        items
    }

    /// What may stand behind `root.` and `root.name.`.
    fn behind_dot(&self) -> Vec<lsp::CompletionItem> {
        let chain: Vec<&str> = self.cursor.chain.iter().map(String::as_str).collect();
        let named = |all: Vec<Definition>| -> Vec<String> {
            all.into_iter().map(|one| one.name.to_string()).collect()
        };
        let words = match chain.as_slice() {
            ["each"] => vec!["key".to_owned(), "value".to_owned()],
            ["count"] => vec!["index".to_owned()],
            ["path"] => vec!["module".to_owned()],
            [root] => named(self.named(root)),
            ["module", name] | ["module", name, "[]"] => named(self.of_module(name, "output")),
            [root, _] | [root, _, "[]"] => {
                let block = BlockDoc::at([(*root, None)]);
                let later = block.map(|block| block.known_after_apply().map(str::to_owned));
                later.map_or_else(Vec::new, Iterator::collect)
            }
            _ => Vec::new(),
        };
        let items = words.iter().take(ITEMS_MAX + 1).map(|word| {
            let kind = Kind::of(lsp::CompletionItemKind::Reference, 0);
            self.word(word, word.clone(), kind)
        });
        items.collect()
    }
}
