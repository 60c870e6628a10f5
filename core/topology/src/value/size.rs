//! How large a value is, known without going through it: lists and maps remember theirs.

use strat_model::TemplatePart;

use super::Value;

/// The most bytes of one value: those of its texts and long numbers, and [`ITEM_BYTES`] for each item
/// of a list or map. Values grow by `concat`, `join` and templates, twice as large with every local if
/// one likes.
pub(crate) const MAX_VALUE_BYTES: usize = 32 << 20;
/// What an item of a list or map counts for.
pub(crate) const ITEM_BYTES: usize = 32;

/// How large a value is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// The bytes of its texts and long numbers, and [`ITEM_BYTES`] for each item.
    pub(crate) bytes: usize,
    /// How many lists and maps stand in one another.
    pub(crate) levels: u32,
    /// Whether anything in it is sensitive.
    pub(crate) sensitive: bool,
    /// Whether anything in it is known only after apply.
    pub(crate) unknown: bool,
}

impl Size {
    /// An empty list or map.
    pub(super) const EMPTY: Self = Self {
        bytes: 0,
        levels: 1,
        sensitive: false,
        unknown: false,
    };

    /// A list or map of this size with one more item, and the bytes of its key.
    pub(super) fn with(self, key: usize, item: &Value) -> Self {
        let item = item.size();
        let bytes = item.bytes.saturating_add(ITEM_BYTES).saturating_add(key);
        Self {
            bytes: self.bytes.saturating_add(bytes),
            levels: self.levels.max(item.levels.saturating_add(1)),
            sensitive: self.sensitive || item.sensitive,
            unknown: self.unknown || item.unknown,
        }
    }

    /// The size of a list of some items.
    pub(super) fn of_items(items: &[Value]) -> Self {
        items
            .iter()
            .fold(Self::EMPTY, |size, item| size.with(0, item))
    }

    const fn of_bytes(bytes: usize) -> Self {
        Self {
            bytes,
            levels: 0,
            sensitive: false,
            unknown: false,
        }
    }
}

impl Value {
    /// How large it is.
    pub(crate) fn size(&self) -> Size {
        match self {
            Self::Null | Self::Bool(_) | Self::Ref(_) => Size::of_bytes(0),
            Self::Number(number) => Size::of_bytes(number.weight()),
            Self::String(text) => Size::of_bytes(text.len()),
            Self::List(items) => items.size(),
            Self::Map(items) => items.size(),
            Self::Sensitive(inner) => Size {
                sensitive: true,
                ..inner.size()
            },
            Self::Unknown(unknown) => Size {
                unknown: true,
                ..Size::of_bytes(unknown.bytes)
            },
        }
    }

    /// What it takes beside the items that it shares with the values it was made of.
    pub(crate) fn own_bytes(&self) -> usize {
        match self {
            Self::List(items) => items.len().saturating_mul(ITEM_BYTES),
            // A map's items take more room than a list's, beside their keys.
            Self::Map(items) => items.len().saturating_mul(3 * ITEM_BYTES),
            Self::Sensitive(inner) => inner.own_bytes(),
            other => other.size().bytes,
        }
    }
}

/// What a piece of a text with places counts for.
pub(crate) const fn part_bytes(part: &TemplatePart) -> usize {
    match part {
        TemplatePart::Text(text) => text.len() + ITEM_BYTES,
        TemplatePart::Attribute { .. } => 4 * ITEM_BYTES,
    }
}
