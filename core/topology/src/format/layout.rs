//! Lines: their indentation, and the columns of neighbours.

use super::space::{Neighbour, between, closes, opens};
use crate::syntax::{Kind, Token};

/// A line, in up to three columns.
struct Line {
    indent: usize,
    /// What stands before the `=` of an attribute, or everything.
    lead: String,
    /// From the `=` of an attribute on, if its brackets are closed on the line.
    assign: Option<String>,
    /// The comment at the end, if it is not alone.
    comment: Option<String>,
    /// The line break, which a last line may not have.
    end: String,
}

/// Puts tokens into lines.
pub(super) fn layout(text: &str, tokens: &[Token]) -> String {
    let mut open: Vec<usize> = Vec::new();
    let lines = tokens.split_inclusive(|token| token.kind == Kind::Newline);
    let mut lines: Vec<Line> = lines.map(|line| read(text, line, &mut open)).collect();
    align(&mut lines, |line| (line.assign.as_mut(), width(&line.lead)));
    align(&mut lines, |line| {
        let code = width(&line.lead) + line.assign.as_deref().map_or(0, width);
        (line.comment.as_mut(), code)
    });
    let mut out = String::with_capacity(text.len());
    for line in lines {
        if !line.lead.is_empty() {
            out.extend(std::iter::repeat_n(' ', line.indent));
        }
        out.push_str(&line.lead);
        out.extend(line.assign);
        out.extend(line.comment);
        out.push_str(&line.end);
    }
    out
}

fn read(text: &str, tokens: &[Token], open: &mut Vec<usize>) -> Line {
    let (end, code) = match tokens.split_last() {
        Some((last, code)) if last.kind == Kind::Newline => (last.of(text), code),
        _ => ("", tokens),
    };
    let (comment, code) = match code.split_last() {
        Some((last, code)) if is_line_comment(text, *last) && !code.is_empty() => {
            (Some(format!(" {}", last.of(text))), code)
        }
        _ => (None, code),
    };
    let (lead, assign) = code.split_at(assignment(code).unwrap_or(code.len()));
    let has_assign = !assign.is_empty();
    Line {
        indent: 2 * level(code, open),
        lead: join(text, lead),
        assign: has_assign.then(|| format!(" {}", join(text, assign))),
        comment,
        end: end.to_owned(),
    }
}

fn is_line_comment(text: &str, token: Token) -> bool {
    token.kind == Kind::Comment && !token.of(text).starts_with("/*")
}

/// How many more brackets tokens open than they close.
fn opened(tokens: &[Token]) -> isize {
    let change = |token: &Token| match token.kind {
        kind if opens(kind) => 1,
        kind if closes(kind) => -1,
        _ => 0,
    };
    tokens.iter().map(change).sum()
}

/// The level of a line. Brackets that one line opens are one level.
fn level(code: &[Token], open: &mut Vec<usize>) -> usize {
    let opened = opened(code);
    let level = open.len();
    if opened > 0 {
        open.push(opened.unsigned_abs());
        return level;
    }
    if opened == 0 && code.first().is_some_and(|first| closes(first.kind)) {
        return level.saturating_sub(1);
    }
    let mut closed = opened.unsigned_abs();
    while let Some(last) = open.last_mut().filter(|_| closed > 0) {
        if closed < *last {
            *last -= closed;
            break;
        }
        closed -= *last;
        open.pop();
    }
    open.len()
}

/// Where the `=` of a line stands that sets something, if the line holds all of the value.
fn assignment(code: &[Token]) -> Option<usize> {
    let at = code.iter().skip(1).position(|t| t.kind == Kind::Assign)? + 1;
    (opened(&code[at..]) == 0).then_some(at)
}

/// The tokens with spaces where they should be.
fn join(text: &str, tokens: &[Token]) -> String {
    let neighbour = |token: &Token| Neighbour {
        kind: token.kind,
        is_in: token.kind == Kind::Ident && token.of(text) == "in",
    };
    let mut out = String::new();
    for (at, token) in tokens.iter().enumerate() {
        if let Some(left) = at.checked_sub(1) {
            let before = left.checked_sub(1).map(|before| neighbour(&tokens[before]));
            if between(before, neighbour(&tokens[left]), neighbour(token)) {
                out.push(' ');
            }
        }
        out.push_str(token.of(text));
    }
    out
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Puts a cell of neighbouring lines into one column. `cell` gives it, if the line has it, and the
/// width of what stands before it.
fn align(lines: &mut [Line], cell: impl Fn(&mut Line) -> (Option<&mut String>, usize)) {
    let mut at = 0;
    while at < lines.len() {
        let mut widest = 0;
        let mut end = at;
        while let Some((Some(_), width)) = lines.get_mut(end).map(|line| {
            let indent = line.indent;
            let (cell, width) = cell(line);
            (cell, width + indent)
        }) {
            widest = widest.max(width);
            end += 1;
        }
        for line in &mut lines[at..end] {
            let indent = line.indent;
            if let (Some(text), width) = cell(line) {
                text.insert_str(0, &" ".repeat(widest - width - indent));
            }
        }
        at = end.max(at + 1);
    }
}
