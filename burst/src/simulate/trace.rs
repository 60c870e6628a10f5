//! Traces of demand: values at equal steps of time.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::Timestamp;

/// The longest trace, in steps: ten years of minutes.
const LONGEST: usize = 10 * 366 * 1440;

/// What was asked of the machines, at equal steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// When it begins.
    pub from: Timestamp,
    /// The time between two values, in seconds.
    pub step_s: u64,
    /// The values; `NaN` where none is known.
    pub values: Vec<f64>,
}

/// Which columns of a CSV file are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The time: RFC 3339, or seconds since 1970.
    pub time: String,
    /// The demand.
    pub demand: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            time: "time".to_owned(),
            demand: "demand".to_owned(),
        }
    }
}

/// Why a trace cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The file is no CSV, or cannot be read.
    #[error("the trace cannot be read as CSV")]
    Csv(#[from] csv::Error),
    /// A column is missing.
    #[error("the trace has no column `{missing}`; it has {found}")]
    Column {
        /// The one that is missing.
        missing: String,
        /// Those that it has.
        found: String,
    },
    /// A value cannot be read.
    #[error("line {line}: `{text}` is no {what}")]
    Value {
        /// The line, from 1.
        line: u64,
        /// What stands there.
        text: String,
        /// What should.
        what: &'static str,
    },
    /// A line is not later than the one before it.
    #[error("line {line}: its time is not later than that of the line before")]
    Order {
        /// The line, from 1.
        line: u64,
    },
    /// Too little, or too much.
    #[error("a trace has from two values to ten years of minutes, and this one has {0}")]
    Length(usize),
}

impl Trace {
    /// Reads a CSV file with a line of names.
    ///
    /// The step is the one that is most frequent between two lines. What is missing in between is
    /// unknown, and not zero; so is an empty value.
    ///
    /// # Errors
    ///
    /// If a line says nothing that can be understood, with its number.
    pub fn read_csv(from: impl Read, columns: &Columns) -> Result<Self, TraceError> {
        let mut reader = csv::Reader::from_reader(from);
        let names = reader.headers()?.clone();
        let column = |name: &str| {
            let found = || names.iter().collect::<Vec<_>>().join(", ");
            names
                .iter()
                .position(|column| column.trim() == name)
                .ok_or_else(|| TraceError::Column {
                    missing: name.to_owned(),
                    found: found(),
                })
        };
        let (time, demand) = (column(&columns.time)?, column(&columns.demand)?);
        let mut rows: Vec<(i64, f64)> = Vec::new();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record)? {
            let line = record.position().map_or(0, csv::Position::line);
            let text = |column| record.get(column).unwrap_or_default().trim();
            let at = seconds(text(time)).ok_or_else(|| TraceError::Value {
                line,
                text: text(time).to_owned(),
                what: "time: write RFC 3339 or seconds since 1970",
            })?;
            let value = number(text(demand)).ok_or_else(|| TraceError::Value {
                line,
                text: text(demand).to_owned(),
                what: "demand: write a number from 0",
            })?;
            if rows.last().is_some_and(|(before, _)| at <= *before) {
                return Err(TraceError::Order { line });
            }
            if rows.len() >= LONGEST {
                return Err(TraceError::Length(rows.len()));
            }
            rows.push((at, value));
        }
        Self::of_rows(&rows)
    }

    fn of_rows(rows: &[(i64, f64)]) -> Result<Self, TraceError> {
        let mut gaps: BTreeMap<i64, usize> = BTreeMap::new();
        for pair in rows.windows(2) {
            *gaps.entry(pair[1].0 - pair[0].0).or_default() += 1;
        }
        let step = gaps.into_iter().max_by_key(|(gap, count)| (*count, -*gap));
        let (Some((step, _)), Some(first), Some(last)) = (step, rows.first(), rows.last()) else {
            return Err(TraceError::Length(rows.len()));
        };
        let steps = usize::try_from((last.0 - first.0) / step).unwrap_or(usize::MAX);
        if steps >= LONGEST {
            return Err(TraceError::Length(steps));
        }
        let mut values = vec![f64::NAN; steps + 1];
        for (at, value) in rows {
            let index = usize::try_from((at - first.0) / step).unwrap_or(usize::MAX);
            if let Some(place) = values.get_mut(index) {
                *place = *value;
            }
        }
        Ok(Self {
            from: Timestamp::from_second(first.0).map_err(|_| TraceError::Length(rows.len()))?,
            step_s: step.unsigned_abs(),
            values,
        })
    }

    /// Reads the wide form of the Azure Functions trace of 2019: a line for each function, with the
    /// number of its invocations in each minute of a day in columns `1` to `1440`. The functions are
    /// added up; the values are invocations per minute.
    ///
    /// # Errors
    ///
    /// If a line says nothing that can be understood, with its number.
    pub fn read_minutes_of_day(from: impl Read, day: Timestamp) -> Result<Self, TraceError> {
        let mut reader = csv::Reader::from_reader(from);
        let names = reader.headers()?.clone();
        let minutes: Vec<(usize, usize)> = names
            .iter()
            .enumerate()
            .filter_map(|(column, name)| {
                let minute: usize = name.trim().parse().ok()?;
                (1..=1440).contains(&minute).then_some((column, minute - 1))
            })
            .collect();
        if minutes.len() < 2 {
            return Err(TraceError::Column {
                missing: "1".to_owned(),
                found: names.iter().take(8).collect::<Vec<_>>().join(", "),
            });
        }
        let mut values = vec![0.0; 1440];
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record)? {
            let line = record.position().map_or(0, csv::Position::line);
            for (column, minute) in &minutes {
                let text = record.get(*column).unwrap_or_default().trim();
                let value = number(text).ok_or_else(|| TraceError::Value {
                    line,
                    text: text.to_owned(),
                    what: "number of invocations",
                })?;
                values[*minute] += if value.is_finite() { value } else { 0.0 };
            }
        }
        Ok(Self {
            from: day,
            step_s: 60,
            values,
        })
    }
}

/// A time as seconds since 1970.
fn seconds(text: &str) -> Option<i64> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_second());
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    let seconds: f64 = text.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "it is bounded")]
    let whole = (seconds.abs() < 1e12).then_some(seconds as i64);
    whole
}

/// A demand; `NaN` for none.
fn number(text: &str) -> Option<f64> {
    if text.is_empty() || text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    let value: f64 = text.parse().ok()?;
    (value.is_finite() && value >= 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Trace, TraceError> {
        Trace::read_csv(text.as_bytes(), &Columns::default())
    }

    #[test]
    fn times_are_read_both_ways_and_gaps_stay_gaps() {
        let trace = read(
            "time,demand\n2026-11-30T00:00:00Z,1\n2026-11-30T00:01:00Z,2.5\n2026-11-30T00:02:00Z,\n2026-11-30T00:05:00Z,4\n",
        );
        let trace = trace.expect("a trace");
        assert_eq!((trace.step_s, trace.values.len()), (60, 6));
        assert_eq!(&trace.values[..2], &[1.0, 2.5]);
        assert!(trace.values[2..5].iter().all(|value| value.is_nan()));
        let trace = read("demand,time\n1,0\n2,60\n3,120\n").expect("a trace");
        assert_eq!(trace.values, [1.0, 2.0, 3.0]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let error = |text| read(text).expect_err("wrong").to_string();
        assert_eq!(
            error("time,rate\n0,1\n"),
            "the trace has no column `demand`; it has time, rate"
        );
        assert_eq!(
            error("time,demand\n0,1\n60,-3\n"),
            "line 3: `-3` is no demand: write a number from 0"
        );
        assert_eq!(
            error("time,demand\n0,1\nnoon,3\n"),
            "line 3: `noon` is no time: write RFC 3339 or seconds since 1970"
        );
        assert_eq!(
            error("time,demand\n60,1\n60,3\n"),
            "line 3: its time is not later than that of the line before"
        );
        assert_eq!(
            error("time,demand\n60,1\n"),
            "a trace has from two values to ten years of minutes, and this one has 1"
        );
        assert!(error("time,demand\n0,1\n1,1\n99999999999,1\n").contains("ten years"));
    }

    #[test]
    fn the_wide_form_is_added_up() {
        let text = "HashOwner,HashFunction,Trigger,1,2,3\na,b,http,1,0,2\nc,d,timer,4,1,\n";
        let trace = Trace::read_minutes_of_day(text.as_bytes(), Timestamp::UNIX_EPOCH);
        let trace = trace.expect("a trace");
        assert_eq!(&trace.values[..4], &[5.0, 1.0, 2.0, 0.0]);
        assert_eq!(trace.values.len(), 1440);
    }
}
