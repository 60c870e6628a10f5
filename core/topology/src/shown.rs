//! What of a topology's text may be shown beside a finding: all but secrets.
//!
//! A secret has no business in a topology, and stands there all the same: as the default of a
//! sensitive variable, in an attribute that is refused for it, in the address of an endpoint.

use std::ops::Range;
use std::sync::Arc;

use strat_model::Diagnostic;
use unicode_normalization::UnicodeNormalization as _;

use crate::ast::{Attribute, Body, Expr, ExprKind};
use crate::decode::is_secret;
use crate::notation::{self, Notation};
use crate::topology::deep;
use crate::value::Value;
use crate::{data, syntax};

/// The longest name of a user that is looked for before the `@` of an address.
const USER_BYTES: usize = 256;

/// A text with stars in the place of secrets, byte for byte; `None` if it holds none that is known.
pub(crate) fn masked(name: &Arc<str>, text: &str) -> Option<String> {
    let mut found = passwords(text);
    deep(|| {
        let body = match notation::of(name) {
            Notation::Hcl => syntax::hcl_body(0, name, text).0,
            other => data::data_body(0, name, text, other, false).0,
        };
        in_body(&body, &mut found);
    });
    if found.is_empty() {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    for range in found {
        let secret = bytes.get_mut(range).unwrap_or_default();
        let hide = |byte: &&mut u8| !matches!(**byte, b'\n' | b'\r' | b'"' | b' ');
        secret.iter_mut().filter(hide).for_each(|byte| *byte = b'*');
    }
    String::from_utf8(bytes).ok()
}

/// What stands between `user:` and `@`.
fn passwords(text: &str) -> Vec<Range<usize>> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '/' | '@' | ',');
    let password = |(at, _): (usize, &str)| {
        let mut from = at.saturating_sub(USER_BYTES);
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        let before = &text[from..at];
        let before = before.rsplit(ends).next().unwrap_or_default();
        let start = at - before.len() + before.find(':')? + 1;
        Some(start..at)
    };
    text.match_indices('@').filter_map(password).collect()
}

fn in_body(body: &Body, found: &mut Vec<Range<usize>>) {
    let hidden = |attribute: &Attribute| {
        !matches!(&attribute.value.kind, ExprKind::Literal(Value::Bool(false)))
    };
    for attribute in &body.attributes {
        if is_secret(&attribute.name.text) {
            found.push(place(&attribute.value));
        }
        in_expr(&attribute.value, found);
    }
    for block in &body.blocks {
        let sensitive = block.body.attribute("sensitive").is_some_and(hidden);
        if sensitive && &*block.keyword.text == "variable" {
            let defaults = block
                .body
                .attributes
                .iter()
                .filter(|a| &*a.name.text == "default");
            found.extend(defaults.map(|default| place(&default.value)));
        }
        in_body(&block.body, found);
    }
}

/// What is given to `sensitive(…)`.
fn in_expr(expr: &Expr, found: &mut Vec<Range<usize>>) {
    if let ExprKind::Call(call) = &expr.kind
        && &*call.name.text == "sensitive"
    {
        found.extend(call.args.iter().map(place));
    }
    expr.for_each_child(&mut |child| in_expr(child, found));
}

fn place(expr: &Expr) -> Range<usize> {
    expr.span.start as usize..expr.span.end as usize
}

/// Takes what a finding quotes of a file of values out of it: all in quotes that stands in the file,
/// but for signs and the names of variables.
pub(crate) fn unquoted<'a>(
    finding: &mut Diagnostic,
    text: &str,
    names: &(impl Iterator<Item = &'a Arc<str>> + Clone),
) {
    // What a finding quotes was read: escapes are resolved, and it is in normal form C.
    let read: String = unescaped(text).nfc().collect();
    let stands = |piece: &str| {
        let named = names.clone().any(|name| &**name == piece);
        let normal: String = piece.nfc().collect();
        !named && (text.contains(piece) || read.contains(&normal))
    };
    let hide = |piece: &str| {
        let is_sign = !piece.contains(char::is_alphanumeric);
        let mut words = piece.split(|c: char| !c.is_alphanumeric());
        // Help shows code: an example of it may hold a value among words of our own.
        !is_sign && stands(piece) || words.any(|word| word.len() > 2 && stands(word))
    };
    let clean = |message: &str| {
        let is_sure = !read.contains('`');
        hide_quoted(&hide_quoted(message, '`', is_sure, hide), '"', false, hide)
    };
    finding.message = clean(&finding.message);
    finding.help = finding.help.as_deref().map(clean);
    for label in &mut finding.labels {
        label.text = clean(&label.text);
    }
}

/// A text with the characters that its escapes stand for: `\x41`, `\u0041`, `\U00000041`, two of
/// `\ud835` for one character (JSON), and a character after a backslash for itself.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let first = number(rest);
        let second = first.and_then(|(_, length)| number(rest[length..].strip_prefix('\\')?));
        let pair = first.zip(second).and_then(|((high, length), (low, more))| {
            let units = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
            let text = String::from_utf16(&units).ok()?;
            let mut chars = text.chars();
            let both = chars.next().filter(|_| chars.next().is_none())?;
            Some((both, length + 1 + more))
        });
        let one = first.and_then(|(number, length)| Some((char::from_u32(number)?, length)));
        if let Some((c, length)) = pair.or(one) {
            out.push(c);
            rest = &rest[length..];
        } else if let Some(c) = rest.chars().next() {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out.push_str(rest);
    out
}

/// The number that an escape gives a character by, after its backslash, and how long that is.
fn number(escape: &str) -> Option<(u32, usize)> {
    let digits = match escape.as_bytes().first()? {
        b'x' => 2,
        b'u' => 4,
        b'U' => 8,
        _ => return None,
    };
    let number = u32::from_str_radix(escape.get(1..=digits)?, 16).ok()?;
    Some((number, 1 + digits))
}

/// A message with `…` for what stands between two quotes, where `hide` says so. Where what is quoted
/// may hold such a quote itself (not `is_sure`), all after the first may be quoted.
fn hide_quoted(message: &str, quote: char, is_sure: bool, hide: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(message.len());
    for (at, piece) in message.split(quote).enumerate() {
        if at > 0 {
            out.push(quote);
        }
        let may_be_quoted = at % 2 == 1 || at > 0 && !is_sure;
        if may_be_quoted && hide(piece) {
            out.push('…');
        } else {
            out.push_str(piece);
        }
    }
    out
}
