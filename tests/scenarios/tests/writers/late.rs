//! A write that left in time and takes effect late: no cloud's compute API can be told to refuse it.
//! It shows as a second thing at one address, and is told and never used.

use std::time::Duration;

use strat_scenarios::Folder;
use stratiform::Mode;
use stratiform::model::{Kind, MarkOrigin, Resource, Token};
use stratiform::provider::{Clock as _, ConnectContext, ProviderExt as _, TokioClock};

use crate::places::{run, two_sites};

/// What stands at an address, as the cloud has it.
fn at(folder: &Folder, addr: &str) -> Vec<Resource> {
    let all = folder.everything().into_values().flatten();
    let here = all.filter(|thing| {
        let mark = thing.mark.as_ref();
        mark.is_some_and(|mark| mark.addr.to_string() == addr)
    });
    here.collect()
}

/// What a run that lost its lease long ago had sent for an address comes to effect now: the same
/// call as that of the run after it, with the token of its own plan.
async fn arrive_late(folder: &Folder, addr: &str) -> Resource {
    let made = at(folder, addr).remove(0);
    let session = folder.session().await;
    let site = made.mark.as_ref().expect("a mark").addr.site.clone();
    let context = ConnectContext {
        base_dir: folder.path().to_owned(),
        clock: std::sync::Arc::new(TokioClock::starting_at(TokioClock::system().now())),
    };
    // Past all layers: it left when the lease was held.
    let site = &session.workspace().intent().sites[&site];
    let provider = session.workspace().registry().connect(site, &context);
    let provider = provider.await.expect("the site");
    let mut mark = made.mark.clone().expect("a mark");
    let token = Token::derive("a plan before", &mark.addr, 1, 1, 0, "");
    mark.origin = Some(MarkOrigin::Made(token.clone()));
    let late = provider.create(&made.spec, &made.name, &mark, &token).await;
    let late = late.unwrap_or_else(|error| panic!("{addr}: {error}"));
    assert_ne!(late.id, made.id, "{addr}");
    late
}

async fn applied() -> Folder {
    let folder = Folder::new();
    folder.write(&[two_sites("", "", 2)]);
    assert!(folder.apply(Mode::Apply).await.success);
    folder
}

#[test]
fn a_late_write_is_told_and_neither_of_the_two_is_touched() {
    for forgotten in [false, true] {
        run(async {
            let folder = applied().await;
            let before = at(&folder, "network.east@east");
            let late = arrive_late(&folder, "network.east@east").await;
            if forgotten {
                // From a computer that knows of neither.
                folder.forget();
            }
            tokio::time::sleep(Duration::from_secs(60)).await;
            let plan = folder.plan(Mode::Apply).await;
            assert!(plan.changes.is_empty(), "{:#?}", plan.changes);
            let told = plan.withheld.iter();
            let told: Vec<String> = told
                .map(|one| format!("{}: {}", one.what, one.why))
                .collect();
            assert!(
                told.iter().any(|line| line.contains(late.id.as_str())),
                "{told:#?}"
            );
            folder.apply(Mode::Apply).await;
            let mut ids: Vec<_> = at(&folder, "network.east@east")
                .into_iter()
                .map(|thing| thing.id)
                .collect();
            ids.sort();
            let mut wanted = vec![before[0].id.clone(), late.id];
            wanted.sort();
            assert_eq!(ids, wanted, "both are there, and no third");
        });
    }
}

#[test]
fn a_late_member_of_a_fleet_is_one_too_many_and_goes() {
    run(async {
        let folder = applied().await;
        arrive_late(&folder, "machines.east@east").await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let plan = folder.plan(Mode::Apply).await;
        assert_eq!(plan.summary.delete, 1, "{:#?}", plan.changes);
        assert!(folder.apply(Mode::Apply).await.success);
        assert_eq!(at(&folder, "machines.east@east").len(), 2);
        assert_eq!(
            folder
                .everything()
                .values()
                .flatten()
                .filter(|thing| thing.kind() == Kind::Machine)
                .count(),
            4
        );
    });
}
