//! The form of a plan on disk, apart from the types of the program: what stands there, under which
//! name, and what its schema says. Each change in it has the planner's own form.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Number, Value};
use strat_model::{Addr, Currency, LocalAddr, Name, Owner};
use strat_planner::{
    BudgetState, Change, CostRange, DataLoss, GivenThing, GoesFirst, Guard, HeldCount, Mode, Plan,
    Refused, Rename, Rollout, Source, StockEntry, Summary, Target, Withheld,
};

use super::{MissingLeaseStore, SavedPlan};
use crate::{OutputChange, ReachCheck, Verdict};

/// The whole of it, as its schema has it. It is written change by change, so that no more than one is
/// in memory twice.
#[cfg(feature = "schema")]
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(title = "A Stratiform plan")]
pub(crate) struct Whole {
    #[serde(flatten)]
    rest: Rest,
    /// The differences, sorted by address and action.
    changes: Vec<Change>,
    /// A digest of all else that is in the plan, `summary`, `cost` and each `reason` too: SHA-256 of
    /// the compact JSON with sorted keys of the plan without `changes` and `digest`, a zero byte, and
    /// each change followed by one.
    #[schemars(extend("pattern" = strat_model::schema::SHA256))]
    digest: String,
}

/// All but the changes and the digest.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Rest {
    /// The version of this form.
    #[cfg_attr(feature = "schema", schemars(extend("const" = Plan::FORMAT_VERSION)))]
    format_version: u32,
    /// What sets this plan apart: a digest of all that is in it and of what it was made from.
    id: String,
    /// The topology's name.
    topology: Name,
    /// Whose things it is about.
    owner: Owner,
    /// What it is for.
    mode: Mode,
    /// Where the topology was read from; set by who read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    /// What the plan is limited to, such as `machines.web` or `site.dc1`; left out where it is
    /// everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    targets: Vec<String>,
    /// The sites that the plan was made without; left out where there is none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    without: BTreeSet<Name>,
    /// What applying it makes besides, once, to keep leases in; left out where nothing is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    lease_stores: Vec<MissingLeaseStore>,
    /// The outputs that applying it changes, by name; values of sensitive ones are not in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<OutputChange>,
    /// What came of the topology's checks of what traffic passes; left out where it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reaches: Vec<ReachCheck>,
    /// What policies said of it; left out where none was asked, or none had anything to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    policy: Vec<Verdict>,
    /// Only in a plan that was made offline, which cannot be applied: of each site where its facts are
    /// from, and when they were true.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    offline: Option<Offline>,
    /// Sites without room for what goes and what comes at once: deletes go first there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    tight: BTreeSet<Name>,
    /// Subnets without an address for what goes and what comes at once: what goes first there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    crowded: BTreeMap<Addr, GoesFirst>,
    /// The blocks whose machines give way to others in waves.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rollouts: BTreeMap<LocalAddr, Rollout>,
    /// The fleets whose count a burst holds: this plan scales none of them, but for their bounds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    held: BTreeMap<LocalAddr, HeldCount>,
    /// What is left as it is because too little is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    withheld: Vec<Withheld>,
    /// What cannot be made as the topology says, sorted by address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Refused>,
    /// What was out of stock or beyond a quota lately, so that nothing of this plan asks for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    avoided: Vec<StockEntry>,
    /// The things whose data goes for good, sorted by address.
    #[serde(default)]
    data_loss: Vec<DataLoss>,
    /// What goes and may only have been renamed, sorted by address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    renames: Vec<Rename>,
    /// What others own and the plan refers to, sorted by address; none of it is changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lookups: Vec<GivenThing>,
    /// Set where the plan deletes so much that it needs an explicit consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guard: Option<Guard>,
    /// How many things each action touches.
    summary: Summary,
    /// What it costs.
    cost: Cost,
}

/// Of each site, what an offline plan was made from.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Offline {
    /// By the site's name.
    pub(crate) sites: BTreeMap<Name, OfflineSite>,
}

/// Where a site's facts are from.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct OfflineSite {
    /// From what.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("enum" = ["cache", "snapshot", "provider"]))
    )]
    pub(crate) source: &'static str,
    /// When they were true; `null` where nobody knows.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<String>", extend("format" = "date-time"))
    )]
    pub(crate) as_of: Option<Timestamp>,
}

/// What it costs a month (730 hours), before and after. Things without a known price are counted
/// apart, never as zero.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Cost {
    /// The currency of all amounts.
    currency: Currency,
    /// Before; `null` where no price at all is known.
    #[cfg_attr(feature = "schema", schemars(schema_with = "amount"))]
    monthly_before: Option<Amount>,
    /// After; `null` where no price at all is known.
    #[cfg_attr(feature = "schema", schemars(schema_with = "amount"))]
    monthly_after: Option<Amount>,
    /// Machines whose price is not known, after.
    unpriced: u32,
    /// What it may come to after, at least and at most, if what was chosen for new machines runs
    /// out and they go where else the topology permits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fallback: Option<CostRange>,
    /// How far, relative to the best places, those of the machines may be from them; only where
    /// they are not proven to be the best. `null`: nobody knows.
    #[serde(default = "exact", skip_serializing_if = "is_exact")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    gap: Option<Decimal>,
    /// The same by site.
    sites: BTreeMap<Name, SiteCost>,
    /// The budgets, and how much of each is spent after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    budgets: Vec<BudgetState>,
}

/// What one site costs a month.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct SiteCost {
    /// Before.
    #[cfg_attr(feature = "schema", schemars(schema_with = "amount"))]
    monthly_before: Option<Amount>,
    /// After.
    #[cfg_attr(feature = "schema", schemars(schema_with = "amount"))]
    monthly_after: Option<Amount>,
}

/// An exact decimal: a number on disk, or text where a number would lose digits of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount(pub(crate) Decimal);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let exact = self.0.normalize();
        let number = exact.to_string().parse().ok().and_then(Number::from_f64);
        let kept = number.filter(|number| {
            Decimal::from_str(&number.to_string()).is_ok_and(|back| back == exact)
        });
        match kept {
            Some(number) => number.serialize(serializer),
            None => Serialize::serialize(&self.0, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text,
            other => {
                let why = format!("an amount is a number or its text, not `{other}`");
                return Err(serde::de::Error::custom(why));
            }
        };
        let amount = Decimal::from_str(&text);
        amount.map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
pub(crate) fn amount(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": ["number", "string", "null"],
        "pattern": strat_model::schema::DECIMAL,
        "$comment": "An exact decimal as text where a number would lose digits of it.",
    })
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
const fn exact() -> Option<Decimal> {
    Some(Decimal::ZERO)
}

fn is_exact(gap: &Option<Decimal>) -> bool {
    gap.is_some_and(|gap| gap.is_zero())
}

impl Rest {
    /// What stands beside a plan's changes. Each field of the plan has its place here, or this does not
    /// compile.
    pub(super) fn of(document: &super::Document<'_>) -> Self {
        let Plan {
            format_version,
            id,
            topology,
            mode,
            source,
            changes: _,
            tight,
            crowded,
            rollouts,
            held,
            withheld,
            refused,
            avoided,
            data_loss,
            renames,
            lookups,
            guard,
            summary,
            cost,
        } = document.plan;
        Self {
            format_version: *format_version,
            id: id.clone(),
            topology: topology.topology.clone(),
            owner: topology.clone(),
            mode: *mode,
            source: source.clone(),
            targets: document.targets.iter().map(Target::to_string).collect(),
            without: document.without.clone(),
            lease_stores: document.lease_stores.to_vec(),
            outputs: document.outputs.to_vec(),
            reaches: document.reaches.to_vec(),
            policy: document.policy.to_vec(),
            offline: document.offline.clone(),
            tight: tight.clone(),
            crowded: crowded.clone(),
            rollouts: rollouts.clone(),
            held: held.clone(),
            withheld: withheld.clone(),
            refused: refused.clone(),
            avoided: avoided.clone(),
            data_loss: data_loss.clone(),
            renames: renames.clone(),
            lookups: lookups.clone(),
            guard: guard.clone(),
            summary: *summary,
            cost: Cost::of(cost),
        }
    }

    /// The plan that it is with its changes.
    ///
    /// # Errors
    /// If a target is none.
    pub(super) fn with(self, changes: Vec<Change>) -> Result<SavedPlan, String> {
        let targets = self.targets.iter().map(|text| Target::from_str(text));
        let targets: Result<_, _> = targets.collect();
        Ok(SavedPlan {
            targets: targets.map_err(|error| error.to_string())?,
            without: self.without,
            lease_stores: self.lease_stores,
            outputs: self.outputs,
            reaches: self.reaches,
            policy: self.policy,
            plan: Plan {
                format_version: self.format_version,
                id: self.id,
                topology: self.owner,
                mode: self.mode,
                source: self.source,
                changes,
                tight: self.tight,
                crowded: self.crowded,
                rollouts: self.rollouts,
                held: self.held,
                withheld: self.withheld,
                refused: self.refused,
                avoided: self.avoided,
                data_loss: self.data_loss,
                renames: self.renames,
                lookups: self.lookups,
                guard: self.guard,
                summary: self.summary,
                cost: self.cost.read(),
            },
        })
    }
}

impl Cost {
    fn of(cost: &strat_planner::Cost) -> Self {
        let strat_planner::Cost {
            currency,
            monthly_before,
            monthly_after,
            unpriced,
            fallback,
            gap,
            sites,
            budgets,
        } = cost;
        let site = |site: &strat_planner::SiteCost| SiteCost {
            monthly_before: site.monthly_before.map(Amount),
            monthly_after: site.monthly_after.map(Amount),
        };
        let sites = sites.iter().map(|(name, cost)| (name.clone(), site(cost)));
        Self {
            currency: *currency,
            monthly_before: monthly_before.map(Amount),
            monthly_after: monthly_after.map(Amount),
            unpriced: *unpriced,
            fallback: *fallback,
            gap: *gap,
            sites: sites.collect(),
            budgets: budgets.clone(),
        }
    }

    fn read(self) -> strat_planner::Cost {
        let amount = |amount: Option<Amount>| amount.map(|Amount(exact)| exact);
        let site = |site: SiteCost| strat_planner::SiteCost {
            monthly_before: amount(site.monthly_before),
            monthly_after: amount(site.monthly_after),
        };
        let sites = self.sites.into_iter();
        strat_planner::Cost {
            currency: self.currency,
            monthly_before: amount(self.monthly_before),
            monthly_after: amount(self.monthly_after),
            unpriced: self.unpriced,
            fallback: self.fallback,
            gap: self.gap,
            sites: sites.map(|(name, cost)| (name, site(cost))).collect(),
            budgets: self.budgets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_keeps_each_digit() {
        for (text, on_disk) in [
            ("140.16", "140.16"),
            ("0.1", "0.1"),
            ("2", "2.0"),
            ("-0.070", "-0.07"),
            (
                "12345678901234567890.123456789",
                "\"12345678901234567890.123456789\"",
            ),
        ] {
            let amount = Amount(Decimal::from_str(text).expect("a decimal"));
            let json = serde_json::to_string(&amount).expect("json");
            assert_eq!(json, on_disk, "{text}");
            let Amount(back) = serde_json::from_str(&json).expect("an amount");
            assert_eq!(back, amount.0, "{text}");
        }
        for bad in ["true", "{}", "\"much\""] {
            serde_json::from_str::<Amount>(bad).expect_err(bad);
        }
    }
}
