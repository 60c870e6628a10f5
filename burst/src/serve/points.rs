//! Decisions as points of charts, and in short.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};
use strat_burst_policy::{Decision, Record};
use strat_model::burst::BurstPolicy;

use crate::log::Done;

/// What a chart shows of one decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When, in seconds since 1970.
    pub at: i64,
    /// The machines that are needed, before anything slows that down.
    pub need: u32,
    /// The machines that are to be there.
    pub want: u32,
    /// The machines that work.
    pub ready: u32,
    /// All machines, by site.
    pub by_site: BTreeMap<String, u32>,
    /// What all machines cost in an hour, in US dollars.
    pub hour: f64,
    /// What was spent in the month, in US dollars.
    pub month: f64,
}

impl Point {
    /// The point of a decision.
    #[must_use]
    pub fn of(decision: &Decision) -> Self {
        let dollars = |amount: rust_decimal::Decimal| amount.to_f64().unwrap_or(0.0);
        Self {
            at: decision.at.as_second(),
            need: decision.need,
            want: decision.want,
            ready: decision.inventory.ready,
            by_site: decision.inventory.by_site.clone(),
            hour: dollars(decision.cost.hour_after),
            month: dollars(decision.cost.month_to_date),
        }
    }
}

/// What is kept of a decision for lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Short {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) decision: Decision,
    pub(super) done: Option<Done>,
}

/// The limits that a burst's charts show.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Limits {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) hourly: Option<f64>,
    pub(super) monthly: Option<f64>,
}

impl Limits {
    pub(super) fn of(settings: &BurstPolicy) -> Self {
        let dollars = |money: Option<strat_model::Money>| money?.amount.to_f64();
        Self {
            min: settings.min,
            max: settings.max,
            hourly: dollars(settings.cost.hourly),
            monthly: dollars(settings.cost.monthly),
        }
    }
}

impl Short {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            id: record.id.clone(),
            decision: record.decision.clone(),
            done: None,
        }
    }

    /// Whether it is worth a line in a list where most are not: something was done, held or wrong.
    pub(super) fn says_something(&self, before: Option<&Self>) -> bool {
        let same = before.is_some_and(|before| {
            (
                &before.decision.action,
                before.decision.want,
                &before.decision.decided_by,
            ) == (
                &self.decision.action,
                self.decision.want,
                &self.decision.decided_by,
            ) && before.decision.alarms.len() == self.decision.alarms.len()
        });
        !self.decision.steps.is_empty() || !same
    }

    pub(super) fn at(&self) -> Timestamp {
        self.decision.at
    }
}
