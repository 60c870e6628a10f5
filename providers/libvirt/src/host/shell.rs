//! A shell on a host, for the little that libvirt's interface cannot do.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Host;
use super::uri::Uri;
use crate::rpc::quoted;

/// Where libvirt's daemon listens on this machine: the one for everything, and the one for networks.
const SOCKETS: [&str; 2] = [
    "/run/libvirt/libvirt-sock",
    "/run/libvirt/virtnetworkd-sock",
];

impl Host {
    /// Runs a script on the host, and gives what it wrote. On this machine it runs within the
    /// namespaces of libvirt's daemon, elsewhere over the SSH that the host's URI names; nothing is
    /// asked of whoever sits at the terminal.
    ///
    /// # Errors
    /// Where there is no way to run it, and where it fails, with what it wrote of that.
    pub(crate) fn run_script(&self, script: &str, arguments: &[&str]) -> io::Result<String> {
        let uri = Uri::parse(self.uri()).ok_or_else(|| io::Error::other("it has no URI"))?;
        let mut command = match uri.ssh() {
            Some(mut ssh) => {
                ssh.args(["sh", "-s", "--"]);
                ssh.args(arguments.iter().map(|word| quoted(word)));
                ssh
            }
            None if uri.is_local() => {
                let mut shell = beside_the_daemon(&uri)?;
                shell.args(["sh", "-s", "--"]).args(arguments);
                shell
            }
            None => {
                let message = "its URI names neither SSH nor this machine";
                return Err(io::Error::other(message));
            }
        };
        command
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that ended before it read everything says below why.
            let _ = stdin.write_all(script.as_bytes());
        }
        let output = child.wait_with_output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        let reason = last.map_or_else(|| output.status.to_string(), |line| line.trim().to_owned());
        Err(io::Error::other(reason))
    }
}

/// The beginning of a command that runs another one where libvirt's daemon on this machine runs. A
/// daemon in namespaces of its own, as in a container, sees other interfaces than we do.
fn beside_the_daemon(uri: &Uri) -> io::Result<Command> {
    let here = SOCKETS.into_iter().find(|path| Path::new(path).exists());
    let socket = uri.parameter("socket").or(here);
    let socket = socket.ok_or_else(|| io::Error::other("libvirt's socket is not found"))?;
    let peer = rustix::net::sockopt::socket_peercred(UnixStream::connect(socket)?)?;
    let pid = peer.pid.as_raw_nonzero();
    let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/net"));
    if namespace(&pid.to_string())? == namespace("self")? {
        return Ok(Command::new("env"));
    }
    let mut enter = Command::new("nsenter");
    enter
        .args(["--target", &pid.to_string()])
        .args(["--net", "--pid", "--mount", "--"]);
    Ok(enter)
}
