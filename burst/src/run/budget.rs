//! What was spent, from what ran: each machine from its launch until its cloud let it go.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use strat_burst_policy::{BatchMachine, Inputs, Offer, Record, Spent};
use strat_model::LocalAddr;
use stratiform::ApplyOutcome;
use stratiform::engine::{Operation, StepReport};

use super::machines::name;
use crate::log::{Done, Made, Paid};

/// For so long what is gone is remembered as paid for: a list that lags may show it again.
const REMEMBERED_S: i64 = 3600;

/// What was spent in this month until `now`, where the last record says what had been until then. Each
/// machine is paid for from its launch on; one that is gone until its cloud let it go, or, where somebody
/// else took it, until now. `paid` says until when each has been paid for.
pub(super) fn spent(
    last: Option<(&Record, Option<&Done>)>,
    paid: &mut BTreeMap<String, Paid>,
    inputs: &Inputs,
    now: Timestamp,
) -> Spent {
    let machines = &inputs.machines;
    let (month, left_s) = month(now);
    let mut sum = Decimal::ZERO;
    let mut lost_s = 0;
    let mut ended = None;
    if let Some((record, done)) = last {
        if record.inputs.at >= month {
            sum = record.inputs.spent.month_to_date;
            lost_s = record.inputs.spent.batch_lost_s;
        }
        lost_s += batch_lost(&record.inputs, inputs, now);
        known(record, done, paid);
        ended = done;
    }
    for machine in machines {
        let usd_hour = machine.place.usd_hour;
        let from = match paid.get(&machine.id) {
            None => machine.made,
            Some(one) if !one.seen => one.until.min(machine.made),
            Some(one) => one.until,
        };
        sum += cost(usd_hour, from.max(month), now);
        let until = Paid {
            until: now,
            usd_hour,
            seen: true,
            gone: None,
        };
        paid.insert(machine.id.clone(), until);
    }
    let there = |id: &String| machines.iter().any(|machine| machine.id == *id);
    let missing = paid
        .iter_mut()
        .filter(|(id, one)| one.gone.is_none() && !there(id));
    for (id, one) in missing {
        let let_go = ended.and_then(|done| done.gone.get(id));
        let end = let_go.map_or(now, |at| (*at).min(now).max(one.until));
        sum += cost(one.usd_hour, one.until.max(month), end);
        (one.until, one.seen, one.gone) = (end, true, Some(now));
    }
    let recent = |at: Timestamp| now.duration_since(at).as_secs() < REMEMBERED_S;
    paid.retain(|_, one| one.gone.is_none_or(recent));
    Spent {
        month_to_date: sum,
        month_left_s: left_s,
        batch_lost_s: lost_s,
    }
}

/// How long the batch machines had run that gave way before and are gone now, in seconds. Of a site that
/// nobody sees it is not known which are gone.
fn batch_lost(before: &Inputs, inputs: &Inputs, now: Timestamp) -> u64 {
    let seen = |one: &&BatchMachine| !inputs.unseen.contains_key(&one.site);
    let there = |one: &BatchMachine| inputs.batch.iter().any(|other| other.id == one.id);
    let gave_way = before.batch.iter().filter(|one| one.giving_way.is_some());
    let gone = gave_way.filter(seen).filter(|one| !there(one));
    let ran = gone.map(|one| now.duration_since(one.made).as_secs());
    ran.map(|seconds| u64::try_from(seconds).unwrap_or(0)).sum()
}

/// Adds what the last decision knew, and what its run made, which may be gone before anybody has seen it.
fn known(record: &Record, done: Option<&Done>, paid: &mut BTreeMap<String, Paid>) {
    for machine in &record.inputs.machines {
        paid.entry(machine.id.clone()).or_insert_with(|| Paid {
            until: record.inputs.at,
            usd_hour: machine.place.usd_hour,
            seen: true,
            gone: None,
        });
    }
    for made in done.into_iter().flat_map(|done| &done.made) {
        paid.entry(made.id.clone()).or_insert_with(|| Paid {
            until: made.at,
            usd_hour: made.usd_hour,
            seen: false,
            gone: None,
        });
    }
}

/// What a machine costs from one time to another.
fn cost(usd_hour: Decimal, from: Timestamp, until: Timestamp) -> Decimal {
    let ran_ms = until.duration_since(from).as_millis().max(0);
    let ran_ms = i64::try_from(ran_ms).unwrap_or(i64::MAX);
    usd_hour * Decimal::from(ran_ms) / Decimal::from(3_600_000)
}

/// The machines of a fleet that a run made, at the prices of what it was offered.
pub(super) fn made(
    outcome: &ApplyOutcome,
    fleet: &LocalAddr,
    offers: &[Offer],
    at: Timestamp,
) -> Vec<Made> {
    let one = |step: &StepReport| -> Vec<Made> {
        let price = step.offer.as_ref().and_then(|bought| {
            let mut places = offers.iter().map(|offer| &offer.place);
            places.find(|place| {
                (place.site.as_str(), place.zone.as_str())
                    == (step.site.as_str(), bought.zone.as_str())
                    && (&place.machine_type, place.capacity)
                        == (&bought.machine_type, bought.capacity)
            })
        });
        let usd_hour = price.map_or(Decimal::ZERO, |place| place.usd_hour);
        let ids = step.made.iter().map(|id| name(&step.site, id));
        ids.map(|id| Made { id, at, usd_hour }).collect()
    };
    let of_fleet = steps(outcome, fleet);
    let creates = of_fleet.filter(|step| step.operation == Operation::Create);
    creates.flat_map(one).collect()
}

/// The machines of a fleet that a run let go, and when their clouds had agreed to that.
pub(super) fn gone(outcome: &ApplyOutcome, fleet: &LocalAddr) -> BTreeMap<String, Timestamp> {
    let deleted = steps(outcome, fleet).flat_map(|step| {
        let deleted = step.deleted.iter();
        deleted.map(|(id, at)| (name(&step.site, id), *at))
    });
    deleted.collect()
}

fn steps<'a>(
    outcome: &'a ApplyOutcome,
    fleet: &'a LocalAddr,
) -> impl Iterator<Item = &'a StepReport> {
    let steps = outcome.reports.iter().flat_map(|report| &report.steps);
    steps.filter(|step| step.addr.local == *fleet)
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
    use strat_burst_policy::{Machine, Place, Policy, State};
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
        let mut paid = BTreeMap::new();
        let first = spent(None, &mut paid, &inputs, now);
        // Nine days and a half, and half an hour.
        assert_eq!(first.month_to_date, Decimal::new(2285, 1));
        assert_eq!(first.month_left_s, 20 * 86_400 + 43_200);
        inputs.spent = first;
        let policy = Policy::new(BurstPolicy::new("web", 0, 9)).expect("possible");
        let record = Record::of(&policy, &inputs).expect("JSON");
        // `old` vanished in between, and `late` came.
        let now = at("2026-11-10T12:30:00Z");
        let mut later = Inputs::new(now);
        later.machines = vec![
            machine("new", "2026-11-10T11:30:00Z"),
            machine("late", "2026-11-10T12:15:00Z"),
        ];
        let second = spent(Some((&record, None)), &mut paid.clone(), &later, now);
        assert_eq!(second.month_to_date, Decimal::new(22_975, 2));
        // A record of before anybody kept who was paid says the same.
        let second = spent(Some((&record, None)), &mut BTreeMap::new(), &later, now);
        assert_eq!(second.month_to_date, Decimal::new(22_975, 2));
        // A new month begins at nothing.
        let now = at("2026-12-01T01:00:00Z");
        let third = spent(Some((&record, None)), &mut paid, &later, now);
        assert_eq!(third.month_to_date, Decimal::from(3));
    }

    /// Counted once it is gone, and only where somebody looks.
    #[test]
    fn what_gave_way_is_counted_in_its_month() {
        let policy = Policy::new(BurstPolicy::new("web", 0, 9)).expect("possible");
        let batch = |id: &str, giving_way: bool| BatchMachine {
            id: id.to_owned(),
            site: "east".to_owned(),
            zone: "a".to_owned(),
            priority: 1,
            made: at("2026-11-10T10:00:00Z"),
            grace_s: 60,
            giving_way: giving_way.then(|| at("2026-11-10T11:59:00Z")),
        };
        let mut last = None;
        let mut round = |time: &str, batch: Vec<BatchMachine>, unseen: bool| {
            let mut inputs = Inputs::new(at(time));
            inputs.batch = batch;
            if unseen {
                inputs.unseen.insert("east".to_owned(), inputs.at);
            }
            let before = last.as_ref().map(|record| (record, None));
            inputs.spent = spent(before, &mut BTreeMap::new(), &inputs, inputs.at);
            let lost = inputs.spent.batch_lost_s;
            last = Some(Record::of(&policy, &inputs).expect("JSON"));
            lost
        };
        let (gives, stays) = (batch("one", true), batch("two", false));
        assert_eq!(
            round(
                "2026-11-10T11:59:00Z",
                vec![gives.clone(), stays.clone()],
                false
            ),
            0
        );
        assert_eq!(
            round(
                "2026-11-10T11:59:30Z",
                vec![gives.clone(), stays.clone()],
                false
            ),
            0
        );
        assert_eq!(
            round("2026-11-10T12:00:00Z", vec![stays.clone()], false),
            7200
        );
        // What goes without giving way to anybody ended by itself.
        assert_eq!(round("2026-11-10T12:01:00Z", vec![], false), 7200);
        assert_eq!(
            round("2026-11-10T12:02:00Z", vec![gives.clone()], false),
            7200
        );
        assert_eq!(round("2026-11-10T12:03:00Z", vec![], true), 7200);
        assert_eq!(round("2026-12-01T00:00:00Z", vec![], false), 0);
    }

    /// What ran out of sight is paid for, and nothing twice: each from its launch until its cloud let it go.
    #[test]
    fn each_machine_is_paid_for_once_whenever_it_is_seen() {
        let policy = Policy::new(BurstPolicy::new("web", 0, 9)).expect("possible");
        let (mut paid, mut last) = (BTreeMap::new(), None);
        let mut round = |time: &str, machines: &[Machine], done: Option<Done>| {
            let mut inputs = Inputs::new(at(time));
            inputs.machines = machines.to_vec();
            let before = last
                .as_ref()
                .map(|(record, done): &(Record, Option<Done>)| (record, done.as_ref()));
            inputs.spent = spent(before, &mut paid, &inputs, inputs.at);
            let sum = inputs.spent.month_to_date;
            last = Some((Record::of(&policy, &inputs).expect("JSON"), done));
            (sum * Decimal::from(60)).round_dp(6)
        };
        let done = |made: &[(&str, &str)], gone: &[(&str, &str)]| Done {
            id: String::new(),
            at: at("2026-11-10T12:00:30Z"),
            run: None,
            begun: true,
            problems: Vec::new(),
            made: made
                .iter()
                .map(|(id, time)| Made {
                    id: (*id).to_owned(),
                    at: at(time),
                    usd_hour: Decimal::ONE,
                })
                .collect(),
            gone: gone
                .iter()
                .map(|(id, time)| ((*id).to_owned(), at(time)))
                .collect(),
        };
        let (a, b) = (
            machine("a", "2026-11-10T12:00:20Z"),
            machine("b", "2026-11-10T12:00:20Z"),
        );
        // Minutes of machines that cost a dollar an hour. `a` and `b` are made, and no list has `a` yet.
        let made = [("a", "2026-11-10T12:00:20Z"), ("b", "2026-11-10T12:00:20Z")];
        assert_eq!(
            round("2026-11-10T12:00:00Z", &[], Some(done(&made, &[]))),
            Decimal::ZERO
        );
        let seen = std::slice::from_ref(&b);
        assert_eq!(round("2026-11-10T12:01:20Z", seen, None), Decimal::from(2));
        // Now it has it, and `b` no more, which lags.
        let seen = std::slice::from_ref(&a);
        assert_eq!(round("2026-11-10T12:02:20Z", seen, None), Decimal::from(4));
        let both = [a.clone(), b];
        let let_go = done(&[], &[("b", "2026-11-10T12:03:50Z")]);
        assert_eq!(
            round("2026-11-10T12:03:20Z", &both, Some(let_go)),
            Decimal::from(6)
        );
        // `b` went when its cloud said so, half a minute later; and lags once more.
        assert_eq!(
            round("2026-11-10T12:04:20Z", &[a], None),
            Decimal::new(75, 1)
        );
        // Nobody says when `a` went: it is paid for until it is missed, and no longer.
        assert_eq!(
            round("2026-11-10T12:05:20Z", &[], None),
            Decimal::new(85, 1)
        );
        assert_eq!(
            round("2026-11-10T12:09:20Z", &[], None),
            Decimal::new(85, 1)
        );
    }
}
