//! The filter as a server: reads a request, asks the rules, forwards to moto.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use strat_provider::{Clock as _, TokioClock};
use tokio::net::{TcpListener, TcpStream};

use super::rules::Verdict;
use super::{Filter, xml};

/// A request, read whole.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The action: EC2's own word, or `s3:PUT:<query>` and the like.
    pub(super) action: String,
    /// The fields of a form body.
    pub(super) form: BTreeMap<String, String>,
    /// The same as they came.
    pub(super) original: BTreeMap<String, String>,
}

/// Why no answer is sent: the connection just ends.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer got lost")
    }
}

impl std::error::Error for Lost {}

pub(super) async fn serve(filter: Filter, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let filter = filter.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(filter.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new();
            // An answer that got lost ends the connection with an error: that is its point.
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(filter: Filter, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    let form = xml::form(&body);
    let action = match form.get("Action") {
        Some(action) => action.clone(),
        None => rest_action(&head.method, &head.uri, &head.headers),
    };
    let asked = Asked {
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        body,
        action,
        original: form.clone(),
        form,
    };
    filter.note(&asked);
    let (status, headers, body) = match filter.judge(&asked).await {
        Verdict::Refuse(status, code, message) => {
            let body = Bytes::from(xml::error(code, &message));
            (status, HeaderMap::new(), body)
        }
        Verdict::Answer(text) => (StatusCode::OK, HeaderMap::new(), Bytes::from(text)),
        Verdict::Forward(asked) => {
            let (status, headers, body) = filter.forward_once(&asked).await;
            filter.learn(&asked, status, &body);
            if status.is_success() {
                filter.note_life(&asked, &body);
            }
            filter.tag_bucket(&asked, status).await;
            filter.end_some(&asked, status, &body).await;
            let body = filter.explain(&asked, filter.shorten(&asked, body));
            (status, headers, body)
        }
    };
    if filter.state().lost.remove(&asked.action) {
        return Err(Lost);
    }
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    for (name, value) in &headers {
        if name != "transfer-encoding" && name != "content-length" && name != "connection" {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(response)
}

/// A word for a call of a service that speaks REST or JSON.
fn rest_action(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    if let Some(target) = headers.get("x-amz-target").and_then(|t| t.to_str().ok()) {
        return target.rsplit('.').next().unwrap_or(target).to_owned();
    }
    let query = uri.query().unwrap_or_default();
    let word = query
        .split(['&', '='])
        .find(|word| !word.is_empty() && !word.starts_with("x-id"));
    format!("s3:{method}:{}", word.unwrap_or_default())
}

type Whole = (StatusCode, HeaderMap, Bytes);

impl Filter {
    /// Forwards a call, or gives an answer that never changes once more.
    async fn forward_once(&self, asked: &Asked) -> Whole {
        static SAME: LazyLock<Mutex<BTreeMap<(u16, Bytes), Whole>>> = LazyLock::new(Mutex::default);
        let constant =
            asked.action.starts_with("DescribeInstanceType") && !asked.form.contains_key("DryRun");
        let key = (self.moto, asked.body.clone());
        if constant && let Some(known) = SAME.lock().expect("no panic").get(&key) {
            return known.clone();
        }
        let answer = self.forward(asked).await;
        // An error is never remembered: it would be everybody's from then on.
        if constant && answer.0.is_success() {
            SAME.lock().expect("no panic").insert(key, answer.clone());
        }
        answer
    }

    /// Sends a call on to moto.
    pub(super) async fn forward(&self, asked: &Asked) -> Whole {
        let stream = TcpStream::connect(("127.0.0.1", self.moto))
            .await
            .expect("moto is there");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("moto speaks");
        tokio::spawn(connection);
        let mut request = Request::new(Full::new(asked.body.clone()));
        *request.method_mut() = asked.method.clone();
        *request.uri_mut() = asked.uri.clone();
        *request.headers_mut() = asked.headers.clone();
        for header in &self.state().ignored {
            request.headers_mut().remove(*header);
        }
        let length = asked.body.len().to_string();
        let length = length.parse().expect("a number");
        request.headers_mut().insert("content-length", length);
        let response = sender.send_request(request).await.expect("moto answers");
        let (head, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .expect("moto ends its answer")
            .to_bytes();
        (head.status, head.headers, body)
    }

    /// Remembers that a call was made, and with which key.
    fn note(&self, asked: &Asked) {
        let mut state = self.state();
        *state.calls.entry(asked.action.clone()).or_default() += 1;
        let body = asked.body.clone();
        state.bodies.insert(asked.action.clone(), body);
        state.forms.insert(asked.action.clone(), asked.form.clone());
        let signed = asked.headers.get("authorization");
        let signed = signed.and_then(|text| text.to_str().ok()).unwrap_or("");
        let key = signed.split("Credential=").nth(1).unwrap_or("");
        if let Some(key) = key.split('/').next() {
            state.keys.insert(key.to_owned());
        }
    }

    /// Remembers since when instances run, and until when.
    fn note_life(&self, asked: &Asked, body: &Bytes) {
        let text = String::from_utf8_lossy(body);
        let ids = xml::between(&text, "instanceId").into_iter();
        let ids = ids.map(str::to_owned);
        let now = TokioClock::system().now();
        match asked.action.as_str() {
            "RunInstances" => {
                let times = xml::between(&text, "launchTime").into_iter();
                let times = times.map(|time| time.parse().expect("a time"));
                self.state().launched.extend(ids.zip(times));
            }
            "TerminateInstances" => {
                let mut state = self.state();
                // Who is ended twice is paid for until the first time.
                ids.for_each(|id| {
                    state.ended.entry(id).or_insert(now);
                });
            }
            _ => {}
        }
    }

    /// Brings the end of a session nearer, where that was asked for.
    fn shorten(&self, asked: &Asked, body: Bytes) -> Bytes {
        let Some(lasts) = self
            .state()
            .session
            .filter(|_| asked.action == "AssumeRole")
        else {
            return body;
        };
        let text = String::from_utf8_lossy(&body).into_owned();
        let end = TokioClock::system().now() + lasts;
        let ends = xml::between(&text, "Expiration");
        let text = ends.iter().fold(text.clone(), |text, old| {
            text.replace(*old, &format!("{end:.0}"))
        });
        Bytes::from(text)
    }

    /// moto leaves out the tags that a bucket is made with.
    async fn tag_bucket(&self, asked: &Asked, status: StatusCode) {
        let text = String::from_utf8_lossy(&asked.body).into_owned();
        let tags = xml::between(&text, "Tag");
        if asked.action != "s3:PUT:" || !status.is_success() || tags.is_empty() {
            return;
        }
        let tags = tags
            .iter()
            .map(|tag| format!("<Tag>{tag}</Tag>"))
            .collect::<String>();
        let mut tagging = asked.clone();
        tagging.body = Bytes::from(format!("<Tagging><TagSet>{tags}</TagSet></Tagging>"));
        let path = format!("{}?tagging", asked.uri.path().trim_end_matches('/'));
        tagging.uri = path.parse().expect("a path");
        self.forward(&tagging).await;
    }

    /// A question of the filter's own, in the name of who asked.
    pub(super) async fn ask(&self, asked: &Asked, fields: &[(&str, &str)]) -> String {
        let fields = fields
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let form: BTreeMap<String, String> = fields
            .chain([("Version".to_owned(), "2016-11-15".to_owned())])
            .collect();
        let question = Asked {
            method: Method::POST,
            uri: Uri::from_static("/"),
            headers: asked.headers.clone(),
            body: Bytes::from(xml::body(&form)),
            action: String::new(),
            original: form.clone(),
            form,
        };
        String::from_utf8_lossy(&self.forward(&question).await.2).into_owned()
    }
}
