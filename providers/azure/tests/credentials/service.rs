//! A server of tokens, as platforms have one for what runs on them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::case::CLIENT;

/// A small server of tokens without TLS, as the platforms of machines have one.
pub(crate) struct Service {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

pub(crate) fn serve(at: (&str, u16)) -> Service {
    let listener = TcpListener::bind(at).expect("a port");
    let service = Service {
        port: listener.local_addr().expect("an address").port(),
        asked: Arc::default(),
    };
    let asked = Arc::clone(&service.asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who only looks whether anybody is there says nothing.
            let _ = answer(stream, &asked);
        }
    });
    service
}

/// <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>
fn answer(mut stream: TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut request = Vec::new();
    for line in lines.by_ref() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        request.push(line.to_lowercase());
    }
    let first = request.first().cloned().unwrap_or_default();
    if first.is_empty() {
        return Ok(());
    }
    let proof = request
        .iter()
        .any(|line| line == "metadata: true" || line == "x-identity-header: header");
    asked
        .lock()
        .expect("no panic")
        .push(format!("{first} {proof}"));
    let body = json!({
        "access_token": strat_arm::TOKEN, "expires_on": "4102444800", "resource": "any",
        "token_type": "Bearer", "client_id": CLIENT,
    })
    .to_string();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}
