//! What can be paid for.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::decision::Cost;
use crate::inputs::Inputs;
use crate::policy::Policy;

/// What machines cost in an hour, and how much more there may be.
///
/// A budget keeps machines from being made. It never takes one away: that is up to the needs, and a
/// bill that was run up is not made smaller by an outage.
pub(crate) struct Budget {
    before: Decimal,
    after: Decimal,
    month_to_date: Decimal,
    batch_lost_s: u64,
    hourly: Option<Decimal>,
    monthly: Option<Decimal>,
    /// The time that a machine which is made now is sure to be paid for, in hours.
    committed_h: Decimal,
}

const HOUR: u64 = 3600;

impl Budget {
    pub(crate) fn new(policy: &Policy, inputs: &Inputs) -> Self {
        let settings = policy.settings();
        let prices = inputs.machines.iter().map(|machine| machine.place.usd_hour);
        let before: Decimal = prices.sum();
        let down = &settings.down;
        let stays_s = HOUR.max(down.min_age_s).max(down.after_s) + settings.drain.deadline_s;
        let committed_s = stays_s.min(inputs.spent.month_left_s.max(1));
        Self {
            before,
            after: before,
            month_to_date: inputs.spent.month_to_date,
            batch_lost_s: inputs.spent.batch_lost_s,
            hourly: settings.cost.hourly.map(|money| money.amount),
            monthly: settings.cost.monthly.map(|money| money.amount),
            committed_h: Decimal::from(committed_s) / Decimal::from(HOUR),
        }
    }

    /// How many machines of a price can be paid for, up to `wanted`.
    pub(crate) fn affords(&self, usd_hour: Decimal, wanted: u32) -> u32 {
        if usd_hour <= Decimal::ZERO {
            return wanted;
        }
        let hour = self.hourly.map(|limit| (limit - self.after) / usd_hour);
        let month = self.monthly.map(|limit| {
            let left = limit - self.month_to_date - self.after * self.committed_h;
            left / (usd_hour * self.committed_h)
        });
        let most = hour.into_iter().chain(month).map(|machines| {
            let whole = machines.max(Decimal::ZERO).floor();
            whole.to_u32().unwrap_or(u32::MAX)
        });
        most.fold(wanted, u32::min)
    }

    /// Takes the price of machines that are made.
    pub(crate) fn spend(&mut self, usd_hour: Decimal, machines: u32) {
        self.after += usd_hour * Decimal::from(machines);
    }

    pub(crate) fn cost(&self) -> Cost {
        let hourly = self.hourly.map(|limit| format!("{limit} USD in an hour"));
        let monthly = self.monthly.map(|limit| format!("{limit} USD in a month"));
        Cost {
            hour_before: self.before,
            hour_after: self.after,
            month_to_date: self.month_to_date,
            batch_lost_s: self.batch_lost_s,
            limit: hourly.or(monthly),
        }
    }
}
