//! What every rule of the grammar uses: the token ahead, places, limits, and findings.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use strat_model::Diagnostic;

use super::MAX_LEVELS;
use super::lexer::Lexer;
use super::source::Source;
use super::token::{Kind, Token};
use crate::ast::{Expr, ExprKind, Ident};
use crate::span::Span;

/// The findings of one file at most; more would drown the first.
const MAX_FINDINGS: usize = 100;

/// The most values, attributes and blocks of one file: they take about a hundred bytes each.
const MAX_NODES: usize = 10_000_000;

/// Something is not as the grammar has it, and a finding says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// What a rule of the grammar gives.
pub(super) type Parsed<T> = Result<T, Broken>;

/// Reads tokens as the grammar has them.
pub(super) struct Parser<'a> {
    pub(super) source: Source<'a>,
    pub(super) lexer: Lexer<'a>,
    ahead: Option<Token>,
    /// Where the last token that was taken ends.
    pub(super) last_end: usize,
    /// Whether line breaks mean nothing here: in parentheses, brackets and templates.
    pub(super) joined: bool,
    /// How many rules are within one another here.
    depth: usize,
    /// The height of the tree that the last rule gave.
    pub(super) height: usize,
    /// How many values, attributes and blocks were read.
    nodes: usize,
    words: FxHashSet<Arc<str>>,
    pub(super) problems: Vec<Diagnostic>,
    /// Whether it is told already that something is open at the end.
    pub(super) ends_open: bool,
    /// What the text is not, if something is wrong: `not valid HCL`, or `no template`.
    pub(super) what: &'static str,
}

impl<'a> Parser<'a> {
    pub(super) fn new(source: Source<'a>, lexer: Lexer<'a>) -> Self {
        Self {
            source,
            lexer,
            ahead: None,
            last_end: 0,
            joined: false,
            depth: 0,
            height: 0,
            nodes: 0,
            words: FxHashSet::default(),
            problems: Vec::new(),
            ends_open: false,
            what: "not valid HCL",
        }
    }

    /// What was parsed, or everything that is wrong.
    pub(super) fn finish<T>(self, parsed: Parsed<T>) -> Result<T, Vec<Diagnostic>> {
        match parsed {
            Ok(parsed) if self.problems.is_empty() => Ok(parsed),
            _ => Err(self.problems),
        }
    }

    /// The token ahead. Comments are passed over, and line breaks where they mean nothing.
    pub(super) fn peek(&mut self) -> Token {
        loop {
            let lexer = &mut self.lexer;
            let token = *self.ahead.get_or_insert_with(|| lexer.next());
            let passed =
                token.kind == Kind::Comment || (self.joined && token.kind == Kind::Newline);
            if !passed {
                return token;
            }
            self.ahead = None;
        }
    }

    /// What is ahead.
    pub(super) fn kind(&mut self) -> Kind {
        self.peek().kind
    }

    /// Takes the token ahead.
    pub(super) fn take(&mut self) -> Token {
        let token = self.peek();
        self.ahead = None;
        self.last_end = token.end;
        token
    }

    /// Takes the token ahead if it is of that kind.
    pub(super) fn take_if(&mut self, kind: Kind) -> Option<Token> {
        (self.kind() == kind).then(|| self.take())
    }

    /// Whether the word is ahead.
    pub(super) fn at_word(&mut self, word: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Ident && token.of(self.source.text) == word
    }

    /// The kind of the token behind the one ahead, with line breaks and comments passed over.
    pub(super) fn second(&mut self) -> Kind {
        self.peek();
        let mut lexer = self.lexer.clone();
        loop {
            let kind = lexer.next().kind;
            if !matches!(kind, Kind::Comment | Kind::Newline) {
                return kind;
            }
        }
    }

    /// Goes on at `at`, which is in the outermost code.
    pub(super) fn jump(&mut self, at: usize) {
        self.ahead = None;
        self.lexer.jump(at);
    }

    /// A token's text.
    pub(super) fn text(&self, token: Token) -> &'a str {
        token.of(self.source.text)
    }

    /// A word of the text. Most stand there often, and are kept once.
    pub(super) fn word(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.words.get(text) {
            return known.clone();
        }
        let word: Arc<str> = Arc::from(text);
        self.words.insert(word.clone());
        word
    }

    /// A token as a word and its place.
    pub(super) fn ident(&mut self, token: Token) -> Ident {
        Ident {
            text: self.word(self.text(token)),
            span: self.source.span(token.start..token.end),
        }
    }

    /// From a byte to the end of the last token.
    pub(super) fn span_from(&self, start: usize) -> Span {
        self.source.span(start..self.last_end)
    }

    /// An expression from a byte to the end of the last token.
    pub(super) fn made(&self, kind: ExprKind, start: usize) -> Expr {
        Expr {
            kind,
            span: self.span_from(start),
        }
    }

    /// Does what is within brackets, where line breaks mean nothing (or do, for those of an
    /// object); they mean behind it what they did before. The closing bracket is taken within.
    pub(super) fn within<T>(&mut self, joined: bool, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.joined, joined);
        let result = f(self);
        self.joined = before;
        result
    }

    /// Counts a value, an attribute or a block, which begins ahead.
    pub(super) fn counted(&mut self) -> Parsed<()> {
        self.nodes += 1;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        if self.nodes == MAX_NODES + 1 {
            let token = self.peek();
            let message = format!("more than {MAX_NODES} values, attributes and blocks");
            let help = Some("divide the file, or let a `for` make what is alike".to_owned());
            self.report(token.start..token.end, message, "too many", help);
        }
        Err(Broken)
    }

    /// Whether there is more in the text than is read.
    pub(super) const fn is_full(&self) -> bool {
        self.nodes > MAX_NODES
    }

    /// Does what is one level deeper.
    pub(super) fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_LEVELS {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// Notes that what was parsed is a level above a tree of that height.
    pub(super) fn above(&mut self, height: usize) -> Parsed<()> {
        self.height = height + 1;
        if self.height > MAX_LEVELS {
            return Err(self.too_deep());
        }
        Ok(())
    }

    fn too_deep(&mut self) -> Broken {
        let token = self.peek();
        let message = format!(
            "this is nested more than {MAX_LEVELS} levels deep, operators in a row counted as levels"
        );
        let help = "take it apart with `locals`".to_owned();
        self.report(token.start..token.end, message, "too deep", Some(help))
    }

    /// Takes note of what is wrong.
    pub(super) fn report(
        &mut self,
        range: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> Broken {
        let mut finding =
            Diagnostic::error("syntax", message).at(&self.source.origin(range), label);
        finding.help = help;
        self.push(finding)
    }

    /// Takes a finding.
    pub(super) fn push(&mut self, finding: Diagnostic) -> Broken {
        if self.problems.len() < MAX_FINDINGS {
            self.problems.push(finding);
        }
        Broken
    }

    /// A bracket of `open` without the one that closes it. What is found instead says which of the
    /// two is likelier: that it is missing, or that it is another one.
    pub(super) fn unclosed(&mut self, open: Token, expected: &str) -> Broken {
        let found = self.peek();
        let bracket = self.text(open);
        let closing = closing(bracket);
        let (here, there) = (open.start..open.end, found.start..found.end);
        match found.kind {
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen | Kind::CloseTemplate => {
                let text = self.text(found);
                let message = format!("this `{text}` does not close the `{bracket}` before it");
                let (here, there) = (self.source.origin(here), self.source.origin(there));
                let finding = Diagnostic::error("syntax", message)
                    .at(&there, format!("`{closing}` was expected"))
                    .at(&here, "opened here")
                    .help(format!("add the closing `{closing}`"));
                self.push(finding)
            }
            _ if found.kind == Kind::End || self.begins_item(found) => {
                let message = format!("this `{bracket}` is never closed");
                let help = Some(format!("add the closing `{closing}`"));
                self.report(here, message, "opened here", help)
            }
            _ => self.unexpected(expected),
        }
    }

    /// The token ahead is not what the grammar has here.
    pub(super) fn unexpected(&mut self, expected: &str) -> Broken {
        let found = self.peek();
        if let Some(broken) = self.broken_token(found) {
            return broken;
        }
        let range = if found.start == found.end || found.kind == Kind::Newline {
            self.source.character(found.start)
        } else {
            found.start..found.end
        };
        let message = format!("this is {}: {expected} is expected here", self.what);
        self.report(range, message, "here", None)
    }

    /// The finding for a token that is none.
    pub(super) fn broken_token(&mut self, token: Token) -> Option<Broken> {
        let text = self.text(token);
        let (message, label, help) = match token.kind {
            Kind::UnclosedComment => (
                "this comment is never closed".to_owned(),
                "opened here",
                "add the closing `*/`",
            ),
            Kind::Invalid if text == "<<" => (
                "this is not valid HCL: a text of several lines begins with `<<EOT`, with nothing behind it on its line".to_owned(),
                "here",
                "write `<<EOT`, then the text on lines of its own, then a line with `EOT` alone",
            ),
            Kind::Invalid if text == "'" => (
                "this is not valid HCL: a text does not stand in `'`".to_owned(),
                "here",
                "a text stands in double quotes: `\"…\"`",
            ),
            Kind::Invalid => (
                format!("this is not valid HCL: the character `{}` means nothing here", text.escape_debug()),
                "here",
                "text stands in double quotes: `\"…\"`",
            ),
            _ => return None,
        };
        let range = match token.kind {
            Kind::UnclosedComment => {
                self.ends_open = true;
                token.start..token.start + 2
            }
            _ => token.start..token.end,
        };
        Some(self.report(range, message, label, Some(help.to_owned())))
    }

    /// The bytes before `at` on its line.
    pub(super) fn line_before(&self, at: usize) -> &'a str {
        let before = self.source.text.get(..at).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default()
    }

    /// Whether a token is the first of its line and begins an attribute or a block.
    pub(super) fn begins_item(&self, token: Token) -> bool {
        let first = token.kind == Kind::Ident && self.line_before(token.start).trim().is_empty();
        let rest = self.source.text.get(token.end..).unwrap_or_default();
        let rest = rest.trim_start_matches([' ', '\t']);
        let sets = rest.starts_with('=') && !rest.starts_with("==") && !rest.starts_with("=>");
        first && (sets || rest.starts_with(['{', '"']))
    }
}

/// What closes a bracket.
pub(super) fn closing(bracket: &str) -> &'static str {
    match bracket {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}
