//! The source beside a finding, with very long lines cut: JSON is often one line of a megabyte.

use miette::{MietteError, MietteSpanContents, NamedSource, SourceCode, SourceSpan, SpanContents};

/// Lines up to this many bytes are shown whole.
const LINE_MAX: usize = 400;
/// How much of a longer one is shown on both sides of a place.
const AROUND: usize = 80;

/// A file's text as it is shown.
#[derive(Debug)]
pub(super) struct Excerpt {
    source: NamedSource<String>,
    /// The pieces of the text that are shown: where each begins in the text, where as shown, and
    /// its length.
    pieces: Vec<(usize, usize, usize)>,
    /// The columns of the places, from 0, by where they are shown.
    columns: Vec<(usize, usize)>,
}

impl Excerpt {
    /// The text of `file`, in which something is to be said of `places`.
    pub(super) fn new(file: &str, text: &str, places: impl Iterator<Item = usize>) -> Self {
        let places: Vec<usize> = places.collect();
        let mut shown = String::new();
        let mut pieces = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            for (from, to) in windows(text, start, line, &places) {
                if from > start {
                    shown.push('…');
                }
                pieces.push((from, shown.len(), to - from));
                shown.push_str(&text[from..to]);
                if to < start + line.trim_end().len() {
                    shown.push('…');
                }
            }
            if line.len() > LINE_MAX && line.ends_with('\n') {
                shown.push('\n');
            }
            start += line.len();
        }
        let mut excerpt = Self {
            source: NamedSource::new(file, shown),
            pieces,
            columns: Vec::new(),
        };
        let column = |at: usize| {
            let before = text.get(..at).unwrap_or(text);
            let line = before.rsplit('\n').next().unwrap_or_default();
            line.chars().count()
        };
        excerpt.columns = places
            .iter()
            .map(|at| (excerpt.shown(*at), column(*at)))
            .collect();
        excerpt
    }

    /// Where a byte of the text is shown, or the nearest one before it that is.
    pub(super) fn shown(&self, at: usize) -> usize {
        let after = self.pieces.partition_point(|(from, ..)| *from <= at);
        match after.checked_sub(1).and_then(|last| self.pieces.get(last)) {
            Some((from, shown, length)) => shown + (at - from).min(*length),
            None => 0,
        }
    }
}

/// The parts of a line that are shown, as bytes of the whole text.
fn windows(text: &str, start: usize, line: &str, places: &[usize]) -> Vec<(usize, usize)> {
    let end = start + line.len();
    if line.len() <= LINE_MAX {
        return vec![(start, end)];
    }
    let end = start + line.trim_end().len();
    let mut here: Vec<usize> = places
        .iter()
        .copied()
        .filter(|at| (start..=end).contains(at))
        .collect();
    if here.is_empty() {
        here.push(start);
    }
    here.sort_unstable();
    let mut windows: Vec<(usize, usize)> = Vec::new();
    for at in here {
        let from = boundary(text, at.saturating_sub(AROUND).max(start));
        let to = boundary(text, (at + AROUND).min(end));
        match windows.last_mut() {
            Some((_, last)) if from <= *last => *last = to.max(*last),
            _ => windows.push((from, to)),
        }
    }
    windows
}

/// The nearest place at or before a byte that is between two characters.
fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.source.read_span(span, before, after)?;
        let known = self.columns.iter().find(|(at, _)| *at == span.offset());
        let column = match known {
            Some((_, column)) if before == 0 && after == 0 => *column,
            _ => inner.column(),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.source.name().to_owned(),
            inner.data(),
            *inner.span(),
            inner.line(),
            column,
            inner.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_around_their_places() {
        let long = format!("a\n{}X{}ü\nb\n", "é".repeat(1000), "z".repeat(5000));
        let at = 2 + 2000;
        let excerpt = Excerpt::new("f", &long, [at].into_iter());
        let text = excerpt.source.inner();
        assert!(text.len() < 400, "{text}");
        assert_eq!(text.lines().count(), 3);
        let shown = excerpt.shown(at);
        assert_eq!(&text[shown..=shown], "X");
        let contents = excerpt.read_span(&(shown, 1).into(), 0, 0).expect("there");
        assert_eq!((contents.line(), contents.column()), (1, 1000));
        assert_eq!(excerpt.shown(0), 0);
        let last = excerpt.shown(long.len() - 2);
        assert_eq!(&text[last..=last], "b");
    }

    #[test]
    fn short_lines_stay_as_they_are() {
        let text = "a\r\nbü\n";
        let excerpt = Excerpt::new("f", text, [3].into_iter());
        assert_eq!(excerpt.source.inner(), text);
        assert_eq!(excerpt.shown(text.len()), text.len());
    }
}
