//! The numbers for Prometheus, in its text form.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::fmt::Write as _;

use super::board::Board;

/// One metric: its name, its type, its help, and each sample with its labels.
struct Metric {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// All of them.
pub(super) fn text(board: &Board) -> String {
    let mut metrics = Vec::new();
    let status = board.status();
    #[expect(clippy::cast_precision_loss, reason = "seconds of the present time")]
    let seconds = |at: jiff::Timestamp| at.as_millisecond() as f64 / 1000.0;
    metrics.push(Metric {
        name: "strat_burst_leading",
        kind: "gauge",
        help: "Whether the controller of this folder leads.",
        samples: status
            .iter()
            .map(|status| (Vec::new(), f64::from(u8::from(status.leading))))
            .collect(),
    });
    metrics.push(Metric {
        name: "strat_burst_round_timestamp_seconds",
        kind: "gauge",
        help: "When the last round began.",
        samples: status
            .iter()
            .map(|status| (Vec::new(), seconds(status.at)))
            .collect(),
    });
    let machines = |state: &'static str, count: u32, burst: &str| {
        let labels = vec![("burst", burst.to_owned()), ("state", state.to_owned())];
        (labels, f64::from(count))
    };
    let mut of_state = Vec::new();
    let (mut want, mut alarms) = (Vec::new(), Vec::new());
    for burst in status.iter().flat_map(|status| &status.bursts) {
        let name = &burst.name;
        of_state.push(machines("ready", burst.ready, name));
        of_state.push(machines("pending", burst.pending, name));
        of_state.push(machines("draining", burst.draining, name));
        of_state.push(machines("unseen", burst.unseen, name));
        want.push((vec![("burst", name.clone())], f64::from(burst.want)));
        let count = u32::try_from(burst.alarms.len()).unwrap_or(u32::MAX);
        alarms.push((vec![("burst", name.clone())], f64::from(count)));
    }
    metrics.push(gauge(
        "strat_burst_machines",
        "Machines, by what they do.",
        of_state,
    ));
    metrics.push(gauge(
        "strat_burst_want",
        "How many machines are to be there.",
        want,
    ));
    metrics.push(gauge(
        "strat_burst_alarms",
        "What somebody should look at.",
        alarms,
    ));
    decisions(board, &mut metrics);
    let mut text = String::new();
    for metric in metrics.iter().filter(|metric| !metric.samples.is_empty()) {
        let _ = writeln!(text, "# HELP {} {}", metric.name, metric.help);
        let _ = writeln!(text, "# TYPE {} {}", metric.name, metric.kind);
        for (labels, value) in &metric.samples {
            let _ = writeln!(text, "{}{} {value}", metric.name, labelled(labels));
        }
    }
    text
}

/// What is known from the decisions themselves.
fn decisions(board: &Board, metrics: &mut Vec<Metric>) {
    let (mut sites, mut hour, mut month) = (Vec::new(), Vec::new(), Vec::new());
    let (mut values, mut good, mut need) = (Vec::new(), Vec::new(), Vec::new());
    let mut lost = Vec::new();
    for short in board.last() {
        let decision = &short.decision;
        let burst = || ("burst", decision.burst.clone());
        for (site, count) in &decision.inventory.by_site {
            sites.push((vec![burst(), ("site", site.clone())], f64::from(*count)));
        }
        let point = super::Point::of(decision);
        hour.push((vec![burst()], point.hour));
        month.push((vec![burst()], point.month));
        need.push((vec![burst()], f64::from(decision.need)));
        #[expect(clippy::cast_precision_loss, reason = "seconds of a month")]
        lost.push((vec![burst()], decision.cost.batch_lost_s as f64));
        for signal in &decision.signals {
            let labels = vec![burst(), ("signal", signal.name.clone())];
            good.push((labels.clone(), f64::from(u8::from(signal.state.is_good()))));
            values.extend(signal.value.map(|value| (labels, value)));
        }
    }
    metrics.push(gauge(
        "strat_burst_site_machines",
        "Machines, by site.",
        sites,
    ));
    metrics.push(gauge(
        "strat_burst_batch_lost_machine_seconds_this_month",
        "How long batch machines that gave way in the month had run.",
        lost,
    ));
    metrics.push(gauge(
        "strat_burst_need",
        "How many machines are needed.",
        need,
    ));
    metrics.push(gauge(
        "strat_burst_signal",
        "The value of a signal.",
        values,
    ));
    metrics.push(gauge(
        "strat_burst_signal_good",
        "Whether a signal is good.",
        good,
    ));
    metrics.push(gauge(
        "strat_burst_usd_per_hour",
        "What all machines cost in an hour.",
        hour,
    ));
    metrics.push(gauge(
        "strat_burst_usd_this_month",
        "What was spent in the month.",
        month,
    ));
    let counts = board.counts();
    let counted = counts.iter().flat_map(|(burst, counts)| {
        counts.iter().map(move |(action, count)| {
            #[expect(clippy::cast_precision_loss, reason = "a number of decisions")]
            let count = *count as f64;
            let labels = vec![("burst", burst.clone()), ("action", action.clone())];
            (labels, count)
        })
    });
    metrics.push(Metric {
        name: "strat_burst_decisions_total",
        kind: "counter",
        help: "Decisions that are on record since this began to read, by what they came to.",
        samples: counted.collect(),
    });
}

fn gauge(
    name: &'static str,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, String)>, f64)>,
) -> Metric {
    let kind = "gauge";
    Metric {
        name,
        kind,
        help,
        samples,
    }
}

fn labelled(labels: &[(&'static str, String)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let escaped = |value: &str| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        value.replace('\n', "\\n")
    };
    let labels = labels.iter();
    let labels: Vec<String> = labels
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .collect();
    format!("{{{}}}", labels.join(","))
}
