//! What is on sale, what the subscription may have, and who may do what.

use std::collections::BTreeMap;

use serde_json::json;
use strat_catalogue::{Cloud, Snapshot};
use strat_conformance::Bench;
use strat_model::{CapacityKind, ErrorKind, ImageRef, Spec};
use strat_provider::{PermissionState, ProviderExt as _};

use crate::harness::{Azure, REGION, SIZE, SUBSCRIPTION, site, thing};

#[tokio::test]
async fn the_provider_and_the_catalogue_tell_the_same_of_what_both_have() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let offers = bench.provider.list_offers().await.expect("offers");
    let listings = Snapshot::of(Cloud::Azure).listings(Some(REGION));
    let listed: BTreeMap<String, _> = listings
        .into_iter()
        .map(|listing| listing.offer)
        .filter(|offer| offer.capacity == CapacityKind::OnDemand)
        .map(|offer| (offer.machine_type.clone(), offer))
        .collect();
    let mut compared = 0;
    for offer in offers {
        if let Some(known) = listed.get(&offer.machine_type) {
            let shape = (offer.cpu, offer.memory, &offer.arch, offer.price_hour);
            let theirs = (known.cpu, known.memory, &known.arch, known.price_hour);
            assert_eq!(shape, theirs, "{}", offer.machine_type);
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared} are in both");
}

#[tokio::test]
async fn live_prices_are_microsofts_own_on_demand_and_spot() {
    let azure = Azure::start().await;
    let mut settings = azure.settings();
    settings["prices"] = json!("live");
    settings["spot"] = json!(true);
    let provider = azure.connect(&site(&settings)).await;
    // In several pages, and asked for once.
    azure.arm.set_page(100);
    azure.arm.take_calls();
    let offers = provider.list_offers().await.expect("offers");
    provider.list_offers().await.expect("offers");
    let calls = azure.arm.take_calls();
    let pages: Vec<_> = calls.iter().filter(|call| call.id == "prices").collect();
    assert!((2..20).contains(&pages.len()), "{}", pages.len());
    let told = pages.iter().filter(|call| call.authorization.is_some());
    assert_eq!(told.count(), 0, "nobody has to be known for it");
    let price = |machine_type: &str, capacity| {
        let of = |offer: &&strat_model::Offer| {
            offer.machine_type == machine_type && offer.capacity == capacity
        };
        let prices = offers.iter().filter(of).map(|offer| {
            let price = offer.price_hour.as_ref();
            price.map_or("unknown".to_owned(), ToString::to_string)
        });
        prices.collect::<std::collections::BTreeSet<_>>()
    };
    let one = |text: &str| std::collections::BTreeSet::from([text.to_owned()]);
    let size = "Standard_D2s_v5";
    assert_eq!(price(size, CapacityKind::OnDemand), one("0.1152 USD"));
    assert_eq!(price(size, CapacityKind::Spot), one("0.02304 USD"));
    let unknown = offers.iter().filter(|offer| offer.price_hour.is_none());
    assert_eq!(unknown.count(), 0, "the list has them all");

    // Without the list there are no offers that look as if it had been asked.
    let provider = azure.connect(&site(&settings)).await;
    azure
        .arm
        .refuse("prices", 1, 503, "ServiceUnavailable", "Busy.");
    let error = provider.list_offers().await.expect_err("no prices");
    assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
    assert_eq!(provider.list_offers().await.expect("offers"), offers);
}

#[tokio::test]
async fn a_size_that_is_not_open_in_a_zone_is_not_on_sale_there() {
    let azure = Azure::start().await;
    azure
        .arm
        .restrict_sku(SIZE, REGION, &["1"], "NotAvailableForSubscription");
    let bench = Bench::new(&azure).await;
    let offers = bench.provider.list_offers().await.expect("offers");
    let zones: Vec<String> = offers
        .iter()
        .filter(|offer| offer.machine_type == SIZE)
        .map(|offer| offer.zone.to_string())
        .collect();
    assert_eq!(zones, [format!("{REGION}-2"), format!("{REGION}-3")]);
}

#[tokio::test]
async fn an_action_that_is_missing_is_told() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    azure.arm.deny("Microsoft.Compute/disks/write");
    let checks = bench.provider.check_permissions().await.expect("checks");
    let missing: Vec<_> = checks
        .iter()
        .filter(|check| matches!(check.state, PermissionState::Missing { .. }))
        .map(|check| check.permission.as_str())
        .collect();
    assert_eq!(missing, ["Microsoft.Compute/disks/write"]);
    azure.arm.allow("Microsoft.Compute/disks/write");
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_call_is_told_with_what_to_do() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let told = |error: strat_model::Error| {
        (
            error.kind(),
            format!("{error} {}", error.help().unwrap_or_default()),
        )
    };
    let spec = crate::once::volume();
    azure.arm.set_registered("Microsoft.Compute", false);
    let (kind, text) = told(
        bench
            .try_create(&spec, "a")
            .await
            .expect_err("not registered"),
    );
    assert_eq!(kind, ErrorKind::Forbidden, "{text}");
    assert!(
        text.contains("az provider register --namespace Microsoft.Compute"),
        "{text}"
    );
    azure.arm.set_registered("Microsoft.Compute", true);

    azure.arm.set_read_only(true);
    let (kind, text) = told(bench.try_create(&spec, "b").await.expect_err("disabled"));
    assert_eq!(kind, ErrorKind::Forbidden, "{text}");
    azure.arm.set_read_only(false);

    azure.arm.policy_denies("Microsoft.Compute/disks", true);
    let (kind, text) = told(bench.try_create(&spec, "c").await.expect_err("a policy"));
    assert_eq!(kind, ErrorKind::Forbidden, "{text}");
    assert!(text.contains("exemption"), "{text}");
    azure.arm.policy_denies("Microsoft.Compute/disks", false);

    let made = bench.create(&spec, "d").await;
    let scope = crate::harness::group(crate::harness::GROUP);
    azure.arm.lock(&scope, "CanNotDelete");
    let (kind, text) = told(bench.try_delete(&made).await.expect_err("a lock"));
    assert_eq!(kind, ErrorKind::Forbidden, "{text}");
    assert!(text.contains("az lock delete"), "{text}");
    azure.arm.unlock(&scope);

    azure.arm.deny("Microsoft.Compute/disks/write");
    let (kind, text) = told(bench.try_create(&spec, "e").await.expect_err("denied"));
    assert_eq!(kind, ErrorKind::Forbidden, "{text}");
    assert!(text.contains("`Microsoft.Compute/disks/write`"), "{text}");
    azure.arm.allow("Microsoft.Compute/disks/write");
}

#[tokio::test]
async fn an_image_with_a_plan_is_had_once_its_terms_are_accepted() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let mut spec = crate::once::machine(&bench).await;
    let images = bench.provider.public_images().await.expect("images");
    let id = images
        .get("rocky-linux-9", Some("x86_64"))
        .expect("an image");
    spec.image = ImageRef::Named {
        name: "rocky-linux-9".to_owned(),
        id: id.clone(),
    };
    let spec = Spec::Machine(spec);
    let refused = bench.try_create(&spec, "rock").await;
    let refused = refused.expect_err("nobody accepted the terms");
    assert_eq!(refused.kind(), ErrorKind::Forbidden, "{refused}");
    let help = refused.help().unwrap_or_default();
    assert!(help.contains("az vm image terms accept"), "{help}");

    let parts: Vec<&str> = id.as_str().split(':').collect();
    let path = format!(
        "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MarketplaceOrdering/offerTypes/\
         virtualmachine/publishers/{}/offers/{}/plans/{}/agreements/current",
        parts[0], parts[1], parts[2]
    );
    let url = format!("{}{path}?api-version=2021-01-01", azure.arm.endpoint());
    let terms = azure.client().get(url).bearer_auth(strat_arm::TOKEN).send();
    let terms = terms.await.expect("an answer").json::<serde_json::Value>();
    let mut terms = terms.await.expect("terms");
    terms["properties"]["accepted"] = json!(true);
    let accepted = terms;
    azure.put(&path, "2021-01-01", accepted).await;

    let made = bench.create(&spec, "rock").await;
    let path = thing("Microsoft.Compute/virtualMachines", &made.name);
    let seen = azure.arm.thing(&path).expect("a machine");
    let plan = json!({ "publisher": parts[0], "product": parts[1], "name": parts[2] });
    assert_eq!(seen["plan"], plan);
}
