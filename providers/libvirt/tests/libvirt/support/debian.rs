//! A whole Debian host with a kernel of its own, which only SSH reaches.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::peer::{new_dir, spawn};

/// The host. It ends with the process of the tests, or with this value.
#[derive(Debug)]
pub(crate) struct Debian {
    dir: PathBuf,
    child: Child,
    port: u16,
}

impl Debian {
    /// Starts it, and waits until it is set up.
    pub(crate) fn start() -> Self {
        let dir = new_dir("debian");
        let port = free_port();
        let child = spawn(&["debian", &dir.to_string_lossy(), &port.to_string()], &dir);
        let host = Self { dir, child, port };
        host.write_ssh();
        // A processor that is translated, and shared with other tests.
        for _ in 0..1200 {
            if host.read("console.log").contains("host: ready") {
                return host;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        panic!(
            "the Debian host does not start; install what it needs with scripts/peers/libvirt, as root\n{}\n{}",
            host.read("serve.log"),
            host.read("console.log")
        );
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(name)).unwrap_or_default()
    }

    /// `ssh` as the tests run it: with the key that was made for this host, its host key and no
    /// other, and without a look at the settings of whoever runs the tests.
    fn write_ssh(&self) {
        let path = self.dir.join("ssh");
        let text = format!(
            "#!/bin/sh\nexec ssh -F none -i {0}/key -o IdentitiesOnly=yes -o BatchMode=yes \
             -o StrictHostKeyChecking=yes -o UserKnownHostsFile={0}/known_hosts \"$@\"\n",
            self.dir.display()
        );
        fs::write(&path, text).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("it may run");
    }

    /// How libvirt reaches it.
    pub(crate) fn uri(&self) -> String {
        format!(
            "qemu+ssh://strat@127.0.0.1:{}/system?command={}/ssh",
            self.port,
            self.dir.display()
        )
    }

    /// What a command says that the user runs there.
    pub(crate) fn run(&self, command: &str) -> String {
        let output = Command::new(self.dir.join("ssh"))
            .args(["-p", &self.port.to_string(), "strat@127.0.0.1", command])
            .stdin(Stdio::null())
            .output()
            .expect("ssh runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Debian {
    fn drop(&mut self) {
        // What it started dies with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}
