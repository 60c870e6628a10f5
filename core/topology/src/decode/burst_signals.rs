//! The signals of a burst.

use strat_model::burst::{Missing, Queue, Signal, SignalKind, WaitGoal};

use super::burst::{DAY, MINUTE, optional, required, seconds, whole};
use super::item::Arg;
use super::read;
use crate::ast::Block;
use crate::eval::Evaluator;
use crate::report::{Failed, Outcome};
use crate::value::{Value, text_of};

/// Reads the signals of a burst: the one of the short form first.
pub(super) fn signals(ev: &mut Evaluator<'_>, block: &Block) -> Outcome<Vec<Signal>> {
    let mut signals = short(ev, block).map(Vec::from_iter);
    let mut names: Vec<String> = Vec::new();
    for keyword in ["demand", "utilisation", "wait", "backlog"] {
        for block in block.body.blocks(keyword) {
            let Some(label) = block.labels.first() else {
                signals = Err(Failed);
                continue;
            };
            let name = label.text.to_string();
            let first = !names.contains(&name);
            names.push(name.clone());
            if !first {
                let message = format!("two signals of this burst are named `{name}`");
                let help = "give one of them another name".to_owned();
                signals = Err(ev.fail(label.span, "duplicate_name", message, "again", Some(help)));
                continue;
            }
            match (signal(ev, keyword, name, block), &mut signals) {
                (Ok(signal), Ok(signals)) => signals.push(signal),
                (Err(failed), _) => signals = Err(failed),
                (Ok(_), Err(_)) => {}
            }
        }
    }
    signals
}

/// `demand = "…"` and `each = 100` in the block itself.
fn short(ev: &mut Evaluator<'_>, block: &Block) -> Outcome<Option<Signal>> {
    let query = optional(ev, block, "demand", query);
    let each = optional(ev, block, "each", each);
    let (has, other, missing) = match (query?, each?) {
        (None, None) => return Ok(None),
        (Some(query), Some(demand)) => {
            return Ok(Some(Signal::new("demand", query, demand)));
        }
        (Some(_), None) => ("demand", "each", "`each = 120`: what one machine carries"),
        (None, Some(_)) => (
            "each",
            "demand",
            "`demand = \"sum(rate(…[1m]))\"`: the query that gives it",
        ),
    };
    let span = block
        .body
        .attribute(has)
        .map_or(block.head, |a| a.value.span);
    let message = format!("`{has}` needs `{other}` beside it");
    let help = Some(format!("add {missing}"));
    Err(ev.fail(
        span,
        "missing_attribute",
        message,
        "only half of a signal",
        help,
    ))
}

fn signal(ev: &mut Evaluator<'_>, keyword: &str, name: String, block: &Block) -> Outcome<Signal> {
    let stale = optional(ev, block, "stale", |ev, arg| seconds(ev, arg, 1, DAY));
    let hold = optional(ev, block, "hold", |ev, arg| seconds(ev, arg, 0, 31 * DAY));
    let sane = optional(ev, block, "sane", sane);
    let missing = optional(ev, block, "missing", missing);
    let (asked, means) = match keyword {
        "demand" => {
            let asked = required(ev, block, "query", query);
            (asked, required(ev, block, "each", each))
        }
        "utilisation" => {
            let asked = required(ev, block, "query", query);
            let target = required(ev, block, "target", |ev, arg| {
                number(ev, arg, 0.0, 1.0, true)
            });
            (
                asked,
                target.map(|target| SignalKind::Utilisation { target }),
            )
        }
        "wait" => {
            let asked = required(ev, block, "arrivals", query);
            (asked, wait(ev, block).map(SignalKind::Wait))
        }
        _ => {
            let asked = required(ev, block, "length", query);
            let rate = required(ev, block, "rate", positive);
            let drain_in_s = required(ev, block, "drain_in", |ev, arg| {
                seconds(ev, arg, 1, 31 * DAY)
            });
            let means = rate.and_then(|rate| {
                let drain_in_s = drain_in_s?;
                Ok(SignalKind::Backlog { rate, drain_in_s })
            });
            (asked, means)
        }
    };
    let mut signal = Signal::new(name, asked?, means?);
    signal.stale_s = stale?.unwrap_or(signal.stale_s);
    signal.hold_s = hold?.unwrap_or(signal.hold_s);
    signal.sane = sane?;
    signal.missing = missing?.unwrap_or_default();
    Ok(signal)
}

fn wait(ev: &mut Evaluator<'_>, block: &Block) -> Outcome<WaitGoal> {
    let service = required(ev, block, "service", fraction);
    let slots = optional(ev, block, "slots", |ev, arg| whole(ev, arg, 1, 1_000_000));
    let queue = optional(ev, block, "queue", |ev, arg| {
        let text = read::text(ev, arg)?;
        let at = read::choice(ev, arg, &text, &["shared", "random"])?;
        Ok([Queue::Shared, Queue::Random][at])
    });
    let within = required(ev, block, "within", fraction);
    let share = optional(ev, block, "share", share);
    let variability = optional(ev, block, "variability", positive);
    let patience = optional(ev, block, "patience", fraction);
    Ok(WaitGoal {
        service_s: service?,
        slots: slots?.unwrap_or(1),
        queue: queue?.unwrap_or_default(),
        within_s: within?,
        share: share?.unwrap_or(0.95),
        variability: variability?.unwrap_or(1.0),
        patience_s: patience?,
    })
}

/// A query, which is the business of whoever answers it; but it is not empty.
fn query(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<String> {
    let text = read::text(ev, arg)?;
    if text.trim().is_empty() {
        let message = format!("`{}` is empty", arg.name);
        let help = "write the query that gives the number, such as `\"sum(rate(http_requests_total[1m]))\"`";
        return Err(read::bad(ev, arg, "empty_query", message, help));
    }
    let text = text.trim();
    let why = match (text.strip_prefix("exec "), text.split_once("://")) {
        (Some(line), _) if line.trim().is_empty() => Some("it names no program"),
        (None, Some(("http" | "https", rest))) => {
            let (rest, pointer) = rest.split_once('#').unwrap_or((rest, "/"));
            let host = rest.split('/').next().unwrap_or_default();
            match (
                host.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()),
                host.contains('@'),
            ) {
                (true, _) => Some("it is no address"),
                (_, true) => Some("it holds a credential, which is nothing for a topology"),
                _ if !pointer.is_empty() && !pointer.starts_with('/') => {
                    Some("what stands after `#` is no JSON pointer, which begins with `/`")
                }
                _ => None,
            }
        }
        _ => None,
    };
    if let Some(why) = why {
        let message = format!("`{}` cannot be asked: {why}", arg.name);
        let help = "write a query for Prometheus, `\"https://HOST/PATH#/json/pointer\"`, or `\"exec PROGRAM ARGUMENTS\"`";
        return Err(read::bad(ev, arg, "bad_query", message, help));
    }
    Ok(text.to_owned())
}

/// What one machine carries: a number, or that it is measured.
fn each(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<SignalKind> {
    match text_of(&arg.value).as_deref() {
        Some("measured") => Ok(SignalKind::Measured),
        _ => positive(ev, arg).map(|each| SignalKind::Demand { each }),
    }
}

/// What is measured needs one demand, and one signal of how busy the machines are.
pub(super) fn check_measured(
    ev: &mut Evaluator<'_>,
    block: &Block,
    signals: &[Signal],
) -> Outcome<()> {
    let kinds = || signals.iter().map(|signal| &signal.means);
    let measured = kinds().filter(|means| matches!(means, SignalKind::Measured));
    let busy = kinds().filter(|means| matches!(means, SignalKind::Utilisation { .. }));
    let (message, help) = match (measured.count(), busy.count()) {
        (0, _) | (1, 1) => return Ok(()),
        (1, busy) => (
            format!(
                "what a machine carries is to be measured, and {busy} signals say how busy the machines are"
            ),
            "add one block `utilisation \"cpu\" { … }` with its `query` and `target`",
        ),
        (many, _) => (
            format!("what a machine carries is to be measured of {many} demands"),
            "give all but one of them a number",
        ),
    };
    let help = Some(help.to_owned());
    Err(ev.fail(block.head, "not_measurable", message, "not possible", help))
}

fn positive(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<f64> {
    number(ev, arg, 0.0, 1e15, true)
}

/// A share between 0 and 1, which is neither.
pub(super) fn share(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<f64> {
    number(ev, arg, 0.0, 1.0, false)
}

/// A number above `above`, and below `most` or equal to it.
fn number(
    ev: &mut Evaluator<'_>,
    arg: &Arg<'_>,
    above: f64,
    most: f64,
    inclusive: bool,
) -> Outcome<f64> {
    let Some(number) = arg.value.to_number() else {
        return Err(read::wrong(ev, arg, "a number", None));
    };
    let number = number.to_f64();
    if number > above && (number < most || (inclusive && number <= most)) {
        return Ok(number);
    }
    let message = format!("`{}` is {number}", arg.name);
    let help = match (most < 1e15, inclusive) {
        (true, true) => format!("use a number above {above}, up to {most}"),
        (true, false) => format!("use a number between {above} and {most}"),
        (false, _) => format!("use a number above {above}"),
    };
    Err(read::bad(ev, arg, "bad_number", message, &help))
}

fn sane(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<(f64, f64)> {
    let bound = |ev: &mut Evaluator<'_>, arg: &Arg<'_>| match arg.value.to_number() {
        Some(number) => Ok(number.to_f64()),
        None => Err(read::wrong(ev, arg, "two numbers", None)),
    };
    let bounds = read::each(ev, arg, "two numbers", bound)?;
    match bounds[..] {
        [least, most] if least < most => Ok((least, most)),
        _ => {
            let message = "`sane` is the least and the largest value that can be true";
            Err(read::bad(
                ev,
                arg,
                "bad_bounds",
                message,
                "write `sane = [0, 50000]`",
            ))
        }
    }
}

fn missing(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Missing> {
    let text = read::text(ev, arg)?;
    match text.as_str() {
        "hold" => Ok(Missing::Hold),
        "max" => Ok(Missing::Max),
        number => number.parse().map(Missing::Machines).map_err(|_| {
            let message = format!("`missing` cannot be `{text}`");
            let help = "write `\"hold\"`, `\"max\"` or a number of machines";
            read::bad(ev, arg, "bad_choice", message, help)
        }),
    }
}

/// A time such as `45ms`, in seconds.
fn fraction(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<f64> {
    let millis = millis(arg).filter(|millis| (1..=DAY * 1000).contains(millis));
    match millis {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day")]
        Some(millis) => Ok(millis as f64 / 1000.0),
        None => {
            let text = text_of(&arg.value).unwrap_or_default();
            let message = format!("`{}` cannot be `{text}`", arg.name);
            let help =
                "write a number above zero and a unit, up to a day: `45ms`, `2s`, `5m`, `1h`";
            Err(read::bad(ev, arg, "bad_duration", message, help))
        }
    }
}

/// A time with its unit, in milliseconds.
pub(super) fn millis(arg: &Arg<'_>) -> Option<u64> {
    let Value::String(text) = &arg.value else {
        return None;
    };
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let unit = match unit.trim() {
        "ms" => 1,
        "s" => 1000,
        "m" => MINUTE * 1000,
        "h" => 60 * MINUTE * 1000,
        "d" => DAY * 1000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}
