//! Who holds a lease.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who holds a lease, or wants to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Sets this holder apart from every other.
    pub id: String,
    /// The host's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The user.
    pub user: String,
    /// What it does, such as `apply`.
    pub command: String,
    /// Since when.
    pub since: Timestamp,
    /// Tells whether the process still runs, where the system says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessMark>,
}

/// What sets a process apart from a later one of the same number. From Linux's `/proc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMark {
    /// The id of the host's boot.
    pub boot: String,
    /// The namespace in which the process number counts. Two containers of one host name have two.
    pub pid_namespace: String,
    /// When it started, in clock ticks since the boot.
    pub started: u64,
}

impl Holder {
    /// This process, running `command` since `now`.
    #[must_use]
    pub fn this_process(command: impl Into<String>, now: Timestamp) -> Self {
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        let pid = std::process::id();
        Self {
            id: format!("{host}/{pid}/{}", now.as_nanosecond()),
            host,
            pid,
            user: user(),
            command: command.into(),
            since: now,
            process: ProcessMark::of(pid),
        }
    }

    /// `user@host`.
    #[must_use]
    pub fn who(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }

    /// Whether this holder's process is known to be gone.
    ///
    /// Only a process of this boot, host and process namespace can be known to be gone; of any
    /// other nothing is known, and its lease has to expire.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.runs_here() == Some(false)
    }

    /// Whether its process is known to run on this host.
    #[must_use]
    pub fn lives_here(&self) -> bool {
        self.runs_here() == Some(true)
    }

    /// Whether its process lives on this host and is stopped, by Ctrl-Z or SIGSTOP.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.lives_here() && stat(self.pid).is_some_and(|(state, _)| matches!(state, 'T' | 't'))
    }

    /// Whether its process runs here; `None` for one of another host, boot or process namespace.
    fn runs_here(&self) -> Option<bool> {
        let (mark, ours) = (self.process.as_ref()?, ProcessMark::of(std::process::id())?);
        let same_place = mark.boot == ours.boot && mark.pid_namespace == ours.pid_namespace;
        same_place.then(|| start_ticks(self.pid) == Some(mark.started))
    }
}

impl ProcessMark {
    /// The mark of a running process; `None` where the system does not say.
    fn of(pid: u32) -> Option<Self> {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let pid_namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
        Some(Self {
            boot: boot.trim().to_owned(),
            pid_namespace: pid_namespace.to_string_lossy().into_owned(),
            started: start_ticks(pid)?,
        })
    }
}

/// When a process started. A zombie counts as gone.
fn start_ticks(pid: u32) -> Option<u64> {
    let (state, ticks) = stat(pid)?;
    (!matches!(state, 'Z' | 'X')).then_some(ticks)
}

/// The state of a process and when it started: the 3rd and the 22nd field of `/proc/<pid>/stat`
/// (see proc(5)), counted from behind the command, which may hold spaces and parentheses.
fn stat(pid: u32) -> Option<(char, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the user's name is shown to whoever finds the lease held"
)]
fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned())
}
