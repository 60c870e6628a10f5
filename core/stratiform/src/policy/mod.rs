//! What the policies of an organisation say of a plan, before anything is called.
//!
//! The library asks whoever implements [`Policies`]; in which language policies are written is theirs.
//! A plan that one of them denies is not applied: neither as it was made, nor as it becomes where
//! something runs out and the rest is planned again.

mod document;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strat_model::{Addr, Diagnostic, LocalAddr, Origin};
use strat_topology::Sources;

use crate::{Error, OfflinePlan, Planned, Workspace};

/// What decides over plans.
pub trait Policies: fmt::Debug + Send + Sync {
    /// What is to be said of a plan; empty where nothing is.
    ///
    /// `document` is the plan's own JSON (as [`SavedPlan::to_json`](crate::SavedPlan::to_json) has it), with two more fields:
    /// `sites`, by name what each site is, and `desired`, what is to be once the plan is applied, the
    /// things that the plan does not change included.
    ///
    /// # Errors
    /// If a policy cannot be evaluated. The plan is not applied then.
    fn judge(&self, document: &Value) -> Result<Vec<Verdict>, PolicyError>;
}

/// How much a verdict weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// The plan is not applied.
    Deny,
    /// It is told, and stops nothing.
    Warn,
}

/// What one rule of a policy says of a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verdict {
    /// How much it weighs.
    pub ruling: Ruling,
    /// The rule, with its package, such as `data.labels.deny`.
    pub rule: String,
    /// Where the rule is defined: each of its parts.
    pub defined_at: Vec<PolicyPlace>,
    /// What it says, in its own words.
    pub message: String,
    /// What it is about, if it says so: `machines.web@dc1`, or without a site all of a block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr: Option<String>,
}

/// A line of a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyPlace {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// Why policies cannot be read or evaluated.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", finding.message)]
pub struct PolicyError {
    /// What is wrong, and where.
    pub finding: Box<Diagnostic>,
    /// The text that it points into.
    pub sources: Sources,
}

impl PolicyError {
    /// One that no text is to blame for.
    #[must_use]
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            finding: Box::new(Diagnostic::error(WRONG, message).help(help)),
            sources: Sources::from_files("", Vec::new()),
        }
    }

    /// One about a place in a policy's text.
    #[must_use]
    pub fn at(message: impl Into<String>, origin: &Origin, sources: Sources) -> Self {
        Self {
            finding: Box::new(Diagnostic::error(WRONG, message).at(origin, "here")),
            sources,
        }
    }
}

/// The code of findings about a policy itself.
const WRONG: &str = "wrong_policy";
/// The code of findings that refuse a plan.
const DENIED: &str = "denied_by_policy";
/// The code of findings that do not.
const WARNED: &str = "policy_warning";

impl Verdict {
    /// What it comes to as a finding about the topology: with the place of the block that it is about.
    #[must_use]
    pub fn finding(&self, workspace: &Workspace) -> Diagnostic {
        let finding = match self.ruling {
            Ruling::Deny => Diagnostic::error(DENIED, self.message.clone()),
            Ruling::Warn => Diagnostic::warning(WARNED, self.message.clone()),
        };
        let place = self.addr.as_deref().and_then(|addr| place(addr, workspace));
        let label = self.addr.as_deref().unwrap_or_default();
        let places = self.defined_at.iter();
        let places: Vec<_> = places
            .map(|place| format!("{}:{}", place.file, place.line))
            .collect();
        let about = match (&self.addr, place) {
            (Some(addr), None) => format!(" of {addr}"),
            _ => String::new(),
        };
        let from = places.join(", ");
        finding
            .at(place, label)
            .help(format!("the rule `{}` says so{about}: {from}", self.rule))
    }
}

/// Where the block of an address stands.
fn place<'a>(addr: &str, workspace: &'a Workspace) -> Option<&'a Origin> {
    let local = match addr.parse::<Addr>() {
        Ok(addr) => addr.local,
        Err(_) => addr.parse::<LocalAddr>().ok()?,
    };
    let intent = workspace.intent();
    let mut commons = intent.commons();
    let own = commons.find(|common| common.addr == local);
    own.and_then(|common| common.origins.block.as_ref())
}

/// What policies say of a plan that was made, the weightiest first.
///
/// # Errors
/// [`Error::Policy`] if one cannot be evaluated.
pub fn judge(
    policies: &dyn Policies,
    planned: &Planned,
    workspace: &Workspace,
) -> Result<Vec<Verdict>, Error> {
    judged(policies, &input(planned, workspace))
}

/// As [`judge`], of a plan that was made without asking any cloud.
///
/// # Errors
/// As [`judge`].
pub fn judge_offline(
    policies: &dyn Policies,
    planned: &OfflinePlan,
    workspace: &Workspace,
) -> Result<Vec<Verdict>, Error> {
    judged(policies, &input_offline(planned, workspace))
}

/// What policies are shown of a plan that was made: see [`Policies::judge`].
#[must_use]
pub fn input(planned: &Planned, workspace: &Workspace) -> Value {
    let (plan, facts) = (planned.saved.to_json(), &planned.observation.facts);
    document::of(plan, workspace.intent(), &planned.desired, facts)
}

/// As [`input`], of a plan that was made without asking any cloud.
#[must_use]
pub fn input_offline(planned: &OfflinePlan, workspace: &Workspace) -> Value {
    let facts = planned.facts.iter();
    let facts = facts.map(|(site, known)| (site.clone(), known.facts.clone()));
    let (plan, facts) = (planned.to_json(), facts.collect());
    document::of(plan, workspace.intent(), planned.desired(), &facts)
}

fn judged(policies: &dyn Policies, document: &Value) -> Result<Vec<Verdict>, Error> {
    let mut verdicts = policies.judge(document).map_err(Error::Policy)?;
    verdicts.sort();
    verdicts.dedup();
    Ok(verdicts)
}

/// Whether nothing that policies said of a plan refuses it.
///
/// # Errors
/// [`Error::Denied`] with all that does, and the warnings beside it.
pub fn permits(verdicts: &[Verdict], workspace: &Workspace) -> Result<(), Error> {
    if verdicts.iter().all(|one| one.ruling == Ruling::Warn) {
        return Ok(());
    }
    let denials = verdicts.iter().filter(|one| one.ruling == Ruling::Deny);
    Err(Error::Denied {
        diagnostics: denials.map(|one| one.finding(workspace)).collect(),
        sources: workspace.sources().clone(),
    })
}

/// What an apply asks of each of its rounds.
pub(crate) fn permitted(
    policies: Option<&Arc<dyn Policies>>,
    planned: &Planned,
    workspace: &Workspace,
) -> Result<Vec<Verdict>, Error> {
    let Some(policies) = policies else {
        return Ok(Vec::new());
    };
    let verdicts = judge(&**policies, planned, workspace)?;
    permits(&verdicts, workspace)?;
    Ok(verdicts)
}
