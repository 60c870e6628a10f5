//! Machines that go, give way or come late: by the controller, on simulated sites.

use std::sync::atomic::Ordering;
use std::time::Duration;

use strat_burst_policy::Op;
use strat_sim::Disturbance;

use crate::bench::{Bench, SHOP, There};

/// The shop whose cloud machines are spot, and are asked for notices.
fn spot() -> String {
    let shop = SHOP.replace(
        "prefer = \"owned\"",
        "prefer = \"owned\"\n    spot_percent = 100",
    );
    shop.replace(
        "  max   = 12",
        "  max    = 12\n  notice = \"http://{ip}:9000/notice\"",
    )
}

/// A spot machine whose cloud takes it back counts no more from the notice on: the one in its place is asked
/// for in the same round, boots while the old one still works, and is the only one.
#[tokio::test(start_paused = true)]
async fn the_replacement_of_a_spot_machine_starts_at_the_notice() {
    let mut bench = Bench::new(&spot()).await;
    let mut controller = bench.controller();
    bench.load.set(Some(600.0));
    bench.minutes(&mut controller, 15).await;
    assert_eq!(bench.count(), (4, 2));
    let is_spot = |one: &&There| one.spot;
    let all = bench.machines();
    let going = all.iter().find(is_spot).expect("a spot machine").clone();
    bench.take_back(going.ip.as_deref().expect("an address"));
    let round = bench.minutes(&mut controller, 1).await.remove(0);
    let (record, done) = &round.decided[0];
    let made: u32 = record.decision.steps.iter().map(|step| step.count).sum();
    assert_eq!((made, record.decision.steps[0].op), (1, Op::Create));
    assert_eq!(done.as_ref().expect("done").problems, Vec::<String>::new());
    assert_eq!(
        bench.count(),
        (4, 3),
        "the new one boots beside the old one"
    );
    bench.minutes(&mut controller, 1).await;
    assert!(bench.machines().iter().all(|one| one.ready), "in time");
    // Two minutes after the notice it is gone; nothing more is made for it, and nothing of it is left.
    bench.strike(&Disturbance::EndMachine {
        which: going.id.clone(),
        why: "Server.SpotInstanceTermination".to_owned(),
    });
    for round in bench.minutes(&mut controller, 20).await {
        assert!(round.decided[0].0.decision.steps.is_empty(), "{round:?}");
    }
    assert_eq!(bench.count(), (4, 2));
    assert!(!bench.machines().iter().any(|one| one.id == going.id));
    assert_eq!(bench.lives.len(), 7, "one was made in its place");
}

/// Batch on the same hardware: a fleet of its own, which gives way.
const BATCH: &str = r#"
machines "jobs" {
  count  = 0
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
  placement {
    sites  = [site.dc]
    prefer = "owned"
  }
}
burst "jobs" {
  fleet  = machines.jobs
  max    = 2
  class  = "batch"
  demand = "jobs"
  each   = 100
  down {
    after   = "1m"
    min_age = "0s"
    step    = "100%"
  }
  drain {
    http     = "http://{ip}:9000/drain"
    deadline = "GRACE"
  }
}
"#;

/// Online load takes the place of batch before anything is bought. A batch machine goes whole: its hook is
/// asked, and it is let go once it says that it is empty, or when its grace is over. It comes back by itself.
#[tokio::test(start_paused = true)]
async fn batch_gives_way_whole_and_comes_back() {
    let text = SHOP.replace("  max   = 12", "  max      = 12\n  priority = 10");
    let text = text + &BATCH.replace("GRACE", "1m");
    let mut bench = Bench::new(&text).await;
    let mut controller = bench.controller();
    // Both measure the same: two machines each.
    bench.load.set(Some(190.0));
    bench.minutes(&mut controller, 4).await;
    let fleets = |bench: &Bench| {
        (
            bench.of_fleet("machines.web"),
            bench.of_fleet("machines.jobs"),
        )
    };
    assert_eq!(fleets(&bench), ((2, 0), (2, 0)), "the hardware is full");
    bench.door.works.store(true, Ordering::SeqCst);
    let asked = bench.door.asked.load(Ordering::SeqCst);
    bench.load.set(Some(390.0));
    let round = bench.minutes(&mut controller, 1).await.remove(0);
    let steps = &round.decided[0].0.decision.steps;
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert_eq!((steps[0].op, steps[0].count), (Op::Preempt, 2), "{steps:?}");
    let drain = bench.machines().into_iter().filter(|one| one.drains);
    assert!(drain.clone().count() == 2 && drain.clone().all(|one| one.fleet == "machines.jobs"));
    assert_eq!(
        fleets(&bench),
        ((2, 0), (2, 0)),
        "they have work, and their grace"
    );
    bench.minutes(&mut controller, 5).await;
    assert!(
        bench.door.asked.load(Ordering::SeqCst) > asked,
        "their hook is asked"
    );
    assert_eq!(
        fleets(&bench),
        ((4, 0), (0, 0)),
        "their places are taken, and nothing is bought"
    );
    assert!(
        bench.lives.values().all(|(.., owned)| *owned),
        "nothing ever was"
    );
    // The online load goes, and batch comes home by itself.
    bench.door.works.store(false, Ordering::SeqCst);
    bench.load.set(Some(190.0));
    bench.minutes(&mut controller, 90).await;
    assert_eq!(fleets(&bench), ((2, 0), (2, 0)));
}

/// Where the grace is longer than a boot, clouds start beside it, and nobody waits.
#[tokio::test(start_paused = true)]
async fn clouds_start_beside_batch_that_takes_long_to_give_way() {
    let text = SHOP.replace("  max   = 12", "  max      = 12\n  priority = 10");
    let text = text + &BATCH.replace("GRACE", "30m");
    let mut bench = Bench::new(&text).await;
    let mut controller = bench.controller();
    bench.load.set(Some(190.0));
    bench.minutes(&mut controller, 4).await;
    bench.door.works.store(true, Ordering::SeqCst);
    bench.load.set(Some(390.0));
    let round = bench.minutes(&mut controller, 1).await.remove(0);
    let steps = &round.decided[0].0.decision.steps;
    let ops: Vec<Op> = steps.iter().map(|step| step.op).collect();
    assert_eq!(ops, [Op::Preempt, Op::Create], "{steps:?}");
    assert_eq!(bench.of_fleet("machines.web"), (2, 2));
}

/// A machine that comes late, and before its time is over, is counted: none is made beside it. One that does
/// not come goes, with nothing left of it.
#[tokio::test(start_paused = true)]
async fn late_arrivals_are_counted_or_taken_away() {
    let slow = |ms: &str| SHOP.replace("create_ms = 90000", &format!("create_ms = {ms}"));
    let mut bench = Bench::new(&slow("500000")).await;
    let mut controller = bench.controller();
    bench.load.set(Some(500.0));
    bench.minutes(&mut controller, 20).await;
    assert_eq!(bench.count(), (4, 1));
    assert!(bench.machines().iter().all(|one| one.ready));
    assert_eq!(bench.lives.len(), 5, "it was waited for");

    // The network of the cloud is there, and then nothing comes any more.
    let mut bench = Bench::new(SHOP).await;
    bench.write(&slow("36000000"));
    let mut controller = bench.controller();
    bench.load.set(Some(500.0));
    bench.minutes(&mut controller, 9).await;
    assert_eq!(bench.count(), (4, 1), "it is waited for");
    let first: Vec<String> = bench.machines().into_iter().map(|one| one.id).collect();
    // Late is what takes three times as long as the slowest known boot.
    let late = bench.minutes(&mut controller, 30).await;
    let goes = |alarm: &String| alarm.contains("is not ready: it goes");
    let mut alarms = late.iter().flat_map(|round| &round.status.bursts[0].alarms);
    assert!(alarms.any(goes), "{:#?}", late.last());
    bench.load.set(Some(190.0));
    bench.minutes(&mut controller, 70).await;
    assert_eq!(bench.count(), (2, 0), "nothing is left of it");
    let bought = bench.lives.iter().filter(|(_, (.., owned))| !owned);
    for (id, (_, until, _)) in bought {
        assert!(until.is_some(), "{id}, of {first:?}");
    }
    bench.wait(Duration::from_secs(60)).await;
}

/// A loss that is survived: the site that is lost takes none of what is needed with it.
#[tokio::test(start_paused = true)]
async fn a_lost_site_leaves_what_is_needed() {
    let text = SHOP.replace("prefer = \"owned\"", "prefer  = \"owned\"\n    survive = 1");
    let mut bench = Bench::new(&text).await;
    assert_eq!(
        bench.count(),
        (2, 2),
        "two are the fewest, wherever a loss is"
    );
    let mut controller = bench.controller();
    bench.load.set(Some(390.0));
    bench.minutes(&mut controller, 4).await;
    assert_eq!(bench.count(), (4, 4));
    // A plan keeps that, and says by whom it is held.
    let session = bench.session().await;
    let planned = session.plan(&stratiform::PlanOptions::default()).await;
    let planned = planned.expect("a plan");
    assert!(
        planned.saved.plan.is_empty(),
        "{:#?}",
        planned.saved.plan.changes
    );
    for round in bench.minutes(&mut controller, 20).await {
        assert!(round.decided[0].0.decision.steps.is_empty(), "{round:?}");
    }
    bench.load.set(Some(190.0));
    bench.minutes(&mut controller, 90).await;
    assert_eq!(bench.count(), (2, 2));
}
