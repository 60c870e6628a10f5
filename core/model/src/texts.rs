//! A few texts by name.

use std::fmt;
use std::ops::{Deref, DerefMut, Index};

use litemap::LiteMap;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::Shared;

/// A few texts by name, sorted: a thing's labels, say.
///
/// They are one list. A node of a B-tree has room for eleven, which most things do not need, and
/// there may be a hundred thousand things.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Texts(LiteMap<String, String>);

impl Texts {
    /// None yet, with room for so many.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(LiteMap::with_capacity(capacity))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Deref for Texts {
    type Target = LiteMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Texts {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// Panics if there is none of that name.
impl Index<&str> for Texts {
    type Output = String;

    fn index(&self, name: &str) -> &String {
        self.0.get(name).expect("a text of that name")
    }
}

impl<const N: usize> From<[(String, String); N]> for Shared<Texts> {
    fn from(items: [(String, String); N]) -> Self {
        items.into_iter().collect()
    }
}

impl FromIterator<(String, String)> for Texts {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl IntoIterator for Texts {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Texts {
    type Item = (&'a String, &'a String);
    type IntoIter = <&'a LiteMap<String, String> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (&self.0).into_iter()
    }
}

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("texts by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
        let mut texts = Texts::default();
        while let Some((name, text)) = map.next_entry()? {
            texts.insert(name, text);
        }
        Ok(texts)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Texts {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        std::collections::BTreeMap::<String, String>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_sorted_and_each_name_is_there_once() {
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let mut texts: Texts = [
            pair("role", "web"),
            pair("env", "test"),
            pair("env", "prod"),
        ]
        .into_iter()
        .collect();
        texts.extend([pair("zone", "a"), pair("role", "db")]);
        let json = serde_json::to_string(&texts).expect("json");
        assert_eq!(json, r#"{"env":"prod","role":"db","zone":"a"}"#);
        assert_eq!(serde_json::from_str::<Texts>(&json).expect("texts"), texts);
        assert_eq!(
            serde_json::to_string(&Texts::default()).expect("json"),
            "{}"
        );
        assert_eq!(
            serde_json::from_str::<Texts>("{}").expect("none"),
            Texts::default()
        );
        assert!(serde_json::from_str::<Texts>("[]").is_err());
        // As anybody may have written it.
        let mixed = r#"{"zone":"a","role":"web","env":"prod","role":"db"}"#;
        assert_eq!(serde_json::from_str::<Texts>(mixed).expect("texts"), texts);
    }
}
