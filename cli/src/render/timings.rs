//! Where the time went.

use std::collections::BTreeMap;
use std::time::Duration;

use stratiform::provider::layers::{CallCounts, CallKey};

use super::style::{BOLD, paint};
use super::table::table;
use crate::telemetry::PhaseTime;

/// The parts of the work, and the calls of each site and operation.
pub(crate) fn timings(phases: &[PhaseTime], calls: &BTreeMap<CallKey, CallCounts>) -> String {
    let mut text = String::new();
    if !phases.is_empty() {
        let rows = phases.iter().map(|phase| {
            vec![
                phase.name.to_owned(),
                phase.times.to_string(),
                seconds(phase.took),
            ]
        });
        text.push_str(&paint(BOLD, "Time by part of the work\n"));
        text.push_str(&table(&["part", "times", "took"], rows, None));
    }
    if !calls.is_empty() {
        let rows = calls.iter().map(|(key, of)| {
            vec![
                key.site.to_string(),
                key.api.as_str().to_owned(),
                key.operation.to_owned(),
                of.calls.to_string(),
                or_none(of.failures),
                or_none(of.retries),
                or_none(of.throttles),
                held(of),
                seconds(of.took),
                seconds(of.took_median),
                seconds(of.took_max),
            ]
        });
        let headings = [
            "site",
            "api",
            "operation",
            "calls",
            "failed",
            "retries",
            "throttled",
            "held back",
            "took",
            "half within",
            "longest",
        ];
        text.push_str(&paint(
            BOLD,
            "\nCalls; they overlap, so their times add up to more\n",
        ));
        text.push_str(&table(&headings, rows, None));
    }
    text
}

fn held(of: &CallCounts) -> String {
    if of.waits == 0 {
        return "-".to_owned();
    }
    format!("{} for {}", of.waits, seconds(of.waited))
}

fn or_none(count: u64) -> String {
    if count == 0 {
        return "-".to_owned();
    }
    count.to_string()
}

/// `1.250 s`: to a thousandth.
fn seconds(took: Duration) -> String {
    format!("{:.3} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use stratiform::model::Name;
    use stratiform::provider::layers::Api;

    use super::*;

    #[test]
    fn a_table_of_phases_and_one_of_calls() {
        let phases = [
            PhaseTime {
                name: "parse",
                times: 1,
                took: Duration::from_micros(1_234),
            },
            PhaseTime {
                name: "observe",
                times: 3,
                took: Duration::from_millis(4_500),
            },
        ];
        let key = |operation| CallKey {
            site: Name::new("east").expect("a name"),
            api: Api::Compute,
            operation,
        };
        let calls = BTreeMap::from([
            (
                key("create_machines"),
                CallCounts {
                    calls: 12,
                    failures: 1,
                    retries: 3,
                    throttles: 2,
                    waits: 4,
                    waited: Duration::from_millis(800),
                    took: Duration::from_secs(9),
                    took_median: Duration::from_millis(150),
                    took_max: Duration::from_millis(2_100),
                    ..CallCounts::default()
                },
            ),
            (
                key("list"),
                CallCounts {
                    calls: 1,
                    took: Duration::from_millis(20),
                    took_median: Duration::from_millis(20),
                    took_max: Duration::from_millis(20),
                    ..CallCounts::default()
                },
            ),
        ]);
        let text = timings(&phases, &calls);
        insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string());
    }
}
