//! Custom machine types: which one a plan takes, when, and for how much.

use strat_model::{Bytes, MachineSpec, Money, ResourceId, Spec};
use stratiform::planner::Cause;
use stratiform::{Mode, Plan};

use crate::shop::Shop;

/// A machine whose size nothing predefined has, and one whose size something has.
fn text(odd: &str) -> String {
    let block = |name: &str, size: &str| {
        format!(
            r#"
machine "{name}" {{
{size}
  image     = "debian-12"
  subnet    = subnet.app
}}
"#
        )
    };
    let plain = "  cpu       = 4\n  memory    = \"16GiB\"\n  burstable = false";
    format!(
        r#"
network "core" {{
  cidr  = "10.40.0.0/16"
  sites = [site.google]
}}
subnet "app" {{
  network = network.core
  newbits = 8
}}
{}{}"#,
        block("odd", odd),
        block("plain", plain)
    )
}

/// What a plan makes or changes, by name: the type and its price.
fn planned(plan: &Plan, name: &str) -> Option<(String, Option<Money>)> {
    let mut changes = plan.changes.iter();
    let change = changes.find(|change| change.addr.local.name.as_str() == name)?;
    let goal = change.goals.first()?;
    match &goal.spec {
        Spec::Machine(spec) => Some((spec.machine_type.clone(), goal.price_hour)),
        other => panic!("{other:?}"),
    }
}

async fn there(shop: &Shop, name: &str) -> MachineSpec<ResourceId> {
    let seen = shop.session().await.observe().await.expect("observes");
    let mut things = seen.inventory.resources().filter_map(|(_, thing)| {
        let mark = thing.mark.as_ref()?;
        let Spec::Machine(spec) = &thing.spec else {
            return None;
        };
        (mark.addr.local.name.as_str() == name).then(|| spec.clone())
    });
    things.next().expect("a machine")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_size_that_nothing_predefined_has_is_made_to_measure_where_that_is_cheaper() {
    const ODD: &str = "  cpu       = 6\n  memory    = \"20GiB\"";
    let shop = Shop::new(&text(ODD)).await;
    let plan = shop.plan().await;
    // (6 × 0.02401338 + 20 × 0.00321816) × 1.05; e2-standard-8 costs 0.295.
    let (machine_type, price) = planned(&plan, "odd").expect("planned");
    assert_eq!(machine_type, "e2-custom-6-20480");
    let price = price.map(|price| price.to_string());
    assert_eq!(price.as_deref(), Some("0.218865654 USD"));
    let (machine_type, _) = planned(&plan, "plain").expect("planned");
    assert_eq!(machine_type, "e2-standard-4");
    shop.done(Mode::Apply).await;
    let made = there(&shop, "odd").await;
    assert_eq!((made.cpu, made.memory), (6, Bytes::gib(20)));
    assert!(shop.plan().await.is_empty());

    // Another size is another type of the same machine, stopped and started.
    shop.write(&text("  cpu       = 6\n  memory    = \"24GiB\""));
    let plan = shop.plan().await;
    let (machine_type, price) = planned(&plan, "odd").expect("planned");
    assert_eq!(machine_type, "e2-custom-6-24576");
    assert!(price.is_some());
    assert_eq!(plan.changes.len(), 1, "{:#?}", plan.changes);
    assert_eq!(plan.changes[0].cause, Cause::Topology);
    shop.done(Mode::Apply).await;
    assert_eq!(there(&shop, "odd").await.memory, Bytes::gib(24));

    // By its name, without a word in the site's block; and with what the cloud has, it is no change.
    shop.write(&text("  machine_type = \"n2-custom-2-4096\""));
    let plan = shop.plan().await;
    let (machine_type, price) = planned(&plan, "odd").expect("planned");
    assert!(machine_type == "n2-custom-2-4096" && price.is_some());
    shop.done(Mode::Apply).await;
    assert!(shop.plan().await.is_empty());
    shop.done(Mode::Destroy).await;
}

/// What is made to measure runs out as anything does; another series or zone has some.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_custom_type_that_ran_out_leads_to_another() {
    let shop = Shop::new(&text("  cpu       = 6\n  memory    = \"20GiB\"")).await;
    shop.google.gce.leave_stock("e2-custom-6-20480", "*", 0);
    shop.done(Mode::Apply).await;
    let made = there(&shop, "odd").await;
    assert_ne!(made.machine_type, "e2-custom-6-20480");
    assert!(made.cpu >= 6 && made.memory >= Bytes::gib(20), "{made:?}");
    shop.done(Mode::Destroy).await;
}

/// A shape that breaks the rules of its series is on sale nowhere, and known as that before any call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shape_that_no_series_has_finds_no_place() {
    let shop = Shop::new(&text("  machine_type = \"n2-custom-5-20480\"")).await;
    let session = shop.session().await;
    let refused = session.plan(&stratiform::PlanOptions::default()).await;
    let told = format!("{:?}", refused.expect_err("there is none"));
    assert!(told.contains("n2-custom-5-20480"), "{told}");
}
