//! From HCL text to tokens: the one place that knows where texts, comments and heredocs end.
//!
//! The rules are those of HCL's own scanner (`hclsyntax/scan_tokens.rl`). Tokens lose nothing: the
//! text is their texts with the spaces and tabs between them. What is read depends on what it is
//! in, so the lexer keeps a stack of [`Mode`]s; a copy of it is a place to come back to.

use super::token::{Kind, Token};

/// What the text is in.
#[derive(Debug, Clone, Copy)]
enum Mode<'a> {
    /// Attributes, blocks and expressions, in which so many braces are open.
    Code { braces: u32 },
    /// A quoted text.
    Quote,
    /// A heredoc: the word that ends it, and whether a line begins here.
    Heredoc { marker: &'a str, line_start: bool },
    /// A template that is a whole text.
    Template,
}

/// Reads tokens one by one.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    modes: Vec<Mode<'a>>,
}

impl<'a> Lexer<'a> {
    /// For a file, or for an expression.
    pub(crate) fn code(text: &'a str) -> Self {
        Self::new(text, Mode::Code { braces: 0 })
    }

    /// For a text that is a template.
    pub(crate) fn template(text: &'a str) -> Self {
        Self::new(text, Mode::Template)
    }

    fn new(text: &'a str, mode: Mode<'a>) -> Self {
        Self {
            text,
            at: 0,
            modes: vec![mode],
        }
    }

    /// The same from another place, which must be one between two tokens of the outermost code.
    pub(crate) fn jump(&mut self, at: usize) {
        self.at = at;
        self.modes.truncate(1);
    }

    /// Whether nothing is open here but brackets.
    pub(crate) fn is_outermost(&self) -> bool {
        self.modes.len() == 1
    }

    /// The next token.
    pub(crate) fn next(&mut self) -> Token {
        match self.modes.last().copied() {
            Some(Mode::Quote) => self.quoted(),
            Some(Mode::Heredoc { marker, line_start }) => self.heredoc(marker, line_start),
            Some(Mode::Template) => self.template_text(),
            Some(Mode::Code { .. }) | None => self.in_code(),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Takes so many bytes as a token.
    fn take(&mut self, kind: Kind, length: usize) -> Token {
        let start = self.at;
        self.at += length;
        Token {
            kind,
            start,
            end: self.at,
        }
    }

    /// Takes a token that ends what the text is in.
    fn leave(&mut self, kind: Kind, length: usize) -> Token {
        self.modes.pop();
        self.take(kind, length)
    }

    /// Takes a token behind which the text is in something.
    fn enter(&mut self, mode: Mode<'a>, kind: Kind, length: usize) -> Token {
        self.modes.push(mode);
        self.take(kind, length)
    }

    /// `${` or `%{` here, with the `~` behind it.
    fn opener(&self) -> Option<(Kind, usize)> {
        let rest = self.rest();
        let kind = match rest.as_bytes() {
            [b'$', b'{', ..] => Kind::Interpolation,
            [b'%', b'{', ..] => Kind::Directive,
            _ => return None,
        };
        Some((kind, 2 + usize::from(rest[2..].starts_with('~'))))
    }

    fn in_template(&mut self, (kind, length): (Kind, usize)) -> Token {
        if let Some(Mode::Heredoc { line_start, .. }) = self.modes.last_mut() {
            *line_start = false;
        }
        self.enter(Mode::Code { braces: 0 }, kind, length)
    }

    /// The length of the text up to `${`, `%{` or a byte that `ends` knows.
    fn plain(&self, ends: impl Fn(u8) -> bool) -> usize {
        let bytes = self.rest().as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let sign = matches!(byte, b'$' | b'%');
            if sign && bytes[at + 1..].starts_with(&[byte, b'{']) {
                at += 3;
            } else if (sign && bytes.get(at + 1) == Some(&b'{')) || ends(byte) {
                break;
            } else {
                at += 1;
            }
        }
        at
    }

    fn quoted(&mut self) -> Token {
        if let Some(opener) = self.opener() {
            return self.in_template(opener);
        }
        match self.rest().as_bytes().first() {
            Some(b'"') => self.leave(Kind::CloseQuote, 1),
            None | Some(b'\n' | b'\r') => self.leave(Kind::UnclosedQuote, 0),
            Some(b'\\') => self.take(Kind::QuotedText, escape(self.rest())),
            Some(_) => {
                let length = self.plain(|byte| matches!(byte, b'"' | b'\n' | b'\r' | b'\\'));
                self.take(Kind::QuotedText, length)
            }
        }
    }

    fn heredoc(&mut self, marker: &'a str, line_start: bool) -> Token {
        if self.rest().is_empty() {
            return self.leave(Kind::UnclosedHeredoc, 0);
        }
        if line_start {
            let line = self.rest().lines().next().unwrap_or_default();
            if line.trim() == marker {
                return self.leave(Kind::CloseHeredoc, line.len());
            }
        }
        self.line_of_template()
    }

    fn template_text(&mut self) -> Token {
        if self.rest().is_empty() {
            return self.take(Kind::End, 0);
        }
        self.line_of_template()
    }

    /// A piece of text up to `${`, `%{` or the end of the line.
    fn line_of_template(&mut self) -> Token {
        if let Some(opener) = self.opener() {
            return self.in_template(opener);
        }
        let length = self.plain(|byte| byte == b'\n');
        let ends_line = self.rest().as_bytes().get(length) == Some(&b'\n');
        if let Some(Mode::Heredoc { line_start, .. }) = self.modes.last_mut() {
            *line_start = ends_line;
        }
        self.take(Kind::PlainText, length + usize::from(ends_line))
    }

    fn in_code(&mut self) -> Token {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return self.take(Kind::End, 0);
        };
        match first {
            '\n' => self.take(Kind::Newline, 1),
            '\r' if rest[1..].starts_with('\n') => self.take(Kind::Newline, 2),
            '#' => self.line_comment(),
            '/' if rest.starts_with("//") => self.line_comment(),
            '/' if rest.starts_with("/*") => match rest[2..].find("*/") {
                Some(end) => self.take(Kind::Comment, end + 4),
                None => self.take(Kind::UnclosedComment, rest.len()),
            },
            '"' => self.enter(Mode::Quote, Kind::OpenQuote, 1),
            '{' => self.open_brace(),
            '}' => self.close_brace(),
            '~' if rest.starts_with("~}") && self.at_template_end() => {
                self.leave(Kind::CloseTemplate, 2)
            }
            '<' if rest.starts_with("<<") => self.open_heredoc(),
            '0'..='9' => self.take(Kind::Number, number(rest)),
            c if c == '_' || unicode_ident::is_xid_start(c) => {
                let goes_on = |c: char| c == '-' || unicode_ident::is_xid_continue(c);
                let length = rest.find(|c| !goes_on(c)).unwrap_or(rest.len());
                self.take(Kind::Ident, length)
            }
            _ => {
                let (kind, length) = sign(rest, first);
                self.take(kind, length)
            }
        }
    }

    fn line_comment(&mut self) -> Token {
        let line = self.rest().lines().next().unwrap_or_default();
        self.take(Kind::Comment, line.len())
    }

    fn braces(&mut self) -> Option<&mut u32> {
        match self.modes.last_mut() {
            Some(Mode::Code { braces }) => Some(braces),
            _ => None,
        }
    }

    /// Whether a `}` here closes a `${` or `%{`.
    fn at_template_end(&mut self) -> bool {
        self.modes.len() > 1 && self.braces().is_some_and(|braces| *braces == 0)
    }

    fn open_brace(&mut self) -> Token {
        if let Some(braces) = self.braces() {
            *braces += 1;
        }
        self.take(Kind::OpenBrace, 1)
    }

    fn close_brace(&mut self) -> Token {
        if self.at_template_end() {
            return self.leave(Kind::CloseTemplate, 1);
        }
        if let Some(braces) = self.braces() {
            *braces = braces.saturating_sub(1);
        }
        self.take(Kind::CloseBrace, 1)
    }

    fn open_heredoc(&mut self) -> Token {
        let line = self.rest().lines().next().unwrap_or_default();
        let marker = &line[2..];
        let marker = marker.strip_prefix('-').unwrap_or(marker);
        let whole = line.len() < self.rest().len();
        if !whole || !is_word(marker) {
            return self.take(Kind::Invalid, 2);
        }
        let after = &self.rest()[line.len()..];
        let line_break = if after.starts_with('\r') { 2 } else { 1 };
        let mode = Mode::Heredoc {
            marker,
            line_start: true,
        };
        self.enter(mode, Kind::OpenHeredoc, line.len() + line_break)
    }
}

/// The length of the escape that a text begins with, as far as it goes.
fn escape(text: &str) -> usize {
    let mut rest = text[1..].chars();
    let digits = match rest.next() {
        None | Some('\n' | '\r') => return 1,
        Some('u') => 4,
        Some('U') => 8,
        Some(other) => return 1 + other.len_utf8(),
    };
    2 + rest
        .take(digits)
        .take_while(char::is_ascii_hexdigit)
        .count()
}

/// Whether a text is one word.
fn is_word(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next();
    first.is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && chars.all(|c| c == '-' || unicode_ident::is_xid_continue(c))
}

/// The length of the number that a text begins with: digits, perhaps a fraction and an exponent.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|b| b.is_ascii_digit()).count()
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

/// The sign that a text begins with, and its length.
fn sign(text: &str, first: char) -> (Kind, usize) {
    let bytes = text.as_bytes();
    match bytes {
        [b'.', b'.', b'.', ..] => (Kind::Ellipsis, 3),
        [b':', b':', ..] => (Kind::DoubleColon, 2),
        [b'=', b'>', ..] => (Kind::FatArrow, 2),
        [b'=', b'=', ..] => (Kind::Equal, 2),
        [b'!', b'=', ..] => (Kind::NotEqual, 2),
        [b'<', b'=', ..] => (Kind::LessEqual, 2),
        [b'>', b'=', ..] => (Kind::GreaterEqual, 2),
        [b'&', b'&', ..] => (Kind::And, 2),
        [b'|', b'|', ..] => (Kind::Or, 2),
        _ => {
            let kind = match first {
                '.' => Kind::Dot,
                ',' => Kind::Comma,
                ':' => Kind::Colon,
                '=' => Kind::Assign,
                '<' => Kind::Less,
                '>' => Kind::Greater,
                '!' => Kind::Not,
                '+' => Kind::Plus,
                '-' => Kind::Minus,
                '*' => Kind::Star,
                '/' => Kind::Slash,
                '%' => Kind::Percent,
                '?' => Kind::Question,
                '(' => Kind::OpenParen,
                ')' => Kind::CloseParen,
                '[' => Kind::OpenBracket,
                ']' => Kind::CloseBracket,
                _ => Kind::Invalid,
            };
            (kind, first.len_utf8())
        }
    }
}
