//! What may stand in a block, for people who write one.

use strat_model::Noun;

use crate::json_schema::{Shape, attribute_words, block_words};
use crate::program::ROOTS;
use crate::schema::{AttributeSchema, BlockSchema, FILE};

/// A kind of block.
#[derive(Debug, Clone, Copy)]
pub struct BlockDoc {
    schema: &'static BlockSchema,
}

/// An attribute of a kind of block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeDoc {
    /// Its name.
    pub name: &'static str,
    /// Whether the block needs it.
    pub required: bool,
    /// What it is, in one sentence, with its default.
    pub doc: &'static str,
    /// What it takes, in words: `a size such as "16GiB"`.
    pub takes: String,
    /// The words that it may be, which stand in quotes in a topology.
    pub words: &'static [&'static str],
    /// Whether it is `true` or `false`.
    pub is_bool: bool,
    /// The first words of the references that it is meant for, such as `subnet`.
    pub refers_to: &'static [&'static str],
}

/// The words that begin a reference: `var`, `site`, `machine` and the like.
pub fn roots() -> impl Iterator<Item = &'static str> {
    ROOTS.into_iter().chain(Noun::ALL.map(Noun::as_str))
}

impl BlockDoc {
    /// The blocks that a file may have.
    pub fn of_file() -> impl Iterator<Item = Self> {
        FILE.into_iter().map(|schema| Self { schema })
    }

    /// The block behind a path of keywords and first labels, from the outermost block inwards.
    /// `content` of a `dynamic` block is the block that its label names.
    #[must_use]
    pub fn at<'p>(path: impl IntoIterator<Item = (&'p str, Option<&'p str>)>) -> Option<Self> {
        let mut way: Vec<(Self, Option<&str>)> = Vec::new();
        for (keyword, label) in path {
            let next = match (keyword, way.as_slice()) {
                (_, []) => Self::of_file().find(|block| block.keyword() == keyword),
                ("content", [.., (parent, _), (dynamic, Some(repeated))])
                    if dynamic.keyword() == "dynamic" =>
                {
                    parent.block(repeated)
                }
                (_, [.., (parent, _)]) => parent.block(keyword),
            };
            way.push((next?, label));
        }
        way.pop().map(|(block, _)| block)
    }

    /// Its keyword.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        self.schema.keyword
    }

    /// What its label names, where it has one.
    #[must_use]
    pub const fn label(self) -> Option<&'static str> {
        self.schema.label
    }

    /// What it is, in one sentence.
    #[must_use]
    pub fn doc(self) -> &'static str {
        block_words(self.schema.keyword)
    }

    /// Whether its parent has at most one.
    #[must_use]
    pub const fn is_single(self) -> bool {
        self.schema.single
    }

    /// The attributes that it may have.
    pub fn attributes(self) -> impl Iterator<Item = AttributeDoc> {
        let attributes = self.schema.attributes.iter();
        attributes.map(move |attribute| self.document(attribute))
    }

    /// The attribute of that name.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<AttributeDoc> {
        let attribute = self.schema.attribute(name)?;
        Some(self.document(attribute))
    }

    /// The blocks that may stand in it.
    pub fn blocks(self) -> impl Iterator<Item = Self> {
        self.schema.blocks.iter().map(|schema| Self { schema })
    }

    /// The block of that keyword that may stand in it.
    #[must_use]
    pub fn block(self, keyword: &str) -> Option<Self> {
        self.blocks().find(|block| block.keyword() == keyword)
    }

    /// What a thing of that block has only after an apply: `id`, `private_ip` and the like.
    pub fn known_after_apply(self) -> impl Iterator<Item = &'static str> {
        let (one, lists) = (self.schema.later, self.schema.later_lists);
        one.iter().chain(lists).copied()
    }

    fn document(self, attribute: &'static AttributeSchema) -> AttributeDoc {
        let (shape, doc) = attribute_words(self.schema.keyword, attribute.name).unzip();
        AttributeDoc {
            name: attribute.name,
            required: attribute.required,
            doc: doc.unwrap_or_default(),
            takes: shape.map(Shape::in_words).unwrap_or_default(),
            words: shape.map_or(&[], Shape::words),
            is_bool: shape.is_some_and(Shape::is_bool),
            refers_to: shape.map_or(&[], Shape::refers_to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_says_what_it_takes() {
        let mut open: Vec<BlockDoc> = BlockDoc::of_file().collect();
        let mut count = 0;
        while let Some(block) = open.pop() {
            open.extend(block.blocks());
            for attribute in block.attributes() {
                let name = format!("{}.{}", block.keyword(), attribute.name);
                assert!(!attribute.doc.is_empty(), "{name}");
                assert!(!attribute.takes.is_empty(), "{name}");
                count += 1;
            }
        }
        assert!(count > 150, "only {count} attributes were found");
    }

    #[test]
    fn a_path_leads_to_the_block_that_a_dynamic_one_repeats() {
        let path = [
            ("machine", Some("db")),
            ("dynamic", Some("disk")),
            ("content", None),
        ];
        assert_eq!(BlockDoc::at(path).expect("a block").keyword(), "disk");
        assert!(BlockDoc::at([("machine", None), ("ingress", None)]).is_none());
        assert!(BlockDoc::at([]).is_none());
    }

    #[test]
    fn attributes_know_their_words_and_references() {
        let machine = BlockDoc::at([("machine", None)]).expect("a block");
        let attribute = |name| machine.attribute(name).expect("an attribute");
        assert_eq!(attribute("subnet").refers_to, ["subnet"]);
        assert_eq!(
            attribute("arch").words,
            ["x86_64", "aarch64", "amd64", "arm64"]
        );
        assert!(attribute("protect").is_bool);
    }
}
