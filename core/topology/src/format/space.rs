//! Whether a space stands between two tokens of a line.

use crate::syntax::Kind;

/// A token as far as its neighbours care: what it is, and whether it is the word `in`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Neighbour {
    pub(super) kind: Kind,
    pub(super) is_in: bool,
}

/// Whether a space stands between `left` and `right`; `before` is what stands before `left`.
pub(super) fn between(before: Option<Neighbour>, left: Neighbour, right: Neighbour) -> bool {
    use Kind::{
        CloseBrace, CloseHeredoc, CloseQuote, CloseTemplate, Comma, Directive, Dot, DoubleColon,
        Ellipsis, Ident, Interpolation, Minus, Newline, Not, Number, OpenBrace, OpenBracket,
        OpenHeredoc, OpenParen, OpenQuote, PlainText, QuotedText,
    };
    match (left.kind, right.kind) {
        (Ident, OpenParen | DoubleColon)
        | (DoubleColon, Ident)
        | (Dot, _)
        | (_, Newline | Dot | Comma | Ellipsis) => false,
        (Comma, _) => true,
        // Nothing is added to a text.
        (QuotedText | PlainText | OpenQuote | OpenHeredoc, _)
        | (_, QuotedText | PlainText | CloseQuote | CloseHeredoc) => false,
        // `for x in [1]` is no index of `in`.
        _ if left.is_in && before.is_some_and(|before| before.kind == Ident) => true,
        (Ident | Number, OpenBracket) => false,
        (kind, OpenBracket) if kind.closes() && kind != CloseQuote => false,
        (Not, _) => false,
        (Minus, _) => before.is_some_and(|before| ends_value(before.kind)),
        (OpenBrace, CloseBrace) => false,
        (OpenBrace, _) | (_, CloseBrace) => true,
        (Interpolation | Directive, OpenBrace) | (CloseBrace, CloseTemplate) => true,
        (CloseTemplate, Interpolation | Directive) => false,
        (left, right) => !opens(left) && !closes(right),
    }
}

/// Whether a `-` behind such a token takes something from a value.
fn ends_value(kind: Kind) -> bool {
    use Kind::{
        And, Assign, Colon, Comma, Equal, Greater, GreaterEqual, Less, LessEqual, Minus, Not,
        NotEqual, OpenBrace, OpenBracket, OpenParen, Or, Percent, Plus, Question, Slash, Star,
    };
    !matches!(
        kind,
        OpenParen
            | OpenBrace
            | OpenBracket
            | Assign
            | Colon
            | Comma
            | Question
            | Plus
            | Star
            | Slash
            | Percent
            | Minus
            | Equal
            | NotEqual
            | Greater
            | GreaterEqual
            | Less
            | LessEqual
            | And
            | Or
            | Not
    )
}

/// Whether a token opens a level.
pub(super) fn opens(kind: Kind) -> bool {
    kind.opens() && !matches!(kind, Kind::OpenQuote | Kind::OpenHeredoc)
}

/// Whether a token closes a level.
pub(super) fn closes(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen | Kind::CloseTemplate
    )
}
