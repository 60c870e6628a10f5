//! Values of expressions.

mod collection;
mod convert;
mod json;
mod number;
mod shortest;
mod size;

use std::fmt;
use std::sync::Arc;

use strat_model::{LocalAddr, Name, TemplatePart};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

pub use json::Json;

pub(crate) use collection::{Items, Map, Sequence};
pub(crate) use convert::{order, text_of};
pub(crate) use json::{to_json, to_plain_json, too_long_for_plain};
pub(crate) use number::{Number, TOO_LARGE};
pub(crate) use size::{ITEM_BYTES, MAX_VALUE_BYTES, Size, part_bytes};

/// The value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    String(Arc<str>),
    List(Arc<Items>),
    Map(Arc<Map>),
    /// A site or one instance of a block.
    Ref(Ref),
    /// Known only after apply.
    Unknown(Unknown),
    /// Not to be shown. Never nested directly in itself.
    Sensitive(Arc<Value>),
}

/// A reference to something declared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ref {
    /// A site.
    Site(Name),
    /// An instance of a block: the block's and the instance's index, and its address.
    Thing {
        block: usize,
        instance: usize,
        addr: Arc<LocalAddr>,
    },
}

/// A value that only an apply brings.
#[derive(Clone, PartialEq)]
pub(crate) struct Unknown {
    /// The reference that it comes from, as written.
    pub(crate) cause: Arc<str>,
    /// The text with its places, where the value is a text put together from such.
    pub(crate) parts: Option<Arc<Vec<TemplatePart>>>,
    /// What the parts count for: the sum of their [`part_bytes`].
    pub(crate) bytes: usize,
}

/// The cause alone: the text may hold secrets.
impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unknown({})", self.cause)
    }
}

impl Unknown {
    /// What becomes of an unknown value in any computation.
    pub(crate) fn opaque(&self) -> Value {
        Value::Unknown(Self {
            cause: self.cause.clone(),
            parts: None,
            bytes: 0,
        })
    }
}

/// A text in Unicode's normal form C.
pub(crate) fn normal(text: Arc<str>) -> Arc<str> {
    if text.is_ascii() || is_nfc(&text) {
        return text;
    }
    text.nfc().collect::<String>().into()
}

impl Value {
    /// A string.
    pub(crate) fn string(text: impl AsRef<str>) -> Self {
        Self::text(Arc::from(text.as_ref()))
    }

    /// A string, in Unicode's normal form C: texts that look the same are the same.
    pub(crate) fn text(text: Arc<str>) -> Self {
        Self::String(normal(text))
    }

    /// A list of items of any types.
    pub(crate) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(Arc::new(items.into_iter().collect()))
    }

    /// A list of items of one type.
    pub(crate) fn list_of_one_type(items: Vec<Self>) -> Self {
        Self::List(Arc::new(Items::new(Sequence::List, items)))
    }

    /// A set of items of one type.
    pub(crate) fn set(items: Vec<Self>) -> Self {
        Self::List(Arc::new(Items::set(items)))
    }

    /// A map.
    pub(crate) fn map(items: impl IntoIterator<Item = (Arc<str>, Self)>) -> Self {
        Self::Map(Arc::new(items.into_iter().collect()))
    }

    /// A whole number.
    pub(crate) fn int(number: impl Into<Number>) -> Self {
        Self::Number(number.into())
    }

    /// The value without its wrapper, and whether it had one.
    pub(crate) fn reveal(self) -> (Self, bool) {
        match self {
            Self::Sensitive(inner) => (Arc::unwrap_or_clone(inner), true),
            other => (other, false),
        }
    }

    /// This value, sensitive if `sensitive`.
    pub(crate) fn marked(self, sensitive: bool) -> Self {
        match self {
            Self::Sensitive(_) => self,
            other if sensitive => Self::Sensitive(Arc::new(other)),
            other => other,
        }
    }

    /// Whether this or anything in it is sensitive.
    pub(crate) fn is_sensitive(&self) -> bool {
        self.size().sensitive
    }

    /// This value with every wrapper in it taken off.
    pub(crate) fn revealed(self) -> Self {
        if !self.is_sensitive() {
            return self;
        }
        match self {
            Self::Sensitive(inner) => Arc::unwrap_or_clone(inner).revealed(),
            Self::List(items) => {
                let inner = items.iter().cloned().map(Self::revealed).collect();
                Self::List(Arc::new(match items.kind() {
                    // What was hidden may have been there twice.
                    Sequence::Set => Items::set(inner),
                    kind => Items::new(kind, inner),
                }))
            }
            Self::Map(items) => {
                let inner = items.iter().map(|(k, v)| (k.clone(), v.clone().revealed()));
                let map: Map = inner.collect();
                Self::Map(Arc::new(if items.is_uniform() {
                    map.uniform()
                } else {
                    map
                }))
            }
            other => other,
        }
    }

    /// The first unknown in it, if there is one.
    pub(crate) fn unknown(&self) -> Option<&Unknown> {
        if !self.size().unknown {
            return None;
        }
        match self {
            Self::Unknown(unknown) => Some(unknown),
            Self::Sensitive(inner) => inner.unknown(),
            Self::List(items) => items.iter().find_map(Self::unknown),
            Self::Map(items) => items.values().find_map(Self::unknown),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Ref(_) => None,
        }
    }

    /// What it is, for people: `a string`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(_) => "a bool".to_owned(),
            Self::Number(_) => "a number".to_owned(),
            Self::String(_) => "a string".to_owned(),
            Self::List(items) if items.is_set() => "a set".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
            Self::Ref(Ref::Site(name)) => format!("the site `{name}`"),
            Self::Ref(Ref::Thing { addr, .. }) => format!("`{addr}`"),
            Self::Unknown(_) => "a value known only after apply".to_owned(),
            Self::Sensitive(_) => "a sensitive value".to_owned(),
        }
    }
}
