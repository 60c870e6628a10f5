//! Upper, lower and title case, sign by sign, as Go's `unicode` has them: a sign never becomes two
//! (`ß` has no upper case of its own), nor does the place in a word count.

/// The sign in upper case.
pub(super) fn upper(c: char) -> char {
    match c {
        // Greek with a small iota, whose single upper case is that of titles.
        '\u{1f80}'..='\u{1fff}' => title(c),
        _ => one(c.to_uppercase()).unwrap_or(c),
    }
}

/// The sign in lower case.
pub(super) fn lower(c: char) -> char {
    match c {
        // A capital I with a dot: in full it is an i and a dot.
        '\u{130}' => 'i',
        _ => one(c.to_lowercase()).unwrap_or(c),
    }
}

/// The sign in title case: upper case, but for those of two letters.
pub(super) fn title(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
            char::from_u32(u32::from(c) + 8).unwrap_or(c)
        }
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(u32::from(c) + 9).unwrap_or(c),
        // The Georgian letters have an upper case for whole words alone.
        '\u{10d0}'..='\u{10ff}' => c,
        _ => one(c.to_uppercase()).unwrap_or(c),
    }
}

/// The only sign, if it is one.
fn one(mut signs: impl Iterator<Item = char>) -> Option<char> {
    let first = signs.next()?;
    signs.next().is_none().then_some(first)
}
