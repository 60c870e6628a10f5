//! What goes wrong stays where it is, is named, and is mended by the next apply.

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Bench, PATIENCE, addr, failures, plan, shop, summary};
use strat_engine::*;
use strat_model::{ErrorKind, Kind, Scope};
use strat_planner::Mode;
use strat_sim::{Behaviour, Disturbance, Fault, Profile};

/// What became of the steps of an address.
fn outcomes<'r>(report: &'r Report, text: &str) -> Vec<&'r Outcome> {
    let addr = addr(text);
    let steps = report.steps.iter().filter(|step| step.addr == addr);
    steps.map(|step| &step.outcome).collect()
}

#[tokio::test(start_paused = true)]
async fn lost_answers_make_no_duplicates() {
    for sites in [&["dc1"][..], &["east"], &["west"]] {
        for every in 1..=4 {
            let bench = Bench::realistic();
            let intent = shop::knotted(sites);
            let region = bench.region(sites[0]);
            for after in 0..10 {
                let fault = strat_sim::PlannedFault {
                    operation: None,
                    fault: Fault::lost_answer(),
                    times: 1,
                    after: after % every,
                };
                let inject = Disturbance::Inject(fault);
                bench.control().disturb(&region, &inject).expect("injects");
            }
            for _ in 0..20 {
                if bench.apply(&intent, Mode::Apply).await.report.is_success() {
                    break;
                }
            }
            let context = format!("{sites:?}, every {every}");
            bench.assert_converged(&intent, &context).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_stops_what_depends_on_it_and_nothing_else() {
    let bench = Bench::realistic();
    let intent = shop::shop(&["dc1", "east"]);
    let (region, quota) = (bench.region("east"), Fault::fail(ErrorKind::Quota));
    let control = bench.control();
    control
        .inject(&region, Some("create_subnet"), quota, 9)
        .expect("injects");
    let applied = bench.apply(&intent, Mode::Apply).await;
    let report = &applied.report;
    let web = outcomes(report, "machines.web@east");
    assert!(!web.is_empty());
    for outcome in web {
        let Outcome::Skipped { because } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(because.kind(), Kind::Subnet);
    }
    for done in ["machine.db@dc1", "volume.db@dc1", "bucket.assets@east"] {
        let outcomes = outcomes(report, done);
        assert!(
            outcomes.iter().all(|o| matches!(o, Outcome::Done)),
            "{done}"
        );
    }
    assert!(
        report
            .failures()
            .all(|(_, error)| error.kind() == ErrorKind::Quota)
    );
    control
        .disturb(&region, &Disturbance::Calm)
        .expect("clears");
    let applied = bench.apply(&intent, Mode::Apply).await;
    assert!(applied.report.is_success(), "{}", failures(&applied.report));
    bench.assert_converged(&intent, "again").await;
}

/// What waits for a whole block is left out because of the one that failed, and nothing is told of
/// the point at which the waits come together.
#[tokio::test(start_paused = true)]
async fn one_of_many_that_fails_is_named_to_all_that_wait_for_them() {
    let mut bench = Bench::realistic();
    let mut intent = shop::shop(&["east"]);
    let assets = intent.buckets.remove(0);
    for n in 0..4 {
        for (block, depends_on) in [("a", &[][..]), ("b", &["bucket.a"])] {
            let mut bucket = assets.clone();
            bucket.common.addr = shop::local(&format!("bucket.{block}[{n}]"));
            bucket.common.depends_on = depends_on.iter().map(|text| shop::local(text)).collect();
            intent.buckets.push(bucket);
        }
    }
    let (region, fault) = (bench.region("east"), Fault::fail(ErrorKind::Invalid));
    let control = bench.control();
    control
        .inject(&region, Some("create_bucket"), fault, 1)
        .expect("injects");
    let told: Arc<Mutex<BTreeMap<&str, usize>>> = Arc::default();
    let counts = Arc::clone(&told);
    bench.events = EventSink::callback(move |event| {
        let word = match event {
            Event::RunStarted { steps, .. } => {
                *counts.lock().expect("counts").entry("steps").or_default() += steps;
                return;
            }
            Event::StepStarted { .. } => "started",
            Event::StepFinished { .. } => "finished",
            Event::StepFailed { .. } => "failed",
            Event::StepSkipped { .. } => "skipped",
            _ => return,
        };
        *counts.lock().expect("counts").entry(word).or_default() += 1;
    });
    let report = bench.apply(&intent, Mode::Apply).await.report;
    let failed: Vec<_> = report.failures().map(|(step, _)| &step.addr).collect();
    let [failed] = failed[..] else {
        panic!("{}", failures(&report));
    };
    assert!(failed.to_string().starts_with("bucket.a["), "{failed}");
    for n in 0..4 {
        match outcomes(&report, &format!("bucket.b[{n}]@east"))[..] {
            [Outcome::Skipped { because }] => assert_eq!(because, failed),
            ref other => panic!("{other:?}"),
        }
    }
    let told = told.lock().expect("counts").clone();
    let steps = report.steps.len();
    assert_eq!(told["steps"], steps);
    assert_eq!((told["failed"], told["skipped"]), (1, 4));
    assert_eq!(told["started"], steps - 4);
    assert_eq!(told["finished"], steps - 5);
    assert_eq!(report.counts.done, steps - 5);

    bench.events = EventSink::none();
    let applied = bench.apply(&intent, Mode::Apply).await;
    assert!(applied.report.is_success(), "{}", failures(&applied.report));
    bench.assert_converged(&intent, "again").await;
}

#[tokio::test(start_paused = true)]
async fn bad_credentials_close_their_site_alone() {
    let mut bench = Bench::realistic();
    let mut intent = shop::shop(&["dc1", "east"]);
    // So that the first call at the site is the one that fails.
    bench.options.site_parallelism = Some(1);
    intent.buckets.clear();
    let fault = Fault::Fail {
        kind: ErrorKind::Unauthenticated,
        scope: Scope::Account,
        retry_after_ms: None,
    };
    bench
        .control()
        .inject(&bench.region("east"), None, fault, 1)
        .expect("injects");
    let report = bench.apply(&intent, Mode::Apply).await.report;
    for step in &report.steps {
        let east = step.site == "east";
        let done = matches!(step.outcome, Outcome::Done);
        assert_eq!(done, !east, "{}", failures(&report));
    }
    assert_eq!(report.counts.failed, 1);
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_the_plan_is_left() {
    let bench = Bench::realistic();
    let intent = shop::shop(&["east"]);
    assert!(bench.apply(&intent, Mode::Apply).await.report.is_success());

    let lease = bench.guard().await;
    let journal = bench.journal();
    let seen = bench.observe(&intent.owner, &journal).await;
    let (desired, plan) = plan(&intent, &seen, &journal, Mode::Destroy);
    let find = |text: &str| {
        let addr = addr(text);
        let mut all = seen.inventory.resources();
        let found = all.find(|(_, one)| one.mark.as_ref().is_some_and(|m| m.addr == addr));
        found.expect(text).1.id.to_string()
    };
    let (control, region) = (bench.control(), bench.region("east"));
    let disturb = |what: Disturbance| control.disturb(&region, &what).expect("disturbs");
    disturb(Disturbance::SetLabel {
        kind: Kind::Bucket,
        which: find("bucket.assets@east"),
        key: "team".to_owned(),
        value: Some("other".to_owned()),
    });
    disturb(Disturbance::SetMark {
        kind: Kind::Keypair,
        which: find("keypair.ops@east"),
        mark: None,
    });
    let report = bench
        .execute(&desired, &plan, &seen, &journal, &lease)
        .await;
    let message = |text: &str| match outcomes(&report, text)[..] {
        [Outcome::Failed(error)] => {
            assert_eq!(error.kind(), ErrorKind::Precondition);
            error.message().to_owned()
        }
        ref other => panic!("{text}: {other:?}"),
    };
    assert!(message("bucket.assets@east").contains("changed since the plan was made"));
    assert!(message("keypair.ops@east").contains("carries no mark any more"));
    assert_eq!(report.counts.failed, 2, "{}", failures(&report));
    assert_eq!(report.counts.skipped, 0, "{}", failures(&report));
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_what_is_in_flight() {
    let mut bench = Bench::realistic();
    let intent = shop::shop(&["dc1", "east"]);
    let (stop, seen) = (bench.stop.clone(), Arc::new(Mutex::new(0)));
    bench.events = EventSink::callback(move |event| {
        if matches!(event, Event::StepFinished { .. }) {
            let mut seen = seen.lock().expect("lock");
            *seen += 1;
            if *seen == 3 {
                stop.request();
            }
        }
    });
    let report = bench.apply(&intent, Mode::Apply).await.report;
    assert!(
        report.interrupted && report.counts.stopped > 0,
        "{}",
        failures(&report)
    );
    assert!(report.counts.done >= 3 && report.counts.failed == 0);
    assert!(bench.journal().pending().is_empty());
    let run = bench.journal().runs().pop().expect("a run");
    assert!(run.interrupted && run.finished.is_some());

    (bench.stop, bench.events) = (Stop::new(), EventSink::none());
    assert!(bench.apply(&intent, Mode::Apply).await.report.is_success());
    bench.assert_converged(&intent, "after a stop").await;
}

#[tokio::test(start_paused = true)]
async fn a_second_stop_abandons_and_the_next_apply_settles() {
    let mut bench = Bench::realistic();
    let intent = shop::shop(&["east"]);
    let stop = bench.stop.clone();
    bench.events = EventSink::callback(move |event| {
        if matches!(event, Event::StepStarted { ref addr, .. } if addr.kind() == Kind::Subnet) {
            let stop = stop.clone();
            tokio::spawn(async move {
                // Amid the call.
                tokio::time::sleep(Duration::from_millis(15)).await;
                stop.request();
                stop.request();
            });
        }
    });
    let report = bench.apply(&intent, Mode::Apply).await.report;
    assert!(report.interrupted, "{}", failures(&report));
    assert!(!bench.journal().pending().is_empty());
    (bench.stop, bench.events) = (Stop::new(), EventSink::none());
    let again = bench.apply(&intent, Mode::Apply).await;
    assert!(!again.settled.settled.is_empty());
    assert!(again.report.is_success(), "{}", failures(&again.report));
    bench.assert_converged(&intent, "after two stops").await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_stops_everything() {
    let bench = Bench::realistic();
    let intent = shop::shop(&["east"]);
    let journal = bench.journal();
    // So short a term is renewed a few times while the run goes on.
    let short = LeasePolicy {
        term: Duration::from_millis(90),
        renew: Duration::from_millis(20),
        ..LeasePolicy::default()
    };
    let claim = bench.claim(short);
    let taken = take(&bench.spot(), &claim, PATIENCE, &bench.clock, &bench.events).await;
    let guard = HeldLeases::new(taken.expect("lease"), Vec::new());
    let seen = bench.observe(&intent.owner, &journal).await;
    let (desired, plan) = plan(&intent, &seen, &journal, Mode::Apply);
    let (spot, clock) = (bench.spot(), Arc::clone(&bench.clock));
    tokio::spawn(async move {
        clock.sleep(Duration::from_millis(100)).await;
        // Again if it was renewed in between.
        let mut freed = false;
        while !freed {
            let found = look(&spot, &*clock).await.expect("reads").expect("held");
            freed = free(&spot, &found, &*clock).await.expect("writes");
        }
    });
    let report = bench
        .execute(&desired, &plan, &seen, &journal, &guard)
        .await;
    let fatal = report.fatal.as_ref().expect("stops");
    let cause = std::error::Error::source(&**fatal).expect("a cause");
    assert!(cause.to_string().contains("was lost"), "{cause}");
    assert!(
        report.counts.done < report.steps.len(),
        "{}",
        failures(&report)
    );
}

#[tokio::test(start_paused = true)]
async fn two_hundred_machines_cost_a_few_reads() {
    let bench = Bench::realistic();
    let mut intent = shop::shop(&["east"]);
    intent.machines[1].count = 200;
    bench.world.reset_calls();
    let report = bench.apply(&intent, Mode::Apply).await.report;
    assert!(report.is_success(), "{}", failures(&report));
    let calls = bench.world.calls();
    let reads: u64 = calls
        .iter()
        .filter(|(op, _)| op.starts_with("get"))
        .map(|(_, n)| n)
        .sum();
    assert!(reads < 30, "{calls:?}");
    assert!(calls["create_machines"] <= 5, "{calls:?}");
    bench.assert_converged(&intent, "200 machines").await;
}

#[tokio::test(start_paused = true)]
async fn a_shortage_makes_what_there_is_and_names_the_offer() {
    let stock = |profile: Profile| Behaviour {
        stock: ["large", "medium"]
            .iter()
            .flat_map(|size| ["t3", "t3a", "m5", "c5", "m6i", "c6i", "r5"].map(|f| (f, *size)))
            .map(|(family, size)| (format!("{family}.{size}"), 1))
            .collect::<BTreeMap<_, _>>(),
        ..Behaviour::realistic(profile)
    };
    let bench = Bench::new(stock);
    let mut intent = shop::shop(&["dc1", "east"]);
    intent.machines[1].count = 9;
    let applied = bench.apply(&intent, Mode::Apply).await;
    let failed: Vec<_> = applied.report.failures().collect();
    assert!(!failed.is_empty(), "{}", summary(&applied.plan).join("\n"));
    for (step, error) in failed {
        assert_eq!(error.kind(), ErrorKind::Capacity, "{error}");
        assert!(step.offer.is_some());
        assert!(
            error.message().contains("of 3 made") && step.made.len() == 1,
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_is_never_an_empty_one() {
    let bench = Bench::realistic();
    let intent = shop::shop(&["east"]);
    assert!(bench.apply(&intent, Mode::Apply).await.report.is_success());
    let fault = Fault::fail(ErrorKind::Internal);
    bench
        .control()
        .inject(&bench.region("east"), Some("list"), fault, 3)
        .expect("injects");
    let journal = Journal::in_memory();
    let (clock, none) = (&*bench.clock, EventSink::none());
    let seen = observe(
        &bench.sites,
        &intent.owner,
        &intent.moves,
        &journal,
        clock,
        &none,
    )
    .await;
    assert_eq!(seen.problems.len(), 3, "{:?}", seen.problems);
    let east = &seen.inventory.sites["east"];
    let partial = Kind::ALL.iter().filter(|kind| !east.is_complete(**kind));
    assert_eq!(partial.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn two_applies_at_once_take_turns() {
    let bench = Bench::realistic();
    let intent = shop::shop(&["dc1"]);
    let (first, second) = tokio::join!(
        bench.apply(&intent, Mode::Apply),
        bench.apply(&intent, Mode::Apply)
    );
    let mut plans = [first.plan, second.plan];
    plans.sort_by_key(|plan| plan.changes.len());
    assert!(plans[0].is_empty() && !plans[1].is_empty());
    bench.assert_converged(&intent, "two at once").await;
}
