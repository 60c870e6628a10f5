//! The blocks and attributes of an HCL text, also of one that is half typed.
//!
//! The parser leaves out what is broken; here it stays, because it is what is being typed.

use std::ops::Range;

use crate::syntax::{Kind as TokenKind, Lexer, Token};

/// The deepest nesting of blocks that is followed.
const MAX_DEPTH: usize = 100;

/// What is in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// The blocks and attributes, in order.
    pub items: Vec<Item>,
    /// What spans several lines and can be folded: from an opening bracket to what closes it, and
    /// comments of several lines (then `true`).
    pub folds: Vec<(Range<usize>, bool)>,
}

/// A block, an attribute, or a word that is to become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// The place of its keyword or name.
    pub name: Range<usize>,
    /// The places of its labels, with their quotes.
    pub labels: Vec<Range<usize>>,
    /// All of it.
    pub range: Range<usize>,
    /// What is in a block.
    pub items: Vec<Self>,
}

/// What an [`Item`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKind {
    /// `keyword "label" { … }`; the place between the braces.
    Block(Range<usize>),
    /// `name = value`; the place behind the `=`.
    Attribute(Range<usize>),
    /// A word, perhaps with labels, behind which nothing follows yet.
    Word,
}

impl Item {
    /// Its first label without quotes.
    #[must_use]
    pub fn label<'t>(&self, text: &'t str) -> Option<&'t str> {
        let label = text.get(self.labels.first()?.clone())?;
        Some(label.trim_matches('"'))
    }
}

impl Outline {
    /// Reads a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let tokens = tokens(text);
        let mut reader = Reader::new(text, &tokens, false);
        let mut items = reader.items(None, 0).0;
        if reader.is_unbalanced {
            // Then the indentation says where a block ends that is not closed.
            reader = Reader::new(text, &tokens, true);
            items = reader.items(None, 0).0;
        }
        let folds = folds(text, &tokens);
        Self { items, folds }
    }
}

/// The tokens of a text, comments and line breaks included.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer::code(text);
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next();
        tokens.push(token);
        if token.kind == TokenKind::End {
            return tokens;
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
    /// Whether a line that is indented no deeper than what is open ends that.
    by_indentation: bool,
    is_unbalanced: bool,
}

impl<'t> Reader<'t> {
    const fn new(text: &'t str, tokens: &'t [Token], by_indentation: bool) -> Self {
        Self {
            text,
            tokens,
            at: 0,
            by_indentation,
            is_unbalanced: false,
        }
    }

    fn token(&self) -> Token {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens[self.at.min(last)]
    }

    /// What is in a file, or in a block that begins in `column` of its line, and the brace that closes
    /// it.
    fn items(&mut self, column: Option<usize>, depth: usize) -> (Vec<Item>, Option<Token>) {
        let mut items = Vec::new();
        loop {
            let token = self.token();
            match token.kind {
                TokenKind::End => {
                    self.is_unbalanced |= column.is_some();
                    return (items, None);
                }
                TokenKind::CloseBrace if column.is_some() => {
                    let outer = self.column_of_first(token);
                    let ends_outer = outer.zip(column).is_some_and(|(here, own)| here < own);
                    if self.by_indentation && ends_outer {
                        return (items, None);
                    }
                    self.at += 1;
                    return (items, Some(token));
                }
                TokenKind::Ident if self.ends(token, column) => return (items, None),
                TokenKind::Ident => items.push(self.item(token, depth)),
                TokenKind::CloseBrace => {
                    self.is_unbalanced = true;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// Whether a word begins what stands behind a block that is not closed.
    fn ends(&self, token: Token, column: Option<usize>) -> bool {
        let here = self.column_of_first(token);
        self.by_indentation && here.zip(column).is_some_and(|(here, own)| here <= own)
    }

    /// The column of a token that is the first of its line.
    fn column_of_first(&self, token: Token) -> Option<usize> {
        let before = self.text.get(..token.start)?;
        let line = before.rsplit('\n').next()?;
        line.trim().is_empty().then_some(line.len())
    }

    fn column(&self, token: Token) -> usize {
        let before = self.text.get(..token.start).unwrap_or_default();
        before.rsplit('\n').next().map_or(0, str::len)
    }

    fn item(&mut self, first: Token, depth: usize) -> Item {
        let column = self.column(first);
        let name = first.start..first.end;
        self.at += 1;
        let mut labels = Vec::new();
        loop {
            let token = self.token();
            match token.kind {
                TokenKind::Assign => {
                    self.at += 1;
                    let end = self.value(column);
                    return Item {
                        kind: ItemKind::Attribute(token.end..end),
                        range: name.start..end,
                        name,
                        labels,
                        items: Vec::new(),
                    };
                }
                TokenKind::OpenBrace if depth < MAX_DEPTH => {
                    self.at += 1;
                    let (items, close) = self.items(Some(column), depth + 1);
                    let open = || (self.token().start, self.token().start);
                    let (close, end) = close.map_or_else(open, |close| (close.start, close.end));
                    return Item {
                        kind: ItemKind::Block(token.end..close),
                        range: name.start..end,
                        name,
                        labels,
                        items,
                    };
                }
                TokenKind::Ident => {
                    self.at += 1;
                    labels.push(token.start..token.end);
                }
                TokenKind::OpenQuote => labels.push(self.quoted()),
                TokenKind::Comment => self.at += 1,
                _ => {
                    let end = labels.last().map_or(name.end, |label| label.end);
                    return Item {
                        kind: ItemKind::Word,
                        range: name.start..end,
                        name,
                        labels,
                        items: Vec::new(),
                    };
                }
            }
        }
    }

    /// A text in quotes.
    fn quoted(&mut self) -> Range<usize> {
        let open = self.token();
        let mut depth = 0_usize;
        let mut end = open.end;
        loop {
            let token = self.token();
            if token.kind == TokenKind::End {
                return open.start..end;
            }
            end = token.end;
            self.at += 1;
            if token.kind.opens() {
                depth += 1;
            } else if token.kind.closes() {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return open.start..end;
                }
            }
        }
    }

    /// Passes over the value of an attribute that begins in `column`, and gives its end.
    fn value(&mut self, column: usize) -> usize {
        let mut depth = 0_usize;
        let mut end = self.tokens[self.at - 1].end;
        loop {
            let token = self.token();
            let ends = match token.kind {
                TokenKind::End => true,
                TokenKind::Newline => depth == 0,
                TokenKind::CloseBrace if depth == 0 => true,
                TokenKind::CloseBrace => {
                    let here = self.column_of_first(token);
                    self.by_indentation && here.is_some_and(|here| here < column)
                }
                TokenKind::Ident => {
                    let next = self.tokens.get(self.at + 1).map(|next| next.kind);
                    let begins = matches!(
                        next,
                        Some(TokenKind::Assign | TokenKind::OpenBrace | TokenKind::OpenQuote)
                    );
                    depth > 0 && begins && self.ends(token, Some(column))
                }
                _ => false,
            };
            if ends {
                self.is_unbalanced |= depth > 0;
                return end;
            }
            if token.kind.opens() {
                depth += 1;
            } else if token.kind.closes() {
                depth = depth.saturating_sub(1);
            }
            if !matches!(token.kind, TokenKind::Comment | TokenKind::Newline) {
                end = token.end;
            }
            self.at += 1;
        }
    }
}

/// What can be folded.
fn folds(text: &str, tokens: &[Token]) -> Vec<(Range<usize>, bool)> {
    let mut folds = Vec::new();
    let mut open = Vec::new();
    let mut comment: Option<Range<usize>> = None;
    let lines = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default().contains('\n');
    for token in tokens {
        match token.kind {
            TokenKind::Comment => {
                // Comments on neighbouring lines are one; one behind something else stands alone.
                let line = text
                    .get(..token.start)
                    .unwrap_or_default()
                    .rsplit('\n')
                    .next();
                let alone = line.is_some_and(|line| line.trim().is_empty());
                let between = |range: &Range<usize>| text.get(range.end..token.start);
                let goes_on = comment.as_ref().and_then(between).is_some_and(|between| {
                    alone && between.trim().is_empty() && between.matches('\n').count() == 1
                });
                match &mut comment {
                    Some(range) if goes_on => range.end = token.end,
                    other => {
                        folds.extend(other.take().map(|range| (range, true)));
                        *other = alone.then_some(token.start..token.end);
                    }
                }
                continue;
            }
            TokenKind::Newline => continue,
            kind if kind.opens() => open.push(token.start),
            kind if kind.closes() => {
                if let Some(start) = open.pop() {
                    folds.push((start..token.end, false));
                }
            }
            _ => {}
        }
        folds.extend(comment.take().map(|range| (range, true)));
    }
    folds.retain(|(range, _)| lines(range));
    folds.sort_by_key(|(range, _)| (range.start, range.end));
    folds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keywords and names, nested ones in brackets, words with a question mark.
    fn shape(text: &str, items: &[Item]) -> String {
        let one = |item: &Item| {
            let name = &text[item.name.clone()];
            let label = item.label(text).map(|label| format!(" {label}"));
            let label = label.unwrap_or_default();
            match &item.kind {
                ItemKind::Block(_) => format!("{name}{label}({})", shape(text, &item.items)),
                ItemKind::Attribute(value) => format!("{name}={}", text[value.clone()].trim()),
                ItemKind::Word => format!("{name}{label}?"),
            }
        };
        items.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn outline(text: &str) -> String {
        shape(text, &Outline::of(text).items)
    }

    #[test]
    fn blocks_and_attributes_are_found() {
        let text = "topology \"shop\" {}\nmachine \"db\" {\n  cpu = 4 # many\n  disk {\n    size = \"1GiB\"\n  }\n}\n";
        let expected = "topology shop() machine db(cpu=4 disk(size=\"1GiB\"))";
        assert_eq!(outline(text), expected);
    }

    #[test]
    fn what_is_half_typed_stays() {
        let text = "machine \"db\" {\n  sub\n  cpu = \n  labels = {\n  image = \"x\"\n}\n\nvolume \"v\" {\n  si\n\nsite \"a\" {\n}\n";
        let expected = "machine db(sub? cpu= labels={ image=\"x\") volume v(si?) site a()";
        assert_eq!(outline(text), expected);
        assert_eq!(outline("machine \"d"), "machine d?");
        assert_eq!(outline("} machine"), "machine?");
    }

    #[test]
    fn brackets_and_comments_of_several_lines_fold() {
        let text =
            "# one\n# two\nsite \"a\" {\n  zones = [\n    \"x\",\n  ]\n}\nlocals { a = 1 }\n";
        let folds = Outline::of(text).folds;
        let texts: Vec<&str> = folds
            .iter()
            .map(|(range, _)| &text[range.clone()])
            .collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(folds[0].1 && texts[0] == "# one\n# two");
        assert!(texts[1].starts_with("{\n  zones") && texts[1].ends_with("]\n}"));
    }
}
