//! HCL as tokens that keep their text.

/// What a token is, as far as layout cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word or a number.
    Word,
    /// A quoted text, with all that is in it.
    Quoted,
    /// A heredoc, to the end of its last line.
    Heredoc,
    /// `(`, `[` or `{`
    Open,
    /// `)`, `]` or `}`
    Close,
    /// Anything else.
    Sign,
    /// A comment to the end of its line.
    LineComment,
    /// `/* … */`
    Comment,
    /// A line break.
    Newline,
}

/// A token and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

const SIGNS: [&str; 10] = ["...", "::", "==", "!=", "<=", ">=", "&&", "||", "=>", "?"];

/// The tokens of a text that is valid HCL.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if matches!(first, ' ' | '\t' | '\r') {
            rest = &rest[1..];
            continue;
        }
        let (kind, len) = next(rest, first);
        let (token, after) = rest.split_at(len);
        let text = if kind == Kind::LineComment {
            token.trim_end()
        } else {
            token
        };
        tokens.push(Token { kind, text });
        rest = after;
    }
    tokens
}

fn next(rest: &str, first: char) -> (Kind, usize) {
    match first {
        '\n' => (Kind::Newline, 1),
        '#' => (Kind::LineComment, line(rest)),
        '/' if rest.starts_with("//") => (Kind::LineComment, line(rest)),
        '/' if rest.starts_with("/*") => (
            Kind::Comment,
            rest.find("*/").map_or(rest.len(), |at| at + 2),
        ),
        '"' => (Kind::Quoted, quoted(rest)),
        '<' if rest.starts_with("<<") => (Kind::Heredoc, heredoc(rest)),
        '(' | '[' | '{' => (Kind::Open, 1),
        ')' | ']' | '}' => (Kind::Close, 1),
        c if c.is_alphanumeric() || c == '_' => (Kind::Word, word(rest)),
        c => {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            (Kind::Sign, sign.map_or(c.len_utf8(), str::len))
        }
    }
}

fn line(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

/// A word takes `-`; a number takes `.`, and a sign in its exponent.
fn word(rest: &str) -> usize {
    let number = rest.starts_with(|c: char| c.is_ascii_digit());
    let mut before = ' ';
    for (at, c) in rest.char_indices() {
        let fits = if number {
            let digit_next = rest[at + c.len_utf8()..].starts_with(|d: char| d.is_ascii_digit());
            c.is_ascii_digit()
                || (c == '.' && digit_next)
                || matches!(c, 'e' | 'E')
                || (matches!(c, '+' | '-') && matches!(before, 'e' | 'E'))
        } else {
            c.is_alphanumeric() || matches!(c, '_' | '-')
        };
        if !fits {
            return at;
        }
        before = c;
    }
    rest.len()
}

/// The length of a quoted text, with the expressions in it.
fn quoted(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        let here = &bytes[at..];
        if here.starts_with(b"\\") {
            at += 2;
        } else if here.starts_with(b"\"") {
            return at + 1;
        } else if here.starts_with(b"$${") || here.starts_with(b"%%{") {
            at += 3;
        } else if here.starts_with(b"${") || here.starts_with(b"%{") {
            at += 2 + place(&rest[at + 2..]);
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of an expression up to and with the `}` that closes it.
fn place(rest: &str) -> usize {
    let mut depth = 1;
    let mut at = 0;
    while let Some(first) = rest[at..].chars().next() {
        let (kind, len) = next(&rest[at..], first);
        at += len;
        match kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a heredoc without the line break behind it.
fn heredoc(rest: &str) -> usize {
    let head = line(rest);
    let end = rest[2..head].trim_start_matches('-').trim();
    let mut at = head;
    while at < rest.len() {
        let len = line(&rest[at + 1..]);
        let body = &rest[at + 1..at + 1 + len];
        let indent = body.len() - body.trim_start().len();
        let after = body[indent..].strip_prefix(end);
        if !end.is_empty()
            && after.is_some_and(|a| {
                !a.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'))
            })
        {
            return at + 1 + indent + end.len();
        }
        at += 1 + len;
    }
    rest.len()
}
