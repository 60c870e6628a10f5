//! The shape of every block, held against its schema.

use std::collections::BTreeMap;

use strat_model::Diagnostic;

use super::collect::{Collector, twice};
use crate::ast::{Block, Ident};
use crate::hints;
use crate::report::{nearest, suggest};
use crate::schema::BlockSchema;

impl Collector {
    /// Checks a block against its schema: labels, attributes, nested blocks.
    pub(super) fn shape(&mut self, schema: &'static BlockSchema, block: &Block) {
        self.labels(schema, block);
        if !schema.open {
            self.known_attributes(schema, block);
        }
        // A local is told of by its name, which may be in another block.
        if schema.keyword != "locals" {
            self.unique_attributes(block);
        }
        let looks_up = schema.may_look_up() && block.body.blocks("lookup").next().is_some();
        if looks_up {
            self.only_looked_up(schema, block);
        }
        let required = schema.attributes.iter().filter(|a| a.required && !looks_up);
        for required in required {
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

    /// Of what others own nothing is set: there is nothing else in its block but what says how many there
    /// are, and what must hold.
    fn only_looked_up(&mut self, schema: &'static BlockSchema, block: &Block) {
        let keyword = schema.keyword;
        let attributes = block
            .body
            .attributes
            .iter()
            .map(|attribute| &attribute.name);
        let attributes = attributes.filter(|name| !matches!(&*name.text, "count" | "for_each"));
        let nested = block.body.blocks.iter().map(|nested| &nested.keyword);
        let known = ["lookup", "precondition", "postcondition"];
        let nested = nested.filter(|word| !known.contains(&&*word.text));
        for word in attributes.chain(nested) {
            let finding = Diagnostic::error(
                "lookup_is_read_only",
                format!(
                    "this `{keyword}` is looked up, so `{}` cannot be set: it is others'",
                    word.text
                ),
            );
            let finding = finding.at(&self.program.origin(word.span), "not the topology's to say");
            self.problem(finding.help(format!(
                "take it out; or take the `lookup` out, for {} of the topology's own",
                hints::with_article(keyword).replace('`', "")
            )));
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

    pub(super) fn unknown_block(
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
