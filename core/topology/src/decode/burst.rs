//! Bursts: how the count of a fleet follows its load.

use std::collections::BTreeMap;

use strat_model::burst::{BurstClass, BurstIntent, BurstPolicy, Step, Survive};
use strat_model::{Diagnostic, LocalAddr, MachineIntent, Name, Noun};

use super::item::Arg;
use super::{burst_settings, burst_signals, find, read};
use crate::ast::Block;
use crate::eval::Evaluator;
use crate::report::{Failed, Outcome};
use crate::value::{Value, text_of};

/// A minute, an hour and a day, in seconds.
pub(super) const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;
/// The most machines of a fleet.
const MAX_FLEET: u32 = 1_000_000;

/// Reads all bursts.
pub(super) fn bursts(
    ev: &mut Evaluator<'_>,
    machines: &[MachineIntent],
) -> Outcome<Vec<BurstIntent>> {
    let program = ev.program;
    let mut bursts = Vec::new();
    let mut result = Ok(());
    let mut held: BTreeMap<LocalAddr, &Name> = BTreeMap::new();
    for (name, block) in &program.bursts {
        let burst = burst(ev, name, block, machines);
        let burst = burst.and_then(|burst| {
            once(ev, block, &burst, &held)?;
            Ok(burst)
        });
        match burst {
            Ok(burst) => {
                held.insert(burst.fleet.clone(), name);
                bursts.push(burst);
            }
            Err(failed) => result = Err(failed),
        }
    }
    result.map(|()| bursts)
}

/// Refuses a second burst of one fleet.
fn once(
    ev: &mut Evaluator<'_>,
    block: &Block,
    burst: &BurstIntent,
    held: &BTreeMap<LocalAddr, &Name>,
) -> Outcome<()> {
    let Some(other) = held.get(&burst.fleet) else {
        return Ok(());
    };
    let span = block
        .body
        .attribute("fleet")
        .map_or(block.head, |a| a.value.span);
    let message = format!("`{}` is held by `burst.{other}` already", burst.fleet);
    let help = "a fleet has one burst: put the signals of both into one block";
    Err(ev.fail(
        span,
        "two_bursts",
        message,
        "held twice",
        Some(help.to_owned()),
    ))
}

fn burst(
    ev: &mut Evaluator<'_>,
    name: &Name,
    block: &Block,
    machines: &[MachineIntent],
) -> Outcome<BurstIntent> {
    let fleet = required(ev, block, "fleet", fleet);
    let max = required(ev, block, "max", |ev, arg| whole(ev, arg, 1, MAX_FLEET));
    let class = choice(
        ev,
        block,
        "class",
        &[("online", BurstClass::Online), ("batch", BurstClass::Batch)],
    );
    let priority = optional(ev, block, "priority", priority);
    let tolerance = optional(ev, block, "tolerance", percent);
    let notice = optional(ev, block, "notice", burst_settings::machine_address);
    let signals = burst_signals::signals(ev, block);
    let up = times(ev, block, "up", &["after"], 0);
    let down = times(ev, block, "down", &["after", "min_age"], 0);
    let steps = [step(ev, block, "up"), step(ev, block, "down")];
    let at_once = nested(ev, block, "down", "at_once", |ev, arg| {
        whole(ev, arg, 1, MAX_FLEET)
    });
    let mut policy = BurstPolicy::new(name.as_str(), 0, 0);
    let drain = burst_settings::drain(ev, block, &mut policy);
    let cost = burst_settings::cost(ev, block, &mut policy);
    let lost = burst_settings::lost(ev, block, &mut policy);
    let (fleet, max) = (fleet?, max?);
    let Some(of) = find(machines, &fleet, |of| &of.common.addr) else {
        // What is wrong with the fleet has been told.
        return Err(Failed);
    };
    (policy.min, policy.max) = (of.count, max);
    if max < of.count {
        let message = format!("`max` is {max}, and `{fleet}` has {} at least", of.count);
        return Err(at(
            ev,
            block,
            "max",
            "bad_max",
            message,
            "raise `max`, or lower the fleet's `count`",
        ));
    }
    // Where two places share the machines, it takes twice as many for one of the two to be enough.
    if of.placement.survive && max < of.count.saturating_mul(2) {
        let message = format!(
            "`max` is {max}, and for the {} of `{fleet}` to survive a loss it takes up to {}",
            of.count,
            of.count.saturating_mul(2)
        );
        let help = "raise `max`, lower the fleet's `count`, or leave its `survive` out";
        return Err(at(ev, block, "max", "bad_max", message, help));
    }
    let sites = of.placement.sites.len();
    let survived = if sites > 1 {
        Survive::Site
    } else {
        Survive::Zone
    };
    policy.survive = of.placement.survive.then_some(survived);
    policy.class = class?.unwrap_or_default();
    policy.priority = priority?.unwrap_or(0);
    policy.tolerance_percent = tolerance?.unwrap_or(policy.tolerance_percent);
    policy.notice = notice?;
    policy.signals = signals?;
    burst_signals::check_measured(ev, block, &policy.signals)?;
    let [up_step, down_step] = steps;
    policy.up.step = up_step?.unwrap_or(policy.up.step);
    policy.down.step = down_step?.unwrap_or(policy.down.step);
    if let Some(after_s) = up?[0] {
        policy.up.after_s = after_s;
    }
    let down = down?;
    policy.down.after_s = down[0].unwrap_or(policy.down.after_s);
    policy.down.min_age_s = down[1].unwrap_or(policy.down.min_age_s);
    policy.down.at_once = at_once?.unwrap_or(policy.down.at_once);
    drain?;
    cost?;
    lost?;
    policy.windows = burst_settings::windows(ev, block, max)?;
    policy.forecast = burst_settings::forecast(ev, block, &policy)?;
    if policy.signals.is_empty() && policy.windows.is_empty() {
        let finding = Diagnostic::error("no_signal", "this burst follows nothing")
            .at(&ev.files.origin(block.head), "no signal and no window")
            .help("add `demand = \"…\"` and `each = 100`, or a `window`");
        return Err(ev.report(finding));
    }
    Ok(BurstIntent {
        fleet,
        policy,
        origin: Some(ev.files.origin(block.head)),
    })
}

/// A finding at an attribute, or at the block's head.
fn at(
    ev: &mut Evaluator<'_>,
    block: &Block,
    attribute: &str,
    code: &str,
    message: String,
    help: &str,
) -> Failed {
    let span = block
        .body
        .attribute(attribute)
        .map_or(block.head, |a| a.value.span);
    ev.fail(span, code, message, "not possible", Some(help.to_owned()))
}

/// An argument that may be left out.
pub(super) fn optional<T>(
    ev: &mut Evaluator<'_>,
    block: &Block,
    name: &'static str,
    read: impl FnOnce(&mut Evaluator<'_>, &Arg<'_>) -> Outcome<T>,
) -> Outcome<Option<T>> {
    let Some(attribute) = block.body.attribute(name) else {
        return Ok(None);
    };
    let span = attribute.value.span;
    let value = ev.eval(&attribute.value, &crate::eval::ROOT)?;
    let value = ev.plain(value, span, name)?;
    if value == Value::Null {
        return Ok(None);
    }
    let arg = Arg {
        name,
        value,
        span,
        expr: Some(&attribute.value),
    };
    read(ev, &arg).map(Some)
}

/// An argument that must be there. That it is missing has been told with the block's shape.
pub(super) fn required<T>(
    ev: &mut Evaluator<'_>,
    block: &Block,
    name: &'static str,
    read: impl FnOnce(&mut Evaluator<'_>, &Arg<'_>) -> Outcome<T>,
) -> Outcome<T> {
    if let Some(value) = optional(ev, block, name, read)? {
        return Ok(value);
    }
    if let Some(attribute) = block.body.attribute(name) {
        let message = format!("`{name}` must have a value");
        ev.fail(
            attribute.value.span,
            "missing_attribute",
            message,
            "this is null",
            None,
        );
    }
    Err(Failed)
}

/// An argument of a block that stands once in another, if both are there.
fn nested<T>(
    ev: &mut Evaluator<'_>,
    block: &Block,
    keyword: &str,
    name: &'static str,
    read: impl FnOnce(&mut Evaluator<'_>, &Arg<'_>) -> Outcome<T>,
) -> Outcome<Option<T>> {
    let Some(inner) = block.body.blocks(keyword).next() else {
        return Ok(None);
    };
    optional(ev, inner, name, read)
}

/// Some times of a nested block, in seconds, each at least so long.
fn times(
    ev: &mut Evaluator<'_>,
    block: &Block,
    keyword: &str,
    names: &[&'static str],
    least_s: u64,
) -> Outcome<Vec<Option<u64>>> {
    let time = |name: &&'static str| {
        nested(ev, block, keyword, name, |ev, arg| {
            seconds(ev, arg, least_s, 7 * DAY)
        })
    };
    names.iter().map(time).collect()
}

fn step(ev: &mut Evaluator<'_>, block: &Block, keyword: &str) -> Outcome<Option<Step>> {
    nested(ev, block, keyword, "step", |ev, arg| {
        let text = text_of(&arg.value).unwrap_or_default();
        let text = text.trim();
        let step = match text.strip_suffix('%') {
            Some(share) => share.trim_end().parse().ok().map(Step::Percent),
            None => text.parse().ok().map(Step::Machines),
        };
        let possible = |step: &Step| match step {
            Step::Percent(share) => (1..=1000).contains(share),
            Step::Machines(machines) => (1..=MAX_FLEET).contains(machines),
        };
        step.filter(possible).ok_or_else(|| {
            let message = format!("a step cannot be `{text}`");
            let help = "write a share such as `\"20%\"`, or a number of machines from 1";
            read::bad(ev, arg, "bad_step", message, help)
        })
    })
}

/// One of some words of a nested block, or of the block itself where no keyword is given.
pub(super) fn choice<T: Copy>(
    ev: &mut Evaluator<'_>,
    block: &Block,
    name: &'static str,
    words: &[(&str, T)],
) -> Outcome<Option<T>> {
    optional(ev, block, name, |ev, arg| {
        let text = read::text(ev, arg)?;
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Ok(words[read::choice(ev, arg, &text, &known)?].1)
    })
}

fn fleet(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<LocalAddr> {
    read::thing(ev, arg, Noun::Machines)
}

fn priority(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<i32> {
    let number = read::int(ev, arg)?;
    i32::try_from(number).map_err(|_| {
        let message = format!("`priority` is {number}");
        read::bad(
            ev,
            arg,
            "bad_number",
            message,
            "use a number of at most nine digits",
        )
    })
}

pub(super) fn whole(ev: &mut Evaluator<'_>, arg: &Arg<'_>, least: u32, most: u32) -> Outcome<u32> {
    let number = read::int(ev, arg)?;
    let whole = u32::try_from(number)
        .ok()
        .filter(|n| (least..=most).contains(n));
    whole.ok_or_else(|| {
        let message = format!("`{}` is {number}", arg.name);
        let help = format!("use a whole number from {least} to {most}");
        read::bad(ev, arg, "bad_number", message, &help)
    })
}

/// A share such as `10%`.
fn percent(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<u32> {
    let text = read::text(ev, arg)?;
    let share = text
        .trim()
        .strip_suffix('%')
        .and_then(|share| share.trim_end().parse().ok());
    share.filter(|share| *share <= 50).ok_or_else(|| {
        let message = format!("`{}` cannot be `{text}`", arg.name);
        read::bad(
            ev,
            arg,
            "bad_share",
            message,
            "write a share from `\"0%\"` to `\"50%\"`",
        )
    })
}

/// A time such as `15m` in whole seconds, from and up to so many.
pub(super) fn seconds(
    ev: &mut Evaluator<'_>,
    arg: &Arg<'_>,
    least_s: u64,
    most_s: u64,
) -> Outcome<u64> {
    let millis = burst_signals::millis(arg);
    let whole = millis
        .filter(|millis| millis % 1000 == 0)
        .map(|millis| millis / 1000);
    whole.filter(|s| (least_s..=most_s).contains(s)).ok_or_else(|| {
        let text = text_of(&arg.value).unwrap_or_default();
        let message = format!("`{}` cannot be `{text}`", arg.name);
        let help = format!(
            "write a time in whole seconds from {least_s} s to {most_s} s, such as `30s`, `15m`, `2h` or `7d`"
        );
        read::bad(ev, arg, "bad_duration", message, &help)
    })
}
