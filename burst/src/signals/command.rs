//! Programs that print a number.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::{ANSWER_MAX, number_of};

/// Runs a program with its arguments, which are split at spaces and go through no shell, and reads the
/// number that it prints. After the deadline, or if nobody waits any more, all that it started is
/// killed.
pub(super) async fn number(line: &str, deadline: Duration) -> Result<f64, String> {
    let (program, text, status) = run(line, deadline).await?;
    if !status.success() {
        return Err(format!("`{program}` failed: {status}"));
    }
    number_of(&String::from_utf8_lossy(&text))
}

/// Runs a program as [`number`] does, for its exit code; `None`: a signal ended it.
pub(crate) async fn code(line: &str, deadline: Duration) -> Result<Option<i32>, String> {
    let (_, _, status) = run(line, deadline).await?;
    Ok(status.code())
}

async fn run(line: &str, deadline: Duration) -> Result<(&str, Vec<u8>, ExitStatus), String> {
    let mut words = line.split_whitespace();
    let program = words.next().ok_or("no program is named")?;
    let mut command = Command::new(program);
    command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command
        .spawn()
        .map_err(|why| format!("`{program}` cannot be started: {why}"))?;
    let group = Group::of(&child);
    let stdout = child.stdout.take().ok_or("it has no output")?;
    let work = async {
        let mut text = Vec::new();
        let most = u64::try_from(ANSWER_MAX).unwrap_or(u64::MAX);
        let read = stdout.take(most).read_to_end(&mut text).await;
        read.map_err(|why| format!("its output cannot be read: {why}"))?;
        let status = child.wait().await;
        let status = status.map_err(|why| format!("its end cannot be seen: {why}"))?;
        Ok::<_, String>((text, status))
    };
    let done = tokio::time::timeout(deadline, work).await;
    drop(group);
    let Ok(done) = done else {
        return Err(format!(
            "`{program}` was not done after {} s and was killed",
            deadline.as_secs_f64()
        ));
    };
    let (text, status) = done?;
    Ok((program, text, status))
}

/// The processes that a program started, which end with this.
struct Group(#[cfg(unix)] Option<nix::unistd::Pid>);

impl Group {
    #[cfg(unix)]
    fn of(child: &tokio::process::Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.map(nix::unistd::Pid::from_raw))
    }

    #[cfg(not(unix))]
    fn of(_: &tokio::process::Child) -> Self {
        Self()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What has ended by itself is no group any more.
        #[cfg(unix)]
        if let Some(group) = self.0 {
            let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_number_is_what_it_prints() {
        let long = Duration::from_secs(60);
        assert_eq!(number("echo 12.5", long).await, Ok(12.5));
        for (line, says) in [
            ("false", "failed"),
            ("echo many", "`many` is no number"),
            ("true", "is no number"),
            ("/no/such/program", "cannot be started"),
        ] {
            let why = number(line, long).await.expect_err("no number");
            assert!(why.contains(says), "{line}: {why}");
        }
    }

    /// The program's child outlives it, unless the group is killed: it would hold the output open.
    #[tokio::test]
    async fn what_takes_too_long_is_killed_with_all_that_it_started() {
        let folder = tempfile::tempdir().expect("a folder");
        let (script, pid) = (folder.path().join("slow"), folder.path().join("pid"));
        let text = format!("sleep 1000 & echo $! > {}\nwait\n", pid.display());
        std::fs::write(&script, text).expect("written");
        let line = format!("sh {}", script.display());
        let asked = number(&line, Duration::from_secs(2)).await;
        let why = asked.expect_err("no number");
        assert!(why.contains("was killed"), "{why}");
        let pid = std::fs::read_to_string(&pid).expect("it ran");
        let status = format!("/proc/{}/status", pid.trim());
        for _ in 0..600 {
            // Gone, or a zombie that nobody has buried yet.
            let state = std::fs::read_to_string(&status).unwrap_or_default();
            if state.is_empty() || state.contains("State:\tZ") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the child of the program lives");
    }
}
