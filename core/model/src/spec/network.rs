//! Networks, subnets, firewalls, public addresses.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use super::Labels;
use crate::{Name, UnitError};

/// A private network at one site: a VPC, a VNet, a libvirt network.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NetworkSpec {
    /// This site's slice of the topology's address space.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "String", extend("pattern" = crate::schema::IPV4_RANGE))
    )]
    pub cidr: Ipv4Net,
    /// The user's labels.
    pub labels: Labels,
}

/// A range of a network in which machines get their addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "SubnetSpec"))]
pub struct SubnetSpec<R> {
    /// The network it is part of.
    pub network: R,
    /// Its range, within the network's.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "String", extend("pattern" = crate::schema::IPV4_RANGE))
    )]
    pub cidr: Ipv4Net,
    /// Its zone, where subnets are zonal.
    pub zone: Option<Name>,
    /// Its way to the internet. `None` where a site has one way for all of its subnets, or where it cannot
    /// be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internet: Option<Internet>,
    /// The user's labels.
    pub labels: Labels,
}

/// The way between the machines of a subnet and the internet.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Internet {
    /// Routed both ways: a machine with a public address reaches the internet, and is reached by whomever
    /// its firewalls admit. A machine without one does neither.
    Public,
    /// Out alone, by a translation of addresses (NAT) that all machines share. Nobody reaches them.
    #[default]
    Outbound,
    /// Neither way.
    None,
}

impl Internet {
    /// Every way, from the most open to the most closed.
    pub const ALL: [Self; 3] = [Self::Public, Self::Outbound, Self::None];

    /// The word in a topology file and a plan.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Outbound => "outbound",
            Self::None => "none",
        }
    }
}

/// A set of rules for the machines that carry it: a security group. What no rule admits inward
/// is refused; everything outward is admitted unless there is an egress rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(rename = "FirewallSpec", bound = "R: schemars::JsonSchema")
)]
#[serde(bound(
    serialize = "R: Serialize + Ord",
    deserialize = "R: Deserialize<'de> + Ord"
))]
pub struct FirewallSpec<R> {
    /// The network it belongs to.
    pub network: R,
    /// The rules, sorted and without repetition.
    pub rules: BTreeSet<FirewallRule<R>>,
    /// The user's labels.
    pub labels: Labels,
}

/// One rule: these peers, this protocol, these ports. It always admits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(rename = "FirewallRule", bound = "R: schemars::JsonSchema")
)]
#[serde(bound(
    serialize = "R: Serialize + Ord",
    deserialize = "R: Deserialize<'de> + Ord"
))]
pub struct FirewallRule<R> {
    /// The user's name for it, unique within a direction.
    pub name: Name,
    /// Which way.
    pub direction: Direction,
    /// Whom it admits.
    pub peers: BTreeSet<Peer<R>>,
    /// Which protocol.
    pub protocol: Protocol,
    /// Which ports; empty is all of them, and the only choice for `icmp` and `any`.
    pub ports: BTreeSet<PortRange>,
}

/// Which way a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the machines that carry the firewall.
    Ingress,
    /// From them.
    Egress,
}

impl Direction {
    /// The word of it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// The protocol of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the protocols' own names")]
pub enum Protocol {
    Tcp,
    Udp,
    Icmp,
    /// Every protocol.
    Any,
}

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Peer"))]
#[serde(rename_all = "snake_case")]
pub enum Peer<R> {
    /// Everybody, over IPv4 and IPv6.
    Internet,
    /// A range of addresses.
    Cidr(
        #[cfg_attr(
            feature = "schema",
            schemars(with = "String", extend("pattern" = crate::schema::IP_RANGE))
        )]
        IpNet,
    ),
    /// The machines that carry another firewall of the same network and site.
    Firewall(R),
}

impl<R> Peer<R> {
    /// The firewall it names, if it names one.
    pub const fn firewall(&self) -> Option<&R> {
        match self {
            Self::Firewall(firewall) => Some(firewall),
            Self::Internet | Self::Cidr(_) => None,
        }
    }
}

/// A range of ports, both ends included. Written `443` or `5432-5433`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(from = "String", into = "String", extend("pattern" = crate::schema::PORTS)))]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port, not below the first.
    pub last: u16,
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl FromStr for PortRange {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
        match (port(first), port(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(UnitError::new(
                text,
                "a port or a range such as `5432-5433`",
            )),
        }
    }
}

impl Serialize for PortRange {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A public address that outlives the machine behind it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "AddressSpec"))]
pub struct AddressSpec<R> {
    /// The machine it leads to, if any.
    pub attach: Option<R>,
    /// The user's labels.
    pub labels: Labels,
}

impl<R> SubnetSpec<R> {
    /// The same spec with its reference put through `f`.
    ///
    /// # Errors
    /// The error of `f`.
    pub fn try_map_refs<T, E>(
        &self,
        f: &mut impl FnMut(&R) -> Result<T, E>,
    ) -> Result<SubnetSpec<T>, E> {
        Ok(SubnetSpec {
            network: f(&self.network)?,
            cidr: self.cidr,
            zone: self.zone.clone(),
            internet: self.internet,
            labels: self.labels.clone(),
        })
    }
}

impl<R: Ord> FirewallSpec<R> {
    /// The same spec with every reference put through `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map_refs<T: Ord, E>(
        &self,
        f: &mut impl FnMut(&R) -> Result<T, E>,
    ) -> Result<FirewallSpec<T>, E> {
        let rule = |rule: &FirewallRule<R>, f: &mut _| rule.try_map_refs(f);
        Ok(FirewallSpec {
            network: f(&self.network)?,
            rules: self
                .rules
                .iter()
                .map(|r| rule(r, f))
                .collect::<Result<_, E>>()?,
            labels: self.labels.clone(),
        })
    }
}

impl<R: Ord> FirewallRule<R> {
    /// The same rule with every reference put through `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map_refs<T: Ord, E>(
        &self,
        f: &mut impl FnMut(&R) -> Result<T, E>,
    ) -> Result<FirewallRule<T>, E> {
        let peers = self.peers.iter().map(|peer| {
            Ok(match peer {
                Peer::Internet => Peer::Internet,
                Peer::Cidr(cidr) => Peer::Cidr(*cidr),
                Peer::Firewall(firewall) => Peer::Firewall(f(firewall)?),
            })
        });
        Ok(FirewallRule {
            name: self.name.clone(),
            direction: self.direction,
            peers: peers.collect::<Result<_, E>>()?,
            protocol: self.protocol,
            ports: self.ports.clone(),
        })
    }
}

impl<R> AddressSpec<R> {
    /// The same spec with its reference put through `f`.
    ///
    /// # Errors
    /// The error of `f`.
    pub fn try_map_refs<T, E>(
        &self,
        f: &mut impl FnMut(&R) -> Result<T, E>,
    ) -> Result<AddressSpec<T>, E> {
        Ok(AddressSpec {
            attach: self.attach.as_ref().map(f).transpose()?,
            labels: self.labels.clone(),
        })
    }
}
