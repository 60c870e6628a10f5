//! What stands between two ends, and what each part of it says.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strat_model::{Addr, Direction, FirewallRule, Name, Peer, PortRange, Protocol};

use super::traffic::Traffic;

/// Whether traffic passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Passes {
    /// None of it.
    No,
    /// Some of it, or of the addresses; or all of it, if something that is not in the topology lets it.
    May,
    /// All that was asked about, between all addresses.
    Yes,
}

impl Passes {
    /// The word of it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::May => "may",
            Self::Yes => "yes",
        }
    }
}

/// Which part of the way a hop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HopAt {
    /// How packets get from one end to the other: a network, two sites of it, the internet.
    Route,
    /// What lets them out of the machine that sends.
    Egress,
    /// What lets them in to the machine that receives.
    Ingress,
}

impl HopAt {
    /// The word of it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Egress => "egress",
            Self::Ingress => "ingress",
        }
    }
}

/// One part of the way, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Which part.
    pub at: HopAt,
    /// What it lets pass, whatever the other parts say.
    pub passes: Passes,
    /// Of what was asked about, what passes here between some addresses.
    pub traffic: Traffic,
    /// Whether it holds only if something that is not in the topology is as its addresses suppose: that
    /// packets find their way between two sites.
    pub assumed: bool,
    /// Why, in one sentence without a full stop.
    pub why: String,
    /// The firewalls whose rules were looked at.
    pub firewalls: BTreeSet<Addr>,
    /// The rules that admit.
    pub rules: Vec<RuleRef>,
}

/// A rule of a firewall that admits something, and whom it was that it named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleRef {
    /// The firewall.
    pub firewall: Addr,
    /// Which way it looks.
    pub direction: Direction,
    /// The rule's name.
    pub rule: Name,
    /// Those of its peers that the other end is.
    pub peers: BTreeSet<Peer<Addr>>,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its ports; empty is all of them.
    pub ports: BTreeSet<PortRange>,
}

impl RuleRef {
    pub(super) fn of(firewall: &Addr, rule: &FirewallRule<Addr>) -> Self {
        Self {
            firewall: firewall.clone(),
            direction: rule.direction,
            rule: rule.name.clone(),
            peers: BTreeSet::new(),
            protocol: rule.protocol,
            ports: rule.ports.clone(),
        }
    }
}
