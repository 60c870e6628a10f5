//! What is on sale: spot capacity, live prices, limits, both instruction sets.

use serde_json::json;
use strat_conformance::Bench;
use strat_model::{CapacityKind, ImageRef, Kind, Offer, Spec, USUAL_ARCH};
use strat_provider::{Filter, Provider, ProviderExt as _};

use crate::harness::{Moto, connect, credentials};
use crate::once::machine;

fn offer<'a>(offers: &'a [Offer], machine_type: &str, capacity: CapacityKind) -> &'a Offer {
    let mut fits = offers
        .iter()
        .filter(|offer| offer.machine_type == machine_type && offer.capacity == capacity);
    fits.next()
        .unwrap_or_else(|| panic!("no {machine_type} as {capacity:?}"))
}

#[tokio::test]
async fn spot_capacity_is_priced_bought_and_read_back() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let offers = bench.provider.list_offers().await.expect("offers");
    let is_spot = |offer: &Offer| offer.capacity == CapacityKind::Spot;
    assert!(!offers.iter().any(is_spot), "only where it is asked for");

    let mut site = moto.site();
    site.settings.insert("spot".to_owned(), json!(true));
    let provider = connect(&site, credentials()).await;
    let offers = provider.list_offers().await.expect("offers");
    let spot = offer(&offers, "t3.micro", CapacityKind::Spot);
    assert!(spot.price_hour.is_some_and(|price| !price.amount.is_zero()));
    assert!(offers.is_sorted_by_key(|o| (&o.zone, &o.machine_type, o.capacity)));

    let mut spec = machine(&bench).await;
    spec.capacity = CapacityKind::Spot;
    spec.zone = spot.zone.clone();
    let made = bench.create(&Spec::Machine(spec), "host").await;
    let owner = Filter::Owner(bench.owner());
    let found = bench.provider.list_all(Kind::Machine, &owner).await;
    for machine in found.expect("machines").iter().chain([&made]) {
        let Spec::Machine(spec) = &machine.spec else {
            panic!("{machine:?}")
        };
        assert_eq!(spec.capacity, CapacityKind::Spot);
    }
    let form = moto.filter.last_form("RunInstances").expect("a launch");
    let field = |name: &str| form.get(name).map(String::as_str);
    let option = |name: &str| field(&format!("InstanceMarketOptions.{name}"));
    assert_eq!(option("MarketType"), Some("spot"));
    assert_eq!(option("SpotOptions.SpotInstanceType"), Some("one-time"));
    let interruption = option("SpotOptions.InstanceInterruptionBehavior");
    assert_eq!(interruption, Some("terminate"));
}

#[tokio::test]
async fn the_limit_is_what_service_quotas_says_and_unknown_where_it_says_nothing() {
    let moto = Moto::start().await;
    let provider: std::sync::Arc<dyn Provider> = connect(&moto.site(), credentials()).await;
    let quotas = provider.quotas().await;
    assert_eq!(quotas.expect("no limit is no failure"), [], "moto has none");

    // Standard, G and VT; and of spot, which only a site that buys it asks for, standard.
    for (code, cpus) in [("L-1216C47A", 640), ("L-DB2E81BA", 8), ("L-34B43A08", 96)] {
        moto.filter.set_quota(code, cpus);
    }
    let told = async |provider: &dyn Provider| {
        let quotas = provider.offers().expect("it sells").quotas().await;
        let quotas = quotas.expect("limits").into_iter();
        let pair = |quota: strat_model::Quota| (quota.family.expect("a family"), quota.cpu_limit);
        quotas.map(pair).collect::<Vec<_>>()
    };
    let pair = |name: &str, cpus| (name.to_owned(), cpus);
    let on_demand = [pair("g", 8), pair("standard", 640)];
    assert_eq!(told(&*provider).await, on_demand);
    let mut site = moto.site();
    site.settings.insert("spot".to_owned(), json!(true));
    let provider = connect(&site, credentials()).await;
    let both = [
        pair("g", 8),
        pair("standard", 640),
        pair("standard-spot", 96),
    ];
    assert_eq!(told(&*provider).await, both);
    let offers = provider.list_offers().await.expect("offers");
    let family = |capacity| offer(&offers, "t3.micro", capacity).family.as_str();
    assert_eq!(family(CapacityKind::OnDemand), "standard");
    assert_eq!(family(CapacityKind::Spot), "standard-spot");
}

#[tokio::test]
async fn both_instruction_sets_are_on_sale_with_their_images() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let provider = &*bench.provider;
    let offers = provider.list_offers().await.expect("offers");
    let images = provider.public_images().await.expect("images");
    for (name, arch, id) in [
        ("almalinux-9", "aarch64", "ami-0a1aa09000000000a"),
        ("rhel-8", "x86_64", "ami-0ede08100000000e5"),
        ("rhel-9", "aarch64", "ami-0ede09040000000e7"),
        ("rocky-9", "x86_64", "ami-0c0cc09000000000f"),
        ("sles-15", "x86_64", "ami-05e5e15000000000b"),
        ("ubuntu-24.04", "x86_64", "ami-0abc24040000000c3"),
    ] {
        let found = images.get(name, Some(arch)).map(ToString::to_string);
        assert_eq!(found.as_deref(), Some(id), "{name}");
    }
    let id = |arch: &str| images.get("debian-12", Some(arch)).map(ToString::to_string);
    let arm = offer(&offers, "t4g.micro", CapacityKind::OnDemand);
    assert_eq!(arm.arch, "aarch64");
    let usual = offer(&offers, "t3.micro", CapacityKind::OnDemand);
    assert_eq!(usual.arch, USUAL_ARCH);
    assert_eq!(id(&arm.arch).as_deref(), Some("ami-0deb12000000000c3"));
    assert_eq!(id(&usual.arch).as_deref(), Some("ami-0deb12000000000b2"));

    let mut spec = machine(&bench).await;
    spec.machine_type = arm.machine_type.clone();
    spec.image = ImageRef::Named {
        name: "debian-12".to_owned(),
        id: images
            .get("debian-12", Some("aarch64"))
            .expect("one")
            .clone(),
    };
    let made = bench.create(&Spec::Machine(spec), "host").await;
    let Spec::Machine(spec) = &made.spec else {
        panic!("{made:?}")
    };
    assert_eq!(spec.machine_type, "t4g.micro");
    assert_eq!((spec.cpu, spec.memory), (arm.cpu, arm.memory));

    // A site's own images, one for each instruction set; and one that is not there.
    let mut site = moto.site();
    let own = json!({ "own": ["ami-0deb12000000000c3", "ami-0deb12000000000a1"] });
    site.settings.insert("images".to_owned(), own);
    let named = connect(&site, credentials()).await.public_images().await;
    let named = named.expect("images");
    let id = |arch: &str| named.get("own", Some(arch)).map(ToString::to_string);
    assert_eq!(id("aarch64").as_deref(), Some("ami-0deb12000000000c3"));
    assert_eq!(id("x86_64").as_deref(), Some("ami-0deb12000000000a1"));
    let gone = json!({ "own": "ami-00000000000000000" });
    site.settings.insert("images".to_owned(), gone);
    let refused = connect(&site, credentials()).await.public_images().await;
    assert!(
        refused
            .expect_err("no such image")
            .message()
            .contains("ami-0000")
    );
}

#[tokio::test]
async fn live_prices_win_over_the_snapshot_where_they_are_told() {
    let moto = Moto::start().await;
    let mut site = moto.site();
    site.settings.insert("prices".to_owned(), json!("live"));
    let price = async |machine_type: &str| {
        let provider = connect(&site, credentials()).await;
        let offers = provider.list_offers().await.expect("offers");
        let price = offer(&offers, machine_type, CapacityKind::OnDemand).price_hour;
        price.map(|price| price.to_string())
    };
    // Where the list may not be asked, the snapshot speaks.
    assert_eq!(price("m5.large").await.as_deref(), Some("0.115 USD"));
    moto.filter
        .set_prices(&[("m5.large", "0.1170000000"), ("m5.xlarge", "0.2340000000")]);
    assert_eq!(price("m5.large").await.as_deref(), Some("0.117 USD"));
    assert_eq!(
        price("m5.xlarge").await.as_deref(),
        Some("0.234 USD"),
        "of the second page"
    );
    assert_eq!(
        price("m5.2xlarge").await.as_deref(),
        Some("0.46 USD"),
        "not in the list"
    );
    let asked = moto.filter.prices_asked();
    assert_eq!(asked["regionCode"], "eu-central-1");
    assert_eq!(asked["capacitystatus"], "Used");
}
