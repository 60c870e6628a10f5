//! Windows: times in which at least so many machines run.
//!
//! A window has a beginning, a length and a time zone. There is no second cron line for its end, so
//! that it can neither end before it begins nor last until a day that was not meant.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use strat_model::burst::{Cron, Window, WindowStart};

/// The longest that a window may last, in seconds: a year.
pub const LONGEST_S: u64 = 366 * 86_400;

/// A window whose zone and cron line have been read.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    name: String,
    start: Start,
    length_s: i64,
    zone: TimeZone,
    min: u32,
}

#[derive(Debug, Clone)]
enum Start {
    At(DateTime),
    Cron(Cron),
}

/// What is wrong with a window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// It has no length, or too great a one.
    #[error("a window lasts from a second to a year, not {0} s")]
    Length(u64),
}

/// Reads what a window says.
///
/// # Errors
///
/// If its length is impossible.
pub(crate) fn compile(window: &Window) -> Result<Compiled, WindowError> {
    let length_s = i64::try_from(window.for_s).ok();
    let length_s = length_s.filter(|_| (1..=LONGEST_S).contains(&window.for_s));
    let start = match &window.from {
        WindowStart::At(at) => Start::At(*at),
        WindowStart::Cron(cron) => Start::Cron(cron.clone()),
    };
    Ok(Compiled {
        name: window.name.clone(),
        start,
        length_s: length_s.ok_or(WindowError::Length(window.for_s))?,
        zone: window.tz.rules(),
        min: window.min,
    })
}

/// What windows ask for between two instants, both included: the largest of them, with its name.
pub(crate) fn asked(
    windows: &[Compiled],
    from: Timestamp,
    until: Timestamp,
) -> Option<(u32, &str)> {
    let open = windows.iter().filter(|window| window.opens(from, until));
    let most = open.max_by_key(|window| (window.min, std::cmp::Reverse(&window.name)))?;
    Some((most.min, &most.name))
}

impl Compiled {
    /// Whether it is open at some instant between two, both included.
    fn opens(&self, from: Timestamp, until: Timestamp) -> bool {
        let begun = self.last_start(until);
        begun.is_some_and(|start| start.as_second() + self.length_s > from.as_second())
    }

    /// The last time it begins, up to an instant.
    ///
    /// A local time that a change of clocks leaves out begins as much later as the clocks jump; one
    /// that comes twice begins the first time (RFC 5545, 3.3.5). So a day has one beginning for each
    /// that its cron line names.
    fn last_start(&self, until: Timestamp) -> Option<Timestamp> {
        let instant = |local: DateTime| {
            let zoned = self.zone.to_ambiguous_zoned(local).compatible().ok()?;
            Some(zoned.timestamp()).filter(|at| *at <= until)
        };
        match &self.start {
            Start::At(local) => instant(*local),
            Start::Cron(cron) => {
                // A day more on either side, for what changes of clocks move.
                let mut day = self.zone.to_datetime(until).date().tomorrow().ok()?;
                let first = self.first_day(until)?;
                while day >= first {
                    let mut begun = cron.of_day(day).filter_map(instant);
                    if let Some(start) = begun.next() {
                        return Some(start);
                    }
                    day = day.yesterday().ok()?;
                }
                None
            }
        }
    }

    /// The first day on which a window that is still open at `until` can have begun.
    fn first_day(&self, until: Timestamp) -> Option<Date> {
        let days = self.length_s / 86_400 + 2;
        let day = self.zone.to_datetime(until).date();
        day.checked_sub(days.days()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strat_model::burst::Zone;

    fn at(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    fn daily(line: &str, hours: u64, tz: &str) -> Compiled {
        compile(&Window {
            name: "w".to_owned(),
            from: WindowStart::Cron(Cron::parse(line).expect(line)),
            for_s: hours * 3600,
            tz: Zone::new(tz).expect(tz),
            min: 3,
        })
        .expect("a window")
    }

    fn open(window: &Compiled, text: &str) -> bool {
        window.opens(at(text), at(text))
    }

    #[test]
    fn one_that_is_dated_is_open_once() {
        let window = compile(&Window {
            name: "sale".to_owned(),
            from: WindowStart::At("2026-11-10T22:00".parse().expect("local time")),
            for_s: 28 * 3600,
            tz: Zone::new("Asia/Shanghai").expect("a zone"),
            min: 40,
        });
        let window = window.expect("a window");
        assert!(!open(&window, "2026-11-10T13:59:59Z"));
        assert!(open(&window, "2026-11-10T14:00:00Z"));
        assert!(open(&window, "2026-11-11T17:59:59Z"));
        assert!(!open(&window, "2026-11-11T18:00:00Z"));
        // Machines that take half an hour to boot are asked for half an hour before.
        assert!(window.opens(at("2026-11-10T13:30:00Z"), at("2026-11-10T14:00:00Z")));
    }

    #[test]
    fn clocks_go_forward_and_half_past_two_is_half_past_three() {
        let window = daily("30 2 * * *", 1, "Europe/Prague");
        // 29 March 2026, 02:00 CET: there is no 02:30; it begins at 03:30 CEST.
        assert!(!open(&window, "2026-03-29T01:29:59Z"));
        assert!(open(&window, "2026-03-29T01:30:00Z"));
        assert!(open(&window, "2026-03-29T02:29:59Z"));
        assert!(!open(&window, "2026-03-29T02:30:00Z"));
        // The day before and the day after as always.
        assert!(open(&window, "2026-03-28T01:30:00Z"));
        assert!(open(&window, "2026-03-30T00:30:00Z"));
    }

    #[test]
    fn clocks_go_back_and_half_past_two_comes_once() {
        let window = daily("30 2 * * *", 1, "Europe/Prague");
        // 25 October 2026: 02:30 CEST is 00:30 UTC, and 02:30 CET is 01:30 UTC.
        assert!(open(&window, "2026-10-25T00:30:00Z"));
        assert!(open(&window, "2026-10-25T01:29:59Z"));
        assert!(!open(&window, "2026-10-25T01:30:00Z"));
        assert!(!open(&window, "2026-10-25T02:00:00Z"));
    }

    #[test]
    fn a_long_one_lasts_so_many_hours_whatever_clocks_do() {
        let window = daily("0 22 * * 6", 10, "Europe/Prague");
        // From Saturday 22:00 CET (21:00 UTC) ten hours that pass: 07:00 UTC, which is 09:00 CEST.
        assert!(open(&window, "2026-03-29T06:59:59Z"));
        assert!(!open(&window, "2026-03-29T07:00:00Z"));
    }

    #[test]
    fn impossible_ones_are_refused() {
        let window = Window {
            name: "w".to_owned(),
            from: WindowStart::Cron(Cron::parse("0 9 * * *").expect("a line")),
            for_s: 0,
            tz: Zone::new("Europe/Prague").expect("a zone"),
            min: 1,
        };
        assert_eq!(compile(&window).err(), Some(WindowError::Length(0)));
        let error = Zone::new("Europe/Pragu").expect_err("no zone");
        assert_eq!(error.to_string(), "there is no time zone `Europe/Pragu`");
    }
}
