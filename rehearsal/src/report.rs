//! What a rehearsal comes to.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Serialize, Serializer};
use stratiform::model::{Addr, Currency, Kind, LocalAddr, Name};
use stratiform::planner::{Action, Summary, Withheld};

use crate::Timing;

/// What a loss does, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rehearsal {
    /// What fails, as it was asked for.
    pub fails: Vec<String>,
    /// Whether every machine and fleet has its whole count left, before anything is done.
    pub holds: bool,
    /// What goes down, by address.
    pub down: Vec<Down>,
    /// Every machine and fleet.
    pub loads: Vec<Load>,
    /// What all machines cost a month before the loss; `null` where no price is known.
    #[serde(serialize_with = "amount")]
    pub monthly_before: Option<Decimal>,
    /// The currency of all amounts.
    pub currency: Currency,
    /// How many changes were due before the loss. The next apply does them, too.
    pub pending: usize,
    /// Sites that were not seen whole: they are left as unreachable as they are.
    pub unseen: BTreeSet<Name>,
    /// What may be done next: a plain apply, and where a site is lost, one without it.
    pub next: Vec<NextApply>,
    /// How fast each copy is.
    pub timing: BTreeMap<Name, Timing>,
}

/// Things of one address that go down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Down {
    /// Their address.
    pub addr: Addr,
    /// Their kind.
    pub kind: Kind,
    /// How many.
    pub count: u32,
}

/// A machine or fleet, and how many of it run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Load {
    /// Its address.
    pub addr: LocalAddr,
    /// How many the topology asks for.
    pub wanted: u32,
    /// How many were ready before the loss.
    pub before: u32,
    /// How many are ready after it.
    pub left: u32,
    /// Whether those are enough.
    pub holds: bool,
    /// Whether its placement says that any one site or zone may be lost.
    pub survive: bool,
}

/// An apply after the loss, as it went on the copy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextApply {
    /// The command.
    pub command: String,
    /// The sites that it leaves out.
    pub without: BTreeSet<Name>,
    /// Why there is no plan, or why it is refused.
    pub refused: Option<String>,
    /// How many things each action of its plan touches.
    pub summary: Option<Summary>,
    /// What its plan does.
    pub changes: Vec<PlannedChange>,
    /// What its plan leaves as it is, and why.
    pub withheld: Vec<Withheld>,
    /// What all machines cost a month once it has ended.
    #[serde(serialize_with = "amount")]
    pub monthly_after: Option<Decimal>,
    /// How long it takes from its first call to its last, in milliseconds.
    pub took_ms: u64,
    /// Whether it ends with everything as it is to be, everywhere that it may touch.
    pub ends_well: bool,
    /// What failed, and why.
    pub failed: Vec<String>,
    /// Which machines could not be had where the plan had them, and where they went.
    pub placed_elsewhere: Vec<String>,
    /// Every machine and fleet, once it has ended.
    pub loads: Vec<Load>,
    /// Whether each has its whole count then.
    pub holds: bool,
}

/// One change of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedChange {
    /// What it is about.
    pub addr: Addr,
    /// What is done.
    pub action: Action,
    /// To how many things.
    pub count: u32,
    /// Why, for people.
    pub reason: String,
}

/// An amount as a number, as in a plan.
fn amount<S: Serializer>(amount: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    amount
        .and_then(|amount| amount.round_dp(4).to_f64())
        .serialize(serializer)
}
