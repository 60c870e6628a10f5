//! Interrupted, killed, and two at once.

use std::time::Duration;

use crate::support::{Done, Shop, signal, until_created};

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
fn a_run_that_lives_keeps_its_lease_and_one_that_died_needs_no_unlocking() {
    let shop = Shop::new();
    shop.slow_down();
    let mut first = shop.start(&["apply", "--yes"]);
    until_created(&mut first);
    let doctor = shop.ok(&["doctor"]);
    assert!(
        doctor.stdout.contains("holds the lease of site."),
        "{doctor}"
    );
    shop.run(&["unlock", "--yes"]).failed_saying(&[
        "runs on this host",
        "its holder lives",
        "--lock-timeout",
    ]);
    signal(&first, "-KILL");
    first.wait().expect("an end");
    let unlocked = shop.ok(&["unlock", "--yes"]);
    assert!(unlocked.stderr.contains("is free."), "{unlocked}");
    let again = shop.ok(&["unlock", "--yes"]);
    assert!(
        again.stderr.contains("Nobody holds the lease of"),
        "{again}"
    );
    shop.ok(&["apply", "--yes"]);
    shop.assert_converged();
}

/// The same topology and the same clouds, from another folder.
fn beside(shop: &Shop) -> Shop {
    let other = Shop::new();
    let world = shop.path().join(".sim").display().to_string();
    for region in ["dc1", "us-east-1", "westeurope"] {
        let line = format!("region   = \"{region}\"");
        other.edit(&line, &format!("{line}\n  world = \"{world}\""));
    }
    other.slow_down();
    other
}

#[test]
fn two_fresh_folders_at_once_make_nothing_twice() {
    let shop = Shop::new();
    shop.slow_down();
    let other = beside(&shop);
    let mut first = shop.start(&["apply", "--yes"]);
    until_created(&mut first);
    other
        .run(&["apply", "--yes"])
        .failed_saying(&["holds the lease", "`apply`", "--lock-timeout"]);
    let waiting = other.ok(&["apply", "--yes", "--lock-timeout", "120s"]);
    assert!(
        waiting.stderr.contains("holds the lease of site."),
        "{waiting}"
    );
    let first = Done::of(&first.wait_with_output().expect("an end"));
    assert_eq!(first.code, Some(0), "{first}");
    shop.assert_converged();
    other.ok(&["plan", "--detailed-exitcode"]);
}

#[test]
fn fresh_folders_that_start_within_a_moment_make_nothing_twice() {
    let shop = Shop::new();
    shop.slow_down();
    let others = [beside(&shop), beside(&shop)];
    let runs = [&shop, &others[0], &others[1]]
        .map(|folder| folder.start(&["apply", "--yes", "--lock-timeout", "300s"]));
    for run in runs {
        let done = Done::of(&run.wait_with_output().expect("an end"));
        assert_eq!(done.code, Some(0), "{done}");
    }
    shop.assert_converged();
    others[0].ok(&["plan", "--detailed-exitcode"]);
}
