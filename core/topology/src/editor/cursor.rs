//! What stands at the cursor.

use std::ops::Range;

use super::outline::{Item, ItemKind, Outline, tokens};
use crate::syntax::{Kind as TokenKind, Token};

/// What stands at a byte of an HCL text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The blocks around: the keyword and first label of each, from the outermost inwards.
    pub path: Vec<(String, Option<String>)>,
    /// The attributes and blocks that the innermost of them has, but for what the cursor is on.
    pub there: Vec<String>,
    /// Where it stands.
    pub place: Place,
    /// The word that the cursor is in or touches; empty between words.
    pub word: Range<usize>,
    /// The words before it, each with a dot behind it: `subnet` of `subnet.web`. An index is `[]`.
    pub chain: Vec<String>,
    /// Whether a bracket opens behind the word: it is a function's name.
    pub is_call: bool,
}

/// Where a cursor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Where an attribute or a block may begin, or in its keyword.
    Item,
    /// In a block's label: the place of its text.
    Label(Range<usize>),
    /// In an expression of the attribute of that name.
    Expression(String),
    /// In plain text in quotes, of the attribute of that name: the place of the text.
    Quoted(String, Range<usize>),
    /// In a comment, or in the text of a heredoc.
    Text,
}

impl Cursor {
    /// What stands at byte `at` of a text.
    #[must_use]
    pub fn at(text: &str, at: usize) -> Self {
        let tokens = tokens(text);
        let outline = Outline::of(text);
        let mut cursor = Self {
            path: Vec::new(),
            there: Vec::new(),
            place: Place::Item,
            word: at..at,
            chain: Vec::new(),
            is_call: false,
        };
        let attribute = cursor.descend(text, &outline.items, at);
        // The tokens that end before the cursor, or that it touches on their right.
        let end = tokens.partition_point(|token| token.start < at);
        let touched = end.checked_sub(1).map(|last| tokens[last]);
        let touched = touched.filter(|token| token.end >= at);
        let in_text = touched.is_some_and(|token| match token.kind {
            TokenKind::Comment => token.end > at || !text[..token.end].ends_with("*/"),
            TokenKind::UnclosedComment => true,
            _ => false,
        });
        if in_text {
            cursor.place = Place::Text;
            return cursor;
        }
        if let Some(place) = around(text, &tokens[..end], at, attribute.as_deref()) {
            cursor.place = place;
            return cursor;
        }
        cursor.word(text, &tokens, end, at);
        if let Some(name) = attribute {
            cursor.place = Place::Expression(name);
        }
        cursor
    }

    /// Goes down to the innermost block around a byte, and gives the name of the attribute in whose
    /// value it is.
    fn descend(&mut self, text: &str, items: &[Item], at: usize) -> Option<String> {
        let word = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default().to_owned();
        for item in items {
            match &item.kind {
                ItemKind::Block(inside) if (inside.start..=inside.end).contains(&at) => {
                    let label = item.label(text).map(str::to_owned);
                    self.path.push((word(&item.name), label));
                    return self.descend(text, &item.items, at);
                }
                ItemKind::Attribute(value) if value.start <= at => {
                    // Up to the end of its line: more of it may be typed there.
                    let between = text.get(value.end..at);
                    let behind = between.is_none_or(|between| !between.contains('\n'));
                    if behind {
                        return Some(word(&item.name));
                    }
                }
                _ => {}
            }
        }
        let here = |item: &&Item| !(item.name.start..=item.name.end).contains(&at);
        let others = items.iter().filter(here);
        self.there = others.map(|item| word(&item.name)).collect();
        None
    }

    /// The word at the cursor, and those before it.
    fn word(&mut self, text: &str, tokens: &[Token], end: usize, at: usize) {
        let touches =
            |token: &Token| token.kind == TokenKind::Ident && token.start <= at && token.end >= at;
        let left = end.checked_sub(1).filter(|last| touches(&tokens[*last]));
        let own = left.or_else(|| tokens.get(end).filter(|next| touches(next)).map(|_| end));
        let mut next = own.unwrap_or(end);
        if let Some(own) = own {
            self.word = tokens[own].start..tokens[own].end;
            let behind = tokens.get(own + 1).map(|token| token.kind);
            self.is_call = behind == Some(TokenKind::OpenParen);
        }
        while let Some(dot) = next
            .checked_sub(1)
            .filter(|dot| tokens[*dot].kind == TokenKind::Dot)
        {
            let Some(mut before) = dot.checked_sub(1) else {
                break;
            };
            let mut words = Vec::new();
            while tokens[before].kind == TokenKind::CloseBracket {
                let mut depth = 0_usize;
                while let Some(token) = tokens.get(before) {
                    depth += usize::from(token.kind == TokenKind::CloseBracket);
                    depth -= usize::from(token.kind == TokenKind::OpenBracket);
                    if depth == 0 || before == 0 {
                        break;
                    }
                    before -= 1;
                }
                words.push("[]".to_owned());
                before = before.saturating_sub(1);
            }
            if tokens[before].kind != TokenKind::Ident {
                break;
            }
            words.push(tokens[before].of(text).to_owned());
            self.chain.extend(words);
            next = before;
        }
        self.chain.reverse();
    }
}

/// The text around a byte, if it stands in one that is no expression.
fn around(text: &str, before: &[Token], at: usize, attribute: Option<&str>) -> Option<Place> {
    let mut open: Vec<Token> = Vec::new();
    for token in before {
        if token.kind.opens() && token.end <= at {
            open.push(*token);
        } else if token.kind.closes() && token.end <= at {
            // A quote without an end is open up to the end of its line.
            let unclosed = token.kind == TokenKind::UnclosedQuote && token.start >= at;
            if !unclosed {
                open.pop();
            }
        }
    }
    let innermost = open.last()?;
    match innermost.kind {
        TokenKind::OpenHeredoc => Some(Place::Text),
        TokenKind::OpenQuote => {
            let rest = text.get(innermost.end..).unwrap_or_default();
            let length = rest.find(['"', '\n', '\r', '$']).unwrap_or(rest.len());
            let range = innermost.end..(innermost.end + length).max(at);
            Some(match attribute {
                Some(name) => Place::Quoted(name.to_owned(), range),
                None => Place::Label(range),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands at the `|` of a text.
    fn at(text: &str) -> Cursor {
        let at = text.find('|').expect("a cursor");
        Cursor::at(&text.replace('|', ""), at)
    }

    fn keywords(cursor: &Cursor) -> Vec<&str> {
        cursor.path.iter().map(|(word, _)| &**word).collect()
    }

    #[test]
    fn in_a_block_there_is_what_it_has_already() {
        let cursor = at("machine \"db\" {\n  cpu = 4\n  disk {\n    size = 1\n  }\n  im|\n}\n");
        assert_eq!(keywords(&cursor), ["machine"]);
        assert_eq!(cursor.place, Place::Item);
        assert_eq!(cursor.there, ["cpu", "disk"]);
        assert_eq!(cursor.word.len(), 2);
        let cursor = at("machine \"db\" {\n  disk {\n    |\n  }\n}\n");
        assert_eq!(keywords(&cursor), ["machine", "disk"]);
        assert_eq!(cursor.path[0].1.as_deref(), Some("db"));
        assert!(at("top|").path.is_empty());
    }

    #[test]
    fn in_a_value_there_is_the_way_to_the_word() {
        let cursor = at("machine \"db\" {\n  subnet = subnet.|\n}\n");
        assert_eq!(cursor.place, Place::Expression("subnet".to_owned()));
        assert_eq!(cursor.chain, ["subnet"]);
        let cursor = at("output \"x\" {\n  value = \"a ${module.eu[\"b\"].co|} b\"\n}\n");
        assert_eq!(cursor.chain, ["module", "eu", "[]"]);
        assert_eq!(cursor.place, Place::Expression("value".to_owned()));
        let cursor = at("locals {\n  a = ma|x(1, 2)\n}\n");
        assert!(cursor.is_call && cursor.chain.is_empty());
    }

    #[test]
    fn texts_and_labels_are_told_apart() {
        let cursor = at("machine \"db\" {\n  arch = \"x|\"\n}\n");
        assert!(
            matches!(cursor.place, Place::Quoted(name, range) if name == "arch" && range.len() == 1)
        );
        let cursor = at("machine \"db\" {\n  arch = \"|\n}\n");
        assert!(matches!(cursor.place, Place::Quoted(name, _) if name == "arch"));
        assert!(matches!(at("machine \"d|b\" {}\n").place, Place::Label(_)));
        assert_eq!(at("# a com|ment\n").place, Place::Text);
        assert_eq!(
            at("locals {\n  a = <<EOT\nte|xt\nEOT\n}\n").place,
            Place::Text
        );
        let open = at("locals {\n  a = <<EOT\n${var.|}\nEOT\n}\n");
        assert_eq!(open.chain, ["var"]);
    }

    #[test]
    fn any_byte_of_any_beginning_of_a_text_is_somewhere() {
        let text = "topology \"s\" {}\nmachine \"dé\" {\n  x = [for a in var.b : \"${a}\"] # c\n  y = <<E\n q\nE\n}\n";
        for (end, _) in text.char_indices() {
            for (at, _) in text[..end].char_indices() {
                let cursor = Cursor::at(&text[..end], at);
                assert!(cursor.word.end <= end);
            }
        }
    }
}
