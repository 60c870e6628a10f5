//! Lines that fit.

/// Puts `pieces` together with `, ` into lines of at most `width` columns. A piece that is longer
/// than that has a line of its own; nothing is ever cut.
pub(crate) fn wrap(pieces: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let comma = if index + 1 < pieces.len() { "," } else { "" };
        let needed = columns(piece) + comma.len() + 1;
        match lines.last_mut() {
            Some(line) if columns(line) + needed <= width => {
                line.push(' ');
                line.push_str(piece);
                line.push_str(comma);
            }
            _ => lines.push(format!("{piece}{comma}")),
        }
    }
    lines
}

/// Breaks a sentence at its spaces into lines of at most `width` columns.
pub(crate) fn words(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// How many columns a text without colours takes, near enough: characters.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// `text`, and spaces up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(columns(text));
    format!("{text}{:missing$}", "")
}

/// `1 machine`, `2 machines`: a number with its noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_fill_lines_and_are_never_cut() {
        let pieces = ["aaa", "bbb", "a-very-long-piece", "c"].map(str::to_owned);
        assert_eq!(wrap(&pieces, 9), ["aaa, bbb,", "a-very-long-piece,", "c"]);
        assert!(wrap(&[], 9).is_empty());
    }

    #[test]
    fn sentences_break_at_spaces() {
        assert_eq!(words("one two three", 7), ["one two", "three"]);
    }
}
