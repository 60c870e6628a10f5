//! Whether a space stands between two tokens of a line.

use super::token::{Kind, Token};

/// Words that are followed by an expression.
const KEYWORDS: [&str; 3] = ["in", "if", "for"];

/// Whether a space stands between `left` and `right`; `before` is what stands before `left`.
pub(super) fn between(before: Option<Token<'_>>, left: Token<'_>, right: Token<'_>) -> bool {
    match (left.text, right.text) {
        ("{", "}")
        | (_, "," | "." | "..." | "::" | ")" | "]")
        | ("." | "::" | "(" | "[" | "!", _) => {
            return false;
        }
        _ => {}
    }
    // `-1` where no value stands before it.
    if left.text == "-" && !ends_value(before) {
        return false;
    }
    if left.text == "*" && before.is_some_and(|before| before.text == ".") {
        return right.kind != Kind::Open;
    }
    if right.kind == Kind::Open && right.text != "{" && ends_value(Some(left)) {
        return false;
    }
    true
}

/// Whether a value may end with this token, so that what follows is an operator, a call or an
/// index.
fn ends_value(token: Option<Token<'_>>) -> bool {
    token.is_some_and(|token| match token.kind {
        Kind::Word => !KEYWORDS.contains(&token.text),
        Kind::Quoted | Kind::Heredoc | Kind::Close => true,
        Kind::Sign | Kind::Open | Kind::LineComment | Kind::Comment | Kind::Newline => false,
    })
}
