//! Where the text of a scalar stands in its file.

/// The pieces of `text` as it is `written` from byte `start` of a file on: byte of the text, and byte of
/// the file. `None` if the two do not fit.
///
/// A scalar may be in quotes, with escapes, or of several lines, whose line breaks and indentation its
/// text has not, or has as spaces.
pub(super) fn of(text: &str, written: &str, start: usize) -> Option<Vec<(usize, usize)>> {
    // The parser's range of a block does not tell that it is one; white space does, which only lines
    // of a block keep.
    pieces(text, written, start, false).or_else(|| pieces(text, written, start, true))
}

fn pieces(text: &str, written: &str, start: usize, block: bool) -> Option<Vec<(usize, usize)>> {
    let first = written.chars().next();
    let quote = first.filter(|c| !block && matches!(c, '"' | '\''));
    let skipped = usize::from(quote.is_some());
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    let mut at = skipped;
    for (own, c) in text.char_indices() {
        loop {
            let rest = &written[at..];
            let next = rest.chars().next();
            let length = match (quote, next) {
                (Some('"'), Some('\\')) => escape(rest, c),
                (Some('\''), Some('\'')) if c == '\'' => rest.starts_with("''").then_some(2),
                _ => (next == Some(c)).then_some(c.len_utf8()),
            };
            // A folded line break is a space.
            let folded = c == ' ' && matches!(next, Some('\n' | '\r'));
            let length = length.or(folded.then_some(1));
            if let Some(length) = length {
                let place = start + at;
                let breaks = rest.starts_with(['\n', '\r']);
                let runs_on = pieces.last().is_some_and(|(o, f)| place - f == own - o);
                if !runs_on {
                    pieces.push((own, place));
                }
                at += length;
                if breaks && !block {
                    at += indentation(&written[at..]);
                }
                break;
            }
            // What the text has not: indentation, and breaks of folded lines.
            match next {
                Some('\n' | '\r') if !block => at += 1 + indentation(&rest[1..]),
                Some(' ' | '\t' | '\n' | '\r') => at += 1,
                // A line break that is escaped.
                Some('\\') if rest[1..].starts_with(['\n', '\r']) => at += 1,
                // The end of a block may lie behind what the parser tells of it.
                None if c == '\n' => return Some(pieces),
                _ => return None,
            }
        }
    }
    Some(pieces)
}

/// The length of the white space that a line begins with; in quotes and in plain scalars it is none
/// of the text.
fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// The length of the escape that `rest` begins with, if it may stand for `c`.
fn escape(rest: &str, c: char) -> Option<usize> {
    let kind = rest[1..].chars().next()?;
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\n' | '\r' => return None,
        'n' => return (c == '\n').then_some(2),
        't' => return (c == '\t').then_some(2),
        'r' => return (c == '\r').then_some(2),
        ' ' | '"' | '/' | '\\' => return (c == kind).then_some(2),
        _ => return Some(1 + kind.len_utf8()),
    };
    // A character beyond the first 65,536 is two escapes in JSON.
    let halves = kind == 'u' && u32::from(c) > 0xffff;
    let length = (2 + digits) * if halves { 2 } else { 1 };
    (rest.len() >= length && rest.is_char_boundary(length)).then_some(length)
}
