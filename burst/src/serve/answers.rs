//! Which request is answered with what.

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::unfold;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, HeaderValue,
    LOCATION, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use super::Access;
use super::board::Board;
use super::metrics;
use crate::log::{Log, bursts};

type Body = UnsyncBoxBody<Bytes, Infallible>;
type Answer = Response<Body>;

/// How often who listens is told that all is well, so that nobody in between closes the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many decisions a list has, unless it is asked for fewer.
const LISTED: usize = 100;
/// The cookie of who came with the token.
const COOKIE_NAME: &str = "strat_burst";

const HTML: &str = include_str!("assets/page.html");
const CSS: &str = include_str!("assets/page.css");
const JS: &str = include_str!("assets/page.js");
const CHART_JS: &str = include_str!("assets/uPlot.iife.min.js");
const CHART_CSS: &str = include_str!("assets/uPlot.min.css");

/// The answer to a request.
pub(super) fn answer(
    request: &Request<Incoming>,
    board: &Board,
    access: &Access,
    secure: bool,
) -> Answer {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return told(StatusCode::METHOD_NOT_ALLOWED, "this only answers GET");
    }
    let path = request.uri().path();
    if path == "/healthz" {
        return healthz(board);
    }
    if let Some(refused) = refused(request, access, secure) {
        return refused;
    }
    let query = |name: &str| {
        let pairs = request.uri().query().unwrap_or_default().split('&');
        let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    match path {
        "/" => text("text/html; charset=utf-8", HTML),
        "/page.css" => text("text/css; charset=utf-8", CSS),
        "/page.js" => text("text/javascript; charset=utf-8", JS),
        "/uplot.css" => text("text/css; charset=utf-8", CHART_CSS),
        "/uplot.js" => text("text/javascript; charset=utf-8", CHART_JS),
        "/metrics" => text(
            "text/plain; version=0.0.4; charset=utf-8",
            metrics::text(board),
        ),
        "/api/status" => match board.status() {
            Some(status) => as_json(&status),
            None => told(
                StatusCode::NOT_FOUND,
                "no controller has run in this folder",
            ),
        },
        "/api/decisions" => {
            let most = query("limit").and_then(|most| most.parse().ok());
            let most: usize = most.unwrap_or(LISTED);
            as_json(&json!({ "decisions": board.decisions(query("burst"), most) }))
        }
        "/api/points" => as_json(&board.points()),
        "/api/events" => events(board),
        _ => match path.strip_prefix("/api/decisions/") {
            Some(id) => decision(board, id),
            None => told(StatusCode::NOT_FOUND, "there is nothing of that name"),
        },
    }
}

/// Why a request is not answered: by whose name it comes, or what it does not know.
fn refused(request: &Request<Incoming>, access: &Access, secure: bool) -> Option<Answer> {
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let token = match access {
        Access::Token(token) => token,
        Access::Certificate => return None,
        Access::Anyone => return foreign(header(HOST).unwrap_or_default()),
    };
    let bearer = header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let cookies = header(COOKIE).unwrap_or_default().split(';');
    let mut cookies = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    let cookie = cookies
        .find(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, value)| value);
    let known = |said: &str| same(said, token.reveal());
    if bearer.is_some_and(known) || cookie.is_some_and(known) {
        return None;
    }
    let query = request.uri().query().unwrap_or_default();
    let given = query.strip_prefix("token=").filter(|said| known(said));
    if let (Some(given), "/") = (given, request.uri().path()) {
        let mut answer = told(StatusCode::SEE_OTHER, "");
        let secure = if secure { "; Secure" } else { "" };
        let cookie = format!("{COOKIE_NAME}={given}; HttpOnly; SameSite=Strict; Path=/{secure}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            answer.headers_mut().insert(SET_COOKIE, cookie);
            answer
                .headers_mut()
                .insert(LOCATION, HeaderValue::from_static("/"));
            return Some(answer);
        }
    }
    Some(told(
        StatusCode::UNAUTHORIZED,
        "a token is needed: as a bearer token, or once in the address: /?token=…",
    ))
}

/// Refuses who comes by a name that is not this machine's own: a page elsewhere could have its name lead
/// here, and read along.
fn foreign(host: &str) -> Option<Answer> {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
        if is_port { name } else { host }
    });
    let own = matches!(name, "localhost" | "127.0.0.1" | "[::1]" | "");
    (!own).then(|| told(StatusCode::FORBIDDEN, "this machine is not called so"))
}

/// Compares in a time that says nothing of where two texts differ.
fn same(said: &str, token: &str) -> bool {
    let differs = said
        .bytes()
        .zip(token.bytes())
        .fold(0, |differs, (a, b)| differs | (a ^ b));
    said.len() == token.len() && !token.is_empty() && differs == 0
}

/// Whether a controller is at work in the folder.
fn healthz(board: &Board) -> Answer {
    use stratiform::provider::Clock as _;
    let now = stratiform::provider::TokioClock::system().now();
    match board.status() {
        Some(status) if !status.is_stale(now) => told(StatusCode::OK, "ok"),
        Some(_) => told(
            StatusCode::SERVICE_UNAVAILABLE,
            "the last round is too long ago",
        ),
        None => told(StatusCode::SERVICE_UNAVAILABLE, "there was no round yet"),
    }
}

/// A whole record, from the files.
fn decision(board: &Board, id: &str) -> Answer {
    for burst in bursts(board.state()).unwrap_or_default() {
        let found = Log::of(board.state(), &burst).find(id).unwrap_or_default();
        if let [(decided, done)] = found.as_slice() {
            let identical = decided.record.replay().is_ok();
            return as_json(&json!({
                "record": decided.record,
                "done": done,
                "replay": { "identical": identical },
            }));
        }
    }
    told(StatusCode::NOT_FOUND, "there is no such decision")
}

/// What happens, as it happens.
fn events(board: &Board) -> Answer {
    let first = "retry: 2000\n\n".to_owned();
    let receiver = board.listen();
    let stream = unfold(
        (Some(first), receiver),
        |(first, mut receiver)| async move {
            if let Some(first) = first {
                return Some((first, (None, receiver)));
            }
            let next = tokio::time::timeout(HEARTBEAT, receiver.recv()).await;
            let event = match next {
                Ok(Ok(event)) => event,
                Err(_) => ": all is well\n\n".to_owned(),
                // Too slow: it comes back and reads everything anew.
                Ok(Err(RecvError::Lagged(_) | RecvError::Closed)) => return None,
            };
            Some((event, (None, receiver)))
        },
    );
    let frames = stream.map(|event| Ok(Frame::data(Bytes::from(event))));
    let mut answer = Response::new(StreamBody::new(frames).boxed_unsync());
    set(&mut answer, CONTENT_TYPE, "text/event-stream");
    finish(answer)
}

fn as_json(value: &impl Serialize) -> Answer {
    match serde_json::to_string(value) {
        Ok(json) => text("application/json", json),
        Err(_) => told(StatusCode::INTERNAL_SERVER_ERROR, "it has no JSON form"),
    }
}

fn told(status: StatusCode, what: &'static str) -> Answer {
    let mut answer = text("text/plain; charset=utf-8", what);
    *answer.status_mut() = status;
    answer
}

fn text(kind: &'static str, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()).boxed_unsync());
    set(&mut answer, CONTENT_TYPE, kind);
    finish(answer)
}

fn finish(mut answer: Answer) -> Answer {
    // Nothing on the page comes from elsewhere, and nothing of it goes there.
    let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
    set(&mut answer, CONTENT_SECURITY_POLICY, policy);
    set(&mut answer, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut answer, CACHE_CONTROL, "no-store");
    answer
}

fn set(answer: &mut Answer, name: hyper::header::HeaderName, value: &'static str) {
    answer
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}
