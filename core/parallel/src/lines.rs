//! Files that only grow, line by line.
//!
//! The journal and the simulator's log are such files. What a line says is independent of the lines
//! before it; what they add up to is not.

use std::io::{self, Read};

use crate::in_order;

/// How much is read at once, in bytes. It bounds what is parsed and not yet taken, too.
const READ_BYTES: usize = 2 << 20;
/// How much of that is one piece of work, in bytes.
const PIECE_BYTES: usize = 16 << 10;
/// How many pieces a thread has at least, so that it is worth being woken.
const PIECES_MIN: usize = 8;

/// How much of a file was read, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Length {
    /// Of lines that have an end.
    pub whole: u64,
    /// Of a last line without one: its write was cut short.
    pub torn: u64,
}

/// Reads all that is left of `file`. Every line that has an end is parsed, on any thread, and then
/// given to `take`, in order, with its length in bytes, its end among them. `parse` gets it without
/// its end.
///
/// # Errors
/// If the file cannot be read, or as `take` says; nothing after that is taken.
pub fn each_line<T: Send, E: From<io::Error>>(
    mut file: impl Read,
    parse: impl Fn(&[u8]) -> T + Sync,
    mut take: impl FnMut(T, usize) -> Result<(), E>,
) -> Result<Length, E> {
    let mut length = Length::default();
    let mut bytes = Vec::new();
    loop {
        let kept = bytes.len();
        bytes.reserve(READ_BYTES);
        let mut next = file.by_ref().take(READ_BYTES as u64);
        let read = next.read_to_end(&mut bytes)?;
        // What was kept has no end in it.
        let end = bytes[kept..].iter().rposition(|byte| *byte == b'\n');
        let end = end.map_or(0, |at| kept + at + 1);
        let pieces = pieces(&bytes[..end]);
        let parse = |(): &mut (), at: usize| -> Vec<_> {
            let lines = pieces[at].split_inclusive(|byte| *byte == b'\n');
            lines
                .map(|line| (parse(line.strip_suffix(b"\n").unwrap_or(line)), line.len()))
                .collect()
        };
        in_order(
            pieces.len(),
            PIECES_MIN,
            || (),
            parse,
            |lines| {
                lines
                    .into_iter()
                    .try_for_each(|(line, len)| take(line, len))
            },
        )?;
        length.whole += end as u64;
        bytes.drain(..end);
        // Less than what was asked for is the end of the file.
        if read < READ_BYTES {
            length.torn = bytes.len() as u64;
            return Ok(length);
        }
    }
}

/// Cuts a text after lines, into pieces of about one size.
fn pieces(mut text: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while !text.is_empty() {
        let rest = text.get(PIECE_BYTES..).unwrap_or_default();
        let more = rest.iter().position(|byte| *byte == b'\n');
        let cut = more.map_or(text.len(), |more| PIECE_BYTES + more + 1);
        let (piece, rest) = text.split_at(cut);
        pieces.push(piece);
        text = rest;
    }
    pieces
}

#[cfg(test)]
mod tests;
