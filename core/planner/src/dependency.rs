//! What must be done before something else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strat_model::{Addr, AddrParseError, LocalAddr};

/// What must be done before something else: one thing, or all of a block as one, so that a block
/// which waits for a block takes as much room as both of them and no more.
///
/// Written `machine.db@dc1`, or without a site `machine.db` for all of its instances everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(untagged))]
pub enum Dependency {
    /// The thing at an address.
    One(Addr),
    /// All instances of a block, or one of them at each of its sites.
    All(LocalAddr),
}

impl Dependency {
    /// Whether the thing at `addr` is meant.
    #[must_use]
    pub fn covers(&self, addr: &Addr) -> bool {
        match self {
            Self::One(one) => one == addr,
            Self::All(all) => covers(all, addr),
        }
    }
}

/// Whether `addr` is a place of `all`, or of one of its instances.
pub(crate) fn covers(all: &LocalAddr, addr: &Addr) -> bool {
    covers_block(all, &addr.local)
}

/// Whether `one` is `all`, or one of its instances.
pub(crate) fn covers_block(all: &LocalAddr, one: &LocalAddr) -> bool {
    all.noun == one.noun && all.name == one.name && (all.key.is_none() || all.key == one.key)
}

impl From<Addr> for Dependency {
    fn from(addr: Addr) -> Self {
        Self::One(addr)
    }
}

impl PartialEq<Addr> for Dependency {
    fn eq(&self, addr: &Addr) -> bool {
        matches!(self, Self::One(one) if one == addr)
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(addr) => addr.fmt(f),
            Self::All(local) => local.fmt(f),
        }
    }
}

impl FromStr for Dependency {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        if let Ok(local) = text.parse() {
            return Ok(Self::All(local));
        }
        text.parse().map(Self::One)
    }
}

impl Serialize for Dependency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Dependency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_tells_one_from_all() {
        for text in ["machine.db@dc1", "machine.m[\"a@b\"]@dc1", "subnet.a@x/z"] {
            let one: Dependency = text.parse().expect(text);
            assert!(matches!(one, Dependency::One(_)), "{one:?}");
            assert_eq!(one.to_string(), text);
        }
        for text in ["machine.db", "machine.m[\"a@b\"]", "network.core[0]"] {
            let all: Dependency = text.parse().expect(text);
            assert!(matches!(all, Dependency::All(_)), "{all:?}");
            assert_eq!(all.to_string(), text);
        }
        assert!("machine.db@".parse::<Dependency>().is_err());
    }
}
