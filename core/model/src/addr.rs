//! Addresses: the identity of a managed thing.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Kind, Name};

/// The words of all nouns, as a pattern has them.
#[cfg(feature = "schema")]
macro_rules! nouns {
    () => {
        "network|subnet|firewall|address|keypair|image|machines?|volume|bucket"
    };
}
#[cfg(feature = "schema")]
pub(crate) use nouns;

/// The word that begins an address: a [`Kind`], or `machines` for a fleet of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the nouns are the domain's own words")]
pub enum Noun {
    Network,
    Subnet,
    Firewall,
    Address,
    Keypair,
    Image,
    Machine,
    /// A fleet of interchangeable machines.
    Machines,
    Volume,
    Bucket,
}

impl Noun {
    /// Every noun, in the order in which things are created.
    pub const ALL: [Self; 10] = [
        Self::Network,
        Self::Subnet,
        Self::Firewall,
        Self::Keypair,
        Self::Image,
        Self::Machine,
        Self::Machines,
        Self::Address,
        Self::Volume,
        Self::Bucket,
    ];

    /// The word as written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Machines => "machines",
            _ => self.kind().as_str(),
        }
    }

    /// The kind of real thing behind the noun.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Network => Kind::Network,
            Self::Subnet => Kind::Subnet,
            Self::Firewall => Kind::Firewall,
            Self::Address => Kind::Address,
            Self::Keypair => Kind::Keypair,
            Self::Image => Kind::Image,
            Self::Machine | Self::Machines => Kind::Machine,
            Self::Volume => Kind::Volume,
            Self::Bucket => Kind::Bucket,
        }
    }

    /// The noun of a word, if it is one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|noun| noun.as_str() == word)
    }
}

/// What sets one instance of a block with `count` or `for_each` apart from the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `count.index`, from 0.
    Index(u64),
    /// The key of `for_each`.
    Name(Arc<str>),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "[{index}]"),
            // As JSON has it, so that what is written can be read back whatever is in it.
            Self::Name(name) => {
                let quoted = serde_json::to_string(&**name).map_err(|_| fmt::Error)?;
                write!(f, "[{quoted}]")
            }
        }
    }
}

/// An address without its site: one instance of a block, as an expression names it.
///
/// Written `machine.db["primary"]`, `bucket.assets`, `volume.scratch[3]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(from = "String", into = "String", extend("pattern" = crate::schema::LOCAL_ADDR)))]
pub struct LocalAddr {
    /// The first word.
    pub noun: Noun,
    /// The block's name.
    pub name: Name,
    /// Which instance, for a block with `count` or `for_each`.
    pub key: Option<Key>,
}

impl LocalAddr {
    /// The address of a block that has one instance.
    #[must_use]
    pub const fn new(noun: Noun, name: Name) -> Self {
        Self {
            noun,
            name,
            key: None,
        }
    }

    /// This address at `site`.
    #[must_use]
    pub fn at(&self, site: &Name) -> Addr {
        Addr {
            local: self.clone(),
            site: site.clone(),
            zone: None,
        }
    }
}

impl fmt::Display for LocalAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.noun.as_str(), self.name)?;
        self.key.iter().try_for_each(|key| key.fmt(f))
    }
}

/// The identity of a managed thing: what it is called and where it is.
///
/// Written `network.core@dc1`, `machine.db["primary"]@dc1`, and for a zonal subnet
/// `subnet.app@east/us-east-1a`. The text form is what marks, plans and journals carry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(from = "String", into = "String", extend("pattern" = crate::schema::ADDR)))]
pub struct Addr {
    /// What it is called.
    pub local: LocalAddr,
    /// The site it is at.
    pub site: Name,
    /// The zone, only where the zone is part of the identity (a zonal subnet).
    pub zone: Option<Name>,
}

impl Addr {
    /// The kind of the thing.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.local.noun.kind()
    }

    /// This address with `zone` as part of the identity.
    #[must_use]
    pub fn in_zone(mut self, zone: &Name) -> Self {
        self.zone = Some(zone.clone());
        self
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.site)?;
        self.zone.iter().try_for_each(|zone| write!(f, "/{zone}"))
    }
}

/// Why a string is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address: {why}; write it like `machine.db[\"primary\"]@dc1`")]
pub struct AddrParseError {
    text: String,
    why: &'static str,
}

impl AddrParseError {
    fn new(text: &str, why: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            why,
        }
    }
}

impl FromStr for LocalAddr {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let fail = |why| AddrParseError::new(text, why);
        let (word, rest) = text.split_once('.').ok_or_else(|| fail("it has no `.`"))?;
        let noun = Noun::parse(word).ok_or_else(|| fail("its first word is no kind"))?;
        let (name, key) =
            match rest.split_once('[') {
                None => (rest, None),
                Some((name, key)) => {
                    let key = key
                        .strip_suffix(']')
                        .ok_or_else(|| fail("its `[` has no `]`"))?;
                    (
                        name,
                        Some(parse_key(key).ok_or_else(|| {
                            fail("its key is neither a number nor a quoted string")
                        })?),
                    )
                }
            };
        let name = Name::new(name).map_err(|_| fail("its name is malformed"))?;
        Ok(Self { noun, name, key })
    }
}

fn parse_key(text: &str) -> Option<Key> {
    if text.starts_with('"') {
        let text: String = serde_json::from_str(text).ok()?;
        Some(Key::Name(Arc::from(text)))
    } else {
        text.parse().ok().map(Key::Index)
    }
}

impl FromStr for Addr {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let fail = |why| AddrParseError::new(text, why);
        // A quoted key may hold `@`; a site and a zone may not.
        let (local, place) = text
            .rsplit_once('@')
            .ok_or_else(|| fail("it names no site"))?;
        let (site, zone) = match place.split_once('/') {
            None => (place, None),
            Some((site, zone)) => (site, Some(zone)),
        };
        let name = |text| Name::new(text).map_err(|_| fail("its site or zone is malformed"));
        Ok(Self {
            local: local.parse()?,
            site: name(site)?,
            zone: zone.map(name).transpose()?,
        })
    }
}

macro_rules! serde_as_text {
    ($($type:ty),+) => {$(
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
serde_as_text!(LocalAddr, Addr);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for text in [
            "network.core@dc1",
            "machine.db[\"primary\"]@dc1",
            "machine.db[\"a@b/c \\\"q\\\"\"]@dc1",
            "machine.db[\"\u{200b}é\\u0007\"]@dc1",
            "volume.scratch[3]@east",
            "subnet.app@east/us-east-1a",
            "machines.web@west",
        ] {
            let addr: Addr = text.parse().expect(text);
            assert_eq!(addr.to_string(), text);
        }
    }

    #[test]
    fn malformed_text_is_refused() {
        for text in [
            "",
            "core@dc1",
            "network.core",
            "thing.x@y",
            "machine.db[x]@dc1",
            "machine.db[1@dc1",
            "network.@dc1",
            "network.a@",
            "network.a@b/",
        ] {
            assert!(text.parse::<Addr>().is_err(), "{text}");
        }
    }
}
