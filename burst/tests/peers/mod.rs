//! A program under load, and a real Prometheus that scrapes it. Each ends when it is dropped.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A program that ends with its standard input, and whose first line says that it is there.
#[derive(Debug)]
struct Peer(Child);

impl Peer {
    fn start(command: &mut Command) -> (Self, String) {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut peer = Self(child.unwrap_or_else(|why| panic!("{command:?}: {why}")));
        let stdout = peer.0.stdout.take().expect("its output");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        (peer, line.trim_end().to_owned())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A web server that is asked so many times a second.
#[derive(Debug)]
pub(crate) struct Load {
    peer: Peer,
    /// Where it is scraped: host and port.
    pub(crate) address: String,
}

impl Load {
    pub(crate) fn start(rate: u32) -> Self {
        let script = root().join("burst/tests/peers/load.py");
        let (peer, address) = Peer::start(Command::new("python3").arg(script));
        let mut load = Self { peer, address };
        load.set(rate);
        load
    }

    /// How many requests there are each second from now on.
    pub(crate) fn set(&mut self, rate: u32) {
        let input = self.peer.0.stdin.as_mut().expect("an input");
        writeln!(input, "{rate}").expect("it listens");
    }
}

/// Prometheus.
#[derive(Debug)]
pub(crate) struct Server {
    _peer: Peer,
    pub(crate) url: String,
    _dir: tempfile::TempDir,
}

impl Server {
    /// Starts one that scrapes a target each second.
    pub(crate) fn start(target: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut command = Command::new(root().join("scripts/peers/prometheus"));
        command.arg("serve").arg(dir.path().join("data"));
        let (peer, line) = Peer::start(command.args([&port.to_string(), target]));
        assert_eq!(line, "ready", "run scripts/peers/prometheus once, as root");
        Self {
            _peer: peer,
            url: format!("http://127.0.0.1:{port}"),
            _dir: dir,
        }
    }
}

/// The folder of the whole project.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut above = here.ancestors();
    let root = above.find(|folder| folder.join("scripts/peers").is_dir());
    root.expect("a folder above").to_owned()
}
