//! Text that shows itself: what could move the cursor, hide a part or turn the reading order round is
//! written as its number.

use std::borrow::Cow;

/// The same text for a terminal, where whoever chose a name, a label or a value could otherwise make
/// a line read as another: control characters, and those that change the direction of text, stand
/// as `\u{202e}`. Line breaks, tabs and our own colours stay.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let colour = colour(rest);
        if !colour.is_empty() {
            shown.push_str(colour);
            rest = &rest[colour.len()..];
            continue;
        }
        if is_hidden(c) && !rest.starts_with("\r\n") {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(shown)
}

/// Control characters (C0 and C1) but for line breaks and tabs; marks, embeddings, overrides and
/// isolates of direction (Unicode's standard annex 9), and the separators of lines and paragraphs.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// The sequence that sets colours and the like which a text begins with; empty if it begins with none.
fn colour(text: &str) -> &str {
    let Some(body) = text.strip_prefix("\u{1b}[") else {
        return "";
    };
    let length = body
        .find(|c: char| !c.is_ascii_digit() && c != ';')
        .unwrap_or(body.len());
    match body[length..].starts_with('m') {
        true => &text[.."\u{1b}[".len() + length + 1],
        false => "",
    }
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn what_hides_is_shown_and_everything_else_stays() {
        for (text, shown) in [
            ("plain\n\ttext é 👨‍👩‍👧\r\n", "plain\n\ttext é 👨‍👩‍👧\r\n"),
            ("a\u{202e}b\u{85}c", "a\\u{202e}b\\u{85}c"),
            ("\u{1b}[1;31mred\u{1b}[0m", "\u{1b}[1;31mred\u{1b}[0m"),
            (
                "\u{1b}[2J\u{1b}]0;title\u{7}",
                "\\u{1b}[2J\\u{1b}]0;title\\u{7}",
            ),
            ("over\rwritten", "over\\u{d}written"),
            ("\u{1b}", "\\u{1b}"),
            ("\u{1b}[12", "\\u{1b}[12"),
        ] {
            assert_eq!(visible(text), shown, "{text:?}");
        }
    }
}
