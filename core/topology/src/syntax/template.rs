//! Templates: quoted texts, heredocs and template files.
//!
//! A template is read as a row of pieces, as HCL's own parser does: a `~` takes white space off the
//! one piece of text beside it, which ends with its line, and `<<-` then takes off the indentation
//! that all lines have. Only then are the pieces nested by their directives.

use std::iter::Peekable;
use std::ops::Range;
use std::sync::Arc;

use super::parser::{Broken, Parsed, Parser};
use super::token::{Kind, Token};
use crate::ast::{Expr, ExprKind, Part};
use crate::value::Value;

/// A piece of a template.
enum Piece {
    Text(String),
    Value(Expr),
    If(Range<usize>, Expr),
    For {
        place: Range<usize>,
        key_var: Option<Arc<str>>,
        value_var: Arc<str>,
        collection: Expr,
    },
    /// `else`, `endif` or `endfor`.
    Ends(Range<usize>, End),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Else,
    If,
    For,
}

impl End {
    const fn word(self) -> &'static str {
        match self {
            Self::Else => "else",
            Self::If => "endif",
            Self::For => "endfor",
        }
    }
}

type Pieces = Peekable<std::vec::IntoIter<Piece>>;

impl Parser<'_> {
    /// A text in quotes.
    pub(super) fn quoted(&mut self) -> Parsed<Expr> {
        let open = self.take();
        let pieces = self.pieces(|this, end| match end {
            Kind::CloseQuote => Ok(()),
            _ => Err(this.unclosed_quote(open)),
        })?;
        let mut pieces = pieces;
        // `"${x}"` is `x` itself, whatever its type.
        if matches!(pieces.as_slice(), [Piece::Value(_)])
            && let Some(Piece::Value(inner)) = pieces.pop()
        {
            return Ok(self.made(inner.kind, open.start));
        }
        self.whole(pieces, open.start)
    }

    /// A text of several lines.
    pub(super) fn heredoc(&mut self) -> Parsed<Expr> {
        let open = self.take();
        let mut pieces = self.pieces(|this, end| match end {
            Kind::CloseHeredoc => Ok(()),
            _ => Err(this.unclosed_heredoc(open)),
        })?;
        if self.text(open).starts_with("<<-") {
            take_indentation(&mut pieces);
        }
        self.whole(pieces, open.start)
    }

    /// A whole text as a template.
    pub(super) fn whole_template(&mut self) -> Parsed<Vec<Part>> {
        self.what = "no template";
        let pieces = self.pieces(|_, _| Ok(()))?;
        self.nest_all(pieces)
    }

    /// A template without values is a text.
    fn whole(&mut self, pieces: Vec<Piece>, start: usize) -> Parsed<Expr> {
        let parts = self.nest_all(pieces)?;
        let kind = match parts.as_slice() {
            [] => ExprKind::Literal(Value::String(self.word(""))),
            [Part::Text(text)] => ExprKind::Literal(Value::text(self.word(text))),
            _ => ExprKind::Template(parts),
        };
        Ok(self.made(kind, start))
    }

    pub(super) fn unclosed_quote(&mut self, open: Token) -> Broken {
        let message = "this text is never closed";
        let help = "add the closing `\"`; a text of several lines is written `<<EOT`";
        let range = open.start..open.end;
        self.report(range, message, "opened here", Some(help.to_owned()))
    }

    fn unclosed_heredoc(&mut self, open: Token) -> Broken {
        self.ends_open = true;
        let head = self.text(open).trim_end();
        let end = head.trim_start_matches(['<', '-']).to_owned();
        let message = format!("this text has no end: no line holds `{end}` alone");
        let range = open.start..open.start + head.len();
        let help = format!("add a line with `{end}` and nothing else");
        self.report(range, message, "begun here", Some(help))
    }

    /// The pieces of a template, white space taken off where `~` says so. What ends it is looked at
    /// by `ended`.
    fn pieces(&mut self, ended: impl FnOnce(&mut Self, Kind) -> Parsed<()>) -> Parsed<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut height = 0;
        // Whether the next text loses its first white space.
        let mut trims_next = false;
        loop {
            let token = self.peek();
            match token.kind {
                Kind::QuotedText | Kind::PlainText => {
                    let mut text = String::new();
                    while self.peek().kind == token.kind {
                        let piece = self.take();
                        self.unescape(piece, &mut text)?;
                        // A line of its own is a piece of its own.
                        if token.kind == Kind::PlainText {
                            break;
                        }
                    }
                    let from = match trims_next {
                        true => text.len() - text.trim_start().len(),
                        false => 0,
                    };
                    trims_next = false;
                    pieces.push(Piece::Text(text.split_off(from)));
                }
                Kind::Interpolation | Kind::Directive => {
                    self.take();
                    if self.text(token).ends_with('~')
                        && let Some(Piece::Text(text)) = pieces.last_mut()
                    {
                        text.truncate(text.trim_end().len());
                    }
                    let (piece, trims) = self.place(token)?;
                    height = height.max(self.height);
                    pieces.push(piece);
                    trims_next = trims;
                }
                kind => {
                    if kind != Kind::End {
                        self.take();
                    }
                    ended(self, kind)?;
                    break;
                }
            }
        }
        self.height = height;
        Ok(pieces)
    }

    /// What stands between `${` or `%{` and its `}`, and whether that is a `~}`.
    fn place(&mut self, open: Token) -> Parsed<(Piece, bool)> {
        let before = self.problems.len();
        let place = self.within(true, |this| {
            let piece = if open.kind == Kind::Interpolation {
                Piece::Value(this.expression()?)
            } else {
                this.directive(open)?
            };
            match this.take_if(Kind::CloseTemplate) {
                Some(close) => Ok((piece, this.text(close).starts_with('~'))),
                None => Err(this.unclosed_place(open)),
            }
        });
        // A shell's `${X:-y}` is the likeliest reason for what cannot be read in a longer text.
        let sign = &self.text(open)[..1];
        if let (Err(Broken), Some(first)) = (&place, self.problems.get_mut(before))
            && first.help.is_none()
        {
            first.help = Some(format!(
                "write `{sign}{sign}{{` for a `{sign}{{` that is not the topology's own, such as a shell's"
            ));
        }
        place
    }

    fn unclosed_place(&mut self, open: Token) -> Broken {
        let found = self.peek();
        let line = self.source.text.get(open.end..found.start);
        let ended = matches!(found.kind, Kind::OpenQuote | Kind::End)
            || line.is_some_and(|line| line.contains('\n'));
        if !ended {
            return self.unexpected("`}`");
        }
        let message = format!("this `{}` is never closed", self.text(open));
        let help = "add the closing `}`".to_owned();
        self.report(open.start..open.end, message, "opened here", Some(help))
    }

    fn directive(&mut self, open: Token) -> Parsed<Piece> {
        let word = self.peek();
        self.height = 0;
        let place = open.start..word.end;
        if word.kind != Kind::Ident {
            return Err(self.unexpected("`if`, `else`, `endif`, `for` or `endfor`"));
        }
        let end = match self.text(word) {
            "if" => {
                self.take();
                return Ok(Piece::If(place, self.expression()?));
            }
            "for" => {
                self.take();
                let (key_var, value_var) = self.for_names()?;
                let collection = self.expression()?;
                return Ok(Piece::For {
                    place,
                    key_var,
                    value_var,
                    collection,
                });
            }
            "else" => End::Else,
            "endif" => End::If,
            "endfor" => End::For,
            _ => return Err(self.unexpected("`if`, `else`, `endif`, `for` or `endfor`")),
        };
        self.take();
        Ok(Piece::Ends(place, end))
    }

    fn nest_all(&mut self, pieces: Vec<Piece>) -> Parsed<Vec<Part>> {
        let height = self.height;
        let mut pieces = pieces.into_iter().peekable();
        self.height = 0;
        let parts = self.nest(&mut pieces)?;
        self.above(height + self.height)?;
        match pieces.next() {
            Some(Piece::Ends(place, end)) => Err(self.stray(place, end, None)),
            _ => Ok(parts),
        }
    }

    /// The parts up to what ends a directive, or to the end.
    fn nest(&mut self, pieces: &mut Pieces) -> Parsed<Vec<Part>> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut height = 0;
        while let Some(piece) = pieces.next_if(|piece| !matches!(piece, Piece::Ends(..))) {
            if let Piece::Text(more) = &piece {
                text.push_str(more);
                continue;
            }
            flush(&mut text, &mut parts);
            self.height = 0;
            parts.push(match piece {
                Piece::Value(expr) => Part::Interpolation(expr),
                Piece::If(place, condition) => {
                    self.deeper(|this| this.nest_if(place, condition, pieces))?
                }
                Piece::For {
                    place,
                    key_var,
                    value_var,
                    collection,
                } => {
                    let parts = self.deeper(|this| this.nest(pieces))?;
                    self.ended(&place, "for", pieces)?;
                    Part::For {
                        key_var,
                        value_var,
                        collection,
                        parts,
                    }
                }
                Piece::Text(_) | Piece::Ends(..) => continue,
            });
            height = height.max(self.height);
        }
        flush(&mut text, &mut parts);
        parts.shrink_to_fit();
        self.above(height)?;
        Ok(parts)
    }

    fn nest_if(
        &mut self,
        place: Range<usize>,
        condition: Expr,
        pieces: &mut Pieces,
    ) -> Parsed<Part> {
        let yes = self.nest(pieces)?;
        let height = self.height;
        let has_else = pieces.next_if(|piece| matches!(piece, Piece::Ends(_, End::Else)));
        let no = match has_else {
            Some(_) => self.nest(pieces)?,
            None => Vec::new(),
        };
        self.height = height.max(self.height);
        self.ended(&place, "if", pieces)?;
        Ok(Part::If { condition, yes, no })
    }

    /// Takes the end of the directive at `place`.
    fn ended(
        &mut self,
        place: &Range<usize>,
        word: &'static str,
        pieces: &mut Pieces,
    ) -> Parsed<()> {
        match pieces.next() {
            Some(Piece::Ends(found, end)) => {
                if end.word().strip_prefix("end") == Some(word) {
                    return Ok(());
                }
                Err(self.stray(found, end, Some(word)))
            }
            _ => {
                let message = format!("this `%{{ {word} … }}` has no end");
                let help = format!("add `%{{ end{word} }}`");
                Err(self.report(place.clone(), message, "opened here", Some(help)))
            }
        }
    }

    fn stray(&mut self, place: Range<usize>, end: End, open: Option<&str>) -> Broken {
        let word = end.word();
        let (message, help) = match open {
            Some(open) => (
                format!("this `{word}` does not end the `{open}` before it"),
                format!("`%{{ end{open} }}` was expected"),
            ),
            None => (
                format!("this `{word}` ends nothing"),
                "remove it, or add what it should end".to_owned(),
            ),
        };
        self.report(place, message, "here", Some(help))
    }
}

fn flush(text: &mut String, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Text(Arc::from(text.as_str())));
        text.clear();
    }
}

/// Takes off the indentation that all lines have. Lines of white space alone do not count. What
/// `~` has taken off already no longer counts either, as in HCL's own parser.
fn take_indentation(pieces: &mut [Piece]) {
    let spaces = |text: &str| text.chars().take_while(|c| c.is_whitespace()).count();
    let mut least = usize::MAX;
    let mut line_starts = true;
    let mut first = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        if line_starts {
            least = least.min(match piece {
                Piece::Text(text) if text.trim().is_empty() && text.ends_with('\n') => usize::MAX,
                Piece::Text(text) => {
                    first.push(at);
                    spaces(text)
                }
                _ => 0,
            });
        }
        line_starts = match piece {
            Piece::Text(text) => text.ends_with('\n'),
            _ => false,
        };
    }
    for at in first {
        if let Piece::Text(text) = &mut pieces[at] {
            let cut = text
                .char_indices()
                .nth(least)
                .map_or(text.len(), |(at, _)| at);
            text.drain(..cut);
        }
    }
}
