//! Lists, tuples, sets, maps and objects.
//!
//! A literal is a tuple or an object: its items may be of any types. A list, set or map, which a
//! conversion or function makes, has items of one type. They compare by what they hold; only a set
//! is never a list.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use super::size::Size;
use super::{Value, order};

/// What a sequence of items is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sequence {
    /// Items of any types.
    Tuple,
    /// Items of one type.
    List,
    /// Items of one type, sorted, each once, without indices.
    Set,
}

/// A list, tuple or set.
#[derive(Debug, Clone)]
pub(crate) struct Items {
    kind: Sequence,
    size: Size,
    items: Vec<Value>,
}

impl Items {
    pub(crate) fn new(kind: Sequence, items: Vec<Value>) -> Self {
        let size = Size::of_items(&items);
        Self { kind, size, items }
    }

    /// A set of some items.
    pub(crate) fn set(mut items: Vec<Value>) -> Self {
        items.sort_by(order);
        items.dedup();
        Self::new(Sequence::Set, items)
    }

    pub(crate) const fn kind(&self) -> Sequence {
        self.kind
    }

    pub(crate) fn is_set(&self) -> bool {
        self.kind == Sequence::Set
    }

    pub(super) const fn size(&self) -> Size {
        self.size
    }
}

impl Deref for Items {
    type Target = Vec<Value>;

    fn deref(&self) -> &Vec<Value> {
        &self.items
    }
}

impl PartialEq for Items {
    fn eq(&self, other: &Self) -> bool {
        self.is_set() == other.is_set() && self.items == other.items
    }
}

impl FromIterator<Value> for Items {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::new(Sequence::Tuple, items.into_iter().collect())
    }
}

/// A map or object, sorted by its keys.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    /// Whether its values are of one type.
    uniform: bool,
    size: Size,
    items: BTreeMap<Arc<str>, Value>,
}

impl Map {
    /// A map of some items, whose values may be of any types.
    pub(crate) fn new(items: BTreeMap<Arc<str>, Value>) -> Self {
        let with = |size: Size, (key, item): (&Arc<str>, &Value)| size.with(key.len(), item);
        Self {
            uniform: false,
            size: items.iter().fold(Size::EMPTY, with),
            items,
        }
    }

    /// The same as a map: its values are of one type.
    pub(crate) fn uniform(self) -> Self {
        Self {
            uniform: true,
            ..self
        }
    }

    /// Whether it is a map, whose values are of one type, and no object.
    pub(crate) const fn is_uniform(&self) -> bool {
        self.uniform
    }

    pub(super) const fn size(&self) -> Size {
        self.size
    }

    pub(crate) fn into_items(self) -> BTreeMap<Arc<str>, Value> {
        self.items
    }
}

impl Deref for Map {
    type Target = BTreeMap<Arc<str>, Value>;

    fn deref(&self) -> &Self::Target {
        &self.items
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new(BTreeMap::new())
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

impl FromIterator<(Arc<str>, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(items: I) -> Self {
        Self::new(items.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Arc<str>, &'a Value);
    type IntoIter = std::collections::btree_map::Iter<'a, Arc<str>, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}
