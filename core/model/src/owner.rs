//! Whose a thing is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Name, NameError};

/// What sets a topology apart from every other of its name: a random word that is written into its
/// files once and never changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = crate::schema::LINEAGE)))]
#[serde(transparent)]
pub struct Lineage(String);

impl Lineage {
    /// The fewest and the most characters of one.
    const LENGTHS: std::ops::RangeInclusive<usize> = 8..=32;
    /// How many characters a new one has: 82 bits, so that no two are ever the same.
    const NEW: usize = 16;

    /// Checks `text`: 8 to 32 lower-case letters and digits.
    ///
    /// # Errors
    /// If it is no lineage.
    pub fn new(text: impl Into<String>) -> Result<Self, LineageError> {
        let text = text.into();
        let is_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if Self::LENGTHS.contains(&text.len()) && text.bytes().all(is_digit) {
            Ok(Self(text))
        } else {
            Err(LineageError(text))
        }
    }

    /// A new one from a source of random numbers: `draw(36)` gives one from 0 to 35.
    pub fn draw(mut draw: impl FnMut(u32) -> u32) -> Self {
        let digit = |_| char::from_digit(draw(36) % 36, 36).unwrap_or('0');
        Self((0..Self::NEW).map(digit).collect())
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for Lineage {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(text).map_err(serde::de::Error::custom)
    }
}

/// Why a string is no [`Lineage`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a lineage: it is 8 to 32 lower-case letters and digits")]
pub struct LineageError(String);

/// Why a string is no [`Owner`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnerError {
    /// The realm or the topology is no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What follows the colon is no lineage.
    #[error(transparent)]
    Lineage(#[from] LineageError),
}

/// Whose a thing is: a topology, in a realm that keeps namesakes apart, of one lineage.
///
/// Written `realm/topology:lineage`; realm and lineage are left out where there is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Owner {
    /// Keeps two teams' topologies of one name apart in a shared account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<Name>,
    /// The topology's name.
    pub topology: Name,
    /// What sets it apart from every other topology of this name; `None` for one that was never
    /// pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
}

impl Owner {
    /// Realm and name, without the lineage: what lists are filtered by, so that a namesake's things
    /// are seen and told.
    #[must_use]
    pub fn named(&self) -> Self {
        Self {
            lineage: None,
            ..self.clone()
        }
    }

    /// Whether both have one realm and name, of whatever lineage.
    #[must_use]
    pub fn is_namesake(&self, other: &Self) -> bool {
        (&self.realm, &self.topology) == (&other.realm, &other.topology)
    }

    /// Whether a mark of `marked` is one of this topology: of the same name and lineage, or of the
    /// name alone, as it was written before the topology had a lineage.
    #[must_use]
    pub fn owns(&self, marked: &Self) -> bool {
        self.is_namesake(marked) && (marked.lineage.is_none() || marked.lineage == self.lineage)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.realm
            .iter()
            .try_for_each(|realm| write!(f, "{realm}/"))?;
        write!(f, "{}", self.topology)?;
        self.lineage
            .iter()
            .try_for_each(|lineage| write!(f, ":{lineage}"))
    }
}

impl FromStr for Owner {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (text, lineage) = match text.split_once(':') {
            Some((text, lineage)) => (text, Some(Lineage::new(lineage)?)),
            None => (text, None),
        };
        let (realm, topology) = match text.split_once('/') {
            Some((realm, topology)) => (Some(Name::new(realm)?), topology),
            None => (None, text),
        };
        let topology = Name::new(topology)?;
        Ok(Self {
            realm,
            topology,
            lineage,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_survives_its_text() {
        for text in [
            "shop",
            "bank/shop",
            "shop:0a1b2c3d4e5f6g7h",
            "bank/shop:0a1b2c3d",
        ] {
            let owner: Owner = text.parse().expect("an owner");
            assert_eq!(owner.to_string(), text);
        }
        for text in ["", "/shop", "shop:", "shop:UPPERCASE", "shop:short"] {
            assert!(text.parse::<Owner>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_mark_without_lineage_is_its_namesakes_and_another_lineage_is_foreign() {
        let owner = |text: &str| text.parse::<Owner>().expect("an owner");
        let (bare, pinned, other) = (
            owner("shop"),
            owner("shop:aaaaaaaa"),
            owner("shop:bbbbbbbb"),
        );
        assert!(pinned.owns(&bare) && pinned.owns(&pinned) && bare.owns(&bare));
        assert!(!pinned.owns(&other) && !bare.owns(&other));
        assert!(!pinned.owns(&owner("bank/shop")) && !pinned.owns(&owner("shop2:aaaaaaaa")));
        assert!(pinned.is_namesake(&other) && other.named() == bare);
    }

    #[test]
    fn what_is_drawn_is_a_lineage() {
        let mut number = 0;
        let drawn = Lineage::draw(|below| {
            number += 7;
            number % below
        });
        assert_eq!(Lineage::new(drawn.as_str()), Ok(drawn));
    }
}
