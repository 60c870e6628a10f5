//! Functions of points in time, written as RFC 3339 has them. None reads a clock.

use std::fmt::Write as _;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::{Args, FnResult, Function, pure};
use crate::value::{Number, Value};

pub(super) static TABLE: &[Function] = &[
    pure(
        "formatdate",
        (2, 2),
        format_date,
        "formatdate(spec, timestamp)",
        "A point in time in another form: YYYY, MM, DD, hh, mm, ss, ZZZZZ, EEE and so on.",
        "formatdate(\"DD MMM YYYY, hh:mm\", \"2026-03-04T05:06:07Z\") == \"04 Mar 2026, 05:06\"",
    ),
    pure(
        "timeadd",
        (2, 2),
        time_add,
        "timeadd(timestamp, duration)",
        "A point in time so much later, as by `1h30m`.",
        "timeadd(\"2026-03-04T05:06:07Z\", \"-10m\") == \"2026-03-04T04:56:07Z\"",
    ),
    pure(
        "timecmp",
        (2, 2),
        time_compare,
        "timecmp(timestamp, timestamp)",
        "-1, 0 or 1: whether the first is earlier, the same or later.",
        "timecmp(\"2026-03-04T05:06:07Z\", \"2026-03-04T06:06:07+01:00\") == 0",
    ),
];

/// A point in time and the offset that it was written with.
struct Moment {
    local: DateTime,
    offset: Offset,
}

impl Moment {
    /// Reads the form of RFC 3339, section 5.6.
    fn argument(args: &Args<'_>, at: usize) -> FnResult<Self> {
        let text = args.text(at)?;
        match Self::parse(&text) {
            Some(moment) => Ok(moment),
            None => Args::error(
                at,
                "takes a timestamp such as `\"2026-03-04T05:06:07Z\"`, and this is none",
            ),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| -> Option<i16> {
            let digits = text.get(from..to)?;
            let all = digits.bytes().all(|byte| byte.is_ascii_digit());
            all.then(|| digits.parse().ok())?
        };
        let small = |from: usize| i8::try_from(number(from, from + 2)?).ok();
        let signs = [(4, '-'), (7, '-'), (10, 'T'), (13, ':'), (16, ':')];
        let right =
            |(at, sign): (usize, char)| text.get(at..=at).is_some_and(|s| s.starts_with(sign));
        if !signs.into_iter().all(right) {
            return None;
        }
        let mut rest = text.get(19..)?;
        let mut nanoseconds = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let end = fraction.find(|c: char| !c.is_ascii_digit())?;
            let digits = fraction
                .get(..end.min(9))
                .filter(|digits| !digits.is_empty())?;
            nanoseconds = format!("{digits:0<9}").parse().ok()?;
            rest = fraction.get(end..)?;
        }
        let second = small(17)?;
        if second > 59 {
            return None;
        }
        let local = DateTime::new(
            number(0, 4)?,
            small(5)?,
            small(8)?,
            small(11)?,
            small(14)?,
            second,
            nanoseconds,
        );
        Some(Self {
            local: local.ok()?,
            offset: offset(rest)?,
        })
    }

    fn timestamp(&self) -> Option<Timestamp> {
        self.offset.to_timestamp(self.local).ok()
    }

    /// `Z` for UTC, else the offset, with or without a colon.
    fn zone(&self, colon: bool) -> String {
        let minutes = self.offset.seconds() / 60;
        let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
        let colon = if colon { ":" } else { "" };
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    }

    fn zone_or(&self, utc: &str, colon: bool) -> String {
        if self.offset.seconds() == 0 {
            utc.to_owned()
        } else {
            self.zone(colon)
        }
    }
}

/// `Z` or `+01:30`.
fn offset(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let negative = text.starts_with('-');
    let (hours, minutes) = text.strip_prefix(['+', '-'])?.split_once(':')?;
    let part = |text: &str, below: i32| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = digits.then(|| text.parse::<i32>().ok())??;
        (value < below).then_some(value)
    };
    let seconds = part(hours, 24)? * 3600 + part(minutes, 60)? * 60;
    Offset::from_seconds(if negative { -seconds } else { seconds }).ok()
}

fn time_compare(args: &Args<'_>) -> FnResult {
    let (a, b) = (Moment::argument(args, 0)?, Moment::argument(args, 1)?);
    Ok(Value::int(match a.timestamp().cmp(&b.timestamp()) {
        std::cmp::Ordering::Less => -1_i64,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }))
}

fn time_add(args: &Args<'_>) -> FnResult {
    let moment = Moment::argument(args, 0)?;
    let Some(duration) = duration(&args.text(1)?) else {
        return Args::error(
            1,
            "takes a duration such as `\"1h30m\"`, in h, m, s, ms, us or ns",
        );
    };
    let later = moment
        .timestamp()
        .and_then(|timestamp| timestamp.checked_add(duration).ok());
    let Some(later) = later else {
        return Args::error(1, "leads beyond the years that can be written");
    };
    let later = Moment {
        local: moment.offset.to_datetime(later),
        offset: moment.offset,
    };
    // As in Go, what is below a second is not written.
    Ok(Value::string(format!(
        "{}{}",
        later.local.strftime("%Y-%m-%dT%H:%M:%S"),
        later.zone_or("Z", true)
    )))
}

/// A duration as Go reads it: `1h30m`, `-1.5h`.
fn duration(text: &str) -> Option<SignedDuration> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut rest = unsigned;
    let mut total = Number::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let count = Number::parse(&rest[..end])?;
        rest = &rest[end..];
        let end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let nanoseconds: i64 = match &rest[..end] {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" | "µs" | "μs" => 1000,
            "ns" => 1,
            _ => return None,
        };
        total = total.plus(&count.times(&Number::from(nanoseconds))?)?;
        rest = &rest[end..];
    }
    let total = if unsigned.is_empty() {
        return None;
    } else if text.starts_with('-') {
        -&total
    } else {
        total
    };
    Some(SignedDuration::from_nanos(total.floor().to_i64()?))
}

fn format_date(args: &Args<'_>) -> FnResult {
    let moment = Moment::argument(args, 1)?;
    let spec = args.text(0)?;
    let mut out = String::new();
    let mut rest = &*spec;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\'' => quoted(rest, &mut out)?,
            c if c.is_ascii_alphabetic() => {
                let end = rest.find(|other| other != c).unwrap_or(rest.len());
                verb(&rest[..end], &moment, &mut out)?;
                end
            }
            c => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    Ok(Value::string(out))
}

/// `'text'` as it stands, with `''` for the sign itself: how much was taken.
fn quoted(text: &str, out: &mut String) -> FnResult<usize> {
    if text.starts_with("''") {
        out.push('\'');
        return Ok(2);
    }
    let mut signs = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = signs.next() {
        if c != '\'' {
            out.push(c);
        } else if signs.next_if(|(_, next)| *next == '\'').is_some() {
            out.push('\'');
        } else {
            return Ok(at + 1);
        }
    }
    Args::error(0, "has a `'` without the one that ends it")
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

fn verb(verb: &str, moment: &Moment, out: &mut String) -> FnResult<()> {
    let at = moment.local;
    let month = MONTHS[usize::from(at.month().unsigned_abs() - 1)];
    let day = DAYS[usize::from(at.weekday().to_monday_zero_offset().unsigned_abs())];
    let half = if at.hour() < 12 { "AM" } else { "PM" };
    let twelve = (at.hour() + 11) % 12 + 1;
    let written = match verb {
        "YY" => write!(out, "{:02}", at.year().rem_euclid(100)),
        "YYYY" => write!(out, "{:04}", at.year()),
        "M" => write!(out, "{}", at.month()),
        "MM" => write!(out, "{:02}", at.month()),
        "MMM" => write!(out, "{}", &month[..3]),
        "MMMM" => write!(out, "{month}"),
        "D" => write!(out, "{}", at.day()),
        "DD" => write!(out, "{:02}", at.day()),
        "EEE" => write!(out, "{}", &day[..3]),
        "EEEE" => write!(out, "{day}"),
        "h" => write!(out, "{}", at.hour()),
        "hh" => write!(out, "{:02}", at.hour()),
        "H" => write!(out, "{twelve}"),
        "HH" => write!(out, "{twelve:02}"),
        "AA" => write!(out, "{half}"),
        "aa" => write!(out, "{}", half.to_ascii_lowercase()),
        "m" => write!(out, "{}", at.minute()),
        "mm" => write!(out, "{:02}", at.minute()),
        "s" => write!(out, "{}", at.second()),
        "ss" => write!(out, "{:02}", at.second()),
        "Z" => write!(out, "{}", moment.zone_or("Z", true)),
        "ZZZ" => write!(out, "{}", moment.zone_or("UTC", false)),
        "ZZZZ" => write!(out, "{}", moment.zone(false)),
        "ZZZZZ" => write!(out, "{}", moment.zone(true)),
        _ => {
            return Args::error(0, format!("does not know `{verb}`; put text in `'…'`"));
        }
    };
    written.or_else(|_| Args::error(0, "cannot be written"))
}
