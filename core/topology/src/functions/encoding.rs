//! Encodings and digests.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Args, FnResult, Function, pure};
use crate::value::{ITEM_BYTES, Json, Value, to_json};
use crate::{json, yaml};

pub(super) static TABLE: &[Function] = &[
    pure(
        "base64decode",
        (1, 1),
        base64_decode,
        "base64decode(text)",
        "The text of base64.",
        "base64decode(\"aGk=\") == \"hi\"",
    ),
    pure(
        "base64encode",
        (1, 1),
        base64_encode,
        "base64encode(text)",
        "The text as base64.",
        "base64encode(\"hi\") == \"aGk=\"",
    ),
    pure(
        "base64gzip",
        (1, 1),
        base64_gzip,
        "base64gzip(text)",
        "The text compressed by gzip, as base64.",
        "startswith(base64gzip(\"a\"), \"H4sI\")",
    ),
    pure(
        "csvdecode",
        (1, 1),
        csv_decode,
        "csvdecode(text)",
        "The rows of some CSV, each by the names of the first line.",
        "csvdecode(\"a,b\\n1,2\") == [{ a = \"1\", b = \"2\" }]",
    ),
    pure(
        "jsondecode",
        (1, 1),
        json_decode,
        "jsondecode(text)",
        "The value of some JSON.",
        "jsondecode(\"[1, 2]\") == [1, 2]",
    ),
    pure(
        "jsonencode",
        (1, 1),
        json_encode,
        "jsonencode(value)",
        "The value as JSON.",
        "jsonencode({ a = [1, true] }) == \"{\\\"a\\\":[1,true]}\"",
    ),
    pure(
        "urlencode",
        (1, 1),
        url_encode,
        "urlencode(text)",
        "The text as part of a URL's query.",
        "urlencode(\"a b/c\") == \"a+b%2Fc\"",
    ),
    pure(
        "yamldecode",
        (1, 1),
        yaml_decode,
        "yamldecode(text)",
        "The value of some YAML.",
        "yamldecode(\"a: [1, x]\") == { a = [1, \"x\"] }",
    ),
    pure(
        "yamlencode",
        (1, 1),
        yaml_encode,
        "yamlencode(value)",
        "The value as YAML.",
        "yamldecode(yamlencode({ a = [\"1\"] })) == { a = [\"1\"] }",
    ),
];

fn base64_decode(args: &Args<'_>) -> FnResult {
    let Ok(bytes) = STANDARD.decode(args.text(0)?.replace(['\r', '\n'], "")) else {
        return Args::error(0, "takes base64, and this is none");
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Value::string(text)),
        Err(_) => Args::error(0, "decodes to something that is not UTF-8 text"),
    }
}

fn base64_encode(args: &Args<'_>) -> FnResult {
    Ok(Value::string(STANDARD.encode(args.text(0)?.as_bytes())))
}

/// The bytes of a text that are decoded in a step.
const DECODED_BYTES: usize = 8;

fn json_decode(args: &Args<'_>) -> FnResult {
    let text = args.text(0)?;
    args.spend(text.len() / DECODED_BYTES)?;
    if text.trim().is_empty() {
        return Args::error(0, "takes JSON, and this is empty");
    }
    match json::parse(&text) {
        Ok(node) => {
            let value = yaml::to_value(&node);
            value.or_else(|why| Args::error(0, format!("cannot read this JSON: {why}")))
        }
        Err((_, why)) => Args::error(0, format!("takes JSON, and this is none: {why}")),
    }
}

fn json_encode(args: &Args<'_>) -> FnResult {
    match to_json(args.value(0)) {
        Some(json) => Ok(Value::string(go_json(&json))),
        None => Args::error(0, "cannot write this value as JSON"),
    }
}

/// JSON as Go writes it: what HTML reads otherwise is escaped.
pub(super) fn go_json(json: &Json) -> String {
    let text = json.to_string();
    if !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text;
    }
    // These stand in strings alone.
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// Rows of RFC 4180: the first names the columns.
fn csv_decode(args: &Args<'_>) -> FnResult {
    let text = args.text(0)?;
    args.spend(text.len() / DECODED_BYTES)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let wrong = |error: csv::Error| Args::error(0, format!("takes CSV, and this is none: {error}"));
    let names: Vec<Arc<str>> = match reader.headers() {
        Ok(names) => names.iter().map(Arc::from).collect(),
        Err(error) => return wrong(error),
    };
    if names.is_empty() {
        return Args::error(0, "takes CSV with a line of names, and has none");
    }
    if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        return Args::error(0, "has two columns of one name");
    }
    let mut rows = Vec::new();
    let mut made = 0_usize;
    for record in reader.records() {
        match record {
            Ok(record) => {
                // Each row names the columns.
                let row = record.len().saturating_mul(ITEM_BYTES) + record.as_slice().len();
                made = made.saturating_add(row + ITEM_BYTES);
                Args::room(0, made)?;
                let cells = record.iter().map(Value::string);
                rows.push(Value::map(names.iter().cloned().zip(cells)));
            }
            Err(error) => return wrong(error),
        }
    }
    Ok(Value::list_of_one_type(rows))
}

fn base64_gzip(args: &Args<'_>) -> FnResult {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(args.text(0)?.as_bytes());
    match written.and_then(|()| encoder.finish()) {
        Ok(bytes) => Ok(Value::string(STANDARD.encode(bytes))),
        Err(error) => Args::error(0, format!("cannot be compressed: {error}")),
    }
}

fn url_encode(args: &Args<'_>) -> FnResult {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in args.text(0)?.bytes() {
        // RFC 3986, 2.3: the unreserved characters stand for themselves.
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else if byte == b' ' {
            out.push('+');
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Ok(Value::string(out))
}

fn yaml_decode(args: &Args<'_>) -> FnResult {
    let text = args.text(0)?;
    args.spend(text.len() / DECODED_BYTES)?;
    let value = match yaml::parse(&text) {
        Ok(node) => yaml::to_value(&node),
        Err(error) => {
            return Args::error(
                0,
                format!("takes YAML, and this is none: {}", error.message),
            );
        }
    };
    value.or_else(|why| Args::error(0, format!("cannot read this YAML: {why}")))
}

fn yaml_encode(args: &Args<'_>) -> FnResult {
    match yaml::emit(args.value(0)) {
        Some(text) => Ok(Value::string(text)),
        None => Args::error(0, "cannot write this value as YAML of at most 32 MiB"),
    }
}
