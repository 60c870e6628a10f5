//! Calls of Google's JSON APIs that the SDK of Compute Engine has no client for: Cloud Storage and the
//! resource manager.

use reqwest::{Method, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use strat_model::{ErrorKind, Result};

use crate::error::{of_json, refuse, unanswered};
use crate::provider::GcpProvider;

/// What a call carries.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// Nothing.
    None,
    /// JSON.
    Json(Value),
    /// A text, as it stands.
    Text(String),
}

impl GcpProvider {
    /// One call, one request; an answer that is no success is an error by the table of all errors.
    pub(crate) async fn call(
        &self,
        action: &'static str,
        method: Method,
        url: &str,
        query: &[(&str, String)],
        body: Body,
    ) -> Result<Response> {
        let mut address = reqwest::Url::parse(url).map_err(|error| {
            refuse(
                ErrorKind::Invalid,
                format!("`{url}` is no address: {error}"),
            )
        })?;
        if !query.is_empty() {
            address.query_pairs_mut().extend_pairs(query);
        }
        let request = self.access.http.request(method, address);
        let request = request.headers(self.access.headers().await?);
        let request = match body {
            Body::None => request,
            Body::Json(json) => request.json(&json),
            Body::Text(text) => request
                .header(reqwest::header::CONTENT_TYPE, "application/json")
                .body(text),
        };
        let answer = request.send().await.map_err(|error| unanswered(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.unwrap_or_default();
        Err(of_json(action, status, &headers, &body))
    }

    /// The same, for an answer that is JSON.
    pub(crate) async fn call_json<T: DeserializeOwned>(
        &self,
        action: &'static str,
        method: Method,
        url: &str,
        query: &[(&str, String)],
        body: Body,
    ) -> Result<T> {
        let answer = self.call(action, method, url, query, body).await?;
        answer.json().await.map_err(|error| {
            let message = format!("the answer to the call for {action} could not be read: {error}");
            refuse(ErrorKind::Transient, message)
        })
    }

    /// The address of a bucket, or of what is in one.
    pub(crate) fn storage(&self, path: &str) -> String {
        format!("{}/storage/v1/b{path}", self.access.storage)
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
