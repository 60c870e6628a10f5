//! Whatever the lines are, they come whole, once, and in order.

use std::io;

use proptest::prelude::*;

use super::*;

/// A file that gives its bytes in pieces.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.0.len().min(self.1).min(into.len());
        let (now, rest) = self.0.split_at(n);
        into[..n].copy_from_slice(now);
        self.0 = rest;
        Ok(n)
    }
}

type Taken = Vec<(Vec<u8>, usize)>;

fn taken(text: &[u8], piece: usize) -> (Taken, Length) {
    let mut lines = Vec::new();
    let take = |line, len| {
        lines.push((line, len));
        Ok::<_, io::Error>(())
    };
    let length = each_line(Pieces(text, piece), <[u8]>::to_vec, take).expect("readable");
    (lines, length)
}

/// What a plain reader makes of it.
fn expected(text: &[u8]) -> (Taken, Length) {
    let mut length = Length::default();
    let mut lines = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(whole) => {
                length.whole += line.len() as u64;
                lines.push((whole.to_vec(), line.len()));
            }
            None => length.torn = line.len() as u64,
        }
    }
    (lines, length)
}

proptest! {
    #[test]
    fn every_line_comes_once_and_in_order(
        sizes in prop::collection::vec(prop_oneof![0..40_usize, 0..(8 * PIECE_BYTES)], 0..80),
        torn in 0..9_usize,
        piece in 1..(2 * READ_BYTES),
    ) {
        let mut text = Vec::new();
        for (i, size) in sizes.iter().enumerate() {
            text.extend(format!("{i} ").into_bytes());
            text.extend(std::iter::repeat_n(b'x', *size));
            text.push(b'\n');
        }
        text.extend(std::iter::repeat_n(b't', torn));
        prop_assert_eq!(taken(&text, piece), expected(&text));
    }
}

#[test]
fn a_line_may_be_longer_than_what_is_read_at_once() {
    let mut text = vec![b'x'; 3 * READ_BYTES];
    text.extend(b"\nshort\ncut");
    assert_eq!(taken(&text, 4096), expected(&text));
}

#[test]
fn nothing_is_taken_after_one_that_is_refused() {
    let text: String = (0..100_000).map(|n| format!("{n}\n")).collect();
    let mut last = 0;
    let number = |line: &[u8]| std::str::from_utf8(line).ok()?.parse::<u32>().ok();
    let refused = each_line(text.as_bytes(), number, |line, _| {
        last = line.expect("a number");
        if last == 70_000 {
            return Err(io::Error::other("no"));
        }
        Ok(())
    });
    assert_eq!(refused.expect_err("refused").to_string(), "no");
    assert_eq!(last, 70_000);
}

#[test]
fn nothing_at_all_is_no_line() {
    assert_eq!(taken(b"", 1), (Vec::new(), Length::default()));
}
