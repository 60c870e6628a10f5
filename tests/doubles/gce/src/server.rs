//! The HTTP side: reads a request, finds its method, holds it against the description, answers.

use std::collections::BTreeMap;
use std::fmt;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::Value;
use strat_provider::{Clock as _, TokioClock};
use tokio::net::TcpListener;

use crate::arrange::Recorded;
use crate::call::Call;
use crate::describe::{Asked, Description, Method};
use crate::refusal::Refusal;
use crate::{Gce, access, identity, rules, storage, text};

/// Why no answer is sent: the connection just ends.
#[derive(Debug)]
struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer got lost")
    }
}

impl std::error::Error for Lost {}

/// An answer: its status, its body, and what kind of body that is.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content: &'static str,
    /// More headers.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        Self {
            status,
            content: "application/json; charset=UTF-8",
            headers: Vec::new(),
            body,
        }
    }
}

impl From<Result<Value, Refusal>> for Answer {
    fn from(result: Result<Value, Refusal>) -> Self {
        match result {
            Ok(Value::Null) => Self::json(204, &Value::Null),
            Ok(body) => Self::json(200, &body),
            Err(refusal) if refusal.code == 304 => Self::json(304, &Value::Null),
            Err(refusal) => Self::json(refusal.code, &refusal.body()),
        }
    }
}

/// A request, read whole.
pub(crate) struct Received {
    pub(crate) http: String,
    /// The path as it came, still with its percent signs.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) content: String,
    pub(crate) authorization: Option<String>,
    /// The header that whoever asks a machine's metadata must send.
    pub(crate) flavor: Option<String>,
    pub(crate) body: Bytes,
}

pub(crate) fn now(clock: &TokioClock) -> Timestamp {
    clock.now()
}

pub(crate) async fn serve(gce: Gce, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let gce = gce.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(gce.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new();
            // An answer that got lost ends the connection with an error: that is its point.
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(gce: Gce, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    let header = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let asked = Received {
        http: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: text::pairs(head.uri.query().unwrap_or_default()),
        content: header("content-type").unwrap_or_default(),
        authorization: header("authorization"),
        flavor: header("metadata-flavor"),
        body,
    };
    let (id, answer) = gce.answer(&asked);
    let is_lost = {
        let mut world = gce.world();
        world.arranged.calls.push(Recorded {
            id: id.clone(),
            http: asked.http,
            path: asked.path,
            query: asked.query,
            body: recorded(&asked.content, &asked.body),
            authorization: asked.authorization,
            status: answer.status,
        });
        world.arranged.loses(&id)
    };
    if is_lost {
        return Err(Lost);
    }
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(|_| Lost)?;
    let content = hyper::header::HeaderValue::from_static(answer.content);
    response.headers_mut().insert("content-type", content);
    for (name, value) in answer.headers {
        let value = value.parse().map_err(|_| Lost)?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// A body as it is told: JSON, and a form as JSON.
fn recorded(content: &str, body: &Bytes) -> Option<Value> {
    if !content.starts_with("application/x-www-form-urlencoded") {
        return serde_json::from_slice(body).ok();
    }
    let pairs = text::pairs(&String::from_utf8_lossy(body)).into_iter();
    Some(
        pairs
            .map(|(name, value)| (name, Value::String(value)))
            .collect(),
    )
}

impl Gce {
    /// The method that was called, and the answer.
    fn answer(&self, asked: &Received) -> (String, Answer) {
        {
            let world = &mut *self.world();
            world.now = now(&self.clock);
            world.counted.borrow_mut().clear();
        }
        if let Some(answer) = identity::answer(self, asked) {
            return answer;
        }
        if let Err(refused) = self.check_caller(asked) {
            return (String::new(), refused);
        }
        if let Some(path) = asked.path.strip_prefix("/compute/v1/") {
            return self.compute(asked, path);
        }
        for prefix in [
            "/storage/v1/",
            "/upload/storage/v1/",
            "/download/storage/v1/",
        ] {
            if let Some(path) = asked.path.strip_prefix(prefix) {
                return storage::answer(self, &self.storage, asked, path);
            }
        }
        if let Some(answer) = access::answer(self, asked) {
            return answer;
        }
        let message = format!("no API has the path {}", asked.path);
        (String::new(), self.violated(asked, &[message], 404))
    }

    fn compute(&self, asked: &Received, path: &str) -> (String, Answer) {
        let Some((method, parameters)) = self.compute.find(&asked.http, path) else {
            let message = "Compute Engine has no such method".to_owned();
            return (String::new(), self.violated(asked, &[message], 404));
        };
        let body = match body_of(asked) {
            Ok(body) => body,
            Err(why) => return (method.id.clone(), self.violated(asked, &[why], 400)),
        };
        if let Err(refused) = self.hold(asked, &self.compute, method, &parameters, body.as_ref()) {
            return (method.id.clone(), refused);
        }
        let call = Call::new(method, parameters, asked.query.clone(), body.as_ref());
        let world = &mut *self.world();
        let result = access::check(world, &call).and_then(|()| rules::answer(world, &call));
        if let Ok(answer) = &result {
            world.note_flaws(&call.method, self.compute.flaws(method, answer));
        }
        (call.method, Answer::from(result))
    }

    /// Holds a request against the description.
    pub(crate) fn hold(
        &self,
        asked: &Received,
        description: &Description,
        method: &Method,
        path: &BTreeMap<String, String>,
        body: Option<&Value>,
    ) -> Result<(), Answer> {
        let query = &asked.query;
        let found = description.violations(method, &Asked { path, query, body });
        match found.is_empty() {
            true => Ok(()),
            false => Err(self.violated(asked, &found, 400)),
        }
    }

    /// Notes what the description does not take, and refuses the request.
    pub(crate) fn violated(&self, asked: &Received, found: &[String], code: u16) -> Answer {
        let mut world = self.world();
        for one in found {
            let note = format!("{} {}: {one}", asked.http, asked.path);
            world.arranged.violations.push(note);
        }
        let reason = if code == 404 {
            "notFound"
        } else {
            "badRequest"
        };
        let message = format!("Invalid request: {}", found.join("; "));
        Answer::from(Err(Refusal::new(code, reason, message)))
    }
}

/// The JSON of a body; none where there is none.
pub(crate) fn body_of(asked: &Received) -> Result<Option<Value>, String> {
    if asked.body.is_empty() {
        return Ok(None);
    }
    let parsed: Result<Value, _> = serde_json::from_slice(&asked.body);
    match parsed {
        Ok(Value::Object(fields)) => Ok(Some(Value::Object(fields))),
        Ok(_) => Err("body: it is no JSON object".to_owned()),
        Err(error) => Err(format!("body: it is no JSON: {error}")),
    }
}
