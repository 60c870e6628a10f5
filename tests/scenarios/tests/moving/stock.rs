//! Every pattern of running out, from one offer to a whole region.

use std::collections::BTreeSet;
use std::time::Duration;

use strat_scenarios::Folder;
use stratiform::model::{ErrorKind, Scope};
use stratiform::{ApplyOutcome, Mode, Plan, PlanOptions};

use crate::common::{counts, ids, leave, lines, machines, nothing_to_do, refuse, run, shop, sorts};

const ANYWHERE: &str = "  placement { sites = [site.east, site.west] }";
const EAST: &str = "  placement { sites = [site.east] }";
const ONE_ZONE: &str = "  placement {\n    sites = [site.east]\n    zone  = \"us-east-1a\"\n  }";

/// What there is besides the fleet, made.
async fn ground(fleet: &str) -> Folder {
    let folder = Folder::new();
    folder.write(&[shop(0, fleet)]);
    assert!(folder.apply(Mode::Apply).await.success);
    folder
}

async fn apply(folder: &Folder) -> (Plan, ApplyOutcome) {
    folder.outcome(&PlanOptions::default()).await
}

/// Where the moved machines went, in words.
fn told(outcome: &ApplyOutcome) -> Vec<String> {
    let told = outcome.relocations.iter();
    told.map(ToString::to_string).collect()
}

/// The type and zone that the fleet gets at the east when there is enough of everything.
async fn first_choice(folder: &Folder) -> (String, String) {
    let plan = folder.plan(Mode::Apply).await;
    let web = plan
        .changes
        .iter()
        .find(|c| c.addr.local.noun.as_str() == "machines");
    let goal = &web.expect("a fleet").goals[0];
    let stratiform::model::Spec::Machine(spec) = &goal.spec else {
        panic!("a machine")
    };
    (spec.machine_type.clone(), spec.zone.to_string())
}

#[test]
fn one_offer_runs_out_and_the_next_one_of_the_zone_is_taken() {
    run(async {
        let folder = ground(ONE_ZONE).await;
        folder.write(&[shop(10, ONE_ZONE)]);
        let (machine_type, zone) = first_choice(&folder).await;
        leave(&folder, "east", (Some(&machine_type), Some(&zone)), Some(0));
        let (_, outcome) = apply(&folder).await;
        assert!(outcome.is_success(), "{outcome:#?}");
        let sorts = sorts(&folder, "east");
        let (sort, count) = sorts.first_key_value().expect("machines");
        assert_eq!((sorts.len(), *count, &sort.0), (1, 10, &zone));
        assert_ne!(sort.1, machine_type);
        let other = &sort.1;
        let why = format!(
            "10 of machines.web: east {zone} had no {machine_type} \
             (InsufficientInstanceCapacity); made at east {zone} as {other}"
        );
        assert_eq!(told(&outcome), [why]);
        nothing_to_do(&folder).await;
    });
}

#[test]
fn one_offer_runs_out_and_the_same_in_another_zone_is_cheaper_than_the_next() {
    run(async {
        let folder = ground(EAST).await;
        folder.write(&[shop(10, EAST)]);
        let (machine_type, zone) = first_choice(&folder).await;
        leave(&folder, "east", (Some(&machine_type), Some(&zone)), Some(0));
        let (_, outcome) = apply(&folder).await;
        assert!(outcome.is_success(), "{outcome:#?}");
        let sorts = sorts(&folder, "east");
        let (sort, count) = sorts.first_key_value().expect("machines");
        assert_eq!((sorts.len(), *count, &sort.1), (1, 10, &machine_type));
        assert_ne!(sort.0, zone);
        nothing_to_do(&folder).await;
    });
}

#[test]
fn a_zone_runs_out_and_the_next_one_is_taken() {
    run(async {
        for by_scope in [false, true] {
            let folder = ground(EAST).await;
            folder.write(&[shop(10, EAST)]);
            let (_, zone) = first_choice(&folder).await;
            if by_scope {
                refuse(&folder, "east", ErrorKind::Capacity, Scope::Zone, 1);
            } else {
                leave(&folder, "east", (None, Some(&zone)), Some(0));
            }
            let (_, outcome) = apply(&folder).await;
            assert!(outcome.is_success(), "{outcome:#?}");
            let sorts = sorts(&folder, "east");
            assert_eq!(sorts.values().sum::<usize>(), 10);
            assert!(sorts.keys().all(|(other, _)| *other != zone), "{sorts:?}");
            // Another zone has the same type at the same price: it is not asked for a third.
            assert_eq!(outcome.reports.len(), 2, "{:#?}", told(&outcome));
            nothing_to_do(&folder).await;
        }
    });
}

#[test]
fn a_region_runs_out_and_the_next_site_is_taken() {
    run(async {
        for by_scope in [false, true] {
            let folder = ground(ANYWHERE).await;
            folder.write(&[shop(10, ANYWHERE)]);
            if by_scope {
                refuse(&folder, "east", ErrorKind::Capacity, Scope::Region, 1);
            } else {
                leave(&folder, "east", (None, None), Some(0));
            }
            let (_, outcome) = apply(&folder).await;
            assert!(outcome.is_success(), "{outcome:#?}");
            assert_eq!(counts(&folder), [0, 10]);
            let last = told(&outcome).pop().expect("it is told");
            assert!(last.contains("; made at west "), "{last}");
            nothing_to_do(&folder).await;
        }
    });
}

#[test]
fn a_batch_of_ten_that_gets_six_keeps_them_and_four_go_elsewhere() {
    run(async {
        for (rest, expected) in [(ANYWHERE, 10), (EAST, 10)] {
            let folder = ground(rest).await;
            folder.write(&[shop(10, rest)]);
            let (machine_type, zone) = first_choice(&folder).await;
            leave(&folder, "east", (Some(&machine_type), Some(&zone)), Some(6));
            let (_, outcome) = apply(&folder).await;
            assert!(outcome.is_success(), "{outcome:#?}");
            let sorts = sorts(&folder, "east");
            assert_eq!(sorts[&(zone.clone(), machine_type.clone())], 6);
            assert_eq!(sorts.values().sum::<usize>(), expected);
            let why = &told(&outcome)[0];
            let start = format!("4 of machines.web: east {zone} had no {machine_type}");
            assert!(why.starts_with(&start), "{why}");
            let made: usize = outcome
                .reports
                .iter()
                .flat_map(|report| &report.steps)
                .map(|step| step.made.len())
                .sum();
            assert_eq!(made, 10, "never two for one");
            nothing_to_do(&folder).await;
        }
    });
}

#[test]
fn what_runs_out_now_and_then_ends_with_as_many_as_were_asked_for() {
    run(async {
        let folder = ground(ANYWHERE).await;
        folder.write(&[shop(10, ANYWHERE)]);
        for times in 1..4 {
            refuse(&folder, "east", ErrorKind::Capacity, Scope::Offer, times);
            leave(&folder, "east", (None, None), Some(3));
            let (_, outcome) = apply(&folder).await;
            assert!(outcome.is_success(), "{outcome:#?}");
            assert_eq!(counts(&folder).iter().sum::<usize>(), 10);
            nothing_to_do(&folder).await;
            leave(&folder, "east", (None, None), None);
            folder.write(&[shop(0, ANYWHERE)]);
            assert!(folder.apply(Mode::Apply).await.success);
            folder.write(&[shop(10, ANYWHERE)]);
        }
    });
}

#[test]
fn a_quota_moves_them_to_another_family_and_throttling_moves_nothing() {
    run(async {
        let folder = ground(ANYWHERE).await;
        folder.write(&[shop(4, ANYWHERE)]);
        let (machine_type, _) = first_choice(&folder).await;
        refuse(&folder, "east", ErrorKind::Throttled, Scope::Account, 2);
        let (_, outcome) = apply(&folder).await;
        assert!(outcome.is_success(), "{outcome:#?}");
        let types = |folder: &Folder| -> BTreeSet<String> {
            sorts(folder, "east")
                .into_keys()
                .map(|sort| sort.1)
                .collect()
        };
        assert_eq!(types(&folder), BTreeSet::from([machine_type.clone()]));
        assert_eq!((outcome.reports.len(), told(&outcome).len()), (1, 0));
        assert!(folder.plan(Mode::Apply).await.avoided.is_empty());

        let folder = ground(ANYWHERE).await;
        folder.write(&[shop(4, ANYWHERE)]);
        refuse(&folder, "east", ErrorKind::Quota, Scope::Region, 1);
        let (_, outcome) = apply(&folder).await;
        assert!(outcome.is_success(), "{outcome:#?}");
        assert_eq!(counts(&folder), [4, 0], "another family of the same site");
        let family = |name: &str| name.split('.').next().map(str::to_owned);
        let others = types(&folder);
        assert!(
            others
                .iter()
                .all(|other| family(other) != family(&machine_type))
        );
        let why = &told(&outcome)[0];
        assert!(why.contains("allows no more"), "{why}");
    });
}

#[test]
fn who_is_not_let_in_stops_that_site_alone_and_nothing_moves_away_from_it() {
    run(async {
        for kind in [ErrorKind::Unauthenticated, ErrorKind::Forbidden] {
            let fleets = format!(
                "{}\nmachines \"other\" {{\n  count = 2\n  cpu = 2\n  memory = \"8GiB\"\n  \
                 image = \"debian-12\"\n  subnet = subnet.app\n  placement {{ sites = [site.west] }}\n}}\n",
                shop(3, ANYWHERE)
            );
            let folder = ground(ANYWHERE).await;
            folder.write(&[fleets]);
            refuse(&folder, "east", kind, Scope::Account, 1);
            let (_, outcome) = apply(&folder).await;
            assert!(!outcome.is_success());
            assert_eq!(counts(&folder), [0, 2], "{kind}");
            assert_eq!((outcome.reports.len(), told(&outcome).len()), (1, 0));
            let failures: Vec<_> = outcome.reports[0].failures().collect();
            assert_eq!(failures.len(), 1);
            assert_eq!(failures[0].1.kind(), kind);
            assert!(folder.plan(Mode::Apply).await.avoided.is_empty());
            assert!(folder.apply(Mode::Apply).await.success, "once let in again");
            assert_eq!(counts(&folder), [3, 2]);
        }
    });
}

#[test]
fn where_nothing_else_is_permitted_it_says_so_and_nothing_that_runs_goes() {
    run(async {
        let folder = ground(EAST).await;
        folder.write(&[shop(4, EAST)]);
        assert!(folder.apply(Mode::Apply).await.success);
        let before = ids(&folder, "east");
        let west = "  placement {\n    sites = [site.west]\n    zone  = \"westeurope-1\"\n  }";
        folder.write(&[shop(4, west)]);
        leave(&folder, "west", (None, None), Some(1));
        let (plan, outcome) = apply(&folder).await;
        assert!(!outcome.is_success());
        let stuck = outcome.stuck.as_ref().map(ToString::to_string);
        let stuck = stuck.unwrap_or_default();
        assert!(!stuck.is_empty(), "{:#?}", lines(&plan));
        let (east, now) = (ids(&folder, "east"), counts(&folder));
        assert!(east.iter().all(|id| before.contains(id)));
        assert!(now[0] + now[1] >= 4, "{now:?}: as many run as before");
        leave(&folder, "west", (None, None), None);
        for _ in 0..2 {
            // What ran out is not asked for at once; where nothing else will do, it is.
            folder.apply(Mode::Apply).await;
        }
        assert_eq!(counts(&folder), [0, 4]);
        nothing_to_do(&folder).await;
    });
}

#[test]
fn the_next_plan_remembers_for_ten_minutes_and_on_demand_it_does_not() {
    run(async {
        let folder = ground(EAST).await;
        folder.write(&[shop(2, EAST)]);
        let (machine_type, zone) = first_choice(&folder).await;
        leave(&folder, "east", (Some(&machine_type), Some(&zone)), Some(0));
        assert!(folder.apply(Mode::Apply).await.success);
        folder.write(&[shop(0, EAST)]);
        assert!(folder.apply(Mode::Apply).await.success);
        leave(&folder, "east", (None, None), None);
        folder.write(&[shop(2, EAST)]);
        let plan = folder.plan(Mode::Apply).await;
        let avoided = plan.avoided.first().expect("it is remembered");
        let said = avoided.to_string();
        let start = format!("east {zone}: {machine_type} was out of stock");
        assert!(said.starts_with(&start), "{said}");
        let now = first_choice(&folder).await;
        assert_ne!(now, (machine_type.clone(), zone.clone()));

        let ignoring = PlanOptions {
            ignore_stock_outs: true,
            ..PlanOptions::default()
        };
        let (plan, outcome) = folder.outcome(&ignoring).await;
        assert!(plan.avoided.is_empty() && outcome.is_success());
        let kinds = sorts(&folder, "east");
        assert_eq!(kinds[&(zone.clone(), machine_type.clone())], 2);
        // It was sold: that is remembered, too.
        assert!(folder.plan(Mode::Apply).await.avoided.is_empty());

        refuse(&folder, "east", ErrorKind::Capacity, Scope::Offer, 1);
        folder.write(&[shop(3, EAST)]);
        assert!(folder.apply(Mode::Apply).await.success);
        assert_eq!(folder.plan(Mode::Apply).await.avoided.len(), 1);
        tokio::time::sleep(Duration::from_secs(601)).await;
        assert!(folder.plan(Mode::Apply).await.avoided.is_empty());
    });
}

#[test]
fn a_book_that_is_damaged_or_gone_is_an_empty_one() {
    run(async {
        let folder = ground(EAST).await;
        folder.write(&[shop(2, EAST)]);
        refuse(&folder, "east", ErrorKind::Capacity, Scope::Offer, 1);
        assert!(folder.apply(Mode::Apply).await.success);
        let book = folder.path().join(".stratiform/stock.json");
        assert_eq!(folder.plan(Mode::Apply).await.avoided.len(), 1);
        std::fs::write(&book, "{ \"v\": 1, \"entries\": [{").expect("written");
        assert!(folder.plan(Mode::Apply).await.avoided.is_empty());
        refuse(&folder, "east", ErrorKind::Capacity, Scope::Offer, 1);
        folder.write(&[shop(5, EAST)]);
        assert!(folder.apply(Mode::Apply).await.success);
        assert_eq!(
            folder.plan(Mode::Apply).await.avoided.len(),
            1,
            "written anew"
        );
        std::fs::remove_file(&book).expect("removed");
        assert!(folder.plan(Mode::Apply).await.avoided.is_empty());
        assert_eq!(machines(&folder)["east"].len(), 5);
        nothing_to_do(&folder).await;
    });
}

#[test]
fn a_saved_plan_is_applied_as_it_is_whatever_ran_out_or_expired_since() {
    run(async {
        let folder = ground(EAST).await;
        folder.write(&[shop(2, EAST)]);
        refuse(&folder, "east", ErrorKind::Capacity, Scope::Offer, 1);
        assert!(folder.apply(Mode::Apply).await.success);
        folder.write(&[shop(4, EAST)]);
        let session = folder.session().await;
        let planned = session.plan(&PlanOptions::default()).await.expect("a plan");
        assert_eq!(planned.saved.plan.avoided.len(), 1);
        let path = folder.path().join("plan.json");
        planned.saved.write(&path).expect("written");
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let saved = stratiform::SavedPlan::read(&path).expect("read");
        assert_eq!(saved, planned.saved);
        let options = stratiform::RunOptions::new("test");
        let run = session.begin(&options).await.expect("begins");
        let options = stratiform::ApplyOptions::default();
        let done = run.apply_saved(&saved, &options);
        let outcome = done.await.expect("it is still good");
        run.end().await.expect("ends");
        assert!(outcome.is_success());
        assert_eq!(counts(&folder), [4, 0]);
    });
}
