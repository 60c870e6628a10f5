//! What became of an apply.

use std::collections::BTreeMap;

use serde::Serialize;
use strat_engine::{Counts, Operation};
use strat_model::{Addr, CapacityKind, ErrorView, Kind, LocalAddr, Name, ResourceId};
use strat_planner::{Action, Refused, Withheld};
use strat_topology::Json;

use super::Finding;
use crate::Verdict;

/// What became of an apply, and the outputs.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Applied<'a> {
    /// Whether everything is as it was to be, everywhere.
    pub success: bool,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// How many steps of the last round ended how.
    pub counts: Counts,
    /// What became of each step.
    pub steps: Vec<StepTold<'a>>,
    /// Machines that could not be had where they were to be, and where they went.
    pub relocations: Vec<Relocated<'a>>,
    /// Why the last of those went nowhere else, if they did not.
    pub stuck: Option<ErrorView>,
    /// What cannot be made as the topology says, and stays as it is.
    pub refused: &'a [Refused],
    /// What was left as it is, because too little is known.
    pub withheld: &'a [Withheld],
    /// What an earlier run had begun to make, and is still not ready.
    pub unfinished: &'a [Addr],
    /// What could not be seen.
    pub problems: Vec<Unseen<'a>>,
    /// What ended the run early.
    pub fatal: Option<Box<ErrorView>>,
    /// What the topology says must hold and does not; left out where all of it does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What policies said of what was applied, and did not deny; left out where they said nothing.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub policy: &'a [Verdict],
    /// The outputs, by name.
    pub outputs: BTreeMap<&'a str, OutputValue<'a>>,
}

/// An output.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutputValue<'a> {
    /// What it is.
    pub description: Option<&'a str>,
    /// Why it could not be evaluated.
    pub error: Option<&'a str>,
    /// Whether it must not be shown unasked.
    pub sensitive: bool,
    /// The value; `None` where it is sensitive, or not known yet.
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub value: Option<&'a Json>,
}

/// What became of a step.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepTold<'a> {
    /// The round that it is of, from 1: each time that something was out of stock, there is one more.
    pub round: usize,
    /// What it is about.
    pub addr: &'a Addr,
    /// The site.
    pub site: &'a Name,
    /// The action of the change that it is part of.
    pub action: Action,
    /// What it does.
    pub operation: Operation,
    /// To how many things.
    pub count: u32,
    /// How it ended.
    pub outcome: StepOutcome,
    /// Why it failed.
    pub error: Option<Box<ErrorView>>,
    /// Whose failure is to blame for that it was left out.
    pub because: Option<&'a Addr>,
    /// The ids of what it made.
    pub ids: &'a [ResourceId],
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// As it should.
    Done,
    /// It failed.
    Failed,
    /// It was left out because of a failure.
    Skipped,
    /// A stop came before it began.
    NotStarted,
    /// A stop came while it ran.
    Abandoned,
}

/// What could not be seen.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unseen<'a> {
    /// The site.
    pub site: &'a Name,
    /// The kind of things; `None` where it is all of them.
    pub kind: Option<Kind>,
    /// Why not.
    pub error: Box<ErrorView>,
}

/// Machines that could not be had in one place, and where they went.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Relocated<'a> {
    /// Whose machines.
    pub addr: &'a LocalAddr,
    /// The round in which they could not be had, from 1.
    pub round: usize,
    /// How many.
    pub count: u32,
    /// Where they were to be.
    pub from: Place<'a>,
    /// Why they could not be had.
    pub error: ErrorView,
    /// Where they were placed instead.
    pub to: Vec<Went<'a>>,
}

/// Where machines are made.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Place<'a> {
    /// The site.
    pub site: &'a Name,
    /// The zone.
    pub zone: &'a Name,
    /// The cloud's name for the size.
    pub machine_type: &'a str,
    /// How it is bought.
    pub capacity: CapacityKind,
}

/// Where some machines went.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Went<'a> {
    /// Where.
    pub place: Place<'a>,
    /// How many were placed there.
    pub placed: u32,
    /// How many of those were made.
    pub made: u32,
}
