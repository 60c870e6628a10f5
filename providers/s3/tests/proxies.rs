//! Proxies and certificates that the environment names: each case in a process of its own, since the
//! environment is one for all tests of a process.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use strat_s3::{Buckets, Credentials, S3Settings, SharedCredentialsProvider};

/// The argument that makes this program the part with an environment of its own.
const ASKS: &str = "asks-for-buckets";

fn main() {
    if std::env::args().nth(1).as_deref() == Some(ASKS) {
        return asks_for_buckets();
    }
    what_a_proxy_refuses_is_told_as_that();
    a_proxy_that_is_not_there_is_told();
    a_bundle_that_cannot_be_read_is_told_before_anything_is_asked();
}

/// Asks for the buckets of an S3 that is nowhere, and prints what comes of it.
#[tokio::main]
#[expect(clippy::print_stdout, reason = "who started this process reads it")]
async fn asks_for_buckets() {
    let settings: S3Settings =
        serde_json::from_str(r#"{ "endpoint": "https://s3.example.test" }"#).expect("settings");
    let keys = Credentials::new("test", "test", None, None, "tests");
    let keys = SharedCredentialsProvider::new(keys);
    let asked = async { Buckets::of(settings, Some(keys)).await?.list().await };
    let error = asked.await.expect_err("there is no such S3");
    println!("told: {:?} {error} | {:?}", error.kind(), error.help());
}

/// What that part prints with these variables.
fn told(variables: &[(&str, &str)]) -> String {
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.arg(ASKS);
    let all = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
    for name in all {
        child.env_remove(name).env_remove(name.to_lowercase());
    }
    child.env_remove("AWS_CA_BUNDLE");
    child.envs(variables.iter().copied());
    let output = child.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("told: "), "{text}");
    text
}

/// A proxy that answers every request with the same, and its address.
fn proxy(answer: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody asks");
        let asked = head(&mut stream);
        stream.write_all(answer.as_bytes()).expect("an answer");
        asked
    });
    (address, asked)
}

/// The first line of a request, once its head is whole.
fn head(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        text.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

fn what_a_proxy_refuses_is_told_as_that() {
    let cases = [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "who asks (407)",
        ),
        (
            "HTTP/1.1 403 Forbidden\r\n\r\n",
            "the proxy refused the connection",
        ),
        ("", "the proxy closed the connection"),
    ];
    for (answer, expect) in cases {
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
            let (address, asked) = proxy(answer);
            let told = told(&[(name, &address)]);
            assert!(told.contains(expect), "{name} {answer}: {told}");
            assert!(
                told.contains("Transient") && told.contains("NO_PROXY"),
                "{told}"
            );
            let asked = asked.join().expect("it was asked");
            assert!(asked.starts_with("CONNECT s3.example.test:443"), "{asked}");
        }
    }
}

fn a_proxy_that_is_not_there_is_told() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let told = told(&[("HTTPS_PROXY", &address)]);
    assert!(told.contains("the proxy cannot be reached"), "{told}");
}

fn a_bundle_that_cannot_be_read_is_told_before_anything_is_asked() {
    let told = told(&[("AWS_CA_BUNDLE", "/nowhere/roots.pem")]);
    assert!(told.contains("Invalid"), "{told}");
    assert!(
        told.contains("AWS_CA_BUNDLE names /nowhere/roots.pem"),
        "{told}"
    );
}
