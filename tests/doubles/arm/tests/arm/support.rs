//! What the tests share: a double, and a client that sends what it is told to.

use std::path::PathBuf;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use strat_arm::{Arm, Options, TOKEN};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The subscription that the double has.
pub(crate) const SUBSCRIPTION: &str = "00000000-0000-4000-8000-00000000000a";

/// The folder that `scripts/peers/azure` installs into.
#[expect(
    clippy::disallowed_methods,
    reason = "scripts/test says by the environment where the peers are"
)]
pub(crate) fn peers() -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| home.map(|home| home.join(".cache")));
    let peers = std::env::var_os("STRAT_PEERS_DIR").map(PathBuf::from);
    let peers = peers.or_else(|| cache.map(|cache| cache.join("stratiform/peers")));
    peers.expect("STRAT_PEERS_DIR or HOME").join("azure")
}

pub(crate) async fn start() -> Arm {
    let description = peers().join("description.json");
    let options = Options::new(SUBSCRIPTION).with_description(description);
    let arm = Arm::start(&options).await;
    arm.unwrap_or_else(|why| panic!("{why}"))
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) text: String,
    headers: hyper::HeaderMap,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("text"))
    }

    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

/// A client's side of TLS that trusts one root.
fn connector(root: &str) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(root.as_bytes()).expect("PEM");
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// Sends a request with these headers; none where no answer came.
pub(crate) async fn send(
    (endpoint, root): (&str, &str),
    http: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Option<Answer> {
    let authority = endpoint.trim_start_matches("https://");
    let stream = TcpStream::connect(authority)
        .await
        .expect("the double is there");
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let stream = connector(root).connect(name, stream).await.expect("TLS");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .expect("the double speaks");
    tokio::spawn(connection);
    let path = path.replace(' ', "%20").replace('\'', "%27");
    let mut request = Request::builder()
        .method(http)
        .uri(path)
        .header("host", authority);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body)).expect("a request");
    let response = sender.send_request(request).await.ok()?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    Some(Answer {
        status: head.status.as_u16(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        text: String::from_utf8_lossy(&body).into_owned(),
        headers: head.headers,
    })
}

/// Asks with the token of the double, for JSON.
pub(crate) async fn ask(arm: &Arm, http: &str, path: &str, body: Option<Value>) -> Answer {
    let token = format!("Bearer {TOKEN}");
    let headers = [
        ("authorization", token.as_str()),
        ("content-type", "application/json"),
    ];
    let bytes = body.map_or(Bytes::new(), |body| Bytes::from(body.to_string()));
    let answer = send(
        (&arm.endpoint(), arm.root_pem()),
        http,
        path,
        &headers,
        bytes,
    )
    .await;
    answer.unwrap_or_else(|| panic!("no answer to {http} {path}"))
}

/// A group, which [`with_group`] makes.
pub(crate) const GROUP: &str =
    "/subscriptions/00000000-0000-4000-8000-00000000000a/resourceGroups/g";

/// The path of a thing in the group, with a version of its kind's API.
pub(crate) fn at(rest: &str) -> String {
    let version = match rest {
        rest if rest.starts_with("Microsoft.Network") => "2026-03-01",
        rest if rest.starts_with("Microsoft.Compute/disks") => "2026-03-02",
        rest if rest.starts_with("Microsoft.Compute") => "2026-04-01",
        _ => "2026-09-01",
    };
    format!("{GROUP}/providers/{rest}?api-version={version}")
}

/// A double whose operations take no time, with a group.
pub(crate) async fn with_group() -> Arm {
    let arm = start().await;
    arm.set_polls("*", 0);
    let path = format!("{GROUP}?api-version=2025-04-01");
    let made = ask(
        &arm,
        "PUT",
        &path,
        Some(json!({ "location": "westeurope" })),
    )
    .await;
    assert_eq!(made.status, 201, "{}", made.text);
    arm
}
