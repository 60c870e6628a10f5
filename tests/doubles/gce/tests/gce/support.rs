//! What the tests share: a double, and a client that sends what it is told to.

use std::path::PathBuf;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use strat_gce::{Gce, Options};
use tokio::net::TcpStream;

/// The project that the double has.
pub(crate) const PROJECT: &str = "shop-1";

/// The folder that `scripts/peers/gcp` installs into.
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
    peers.expect("STRAT_PEERS_DIR or HOME").join("gcp")
}

pub(crate) async fn start() -> Gce {
    let gce = Gce::start(&Options::new(peers(), PROJECT)).await;
    gce.unwrap_or_else(|why| panic!("{why}"))
}

/// Sends a request, and gives the status and the body of the answer; none where none came.
pub(crate) async fn ask(
    gce: &Gce,
    http: &str,
    path: &str,
    body: Option<&Value>,
) -> Option<(u16, Value)> {
    ask_at(
        gce.endpoint().trim_start_matches("http://"),
        http,
        path,
        body,
    )
    .await
}

/// The same, of a double at a host and port.
pub(crate) async fn ask_at(
    authority: &str,
    http: &str,
    path: &str,
    body: Option<&Value>,
) -> Option<(u16, Value)> {
    let stream = TcpStream::connect(authority)
        .await
        .expect("the double is there");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .expect("the double speaks");
    tokio::spawn(connection);
    let bytes = body.map_or(Bytes::new(), |body| Bytes::from(body.to_string()));
    let request = Request::builder()
        .method(http)
        .uri(path)
        .header("host", authority)
        .header("content-type", "application/json")
        .body(Full::new(bytes))
        .expect("a request");
    let response = sender.send_request(request).await.ok()?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some((head.status.as_u16(), body))
}
