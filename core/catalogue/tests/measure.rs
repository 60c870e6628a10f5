//! Machines made to measure: their shapes are the clouds', and their prices follow from those that are known.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use strat_catalogue::{Cloud, Listing, PREMIUM_PERCENT, Snapshot, Wanted};
use strat_model::{Bytes, CapacityKind, Offer};

fn sold(region: &str) -> Vec<Offer> {
    let listings = Snapshot::of(Cloud::Gcp).listings(Some(region));
    listings.iter().flat_map(Listing::offers).collect()
}

fn made(region: &str, wanted: &[Wanted<'_>]) -> Vec<Offer> {
    let wanted = wanted.iter().copied().collect();
    let mut made = Cloud::Gcp.made_to_measure(&sold(region), &wanted);
    made.sort_by_key(|offer| offer.price_hour.map(|price| price.amount));
    made
}

fn amount(offer: &Offer) -> Decimal {
    offer.price_hour.expect("a price").amount
}

const fn at_least(cpu: u32, gib: u64) -> Wanted<'static> {
    let memory = Bytes::gib(gib);
    Wanted::AtLeast { cpu, memory }
}

/// `e2-custom-8-32768` beside `e2-standard-8`: the same, and 5 % more.
fn twin(offer: &Offer) -> Option<String> {
    let series = offer.machine_type.split('-').next()?;
    let start = match series {
        "n1" => "custom".to_owned(),
        series => format!("{series}-custom"),
    };
    Some(format!("{start}-{}-{}", offer.cpu, offer.memory.0 >> 20))
}

/// In every region, on demand and spot: the rates that two predefined types tell make the price of each of
/// the others, so what is made to measure costs its parts and the premium.
#[test]
fn what_is_made_to_measure_costs_its_parts_and_the_premium() {
    let mut compared = 0;
    for region in Snapshot::of(Cloud::Gcp).regions() {
        let sold = sold(region);
        let twins: Vec<(&Offer, String)> = sold
            .iter()
            .filter(|offer| !offer.burstable)
            .filter_map(|offer| Some((offer, twin(offer)?)))
            .collect();
        let names: BTreeSet<Wanted<'_>> = twins
            .iter()
            .map(|(_, name)| Wanted::Type(name.as_str()))
            .collect();
        let made = Cloud::Gcp.made_to_measure(&sold, &names);
        for (offer, name) in &twins {
            let same = |one: &&Offer| {
                (&one.machine_type, one.capacity, &one.zone) == (name, offer.capacity, &offer.zone)
            };
            let Some(twin) = made.iter().find(same) else {
                continue;
            };
            assert_eq!(
                (twin.cpu, twin.memory, &twin.arch, &twin.family),
                (offer.cpu, offer.memory, &offer.arch, &offer.family)
            );
            let (Some(is), Some(parts)) = (twin.price_hour, offer.price_hour) else {
                continue;
            };
            let expect = parts.amount * Decimal::new(i64::from(100 + PREMIUM_PERCENT), 2);
            let off = (is.amount - expect).abs() / expect;
            assert!(off < Decimal::new(1, 9), "{region} {name}: {is} {expect}");
            assert!(is.amount >= parts.amount, "{region} {name}");
            compared += 1;
        }
    }
    assert!(compared > 1_500, "{compared} compared");
}

/// Google's own rates of custom N2 machines in Iowa, by way of the snapshot's source (`n2_custom`).
#[test]
fn a_price_is_near_the_one_that_google_says() {
    let made = made("us-central1", &[Wanted::Type("n2-custom-6-20480")]);
    let on_demand = made
        .iter()
        .find(|offer| offer.capacity == CapacityKind::OnDemand);
    let is = amount(on_demand.expect("an offer"));
    let listed =
        Decimal::new(33_174, 6) * Decimal::from(6) + Decimal::new(4_446, 6) * Decimal::from(20);
    assert!(
        (is - listed).abs() / listed < Decimal::new(1, 3),
        "{is} {listed}"
    );
}

#[test]
fn what_fits_is_cheaper_where_nothing_predefined_does() {
    let cheapest = |cpu, gib| {
        let mut all = sold("europe-west4");
        all.extend(made("europe-west4", &[at_least(cpu, gib)]));
        let memory = Bytes::gib(gib);
        all.retain(|offer| {
            offer.capacity == CapacityKind::OnDemand
                && !offer.burstable
                && offer.price_hour.is_some()
                && offer.cpu >= cpu
                && offer.memory >= memory
        });
        let first = all.into_iter().min_by_key(amount);
        first.expect("something").machine_type
    };
    assert_eq!(cheapest(6, 20), "e2-custom-6-20480");
    // 8 virtual CPUs and 30 GiB are nearly e2-standard-8, and the premium is more than the rest of it.
    assert_eq!(cheapest(8, 30), "e2-standard-8");
    assert_eq!(cheapest(8, 32), "e2-standard-8");
    assert_eq!(cheapest(2, 4), "e2-custom-2-4096");
}

/// One shape of each series, zone and capacity, and none of them dearer than another that would do.
#[test]
fn nothing_that_would_do_is_cheaper() {
    for (cpu, gib) in [
        (1, 1),
        (3, 5),
        (5, 40),
        (7, 7),
        (12, 90),
        (33, 40),
        (40, 300),
        (70, 70),
    ] {
        let made = made("us-central1", &[at_least(cpu, gib)]);
        let keys: BTreeSet<_> = made
            .iter()
            .map(|offer| (&offer.family, offer.capacity))
            .collect();
        assert_eq!(keys.len(), made.len(), "{made:#?}");
        let names: Vec<String> = ["custom", "e2-custom", "n2-custom", "n2d-custom"]
            .iter()
            .flat_map(|start| {
                let counts = cpu..=cpu * 2 + 16;
                let sizes = gib * 4..=gib * 4 + 32;
                counts.flat_map(move |count| {
                    let sizes = sizes.clone();
                    sizes.map(move |step| format!("{start}-{count}-{}", step * 256))
                })
            })
            .collect();
        let wanted: BTreeSet<Wanted<'_>> = names.iter().map(|name| Wanted::Type(name)).collect();
        let others = Cloud::Gcp.made_to_measure(&sold("us-central1"), &wanted);
        for offer in &made {
            assert!(
                offer.cpu >= cpu && offer.memory >= Bytes::gib(gib),
                "{offer:?}"
            );
            assert_eq!(offer.memory.0 % (256 << 20), 0, "{offer:?}");
            let same =
                |one: &&Offer| (&one.family, one.capacity) == (&offer.family, offer.capacity);
            for other in others.iter().filter(same) {
                assert!(amount(other) >= amount(offer), "{other:?} {offer:?}");
            }
        }
    }
}

#[test]
fn what_is_not_known_is_not_made() {
    // A region without prices, in which a predefined type is sold nevertheless.
    let mut sold = sold("us-central1");
    sold.iter_mut().for_each(|offer| offer.price_hour = None);
    let wanted = BTreeSet::from([at_least(6, 20), Wanted::Type("n2-custom-6-20480")]);
    let made = Cloud::Gcp.made_to_measure(&sold, &wanted);
    let names: BTreeSet<_> = made.iter().map(|one| one.machine_type.as_str()).collect();
    assert_eq!(
        names,
        BTreeSet::from(["n2-custom-6-20480"]),
        "only what is named"
    );
    assert!(made.iter().all(|offer| offer.price_hour.is_none()));
    // A series that the zone does not sell, and a shape that is larger than all that it sells.
    sold.retain(|offer| offer.machine_type.starts_with("n1-") && offer.cpu <= 16);
    let wanted = BTreeSet::from([
        Wanted::Type("n2-custom-6-20480"),
        Wanted::Type("custom-32-65536"),
        Wanted::Type("custom-6-20480"),
    ]);
    let made = Cloud::Gcp.made_to_measure(&sold, &wanted);
    assert!(!made.is_empty() && made.iter().all(|one| one.machine_type == "custom-6-20480"));
    // What is listed already is not made twice, and other clouds sell what they list.
    sold.extend(made);
    let wanted = BTreeSet::from([Wanted::Type("custom-6-20480")]);
    assert_eq!(Cloud::Gcp.made_to_measure(&sold, &wanted), []);
    assert_eq!(
        Cloud::Aws.made_to_measure(&sold, &BTreeSet::from([at_least(6, 20)])),
        []
    );
}
