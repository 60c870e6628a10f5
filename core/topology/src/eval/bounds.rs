//! What keeps evaluation within memory and time, whatever a topology says.

use super::Evaluator;
use crate::report::{Failed, Outcome};
use crate::span::Span;
use crate::value::{ITEM_BYTES, MAX_VALUE_BYTES, Value};
use strat_model::{Diagnostic, TemplatePart};

/// How deep lists and maps nest in one another.
const MAX_NESTING: usize = 512;
/// How many expressions are evaluated, each as often as it is.
const MAX_STEPS: u64 = 100_000_000;

/// Why a value cannot be had.
enum Excess {
    Bytes,
    Nesting,
}

/// What is left of `room` bytes with a value in them.
fn left(value: &Value, room: usize, nesting: usize) -> Result<usize, Excess> {
    let less = |bytes: usize| room.checked_sub(bytes).ok_or(Excess::Bytes);
    if nesting == 0 {
        return Err(Excess::Nesting);
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Ref(_) => Ok(room),
        Value::String(text) => less(text.len()),
        Value::Sensitive(inner) => left(inner, room, nesting),
        Value::Unknown(unknown) => {
            let parts = unknown.parts.iter().flat_map(|parts| parts.iter());
            let texts = parts.map(|part| match part {
                TemplatePart::Text(text) => text.len(),
                TemplatePart::Attribute { .. } => ITEM_BYTES,
            });
            less(texts.sum())
        }
        // The instances of a block, which may be a hundred thousand, and are named by each of as many.
        Value::List(items)
            if matches!(
                (items.first(), items.last()),
                (Some(Value::Ref(_)), Some(Value::Ref(_)))
            ) =>
        {
            less(items.len().saturating_mul(ITEM_BYTES))
        }
        Value::Map(items) if matches!(items.values().next(), Some(Value::Ref(_))) => {
            less(items.len().saturating_mul(ITEM_BYTES))
        }
        Value::List(items) => items.iter().try_fold(room, |room, item| {
            let room = room.checked_sub(ITEM_BYTES).ok_or(Excess::Bytes)?;
            left(item, room, nesting - 1)
        }),
        Value::Map(items) => items.iter().try_fold(room, |room, (key, item)| {
            let bytes = ITEM_BYTES + key.len();
            let room = room.checked_sub(bytes).ok_or(Excess::Bytes)?;
            left(item, room, nesting - 1)
        }),
    }
}

impl Evaluator<'_> {
    /// A value that was made at `span`, if it is no larger than a value may be.
    pub(super) fn bounded(&mut self, value: Value, span: Span) -> Outcome<Value> {
        match left(&value, MAX_VALUE_BYTES, MAX_NESTING) {
            Ok(_) => Ok(value),
            Err(excess) => Err(self.too_large(&excess, span)),
        }
    }

    /// What is left of `room` with one more item of what is made at `span`.
    pub(super) fn room(&mut self, room: usize, item: &Value, span: Span) -> Outcome<usize> {
        let left = left(item, room, MAX_NESTING - 1)
            .and_then(|room| room.checked_sub(ITEM_BYTES).ok_or(Excess::Bytes));
        left.map_err(|excess| self.too_large(&excess, span))
    }

    /// That a text of so many bytes is no larger than a value may be.
    pub(super) fn text_fits(&mut self, bytes: usize, span: Span) -> Outcome<()> {
        if bytes <= MAX_VALUE_BYTES {
            return Ok(());
        }
        Err(self.too_large(&Excess::Bytes, span))
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

    /// Counts a step. Beyond the last one nothing is evaluated any more, which is told once.
    pub(super) fn step(&mut self, span: Span) -> Outcome<()> {
        self.steps += 1;
        if self.steps <= MAX_STEPS {
            return Ok(());
        }
        if self.steps == MAX_STEPS + 1 {
            let finding = Diagnostic::error("too_many_steps", "this topology takes too long")
                .at(
                    &self.files.origin(span),
                    format!("after {MAX_STEPS} steps, evaluation had come to here"),
                )
                .help("look for a `for` within a `for` over long lists");
            // Also where a failure is asked for, as in `try`: all that follows fails.
            self.sink.insist(finding);
        }
        Err(Failed)
    }
}
