//! Asking machines whether they do their work, from where this program runs.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What is asked of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its address.
    pub address: IpAddr,
    /// The TCP port.
    pub port: u16,
    /// What an HTTP `GET` asks for; `None`: the port has to take a connection.
    pub path: Option<String>,
    /// How long the answer may take.
    pub patience: Duration,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = SocketAddr::new(self.address, self.port);
        match &self.path {
            Some(path) => write!(f, "GET http://{at}{path}"),
            None => write!(f, "{at}"),
        }
    }
}

/// Somebody who can ask a machine.
#[async_trait]
pub trait HealthProbe: fmt::Debug + Send + Sync {
    /// Asks once.
    ///
    /// # Errors
    /// Why the machine is not healthy, in a few words.
    async fn ask(&self, question: &Question) -> Result<(), String>;
}

/// Asks over the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct NetProbe;

#[async_trait]
impl HealthProbe for NetProbe {
    async fn ask(&self, question: &Question) -> Result<(), String> {
        let answer = tokio::time::timeout(question.patience, ask(question)).await;
        answer.unwrap_or_else(|_| Err(format!("no answer in {:?}", question.patience)))
    }
}

async fn ask(question: &Question) -> Result<(), String> {
    let at = SocketAddr::new(question.address, question.port);
    let mut stream = TcpStream::connect(at)
        .await
        .map_err(|why| format!("no connection: {why}"))?;
    let Some(path) = &question.path else {
        return Ok(());
    };
    // RFC 9112, 3.2: a request must name the host, and may ask for the connection to be closed.
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {at}\r\nUser-Agent: strat\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    );
    let status = exchange(&mut stream, request.as_bytes())
        .await
        .map_err(|why| format!("no HTTP answer: {why}"))?;
    match status {
        200..=399 => Ok(()),
        status => Err(format!("HTTP status {status}")),
    }
}

/// How much of an answer is read to find its status line.
const HEAD_MAX: usize = 8 * 1024;

/// Sends a request and reads the status of the answer, passing over interim ones (RFC 9110, 15.2).
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> io::Result<u16> {
    stream.write_all(request).await?;
    let mut head = Vec::new();
    loop {
        let mut rest = head.as_slice();
        while let Some((status, length)) = status(rest)? {
            if !(100..200).contains(&status) {
                return Ok(status);
            }
            rest = &rest[length..];
        }
        if head.len() >= HEAD_MAX {
            return Err(io::Error::other("its head is too long"));
        }
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The status of the answer at the beginning of what was read, and the length of its head; nothing
/// if the head is not whole yet.
fn status(read: &[u8]) -> io::Result<Option<(u16, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(read) {
        Ok(httparse::Status::Complete(length)) => Ok(response.code.map(|code| (code, length))),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(why) => Err(io::Error::new(io::ErrorKind::InvalidData, why)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Asks a server on the loopback that answers once like this.
    async fn ask_one(path: Option<&str>, answer: &'static [u8]) -> (Result<(), String>, String) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.unwrap_or(0);
            asked.truncate(length);
            stream.write_all(answer).await.expect("sent");
            String::from_utf8(asked).expect("text")
        });
        let question = Question {
            address: at.ip(),
            port: at.port(),
            path: path.map(str::to_owned),
            patience: Duration::from_secs(20),
        };
        let result = NetProbe.ask(&question).await;
        (result, server.await.expect("served"))
    }

    #[tokio::test]
    async fn a_path_is_healthy_with_a_status_from_200_to_399() {
        for (answer, healthy) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[..], true),
            (b"HTTP/1.0 204 No Content\r\n\r\n", true),
            (b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", true),
            (
                b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
                true,
            ),
            (b"HTTP/1.1 404 Not Found\r\n\r\n", false),
            (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", false),
            (b"HTTP/1.1 100 Continue\r\n\r\n", false),
            (b"SSH-2.0-OpenSSH_9.9\r\n", false),
            (b"", false),
        ] {
            let (result, asked) = ask_one(Some("/healthz?deep=1"), answer).await;
            let text = String::from_utf8_lossy(answer);
            assert_eq!(result.is_ok(), healthy, "{text}: {result:?}");
            assert!(asked.starts_with("GET /healthz?deep=1 HTTP/1.1\r\nHost: 127.0.0.1:"));
            assert!(asked.ends_with("\r\n\r\n"), "{asked}");
        }
    }

    #[tokio::test]
    async fn without_a_path_a_connection_is_enough_and_a_closed_port_is_not() {
        let (result, asked) = ask_one(None, b"").await;
        assert_eq!((result, asked.as_str()), (Ok(()), ""));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let at = listener.local_addr().expect("an address");
        drop(listener);
        let question = Question {
            address: at.ip(),
            port: at.port(),
            path: None,
            patience: Duration::from_secs(20),
        };
        let result = NetProbe.ask(&question).await;
        assert!(result.is_err_and(|why| why.starts_with("no connection")));
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_answers_is_not_waited_for_for_ever() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let question = Question {
            address: at.ip(),
            port: at.port(),
            path: Some("/".to_owned()),
            patience: Duration::from_secs(5),
        };
        let result = NetProbe.ask(&question).await;
        assert_eq!(result, Err("no answer in 5s".to_owned()));
    }
}
