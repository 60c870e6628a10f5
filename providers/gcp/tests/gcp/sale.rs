//! What is on sale, what the project may have, and who may do what.

use std::collections::{BTreeMap, BTreeSet};

use strat_catalogue::{Cloud, Snapshot, Wanted};
use strat_conformance::Bench;
use strat_model::{Bytes, CapacityKind};
use strat_provider::{PermissionState, ProviderExt as _};

use crate::harness::{Google, REGION, connect};

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

/// Custom types are none that Google lists: those that a site names are asked for, one by one.
#[tokio::test]
async fn custom_types_that_the_site_names_are_among_the_offers() {
    const ODD: &str = "n2-custom-6-20480";
    let google = Google::start().await;
    let with = |types: &[&str]| {
        let mut site = google.site();
        site.settings
            .insert("custom_types".to_owned(), serde_json::json!(types));
        site
    };
    let named = [ODD, "e2-custom-2-1024", "n2-custom-2-32768-ext"];
    let offers = connect(&with(&named))
        .await
        .list_offers()
        .await
        .expect("offers");
    let zones: BTreeSet<_> = offers.iter().map(|offer| &offer.zone).collect();
    let odd: Vec<_> = offers
        .iter()
        .filter(|offer| offer.machine_type == ODD)
        .collect();
    assert_eq!(odd.len(), zones.len(), "one in each zone");
    let one = odd[0];
    assert_eq!(
        (one.cpu, one.memory, one.family.as_str()),
        (6, Bytes::gib(20), "n2")
    );
    // It costs what the catalogue makes of the same prices.
    let listings = Snapshot::of(Cloud::Gcp).listings(Some(REGION));
    let sold: Vec<_> = listings.into_iter().map(|listing| listing.offer).collect();
    let made = Cloud::Gcp.made_to_measure(&sold, &BTreeSet::from([Wanted::Type(ODD)]));
    let on_demand = made.iter().find(|made| made.capacity == one.capacity);
    assert!(one.price_hour.is_some());
    assert_eq!(one.price_hour, on_demand.and_then(|made| made.price_hour));
    // What is not known is unknown, never zero: extended memory has a price of its own.
    let extended = offers.iter().find(|offer| offer.machine_type == named[2]);
    let extended = extended.expect("an offer");
    assert_eq!((extended.cpu, extended.memory), (2, Bytes::gib(32)));
    assert_eq!(extended.price_hour, None);
    let small = offers.iter().find(|offer| offer.machine_type == named[1]);
    assert_eq!(
        small.map(|offer| offer.family.as_str()),
        Some("n1"),
        "it counts as CPUS"
    );
    // Without a word, there is none, also where one was asked for before.
    let plain = connect(&google.site())
        .await
        .list_offers()
        .await
        .expect("offers");
    assert!(
        plain
            .iter()
            .all(|offer| !offer.machine_type.contains("custom"))
    );
    // Google's rules are Google's: an odd number of virtual CPUs is none.
    let refused = connect(&with(&["n2-custom-5-20480"]))
        .await
        .list_offers()
        .await;
    let error = refused.expect_err("there is none");
    assert!(error.to_string().contains("n2-custom-5-20480"), "{error}");
    assert!(
        error
            .help()
            .is_some_and(|help| help.contains("general-purpose-machines"))
    );
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
