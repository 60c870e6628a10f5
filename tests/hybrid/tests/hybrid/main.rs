//! The reference topology over four providers in one apply: two racks with libvirt and QEMU, AWS by
//! moto, and the doubles of Azure and Google Cloud.

mod shop;
mod support;

use serde_json::json;
use stratiform::Mode;

use shop::{Shop, gates, site_of, told, web};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_shop_over_four_providers_lives_its_whole_life() {
    let shop = Shop::start().await;

    // From nothing, in one apply: the racks are full, the rest of the fleet is in the first cloud.
    let outcome = shop.apply(Mode::Apply).await;
    assert_eq!(told(&outcome), Vec::<String>::new());
    assert_eq!(web(&outcome), ["dc1: 2", "west: 2"]);
    assert_eq!(gates(&outcome), ["east", "north", "west"]);
    let again = shop.plan().await;
    assert!(again.is_empty(), "apply, then plan: {:#?}", again.changes);

    // What others do at each of the four by its own tools.
    shop.disturb().await;
    let drift = shop.plan().await;
    let mut sites: Vec<_> = drift.drift().map(site_of).collect();
    sites.sort();
    sites.dedup();
    assert_eq!(
        sites,
        ["dc1", "east", "north", "west"],
        "{:#?}",
        drift.changes
    );
    shop.apply(Mode::Apply).await;

    // The fleet doubles, and Azure has no more of anything: what was to be there is made at Google's.
    shop.azure.leave_stock("*", "*", 0);
    shop.grow(8);
    let outcome = shop.apply(Mode::Apply).await;
    let moved = told(&outcome);
    let is_told = |words: &[&str]| {
        moved
            .iter()
            .any(|line| words.iter().all(|word| line.contains(word)))
    };
    assert!(
        is_told(&["machines.web: west ", "(ZonalAllocationFailed)", "north "]),
        "{moved:#?}"
    );
    assert_eq!(web(&outcome), ["dc1: 2", "north: 4", "west: 2"]);
    let again = shop.plan().await;
    assert!(
        again.is_empty(),
        "grown, then planned: {:#?}",
        again.changes
    );

    shop.apply(Mode::Destroy).await;
    shop.is_gone().await;
    for violations in [shop.azure.violations(), shop.google.violations()] {
        assert_eq!(json!(violations), json!([]));
    }
    assert_eq!(shop.azure.flaws(), Vec::<String>::new());
}
