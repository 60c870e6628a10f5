//! How machines give way to others.

use std::time::Duration;

use strat_model::{HealthAddress, HealthCheck, RolloutIntent, Wave};

use super::item::{Arg, Item};
use super::read;
use crate::ast::Block;
use crate::eval::Evaluator;
use crate::report::{Failed, Outcome};
use crate::value::{Value, text_of};

/// How long a machine may take until it is healthy, unless the topology says something else.
const TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// The pause between two questions, likewise.
const INTERVAL: Duration = Duration::from_secs(5);
/// The longest time that can be asked for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest path.
const PATH_MAX: usize = 1024;

pub(super) fn rollout(item: &mut Item<'_, '_>) -> Outcome<RolloutIntent> {
    let Some(block) = item.thing.block.body.blocks("rollout").next() else {
        return Ok(RolloutIntent::default());
    };
    let wave = item.nested(block, "wave", wave);
    let health = block.body.blocks("health").next();
    let health = health.map(|block| health_check(item, block)).transpose();
    Ok(RolloutIntent {
        wave: wave?.unwrap_or_default(),
        health: health?,
    })
}

fn health_check(item: &mut Item<'_, '_>, block: &Block) -> Outcome<HealthCheck> {
    let port = item.nested_required(block, "port", port);
    let path = item.nested(block, "path", path);
    let address = item.nested(block, "address", address);
    let timeout = item.nested(block, "timeout", duration);
    let interval = item.nested(block, "interval", duration);
    let (timeout, interval) = (timeout?.unwrap_or(TIMEOUT), interval?.unwrap_or(INTERVAL));
    Ok(HealthCheck {
        port: port?,
        path: path?,
        address: address?.unwrap_or_default(),
        timeout_ms: millis(timeout),
        interval_ms: millis(interval),
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A number of machines, or a share of them.
fn wave(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Wave> {
    let Some(text) = text_of(&arg.value) else {
        return Err(read::wrong(ev, arg, "a number or a share", None));
    };
    let text = text.trim();
    let wave = match text.strip_suffix('%') {
        Some(share) => share.trim_end().parse().ok().map(Wave::Percent),
        None => text.parse().ok().map(Wave::Machines),
    };
    let possible = |wave: &Wave| match wave {
        Wave::Percent(share) => (1..=100).contains(share),
        Wave::Machines(machines) => *machines > 0,
    };
    wave.filter(possible).ok_or_else(|| {
        let message = format!("a wave cannot be `{text}`");
        let help = "write a share from `\"1%\"` to `\"100%\"`, or a number of machines from 1";
        read::bad(ev, arg, "bad_wave", message, help)
    })
}

fn port(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<u16> {
    let number = read::int(ev, arg)?;
    let port = u16::try_from(number).ok().filter(|port| *port > 0);
    port.ok_or_else(|| {
        let message = format!("there is no port {number}");
        read::bad(ev, arg, "bad_port", message, "use one from 1 to 65535")
    })
}

/// A path as it stands in a request: nothing in it ends the line.
fn path(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<String> {
    let text = read::text(ev, arg)?;
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !text.starts_with('/') || !plain || text.len() > PATH_MAX {
        let message = format!("`{}` is no path", text.escape_default());
        let help = "begin it with `/`, and write what is not plain ASCII as `%C3%A4`";
        return Err(read::bad(ev, arg, "bad_path", message, help));
    }
    Ok(text)
}

fn address(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<HealthAddress> {
    let text = read::text(ev, arg)?;
    let choices = [HealthAddress::Private, HealthAddress::Public];
    let at = read::choice(ev, arg, &text, &["private", "public"])?;
    Ok(choices[at])
}

/// A time such as `5m`.
fn duration(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Duration> {
    let Value::String(text) = &arg.value else {
        return Err(read::wrong(ev, arg, "a time such as `\"5m\"`", None));
    };
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    let (number, unit) = text.split_at(split);
    let unit = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    let millis: Option<u64> = number.parse().ok().and_then(|n: u64| n.checked_mul(unit));
    let time = millis.map(Duration::from_millis);
    let possible = |time: &Duration| !time.is_zero() && *time <= LONGEST;
    time.filter(possible).ok_or_else(|| -> Failed {
        let message = format!("`{}` cannot be `{text}`", arg.name);
        let help = "write a number above zero and a unit, up to a day: `500ms`, `30s`, `5m`, `1h`";
        read::bad(ev, arg, "bad_duration", message, help)
    })
}
