//! Waits, with a shell in the place of `virsh`: the URI is its script.

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

fn listening(script: &str) -> Events {
    let events = Events::by("sh", script);
    events.listen();
    events
}

#[test]
fn what_is_told_ends_a_wait_and_nothing_is_asked_meanwhile() {
    let line =
        |machine| format!("echo \"event 'lifecycle' for domain '{machine}': Stopped Shutdown\"");
    let script = format!(
        "echo ready; sleep 1.5; {}; sleep 1.5; {}; exec sleep 600",
        line("other"),
        line("web")
    );
    let events = listening(&script);
    let mut looks = 0;
    let found = events.watch("web").until(LONG, |told| {
        looks += 1;
        ended(told)
    });
    assert_eq!(found.expect("no error"), Some(()));
    // Once at first, once a second, and once at the event: every 50 ms, it would be sixty times.
    assert!(looks < 15, "{looks} looks");
}

#[test]
fn what_was_told_between_the_call_and_the_wait_counts() {
    let refusal = "event 'device-removal-failed' for domain 'web': scsi0-0-0-1";
    let events = listening(&format!(
        "echo ready; read -r _ < /dev/null; echo \"{refusal}\"; exec sleep 600"
    ));
    let watch = Watch {
        since: 0,
        ..events.watch("web")
    };
    let mut looks = 0;
    let refused = watch.until(LONG, |told| {
        looks += 1;
        match told {
            [Event::Refused(alias)] => Err(crate::error::fail(ErrorKind::Conflict, alias)),
            _ => Ok(None::<()>),
        }
    });
    assert_eq!(
        refused.expect_err("it is refused").kind(),
        ErrorKind::Conflict
    );
    assert!(looks < 15, "{looks} looks");
}

#[test]
fn without_anybody_who_tells_a_wait_looks_by_itself() {
    let silent = [
        Events::by("virsh-that-is-not-installed", ""),
        Events::by("sh", "exit 1"),
        Events::by("sh", "echo ready; exit 0"),
        Events::by("sh", "echo 'never ready'; exec sleep 600"),
    ];
    for events in silent {
        events.listen();
        let mut looks = 0;
        let found = events.watch("web").until(LONG, |_| {
            looks += 1;
            Ok((looks == 20).then_some(()))
        });
        assert_eq!(found.expect("no error"), Some(()), "{events:?}");
    }
}

#[test]
fn patience_ends_with_a_last_look() {
    let short = Patience {
        pause: Duration::from_millis(10),
        times: 5,
    };
    for (script, wanted) in [("exit 1", 6), ("echo ready; exec sleep 600", 2)] {
        let events = listening(script);
        let watch = events.watch("web");
        if wanted == 6 {
            drop(
                events
                    .ear
                    .sleep(CONNECTING, |heard| heard.phase != Phase::Off),
            );
        }
        let mut looks = 0;
        let found = watch.until(short, |_| {
            looks += 1;
            Ok(None::<()>)
        });
        assert_eq!(
            (found.expect("no error"), looks),
            (None, wanted),
            "{script}"
        );
    }
}

#[test]
fn one_that_ended_is_started_again_and_the_last_ends_with_the_host() {
    let events = listening("echo ready; exec sleep 600");
    events.watch("web");
    let pid = |events: &Events| {
        let heard = events.ear.lock();
        heard.child.as_ref().map(Child::id).expect("one runs")
    };
    let first = pid(&events);
    events.listen();
    assert_eq!(pid(&events), first, "one is enough");
    let killed = events.ear.lock().child.as_mut().map(Child::kill);
    killed.expect("one runs").expect("it is killed");
    drop(
        events
            .ear
            .sleep(CONNECTING * 10, |heard| heard.phase != Phase::Off),
    );
    events.listen();
    events.watch("web");
    assert_ne!(pid(&events), first);

    let ear = Arc::clone(&events.ear);
    drop(events);
    let left = ear.sleep(CONNECTING * 10, |heard| heard.child.is_some());
    assert!(left.child.is_none(), "it was killed and waited for");
}
