//! The lease protocol, in every interleaving of a bounded world: what went wrong with the lease as
//! it was once, and that the protocol holds where it did.

mod checker;
mod model;
mod state;

use checker::{Checked, check};
use state::{ATTEMPT, Setting, TERM};

/// The lease as it was: in each folder, checked where a step begins, by expiries that the holder's
/// clock wrote, on a clock that stands still in sleep, renewed although it was over.
const ONCE: Setting = Setting {
    shared: false,
    fenced: false,
    trusts_clocks: true,
    counts_sleep: false,
    revives: true,
    nonce: false,
    ..Setting::calm()
};

#[expect(clippy::print_stderr, reason = "a test runner shows what tests print")]
fn checked(what: &str, setting: &Setting) -> Checked {
    let checked = check(setting);
    let Checked { states, depth, .. } = checked;
    eprintln!("{what}: {states} states, {depth} deep");
    checked
}

#[track_caller]
fn fails(what: &str, setting: Setting) {
    let checked = checked(what, &setting);
    assert!(checked.fault.is_some(), "{what}: no fault was found");
}

#[track_caller]
fn holds(what: &str, setting: Setting) {
    let checked = checked(what, &setting);
    if let Some((wrong, way)) = checked.fault {
        panic!("{what}: {wrong}:\n{}", way.join("\n"));
    }
    assert!(checked.states > 1_000, "{what}: hardly anything happens");
}

/// The protocol, in a world with a trouble.
const CALM: Setting = Setting::calm();

#[test]
fn two_folders_had_a_lease_each() {
    fails("once, two folders", ONCE);
    holds("two folders", CALM);
}

#[test]
fn a_frozen_holder_writes_nothing_after_its_term() {
    let frozen = Setting { sleeps: 1, ..CALM };
    fails(
        "checked where a step begins",
        Setting {
            fenced: false,
            ..frozen
        },
    );
    fails(
        "a clock that stands still in sleep",
        Setting {
            counts_sleep: false,
            ..frozen
        },
    );
    holds("frozen", frozen);
    fails(
        "once, frozen",
        Setting {
            shared: true,
            sleeps: 1,
            ..ONCE
        },
    );
}

#[test]
fn a_clock_that_jumps_by_an_hour_ends_a_term_and_lengthens_none() {
    let jumps = Setting { jumps: 1, ..CALM };
    fails(
        "once, a clock jumps",
        Setting {
            shared: true,
            jumps: 1,
            ..ONCE
        },
    );
    holds("a clock jumps", jumps);
    holds(
        "a clock jumps and a host sleeps",
        Setting {
            sleeps: 1,
            renewals: 0,
            writes: 1,
            ..jumps
        },
    );
}

#[test]
fn a_dead_holders_lease_is_taken_over() {
    holds("a holder dies", Setting { deaths: 1, ..CALM });
}

#[test]
fn reads_may_lag_as_long_as_a_term() {
    holds("reads lag", Setting { lag: TERM, ..CALM });
    holds(
        "reads lag, a host sleeps",
        Setting {
            lag: 2,
            sleeps: 1,
            renewals: 1,
            writes: 1,
            ..CALM
        },
    );
}

#[test]
fn a_write_that_takes_effect_late_is_waited_for() {
    let late = Setting {
        late: 2,
        writes: 1,
        ..CALM
    };
    holds(
        "late by the window that is waited for",
        Setting {
            watch: TERM + ATTEMPT + 2,
            ..late
        },
    );
    // What nobody can fence: it shows as a twin.
    let watch = TERM;
    fails(
        "later than anybody waits",
        Setting {
            late: 6,
            watch,
            ticks: 14,
            ..late
        },
    );
}

#[test]
fn versions_of_contents_never_come_back() {
    let digest = Setting {
        digest: true,
        ..CALM
    };
    fails(
        "digests without a nonce",
        Setting {
            nonce: false,
            renewals: 2,
            ..digest
        },
    );
    holds(
        "digests with a nonce",
        Setting {
            renewals: 2,
            writes: 1,
            ..digest
        },
    );
}

#[test]
fn a_store_that_ignores_its_condition_is_refused() {
    let ignores = Setting {
        ignores: true,
        ..CALM
    };
    fails("conditions are ignored", ignores);
    let proved = check(&Setting {
        proves: true,
        ..ignores
    });
    assert!(proved.fault.is_none(), "{proved:?}");
}

#[test]
fn a_site_may_come_or_go_while_two_revisions_run() {
    let revisions = Setting {
        places: [&[1], &[0, 1]],
        writes: 1,
        renewals: 0,
        ..CALM
    };
    fails(
        "one lease, at the first site",
        Setting {
            first_place_only: true,
            ..revisions
        },
    );
    holds("a lease for each site", revisions);
    holds(
        "the other way round",
        Setting {
            places: [&[0, 1], &[1]],
            ..revisions
        },
    );
}
