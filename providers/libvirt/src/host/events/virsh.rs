//! The process that listens: `virsh event`.

use std::io::{Error, ErrorKind, Result};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::Event;

/// How long one runs, in seconds.
const LIFE: u32 = 600;

/// What it says once it is connected; right after that it registers for events.
pub(super) const READY: &str = "ready";

/// Starts it, and says where its lines come from. It writes each at once, into a pipe as well.
///
/// The kernel kills it when the thread ends that calls this, so that one lives as long.
pub(super) fn start(program: &str, uri: &str) -> Result<(Child, ChildStdout)> {
    let mut with_us = Command::new("setpriv");
    with_us.args(["--pdeathsig", "KILL", program]);
    let mut child = match spawn(with_us, uri) {
        Err(error) if error.kind() == ErrorKind::NotFound => spawn(Command::new(program), uri)?,
        spawned => spawned?,
    };
    let lines = child.stdout.take();
    let lines = lines.ok_or_else(|| Error::other("it has no output"))?;
    Ok((child, lines))
}

/// It has a group of its own, so that Ctrl-C on a terminal reaches it through us alone.
fn spawn(mut command: Command, uri: &str) -> Result<Child> {
    command
        .args(["-c", uri])
        .arg(format!("echo {READY}; event --all --loop --timeout {LIFE}"))
        .env("LC_ALL", "C")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// The machine and the event of a line; `None` for what nobody waits for.
pub(super) fn parse(line: &str) -> Option<(&str, Event)> {
    let (kind, rest) = line.strip_prefix("event '")?.split_once("' for domain '")?;
    let (machine, detail) = rest.rsplit_once("': ")?;
    let event = match kind {
        "lifecycle" => match detail.split(' ').next()? {
            "Stopped" | "Crashed" | "Undefined" => Event::Ended,
            _ => return None,
        },
        "device-removed" => Event::Released(detail.to_owned()),
        "device-removal-failed" => Event::Refused(detail.to_owned()),
        _ => return None,
    };
    Some((machine, event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_virsh_are_read() {
        let check = |line: &str, wanted: Option<(&str, Event)>| assert_eq!(parse(line), wanted);
        let released = || Event::Released("virtio-disk1".to_owned());
        // As virsh 9.0 wrote them, but for the refusal, which is its form with an alias put in.
        check(
            "event 'lifecycle' for domain 'web-1': Stopped Shutdown",
            Some(("web-1", Event::Ended)),
        );
        check(
            "event 'lifecycle' for domain 'web-1': Stopped Destroyed",
            Some(("web-1", Event::Ended)),
        );
        check(
            "event 'lifecycle' for domain 'web-1': Undefined Removed",
            Some(("web-1", Event::Ended)),
        );
        check(
            "event 'lifecycle' for domain 'web-1': Shutdown Finished after guest request",
            None,
        );
        check("event 'lifecycle' for domain 'web-1': Started Booted", None);
        check("event 'reboot' for domain 'web-1'", None);
        check(
            "event 'device-removed' for domain 'web-1': virtio-disk1",
            Some(("web-1", released())),
        );
        check(
            "event 'device-removed' for domain 'it': s': virtio-disk1",
            Some(("it': s", released())),
        );
        check(
            "event 'device-removal-failed' for domain 'web-1': virtio-disk1",
            Some(("web-1", Event::Refused("virtio-disk1".to_owned()))),
        );
        check("event 'device-added' for domain 'web-1': memdimm0", None);
        for line in ["", "ready", "event loop timed out", "events received: 4"] {
            check(line, None);
        }
    }
}
