//! Plans, as they are written.

use serde_json::{Value, json};
use stratiform::{Mode, PlanOptions};

use crate::shop::Shop;
use crate::strict::{assert_holds, assert_refused, validator};

fn has(plan: &Value, field: &str, value: &str) -> bool {
    let changes = plan["changes"].as_array().expect("changes");
    changes.iter().any(|change| change[field] == value)
}

#[tokio::test(start_paused = true)]
async fn the_reference_topology() {
    let validator = validator("plan");
    let shop = Shop::new();
    let options = PlanOptions::default();
    let plan = shop.plan(&options).await;
    assert!(has(&plan, "action", "create"));
    assert_holds(&validator, &plan);

    assert!(shop.apply().await, "not everything was made");
    let plan = shop.plan(&options).await;
    assert_eq!(plan["changes"], json!([]));
    assert_holds(&validator, &plan);
}

#[tokio::test(start_paused = true)]
async fn updates_and_replacements() {
    let mut shop = Shop::applied().await;
    shop.set("env", "prod");
    shop.edit("cpu       = 8", "cpu       = 12");
    shop.edit("size     = \"200GiB\"", "size     = \"300GiB\"");
    let plan = shop.plan(&PlanOptions::default()).await;
    assert!(has(&plan, "action", "update"));
    assert!(has(&plan, "action", "replace"));
    assert_eq!(plan["source"]["vars"]["env"], "prod");
    assert_holds(&validator("plan"), &plan);
}

#[tokio::test(start_paused = true)]
async fn deletes_and_what_is_protected() {
    let shop = Shop::applied().await;
    let options = PlanOptions {
        mode: Mode::Destroy,
        ..PlanOptions::default()
    };
    let plan = shop.plan(&options).await;
    assert!(has(&plan, "action", "delete"));
    let changes = plan["changes"].as_array().expect("changes");
    assert!(changes.iter().any(|change| change["protected"] == true));
    assert_holds(&validator("plan"), &plan);
}

#[tokio::test(start_paused = true)]
async fn much_that_goes() {
    let shop = Shop::applied().await;
    shop.cut("# One address space");
    let plan = shop.plan(&PlanOptions::default()).await;
    assert!(plan["guard"].is_object(), "{:#}", plan["summary"]);
    assert_holds(&validator("plan"), &plan);
}

#[tokio::test(start_paused = true)]
async fn drift() {
    let shop = Shop::applied().await;
    shop.lose_a_machine("dc1").await;
    let plan = shop.plan(&PlanOptions::default()).await;
    assert!(has(&plan, "cause", "drift"));
    assert_holds(&validator("plan"), &plan);
}

#[tokio::test(start_paused = true)]
async fn what_is_withheld() {
    let shop = Shop::applied().await;
    shop.forbid("east", "list", 1000).await;
    shop.edit("count     = var.web_count", "count     = 9");
    let plan = shop.plan(&PlanOptions::default()).await;
    assert!(plan["withheld"].is_array(), "{:#}", plan["summary"]);
    assert_holds(&validator("plan"), &plan);
}

#[tokio::test(start_paused = true)]
async fn a_plan_with_targets() {
    let shop = Shop::new();
    let options = PlanOptions {
        targets: vec!["machine.db[\"primary\"]".parse().expect("a target")],
        ..PlanOptions::default()
    };
    let plan = shop.plan(&options).await;
    assert_eq!(plan["targets"], json!(["machine.db[\"primary\"]"]));
    assert_holds(&validator("plan"), &plan);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_plan() {
    let plan = Shop::new().plan(&PlanOptions::default()).await;
    let validator = validator("plan");
    let spoilt = |pointer: &str, value: Value| {
        let what = format!("{pointer} as {value}");
        assert_refused(&validator, &plan, &what, |plan| {
            *plan.pointer_mut(pointer).expect(pointer) = value;
        });
    };
    spoilt("/format_version", json!(2));
    spoilt("/topology", json!({ "topology": "shop" }));
    spoilt("/owner", json!("shop"));
    spoilt("/mode", json!("guess"));
    spoilt("/changes/0/action", json!("shrug"));
    spoilt("/changes/0/addr", json!("network.core"));
    spoilt("/changes/0/addr", json!("router.core@dc1"));
    spoilt("/changes/0/site", json!("dc 1"));
    spoilt("/changes/0/count", json!(-1));
    spoilt("/changes/0/before", json!("nothing"));
    spoilt("/changes/0/goals/0/spec", json!({ "router": {} }));
    spoilt("/cost/currency", json!("usd"));
    spoilt("/cost/monthly_after", json!("much"));
    for field in ["format_version", "owner", "changes", "summary", "cost"] {
        assert_refused(&validator, &plan, &format!("no {field}"), |plan| {
            plan.as_object_mut().expect("an object").remove(field);
        });
    }
    assert_refused(&validator, &plan, "a field of nobody's", |plan| {
        plan["changes"][0]["colour"] = json!("red");
    });
}
