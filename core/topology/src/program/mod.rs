//! A parsed topology: what is declared, by name, and what is wrong with the shape of it.

mod check;
mod collect;
mod reach;
mod shape;
mod walk;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use strat_model::{Diagnostic, Name, Noun, Origin, Origins, ReachWants};

use crate::ast::{Attribute, Block};
use crate::expand::{ModuleCall, ModuleInput};
use crate::schema::{self, BlockSchema};
use crate::span::{Files, Span};

pub(crate) use check::{ROOTS, UnknownName, check_references, unknown_root};
pub(crate) use collect::{collect, collect_module, twice};
pub(crate) use walk::{Found, Walker};

/// A parsed topology.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) files: Files,
    pub(crate) base_dir: PathBuf,
    pub(crate) topology: Option<Block>,
    pub(crate) variables: BTreeMap<Arc<str>, Block>,
    pub(crate) locals: BTreeMap<Arc<str>, Attribute>,
    pub(crate) sites: BTreeMap<Name, Block>,
    pub(crate) budgets: BTreeMap<Name, Block>,
    pub(crate) bursts: BTreeMap<Name, Block>,
    pub(crate) outputs: BTreeMap<Arc<str>, Block>,
    pub(crate) checks: BTreeMap<Name, Block>,
    /// What is to pass and what is not, by keyword and name.
    pub(crate) reaches: BTreeMap<(ReachWants, Name), Block>,
    pub(crate) moved: Vec<Block>,
    pub(crate) removed: Vec<Block>,
    /// The managed blocks, sorted by noun and name.
    pub(crate) things: Vec<Thing>,
    /// Where in `things` each is.
    pub(crate) index: FxHashMap<Noun, FxHashMap<Name, usize>>,
    /// Blocks whose name another one has, of those that are not managed: only what they refer to is
    /// looked at.
    pub(crate) again: Vec<Block>,
    pub(crate) locals_again: Vec<Attribute>,
    /// Uses of modules that are still to be written out.
    pub(crate) modules: BTreeMap<Name, Block>,
    /// The modules, by their folders.
    pub(crate) library: Arc<BTreeMap<PathBuf, Program>>,
    /// The uses that were written out, by their paths: `eu`, `eu.db`.
    pub(crate) module_calls: BTreeMap<Arc<str>, ModuleCall>,
    /// What they were given, and what they give: `eu.count`, `shops.a.count`.
    pub(crate) module_inputs: BTreeMap<Arc<str>, ModuleInput>,
    pub(crate) module_outputs: BTreeMap<Arc<str>, Block>,
    /// Sites with `for_each`, by the block's name: those that it stands for, by their keys. `None` if
    /// something is wrong with it.
    pub(crate) site_groups: BTreeMap<Name, Option<BTreeMap<Arc<str>, Name>>>,
    /// What is wrong with the shape.
    pub(crate) problems: Vec<Diagnostic>,
}

/// A managed block.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    pub(crate) noun: Noun,
    pub(crate) name: Name,
    pub(crate) block: Block,
    pub(crate) origins: Arc<Origins>,
    /// For each attribute of the block, whether it differs between instances.
    varies: Vec<bool>,
}

impl Program {
    /// `span` as the model has it.
    pub(crate) fn origin(&self, span: Span) -> Origin {
        self.files.origin(span)
    }

    /// The block that says where leases are kept.
    pub(crate) fn lease(&self) -> Option<&Block> {
        let blocks = &self.topology.as_ref()?.body.blocks;
        blocks.iter().find(|block| &*block.keyword.text == "lease")
    }

    /// The managed block of that noun and name.
    pub(crate) fn thing(&self, noun: Noun, name: &str) -> Option<usize> {
        self.index.get(&noun)?.get(name).copied()
    }

    /// Sorts the managed blocks again, after some were added.
    pub(crate) fn sort_things(&mut self) {
        self.things
            .sort_by(|a, b| (a.noun, &a.name).cmp(&(b.noun, &b.name)));
        self.index = FxHashMap::default();
        for (at, thing) in self.things.iter().enumerate() {
            let index = self.index.entry(thing.noun).or_default();
            index.entry(thing.name.clone()).or_insert(at);
        }
    }

    /// The names of the blocks of that noun.
    pub(crate) fn names(&self, noun: Noun) -> Vec<&str> {
        let things = self.things.iter().filter(|thing| thing.noun == noun);
        things.map(|thing| thing.name.as_str()).collect()
    }
}

impl Thing {
    /// A managed block of the topology.
    pub(crate) fn new(noun: Noun, name: Name, block: Block, files: &Files) -> Self {
        let varies = block
            .body
            .attributes
            .iter()
            .map(|a| a.value.mentions("each") || a.value.mentions("count"))
            .collect();
        let origins = Arc::new(origins(&block, files));
        Self {
            noun,
            name,
            block,
            origins,
            varies,
        }
    }

    /// The block's schema.
    pub(crate) fn schema(&self) -> &'static BlockSchema {
        schema::of_noun(self.noun)
    }

    /// The nested block by which it is found, where others own it.
    pub(crate) fn lookup(&self) -> Option<&Block> {
        self.block.body.blocks("lookup").next()
    }

    /// Whether the attribute of that number differs between instances.
    pub(crate) fn varies(&self, attribute: usize) -> bool {
        self.varies[attribute]
    }

    /// The attribute of that name, its number, and whether it differs between instances.
    pub(crate) fn attribute(&self, name: &str) -> Option<(usize, &Attribute, bool)> {
        let attributes = &self.block.body.attributes;
        let at = attributes.iter().position(|a| &*a.name.text == name)?;
        Some((at, &attributes[at], self.varies[at]))
    }
}

/// The places of a block and its attributes; those of nested blocks are `disk.size`, and
/// `disk[1].size` from the second on.
fn origins(block: &Block, files: &Files) -> Origins {
    let mut attributes = Vec::new();
    for attribute in &block.body.attributes {
        let place = files.origin(attribute.value.span);
        attributes.push((attribute.name.text.clone(), place));
    }
    let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
    for nested in &block.body.blocks {
        let keyword = &*nested.keyword.text;
        let number = seen.entry(keyword).or_default();
        let path = match (nested.labels.first(), *number) {
            (Some(label), _) => format!("{keyword}.{}", label.text),
            (None, 0) => keyword.to_owned(),
            (None, n) => format!("{keyword}[{n}]"),
        };
        *number += 1;
        for attribute in &nested.body.attributes {
            let place = files.origin(attribute.value.span);
            let path = format!("{path}.{}", attribute.name.text);
            attributes.push((path.into(), place));
        }
        attributes.push((path.into(), files.origin(nested.head)));
    }
    // They stay for as long as the intent.
    attributes.shrink_to_fit();
    Origins {
        block: Some(files.origin(block.head)),
        attributes,
    }
}
