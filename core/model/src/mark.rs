//! Ownership marks: how a real thing says whose it is.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Addr, Field, Lineage, Owner, ResourceId, Shared, Token};

/// A SHA-256 digest as 64 hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::finish(Sha256::new_with_prefix(bytes))
    }

    /// The digest of a list of strings; the borders between them count.
    #[must_use]
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self::finish(hasher)
    }

    /// The digest of a value's JSON form. Maps must be sorted for it to be stable.
    ///
    /// # Panics
    /// If the value has no JSON form; every type of this crate has one.
    #[must_use]
    pub fn of_json(value: &impl Serialize) -> Self {
        Self::of(&serde_json::to_vec(value).expect("the model's types have a JSON form"))
    }

    fn finish(hasher: Sha256) -> Self {
        const DIGITS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
        ];
        let mut text = String::with_capacity(64);
        for byte in hasher.finalize() {
            text.push(DIGITS[usize::from(byte >> 4)]);
            text.push(DIGITS[usize::from(byte & 15)]);
        }
        Self(text)
    }

    /// All 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 16 hex digits: what marks carry, where room is scarce.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..16]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

/// What made a thing ours: the second half of what [`Witness`](crate::Witness) compares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkOrigin {
    /// The creating call with this token made it.
    Made(Token),
    /// It was there before, and was adopted: the id that it had then.
    Adopted(ResourceId),
}

impl MarkOrigin {
    const ADOPTED: &'static str = "self=";

    /// Reads one back from a tag's value.
    fn parse(text: &str) -> Self {
        match text.strip_prefix(Self::ADOPTED) {
            Some(id) => Self::Adopted(ResourceId::from(id)),
            None => Self::Made(Token::from_mark(text)),
        }
    }
}

impl fmt::Display for MarkOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(token) => write!(f, "{token}"),
            Self::Adopted(id) => write!(f, "{}{id}", Self::ADOPTED),
        }
    }
}

/// The mark that every created thing carries from the creating call on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Whose it is.
    pub owner: Owner,
    /// Which thing of the topology it is.
    pub addr: Addr,
    /// The first 16 hex digits of the digest of the spec it was last brought to.
    pub spec: String,
    /// Counts replacements of one address, from 1.
    pub generation: u64,
    /// The call that made it, or that it was adopted; `None` in marks of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<MarkOrigin>,
    /// Whether deleting it is refused. It lives here so that a lost or edited file lifts nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protect: bool,
    /// Whether what it holds may go without being agreed to by name. It counts only from here: an
    /// edited file alone gives nothing up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disposable: bool,
    /// What cannot be read back, by field: a short digest, or a harmless name (the image's).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: Shared<BTreeMap<Field, String>>,
}

impl Mark {
    /// The prefix of every tag or label key.
    pub const PREFIX: &'static str = "stratiform";

    /// Whether what has it was there before and was adopted: nobody noted how it was made.
    #[must_use]
    pub const fn is_adopted(&self) -> bool {
        matches!(self.origin, Some(MarkOrigin::Adopted(_)))
    }

    /// The mark as tags, for clouds that have them:
    /// `stratiform:owner`, `:addr`, `:spec`, `:generation`; `:lineage`, `:origin`, `:protect` and
    /// `:disposable`
    /// where they are set, and `:note-<field>` for each note.
    #[must_use]
    pub fn to_tags(&self) -> BTreeMap<String, String> {
        let key = |word: &str| format!("{}:{word}", Self::PREFIX);
        let mut tags = BTreeMap::from([
            (key("owner"), self.owner.named().to_string()),
            (key("addr"), self.addr.to_string()),
            (key("spec"), self.spec.clone()),
            (key("generation"), self.generation.to_string()),
        ]);
        let lineage = self.owner.lineage.as_ref();
        tags.extend(lineage.map(|lineage| (key("lineage"), lineage.to_string())));
        let origin = self.origin.as_ref();
        tags.extend(origin.map(|origin| (key("origin"), origin.to_string())));
        if self.protect {
            tags.insert(key("protect"), "true".to_owned());
        }
        if self.disposable {
            tags.insert(key("disposable"), "true".to_owned());
        }
        for (field, note) in &self.notes {
            tags.insert(key(&format!("note-{field}")), note.clone());
        }
        tags
    }

    /// Reads a mark back from tags; `None` where there is none or it is damaged.
    #[must_use]
    pub fn from_tags<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let (mut owner, mut addr, mut spec, mut generation) = (None, None, None, None);
        let (mut lineage, mut origin) = (None, None);
        let (mut protect, mut disposable) = (false, false);
        let mut notes: Shared<BTreeMap<_, _>> = Shared::new();
        for (key, value) in tags {
            let Some(word) = key
                .strip_prefix(Self::PREFIX)
                .and_then(|k| k.strip_prefix(':'))
            else {
                continue;
            };
            match word {
                "owner" => owner = value.parse::<Owner>().ok(),
                "lineage" => lineage = Some(value),
                "origin" => origin = Some(MarkOrigin::parse(value)),
                "addr" => addr = value.parse().ok(),
                "spec" => spec = Some(value.to_owned()),
                "generation" => generation = value.parse().ok(),
                "protect" => protect = value == "true",
                "disposable" => disposable = value == "true",
                _ => {
                    if let Some(field) = word.strip_prefix("note-").and_then(Field::parse) {
                        notes.insert(field, value.to_owned());
                    }
                }
            }
        }
        let owner = owner?;
        Some(Self {
            owner: Owner {
                // A damaged lineage is no lineage of ours: the mark is damaged.
                lineage: lineage.map(Lineage::new).transpose().ok()?,
                ..owner
            },
            addr: addr?,
            spec: spec?,
            generation: generation?,
            origin,
            protect,
            disposable,
            notes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_survives_tags() {
        let mark = Mark {
            owner: "bank/shop:0a1b2c3d4e5f6g7h".parse().expect("owner"),
            addr: "machine.db[\"primary\"]@dc1".parse().expect("addr"),
            spec: Digest::of(b"x").short().to_owned(),
            generation: 3,
            origin: Some(MarkOrigin::Adopted(ResourceId::from("i-1"))),
            protect: true,
            disposable: true,
            notes: Shared::from([(Field::UserData, "abc".to_owned())]),
        };
        let tags = mark.to_tags();
        let read = Mark::from_tags(tags.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        assert_eq!(read, Some(mark));
        let without = tags.iter().filter(|(k, _)| !k.ends_with("addr"));
        assert_eq!(
            Mark::from_tags(without.map(|(k, v)| (k.as_str(), v.as_str()))),
            None
        );
    }
}
