//! The page of bursts, and the same for programs: `/api`, `/metrics`, `/healthz`.
//!
//! All of it is read from the state folder: what a controller records there, whether it is this process
//! or another. So a page changes nothing, and shows what a person can look up by hand.

mod answers;
mod board;
mod metrics;
mod points;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub use board::Board;
pub use points::Point;

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
}

/// Serves what is in a state folder, for as long as it is polled.
pub async fn serve(listener: TcpListener, state: PathBuf, access: Access) {
    let board = Arc::new(Board::new(state));
    let access = Arc::new(access);
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
            tokio::spawn(async move {
                let _place = place;
                let service = service_fn(|request| {
                    let answer = answers::answer(&request, &board, &access);
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
            });
        }
    };
    tokio::select! {
        () = follow => {}
        () = answer => {}
    }
}
