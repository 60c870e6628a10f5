//! moto, as a process of the tests.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A running moto. It ends when this is dropped, or the program ends.
#[derive(Debug)]
pub(crate) struct Moto {
    pub(crate) port: u16,
    child: Child,
}

/// How many tests share a moto. Its lists go through all that it ever made, so that after a hundred
/// tests a call takes six times as long as at first; a start takes three seconds.
const SHARED_BY: u32 = 12;

/// A moto that a test shares with others, each with names of its own.
pub(crate) fn shared() -> Arc<Moto> {
    static SHARED: Mutex<Option<(Arc<Moto>, u32)>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let (moto, users) = match shared.take() {
        Some((moto, users)) if users < SHARED_BY => (moto, users + 1),
        _ => (Arc::new(Moto::start()), 1),
    };
    *shared = Some((Arc::clone(&moto), users));
    moto
}

impl Moto {
    /// Starts a moto of its own.
    pub(crate) fn start() -> Self {
        // The tests over all providers start it, too.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let here = root.join("providers/aws/tests/aws");
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let child = Command::new(python())
            .arg(here.join("moto_server.py"))
            .arg(port.to_string())
            .env("MOTO_AMIS_PATH", here.join("amis.json"))
            .env("MOTO_ENABLE_AMI_VALIDATION", "1")
            .env("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "1")
            .env("MOTO_ENABLE_KEYPAIR_VALIDATION", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto starts");
        let moto = Self { port, child };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return moto;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("moto did not answer on port {port} within 30 seconds");
    }

    /// Makes everything as if it had just been started.
    pub(crate) fn reset(&self) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("moto answers");
        let request =
            "POST /moto-api/reset HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.contains(" 200 "), "{answer}");
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // moto ends when the other end of its standard input does.
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}

/// The Python that has moto and boto3.
///
/// # Panics
/// If it is not there, naming the script that installs it.
#[expect(
    clippy::disallowed_methods,
    reason = "tests find their peers by the environment"
)]
pub(crate) fn python() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let peers = variable("STRAT_PEERS_DIR").unwrap_or_else(|| {
        let home = || variable("HOME").expect("a home folder").join(".cache");
        let cache = variable("XDG_CACHE_HOME").unwrap_or_else(home);
        cache.join("stratiform/peers")
    });
    let folder = peers.join("moto");
    assert!(
        folder.join("installed.txt").exists(),
        "moto is not installed in {}: run scripts/peers/moto once",
        folder.display()
    );
    folder.join("bin/python")
}
