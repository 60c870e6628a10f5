//! One writer: processes that apply one topology from folders that know nothing of each other.
//!
//! Each test runs twice; `STRAT_WRITERS_ROUNDS=200` makes it as many as that.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use crate::support::{Done, Shop, signal, until_created};

/// Two simulated clouds in one world, each with a network, a subnet in three zones, and two
/// machines: so much and no more is there in the end.
const THINGS: usize = 12;

/// How long a lease of the clouds lasts, in milliseconds.
const TERM_MS: u64 = 6_000;

fn topology(world: &Path, rest: &str) -> String {
    let site = |name: &str, region: &str| {
        format!(
            r#"
site "{name}" {{
  provider       = "sim"
  account        = "main"
  profile        = "aws"
  region         = "{region}"
  world          = "{}"
  consistency_ms = 300
  {rest}
}}
network "{name}" {{
  cidr        = "10.20.0.0/16"
  site_prefix = 18
  sites       = [site.{name}]
}}
subnet "{name}" {{
  network = network.{name}
  newbits = 4
}}
machines "{name}" {{
  count  = 2
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.{name}
}}
"#,
            world.display()
        )
    };
    format!(
        "topology \"shop\" {{ lineage = \"aaaaaaaaaaaaaaaa\" }}\n{}{}",
        site("east", "us-east-1"),
        site("west", "us-west-2")
    )
}

/// Folders of one topology, whose clouds are one world.
struct Folders {
    folders: Vec<Shop>,
    world: tempfile::TempDir,
}

impl Folders {
    fn new(count: usize, rest: &str) -> Self {
        let world = tempfile::tempdir().expect("a folder");
        let text = topology(world.path(), rest);
        let folders = (0..count).map(|_| Shop::of(&text)).collect();
        Self { folders, world }
    }

    /// Everything that is there.
    fn list(&self) -> Done {
        let world = self.world.path().display().to_string();
        self.folders[0].ok(&["sim", "--world", &world, "list"])
    }

    /// Everything is there, and once; and no folder has anything left to do.
    fn assert_once(&self) {
        let list = self.list();
        assert!(!list.stdout.contains("(unmarked)"), "{list}");
        assert_eq!(list.stdout.lines().count(), THINGS + 1, "{list}");
        for folder in &self.folders {
            let plan = folder.run(&["plan", "--detailed-exitcode"]);
            assert_eq!(plan.code, Some(0), "{plan}");
        }
    }

    /// Stops a process for a time, not in the middle of a transaction: a real cloud would not stop
    /// with its client.
    fn freeze(&self, child: &Child) {
        let lock: File = OpenOptions::new()
            .write(true)
            .open(self.world.path().join("lock"))
            .expect("the world's lock");
        loop {
            signal(child, "-STOP");
            match lock.try_lock() {
                Ok(()) => return lock.unlock().expect("unlocked"),
                Err(TryLockError::WouldBlock) => signal(child, "-CONT"),
                Err(TryLockError::Error(why)) => panic!("{why}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how often the tests of writers run is asked for by whoever looks for a rare fault"
)]
fn rounds() -> usize {
    let asked = std::env::var("STRAT_WRITERS_ROUNDS");
    asked.map_or(2, |asked| asked.parse().expect("a number"))
}

const APPLY: [&str; 4] = ["apply", "--yes", "--lock-timeout", "300s"];

/// All apply at once, and each comes to its end.
fn at_once(count: usize) {
    for _ in 0..rounds() {
        let all = Folders::new(count, "latency_ms = 20\n  create_ms = 150");
        let runs: Vec<Child> = all.folders.iter().map(|one| one.start(&APPLY)).collect();
        for run in runs {
            let done = Done::of(&run.wait_with_output().expect("an end"));
            assert_eq!(done.code, Some(0), "{done}");
        }
        all.assert_once();
    }
}

#[test]
fn of_two_fresh_folders_at_once_nothing_is_made_twice() {
    at_once(2);
}

#[test]
fn of_four_fresh_folders_at_once_nothing_is_made_twice() {
    at_once(4);
}

#[test]
fn a_holder_that_is_killed_is_followed_and_nothing_is_made_twice() {
    for round in 0..rounds() {
        let all = Folders::new(2, "latency_ms = 20\n  create_ms = 400");
        let mut first = all.folders[0].start(&APPLY);
        let second = all.folders[1].start(&APPLY);
        // From before the lease to past the first machines.
        std::thread::sleep(Duration::from_millis(round as u64 * 137 % 1_600));
        if first.try_wait().expect("a look").is_none() {
            signal(&first, "-KILL");
        }
        first.wait().expect("an end");
        let second = Done::of(&second.wait_with_output().expect("an end"));
        assert_eq!(second.code, Some(0), "{second}");
        all.folders[0].ok(&APPLY);
        all.assert_once();
    }
}

#[test]
fn a_holder_that_was_frozen_past_its_term_writes_nothing_more() {
    for _ in 0..rounds() {
        let rest = format!("latency_ms = 0\n  create_ms = 2500\n  lease_term_ms = {TERM_MS}");
        let all = Folders::new(2, &rest);
        let mut first = all.folders[0].start(&APPLY);
        until_created(&mut first);
        all.freeze(&first);
        // It waits for the term and the longest attempt, takes over, and makes what is missing.
        let second = all.folders[1].ok(&APPLY);
        assert!(
            second.stderr.contains("holds the lease of site."),
            "{second}"
        );
        let there = all.list();
        assert_eq!(there.stdout.lines().count(), THINGS + 1, "{there}");
        signal(&first, "-CONT");
        let first = Done::of(&first.wait_with_output().expect("an end"));
        first.failed_saying(&["lease", "was lost"]);
        all.assert_once();
        all.folders[0].ok(&APPLY);
        all.assert_once();
    }
}
