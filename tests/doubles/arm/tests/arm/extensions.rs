//! What is no resource of a kind: subscriptions, lists over all kinds, locks, terms, permissions, and
//! the end of a group.

use serde_json::{Value, json};

use crate::requests::{machine, network};
use crate::support::{GROUP, SUBSCRIPTION, ask, at, start, with_group};

fn subscription(rest: &str, version: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}{rest}?api-version={version}")
}

#[tokio::test]
async fn subscriptions_and_locations_are_told() {
    let arm = start().await;
    let found = ask(&arm, "GET", &subscription("", "2022-12-01"), None)
        .await
        .body;
    assert_eq!(
        (&found["state"], &found["tenantId"]),
        (&json!("Enabled"), &json!(strat_arm::TENANT))
    );
    arm.set_read_only(true);
    let found = ask(&arm, "GET", &subscription("", "2022-12-01"), None)
        .await
        .body;
    assert_eq!(found["state"], "Disabled");
    let all = ask(&arm, "GET", &subscription("/locations", "2022-12-01"), None)
        .await
        .body;
    let all = all["value"].as_array().expect("a list");
    let zones = |name: &str| {
        let found = all.iter().find(|one| one["name"] == name).expect(name);
        found["availabilityZoneMappings"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!((zones("westeurope"), zones("westus")), (3, 0));
    let other = "/subscriptions/00000000-0000-4000-8000-0000000000ff?api-version=2022-12-01";
    assert_eq!(
        ask(&arm, "GET", other, None).await.code(),
        "SubscriptionNotFound"
    );
    arm.add_subscription("00000000-0000-4000-8000-0000000000ff");
    assert_eq!(ask(&arm, "GET", other, None).await.status, 200);
}

#[tokio::test]
async fn locks_are_set_listed_and_taken_off() {
    let arm = with_group().await;
    let lock =
        format!("{GROUP}/providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01");
    let body = |level: &str| Some(json!({ "properties": { "level": level, "notes": "ours" } }));
    assert_eq!(
        ask(&arm, "PUT", &lock, body("Sometimes")).await.code(),
        "InvalidLockLevel"
    );
    assert_eq!(
        ask(&arm, "PUT", &lock, body("CanNotDelete")).await.status,
        201
    );
    let all = format!("{GROUP}/providers/Microsoft.Authorization/locks?api-version=2020-05-01");
    let listed = ask(&arm, "GET", &all, None).await.body;
    assert_eq!(listed["value"][0]["properties"]["level"], "CanNotDelete");
    let group = format!("{GROUP}?api-version=2025-04-01");
    assert_eq!(
        ask(&arm, "DELETE", &group, None).await.code(),
        "ScopeLocked"
    );
    assert_eq!(ask(&arm, "DELETE", &lock, None).await.status, 200);
    assert_eq!(ask(&arm, "DELETE", &lock, None).await.status, 204);
    assert_eq!(ask(&arm, "DELETE", &group, None).await.status, 200);
}

#[tokio::test]
async fn a_plan_is_bought_once_its_terms_are_accepted() {
    let arm = with_group().await;
    ask(
        &arm,
        "PUT",
        &at("Microsoft.Network/virtualNetworks/n"),
        Some(network()),
    )
    .await;
    let path = at("Microsoft.Compute/virtualMachines/v");
    let mut body = machine();
    let (publisher, offer, sku) = ("resf", "rockylinux-x86_64", "9-base");
    body["properties"]["storageProfile"]["imageReference"] =
        json!({ "publisher": publisher, "offer": offer, "sku": sku, "version": "latest" });
    let refused = ask(&arm, "PUT", &path, Some(body.clone())).await;
    assert_eq!(refused.code(), "VMMarketplaceInvalidInput");
    body["plan"] = json!({ "name": sku, "publisher": publisher, "product": offer });
    let refused = ask(&arm, "PUT", &path, Some(body.clone())).await;
    assert_eq!(refused.code(), "MarketplacePurchaseEligibilityFailed");
    let inner = refused.body["error"]["details"][0]["message"]
        .as_str()
        .expect("a text");
    assert!(
        inner.contains("Legal terms have not been accepted"),
        "{inner}"
    );
    let terms = subscription(
        &format!(
            "/providers/Microsoft.MarketplaceOrdering/offerTypes/virtualmachine/publishers/\
             {publisher}/offers/{offer}/plans/{sku}/agreements/current"
        ),
        "2021-01-01",
    );
    let mut read = ask(&arm, "GET", &terms, None).await.body;
    assert_eq!(read["properties"]["accepted"], false);
    read["properties"]["accepted"] = json!(true);
    assert_eq!(ask(&arm, "PUT", &terms, Some(read)).await.status, 200);
    let made = ask(&arm, "PUT", &path, Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.text);
}

#[tokio::test]
async fn permissions_are_those_that_were_granted() {
    let arm = with_group().await;
    let path =
        format!("{GROUP}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01");
    let first = async || ask(&arm, "GET", &path, None).await.body["value"][0].clone();
    assert_eq!(first().await["actions"], json!(["*"]));
    arm.deny("Microsoft.Compute/disks/delete");
    assert_eq!(
        first().await["notActions"],
        json!(["Microsoft.Compute/disks/delete"])
    );
    arm.grant_only(Some(&["*/read"]));
    assert_eq!(first().await["actions"], json!(["*/read"]));
    let refused = ask(
        &arm,
        "PUT",
        &at("Microsoft.Network/virtualNetworks/n"),
        Some(network()),
    )
    .await;
    assert_eq!(
        (refused.status, refused.code()),
        (403, "AuthorizationFailed")
    );
}

#[tokio::test]
async fn a_group_goes_with_all_that_is_in_it_and_its_result_is_asked_for() {
    let arm = with_group().await;
    arm.set_polls("resourceGroups/delete", 2);
    ask(
        &arm,
        "PUT",
        &at("Microsoft.Network/virtualNetworks/n"),
        Some(network()),
    )
    .await;
    ask(
        &arm,
        "PUT",
        &at("Microsoft.Compute/virtualMachines/v"),
        Some(machine()),
    )
    .await;
    arm.set_page(1);
    let mut path = format!("{GROUP}/resources?api-version=2025-04-01&$expand=provisioningState");
    let mut kinds = Vec::new();
    for _ in 0..9 {
        let page = ask(&arm, "GET", &path, None).await.body;
        for one in page["value"].as_array().expect("a list") {
            assert_eq!(one["provisioningState"], "Succeeded");
            kinds.push(one["type"].as_str().expect("a type").to_owned());
        }
        match page["nextLink"].as_str() {
            Some(next) => path = next.trim_start_matches(&arm.endpoint()).to_owned(),
            None => break,
        }
    }
    let wanted = [
        "Microsoft.Compute/disks",
        "Microsoft.Compute/virtualMachines",
        "Microsoft.Network/networkInterfaces",
        "Microsoft.Network/virtualNetworks",
    ];
    assert_eq!(kinds, wanted);
    let group = format!("{GROUP}?api-version=2025-04-01");
    let begun = ask(&arm, "DELETE", &group, None).await;
    assert_eq!(
        (begun.status, begun.header("azure-asyncoperation")),
        (202, "")
    );
    let result = begun
        .header("location")
        .trim_start_matches(&arm.endpoint())
        .to_owned();
    let late = ask(
        &arm,
        "PUT",
        &at("Microsoft.Network/virtualNetworks/m"),
        Some(network()),
    )
    .await;
    assert_eq!(
        (late.status, late.code()),
        (409, "ResourceGroupBeingDeleted")
    );
    assert_eq!(ask(&arm, "GET", &result, None).await.status, 202);
    assert_eq!(ask(&arm, "GET", &result, None).await.status, 200);
    assert_eq!(
        ask(&arm, "GET", &group, None).await.code(),
        "ResourceGroupNotFound"
    );
    assert!(arm.ids("virtualMachines").is_empty());
}

#[tokio::test]
async fn what_is_changed_from_outside_is_seen() {
    let arm = with_group().await;
    ask(
        &arm,
        "PUT",
        &at("Microsoft.Network/virtualNetworks/n"),
        Some(network()),
    )
    .await;
    ask(
        &arm,
        "PUT",
        &at("Microsoft.Compute/virtualMachines/v"),
        Some(machine()),
    )
    .await;
    let id = format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/v");
    assert!(arm.set_power(&id, "stopped"));
    let view = format!("{id}/instanceView?api-version=2026-04-01");
    let view = ask(&arm, "GET", &view, None).await.body;
    assert_eq!(view["statuses"][1]["code"], "PowerState/stopped");
    let tags = json!({ "owner": "them" });
    assert!(arm.edit(&id, |fields| drop(
        fields.insert("tags".to_owned(), tags.clone())
    )));
    assert_eq!(arm.thing(&id).expect("it is there")["tags"], tags);
    let copied = arm.copy(&id, "w").expect("a copy");
    assert_eq!(arm.thing(&copied).expect("it is there")["tags"], tags);
    assert!(arm.remove(&id) && arm.thing(&id).is_none());
    assert!(
        arm.ids("networkInterfaces").is_empty(),
        "it went with its machine"
    );
    let calls = arm.take_calls();
    let made = calls
        .iter()
        .find(|call| call.id == "Microsoft.Compute/virtualMachines/write");
    let made = made.expect("it was called");
    assert_eq!((made.http.as_str(), made.status), ("PUT", 201));
    let size = made
        .body
        .as_ref()
        .map(|body| &body["properties"]["hardwareProfile"]["vmSize"]);
    assert_eq!(size, Some(&Value::from("Standard_B2s")));
}
