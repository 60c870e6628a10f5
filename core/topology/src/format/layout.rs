//! Lines: their indentation, and the columns of neighbours.

use super::space::between;
use super::token::{Kind, Token};

/// A line, in up to three columns.
struct Line {
    indent: usize,
    /// What stands before the `=` of an attribute, or everything.
    lead: String,
    /// From the `=` on.
    assign: Option<String>,
    /// The comment at the end.
    comment: Option<String>,
    /// Whether brackets that are opened here are closed here, and no heredoc begins here.
    whole: bool,
}

/// Puts tokens into lines.
pub(super) fn layout(tokens: &[Token<'_>]) -> String {
    let mut lines = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        let end = rest.iter().position(|t| t.kind == Kind::Newline);
        let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
        lines.push(read(line, &mut open));
        rest = after.get(1..).unwrap_or_default();
    }
    while lines
        .last()
        .is_some_and(|line| line.lead.is_empty() && line.comment.is_none())
    {
        lines.pop();
    }
    align_assigns(&mut lines);
    align_comments(&mut lines);
    let mut out = String::new();
    for line in lines {
        let start = out.len();
        out.extend(std::iter::repeat_n(' ', line.indent));
        out.push_str(&line.lead);
        out.extend(line.assign);
        out.extend(line.comment);
        if out[start..].trim().is_empty() {
            out.truncate(start);
        }
        out.push('\n');
    }
    out
}

fn read(tokens: &[Token<'_>], open: &mut Vec<usize>) -> Line {
    let change = |kind| tokens.iter().filter(|t| t.kind == kind).count();
    let (opened, closed) = (change(Kind::Open), change(Kind::Close));
    let closes_first = tokens.first().is_some_and(|t| t.kind == Kind::Close);
    let mut indent = open.len();
    if opened > closed {
        open.push(opened - closed);
    } else if closed > opened {
        close(open, closed - opened);
        indent = open.len();
    } else if closes_first {
        indent = indent.saturating_sub(1);
    }
    let (comment, code) = match tokens.split_last() {
        Some((last, code)) if last.kind == Kind::LineComment && !code.is_empty() => {
            (Some(last.text.to_owned()), code)
        }
        _ => (None, tokens),
    };
    let equals = assignment(code);
    let (lead, assign) = code.split_at(equals.unwrap_or(code.len()));
    let whole = opened == closed && tokens.iter().all(|t| !t.text.contains('\n'));
    Line {
        indent: indent * 2,
        lead: text(lead),
        assign: equals.map(|_| format!(" {}", text(assign))),
        comment: comment.map(|comment| format!(" {comment}")),
        whole,
    }
}

/// Takes `closed` brackets off: those that one line opened are one level.
fn close(open: &mut Vec<usize>, mut closed: usize) {
    while let Some(last) = open.last_mut() {
        if closed < *last {
            *last -= closed;
            return;
        }
        closed -= *last;
        open.pop();
        if closed == 0 {
            return;
        }
    }
}

/// Where the `=` of a line stands that sets something.
fn assignment(code: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, token) in code.iter().enumerate() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            _ if depth == 0 && token.text == "=" => return Some(at),
            _ => {}
        }
    }
    None
}

fn text(tokens: &[Token<'_>]) -> String {
    let mut out = String::new();
    for (at, token) in tokens.iter().enumerate() {
        if at > 0 {
            let before = at.checked_sub(2).map(|before| tokens[before]);
            if between(before, tokens[at - 1], *token) {
                out.push(' ');
            }
        }
        out.push_str(token.text);
    }
    out
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Calls `f` with every run of neighbouring lines that are `in_run`.
fn runs(lines: &mut [Line], in_run: impl Fn(&Line) -> bool, f: impl Fn(&mut [Line])) {
    let mut at = 0;
    while at < lines.len() {
        let indent = lines[at].indent;
        let run = lines[at..]
            .iter()
            .take_while(|line| in_run(line) && line.indent == indent);
        let len = run.count();
        f(&mut lines[at..at + len]);
        at += len.max(1);
    }
}

fn align_assigns(lines: &mut [Line]) {
    let in_run = |line: &Line| line.assign.is_some() && line.whole;
    runs(lines, in_run, |run| {
        let widest = run.iter().map(|line| width(&line.lead)).max().unwrap_or(0);
        for line in run {
            let missing = widest - width(&line.lead);
            line.lead.extend(std::iter::repeat_n(' ', missing));
        }
    });
}

fn align_comments(lines: &mut [Line]) {
    let code = |line: &Line| width(&line.lead) + line.assign.as_deref().map_or(0, width);
    runs(
        lines,
        |line| line.comment.is_some() && line.whole,
        |run| {
            let widest = run.iter().map(code).max().unwrap_or(0);
            for line in run {
                let missing = widest - code(line);
                let spaces = " ".repeat(missing);
                line.comment = line.comment.take().map(|comment| spaces + &comment);
            }
        },
    );
}
