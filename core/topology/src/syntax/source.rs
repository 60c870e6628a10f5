//! A text, and where it stands in its file.

use std::ops::Range;
use std::sync::Arc;

use strat_model::Origin;

use crate::span::Span;

/// Where a text stands in its file.
#[derive(Debug, Clone)]
pub(crate) enum Places {
    /// From this byte on, as it is.
    From(u32),
    /// Somewhere in here: its single places cannot be told.
    Within(Span),
    /// In pieces, each a byte of the text and the byte of the file where it stands; sorted.
    Pieces(Vec<(usize, usize)>),
}

/// A text to parse.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    file: u32,
    name: Arc<str>,
    pub(crate) text: &'a str,
    places: Places,
}

impl<'a> Source<'a> {
    /// The whole text of `file`, shown as `name`.
    pub(crate) fn file(file: u32, name: &Arc<str>, text: &'a str) -> Self {
        Self::part(file, name, text, Places::From(0))
    }

    /// A text that stands somewhere in `file`.
    pub(crate) fn part(file: u32, name: &Arc<str>, text: &'a str, places: Places) -> Self {
        Self {
            file,
            name: name.clone(),
            text,
            places,
        }
    }

    /// The place of some bytes of the text.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (start, end) = match &self.places {
            Places::Within(span) => return *span,
            Places::From(offset) => (
                offset.saturating_add(number(range.start)),
                offset.saturating_add(number(range.end)),
            ),
            Places::Pieces(pieces) => {
                let at = |at: usize| {
                    let after = pieces.partition_point(|(own, _)| *own <= at);
                    let piece = after.checked_sub(1).and_then(|last| pieces.get(last));
                    piece.map_or(0, |(own, file)| file + (at - own))
                };
                let start = at(range.start);
                let end = match range.end.checked_sub(1) {
                    Some(last) if last >= range.start => at(last) + 1,
                    _ => start,
                };
                (number(start), number(end))
            }
        };
        Span {
            file: self.file,
            start,
            end,
        }
    }

    /// The place of some bytes of the text as the model has it; it ends between two characters.
    pub(crate) fn origin(&self, range: Range<usize>) -> Origin {
        let boundary = |mut at: usize| {
            at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let span = self.span(boundary(range.start)..boundary(range.end));
        Origin {
            file: self.name.clone(),
            start: span.start,
            end: span.end,
        }
    }

    /// The place of the character at a byte.
    pub(crate) fn character(&self, at: usize) -> Range<usize> {
        let next = self.text.get(at..).and_then(|rest| rest.chars().next());
        at..at + next.map_or(0, char::len_utf8)
    }
}
