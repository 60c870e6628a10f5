//! What a plan costs, as it tells it.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strat_model::{Currency, Name, Origin};

/// What it costs a month (730 hours), before and after. Things without a known price are counted
/// apart, never as zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cost {
    /// The currency of all amounts.
    pub currency: Currency,
    /// Before; `None` where no price at all is known.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub monthly_before: Option<Decimal>,
    /// After; `None` where no price at all is known.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub monthly_after: Option<Decimal>,
    /// Machines whose price is not known, after.
    pub unpriced: u32,
    /// What it may come to after, at least and at most, if what was chosen for new machines runs
    /// out and they go where else the topology permits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<CostRange>,
    /// How far, relative to the best places, those of the machines may be from them; only where
    /// they are not proven to be the best. `null`: nobody knows.
    #[serde(default = "exact", skip_serializing_if = "is_exact")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub gap: Option<Decimal>,
    /// The same by site.
    pub sites: BTreeMap<Name, SiteCost>,
    /// The budgets, and how much of each is spent after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetState>,
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
const fn exact() -> Option<Decimal> {
    Some(Decimal::ZERO)
}

fn is_exact(gap: &Option<Decimal>) -> bool {
    gap.is_some_and(|gap| gap.is_zero())
}

/// The least and the most that a month may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CostRange {
    /// At least.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub low: Decimal,
    /// At most.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub high: Decimal,
}

/// A budget, and how a plan stands to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BudgetState {
    /// Its name.
    pub name: Name,
    /// The sites that it counts; empty for all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sites: BTreeSet<Name>,
    /// The most that a month may cost, in the cost's currency.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub monthly: Decimal,
    /// What a month costs before.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub before: Decimal,
    /// What a month costs after.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub after: Decimal,
    /// Machines of unknown price that nobody said may be left out of the count, after.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unpriced: u32,
    /// Whether machines of unknown price are left out of the count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_unpriced: bool,
    /// Whether the plan is refused for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exceeded: bool,
    /// Where it stands, for people.
    #[serde(skip)]
    pub origin: Option<Origin>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// What one site costs a month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SiteCost {
    /// Before.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub monthly_before: Option<Decimal>,
    /// After.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub monthly_after: Option<Decimal>,
}
