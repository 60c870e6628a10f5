//! Waits, and what is told meanwhile.

use std::thread;

use strat_model::ErrorKind;

use super::*;

/// So long that nothing ends by it within a test.
const LONG: Patience = Patience {
    pause: Duration::from_millis(50),
    times: 1200,
};

/// A look that finds what it looks for once a machine was told to have ended.
fn ended(told: &[Event]) -> Result<Option<()>> {
    Ok(told.contains(&Event::Ended).then_some(()))
}

fn told() -> Events {
    let events = Events::default();
    events.begin();
    events
}

#[test]
fn what_is_told_ends_a_wait_and_nothing_is_asked_meanwhile() {
    let events = told();
    let tell = events.teller();
    let (other, web) = ("other".to_owned(), "web".to_owned());
    let mut looks = 0;
    thread::scope(|scope| {
        let watch = events.watch("web");
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(1500));
            tell(Told::Ended(other));
            thread::sleep(Duration::from_millis(1500));
            tell(Told::Ended(web));
        });
        let found = watch.until(LONG, |told| {
            looks += 1;
            ended(told)
        });
        assert_eq!(found.expect("no error"), Some(()));
    });
    // Once at first, once a second, and once at the event: every 50 ms, it would be sixty times.
    assert!(looks < 15, "{looks} looks");
}

#[test]
fn what_was_told_between_the_call_and_the_wait_counts() {
    let events = told();
    let watch = events.watch("web");
    events.teller()(Told::Refused("web".to_owned(), "scsi0-0-0-1".to_owned()));
    let refused = watch.until(LONG, |told| match told {
        [Event::Refused(alias)] => Err(crate::error::fail(ErrorKind::Conflict, alias)),
        _ => Ok(None::<()>),
    });
    let refused = refused.expect_err("it is refused");
    assert_eq!(refused.kind(), ErrorKind::Conflict);
}

#[test]
fn without_anybody_who_tells_a_wait_looks_by_itself() {
    let broken = told();
    broken.teller()(Told::Closed);
    for events in [Events::default(), broken] {
        assert!(!events.are_told());
        let mut looks = 0;
        let found = events.watch("web").until(LONG, |_| {
            looks += 1;
            Ok((looks == 20).then_some(()))
        });
        assert_eq!(found.expect("no error"), Some(()));
    }
}

#[test]
fn a_connection_that_breaks_in_the_middle_of_a_wait_does_not_hold_it_up() {
    let events = told();
    let tell = events.teller();
    thread::scope(|scope| {
        let watch = events.watch("web");
        let mut looks = 0;
        let found = watch.until(LONG, |_| {
            looks += 1;
            if looks == 1 {
                scope.spawn(|| tell(Told::Closed));
            }
            Ok((looks == 20).then_some(()))
        });
        assert_eq!(found.expect("no error"), Some(()));
    });
}

#[test]
fn patience_ends_with_a_last_look() {
    let short = Patience {
        pause: Duration::from_millis(10),
        times: 5,
    };
    for (events, wanted) in [(Events::default(), 6), (told(), 2)] {
        let mut looks = 0;
        let found = events.watch("web").until(short, |_| {
            looks += 1;
            Ok(None::<()>)
        });
        assert_eq!((found.expect("no error"), looks), (None, wanted));
    }
}
