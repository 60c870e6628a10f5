//! Cron lines: the minutes of a local calendar at which something begins.

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// A cron line of five fields: minute, hour, day of month, month, day of week.
///
/// Each field is `*`, numbers, ranges and lists of them, with steps: `0,30`, `8-18/2`, `*/5`.
/// Months and days have their English names too (`jan`, `mon`); Sunday is 0 and 7. Where both days
/// are bounded, either will do, as in `crontab(5)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    /// As it was written.
    line: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day has to fit both of its fields, since one of them is `*`.
    both: bool,
}

/// What is wrong with a cron line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{line}` is no cron line: {why}")]
pub struct CronError {
    line: String,
    why: String,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Cron {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// If it has not five fields, one of them says something impossible, or no day fits.
    pub fn parse(line: &str) -> Result<Self, CronError> {
        let fail = |why: String| CronError {
            line: line.to_owned(),
            why,
        };
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(fail(format!(
                "it has {} fields, and needs five: minute, hour, day of month, month, day of week",
                fields.len()
            )));
        };
        let read = |name, text, low, high, names: &[&str]| {
            field(text, low, high, names).map_err(|why| fail(format!("the {name}: {why}")))
        };
        let mut weekdays = read("day of week", weekday, 0, 7, &WEEKDAYS)?;
        if weekdays & (1 << 7) != 0 {
            weekdays |= 1;
        }
        let cron = Self {
            line: line.to_owned(),
            minutes: read("minute", minute, 0, 59, &[])?,
            hours: read("hour", hour, 0, 23, &[])?,
            days: read("day of month", day, 1, 31, &[])?,
            months: read("month", month, 1, 12, &MONTHS)?,
            weekdays,
            both: day.starts_with('*') || weekday.starts_with('*'),
        };
        if cron.is_never() {
            return Err(fail("no day of any year fits".to_owned()));
        }
        Ok(cron)
    }

    /// Whether anything begins on a day.
    fn on(&self, date: Date) -> bool {
        let has = |set: u64, value: i8| value >= 0 && set & (1 << value) != 0;
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        let day = has(self.days, date.day());
        let fits = if self.both {
            weekday && day
        } else {
            weekday || day
        };
        has(self.months, date.month()) && fits
    }

    /// The local times of a day, latest first.
    pub fn of_day(&self, date: Date) -> impl Iterator<Item = DateTime> {
        let (hours, minutes) = if self.on(date) {
            (self.hours, self.minutes)
        } else {
            (0, 0)
        };
        let set = |set: u64, high: i8| (0..=high).rev().filter(move |at| set & (1 << at) != 0);
        set(hours, 23)
            .flat_map(move |hour| set(minutes, 59).map(move |minute| (hour, minute)))
            .map(move |(hour, minute)| date.at(hour, minute, 0, 0))
    }

    /// Whether no day of no year fits, such as the 30th of February.
    fn is_never(&self) -> bool {
        // The calendar repeats itself after 28 years, leap days included.
        let mut day = Date::constant(2000, 1, 1);
        for _ in 0..28 * 366 {
            if self.on(day) {
                return false;
            }
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => return true,
            }
        }
        true
    }
}

impl TryFrom<String> for Cron {
    type Error = CronError;

    fn try_from(line: String) -> Result<Self, CronError> {
        Self::parse(&line)
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> Self {
        cron.line
    }
}

/// The set of numbers of a field, as bits.
fn field(text: &str, low: u8, high: u8, names: &[&str]) -> Result<u64, String> {
    let mut set = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            None => (part, 1),
            Some((range, step)) => (range, step.parse::<u8>().unwrap_or(0)),
        };
        if step == 0 {
            return Err(format!("`{part}` has no step above zero"));
        }
        let number = |text: &str| number(text, low, high, names);
        let (from, to) = if range == "*" {
            (low, high)
        } else if let Some((from, to)) = range.split_once('-') {
            (number(from)?, number(to)?)
        } else if part.contains('/') {
            (number(range)?, high)
        } else {
            (number(range)?, number(range)?)
        };
        if from > to {
            return Err(format!("`{range}` ends before it begins"));
        }
        for value in (from..=to).step_by(usize::from(step)) {
            set |= 1 << value;
        }
    }
    Ok(set)
}

fn number(text: &str, low: u8, high: u8, names: &[&str]) -> Result<u8, String> {
    let lower = text.to_ascii_lowercase();
    if let Some(at) = names.iter().position(|name| *name == lower) {
        // Months begin at 1 and days of the week at 0: both at the field's lowest number.
        return u8::try_from(at)
            .map(|at| at + low)
            .map_err(|_| String::new());
    }
    let number = text.parse().ok().filter(|at| (low..=high).contains(at));
    number.ok_or_else(|| format!("`{text}` is no number from {low} to {high}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(line: &str, date: Date) -> Vec<String> {
        let cron = Cron::parse(line).expect(line);
        cron.of_day(date).map(|at| at.time().to_string()).collect()
    }

    #[test]
    fn fields_are_lists_ranges_and_steps() {
        let monday = Date::constant(2026, 11, 30);
        assert_eq!(times("30 6 * * 1-5", monday), ["06:30:00"]);
        assert_eq!(times("0,30 8-12/2 * * *", monday).len(), 6);
        assert_eq!(times("*/20 9 30 nov mon", monday).len(), 3);
        assert_eq!(times("0 9 * * sun", monday), Vec::<String>::new());
        assert_eq!(
            times("0 9 * * 7", Date::constant(2026, 11, 29)),
            ["09:00:00"]
        );
        // The first of the month or a Monday, either will do.
        assert_eq!(times("0 9 1 * mon", monday), ["09:00:00"]);
        assert_eq!(times("5/30 9 * * *", monday), ["09:35:00", "09:05:00"]);
    }

    #[test]
    fn impossible_lines_are_refused() {
        for line in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-2 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "1,,2 * * * *",
        ] {
            assert!(Cron::parse(line).is_err(), "{line}");
        }
        let error = Cron::parse("61 * * * *").expect_err("no such minute");
        assert_eq!(
            error.to_string(),
            "`61 * * * *` is no cron line: the minute: `61` is no number from 0 to 59"
        );
        let error = Cron::parse("0 0 30 2 *").expect_err("no such day");
        assert!(error.to_string().ends_with("no day of any year fits"));
        assert!(Cron::parse("0 0 29 2 *").is_ok());
    }
}
