//! Whether traffic may pass: what is asked, and what a topology says of it.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{Addr, LocalAddr, Name, Noun, Origin, PortRange, Protocol};

/// A check of a topology: that traffic passes, or that none does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachIntent {
    /// Its name.
    pub name: Name,
    /// What is to be.
    pub wants: ReachWants,
    /// Who sends: each of them.
    pub from: BTreeSet<End>,
    /// Who receives: each of them.
    pub to: BTreeSet<End>,
    /// What.
    pub asked: Asked,
    /// What is said besides where it does not hold.
    pub message: Option<String>,
    /// Where it stands.
    pub origin: Option<Origin>,
}

/// What a check wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReachWants {
    /// All of it passes, from each to each.
    Assert,
    /// None of it passes, from any to any.
    Refuse,
}

impl ReachWants {
    /// Both, with the keyword of each one's block.
    pub const ALL: [(Self, &str); 2] = [
        (Self::Assert, "assert_reach"),
        (Self::Refuse, "refuse_reach"),
    ];

    /// What a block of this keyword wants, if it is one of these.
    #[must_use]
    pub fn of_keyword(keyword: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|(_, own)| *own == keyword).map(|(wants, _)| wants)
    }

    /// The keyword of its block.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Assert => Self::ALL[0].1,
            Self::Refuse => Self::ALL[1].1,
        }
    }
}

/// One end of what is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Machines: of a block without a key all its instances, without a site those at all sites.
    Machines {
        /// What they are called.
        local: LocalAddr,
        /// The only site that is meant.
        site: Option<Name>,
    },
    /// Anybody on the internet.
    Internet,
    /// Whoever has these addresses.
    Range(IpNet),
}

/// `machines.web@aws`, `internet`, `203.0.113.0/24`; one address without its length.
impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machines { local, site } => {
                write!(f, "{local}")?;
                site.iter().try_for_each(|site| write!(f, "@{site}"))
            }
            Self::Internet => f.write_str("internet"),
            Self::Range(range) if range.prefix_len() == range.max_prefix_len() => {
                write!(f, "{}", range.addr())
            }
            Self::Range(range) => write!(f, "{range}"),
        }
    }
}

/// Why a text is no end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is neither a machine nor a range of addresses: {why}")]
pub struct EndError {
    text: String,
    why: String,
}

impl FromStr for End {
    type Err = EndError;

    fn from_str(text: &str) -> Result<Self, EndError> {
        let fail = |why: &str| EndError {
            text: text.to_owned(),
            why: why.to_owned(),
        };
        if text == "internet" {
            return Ok(Self::Internet);
        }
        if let Ok(addr) = text.parse::<IpAddr>() {
            return Ok(Self::Range(IpNet::from(addr)));
        }
        if let Ok(range) = text.parse::<IpNet>() {
            return match range.prefix_len() {
                0 => Ok(Self::Internet),
                _ => Ok(Self::Range(range.trunc())),
            };
        }
        let (local, site) = match text.parse::<Addr>() {
            Ok(addr) if addr.zone.is_some() => return Err(fail("it names a zone")),
            Ok(addr) => (addr.local, Some(addr.site)),
            Err(_) => match text.parse::<LocalAddr>() {
                Ok(local) => (local, None),
                Err(_) => {
                    return Err(fail(
                        "write `machine.db`, `machines.web@east`, `internet`, `10.20.0.0/16` or `203.0.113.7`",
                    ));
                }
            },
        };
        match local.noun {
            Noun::Machine | Noun::Machines => Ok(Self::Machines { local, site }),
            noun => Err(fail(&format!(
                "traffic has its ends at machines, and this is a {}; name the machines that are meant, or a range",
                noun.as_str()
            ))),
        }
    }
}

/// What is asked about: a protocol and ports of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Asked {
    /// The protocol; `any` where it is not said.
    pub protocol: Protocol,
    /// The ports, all of which are meant. Empty: any of them will do.
    pub ports: BTreeSet<PortRange>,
}

impl Asked {
    /// Anything at all.
    pub const ANYTHING: Self = Self {
        protocol: Protocol::Any,
        ports: BTreeSet::new(),
    };

    /// Whether all of it is meant, and not merely some of it.
    #[must_use]
    pub fn means_all(&self) -> bool {
        !self.ports.is_empty() || self.protocol == Protocol::Icmp
    }
}

/// `tcp 5432`, `icmp`, `anything`.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Icmp => "icmp",
            Protocol::Any => "anything",
        })?;
        for (at, range) in self.ports.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma} {range}")?;
        }
        Ok(())
    }
}

/// Why a text names no traffic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no port: write `5432`, `8000-8099`, `tcp/5432`, `udp/53`, `tcp`, `udp` or `icmp`"
)]
pub struct AskedError {
    text: String,
}

impl FromStr for Asked {
    type Err = AskedError;

    fn from_str(text: &str) -> Result<Self, AskedError> {
        let fail = || AskedError {
            text: text.to_owned(),
        };
        let protocol = |word: &str| match word {
            "tcp" => Some(Protocol::Tcp),
            "udp" => Some(Protocol::Udp),
            "icmp" => Some(Protocol::Icmp),
            "any" => Some(Protocol::Any),
            _ => None,
        };
        let (word, ports) = match text.split_once('/') {
            Some((word, ports)) => (word, Some(ports)),
            None if protocol(text).is_some() => (text, None),
            None => ("tcp", Some(text)),
        };
        let protocol = protocol(word).ok_or_else(fail)?;
        let takes_ports = matches!(protocol, Protocol::Tcp | Protocol::Udp);
        if ports.is_some() && !takes_ports {
            return Err(fail());
        }
        let ports = ports.map(|ports| ports.parse::<PortRange>().map_err(|_| fail()));
        Ok(Self {
            protocol,
            ports: ports.transpose()?.into_iter().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_written_as_addresses_are() {
        for text in [
            "machine.db",
            "machines.web@aws",
            "machine.db[\"a\"]@dc1",
            "internet",
            "10.20.0.0/16",
            "203.0.113.7",
            "2001:db8::/32",
        ] {
            assert_eq!(
                text.parse::<End>().map(|end| end.to_string()).as_deref(),
                Ok(text)
            );
        }
        for text in [
            "",
            "db",
            "firewall.db",
            "subnet.app@east/a",
            "machine.db@east/a",
            "10.0.0.0/40",
        ] {
            assert!(text.parse::<End>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_asked_is_written_in_one_word() {
        let told = |text: &str| text.parse::<Asked>().map(|asked| asked.to_string());
        for (text, wanted) in [
            ("5432", "tcp 5432"),
            ("8000-8099", "tcp 8000-8099"),
            ("udp/53", "udp 53"),
            ("icmp", "icmp"),
            ("tcp", "tcp"),
            ("any", "anything"),
        ] {
            assert_eq!(told(text).as_deref(), Ok(wanted));
        }
        for text in ["", "0", "70000", "icmp/1", "any/5", "gre", "tcp/", "9-8"] {
            assert!(told(text).is_err(), "{text}");
        }
    }
}
