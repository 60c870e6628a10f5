//! What is known without asking a site: where it is remembered, and how old it is.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use stratiform::provider::{Clock as _, TokioClock};
use stratiform::{FactsSource, OfferCache, OfflineFacts};

use crate::environment;
use crate::failure::Failure;

/// What sites answered before, in the user's folder for caches.
///
/// # Errors
/// If the user has no such folder.
pub(crate) fn offers() -> Result<OfferCache, Failure> {
    let caches = environment::caches().ok_or_else(|| {
        Failure::new("there is no folder for caches").help("set XDG_CACHE_HOME, or HOME")
    })?;
    Ok(OfferCache::below(&caches))
}

/// A moment, to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// When facts were true: the snapshot's have a day, a site's answer a moment.
pub(crate) fn as_of(facts: &OfflineFacts) -> Option<String> {
    let at = facts.as_of?;
    Some(match facts.source {
        FactsSource::Snapshot => at.to_zoned(TimeZone::UTC).date().to_string(),
        FactsSource::Live | FactsSource::Cache | FactsSource::Provider => moment(at),
    })
}

/// How old it is, in words.
pub(crate) fn age(at: Timestamp) -> String {
    let now = Arc::new(TokioClock::system()).now();
    age_at(now, at)
}

/// How old a day is, in words.
pub(crate) fn age_of_day(day: Date) -> Option<String> {
    let start = day.to_zoned(TimeZone::UTC).ok()?;
    Some(age(start.timestamp()))
}

fn age_at(now: Timestamp, at: Timestamp) -> String {
    let minutes = (now.as_second() - at.as_second()).max(0) / 60;
    let (count, unit) = match minutes {
        0..60 => (minutes, "minute"),
        60..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} old")
}

/// One line on where facts are from: `east: the built-in snapshot, as of 2025-03-02, 90 days old`.
pub(crate) fn line(of: &str, kind: FactsSource, as_of: Option<&str>, age: Option<&str>) -> String {
    let from = match kind {
        FactsSource::Live => "the site itself, as of",
        FactsSource::Cache => "what the site answered before, as of",
        FactsSource::Snapshot => "the built-in snapshot, as of",
        FactsSource::Provider => "its provider, which needs no network to tell",
    };
    let when = as_of.map_or_else(String::new, |as_of| format!(" {as_of}"));
    let age = age.map_or_else(String::new, |age| format!(", {age}"));
    format!("{of}: {from}{when}{age}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_unit_that_fits() {
        let second = |second| Timestamp::from_second(second).expect("a time");
        for (seconds, age) in [
            (-5, "0 minutes old"),
            (119, "1 minute old"),
            (3600, "1 hour old"),
            (47 * 3600, "47 hours old"),
            (48 * 3600, "2 days old"),
        ] {
            assert_eq!(age_at(second(1_000_000 + seconds), second(1_000_000)), age);
        }
    }

    #[test]
    fn a_line_says_what_where_and_when() {
        let line = line(
            "east",
            FactsSource::Snapshot,
            Some("2025-03-02"),
            Some("9 days old"),
        );
        assert_eq!(
            line,
            "east: the built-in snapshot, as of 2025-03-02, 9 days old\n"
        );
    }
}
