//! Interrupted, killed, and two at once.

use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::time::Duration;

use crate::support::{Done, Shop, signal};

/// Waits until an apply has created something, and gives what it said so far.
fn until_created(child: &mut Child) -> String {
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

#[test]
fn ctrl_c_stops_after_the_calls_in_flight() {
    let shop = Shop::new();
    shop.slow_down();
    let mut child = shop.start(&["apply", "--yes"]);
    until_created(&mut child);
    signal(&child, "-INT");
    let done = Done::of(&child.wait_with_output().expect("an end"));
    assert_eq!(done.code, Some(130), "{done}");
    assert!(done.stderr.contains("Stopped:"), "{done}");
    assert!(shop.things().len() < 33);
    shop.ok(&["apply", "--yes"]);
    shop.assert_converged();
}

#[test]
fn ctrl_c_twice_stops_at_once() {
    let shop = Shop::new();
    shop.slow_down();
    let mut child = shop.start(&["apply", "--yes"]);
    until_created(&mut child);
    signal(&child, "-INT");
    std::thread::sleep(Duration::from_millis(50));
    signal(&child, "-INT");
    let done = Done::of(&child.wait_with_output().expect("an end"));
    assert_eq!(done.code, Some(130), "{done}");
    shop.ok(&["apply", "--yes"]);
    shop.assert_converged();
}

#[test]
fn killed_it_goes_on_without_duplicates() {
    for wait_ms in [0, 100, 400, 900] {
        let shop = Shop::new();
        shop.slow_down();
        let mut child = shop.start(&["apply", "--yes"]);
        until_created(&mut child);
        std::thread::sleep(Duration::from_millis(wait_ms));
        signal(&child, "-KILL");
        child.wait().expect("an end");
        shop.ok(&["apply", "--yes"]);
        shop.assert_converged();
    }
}

#[test]
fn two_at_once() {
    let shop = Shop::new();
    shop.slow_down();
    let mut first = shop.start(&["apply", "--yes"]);
    until_created(&mut first);
    shop.run(&["apply", "--yes"])
        .failed_saying(&["holds the lease", "`apply`", "--lock-timeout"]);
    let waiting = shop.ok(&["apply", "--yes", "--lock-timeout", "60s"]);
    assert!(waiting.stderr.contains("waiting:"), "{waiting}");
    let first = Done::of(&first.wait_with_output().expect("an end"));
    assert_eq!(first.code, Some(0), "{first}");
    shop.assert_converged();
}

#[test]
fn a_lease_can_be_taken_away() {
    let shop = Shop::new();
    shop.slow_down();
    let mut first = shop.start(&["apply", "--yes"]);
    until_created(&mut first);
    let unlocked = shop.ok(&["unlock", "--yes"]);
    assert!(unlocked.stderr.contains("The lease is free."), "{unlocked}");
    let first = Done::of(&first.wait_with_output().expect("an end"));
    assert!(matches!(first.code, Some(0 | 1)), "{first}");
    shop.ok(&["apply", "--yes"]);
    shop.assert_converged();
}
