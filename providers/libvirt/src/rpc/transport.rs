//! The way to a daemon: a socket of this machine, or a process of SSH.

use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::error::Error;
use crate::host::Uri;

/// How much of what SSH says is kept, in bytes.
const SAID_MAX: usize = 4096;

/// An open way.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) stream: UnixStream,
    /// The process at its other end, if there is one.
    pub(super) process: Option<Process>,
}

/// A process of SSH.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    said: Arc<Mutex<String>>,
    /// What reads its words, until there are no more.
    listener: Option<JoinHandle<()>>,
}

/// How long the last words of a process that ended may take to be read: a child of its own may keep the way
/// to them open.
const LAST_WORDS: (Duration, u32) = (Duration::from_millis(10), 50);

impl Transport {
    /// Opens the way that a URI names.
    pub(super) fn open(uri: &Uri) -> Result<Self, Error> {
        if let Some(trouble) = uri.trouble() {
            return Err(Error::unsupported(trouble));
        }
        if uri.is_local() {
            let socket = local_socket(uri);
            let connected = UnixStream::connect(&socket);
            let stream = connected.map_err(|error| Error::of_way(format!("{socket}: {error}")))?;
            return Ok(Self {
                stream,
                process: None,
            });
        }
        let Some(mut ssh) = uri.ssh() else {
            return Err(Error::unsupported("there is no way to the host"));
        };
        let (ours, theirs) = UnixStream::pair()?;
        ssh.arg(remote_command(uri))
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs.try_clone()?)))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::piped());
        let started = ssh.spawn();
        // Our copies of its end go with the command: it must be the last to hold them.
        drop(ssh);
        let mut child = started.map_err(|error| Error::broken(format!("ssh: {error}")))?;
        let said = Arc::default();
        let stderr = child.stderr.take();
        let listener = stderr.map(|stderr| listen(stderr, Arc::clone(&said)));
        let process = Process {
            child,
            said,
            listener: listener.transpose()?,
        };
        Ok(Self {
            stream: ours,
            process: Some(process),
        })
    }
}

impl Process {
    /// Ends it, and gives what it said last.
    pub(super) fn end(mut self) -> String {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let (pause, times) = LAST_WORDS;
        for _ in 0..times {
            if self.listener.as_ref().is_none_or(JoinHandle::is_finished) {
                break;
            }
            std::thread::sleep(pause);
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.trim().to_owned()
    }
}

/// Keeps what a process says, to its end.
fn listen(mut from: ChildStderr, said: Arc<Mutex<String>>) -> io::Result<JoinHandle<()>> {
    let read = move || {
        let mut buffer = [0; 512];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.len() < SAID_MAX {
                said.push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        }
    };
    let builder = std::thread::Builder::new().name("libvirt-ssh".to_owned());
    builder.spawn(read)
}

/// The socket of a daemon of this machine: the one that a URI names, else that of the driver's own
/// daemon where there is one, else that of the one for everything.
fn local_socket(uri: &Uri) -> String {
    if let Some(socket) = uri.parameter("socket") {
        return socket.to_owned();
    }
    let own = format!("/run/libvirt/virt{}d-sock", uri.driver);
    if Path::new(&own).exists() {
        return own;
    }
    "/run/libvirt/libvirt-sock".to_owned()
}

/// What is run on a host to reach its daemon, as libvirt runs it: its own helper where it is there,
/// else `nc`; with a socket of one's own always the latter.
fn remote_command(uri: &Uri) -> String {
    let own = uri.parameter("socket");
    let netcat = quoted(uri.parameter("netcat").unwrap_or("nc"));
    // The remote daemon's socket is where older systems have it too.
    let socket = quoted(own.unwrap_or("/var/run/libvirt/libvirt-sock"));
    let by_netcat = format!(
        "if {netcat} -q 2>&1 | grep -q \"requires an argument\"; then {netcat} -q0 -U {socket}; \
         else {netcat} -U {socket}; fi"
    );
    let by_helper = format!("virt-ssh-helper {}", quoted(&uri.name()));
    let script = match uri.parameter("proxy") {
        Some("netcat") => by_netcat,
        Some("native") => by_helper,
        _ if own.is_some() || uri.parameter("netcat").is_some() => by_netcat,
        _ => format!(
            "if command -v virt-ssh-helper > /dev/null; then {by_helper}; else {by_netcat}; fi"
        ),
    };
    format!("sh -c {}", quoted(&script))
}

/// A word as a shell takes it literally.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn words_are_taken_literally() {
        let word = "it's $HOME; `id`";
        let echo = format!("printf %s {}", quoted(word));
        let output = Command::new("sh").args(["-c", &echo]).output();
        let output = output.expect("sh runs").stdout;
        assert_eq!(String::from_utf8_lossy(&output), word);
    }

    #[test]
    fn a_host_is_asked_for_its_daemon_as_libvirt_asks() {
        let of = |uri: &str| remote_command(&Uri::parse(uri).expect("a URI"));
        let auto = of("qemu+ssh://kvm1/system?keyfile=/k");
        assert!(
            auto.contains("virt-ssh-helper") && auto.contains("-U"),
            "{auto}"
        );
        assert!(auto.contains("qemu:///system"), "{auto}");
        let own = of("qemu+ssh://kvm1/system?socket=/tmp/s");
        assert!(!own.contains("helper") && own.contains("/tmp/s"), "{own}");
        let native = of("qemu+ssh://kvm1/system?proxy=native");
        assert!(!native.contains("-U"), "{native}");
    }

    #[test]
    fn what_is_not_spoken_is_said() {
        for uri in [
            "qemu+tls://kvm1/system",
            "qemu://kvm1/system",
            "qemu:///session",
        ] {
            let refused = Transport::open(&Uri::parse(uri).expect("a URI"));
            let refused = refused.expect_err(uri);
            assert_eq!(refused.code(), super::super::sys::VIR_ERR_NO_SUPPORT);
            assert!(refused.message().contains("use `"), "{refused}");
        }
    }

    #[test]
    fn what_ssh_says_last_is_kept() {
        let uri = "qemu+ssh://kvm1/system?command=/bin/false";
        let way = Transport::open(&Uri::parse(uri).expect("a URI")).expect("it starts");
        let mut nothing = [0];
        let mut stream = way.stream;
        assert_eq!(stream.read(&mut nothing).expect("its end"), 0);
        assert_eq!(way.process.expect("a process").end(), "");
    }
}
