//! The tests' guest: where its kernel is, and what it answers.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use strat_model::Resource;

use super::peer::Peer;

/// The folder where the script puts the guest's kernel and memory disk.
pub(crate) fn folder() -> PathBuf {
    let output = Command::new(Peer::SCRIPT)
        .arg("where")
        .output()
        .expect("the script runs");
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    assert!(
        folder.join("initrd").exists(),
        "the guest is not built; run scripts/peers/libvirt"
    );
    folder
}

/// How long an answer may take that must come, in seconds: translated machines share few
/// processors with other tests.
const PATIENCE: u32 = 120;

/// How long one is awaited that should not come, in seconds.
pub(crate) const SILENCE: u32 = 8;

/// What a machine answers the host with; `None` if nothing comes within so many seconds.
pub(crate) fn fetch_within(host: &Peer, ip: &str, path: &str, seconds: u32) -> Option<String> {
    let ask = format!(
        "exec 3<>/dev/tcp/{ip}/80 && printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"
    );
    let output = host
        .enter()
        .args(["timeout", &seconds.to_string(), "bash", "-c", &ask])
        .output()
        .expect("bash runs");
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .or_else(|| answer.split_once("\n\n"))?;
    head.contains(" 200 ").then(|| body.to_owned())
}

/// What a machine answers the host with, which it is to do.
pub(crate) fn fetch(host: &Peer, ip: &str, path: &str) -> String {
    let answer = fetch_within(host, ip, path, PATIENCE);
    answer.unwrap_or_else(|| panic!("{ip} does not answer with {path}"))
}

/// Waits until a machine that boots answers.
pub(crate) fn await_answer(host: &Peer, ip: &str, path: &str) -> String {
    // At most ten minutes.
    for _ in 0..70 {
        if let Some(answer) = fetch_within(host, ip, path, SILENCE) {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    panic!("{ip} does not answer")
}

/// A machine's address.
pub(crate) fn ip(machine: &Resource) -> &str {
    machine
        .attributes
        .get("private_ip")
        .expect("it has an address")
}
