//! Patterns: the functions that look for one in a text.
//!
//! A search takes time in proportion to the text and to the pattern. One for every match may, at
//! worst, look at the rest of the text for each, so what it can look at is counted before it is done.

use std::sync::Arc;

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::re2::translate;
use super::{Args, FnResult, Function, pure};
use crate::value::{ITEM_BYTES, Map, Value};

pub(super) static TABLE: &[Function] = &[
    pure(
        "regex",
        (2, 2),
        regex,
        "regex(pattern, text)",
        "The first match: its text, or its groups as a list or map.",
        "regex(\"[0-9]+\", \"rack12\") == \"12\"",
    ),
    pure(
        "regexall",
        (2, 2),
        regex_all,
        "regexall(pattern, text)",
        "All matches.",
        "regexall(\"[a-z]\", \"a1b\") == [\"a\", \"b\"]",
    ),
    pure(
        "replace",
        (3, 3),
        replace,
        "replace(text, search, replacement)",
        "The text with all of one thing replaced; `/…/` is a pattern.",
        "replace(\"a.b\", \".\", \"-\") == \"a-b\"",
    ),
];

/// The most states of a pattern.
const MAX_STATES: usize = 100_000;
/// How many states of a pattern are made in a step.
const MADE_STATES: usize = 4;
/// How many states are looked at in a step, each for a byte of the text.
const SEEN_STATES: usize = 32;

/// A pattern, and what looking for it costs.
struct Pattern {
    regex: Regex,
    /// About how many states it has.
    states: usize,
    /// The most bytes of a match, if there is a bound.
    longest: Option<usize>,
    /// The ASCII signs that are in no match.
    ends: [bool; 128],
}

impl Pattern {
    fn new(args: &Args<'_>, pattern: &str, at: usize) -> FnResult<Self> {
        let wrong =
            |why: &str| Args::error(at, format!("takes a pattern, and this is none: {why}"));
        let last_line = |error: String| {
            let last = error.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        };
        let translated = match translate(pattern) {
            Ok(translated) => translated,
            Err(why) => return wrong(&why),
        };
        let hir = match regex_syntax::parse(&translated) {
            Ok(hir) => hir,
            Err(error) => return wrong(&last_line(error.to_string())),
        };
        let states = states(&hir);
        if states > MAX_STATES {
            return wrong("it is too large");
        }
        args.spend(states / MADE_STATES)?;
        let mut ends = [true; 128];
        keep(&hir, &mut ends);
        match Regex::new(&translated) {
            Ok(regex) => Ok(Self {
                regex,
                states,
                longest: hir.properties().maximum_len(),
                ends,
            }),
            Err(error) => wrong(&last_line(error.to_string())),
        }
    }

    /// One whose groups all have names, or none has.
    fn of_groups(args: &Args<'_>, pattern: &str) -> FnResult<Self> {
        let pattern = Self::new(args, pattern, 0)?;
        let groups = pattern.regex.captures_len() - 1;
        let named = pattern.regex.capture_names().flatten().count();
        if named > 0 && named < groups {
            return Args::error(0, "names some groups and others not; name all or none");
        }
        Ok(pattern)
    }

    /// Counts a look at so many bytes.
    fn look(&self, args: &Args<'_>, bytes: usize) -> FnResult<()> {
        args.spend(bytes.saturating_mul(self.states) / SEEN_STATES)
    }

    /// Gives `each` the length of every match, and counts what finding them all costs.
    fn every(&self, args: &Args<'_>, text: &str, mut each: impl FnMut(usize)) -> FnResult<()> {
        self.look(args, text.len())?;
        let is_end = |byte: &u8| self.ends.get(usize::from(*byte)).is_some_and(|end| *end);
        let mut next_end = 0;
        for found in self.regex.find_iter(text) {
            if next_end < found.end() {
                let rest = text.as_bytes()[found.end()..].iter();
                let to_end = rest.clone().position(is_end);
                next_end = found.end() + to_end.unwrap_or(rest.len());
            }
            let seen = next_end - found.start();
            self.look(args, self.longest.map_or(seen, |most| seen.min(most)))?;
            each(found.len());
        }
        Ok(())
    }

    /// A match as a value: a text, or its groups.
    fn captured(&self, found: &regex::Captures<'_>) -> Value {
        let group = |at: usize| {
            found
                .get(at)
                .map_or(Value::Null, |m| Value::string(m.as_str()))
        };
        let count = self.regex.captures_len();
        if count == 1 {
            return group(0);
        }
        let names: Vec<Option<&str>> = self.regex.capture_names().skip(1).collect();
        if names.iter().any(Option::is_some) {
            let named = names.iter().enumerate();
            let named = named.filter_map(|(at, name)| Some((Arc::from((*name)?), group(at + 1))));
            return Value::Map(Arc::new(named.collect::<Map>()));
        }
        Value::list((1..count).map(group))
    }
}

/// About how many states a pattern has: one for each byte of its texts and range of its classes, as
/// often as they are repeated.
fn states(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(text) => text.0.len(),
        HirKind::Class(Class::Unicode(class)) => class.ranges().len().saturating_mul(2).max(1),
        HirKind::Class(Class::Bytes(class)) => class.ranges().len().max(1),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            let times = usize::try_from(times.max(1)).unwrap_or(usize::MAX);
            states(&repetition.sub)
                .saturating_add(1)
                .saturating_mul(times)
        }
        HirKind::Capture(capture) => states(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            let sum = |sum: usize, part: &Hir| sum.saturating_add(states(part));
            parts.iter().fold(1, sum)
        }
    }
}

/// Strikes the signs that may be in a match off those that are in none.
fn keep(hir: &Hir, ends: &mut [bool; 128]) {
    let mut strike = |from: u32, to: u32| {
        for sign in from..=to.min(127) {
            if let Some(end) = usize::try_from(sign).ok().and_then(|at| ends.get_mut(at)) {
                *end = false;
            }
        }
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(text) => {
            let bytes = text.0.iter();
            bytes.for_each(|byte| strike(u32::from(*byte), u32::from(*byte)));
        }
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = class.ranges().iter();
            ranges.for_each(|range| strike(u32::from(range.start()), u32::from(range.end())));
        }
        HirKind::Class(Class::Bytes(class)) => {
            let ranges = class.ranges().iter();
            ranges.for_each(|range| strike(u32::from(range.start()), u32::from(range.end())));
        }
        HirKind::Repetition(repetition) => keep(&repetition.sub, ends),
        HirKind::Capture(capture) => keep(&capture.sub, ends),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| keep(part, ends));
        }
    }
}

fn regex(args: &Args<'_>) -> FnResult {
    let pattern = Pattern::of_groups(args, &args.text(0)?)?;
    let text = args.text(1)?;
    pattern.look(args, text.len())?;
    match pattern.regex.captures(&text) {
        Some(found) => Ok(pattern.captured(&found)),
        None => Args::error(1, "finds no match in this text"),
    }
}

fn regex_all(args: &Args<'_>) -> FnResult {
    let pattern = Pattern::of_groups(args, &args.text(0)?)?;
    let text = args.text(1)?;
    let mut matches = 0_usize;
    pattern.every(args, &text, |_| matches += 1)?;
    let items = matches.saturating_mul(pattern.regex.captures_len());
    Args::room(1, items.saturating_mul(ITEM_BYTES))?;
    let all = pattern.regex.captures_iter(&text);
    let all = all.map(|found| pattern.captured(&found));
    Ok(Value::list_of_one_type(all.collect()))
}

fn replace(args: &Args<'_>) -> FnResult {
    let (text, search, with) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let pattern = search.strip_prefix('/').and_then(|s| s.strip_suffix('/'));
    let Some(pattern) = pattern.filter(|_| search.len() > 1) else {
        let matches = text.matches(&*search).count();
        let made = matches.saturating_mul(with.len());
        Args::room(2, text.len().saturating_add(made))?;
        return Ok(Value::string(text.replace(&*search, &with)));
    };
    let pattern = Pattern::new(args, pattern, 1)?;
    // Each `$` of the replacement may stand for all of a match.
    let groups = with.matches('$').count();
    let mut made = text.len();
    pattern.every(args, &text, |length| {
        let filled = groups.saturating_mul(length).saturating_add(with.len());
        made = made.saturating_add(filled);
    })?;
    Args::room(2, made)?;
    Ok(Value::string(pattern.regex.replace_all(&text, &*with)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether all matches of a pattern are found in a text within so many steps.
    fn is_found(pattern: &str, text: &str, steps: u64) -> bool {
        let values = [Value::string(pattern), Value::string(text)];
        regex_all(&Args::new(&values, steps)).is_ok()
    }

    #[test]
    fn what_a_search_can_look_at_is_counted_before_it_is_done() {
        // Every `a` may begin a match that ends at a `b`, so each search looks at all of the rest.
        let text = "a".repeat(20_000);
        assert!(!is_found("a(?s:.*)b|a", &text, 100_000));
        // No match goes beyond a line, or beyond a comma, or is long.
        let lines = "a=1,\n".repeat(4_000);
        assert!(is_found("a.*1|a", &lines, 100_000));
        assert!(is_found("a[^,]*b|a", &lines, 100_000));
        assert!(is_found("a(?s:.{3})b|a", &lines, 100_000));
        // A pattern is as large as what its repetitions stand for.
        assert!(!is_found("((a{100}){100}){20}", "", u64::MAX));
        assert!(!is_found("(a{100}){100}", "", 100));
        assert!(is_found("(a{100}){100}", "", 10_000));
    }
}
