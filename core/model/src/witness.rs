//! Whether a mark tells the truth.

use serde::{Deserialize, Serialize};

use crate::{Mark, MarkOrigin, ResourceId};

/// Whether something that a copied or forged mark cannot have says that a thing is what its mark
/// says.
///
/// A provider says it for what it reports, from what the same read shows; where the mark is, it never
/// looks. What no feature of its cloud copies together with its marks is [`Witness::Held`] by being
/// marked at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// Something else says so too.
    Held,
    /// Nothing does: it is not marked, or by an older version.
    #[default]
    Lacking,
    /// Something says otherwise: the thing is a copy, or its mark is.
    Refuted {
        /// What, for people: `the launch that made it is another than its mark says`.
        why: String,
    },
}

impl Witness {
    /// Whether something else says so too.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        matches!(self, Self::Held)
    }

    /// Of a thing whose cloud remembers the token of the call that made it; `seen` is that token.
    #[must_use]
    pub fn by_token(mark: Option<&Mark>, id: &ResourceId, seen: Option<&str>) -> Self {
        Self::judge(mark, id, |token| {
            if seen == Some(token) {
                return Self::Held;
            }
            let why = "the call that made it is not the one that its mark names".to_owned();
            Self::Refuted { why }
        })
    }

    /// Of a thing whose cloud has no feature that copies a mark from one thing of the kind to another,
    /// or gives it an id that nothing else can have. A mark of whatever age holds, but an adopted
    /// thing's must name the thing.
    #[must_use]
    pub fn by_mark(mark: Option<&Mark>, id: &ResourceId) -> Self {
        match mark.and_then(|mark| mark.origin.as_ref()) {
            None if mark.is_some() => Self::Held,
            _ => Self::judge(mark, id, |_| Self::Held),
        }
    }

    /// What an adopted thing's mark says of itself, and for a made one what `made` finds out about its
    /// token.
    #[must_use]
    pub fn judge(mark: Option<&Mark>, id: &ResourceId, made: impl FnOnce(&str) -> Self) -> Self {
        match mark.and_then(|mark| mark.origin.as_ref()) {
            None => Self::Lacking,
            Some(MarkOrigin::Made(token)) => made(token.as_str()),
            Some(MarkOrigin::Adopted(of)) if of == id => Self::Held,
            Some(MarkOrigin::Adopted(of)) => Self::Refuted {
                why: format!("its mark was written for {of}"),
            },
        }
    }
}
