//! Up, and home again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rust_decimal::Decimal;
use strat_burst::log::{Line, Log};
use strat_burst::pause::Pause;
use strat_burst_policy::Action;
use stratiform::engine::Holder;

use crate::bench::{Bench, SHOP};

/// The whole of it: a load that comes and goes. Owned hardware is used first, the cloud for what it does
/// not hold, and in the end nothing is left of it; what it cost is the sum of launch to termination.
#[tokio::test(start_paused = true)]
async fn a_load_comes_and_goes_and_nothing_is_left() {
    let mut bench = Bench::new(SHOP).await;
    let mut controller = bench.controller();
    bench.load.set(Some(150.0));
    bench.minutes(&mut controller, 20).await;
    assert_eq!(bench.count(), (2, 0), "the load of two machines");
    bench.load.set(Some(700.0));
    let up = bench.minutes(&mut controller, 4).await;
    assert!(up[0].problems.is_empty(), "{:?}", up[0].problems);
    assert_eq!(bench.count(), (4, 3), "owned hardware first, and the rest");
    // A boot of the cloud, and two intervals.
    assert!(bench.machines().iter().all(|one| one.ready));
    let flat = bench.minutes(&mut controller, 60).await;
    for round in &flat {
        for (record, _) in &round.decided {
            assert!(record.decision.steps.is_empty(), "{:?}", record.decision);
        }
    }
    bench.load.set(Some(150.0));
    // No more than half go within an hour.
    bench.minutes(&mut controller, 150).await;
    assert_eq!(bench.count(), (2, 0), "home again");
    assert!(bench.door.asked.load(Ordering::SeqCst) >= 5);
    let bought = bench.lives.values().filter(|(.., owned)| !owned);
    assert!(bought.clone().all(|(_, until, _)| until.is_some()));
    assert_eq!(bought.clone().count(), 3, "nothing was bought twice");
    // The bill: what three machines cost from launch to termination.
    let mut decided = Vec::new();
    let log = Log::of(&bench.dir.path().join(".stratiform"), "web");
    log.each(|line| match line {
        Line::Decided(one) => decided.push(one.record),
        Line::Done(done) => assert!(done.problems.is_empty(), "{done:?}"),
    })
    .expect("read");
    let prices = decided.iter().flat_map(|one| &one.inputs.machines);
    let price = prices.map(|one| one.place.usd_hour).max().expect("a price");
    assert!(price > Decimal::ZERO);
    let hours = bought.map(|(from, until, _)| {
        let ran = until.expect("it ended").duration_since(*from);
        let ran_ms = i64::try_from(ran.as_millis()).expect("a time");
        Decimal::from(ran_ms) / Decimal::from(3_600_000)
    });
    let bill = price * hours.sum::<Decimal>();
    let said = decided.last().expect("one").inputs.spent.month_to_date;
    let off = (said - bill).abs() / bill;
    assert!(
        off < Decimal::new(1, 3),
        "{said} is said, and it was {bill}"
    );
    // Each decision is what its inputs give, to the byte.
    for record in &decided {
        record.replay().expect("the same");
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_drains_is_taken_back_before_any_is_bought() {
    let mut bench = Bench::new(SHOP).await;
    bench.door.works.store(true, Ordering::SeqCst);
    let mut controller = bench.controller();
    bench.load.set(Some(600.0));
    bench.minutes(&mut controller, 15).await;
    assert_eq!(bench.count(), (4, 2));
    bench.load.set(Some(350.0));
    while !bench.machines().iter().any(|one| one.drains) {
        bench.minutes(&mut controller, 1).await;
    }
    assert_eq!(bench.machines().len(), 6, "they drain, and are there");
    bench.load.set(Some(600.0));
    bench.minutes(&mut controller, 2).await;
    assert!(!bench.machines().iter().any(|one| one.drains));
    assert_eq!(bench.count(), (4, 2));
    assert_eq!(bench.lives.len(), 6, "none was made for it");
}

/// What drains stands in the marks: another computer, which has none of the files, goes on from there.
#[tokio::test(start_paused = true)]
async fn another_controller_goes_on_from_what_it_sees() {
    let mut bench = Bench::new(SHOP).await;
    bench.door.works.store(true, Ordering::SeqCst);
    let mut first = bench.controller();
    bench.load.set(Some(600.0));
    bench.minutes(&mut first, 15).await;
    bench.load.set(Some(350.0));
    while !bench.machines().iter().any(|one| one.drains) {
        bench.minutes(&mut first, 1).await;
    }
    drop(first);
    std::fs::remove_dir_all(bench.dir.path().join(".stratiform")).expect("removed");
    bench.door.works.store(false, Ordering::SeqCst);
    bench.wait(Duration::from_secs(120)).await;
    let mut second = bench.controller();
    let rounds = bench.minutes(&mut second, 5).await;
    assert!(rounds.iter().any(|round| round.leading), "{rounds:?}");
    assert!(
        !bench.machines().iter().any(|one| one.drains),
        "they are gone"
    );
    assert_eq!(bench.count(), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn of_two_controllers_one_leads() {
    let mut bench = Bench::new(SHOP).await;
    let alive = |id: &str| Holder {
        id: id.to_owned(),
        host: format!("host-{id}"),
        process: None,
        ..Holder::this_process("test", bench.clock.now())
    };
    let mut first = bench.controller_of(alive("a"));
    let mut second = bench.controller_of(alive("b"));
    bench.load.set(Some(700.0));
    let one = bench.minutes(&mut first, 1).await.remove(0);
    let other = bench.minutes(&mut second, 1).await.remove(0);
    assert!(one.leading && !other.leading, "{other:?}");
    assert!(other.problems[0].starts_with("another leads"), "{other:?}");
    // The one that leads is gone, and after its term the other takes over.
    first.end().await;
    let other = bench.minutes(&mut second, 2).await.remove(1);
    assert!(other.leading, "{other:?}");
    assert_eq!(bench.count(), (4, 3));
}

/// What is not measured takes no machine away; and a site that is silent neither.
#[tokio::test(start_paused = true)]
async fn without_values_nothing_goes() {
    let mut bench = Bench::new(SHOP).await;
    let mut controller = bench.controller();
    bench.load.set(Some(600.0));
    bench.minutes(&mut controller, 15).await;
    bench.load.set(None);
    let rounds = bench.minutes(&mut controller, 50).await;
    assert_eq!(bench.count(), (4, 2));
    let last = &rounds[20];
    let (record, _) = &last.decided[0];
    assert_eq!(record.decision.action, Action::Hold);
    let alarms = &last.status.bursts[0].alarms;
    assert!(
        alarms
            .iter()
            .any(|alarm| alarm == "rps is not measured: the test measures nothing"),
        "{alarms:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_changed_in_the_topology_is_said_and_counts() {
    let mut bench = Bench::new(SHOP).await;
    let mut controller = bench.controller();
    bench.load.set(Some(900.0));
    bench.minutes(&mut controller, 3).await;
    assert_eq!(bench.count(), (4, 5));
    bench.write(
        &SHOP
            .replace("max   = 12", "max   = 7")
            .replace("each  = 100", "each  = \"no\""),
    );
    let round = bench.minutes(&mut controller, 1).await.remove(0);
    assert!(round.problems[0].starts_with("the topology is wrong, and the last one goes on"));
    bench.write(&SHOP.replace("max   = 12", "max   = 7"));
    let round = bench.minutes(&mut controller, 1).await.remove(0);
    assert_eq!(round.reloaded, ["burst.web: max was 12, and is 7"]);
    bench.minutes(&mut controller, 20).await;
    assert_eq!(
        bench.machines().len(),
        7,
        "the youngest stay until they may go"
    );
}

/// A budget keeps machines from being made, whatever the load.
#[tokio::test(start_paused = true)]
async fn a_budget_is_never_exceeded() {
    let dear = SHOP.replace("hourly = \"2 USD\"", "hourly = \"0.10 USD\"");
    let mut bench = Bench::new(&dear).await;
    let mut controller = bench.controller();
    bench.load.set(Some(5000.0));
    for round in bench.minutes(&mut controller, 20).await {
        for (record, _) in &round.decided {
            assert!(record.decision.cost.hour_after <= Decimal::new(10, 2));
        }
    }
    let (owned, bought) = bench.count();
    assert_eq!(owned, 4);
    assert!((1..5).contains(&bought), "{bought}");
}

/// Paused, it decides and does nothing; and it takes a pause that it cannot read for one.
#[tokio::test(start_paused = true)]
async fn paused_it_decides_and_does_nothing() {
    let mut bench = Bench::new(SHOP).await;
    let state = bench.dir.path().join(".stratiform");
    let mut controller = bench.controller();
    bench.load.set(Some(600.0));
    bench.minutes(&mut controller, 15).await;
    assert_eq!(bench.count(), (4, 2));
    let pause = Pause {
        since: bench.clock.now(),
        by: "ops@host".to_owned(),
        why: Some("the network is being rebuilt".to_owned()),
    };
    pause.begin(&state).expect("written");
    for load in [Some(1100.0), Some(150.0), None] {
        bench.load.set(load);
        for round in bench.minutes(&mut controller, 15).await {
            assert_eq!(round.status.paused.as_ref(), Some(&pause));
            let (record, done) = &round.decided[0];
            assert!(record.inputs.paused && record.decision.steps.is_empty());
            assert!(done.is_none(), "{done:?}");
        }
        assert_eq!(bench.count(), (4, 2), "{load:?}");
    }
    // Another one that is started meanwhile finds it, too; and one that is torn is still one.
    controller.end().await;
    let mut controller = bench.controller();
    std::fs::write(state.join("burst/paused.json"), "{\"since\":").expect("written");
    bench.load.set(Some(1100.0));
    let round = bench.minutes(&mut controller, 3).await.remove(2);
    assert_eq!(bench.count(), (4, 2));
    let told = "nobody knows whether it is paused, so nothing is done";
    assert!(round.problems[0].starts_with(told), "{:?}", round.problems);
    assert!(Pause::end(&state).expect("deleted"));
    assert!(!Pause::end(&state).expect("nothing to delete"));
    let round = bench.minutes(&mut controller, 4).await.remove(3);
    assert_eq!(round.status.paused, None);
    assert_eq!(bench.count(), (4, 7));
}
