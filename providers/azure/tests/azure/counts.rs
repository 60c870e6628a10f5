//! How many calls it takes to see, and to make.

use std::collections::BTreeMap;

use strat_conformance::Bench;
use strat_model::Kind;
use strat_provider::{Filter, ProviderExt as _};

use crate::harness::Azure;
use crate::once::machine;

/// The calls since the last time, by action.
fn calls(azure: &Azure) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for call in azure.arm.take_calls() {
        *counted.entry(call.id).or_default() += 1;
    }
    counted
}

/// Everything that a plan looks at, and the calls that it took.
async fn observe(azure: &Azure, bench: &Bench<'_>) -> (usize, BTreeMap<String, usize>) {
    let filter = Filter::Owner(bench.owner());
    calls(azure);
    let mut seen = 0;
    for kind in Kind::ALL {
        seen += bench
            .provider
            .list_all(kind, &filter)
            .await
            .expect("a list")
            .len();
    }
    (seen, calls(azure))
}

#[tokio::test]
async fn seeing_many_machines_costs_their_pages_and_a_constant() {
    let azure = Azure::start().await;
    azure.arm.set_quota(crate::harness::REGION, "cores", 1000);
    azure
        .arm
        .set_quota(crate::harness::REGION, "standardBSFamily", 1000);
    azure
        .arm
        .set_quota(crate::harness::REGION, "PublicIPAddresses", 1000);
    let bench = Bench::new(&azure).await;
    let spec = machine(&bench).await;
    bench
        .create_batch(&spec, 1, "first")
        .await
        .expect("a machine");
    let (few, before) = observe(&azure, &bench).await;
    bench
        .create_batch(&spec, 20, "fleet")
        .await
        .expect("a fleet");
    let (many, after) = observe(&azure, &bench).await;
    assert_eq!(many, few + 20);
    assert_eq!(before, after, "all fits one page");
    assert!(after.values().sum::<usize>() <= 16, "{after:?}");
}

#[tokio::test]
async fn a_machine_takes_one_call_that_writes_and_a_fleet_no_more_for_each() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let spec = machine(&bench).await;
    bench
        .create_batch(&spec, 1, "first")
        .await
        .expect("a machine");
    let mut costs = Vec::new();
    for (count, word) in [(1, "one"), (5, "five")] {
        calls(&azure);
        bench
            .create_batch(&spec, count, word)
            .await
            .expect("machines");
        let took = calls(&azure);
        let writes: usize = took
            .iter()
            .filter(|(id, _)| id.ends_with("/write"))
            .map(|(_, n)| n)
            .sum();
        assert_eq!(writes, count as usize, "{took:?}");
        costs.push(took.values().sum::<usize>());
    }
    assert!(costs[1] <= 5 * costs[0], "{costs:?}");
}
