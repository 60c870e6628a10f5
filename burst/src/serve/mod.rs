//! The page of bursts, and the same for programs: `/api`, `/metrics`, `/healthz`.
//!
//! All of it is read from the state folder: what a controller records there, whether it is this process
//! or another. So a page changes nothing, and shows what a person can look up by hand.

mod answers;
mod board;
mod metrics;
mod points;
mod tls;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub use board::Board;
pub use points::Point;
pub use tls::{Tls, TlsError, TlsFiles};

use crate::signals::Secret;

/// How many may be connected at once.
const CONNECTIONS_MAX: usize = 128;
/// How long a request's head may take to come.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Who may see it.
#[derive(Debug, Clone)]
pub enum Access {
    /// Whoever reaches this machine's own address, by its own name.
    Anyone,
    /// Who knows the token: as a bearer token, or once in the address of the page.
    Token(Secret),
    /// Whoever is connected: who that is was asked for with TLS.
    Certificate,
}

/// Serves what is in a state folder, for as long as it is polled; over TLS if there is any.
pub async fn serve(listener: TcpListener, state: PathBuf, access: Access, tls: Option<Tls>) {
    let board = Arc::new(Board::new(state));
    let access = Arc::new(access);
    let secure = tls.is_some();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let follow = async {
        loop {
            board.look();
            tokio::time::sleep(LOOK).await;
        }
    };
    let answer = async {
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors, for one: those that are open end first.
                tokio::time::sleep(LOOK).await;
                continue;
            };
            let (board, access) = (Arc::clone(&board), Arc::clone(&access));
            let acceptor = tls.as_ref().map(Tls::acceptor);
            tokio::spawn(async move {
                let _place = place;
                let Some(acceptor) = acceptor else {
                    return converse(stream, &board, &access, secure).await;
                };
                // Who shows no certificate, or the wrong one, is told so by TLS itself.
                let accepting = tokio::time::timeout(HEAD_DEADLINE, acceptor.accept(stream));
                if let Ok(Ok(stream)) = accepting.await {
                    converse(stream, &board, &access, secure).await;
                }
            });
        }
    };
    tokio::select! {
        () = follow => {}
        () = answer => {}
    }
}

/// Answers what is asked over one connection.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    board: &Board,
    access: &Access,
    secure: bool,
) {
    let service = service_fn(|request| {
        let answer = answers::answer(&request, board, access, secure);
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut connection = http1::Builder::new();
    connection
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE);
    // Who goes away in the middle of an answer is nobody to tell of it.
    let _ = connection
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
