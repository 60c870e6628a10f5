//! From the bodies of the files to a [`Program`], with the shape of every block checked.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use strat_model::{Diagnostic, Name, Noun};

use super::{Program, Thing};
use crate::ast::{Attribute, Block, Body, Ident};
use crate::hints;
use crate::report::{nearest, suggest};
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

struct Collector {
    program: Program,
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

    fn problem(&mut self, diagnostic: Diagnostic) {
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

    fn duplicate(&mut self, second: &Ident, first: Option<&Ident>, what: &str) {
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

    /// Checks a block against its schema: labels, attributes, nested blocks.
    fn shape(&mut self, schema: &'static BlockSchema, block: &Block) {
        self.labels(schema, block);
        if !schema.open {
            self.known_attributes(schema, block);
        }
        // A local is told of by its name, which may be in another block.
        if schema.keyword != "locals" {
            self.unique_attributes(block);
        }
        for required in schema.attributes.iter().filter(|a| a.required) {
            let missing = block.body.attribute(required.name).is_none();
            if missing && !schema.misspelt(block, required.name) {
                let origin = self.program.origin(block.head);
                let (keyword, name) = (schema.keyword, required.name);
                let mut finding = Diagnostic::error(
                    "missing_attribute",
                    format!("this `{keyword}` block has no `{name}`"),
                )
                .at(&origin, format!("needs `{name}`"));
                if let Some(example) = hints::example(keyword, name) {
                    finding = finding.help(format!("add `{example}`"));
                }
                self.problem(finding);
            }
        }
        let mut first: BTreeMap<(&str, &str), &Block> = BTreeMap::new();
        for nested in &block.body.blocks {
            let keyword = &nested.keyword;
            let Some(known) = schema.blocks.iter().find(|s| s.keyword == &*keyword.text) else {
                self.unknown_block(keyword, schema.blocks, Some(schema));
                continue;
            };
            self.shape(known, nested);
            if known.keyword == "dynamic" {
                self.dynamic(schema, nested);
            }
            let label = nested.labels.first().map_or("", |l| &*l.text);
            let once = known.single || known.label.is_some();
            if let Some(earlier) = first
                .insert((known.keyword, label), nested)
                .filter(|_| once)
            {
                let word = |b: &Block| b.labels.first().unwrap_or(&b.keyword).clone();
                self.duplicate(&word(nested), Some(&word(earlier)), known.keyword);
            }
        }
    }

    /// What a `dynamic` block stands for is a block that may be repeated, and its content is one.
    fn dynamic(&mut self, parent: &'static BlockSchema, block: &Block) {
        let Some(label) = block.labels.first() else {
            return;
        };
        let repeated = |schema: &&&BlockSchema| !schema.single && is_repeatable(schema.keyword);
        let known = parent.blocks.iter().filter(repeated);
        let Some(schema) = known.clone().find(|s| s.keyword == &*label.text) else {
            let origin = self.program.origin(label.span);
            let keyword = &label.text;
            let mut finding = Diagnostic::error(
                "unknown_block",
                format!("`dynamic` repeats no `{keyword}` here"),
            )
            .at(&origin, "not a block that is repeated");
            finding.help = suggest(keyword, "it repeats", known.map(|s| s.keyword));
            self.problem(finding);
            return;
        };
        for content in block.body.blocks("content") {
            let named = Block {
                labels: match schema.label {
                    Some(_) => vec![label.clone()],
                    None => Vec::new(),
                },
                ..content.clone()
            };
            self.shape(schema, &named);
        }
    }

    fn labels(&mut self, schema: &BlockSchema, block: &Block) {
        let keyword = schema.keyword;
        match (schema.label, block.labels.as_slice()) {
            (None, []) | (Some(_), [_]) => {}
            (Some(what), []) => {
                let origin = self.program.origin(block.head);
                self.problem(
                    Diagnostic::error("missing_label", format!("this `{keyword}` has no name"))
                        .at(&origin, format!("{what} is missing"))
                        .help(format!("write `{keyword} \"name\" {{ … }}`")),
                );
            }
            (Some(_), [_, more, ..]) | (None, [more, ..]) => {
                let origin = self.program.origin(more.span);
                let takes = if schema.label.is_some() {
                    "one name"
                } else {
                    "no name"
                };
                self.problem(
                    Diagnostic::error(
                        "extra_label",
                        format!("{} block takes {takes}", hints::with_article(keyword)),
                    )
                    .at(&origin, "one too many")
                    .help("remove it"),
                );
            }
        }
    }

    fn known_attributes(&mut self, schema: &'static BlockSchema, block: &Block) {
        for attribute in &block.body.attributes {
            let name = &*attribute.name.text;
            if schema.attribute(name).is_some() {
                continue;
            }
            let origin = self.program.origin(attribute.name.span);
            let known = schema.attributes.iter().map(|a| a.name);
            let help = if schema.blocks.iter().any(|b| b.keyword == name) {
                Some(format!(
                    "`{name}` is a block: write `{name} {{ … }}`, without `=`"
                ))
            } else if let Some(help) = hints::foreign_attribute(schema.keyword, name) {
                Some(help.to_owned())
            } else {
                suggest(name, "it takes", known)
            };
            let mut finding = Diagnostic::error(
                "unknown_attribute",
                format!(
                    "{} block has no attribute `{name}`",
                    hints::with_article(schema.keyword)
                ),
            )
            .at(&origin, "not known here");
            finding.help = help;
            self.problem(finding);
        }
    }

    fn unique_attributes(&mut self, block: &Block) {
        for (first, second) in twice(&block.body) {
            let (here, there) = (
                self.program.origin(second.span),
                self.program.origin(first.span),
            );
            self.problem(
                Diagnostic::error(
                    "duplicate_attribute",
                    format!("`{}` is set twice", second.text),
                )
                .at(&here, "set again here")
                .at(&there, "first set here")
                .help("remove one of the two"),
            );
        }
    }

    fn unknown_block(
        &mut self,
        keyword: &Ident,
        known: &[&'static BlockSchema],
        parent: Option<&BlockSchema>,
    ) {
        let word = &*keyword.text;
        let origin = self.program.origin(keyword.span);
        let message = match parent {
            Some(parent) => {
                let parent = hints::with_article(parent.keyword);
                format!("{parent} block has no `{word}` block")
            }
            None => format!("there is no block `{word}`"),
        };
        let names = known.iter().map(|s| s.keyword);
        let is_attribute = parent.is_some_and(|p| p.attribute(word).is_some());
        let help = if is_attribute {
            Some(format!(
                "`{word}` is an attribute: write `{word} = {{ … }}`"
            ))
        } else if nearest(word, names.clone()).is_some() {
            suggest(word, "", names)
        } else if parent.is_some() {
            hints::foreign_nested(word)
                .map(str::to_owned)
                .or_else(|| suggest(word, "it takes", names))
        } else {
            hints::foreign(word)
                .map(str::to_owned)
                .or_else(|| suggest(word, "there are", names))
        };
        let mut finding =
            Diagnostic::error("unknown_block", message).at(&origin, "not a kind of block");
        finding.help = help;
        self.problem(finding);
    }
}

/// Whether a nested block is one of a list, which says what a thing has.
fn is_repeatable(keyword: &str) -> bool {
    matches!(keyword, "disk" | "ingress" | "egress")
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
