//! Whether traffic may pass.

use std::collections::BTreeSet;

use serde::Serialize;
use strat_model::{Addr, PortRange, Protocol};
use strat_planner::{HopAt, Passage, Passes, RuleRef};

/// Whether traffic may pass from one end to another, and what decides it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reached {
    /// Who sends, as it was asked.
    pub from: String,
    /// Who receives, as it was asked.
    pub to: String,
    /// What was asked about.
    pub asked: AskedTold,
    /// Whether it passes: `yes` between all of them, `no` between none, else `may`.
    pub passes: Passes,
    /// The answer for each pair of those who are at the ends: a fleet is one at each site.
    pub crossings: Vec<CrossingTold>,
}

/// What was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AskedTold {
    /// The protocol.
    pub protocol: Protocol,
    /// The ports, all of which are meant; empty where any will do.
    pub ports: BTreeSet<PortRange>,
}

/// The answer for one pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CrossingTold {
    /// Who sends: an address with its site, or what was asked.
    pub from: String,
    /// Who receives.
    pub to: String,
    /// Whether it passes: `may` where some of it does, or all of it if something that is not in the topology
    /// lets it.
    pub passes: Passes,
    /// Whether that rests on something that is not in the topology, such as what joins two sites.
    pub assumed: bool,
    /// What passes, between some addresses.
    pub traffic: Vec<Passage>,
    /// Why, in one sentence without a full stop.
    pub why: String,
    /// What stands between, in the order in which packets meet it.
    pub hops: Vec<HopTold>,
}

/// One part of the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HopTold {
    /// Which part.
    pub at: HopAt,
    /// What it lets pass, whatever the other parts say.
    pub passes: Passes,
    /// Whether it rests on something that is not in the topology.
    pub assumed: bool,
    /// Why, in one sentence without a full stop.
    pub why: String,
    /// Of what was asked about, what it lets pass between some addresses.
    pub traffic: Vec<Passage>,
    /// The firewalls that were looked at.
    pub firewalls: BTreeSet<Addr>,
    /// Where their blocks stand.
    pub places: Vec<FilePlace>,
    /// The rules that admit.
    pub rules: Vec<RuleTold>,
}

/// A rule that admits, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleTold {
    /// The rule.
    #[serde(flatten)]
    pub rule: RuleRef,
    /// Where it stands; `None` where it is somebody else's.
    pub place: Option<FilePlace>,
}

/// A place in a file of the topology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FilePlace {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column, from 1.
    pub column: Option<usize>,
}
