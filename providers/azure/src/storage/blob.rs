//! Calls of a storage account's blobs: its own service, with its own tokens and its own errors.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api>

use quick_xml::Reader;
use quick_xml::events::Event;
use reqwest::Method;
use reqwest::header::HeaderMap;
use strat_model::{ErrorKind, Result};

use crate::error::{of_answer, refuse, unanswered};
use crate::provider::AzureProvider;

/// The version of the service that this is written for.
const VERSION: &str = "2025-11-05";

/// One call of a blob or a container.
#[derive(Debug, Clone)]
pub(crate) struct BlobCall {
    /// The permission that it needs.
    pub(crate) action: &'static str,
    pub(crate) method: Method,
    /// The account's address, as its resource says it.
    pub(crate) base: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
}

impl BlobCall {
    pub(crate) fn new(action: &'static str, method: Method, base: &str, path: String) -> Self {
        Self {
            action,
            method,
            base: base.trim_end_matches('/').to_owned(),
            path,
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An answer: its headers and its text.
#[derive(Debug)]
pub(crate) struct BlobAnswer {
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl AzureProvider {
    /// One call, one request; an answer that is no success is an error by the table of all errors.
    pub(crate) async fn blob(&self, call: BlobCall) -> Result<BlobAnswer> {
        let text = format!("{}/{}", call.base, call.path);
        let mut url = reqwest::Url::parse(&text).map_err(|error| {
            refuse(
                ErrorKind::Invalid,
                format!("`{text}` is no address: {error}"),
            )
        })?;
        if url.scheme() != "https" {
            let message = format!(
                "{} is an account without TLS, which gets no token",
                call.base
            );
            return Err(refuse(ErrorKind::Invalid, message));
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let token = self.access.storage_token().await?;
        let mut request = self.access.http.request(call.method.clone(), url);
        request = request.bearer_auth(token).header("x-ms-version", VERSION);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = call.body {
            request = request.body(body);
        }
        let answer = request.send().await.map_err(|error| unanswered(&error))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|error| unanswered(&error))?;
        match (200..300).contains(&status) {
            true => Ok(BlobAnswer {
                headers,
                text: String::from_utf8_lossy(&body).into_owned(),
            }),
            false => Err(of_answer(call.action, status, &headers, &body)),
        }
    }
}

/// One part of a path, as an address takes it.
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// A blob in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) is_current: bool,
    pub(crate) snapshot: Option<String>,
}

/// A page of a list of blobs, and whether more follow.
pub(crate) fn read_list(text: &str) -> (Vec<Listed>, bool) {
    let (mut blobs, mut more) = (Vec::new(), false);
    let (mut one, mut inside) = (None::<Listed>, Vec::<String>::new());
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let name = tag.name().as_ref().to_owned();
                if name == "Blob" {
                    one = Some(Listed::default());
                }
                inside.push(name);
            }
            Ok(Event::End(tag)) => {
                inside.pop();
                if tag.name().as_ref() == "Blob" {
                    blobs.extend(one.take());
                }
            }
            Ok(Event::Text(text)) => read_text(&inside, &text, one.as_mut(), &mut more),
            Ok(Event::GeneralRef(entity)) => {
                read_text(&inside, &entity_text(&entity), one.as_mut(), &mut more);
            }
            Ok(Event::Eof) | Err(_) => return (blobs, more),
            Ok(_) => {}
        }
    }
}

fn read_text(inside: &[String], text: &str, one: Option<&mut Listed>, more: &mut bool) {
    let path: Vec<&str> = inside.iter().map(String::as_str).collect();
    match (path.as_slice(), one) {
        ([.., "Blob", "Name"], Some(one)) => one.name.push_str(text),
        ([.., "Blob", "VersionId"], Some(one)) => {
            one.version.get_or_insert_default().push_str(text);
        }
        ([.., "Blob", "Snapshot"], Some(one)) => {
            one.snapshot.get_or_insert_default().push_str(text);
        }
        ([.., "Blob", "IsCurrentVersion"], Some(one)) => one.is_current = text == "true",
        ([.., "NextMarker"], _) => *more |= !text.is_empty(),
        _ => {}
    }
}

/// What an entity of XML stands for.
fn entity_text(entity: &str) -> String {
    let number = entity
        .strip_prefix('#')
        .and_then(|text| match text.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        });
    match (entity, number.and_then(char::from_u32)) {
        (_, Some(letter)) => letter.to_string(),
        ("amp", _) => "&".to_owned(),
        ("lt", _) => "<".to_owned(),
        ("gt", _) => ">".to_owned(),
        ("quot", _) => "\"".to_owned(),
        ("apos", _) => "'".to_owned(),
        (other, None) => format!("&{other};"),
    }
}

/// The text of the first element of a name, in the XML of an error.
pub(crate) fn xml_text(text: &str, element: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{element}>"))?;
    let (inner, _) = rest.split_once(&format!("</{element}>"))?;
    Some(inner.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_blobs_are_read() {
        let text = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults \
                    ContainerName=\"c\"><Blobs><Blob><Name>a &amp; b/&#xfc;</Name><VersionId>v1\
                    </VersionId><IsCurrentVersion>true</IsCurrentVersion><Properties><Etag>e</Etag>\
                    </Properties></Blob><Blob><Name>c</Name><Snapshot>s</Snapshot></Blob></Blobs>\
                    <NextMarker>m</NextMarker></EnumerationResults>";
        let (blobs, more) = read_list(text);
        assert_eq!(blobs.len(), 2);
        assert_eq!(
            (blobs[0].name.as_str(), blobs[0].is_current),
            ("a & b/ü", true)
        );
        assert_eq!(blobs[1].snapshot.as_deref(), Some("s"));
        assert!(more);
        let (none, more) =
            read_list("<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>");
        assert!(none.is_empty() && !more);
    }
}
