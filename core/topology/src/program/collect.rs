//! From the bodies of the files to a [`Program`], with the shape of every block checked.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use strat_model::{Diagnostic, Name, Noun, ReachWants};

use super::{Program, Thing};
use crate::ast::{Attribute, Block, Body, Ident};
use crate::hints;
use crate::schema::{self, BlockSchema};
use crate::span::Files;

/// The most findings about shapes that are kept; some two hundred are shown.
const MAX_PROBLEMS: usize = 10_000;

/// Puts the bodies of all files together.
pub(crate) fn collect(files: Files, base_dir: PathBuf, bodies: Vec<Body>) -> Program {
    // So large a list is not moved while it grows.
    let blocks = bodies.iter().map(|body| body.blocks.len()).sum();
    let mut collector = Collector {
        program: Program {
            files,
            base_dir,
            things: Vec::with_capacity(blocks),
            ..Program::default()
        },
    };
    for body in bodies {
        collector.file(body);
    }
    collector.finish()
}

/// Puts the bodies of a module's files together.
pub(crate) fn collect_module(files: Files, folder: PathBuf, bodies: Vec<Body>) -> Program {
    let mut collector = Collector {
        program: Program {
            files,
            base_dir: folder,
            ..Program::default()
        },
    };
    for body in bodies {
        collector.file(body);
    }
    collector.sort();
    collector.only_reusable();
    collector.program
}

pub(super) struct Collector {
    pub(super) program: Program,
}

impl Collector {
    fn finish(mut self) -> Program {
        self.sort();
        let program = &mut self.program;
        if program.topology.is_none() {
            program.problems.push(
                Diagnostic::error("missing_topology", "no `topology` block says whose this is")
                    .help("name the topology, once: `topology \"shop\" {}`"),
            );
        }
        self.program
    }

    /// A module has no blocks that there is one set of in a topology.
    fn only_reusable(&mut self) {
        let program = &self.program;
        let topology = program.topology.iter();
        let blocks = topology
            .chain(program.sites.values())
            .chain(program.budgets.values())
            .chain(program.bursts.values())
            .chain(program.reaches.values())
            .chain(&program.moved)
            .chain(&program.removed);
        let findings: Vec<Diagnostic> = blocks
            .map(|block| {
                let keyword = &*block.keyword.text;
                let help = match keyword {
                    "site" => "give the module a variable, and pass a site in: `site = site.east`",
                    "moved" | "removed" => {
                        "write it in the topology: `from = machines.eu.web` is `web` of the module `eu`"
                    }
                    _ => "write it in the topology that uses the module",
                };
                let message = format!("{} block stands in no module", hints::with_article(keyword));
                Diagnostic::error("not_in_a_module", message)
                    .at(&program.origin(block.head), "in a module's folder")
                    .help(help)
            })
            .collect();
        findings
            .into_iter()
            .for_each(|finding| self.problem(finding));
    }

    /// Sorts the managed blocks. Of those of one name the first in the files counts, and the others
    /// are looked at as it is.
    fn sort(&mut self) {
        let mut things = std::mem::take(&mut self.program.things);
        things.sort_unstable_by(|a, b| {
            let (first, second) = (a.block.head, b.block.head);
            (a.noun, &a.name, first).cmp(&(b.noun, &b.name, second))
        });
        for (at, thing) in things.iter().enumerate() {
            let index = self.program.index.entry(thing.noun).or_default();
            let first = *index.entry(thing.name.clone()).or_insert(at);
            if first != at
                && let Some(label) = thing.block.labels.first()
            {
                let keyword = thing.schema().keyword;
                self.duplicate(label, things[first].block.labels.first(), keyword);
            }
        }
        self.program.things = things;
    }

    pub(super) fn problem(&mut self, diagnostic: Diagnostic) {
        if self.program.problems.len() < MAX_PROBLEMS {
            self.program.problems.push(diagnostic);
        }
    }

    fn file(&mut self, body: Body) {
        for attribute in body.attributes {
            let origin = self.program.origin(attribute.name.span);
            let name = &attribute.name.text;
            self.problem(
                Diagnostic::error(
                    "unknown_attribute",
                    format!("`{name}` stands outside every block"),
                )
                .at(&origin, "a file holds blocks only")
                .help(format!(
                    "for a value of your own write `locals {{ {name} = … }}`"
                )),
            );
        }
        for block in body.blocks {
            let keyword = &block.keyword;
            match schema::FILE.iter().find(|s| s.keyword == &*keyword.text) {
                Some(schema) => self.top_level(schema, block),
                None => self.unknown_block(keyword, &schema::FILE, None),
            }
        }
    }

    fn top_level(&mut self, schema: &'static BlockSchema, block: Block) {
        self.shape(schema, &block);
        if schema.keyword == "locals" {
            for attribute in block.body.attributes {
                self.local(attribute);
            }
            return;
        }
        if schema.keyword == "moved" {
            self.program.moved.push(block);
            return;
        }
        if schema.keyword == "removed" {
            self.program.removed.push(block);
            return;
        }
        let Some(label) = block.labels.first().cloned() else {
            return;
        };
        let Some(name) = self.name(schema, &label) else {
            return;
        };
        if let Some(noun) = Noun::parse(schema.keyword) {
            let thing = Thing::new(noun, name, block, &self.program.files);
            self.program.things.push(thing);
            return;
        }
        self.declare(schema, &label, name, block);
    }

    fn declare(&mut self, schema: &BlockSchema, label: &Ident, name: Name, block: Block) {
        if let Some(wants) = ReachWants::of_keyword(schema.keyword) {
            self.reach(wants, label, name, block);
            return;
        }
        let program = &mut self.program;
        let text = label.text.clone();
        let first = match schema.keyword {
            "topology" => program.topology.clone(),
            "site" => program.sites.get(&name).cloned(),
            "budget" => program.budgets.get(&name).cloned(),
            "burst" => program.bursts.get(&name).cloned(),
            "check" => program.checks.get(&name).cloned(),
            "module" => program.modules.get(&name).cloned(),
            "variable" => program.variables.get(&text).cloned(),
            _ => program.outputs.get(&text).cloned(),
        };
        if let Some(first) = first {
            self.duplicate(label, first.labels.first(), schema.keyword);
            self.program.again.push(block);
            return;
        }
        match schema.keyword {
            "topology" => program.topology = Some(block),
            "site" => {
                program.sites.insert(name, block);
            }
            "budget" => {
                program.budgets.insert(name, block);
            }
            "burst" => {
                program.bursts.insert(name, block);
            }
            "check" => {
                program.checks.insert(name, block);
            }
            "module" => {
                program.modules.insert(name, block);
            }
            "variable" => {
                program.variables.insert(text, block);
            }
            _ => {
                program.outputs.insert(text, block);
            }
        }
    }

    fn reach(&mut self, wants: ReachWants, label: &Ident, name: Name, block: Block) {
        match self.program.reaches.entry((wants, name)) {
            Entry::Vacant(place) => {
                place.insert(block);
            }
            Entry::Occupied(first) => {
                let first = first.get().labels.first().cloned();
                self.duplicate(label, first.as_ref(), wants.keyword());
                self.program.again.push(block);
            }
        }
    }

    fn local(&mut self, attribute: Attribute) {
        let name = attribute.name.text.clone();
        match self.program.locals.get(&name) {
            Some(first) => {
                let first = first.name.clone();
                self.duplicate(&attribute.name, Some(&first), "local");
                self.program.locals_again.push(attribute);
            }
            None => {
                self.program.locals.insert(name, attribute);
            }
        }
    }

    pub(super) fn duplicate(&mut self, second: &Ident, first: Option<&Ident>, what: &str) {
        let here = self.program.origin(second.span);
        let there = first.map(|first| self.program.origin(first.span));
        let diagnostic = if what == "topology" {
            Diagnostic::error("duplicate_topology", "there is a second `topology` block")
                .at(&here, "the second")
                .at(there.as_ref(), "the first")
                .help("all files of a folder are one topology; keep one `topology` block")
        } else {
            let name = &second.text;
            Diagnostic::error(
                "duplicate_name",
                format!("the {what} `{name}` is declared twice"),
            )
            .at(&here, "declared again here")
            .at(there.as_ref(), "first declared here")
            .help("give one of them another name, or remove it")
        };
        self.problem(diagnostic);
    }

    fn name(&mut self, schema: &BlockSchema, label: &Ident) -> Option<Name> {
        let word = matches!(schema.keyword, "variable" | "output" | "module");
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let first = label.text.chars().next();
        if word
            && !(label.text.chars().all(good)
                && first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_'))
        {
            let origin = self.program.origin(label.span);
            self.problem(
                Diagnostic::error("bad_name", format!("`{}` is not a word", label.text))
                    .at(&origin, format!("not {}", schema.label.unwrap_or("a name")))
                    .help("use letters, digits, `_` and `-`, beginning with a letter"),
            );
            return None;
        }
        match Name::new(label.text.trim_start_matches('_')) {
            Ok(name) if word || label.text.starts_with(|c: char| c != '_') => Some(name),
            _ => {
                let origin = self.program.origin(label.span);
                self.problem(
                    Diagnostic::error("bad_name", not_a_name(&label.text))
                        .at(&origin, format!("not {}", schema.label.unwrap_or("a name")))
                        .help("use 1 to 63 letters, digits, `-`, `_` or `.`, beginning with a letter or digit"),
                );
                None
            }
        }
    }
}

/// The names that are set more than once: where first, and each time again.
pub(crate) fn twice(body: &Body) -> Vec<(&Ident, &Ident)> {
    let mut seen: BTreeMap<&str, &Ident> = BTreeMap::new();
    let names = body.attributes.iter().map(|attribute| &attribute.name);
    let again = names.filter_map(|name| match seen.entry(&name.text) {
        Entry::Occupied(first) => Some((*first.get(), name)),
        Entry::Vacant(place) => {
            place.insert(name);
            None
        }
    });
    again.collect()
}

fn not_a_name(text: &str) -> String {
    if text.is_empty() {
        "this name is empty".to_owned()
    } else {
        format!("`{text}` is not a name")
    }
}
