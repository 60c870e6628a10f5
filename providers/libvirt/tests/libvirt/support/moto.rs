//! moto's S3, started once for all tests of the program, and ended with it.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// What a request is signed with that moto does not check.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, \
     SignedHeaders=host, Signature=0";

/// A running moto.
pub(crate) struct Moto {
    port: u16,
}

/// The one that all tests share, each with names of its own.
pub(crate) fn shared() -> &'static Moto {
    static SHARED: OnceLock<Moto> = OnceLock::new();
    SHARED.get_or_init(Moto::start)
}

impl Moto {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/peers/moto");
        let output = Command::new(script).output().expect("the script runs");
        assert!(output.status.success(), "scripts/peers/moto: {output:?}");
        let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        // It ends with the thread that starts it, and that one with the program.
        std::thread::spawn(move || {
            let mut command = Command::new("setpriv");
            command
                .args(["--pdeathsig", "KILL"])
                .arg(folder.join("bin/python"))
                .arg(folder.join("bin/moto_server"))
                .args(["-H", "127.0.0.1", "-p", &port.to_string()])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let status = command.status();
            panic!("moto ended: {status:?}");
        });
        for _ in 0..1200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Self { port };
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("moto does not answer on port {port}");
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Puts something somewhere, past the provider; says whether it was answered well.
    pub(crate) fn put(&self, path: &str, body: &str) -> bool {
        // Else moto takes it for a form.
        let kind = "Content-Type: application/xml";
        let arguments = ["--request", "PUT", "--header", kind, "--data", body];
        self.curl(&arguments, path).status.success()
    }

    /// Reads something, past the provider.
    pub(crate) fn read(&self, path: &str) -> String {
        let output = self.curl(&[], path);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A request past the provider; says whether it was answered well.
    pub(crate) fn ask(&self, method: &str, path: &str) -> bool {
        self.curl(&["--request", method], path).status.success()
    }

    fn curl(&self, arguments: &[&str], path: &str) -> Output {
        let output = Command::new("curl")
            .args(["--silent", "--fail", "--header", SIGNED])
            .args(arguments)
            .arg(format!("{}/{path}", self.url()))
            .output();
        output.expect("curl runs")
    }
}
