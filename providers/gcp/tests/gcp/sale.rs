//! What is on sale, what the project may have, and who may do what.

use std::collections::BTreeMap;

use strat_catalogue::{Cloud, Snapshot};
use strat_conformance::Bench;
use strat_model::CapacityKind;
use strat_provider::{PermissionState, ProviderExt as _};

use crate::harness::{Google, REGION};

#[tokio::test]
async fn the_provider_and_the_catalogue_tell_the_same_of_what_both_have() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let offers = bench.provider.list_offers().await.expect("offers");
    let listings = Snapshot::of(Cloud::Gcp).listings(Some(REGION));
    let listed: BTreeMap<String, _> = listings
        .into_iter()
        .map(|listing| listing.offer)
        .filter(|offer| offer.capacity == CapacityKind::OnDemand)
        .map(|offer| (offer.machine_type.clone(), offer))
        .collect();
    let mut compared = 0;
    for offer in offers {
        if let Some(known) = listed.get(&offer.machine_type) {
            assert_eq!(
                (offer.cpu, offer.memory, &offer.arch, offer.price_hour),
                (known.cpu, known.memory, &known.arch, known.price_hour),
                "{}",
                offer.machine_type
            );
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared} types are in both");
}

#[tokio::test]
async fn a_permission_that_is_missing_is_told_and_what_goes_on_without_it() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    google.gce.deny("compute.disks.resize");
    google.gce.deny("storage.objects.list");
    let checks = bench.provider.check_permissions().await.expect("checks");
    let missing: Vec<_> = checks
        .iter()
        .filter(|check| matches!(check.state, PermissionState::Missing { .. }))
        .map(|check| (check.permission.as_str(), check.is_lacking()))
        .collect();
    assert_eq!(
        missing,
        [
            ("compute.disks.resize", true),
            ("storage.objects.list", false)
        ]
    );
}

#[tokio::test]
async fn a_service_that_is_switched_off_is_told_with_how_to_switch_it_on() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    google.gce.disable_service("compute.googleapis.com", true);
    let error = bench.provider.identity().await.expect_err("it is off");
    let help = error.help().unwrap_or_default();
    assert!(
        help.contains("gcloud services enable compute.googleapis.com"),
        "{error}: {help}"
    );
    google.gce.disable_service("compute.googleapis.com", false);
}
