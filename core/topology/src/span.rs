//! Places in source files, small enough to sit on every node of the tree.

use std::sync::Arc;

use strat_model::Origin;

/// A range of bytes in one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    /// Index into [`Files`].
    pub(crate) file: u32,
    /// The first byte.
    pub(crate) start: u32,
    /// One past the last byte.
    pub(crate) end: u32,
}

impl Span {
    /// From the start of `self` to the end of `other`, which is in the same file.
    pub(crate) fn to(self, other: Self) -> Self {
        Self {
            end: other.end.max(self.end),
            ..self
        }
    }
}

/// The names of the files that spans speak of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    names: Vec<Arc<str>>,
}

impl Files {
    /// Adds a file and gives its index.
    pub(crate) fn add(&mut self, name: Arc<str>) -> u32 {
        self.names.push(name);
        u32::try_from(self.names.len() - 1).unwrap_or(u32::MAX)
    }

    /// The name of the file of `span`.
    pub(crate) fn name(&self, span: Span) -> Arc<str> {
        self.names
            .get(span.file as usize)
            .cloned()
            .unwrap_or_default()
    }

    /// `span` as the model has it.
    pub(crate) fn origin(&self, span: Span) -> Origin {
        Origin {
            file: self.name(span),
            start: span.start,
            end: span.end,
        }
    }
}
