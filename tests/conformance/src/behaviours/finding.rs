//! What is looked for by what is known of it before it has an id.

use strat_model::{Addr, Kind, Resource};
use strat_provider::{ProviderExt as _, Sought};

use super::{bench, passed_over};
use crate::bench::done;
use crate::{Bench, Harness, Outcome};

/// Fails unless a thing, and nothing that is not looked for, is found within the time that lists
/// may lag.
async fn is_found(bench: &Bench<'_>, thing: &Resource, names: &[String], addrs: &[Addr]) {
    let (kind, sought) = (thing.kind(), Sought { names, addrs });
    bench
        .until(&format!("{kind} {} is found", thing.id), async || {
            let found = bench.provider.find_all(kind, sought).await;
            let found = done(found, "looking for something");
            let strangers: Vec<_> = found.iter().filter(|one| !sought.fits(one)).collect();
            assert!(strangers.is_empty(), "{kind}: {strangers:?}");
            let seen = found.iter().filter(|one| one.id == thing.id).count();
            assert!(seen <= 1, "{kind}: it is shown {seen} times");
            (seen == 1).then_some(())
        })
        .await;
}

/// A thing is found by its name and by its address, whoever its mark says that it is of; and
/// nothing is found by what nothing has.
pub async fn things_are_found_by_name_and_address(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench.kinds() {
        let spec = bench.spec(kind).await;
        let mut mark = bench.mark(kind, "sought");
        mark.owner = bench.namesake();
        let (name, token) = (bench.name("sought"), bench.token(&format!("sought-{kind}")));
        let made = bench.provider.create(&spec, &name, &mark, &token).await;
        let made = done(made, "creating for a namesake");
        let made = bench.ready(kind, &made.id).await;
        let (names, addrs) = ([name], [mark.addr]);
        is_found(&bench, &made, &names, &[]).await;
        is_found(&bench, &made, &[], &addrs).await;
        is_found(&bench, &made, &names, &addrs).await;
        let (names, addrs) = ([bench.name("nobody")], [bench.mark(kind, "nobody").addr]);
        let none = Sought {
            names: &names,
            addrs: &addrs,
        };
        let none = done(
            bench.provider.find_all(kind, none).await,
            "looking for nothing",
        );
        assert_eq!(none, [], "{kind}");
        bench.delete(&made).await;
    }
    Outcome::Held
}

/// Each machine of a batch is found by its own name, and all of them by their address.
pub async fn machines_of_a_batch_are_found(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    if bench.provider.capabilities().create_batch < 2 || harness.machines_max() < 2 {
        return passed_over("machines are made one by one");
    }
    let spec = bench.machine().await;
    let batch = done(bench.create_batch(&spec, 2, "fleet").await, "creating");
    let addrs = [bench.mark(Kind::Machine, "fleet").addr];
    for machine in batch.created {
        let machine = bench.ready(Kind::Machine, &machine.id).await;
        is_found(&bench, &machine, std::slice::from_ref(&machine.name), &[]).await;
        is_found(&bench, &machine, &[], &addrs).await;
    }
    Outcome::Held
}

/// What carries no mark is found by its name.
pub async fn unmarked_things_are_found_by_name(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    if bench.has(Kind::Network) {
        bench.ground().await;
    }
    let mut found = Vec::new();
    for kind in bench.kinds() {
        let name = format!("unmarked-{}-{kind}", bench.run);
        let Some(id) = harness.make_foreign(kind, &name).await else {
            continue;
        };
        let thing = bench.look(kind, &id).await.expect("it is there");
        assert_eq!(thing.mark, None);
        // Some kinds have no name but in their tags, and strangers need not set any.
        if !thing.name.is_empty() {
            is_found(&bench, &thing, std::slice::from_ref(&thing.name), &[]).await;
        }
        found.push(thing);
    }
    for thing in found.iter().rev() {
        bench.delete(thing).await;
    }
    if found.is_empty() {
        return passed_over("the harness makes no foreign things");
    }
    Outcome::Held
}
