//! Applies that overlap and are killed, again and again, in slow clouds.

use std::process::Child;
use std::time::Duration;

use crate::support::{Done, Shop, signal};

/// How long each of a few applies lives, in milliseconds: from before the lease to past the first
/// machines.
const LIVES_MS: [u64; 6] = [40, 900, 150, 1700, 1300, 500];

/// Kills it at once, if it is still there.
fn kill(mut child: Child) {
    if child.try_wait().expect("a look").is_none() {
        signal(&child, "-KILL");
    }
    child.wait().expect("an end");
}

#[test]
fn two_at_once_and_killed_again_and_again_nothing_is_made_twice() {
    let shop = Shop::new();
    shop.slow_down();
    for life in LIVES_MS {
        let first = shop.start(&["apply", "--yes", "--lock-timeout", "5s"]);
        let second = shop.start(&["apply", "--yes", "--lock-timeout", "5s"]);
        std::thread::sleep(Duration::from_millis(life));
        kill(first);
        std::thread::sleep(Duration::from_millis(life / 2));
        kill(second);
    }
    let one = shop.start(&["apply", "--yes", "--lock-timeout", "60s"]);
    let other = shop.start(&["apply", "--yes", "--lock-timeout", "60s"]);
    for child in [one, other] {
        let done = Done::of(&child.wait_with_output().expect("an end"));
        assert_eq!(done.code, Some(0), "{done}");
    }
    shop.assert_converged();
}

#[test]
fn applied_from_another_computer_at_once_nothing_is_made_twice() {
    let shop = Shop::applied();
    let state = shop.path().join(".stratiform");
    std::fs::remove_dir_all(state).expect("removed");
    shop.ok(&["apply", "--yes"]);
    shop.assert_converged();
}
