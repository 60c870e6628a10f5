//! The HTTP side: reads a request, finds what it is about, holds it against the description,
//! answers.

use std::fmt;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustls::ServerConfig;
use serde_json::Value;
use strat_provider::{Clock as _, TokioClock};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::arrange::Recorded;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::{Arm, access, blobs, catalogue, rules, text, token};

/// Why no answer is sent: the connection just ends.
#[derive(Debug)]
struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer got lost")
    }
}

impl std::error::Error for Lost {}

/// An answer: its status, its headers and its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// An answer in JSON, or without a body where that is null.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        Self {
            status,
            content: "application/json; charset=utf-8",
            headers: Vec::new(),
            body,
        }
    }

    pub(crate) fn with_headers(mut self, headers: Vec<(&'static str, String)>) -> Self {
        self.headers.extend(headers);
        self
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let code = ("x-ms-error-code", refusal.code.clone());
        let answer = Self::json(refusal.status, &refusal.body());
        answer
            .with_headers(refusal.headers)
            .with_headers(vec![code])
    }
}

impl From<Result<Self, Refusal>> for Answer {
    fn from(result: Result<Self, Refusal>) -> Self {
        result.unwrap_or_else(Self::from)
    }
}

/// A request, read whole.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) http: String,
    /// The path, without its percent signs.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Received {
    /// A pair of the query; their names have no case.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let pair = self
            .query
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        pair.map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let pair = self.headers.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    }
}

pub(crate) fn now(clock: &TokioClock) -> Timestamp {
    clock.now()
}

pub(crate) async fn serve(arm: Arm, listener: TcpListener, config: Arc<ServerConfig>) {
    let acceptor = TlsAcceptor::from(config);
    while let Ok((stream, _)) = listener.accept().await {
        let (arm, acceptor) = (arm.clone(), acceptor.clone());
        tokio::spawn(async move {
            // Whoever does not trust the root ends the connection here.
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = service_fn(|request| answer(arm.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new();
            // An answer that got lost ends the connection with an error: that is its point.
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(arm: Arm, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    let headers = head.headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let asked = Received {
        http: head.method.to_string(),
        path: text::decode(head.uri.path()),
        query: text::pairs(head.uri.query().unwrap_or_default()),
        headers: headers.collect(),
        body,
    };
    let (id, mut answer) = arm.answer(&asked);
    if let Some(blobs) = &arm.blobs
        && id.ends_with("/containers/write")
        && (200..300).contains(&answer.status)
    {
        let name = asked.path.rsplit('/').next().unwrap_or_default();
        (blobs.make)(name.to_owned()).await;
    }
    let is_lost = {
        let mut world = arm.world();
        for (name, value) in world.arranged.remaining(&id) {
            // What throttles says itself what is left.
            if !answer.headers.iter().any(|(own, _)| *own == name) {
                answer.headers.push((name, value));
            }
        }
        let number = world.count();
        answer
            .headers
            .push(("x-ms-request-id", text::guid(&format!("request {number}"))));
        world
            .arranged
            .calls
            .push(Recorded::of(&id, &asked, answer.status));
        world.arranged.loses(&id)
    };
    if is_lost {
        return Err(Lost);
    }
    if asked.http == "HEAD" {
        answer.body.clear();
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

impl Arm {
    /// What was called, and the answer.
    fn answer(&self, asked: &Received) -> (String, Answer) {
        let world = &mut *self.world();
        world.now = now(&self.clock);
        if let Some(answer) = token::answer(world, asked) {
            return ("token".to_owned(), answer);
        }
        if asked.path == "/api/retail/prices" {
            let refused = world.arranged.refusal("prices");
            let answer = refused.map_or_else(|| catalogue::prices(world, asked), Err);
            return ("prices".to_owned(), Answer::from(answer));
        }
        if let Some(path) = asked.path.strip_prefix("/blob/") {
            return blobs::answer(world, asked, path);
        }
        let body = match body_of(asked) {
            Ok(body) => body,
            Err(refusal) => return (String::new(), refusal.into()),
        };
        let call = match Call::parse(asked, body) {
            Ok(call) => call,
            Err(refusal) => {
                world
                    .arranged
                    .violate(asked, std::slice::from_ref(&refusal.message));
                return (String::new(), refusal.into());
            }
        };
        let result = self.managed(world, &call);
        if let (Ok(answer), Some(description)) = (&result, &self.description)
            && let Ok(body) = serde_json::from_slice::<Value>(&answer.body)
        {
            world
                .arranged
                .note_flaws(&call.id, description.flaws(&call, &body));
        }
        (call.id, Answer::from(result))
    }

    /// What Azure Resource Manager answers.
    fn managed(&self, world: &mut crate::world::World, call: &Call<'_>) -> Result<Answer, Refusal> {
        if let Some(refusal) = world.arranged.refusal(&call.id) {
            return Err(refusal);
        }
        token::check(world, call.asked.header("authorization"))?;
        if let Err(refusal) = call.check_version() {
            world
                .arranged
                .violate(call.asked, std::slice::from_ref(&refusal.message));
            return Err(refusal);
        }
        if let Some(description) = &self.description {
            let found = description.violations(call);
            if !found.is_empty() {
                world.arranged.violate(call.asked, &found);
                let message = format!("The request content was invalid: {}", found.join("; "));
                return Err(Refusal::new(400, "InvalidRequestContent", message));
            }
        }
        access::check(world, call)?;
        world.intrude(&call.id);
        let before = world.things.len();
        let result = rules::answer(world, call);
        if result.is_err() && call.is_write() && world.things.len() != before {
            let flaw = "what was refused left something behind, or took something away".to_owned();
            world.arranged.note_flaws(&call.id, vec![flaw]);
        }
        result
    }
}

/// The JSON of a body; none where there is none.
fn body_of(asked: &Received) -> Result<Option<Value>, Refusal> {
    if asked.body.is_empty() {
        return Ok(None);
    }
    let refuse = |why: String| {
        let message =
            format!("The request content was invalid and could not be deserialized: '{why}'.");
        Refusal::new(400, "InvalidRequestContent", message)
    };
    let parsed: Result<Value, _> = serde_json::from_slice(&asked.body);
    match parsed {
        Ok(Value::Object(fields)) => Ok(Some(Value::Object(fields))),
        Ok(_) => Err(refuse("it is no JSON object".to_owned())),
        Err(error) => Err(refuse(format!("it is no JSON: {error}"))),
    }
}
