//! What a burst says besides its signals: windows, the forecast, draining, cost, silent sites.

use strat_model::burst::{
    BurstPolicy, Cron, ForecastMode, ForecastSetting, LostThen, Overdue, SignalKind, Window,
    WindowStart, Zone,
};

use super::burst::{DAY, HOUR, choice, optional, required, seconds, whole};
use super::item::Arg;
use super::{burst_signals, placement, read};
use crate::ast::Block;
use crate::eval::Evaluator;
use crate::report::Outcome;

/// The longest that a window lasts, in seconds.
const YEAR: u64 = 366 * DAY;

pub(super) fn drain(
    ev: &mut Evaluator<'_>,
    block: &Block,
    policy: &mut BurstPolicy,
) -> Outcome<()> {
    let Some(block) = block.body.blocks("drain").next() else {
        return Ok(());
    };
    let http = optional(ev, block, "http", machine_address);
    let command = optional(ev, block, "command", |ev, arg| {
        let text = read::text(ev, arg)?;
        let known = !text
            .replace("{ip}", "")
            .replace("{id}", "")
            .contains(['{', '}']);
        let names = text.contains("{ip}") || text.contains("{id}");
        if known && names && !text.trim_start().starts_with('{') {
            return Ok(text);
        }
        let message = format!(
            "`{}` names no machine, or no program",
            text.escape_default()
        );
        let help =
            "write `\"/usr/local/bin/drain {ip}\"`; `{ip}` is the machine's address, `{id}` its id";
        Err(read::bad(ev, arg, "bad_hook", message, help))
    });
    let both = ["http", "command"].map(|name| block.body.attribute(name));
    if let [Some(_), Some(second)] = both {
        let message = "a machine is drained by `http` or by `command`, not by both".to_owned();
        let help = Some("leave one of them out".to_owned());
        return Err(ev.fail(second.value.span, "bad_hook", message, "the second", help));
    }
    let deadline = optional(ev, block, "deadline", |ev, arg| seconds(ev, arg, 1, DAY));
    let overdue = choice(
        ev,
        block,
        "overdue",
        &[("keep", Overdue::Keep), ("delete", Overdue::Delete)],
    );
    policy.drain.http = http?;
    policy.drain.command = command?;
    policy.drain.deadline_s = deadline?.unwrap_or(policy.drain.deadline_s);
    policy.drain.overdue = overdue?.unwrap_or_default();
    Ok(())
}

/// An address of a machine, with a place for its IP address.
pub(super) fn machine_address(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<String> {
    let text = read::text(ev, arg)?;
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let known = !text.replace("{ip}", "").contains(['{', '}']);
    if rest.is_some_and(|rest| !rest.is_empty()) && plain && known && text.contains("{ip}") {
        return Ok(text);
    }
    let message = format!("`{}` is no address of a machine", text.escape_default());
    let help = format!(
        "write `\"http://{{ip}}:9000/{}\"`; `{{ip}}` is the machine's address",
        if arg.name == "http" {
            "drain"
        } else {
            arg.name
        }
    );
    Err(read::bad(ev, arg, "bad_hook", message, &help))
}

pub(super) fn cost(ev: &mut Evaluator<'_>, block: &Block, policy: &mut BurstPolicy) -> Outcome<()> {
    let Some(block) = block.body.blocks("cost").next() else {
        return Ok(());
    };
    let hourly = optional(ev, block, "hourly", placement::dollars);
    let monthly = optional(ev, block, "monthly", placement::dollars);
    let payback = optional(ev, block, "payback", |ev, arg| {
        seconds(ev, arg, 0, 31 * DAY)
    });
    policy.cost.hourly = hourly?;
    policy.cost.monthly = monthly?;
    policy.cost.payback_s = payback?.unwrap_or(policy.cost.payback_s);
    Ok(())
}

pub(super) fn lost(ev: &mut Evaluator<'_>, block: &Block, policy: &mut BurstPolicy) -> Outcome<()> {
    let Some(block) = block.body.blocks("lost").next() else {
        return Ok(());
    };
    let after = optional(ev, block, "after", |ev, arg| seconds(ev, arg, 0, DAY));
    let then = choice(
        ev,
        block,
        "then",
        &[("hold", LostThen::Hold), ("replace", LostThen::Replace)],
    );
    policy.lost.after_s = after?.unwrap_or(policy.lost.after_s);
    policy.lost.then = then?.unwrap_or_default();
    Ok(())
}

pub(super) fn windows(ev: &mut Evaluator<'_>, block: &Block, max: u32) -> Outcome<Vec<Window>> {
    let windows = block.body.blocks("window").map(|block| {
        let name = block.labels.first().map(|label| label.text.to_string());
        let from = required(ev, block, "from", window_start);
        let for_s = required(ev, block, "for", |ev, arg| seconds(ev, arg, 1, YEAR));
        let tz = required(ev, block, "tz", |ev, arg| {
            let text = read::text(ev, arg)?;
            Zone::new(text).map_err(|error| {
                let help =
                    "write the name of an IANA time zone, such as `\"Europe/Prague\"` or `\"UTC\"`";
                read::bad(ev, arg, "bad_zone", error.to_string(), help)
            })
        });
        let min = required(ev, block, "min", |ev, arg| whole(ev, arg, 0, max));
        Ok(Window {
            name: name.unwrap_or_default(),
            from: from?,
            for_s: for_s?,
            tz: tz?,
            min: min?,
        })
    });
    windows.collect()
}

/// A local time, or a cron line.
fn window_start(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<WindowStart> {
    let text = read::text(ev, arg)?;
    let text = text.trim();
    if !text.contains(' ')
        && let Ok(at) = text.parse()
    {
        return Ok(WindowStart::At(at));
    }
    Cron::parse(text).map(WindowStart::Cron).map_err(|error| {
        let help = "write a local time, `\"2026-11-10T22:00\"`, or a cron line, `\"30 6 * * 1-5\"`";
        read::bad(ev, arg, "bad_start", error.to_string(), help)
    })
}

pub(super) fn forecast(
    ev: &mut Evaluator<'_>,
    block: &Block,
    policy: &BurstPolicy,
) -> Outcome<Option<ForecastSetting>> {
    let Some(block) = block.body.blocks("forecast").next() else {
        return Ok(None);
    };
    let of = required(ev, block, "of", |ev, arg| {
        let text = read::text(ev, arg)?;
        let demands = policy.signals.iter().filter(|signal| {
            matches!(
                signal.means,
                SignalKind::Demand { .. } | SignalKind::Measured
            )
        });
        let demands: Vec<&str> = demands.map(|signal| signal.name.as_str()).collect();
        if demands.contains(&text.as_str()) {
            return Ok(text);
        }
        let message = format!("there is no demand `{text}` in this burst");
        let help = match demands.first() {
            Some(first) => format!("write `of = \"{first}\"`"),
            None => "only a `demand` can be forecast: add one".to_owned(),
        };
        Err(read::bad(ev, arg, "unknown_signal", message, &help))
    });
    let seasons = optional(ev, block, "seasons", |ev, arg| {
        read::each(ev, arg, "a list of times", |ev, arg| {
            seconds(ev, arg, HOUR, 28 * DAY)
        })
    });
    let quantile = optional(ev, block, "quantile", burst_signals::share);
    let mode = choice(
        ev,
        block,
        "mode",
        &[("floor", ForecastMode::Floor), ("tell", ForecastMode::Tell)],
    );
    Ok(Some(ForecastSetting {
        of: of?,
        seasons_s: seasons?
            .filter(|all| !all.is_empty())
            .unwrap_or_else(|| vec![DAY, 7 * DAY]),
        quantile: quantile?.unwrap_or(0.9),
        mode: mode?.unwrap_or_default(),
    }))
}
