//! What the built-in snapshot says, where it is known from elsewhere, and what it must never say.

use std::collections::BTreeSet;

use strat_catalogue::{Cloud, Listing, Snapshot};
use strat_model::{Bytes, CapacityKind};

fn find(cloud: Cloud, region: &str, machine_type: &str, capacity: CapacityKind) -> Option<Listing> {
    let mut listings = Snapshot::of(cloud).listings(Some(region)).into_iter();
    listings.find(|l| l.offer.machine_type == machine_type && l.offer.capacity == capacity)
}

#[test]
fn shapes_and_prices_are_those_of_the_clouds() {
    let check = |cloud, region, machine_type, shape: (u32, u64, &str, u32), price: Option<&str>| {
        let listing = find(cloud, region, machine_type, CapacityKind::OnDemand);
        let offer = listing
            .unwrap_or_else(|| panic!("{machine_type} in {region}"))
            .offer;
        let read = (
            offer.cpu,
            offer.memory.0 >> 20,
            offer.arch.as_str(),
            offer.gpus,
        );
        assert_eq!(read, shape, "{machine_type}");
        let read = offer.price_hour.map(|price| price.to_string());
        assert_eq!(read.as_deref(), price, "{machine_type} in {region}");
    };
    let (x86, arm) = ("x86_64", "aarch64");
    check(
        Cloud::Aws,
        "us-east-1",
        "m5.large",
        (2, 8192, x86, 0),
        Some("0.096 USD"),
    );
    check(
        Cloud::Aws,
        "us-east-1",
        "m6g.large",
        (2, 8192, arm, 0),
        Some("0.077 USD"),
    );
    check(
        Cloud::Aws,
        "us-east-1",
        "g4dn.12xlarge",
        (48, 196_608, x86, 4),
        Some("3.912 USD"),
    );
    // EC2 counts its eighth of a GPU as none.
    check(
        Cloud::Aws,
        "us-east-1",
        "g6f.large",
        (2, 8192, x86, 0),
        None,
    );
    check(
        Cloud::Azure,
        "eastus",
        "Standard_D4s_v3",
        (4, 16_384, x86, 0),
        Some("0.192 USD"),
    );
    check(
        Cloud::Azure,
        "eastus",
        "Standard_NC6s_v3",
        (6, 114_688, x86, 1),
        Some("3.06 USD"),
    );
    // 4 vCPUs and 16 GiB at 0.031611 and 0.004237 an hour.
    check(
        Cloud::Gcp,
        "us-central1",
        "n2-standard-4",
        (4, 16_384, x86, 0),
        Some("0.194236 USD"),
    );
    check(
        Cloud::Gcp,
        "us-central1",
        "e2-micro",
        (2, 1024, x86, 0),
        Some("0.0083764275 USD"),
    );
}

#[test]
fn a_price_that_is_not_known_is_none_and_never_zero() {
    let mut unknown = 0;
    for cloud in Cloud::ALL {
        for listing in Snapshot::of(cloud).listings(None) {
            let price = listing.offer.price_hour.map(|price| price.amount);
            assert!(price.is_none_or(|price| price > 0.into()), "{listing:?}");
            unknown += u32::from(price.is_none());
        }
    }
    assert!(
        unknown > 1000,
        "spot prices of AWS at least are not in the source: {unknown}"
    );
    let prices = |region| Snapshot::of(Cloud::Aws).prices(region);
    assert!(!prices("ap-south-1").contains_key("m5.large"));
    assert!(prices("moon-north-1").is_empty());
    assert_eq!(
        prices("us-east-1").len(),
        739,
        "those that the source has a price for"
    );
}

#[test]
fn spot_is_listed_where_it_is_sold_and_priced_where_the_source_does() {
    let spot = |cloud, region, machine_type| {
        find(cloud, region, machine_type, CapacityKind::Spot).map(|listing| {
            listing
                .offer
                .price_hour
                .map(|price| price.amount.to_string())
        })
    };
    assert_eq!(spot(Cloud::Aws, "us-east-1", "m5.large"), Some(None));
    assert_eq!(spot(Cloud::Azure, "eastus", "Standard_D4s_v3"), Some(None));
    assert_eq!(spot(Cloud::Azure, "eastus", "Standard_B2s"), None);
    let google = spot(Cloud::Gcp, "us-central1", "n2-standard-4").flatten();
    assert_eq!(google.as_deref(), Some("0.046996"));
}

#[test]
fn zones_are_those_that_have_the_size() {
    let all = Snapshot::of(Cloud::Aws).zones_of("us-east-1");
    assert_eq!(all.len(), 6, "{all:?}");
    let old = find(
        Cloud::Aws,
        "us-east-1",
        "a1.2xlarge",
        CapacityKind::OnDemand,
    )
    .expect("sold");
    assert!(
        old.zones.len() < 6 && !old.zones.is_empty(),
        "{:?}",
        old.zones
    );
    assert_eq!(old.offers().count(), old.zones.len());
    let vast = find(
        Cloud::Gcp,
        "us-central1",
        "n2-standard-4",
        CapacityKind::OnDemand,
    );
    let vast = vast.expect("sold");
    assert!(
        vast.zones.is_empty(),
        "the source does not tell Google's zones"
    );
    let zones: Vec<String> = vast.offers().map(|offer| offer.zone.to_string()).collect();
    assert_eq!(zones, ["us-central1"]);
}

#[test]
fn every_part_says_where_and_when_it_is_from() {
    for cloud in Cloud::ALL {
        let snapshot = Snapshot::of(cloud);
        assert!(snapshot.as_of().year() >= 2025, "{cloud}");
        assert!(snapshot.source().contains("apache-libcloud 3"), "{cloud}");
        let listings = snapshot.listings(None);
        let regions: BTreeSet<_> = listings.iter().map(|listing| listing.region).collect();
        assert!(regions.len() > 20 && regions.len() <= snapshot.regions().len());
        for listing in &listings {
            let offer = &listing.offer;
            assert!(offer.cpu > 0 && offer.memory > Bytes(0), "{offer:?}");
            assert!(offer.gpu.is_none() || offer.gpus > 0, "{offer:?}");
            assert!(
                ["x86_64", "aarch64"].contains(&offer.arch.as_str()),
                "{offer:?}"
            );
        }
        let mut keys: Vec<_> = listings
            .iter()
            .map(|l| (l.region, &l.offer.machine_type, l.offer.capacity))
            .collect();
        keys.sort_unstable();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "each once");
    }
}
