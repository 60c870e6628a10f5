//! What is beside Azure Resource Manager: blobs, and retail prices.

use hyper::body::Bytes;
use serde_json::json;
use strat_arm::TOKEN;

use crate::requests::{machine, network};
use crate::support::{ask, at, send, start, with_group};

#[tokio::test]
async fn blobs_are_written_by_condition() {
    let arm = with_group().await;
    let account = json!({
        "location": "westeurope", "kind": "StorageV2", "sku": { "name": "Standard_LRS" },
    });
    let made = ask(
        &arm,
        "PUT",
        &at("Microsoft.Storage/storageAccounts/data1"),
        Some(account),
    )
    .await;
    let base = made.body["properties"]["primaryEndpoints"]["blob"]
        .as_str()
        .expect("an address");
    assert_eq!(base, format!("{}/blob/data1/", arm.endpoint()));
    let container =
        at("Microsoft.Storage/storageAccounts/data1/blobServices/default/containers/leases");
    let token = format!("Bearer {TOKEN}");
    let blob = async |http: &str, rest: &str, more: &[(&str, &str)], body: &str| {
        let mut headers = vec![
            ("authorization", token.as_str()),
            ("x-ms-version", "2025-11-05"),
            ("x-ms-blob-type", "BlockBlob"),
        ];
        headers.extend(more);
        let path = format!("/blob/data1/leases{rest}");
        let body = Bytes::from(body.to_owned());
        let answer = send(
            (&arm.endpoint(), arm.root_pem()),
            http,
            &path,
            &headers,
            body,
        )
        .await;
        answer.expect("an answer")
    };
    let missing = blob("PUT", "/lease", &[], "1").await;
    assert_eq!(missing.header("x-ms-error-code"), "ContainerNotFound");
    assert_eq!(
        ask(&arm, "PUT", &container, Some(json!({}))).await.status,
        201
    );
    let first = blob("PUT", "/lease", &[("if-none-match", "*")], "1").await;
    assert_eq!(first.status, 201);
    let second = blob("PUT", "/lease", &[("if-none-match", "*")], "2").await;
    assert_eq!(
        (second.status, second.header("x-ms-error-code")),
        (409, "BlobAlreadyExists")
    );
    let etag = first.header("etag").to_owned();
    let next = blob("PUT", "/lease", &[("if-match", &etag)], "2").await;
    assert_eq!(next.status, 201);
    let stale = blob("PUT", "/lease", &[("if-match", &etag)], "3").await;
    assert_eq!(
        (stale.status, stale.header("x-ms-error-code")),
        (412, "ConditionNotMet")
    );
    assert_eq!(blob("GET", "/lease", &[], "").await.text, "2");
    let listed = blob("GET", "?restype=container&comp=list&maxresults=1", &[], "").await;
    assert!(
        listed.text.contains("<Name>lease</Name>"),
        "{}",
        listed.text
    );
    assert_eq!(blob("DELETE", "/lease", &[], "").await.status, 202);
    assert_eq!(blob("GET", "/lease", &[], "").await.status, 404);
}

#[tokio::test]
async fn prices_are_for_everybody_page_by_page() {
    let arm = start().await;
    arm.set_page(3);
    let filter = "serviceName eq 'Virtual Machines' and armRegionName eq 'westeurope' and \
                  armSkuName eq 'Standard_D2s_v5' and priceType eq 'Consumption'";
    let mut path = format!("/api/retail/prices?currencyCode='EUR'&$filter={filter}");
    let mut names = Vec::new();
    for _ in 0..9 {
        let answer = send(
            (&arm.endpoint(), arm.root_pem()),
            "GET",
            &path,
            &[],
            Bytes::new(),
        )
        .await;
        let body = answer.expect("an answer").body;
        assert_eq!(body["BillingCurrency"], "EUR");
        for item in body["Items"].as_array().expect("items") {
            assert!(
                item["retailPrice"]
                    .as_f64()
                    .is_some_and(|price| price > 0.0)
            );
            names.push(item["skuName"].as_str().expect("a name").to_owned());
        }
        match body["NextPageLink"].as_str() {
            Some(next) => path = next.trim_start_matches(&arm.endpoint()).to_owned(),
            None => break,
        }
    }
    assert_eq!(
        names,
        [
            "D2s v5",
            "D2s v5",
            "D2s v5 Spot",
            "D2s v5 Spot",
            "D2s v5 Low Priority"
        ]
    );
    let endpoint = arm.endpoint();
    let path = "/api/retail/prices?$filter=x";
    let wrong = send((&endpoint, arm.root_pem()), "GET", path, &[], Bytes::new());
    assert_eq!(wrong.await.expect("an answer").status, 400);
}

#[tokio::test]
async fn a_machine_that_is_refused_leaves_nothing_of_its_parts() {
    let arm = with_group().await;
    let path = at("Microsoft.Network/virtualNetworks/n");
    ask(&arm, "PUT", &path, Some(network())).await;
    let path = at("Microsoft.Compute/virtualMachines/v");
    arm.leave_stock("*", "*", 0);
    arm.stock_out_as(strat_arm::StockOut::Sku);
    let refused = ask(&arm, "PUT", &path, Some(machine())).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "SkuNotAvailable"),
        "{}",
        refused.text
    );
    for word in [
        "virtualMachines",
        "networkInterfaces",
        "publicIPAddresses",
        "disks",
    ] {
        assert!(arm.ids(word).is_empty(), "{word}");
    }
    assert!(arm.flaws().is_empty(), "{:?}", arm.flaws());
}
