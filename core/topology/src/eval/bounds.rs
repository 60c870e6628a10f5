//! What keeps evaluation within memory and time, whatever a topology says.
//!
//! Each value is bounded where it is made, and so is the work of all of them: a step is an expression
//! that is evaluated, 16 bytes that are made, or 512 bytes that a function goes through. What is made
//! in so many steps is about 1.6 GB at most.

use super::Evaluator;
use crate::report::{Failed, Outcome};
use crate::span::Span;
use crate::value::{ITEM_BYTES, MAX_VALUE_BYTES, Size, Value};
use strat_model::Diagnostic;

/// How deep lists and maps nest in one another.
const MAX_NESTING: u32 = 512;
/// The most steps of evaluating a topology.
const MAX_STEPS: u64 = 100_000_000;
/// The bytes of new values that count as a step.
const MADE_BYTES: usize = 16;
/// The bytes of values that a function goes through that count as a step.
const READ_BYTES: usize = 512;

/// Why a value cannot be had.
enum Excess {
    Bytes,
    Nesting,
}

const fn excess(size: Size) -> Option<Excess> {
    if size.bytes > MAX_VALUE_BYTES {
        Some(Excess::Bytes)
    } else if size.levels > MAX_NESTING {
        Some(Excess::Nesting)
    } else {
        None
    }
}

impl Evaluator<'_> {
    /// A value that stands at `span`, if it is no larger than a value may be.
    pub(super) fn bounded(&mut self, value: Value, span: Span) -> Outcome<Value> {
        match excess(value.size()) {
            None => Ok(value),
            Some(excess) => Err(self.too_large(&excess, span)),
        }
    }

    /// What is left of `room` with one more item, and its key, of what is made at `span`.
    pub(super) fn room(
        &mut self,
        room: usize,
        key: usize,
        item: &Value,
        span: Span,
    ) -> Outcome<usize> {
        let bytes = item.size().bytes.saturating_add(ITEM_BYTES + key);
        let left = room.checked_sub(bytes);
        left.ok_or_else(|| self.too_large(&Excess::Bytes, span))
    }

    /// That a text of so many bytes is no larger than a value may be.
    pub(super) fn text_fits(&mut self, bytes: usize, span: Span) -> Outcome<()> {
        if bytes <= MAX_VALUE_BYTES {
            return Ok(());
        }
        Err(self.too_large(&Excess::Bytes, span))
    }

    /// Counts the bytes of a value that was made at `span`.
    pub(crate) fn made(&mut self, bytes: usize, span: Span) -> Outcome<()> {
        self.steps_of((bytes / MADE_BYTES) as u64, span)
    }

    /// Counts the bytes of values that are gone through at `span`.
    pub(crate) fn goes_through(&mut self, bytes: usize, span: Span) -> Outcome<()> {
        self.steps_of((bytes / READ_BYTES) as u64, span)
    }

    /// How many steps are left.
    pub(super) const fn steps_left(&self) -> u64 {
        MAX_STEPS.saturating_sub(self.steps)
    }

    /// Counts a step.
    pub(super) fn step(&mut self, span: Span) -> Outcome<()> {
        self.steps_of(1, span)
    }

    /// Counts some steps. Beyond the last one nothing is evaluated any more, which is told once.
    pub(crate) fn steps_of(&mut self, count: u64, span: Span) -> Outcome<()> {
        let before = self.steps;
        self.steps = before.saturating_add(count);
        if self.steps <= MAX_STEPS {
            return Ok(());
        }
        if before <= MAX_STEPS {
            let finding = Diagnostic::error("too_many_steps", "this topology takes too long")
                .at(
                    &self.files.origin(span),
                    format!("after {MAX_STEPS} steps, evaluation had come to here"),
                )
                .help("look for a `for` within a `for` over long lists, or for many long texts");
            // Also where a failure is asked for, as in `try`: all that follows fails.
            self.sink.insist(finding);
        }
        Err(Failed)
    }

    fn too_large(&mut self, excess: &Excess, span: Span) -> Failed {
        let (message, label) = match excess {
            Excess::Bytes => (
                "this value is too large",
                format!(
                    "more than {} MiB: the bytes of its texts, and {ITEM_BYTES} for each item",
                    MAX_VALUE_BYTES >> 20
                ),
            ),
            Excess::Nesting => (
                "this value is nested too deeply",
                format!("more than {MAX_NESTING} lists and maps within one another"),
            ),
        };
        self.fail(span, "too_large", message, label, None)
    }
}
