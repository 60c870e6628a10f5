//! Bytes of a text, and positions as clients count them.

use std::ops::Range;

use gen_lsp_types::{Position, PositionEncodingKind, Range as ClientRange};

/// What a position's `character` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Bytes, where the client can do that.
    Utf8,
    /// Units of UTF-16, which every client can do.
    Utf16,
}

impl Encoding {
    /// The best of those that a client offers.
    pub(crate) fn choose(offered: &[PositionEncodingKind]) -> Self {
        if offered.contains(&PositionEncodingKind::UTF8) {
            Self::Utf8
        } else {
            Self::Utf16
        }
    }

    /// Its name in the protocol.
    pub(crate) const fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }
}

/// The lines of a text.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    encoding: Encoding,
}

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str, encoding: Encoding) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            // A carriage return alone ends a line, too.
            let ends = match byte {
                b'\n' => true,
                b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends {
                starts.push(at + 1);
            }
        }
        Self {
            text,
            starts,
            encoding,
        }
    }

    /// The text.
    pub(crate) const fn text(&self) -> &'t str {
        self.text
    }

    /// The position of a byte; one within a character is that character's.
    pub(crate) fn position(&self, byte: usize) -> Position {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= byte) - 1;
        let before = &self.text[self.starts[line]..byte];
        let character = match self.encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 => before.chars().map(char::len_utf16).sum(),
        };
        Position {
            line: number(line),
            character: number(character),
        }
    }

    /// The byte of a position. One behind the end of its line is that end; one behind the last line the
    /// end of the text.
    pub(crate) fn byte(&self, position: Position) -> usize {
        let line = position.line as usize;
        let Some(&start) = self.starts.get(line) else {
            return self.text.len();
        };
        let end = self.starts.get(line + 1).copied();
        let whole = &self.text[start..end.unwrap_or(self.text.len())];
        let whole = whole.trim_end_matches(['\n', '\r']);
        let mut left = position.character as usize;
        let mut at = 0;
        for c in whole.chars() {
            let width = match self.encoding {
                Encoding::Utf8 => c.len_utf8(),
                Encoding::Utf16 => c.len_utf16(),
            };
            if left < width {
                break;
            }
            left -= width;
            at += c.len_utf8();
        }
        start + at
    }

    /// A range of bytes.
    pub(crate) fn range(&self, range: Range<usize>) -> ClientRange {
        ClientRange {
            start: self.position(range.start),
            end: self.position(range.end),
        }
    }

    /// The bytes of a range; empty where it ends before it starts.
    pub(crate) fn bytes(&self, range: ClientRange) -> Range<usize> {
        let start = self.byte(range.start);
        start..self.byte(range.end).max(start)
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a𝄞ö\r\n\nβ{\rz";

    #[test]
    fn every_character_has_its_position() {
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            let lines = Lines::of(TEXT, encoding);
            for (at, c) in TEXT.char_indices() {
                let position = lines.position(at);
                if c != '\n' {
                    assert_eq!(lines.byte(position), at, "{c:?} {encoding:?}");
                }
            }
            assert_eq!(lines.byte(lines.position(TEXT.len())), TEXT.len());
        }
    }

    #[test]
    fn clefs_are_two_units_and_four_bytes() {
        let at = TEXT.find('ö').expect("in the text");
        let column = |encoding| Lines::of(TEXT, encoding).position(at).character;
        assert_eq!(column(Encoding::Utf16), 3);
        assert_eq!(column(Encoding::Utf8), 5);
    }

    #[test]
    fn positions_that_are_nowhere_are_near_by() {
        let lines = Lines::of(TEXT, Encoding::Utf16);
        let byte = |line, character| lines.byte(Position { line, character });
        assert_eq!(byte(0, 99), "a𝄞ö".len());
        assert_eq!(byte(0, 2), 1, "within the clef");
        assert_eq!(byte(99, 0), TEXT.len());
        assert_eq!(byte(3, 0), TEXT.len() - 1);
    }
}
