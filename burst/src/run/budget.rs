//! What was spent, from what ran.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use strat_burst_policy::{Machine, Op, Record, Spent};

/// What was spent in this month until `now`, where the last record says what had been until then. A
/// machine that is gone is paid for until it was let go, or, where somebody else took it, until now.
pub(super) fn spent(
    last: Option<(&Record, Option<Timestamp>)>,
    machines: &[Machine],
    now: Timestamp,
) -> Spent {
    let (from, left_s) = month(now);
    let Some((last, released_at)) = last else {
        let paid = machines.iter().map(|machine| cost(machine, from, now));
        return Spent {
            month_to_date: paid.sum(),
            month_left_s: left_s,
        };
    };
    let before = last.inputs.at;
    let mut paid = match before >= from {
        true => last.inputs.spent.month_to_date,
        false => Decimal::ZERO,
    };
    let begin = before.max(from);
    for machine in machines {
        paid += cost(machine, begin, now);
    }
    for gone in &last.inputs.machines {
        if !machines.iter().any(|machine| machine.id == gone.id) {
            paid += cost(gone, begin, gone_at(last, gone, released_at).unwrap_or(now));
        }
    }
    Spent {
        month_to_date: paid,
        month_left_s: left_s,
    }
}

/// When the last decision's run let a machine go.
fn gone_at(last: &Record, gone: &Machine, released_at: Option<Timestamp>) -> Option<Timestamp> {
    let mut steps = last.decision.steps.iter();
    let let_go = steps.any(|step| step.op == Op::Release && step.ids.contains(&gone.id));
    released_at.filter(|_| let_go)
}

/// What a machine costs from one time to another, as far as it was there.
fn cost(machine: &Machine, from: Timestamp, until: Timestamp) -> Decimal {
    let from = from.max(machine.made);
    let ran_ms = until.duration_since(from).as_millis().max(0);
    let ran_ms = i64::try_from(ran_ms).unwrap_or(i64::MAX);
    machine.place.usd_hour * Decimal::from(ran_ms) / Decimal::from(3_600_000)
}

/// When the month began, by universal time, and how much of it is left, in seconds.
fn month(now: Timestamp) -> (Timestamp, u64) {
    let zoned = now.to_zoned(TimeZone::UTC);
    let begin = zoned
        .first_of_month()
        .and_then(|first| first.start_of_day())
        .map_or(now, |first| first.timestamp());
    let end = zoned
        .last_of_month()
        .and_then(|last| last.tomorrow())
        .and_then(|next| next.start_of_day())
        .map_or(now + SignedDuration::from_hours(24), |next| {
            next.timestamp()
        });
    let left = end.duration_since(now).as_secs().max(1);
    (begin, u64::try_from(left).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use strat_burst_policy::{Inputs, Place, Policy, State};
    use strat_model::CapacityKind;
    use strat_model::burst::BurstPolicy;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn machine(id: &str, made: &str) -> Machine {
        Machine {
            id: id.to_owned(),
            place: Place {
                site: "east".to_owned(),
                zone: "a".to_owned(),
                machine_type: "m".to_owned(),
                capacity: CapacityKind::OnDemand,
                usd_hour: Decimal::ONE,
                billed_s: 1,
            },
            state: State::Ready { warm: true },
            made: at(made),
            healthy: true,
            reclaimed: false,
        }
    }

    #[test]
    fn a_month_is_the_sum_of_what_ran_in_it() {
        let now = at("2026-11-10T12:00:00Z");
        let mut inputs = Inputs::new(now);
        inputs.machines = vec![
            machine("old", "2026-10-01T00:00:00Z"),
            machine("new", "2026-11-10T11:30:00Z"),
        ];
        let first = spent(None, &inputs.machines, now);
        // Nine days and a half, and half an hour.
        assert_eq!(first.month_to_date, Decimal::new(2285, 1));
        assert_eq!(first.month_left_s, 20 * 86_400 + 43_200);
        inputs.spent = first;
        let policy = Policy::new(BurstPolicy::new("web", 0, 9)).expect("possible");
        let record = Record::of(&policy, &inputs).expect("JSON");
        // `old` vanished in between, and `late` came.
        let later = [
            machine("new", "2026-11-10T11:30:00Z"),
            machine("late", "2026-11-10T12:15:00Z"),
        ];
        let now = at("2026-11-10T12:30:00Z");
        let second = spent(Some((&record, None)), &later, now);
        assert_eq!(second.month_to_date, Decimal::new(22_975, 2));
        // A new month begins at nothing.
        let now = at("2026-12-01T01:00:00Z");
        let third = spent(Some((&record, None)), &later, now);
        assert_eq!(third.month_to_date, Decimal::from(3));
    }
}
