//! One host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use virt::connect::Connect;

/// A libvirtd of the test's own. It ends with the process of the tests.
#[derive(Debug)]
pub(crate) struct Peer {
    dir: PathBuf,
    child: Child,
}

impl Peer {
    /// Where every host has its pool: a folder that each sees its own of.
    pub(crate) const POOL_PATH: &str = "/var/lib/libvirt/images/stratiform";

    /// The script that installs and runs it.
    pub(crate) const SCRIPT: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/peers/libvirt");

    /// Starts a host.
    pub(crate) fn start(name: &str) -> Self {
        let dir = new_dir(name);
        let pool = dir.join("lib/images/stratiform");
        fs::create_dir_all(&pool).expect("a folder");
        fs::write(pool.join("debian-12.img"), vec![0; 1 << 20]).expect("an image");
        let child = spawn(&["serve", &dir.to_string_lossy()], &dir);
        let peer = Self { dir, child };
        peer.wait_until_it_answers();
        super::bystanders::place(&peer.connect());
        peer
    }

    /// How libvirt reaches it.
    pub(crate) fn uri(&self) -> String {
        format!(
            "qemu:///system?socket={}/run/libvirt-sock",
            self.dir.display()
        )
    }

    /// How libvirt's mock driver is reached, which this host's libvirtd has too.
    pub(crate) fn mock_uri(&self) -> String {
        format!(
            "test+unix:///default?socket={}/run/libvirt-sock",
            self.dir.display()
        )
    }

    /// A connection of the test's own, past the provider.
    pub(crate) fn connect(&self) -> Connect {
        // The library would print every error; the tests tell theirs.
        virt::error::clear_error_callback();
        Connect::open(Some(&self.uri())).expect("a connection")
    }

    /// A path on the host, as this machine sees it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Kills libvirtd, as a crash would. Its machines go on; it starts again by itself, once
    /// `release` is called.
    pub(crate) fn kill_libvirtd(&self) {
        fs::write(self.dir.join("hold"), "").expect("a mark");
        let pid = fs::read_to_string(self.dir.join("libvirtd.pid")).expect("a pid");
        let status = self
            .enter_all()
            .args(["kill", "-9", pid.trim()])
            .status()
            .expect("nsenter runs");
        assert!(status.success(), "libvirtd was killed");
    }

    /// Lets libvirtd start again.
    pub(crate) fn release(&self) {
        fs::remove_file(self.dir.join("hold")).expect("the mark goes");
        self.wait_until_it_answers();
    }

    /// Has libvirtd killed when it comes to a point, of those that the script knows, and then a
    /// command run on the host. libvirtd starts again by itself.
    pub(crate) fn kill_at(&self, point: &str, command: &str) {
        let _ = fs::remove_file(self.dir.join("killed-at"));
        let new = self.dir.join("kill-at.new");
        fs::write(&new, format!("{point}\n{command}\n")).expect("a file");
        fs::rename(new, self.dir.join("kill-at")).expect("a name");
    }

    /// Whether libvirtd came to the point, and was killed there.
    pub(crate) fn was_killed(&self) -> bool {
        let was = self.dir.join("killed-at").exists();
        if was {
            self.wait_until_it_answers();
        }
        was
    }

    /// How libvirt reaches it by a program that stands in for `ssh`, and leads onto this host as a
    /// user.
    pub(crate) fn uri_as(&self, user: &str) -> String {
        let path = self.dir.join(format!("ssh-{user}"));
        let text = format!(
            "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift 2\n\
             exec nsenter --target {} --net --pid --mount -- \
             setpriv --reuid {user} --clear-groups sh -c \"$*\"\n",
            self.inner()
        );
        fs::write(&path, text).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may run");
        format!("qemu+ssh://kvm1/system?command={}", path.display())
    }

    /// A command within the host's network.
    pub(crate) fn enter(&self) -> Command {
        self.nsenter(&["--net"])
    }

    /// What a command says that runs on the host.
    pub(crate) fn say(&self, command: &[&str]) -> String {
        let output = self.enter_all().args(command).output();
        String::from_utf8_lossy(&output.expect("nsenter runs").stdout).into_owned()
    }

    /// The bridges of the host but the foreign one, and how many DHCP servers serve them.
    pub(crate) fn bridges(&self) -> (Vec<String>, usize) {
        let links = self.say(&["ip", "-o", "link", "show", "type", "bridge"]);
        let names = links.lines().filter_map(|line| line.split(": ").nth(1));
        let ours = names.filter(|name| !name.starts_with("bystander"));
        let find =
            "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep '^--conf-file=.*/dnsmasq/' | sort -u";
        let servers = self.say(&["sh", "-c", find]);
        let servers = servers.lines().filter(|file| !file.contains("bystander"));
        (ours.map(str::to_owned).collect(), servers.count())
    }

    fn enter_all(&self) -> Command {
        self.nsenter(&["--net", "--pid", "--mount"])
    }

    fn nsenter(&self, which: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.inner().to_string()])
            .args(which)
            .arg("--");
        command.stdin(Stdio::null());
        command
    }

    /// The process that is the first of the inner namespaces: the only child of ours.
    fn inner(&self) -> u32 {
        let path = format!("/proc/{0}/task/{0}/children", self.child.id());
        let children = fs::read_to_string(path).expect("the host runs");
        children
            .split_whitespace()
            .next()
            .and_then(|pid| pid.parse().ok())
            .expect("the host runs")
    }

    fn wait_until_it_answers(&self) {
        let socket = self.dir.join("run/libvirt-sock");
        // Four may start at once on two processors, each asking QEMU what it can do.
        for _ in 0..900 {
            if socket.exists() && Connect::open(Some(&self.uri())).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let log = |name: &str| fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        let (script, daemon) = (log("serve.log"), log("log/libvirtd.log"));
        panic!(
            "libvirtd does not answer; install it with scripts/peers/libvirt, as root\n{script}\n{daemon}"
        );
    }
}

/// The beginning of the folders' names; the process that made one follows.
const PREFIX: &str = "strat-libvirt-";

/// A folder for a host of this process.
pub(super) fn new_dir(name: &str) -> PathBuf {
    clear_up();
    let dir = std::env::temp_dir().join(format!("{PREFIX}{}-{name}", std::process::id()));
    fs::create_dir_all(&dir).expect("a folder");
    dir
}

/// Deletes what test runs that are over left. A run cannot do it itself: its hosts end with it,
/// and not before.
fn clear_up() {
    for entry in fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        let is_over = pid.is_some_and(|pid| {
            pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists()
        });
        if is_over {
            let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
        }
    }
}

/// Runs the script from a thread that does not end: the host dies with the thread that started it.
pub(super) fn spawn(arguments: &[&str], dir: &Path) -> Child {
    let (sender, receiver) = mpsc::channel();
    let log = fs::File::create(dir.join("serve.log")).expect("a log");
    let mut command = Command::new(Peer::SCRIPT);
    command.args(arguments);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    std::thread::spawn(move || {
        let _ = sender.send(command.spawn());
        loop {
            std::thread::park();
        }
    });
    let child = receiver.recv().expect("the thread answers");
    child.expect("scripts/peers/libvirt runs; it also installs what these tests need")
}
