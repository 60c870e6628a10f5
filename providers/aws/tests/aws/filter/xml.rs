//! As much of XML and of form bodies as EC2's protocol needs.

use std::collections::BTreeMap;

/// The texts between `<tag>` and `</tag>`.
pub(crate) fn between<'a>(text: &'a str, tag: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let pieces = text.split(open.as_str()).skip(1);
    pieces
        .filter_map(|piece| piece.split(close.as_str()).next())
        .collect()
}

/// The items right under `<tag>`, however many lists are in each.
pub(super) fn items<'a>(text: &'a str, tag: &str) -> Vec<&'a str> {
    let Some(list) = between(text, tag).into_iter().next() else {
        return Vec::new();
    };
    let (mut items, mut depth, mut start, mut at) = (Vec::new(), 0, 0, 0);
    while let Some(next) = list[at..].find('<') {
        at += next;
        if list[at..].starts_with("<item>") {
            depth += 1;
            if depth == 1 {
                start = at + "<item>".len();
            }
        } else if list[at..].starts_with("</item>") {
            depth -= 1;
            if depth == 0 {
                items.push(&list[start..at]);
            }
        }
        at += 1;
    }
    items
}

/// An error answer in EC2's form.
pub(super) fn error(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
         <Message>{message}</Message></Error></Errors><RequestID>filter</RequestID></Response>"
    )
}

/// The fields of a form body.
pub(super) fn form(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

/// A form body of fields.
pub(super) fn body(fields: &BTreeMap<String, String>) -> Vec<u8> {
    let pair = |(key, value): (&String, &String)| format!("{}={}", encode(key), encode(value));
    fields
        .iter()
        .map(pair)
        .collect::<Vec<_>>()
        .join("&")
        .into_bytes()
}

fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = tail.get(..2).and_then(|d| std::str::from_utf8(d).ok());
                bytes.push(u8::from_str_radix(digits.unwrap_or("20"), 16).unwrap_or(b' '));
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
