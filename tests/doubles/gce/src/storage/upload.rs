//! The bodies of uploads: the content alone (`media`), or with its metadata (`multipart`).
//! <https://cloud.google.com/storage/docs/uploads-downloads>

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::server::Received;

/// What is uploaded.
pub(super) struct Upload {
    /// The object's fields.
    pub(super) metadata: Value,
    pub(super) content: Bytes,
}

impl Upload {
    /// # Errors
    /// What is wrong with the body.
    pub(super) fn read(asked: &Received) -> Result<Self, String> {
        let kind = asked.query.iter().find(|(name, _)| name == "uploadType");
        match kind.map(|(_, kind)| kind.as_str()) {
            Some("media") => Ok(Self {
                metadata: json!({ "contentType": asked.content }),
                content: asked.body.clone(),
            }),
            Some("multipart") => multipart(asked),
            other => Err(format!(
                "query.uploadType: {other:?} is none that the double has"
            )),
        }
    }
}

/// Two parts: JSON, and the content. <https://www.rfc-editor.org/rfc/rfc2387>
fn multipart(asked: &Received) -> Result<Upload, String> {
    let boundary = asked.content.split("boundary=").nth(1);
    let boundary = boundary.map(|text| {
        text.split(';')
            .next()
            .unwrap_or(text)
            .trim_matches(['"', '\'', ' '])
    });
    let boundary = boundary.ok_or("header content-type: it has no boundary")?;
    let bytes: &[u8] = &asked.body;
    let line = format!("--{boundary}");
    let mut marks = Vec::new();
    let mut from = 0;
    while let Some(at) = find(&bytes[from..], line.as_bytes()) {
        marks.push(from + at);
        from += at + line.len();
    }
    let [first, second, third] = marks[..] else {
        return Err("body: it has not two parts".to_owned());
    };
    let part = |start: usize, end: usize| {
        let whole = &bytes[start + line.len()..end];
        let blank = find(whole, b"\r\n\r\n").ok_or("body: a part has no head")?;
        let body = &whole[blank + 4..];
        let head = String::from_utf8_lossy(&whole[..blank]).into_owned();
        Ok::<_, String>((head, body.strip_suffix(b"\r\n").unwrap_or(body)))
    };
    let (_, metadata) = part(first, second)?;
    let (head, content) = part(second, third)?;
    let parsed = serde_json::from_slice(metadata);
    let mut metadata: Value = parsed.map_err(|error| format!("body: the first part: {error}"))?;
    let kind = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type")
            .then(|| value.trim().to_owned())
    });
    if metadata["contentType"].is_null() {
        metadata["contentType"] = json!(kind);
    }
    Ok(Upload {
        metadata,
        content: Bytes::copy_from_slice(content),
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
