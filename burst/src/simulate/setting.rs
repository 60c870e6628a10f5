//! The world in which a policy is tried.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strat_burst_policy::queueing;
use strat_model::CapacityKind;
use strat_model::burst::{BurstPolicy, SignalKind, WaitGoal};

/// What there is besides the policy and the trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// How many machines our own hardware holds.
    pub owned: u32,
    /// What an hour of one of them costs, in US dollars.
    pub owned_usd_hour: Decimal,
    /// How long one of them takes to boot, in seconds.
    pub owned_boot_s: u64,
    /// What clouds sell.
    pub clouds: Vec<CloudOffer>,
    /// How many batch machines want to run on our own hardware, with a lower priority.
    pub batch: u32,
    /// How long a batch machine gets to give way, in seconds.
    pub batch_grace_s: u64,
    /// How long it takes to drain a machine, in seconds.
    pub drain_s: u64,
    /// The share of machines that never become ready.
    pub boot_fails: f64,
    /// When clouds have nothing to sell.
    pub stock_outs: Vec<Between>,
    /// When nothing is measured.
    pub blind: Vec<Between>,
    /// What the first part of the trace is for: history that a forecast learns from, in seconds.
    pub history_s: u64,
    /// What a machine carries at most, as a multiple of what it is to carry: 0.85 / 0.70 where the
    /// policy aims at 70 % and the objective is broken at 85 %.
    pub limit: f64,
    /// What one machine is to carry, where no `demand` of the policy says it.
    pub each: Option<f64>,
    /// The seed of all chance.
    pub seed: u64,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            owned: 0,
            owned_usd_hour: Decimal::ZERO,
            owned_boot_s: 120,
            clouds: vec![CloudOffer::default()],
            batch: 0,
            batch_grace_s: 120,
            drain_s: 60,
            boot_fails: 0.0,
            stock_outs: Vec::new(),
            blind: Vec::new(),
            history_s: 0,
            limit: 0.85 / 0.70,
            each: None,
            seed: 1,
        }
    }
}

/// An offer of a cloud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudOffer {
    /// The site's name.
    pub site: String,
    /// How it is bought.
    pub capacity: CapacityKind,
    /// The price of an hour, in US dollars.
    pub usd_hour: Decimal,
    /// How many can be had.
    pub room: Option<u32>,
    /// How long half of the machines take to boot at most, in seconds.
    pub boot_s: u64,
    /// How long nineteen of twenty take at most, in seconds.
    pub boot_p95_s: u64,
    /// What is billed at once, in seconds.
    pub billed_s: u32,
}

impl Default for CloudOffer {
    fn default() -> Self {
        Self {
            site: "cloud".to_owned(),
            capacity: CapacityKind::OnDemand,
            usd_hour: Decimal::new(10, 2),
            room: None,
            boot_s: 90,
            boot_p95_s: 180,
            billed_s: 1,
        }
    }
}

impl CloudOffer {
    /// The time that nine of ten boots keep, in seconds: on the line between the two that are known.
    pub(crate) fn boot_p90_s(&self) -> u64 {
        let spread = self.boot_p95_s.saturating_sub(self.boot_s);
        self.boot_s + spread * 8 / 9
    }

    /// How long a boot takes that is longer than a share of all.
    pub(crate) fn boot_at(&self, share: f64) -> u64 {
        #[expect(clippy::cast_precision_loss, reason = "seconds of a boot")]
        let (half, most) = (self.boot_s as f64, self.boot_p95_s as f64);
        // From 80 % of the middle, over the middle, on the same line past the 95th.
        let seconds = if share < 0.5 {
            half * (0.8 + 0.4 * share)
        } else {
            half + (most - half).max(0.0) * (share - 0.5) / 0.45
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds of a boot are few, and above zero"
        )]
        let seconds = seconds.round() as u64;
        seconds
    }
}

/// A time between two others, in seconds after the trace's beginning; the end is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between {
    /// From.
    pub from_s: u64,
    /// Until.
    pub until_s: u64,
}

impl Between {
    pub(crate) fn any(all: &[Self], at_s: u64) -> bool {
        let mut all = all.iter();
        all.any(|between| (between.from_s..between.until_s).contains(&at_s))
    }
}

/// How many machines a demand needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Capacity {
    /// Each machine carries so much.
    Each {
        /// What it is to carry.
        each: f64,
        /// What it carries at most.
        at_most: f64,
    },
    /// Arrivals have to be served in time.
    Wait(WaitGoal),
}

impl Capacity {
    /// What a policy says of it: its first demand, or goal for waiting; else what the setting says.
    pub(crate) fn of(policy: &BurstPolicy, setting: &Setting) -> Option<Self> {
        let each = |each: f64| Self::Each {
            each,
            at_most: each * setting.limit,
        };
        let told = policy
            .signals
            .iter()
            .find_map(|signal| match &signal.means {
                SignalKind::Demand { each: of } => Some(each(*of)),
                SignalKind::Wait(goal) => Some(Self::Wait(goal.clone())),
                _ => None,
            });
        told.or_else(|| setting.each.map(each))
    }

    /// How many machines are to be there.
    pub(crate) fn wanted(&self, demand: f64) -> u32 {
        match self {
            Self::Each { each, .. } => whole(demand / each),
            Self::Wait(goal) => queueing::machines_for_wait(goal, demand * goal.service_s),
        }
    }

    /// How many have to be there, so that the objective is kept.
    pub(crate) fn needed(&self, demand: f64) -> u32 {
        match self {
            Self::Each { at_most, .. } => whole(demand / at_most),
            Self::Wait(_) => self.wanted(demand),
        }
    }

    /// How busy `ready` machines are: 0.70 where they carry what they are to carry.
    pub(crate) fn busy(&self, demand: f64, ready: u32) -> f64 {
        let full = match self {
            Self::Each { each, .. } => each / 0.70,
            Self::Wait(goal) => f64::from(goal.slots) / goal.service_s,
        };
        if ready == 0 {
            return 0.0;
        }
        demand / full / f64::from(ready)
    }

    /// The wait that 99 % of the arrivals keep, in milliseconds.
    pub(crate) fn wait_p99_ms(&self, demand: f64, ready: u32) -> Option<f64> {
        let Self::Wait(goal) = self else {
            return None;
        };
        let servers = ready.saturating_mul(goal.slots);
        let erlangs = demand * goal.service_s;
        if erlangs >= f64::from(servers) {
            return Some(f64::INFINITY);
        }
        let waits = queueing::erlang_c(servers, erlangs);
        let mean_s = goal.service_s * goal.variability / (f64::from(servers) - erlangs);
        Some((mean_s * (waits / 0.01).ln() * 1000.0).max(0.0))
    }
}

/// A number of machines, rounded up.
fn whole(machines: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is bounded on both sides"
    )]
    let machines = (machines - 1e-9).ceil().clamp(0.0, 1e9) as u32;
    machines
}
