//! What the schema of a block is made of.

use super::whole::LOOKUP;
use crate::ast::Block;
use crate::hints;
use crate::report::nearest;

/// An attribute that a block may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttributeSchema {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
}

/// A block that a file or another block may have.
#[derive(Debug)]
pub(crate) struct BlockSchema {
    pub(crate) keyword: &'static str,
    /// What the label names; `None` for a block without one.
    pub(crate) label: Option<&'static str>,
    /// Whether the block may stand only once in its parent.
    pub(crate) single: bool,
    pub(crate) attributes: &'static [AttributeSchema],
    pub(crate) blocks: &'static [&'static BlockSchema],
    /// Whether attributes not listed are taken as they are.
    pub(crate) open: bool,
    /// What the thing has only after an apply: one value each.
    pub(crate) later: &'static [&'static str],
    /// What the thing has only after an apply: a list over all its sites.
    pub(crate) later_lists: &'static [&'static str],
}

pub(super) const fn required(name: &'static str) -> AttributeSchema {
    AttributeSchema {
        name,
        required: true,
    }
}

pub(super) const fn optional(name: &'static str) -> AttributeSchema {
    AttributeSchema {
        name,
        required: false,
    }
}

pub(super) const fn block(
    keyword: &'static str,
    label: Option<&'static str>,
    attributes: &'static [AttributeSchema],
    blocks: &'static [&'static BlockSchema],
) -> BlockSchema {
    BlockSchema {
        keyword,
        label,
        single: false,
        attributes,
        blocks,
        open: false,
        later: &[],
        later_lists: &[],
    }
}

impl BlockSchema {
    /// Whether such a block may stand for a thing that others own.
    pub(crate) fn may_look_up(&self) -> bool {
        self.blocks
            .iter()
            .any(|nested| nested.keyword == LOOKUP.keyword)
    }

    /// The attribute of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'static AttributeSchema> {
        self.attributes.iter().find(|a| a.name == name)
    }

    /// Whether an unknown attribute of `block` is probably meant to be `name`: then that is what
    /// is told, and not that `name` is missing.
    pub(crate) fn misspelt(&self, block: &Block, name: &str) -> bool {
        let known = || self.attributes.iter().map(|a| a.name);
        !self.open
            && block.body.attributes.iter().any(|a| {
                self.attribute(&a.name.text).is_none()
                    && (nearest(&a.name.text, known()) == Some(name)
                        || hints::foreign_attribute(self.keyword, &a.name.text)
                            .is_some_and(|help| help.contains(&format!("`{name}"))))
            })
    }
}
