//! A copy of the reference topology, and the binary to run on it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A folder with a topology of its own, gone at the end.
pub(crate) struct Shop {
    dir: tempfile::TempDir,
}

impl Shop {
    /// The reference topology, copied.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        for file in ["shop.hcl", "ops.pub", "web-init.yaml"] {
            std::fs::copy(reference().join(file), dir.path().join(file)).expect("a copy");
        }
        Self { dir }
    }

    /// A topology of its own text.
    pub(crate) fn of(text: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("shop.hcl"), text).expect("written");
        Self { dir }
    }

    /// The reference topology, applied.
    pub(crate) fn applied() -> Self {
        let shop = Self::new();
        shop.ok(&["apply", "--yes"]);
        shop
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Changes the topology's text.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let path = self.path().join("shop.hcl");
        let text = std::fs::read_to_string(&path).expect("the topology");
        assert!(text.contains(from), "the topology has no `{from}`");
        std::fs::write(&path, text.replace(from, to)).expect("written");
    }

    /// Makes the simulated clouds slow, so that there is time to interrupt something.
    pub(crate) fn slow_down(&self) {
        for region in ["dc1", "us-east-1", "westeurope"] {
            let line = format!("region   = \"{region}\"");
            self.edit(
                &line,
                &format!("{line}\n  latency_ms = 150\n  create_ms = 1200"),
            );
        }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strat"));
        command
            .args(args)
            .current_dir(self.path())
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, args: &[&str]) -> Done {
        Done::of(&self.command(args).output().expect("strat runs"))
    }

    /// Runs to the end, which must be a good one.
    pub(crate) fn ok(&self, args: &[&str]) -> Done {
        let done = self.run(args);
        assert_eq!(done.code, Some(0), "strat {args:?}\n{done}");
        done
    }

    /// The JSON that a command writes.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let done = self.ok(args);
        serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}\n{done}"))
    }

    /// Starts a command and leaves it running.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strat runs")
    }

    /// The things that `show` lists, as kind and address, sorted.
    pub(crate) fn things(&self) -> Vec<(String, String)> {
        let json = self.json(&["show", "--json"]);
        let resources = json["resources"].as_array().expect("resources");
        let word = |thing: &Value, key: &str| thing[key].as_str().expect(key).to_owned();
        let mut things: Vec<_> = resources
            .iter()
            .map(|thing| (word(thing, "kind"), word(thing, "addr")))
            .collect();
        things.sort();
        things
    }

    /// Asserts that everything is there once, and that there is nothing left to do.
    pub(crate) fn assert_converged(&self) {
        let plan = self.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, Some(0), "{plan}");
        assert_eq!(self.things().len(), 33);
        let unmarked = self.ok(&["sim", "list"]);
        assert!(!unmarked.stdout.contains("(unmarked)"), "{unmarked}");
        assert_eq!(unmarked.stdout.lines().count(), 34, "{unmarked}");
    }
}

/// Sends a signal.
pub(crate) fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success(), "the process is gone already");
}

/// Waits until an apply has created something, and gives what it said so far.
pub(crate) fn until_created(child: &mut Child) -> String {
    let mut said = String::new();
    let mut lines = BufReader::new(child.stderr.take().expect("stderr"));
    while !said.contains("created ") {
        let read = lines.read_line(&mut said).expect("a line");
        assert!(read > 0, "it ended without a create:\n{said}");
    }
    // What it says from now on is read to the end, so that it never waits for a reader.
    child.stderr = Some(lines.into_inner());
    said
}

fn reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hybrid-shop")
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts that it failed, and said each of these.
    #[track_caller]
    pub(crate) fn failed_saying(&self, words: &[&str]) {
        assert_eq!(self.code, Some(1), "{self}");
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in\n{self}");
        }
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "code {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }
}
