//! What is waited for, and that it is told while it is waited for: on plain lines, which site, which call, for
//! what, and how long. And that the summary says what is so.

use std::io::{BufRead as _, BufReader};
use std::process::Child;

use crate::support::{Done, Shop, signal};

/// One machine at one site, which is as slow as a case says.
fn topology(settings: &str) -> String {
    format!(
        r#"
topology "waits" {{}}

site "east" {{
  provider   = "sim"
  region     = "us-east-1"
  latency_ms = 2
  {settings}
}}

network "core" {{
  cidr  = "10.0.0.0/16"
  sites = [site.east]
}}

subnet "app" {{
  network = network.core
  newbits = 8
}}

machine "db" {{
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
}}
"#
    )
}

/// What somebody does, in order.
enum Do {
    /// A command that succeeds, and says these on stderr.
    Well(&'static [&'static str], &'static [&'static str]),
    /// A command that ends with this code, and says these on stderr.
    Ends(&'static [&'static str], i32, &'static [&'static str]),
    /// A command that gets this signal once it has said something, and says these before it ends.
    Cut(
        &'static [&'static str],
        &'static str,
        &'static str,
        &'static [&'static str],
    ),
}
use Do::{Cut, Ends, Well};

/// What a case is about, how slow its site is, and what is done.
type Case = (&'static str, &'static str, &'static [Do]);

const APPLY: &[&str] = &["apply", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes", "--allow-data-loss", "waits"];

const CASES: [Case; 7] = [
    (
        "a site takes the connection and never answers",
        "",
        &[
            Well(APPLY, &["Done: 5 created"]),
            Well(
                &[
                    "sim",
                    "fault",
                    "east",
                    "--silent",
                    "--operation",
                    "list",
                    "--times",
                    "99",
                ],
                &[],
            ),
            Cut(
                &["plan"],
                "east has not answered for 10 s: list of ",
                "-KILL",
                &[],
            ),
            Well(&["sim", "calm", "east"], &[]),
            Well(APPLY, &["Done: nothing to do"]),
        ],
    ),
    (
        "a machine that takes long is told again and again",
        "create_ms = 12000",
        &[Well(
            APPLY,
            &[
                "creating machine.db@east\n",
                "waiting for machine.db@east to be ready; waited 10 s\n",
                "created machine.db@east (1",
                "Done: 5 created (",
            ],
        )],
    ),
    (
        "a machine that was being made at Ctrl-C",
        "",
        &[
            Well(
                &[
                    "apply",
                    "--yes",
                    "--target",
                    "network.core",
                    "--target",
                    "subnet.app",
                ],
                &["Done: 4 created"],
            ),
            Well(&["sim", "lag", "east", "--create", "4000"], &[]),
            Cut(
                APPLY,
                "creating machine.db@east",
                "-INT",
                &[
                    "stopping: calls in flight are finished, nothing new begins",
                    "Stopped: 1 created, 1 not begun or not waited for (",
                    "`strat apply` again goes on from here",
                ],
            ),
            Well(
                APPLY,
                &[
                    "waiting for machine.db@east, which an earlier run left half done; waited 0 s\n",
                    "Done: nothing to do (",
                ],
            ),
            Well(APPLY, &["Done: nothing to do (0."]),
        ],
    ),
    (
        "a destroy that was killed",
        "delete_ms = 4000",
        &[
            Well(APPLY, &["Done: 5 created"]),
            Cut(DESTROY, "deleting machine.db@east", "-KILL", &[]),
            Well(DESTROY, &["deleted network.core@east (", "Done: "]),
            Well(DESTROY, &["Done: nothing to do (0."]),
        ],
    ),
    (
        "a region that is down",
        "",
        &[
            Well(APPLY, &["Done: 5 created"]),
            Well(&["sim", "lose-region", "east"], &[]),
            Ends(
                APPLY,
                1,
                &[
                    "east: identity failed 4 times, tried again in ",
                    "region us-east-1 does not answer",
                    "warning: east: ",
                    "Not done: not everything could be seen",
                    "Left as it is, because too little is known: machine.db, what is at east.",
                ],
            ),
            Well(&["sim", "restore-region", "east"], &[]),
            Well(APPLY, &["Done: nothing to do (0."]),
        ],
    ),
    (
        "a foreign machine of the name that the first answer gave",
        "",
        &[
            Well(APPLY, &["Done: 5 created"]),
            Well(
                &["sim", "make", "east", "machine", "waits-db-256eb25b"],
                &[],
            ),
            Well(&["sim", "delete-machine", "machine.db@east"], &[]),
            Well(
                APPLY,
                &[
                    "Done: nothing else is to do (",
                    "Left as it is, because too little is known: machine.db.",
                ],
            ),
        ],
    ),
    (
        "the first look of a fresh folder",
        "consistency_ms = 2500",
        &[Well(
            APPLY,
            &[
                "east may list 2.5s late what another folder made: it is looked at after that\n",
                "Done: 5 created",
            ],
        )],
    ),
];

/// Reads what a command says until it says this, and sends it a signal; gives all that it said.
fn cut(mut child: Child, at: &str, how: &str) -> Done {
    let mut said = String::new();
    let mut lines = BufReader::new(child.stderr.take().expect("stderr"));
    while !said.contains(at) {
        let read = lines.read_line(&mut said).expect("a line");
        assert!(read > 0, "it ended without `{at}`:\n{said}");
    }
    signal(&child, how);
    while lines.read_line(&mut said).expect("a line") > 0 {}
    let mut done = Done::of(&child.wait_with_output().expect("an end"));
    done.stderr = said;
    done
}

fn run((what, settings, script): &Case) {
    let shop = Shop::of(&topology(settings));
    for step in *script {
        let (done, code, words) = match step {
            Well(command, words) => (shop.run(command), Some(0), words),
            Ends(command, code, words) => (shop.run(command), Some(*code), words),
            Cut(command, at, how, words) => {
                let code = (*how == "-INT").then_some(130);
                (cut(shop.start(command), at, how), code, words)
            }
        };
        assert_eq!(done.code, code, "{what}\n{done}");
        for word in *words {
            assert!(done.stderr.contains(word), "{what}: no `{word}` in\n{done}");
        }
    }
}

/// The cases wait at the same time: the longest takes as long as all.
#[test]
fn what_is_waited_for_is_told() {
    std::thread::scope(|scope| {
        let all: Vec<_> = CASES.iter().map(|case| scope.spawn(|| run(case))).collect();
        let wrong: Vec<_> = all.into_iter().filter_map(|one| one.join().err()).collect();
        assert!(wrong.is_empty(), "{} cases: see above", wrong.len());
    });
}
