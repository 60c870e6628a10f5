//! A whole apply that Azure refuses machines to, in Azure's own words: where they go then, and what
//! is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use strat_arm::StockOut;
use strat_model::{Kind, Spec};
use strat_provider::{Registry, TokioClock};
use strat_sim::SimFactory;
use stratiform::{
    ApplyOptions, ApplyOutcome, EventSink, Inputs, Mode, PlanOptions, RunOptions, Session,
    Workspace,
};

use crate::harness::{Azure, REGION, SUBSCRIPTION, factory};

/// How many machines the fleet has that may run in both clouds.
const WEB: usize = 5;

struct Shop {
    folder: tempfile::TempDir,
    azure: Azure,
    other: SimFactory,
}

impl Shop {
    async fn new() -> Self {
        Self::in_region(REGION).await
    }

    async fn in_region(region: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let azure = Azure::start().await;
        let endpoint = azure.arm.endpoint();
        let root = azure.folder.path().join("root.pem");
        let root = root.display();
        let text = format!(
            r#"
topology "shop" {{ lineage = "aaaaaaaaaaaaaaaa" }}
site "azure" {{
  provider       = "azure"
  account        = "{SUBSCRIPTION}"
  region         = "{region}"
  endpoint       = "{endpoint}"
  root_certificates = "{root}"
  consistency_ms = 0
}}
site "other" {{
  provider       = "sim"
  profile        = "aws"
  region         = "eu-west-1"
  latency_ms     = 0
  create_ms      = 0
  delete_ms      = 0
  consistency_ms = 0
}}
network "core" {{
  cidr        = "10.40.0.0/16"
  site_prefix = 20
  sites       = [site.azure, site.other]
}}
subnet "app" {{
  network = network.core
  newbits = 4
}}
machines "web" {{
  count  = {WEB}
  cpu    = 2
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.app
  placement {{ sites = [site.azure, site.other] }}
}}
machines "elsewhere" {{
  count  = 1
  cpu    = 2
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.app
  placement {{ sites = [site.other] }}
}}
"#
        );
        std::fs::write(folder.path().join("shop.hcl"), text).expect("written");
        Self {
            folder,
            azure,
            other: SimFactory::new(),
        }
    }

    async fn session(&self) -> Session {
        let registry = Registry::new().with(self.other.clone()).with(factory());
        let workspace = Workspace::load(self.folder.path(), Inputs::default(), registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("the topology: {error:#?}"));
        let clock = Arc::new(TokioClock::system());
        let session = Session::connect_with(workspace, EventSink::none(), clock).await;
        session.expect("the sites answer")
    }

    async fn run(&self, mode: Mode) -> ApplyOutcome {
        self.run_after(mode, |_| {}).await
    }

    /// The same, where something happens between the plan and the first call of the apply.
    async fn run_after(&self, mode: Mode, happens: impl FnOnce(&Self)) -> ApplyOutcome {
        let session = self.session().await;
        let run = session
            .begin(&RunOptions::new("test"))
            .await
            .expect("begins");
        let options = PlanOptions {
            mode,
            ..PlanOptions::default()
        };
        let planned = run.plan(&options).await.expect("a plan");
        happens(self);
        let options = ApplyOptions {
            allow_deletes: true,
            allow_data_loss: stratiform::AllowDataLoss::all_of(&planned.saved),
            ..ApplyOptions::default()
        };
        let outcome = run.apply(&planned, &options).await.expect("applies");
        run.end().await.expect("ends");
        outcome
    }

    /// The machine types of the fleet in each site and zone, with how many there are.
    async fn web(&self) -> BTreeMap<(String, String, String), usize> {
        let seen = self.session().await.observe().await.expect("observes");
        assert!(seen.problems.is_empty(), "{:#?}", seen.problems);
        let mut found = BTreeMap::new();
        for (site, thing) in seen.inventory.resources() {
            let addr = thing.mark.as_ref().map(|mark| mark.addr.local.to_string());
            if let (Spec::Machine(spec), Some("machines.web")) = (&thing.spec, addr.as_deref()) {
                let (zone, sort) = (spec.zone.to_string(), spec.machine_type.clone());
                *found.entry((site.to_string(), zone, sort)).or_default() += 1;
            }
        }
        found
    }

    /// The type and zone that the fleet gets when there is enough of everything.
    async fn first_choice(&self) -> (String, String) {
        let planned = self.session().await.plan(&PlanOptions::default()).await;
        let plan = planned.expect("a plan").saved.plan;
        let web = plan.changes.iter().find(|change| {
            change.kind == Kind::Machine && change.addr.local.name.as_str() == "web"
        });
        match &web.expect("a fleet").goals[0].spec {
            Spec::Machine(spec) => (spec.machine_type.clone(), spec.zone.to_string()),
            other => panic!("{other:?}"),
        }
    }
}

/// What failed, each with what to do.
fn failures(outcome: &ApplyOutcome) -> Vec<String> {
    let failures = outcome
        .reports
        .iter()
        .flat_map(stratiform::engine::Report::failures);
    let text = |why: &strat_model::Error| format!("{why} {}", why.help().unwrap_or_default());
    failures.map(|(_, why)| text(why)).collect()
}

fn told(outcome: &ApplyOutcome) -> Vec<String> {
    let told = outcome.relocations.iter();
    told.map(ToString::to_string).collect()
}

/// A region without zones, whose stock-outs have codes of their own.
const PLAIN_REGION: &str = "westus";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_capacity_leads_to_another_offer_in_azures_own_words() {
    let cases = [
        (StockOut::Sku, REGION, "SkuNotAvailable"),
        (StockOut::Allocation, REGION, "ZonalAllocationFailed"),
        (StockOut::Allocation, PLAIN_REGION, "AllocationFailed"),
        (
            StockOut::Overconstrained,
            REGION,
            "OverconstrainedZonalAllocationRequest",
        ),
        (
            StockOut::Overconstrained,
            PLAIN_REGION,
            "OverconstrainedAllocationRequest",
        ),
    ];
    for (how, region, code) in cases {
        let shop = Shop::in_region(region).await;
        let (machine_type, zone) = shop.first_choice().await;
        shop.azure.arm.stock_out_as(how);
        shop.azure.arm.leave_stock(&machine_type, &zone, 0);
        let outcome = shop.run(Mode::Apply).await;
        assert!(outcome.is_success(), "{code}: {outcome:#?}");
        let web = shop.web().await;
        assert_eq!(web.values().sum::<usize>(), WEB, "{code}: {web:?}");
        let refused = ("azure".to_owned(), zone.clone(), machine_type.clone());
        assert!(!web.contains_key(&refused), "{code}: {web:?}");
        let start =
            format!("{WEB} of machines.web: azure {zone} had no {machine_type} ({code}); made at ");
        let told = told(&outcome);
        assert!(told.len() == 1 && told[0].starts_with(&start), "{told:?}");
        // Nothing of those that were refused is left, nor in the way of what goes.
        let machines = shop.azure.arm.ids("virtualMachines").len();
        for parts in ["networkInterfaces", "publicIPAddresses", "disks"] {
            assert_eq!(shop.azure.arm.ids(parts).len(), machines, "{code}: {parts}");
        }
        assert!(shop.run(Mode::Destroy).await.is_success(), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_that_gets_two_of_five_keeps_them() {
    let shop = Shop::new().await;
    let (machine_type, zone) = shop.first_choice().await;
    shop.azure.arm.leave_stock(&machine_type, &zone, 2);
    let outcome = shop.run(Mode::Apply).await;
    assert!(outcome.is_success(), "{outcome:#?}");
    let web = shop.web().await;
    let first = ("azure".to_owned(), zone.clone(), machine_type.clone());
    assert_eq!(web[&first], 2, "{web:?}");
    assert_eq!(web.values().sum::<usize>(), WEB, "{web:?}");
    let told = told(&outcome);
    let start = format!("3 of machines.web: azure {zone} had no {machine_type}");
    assert!(told[0].starts_with(&start), "{told:?}");
    assert!(shop.run(Mode::Destroy).await.is_success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_left_at_all_leads_to_the_other_cloud() {
    let shop = Shop::new().await;
    shop.azure.arm.leave_stock("*", "*", 0);
    let outcome = shop.run(Mode::Apply).await;
    assert!(outcome.is_success(), "{outcome:#?}");
    let web = shop.web().await;
    let elsewhere: usize = web
        .iter()
        .filter(|((site, ..), _)| site == "other")
        .map(|(_, count)| count)
        .sum();
    assert_eq!(elsewhere, WEB, "{web:?}");
    assert!(shop.run(Mode::Destroy).await.is_success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_leads_elsewhere_and_is_told_as_one() {
    let shop = Shop::new().await;
    shop.azure.arm.set_quota(REGION, "cores", 0);
    // Known before: the plan places by it.
    let outcome = shop.run(Mode::Apply).await;
    assert!(outcome.is_success(), "{outcome:#?}");
    let web = shop.web().await;
    assert!(web.keys().all(|(site, ..)| site == "other"), "{web:?}");
    assert!(shop.run(Mode::Destroy).await.is_success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_calls_move_nothing() {
    for code in [
        "TooManyRequests",
        "RetryableError",
        "AnotherOperationInProgress",
    ] {
        let shop = Shop::new().await;
        let (machine_type, zone) = shop.first_choice().await;
        let said = "Try again later.";
        shop.azure
            .arm
            .refuse("virtualMachines/write", 2, 429, code, said);
        let outcome = shop.run(Mode::Apply).await;
        assert!(outcome.is_success(), "{code}: {outcome:#?}");
        assert!(told(&outcome).is_empty());
        let first = ("azure".to_owned(), zone, machine_type);
        assert_eq!(shop.web().await, BTreeMap::from([(first, WEB)]));
        assert!(shop.run(Mode::Destroy).await.is_success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_is_told_the_action_and_nothing_moves_to_the_other_cloud() {
    let shop = Shop::new().await;
    shop.azure
        .arm
        .deny("Microsoft.Compute/virtualMachines/write");
    let outcome = shop.run(Mode::Apply).await;
    assert!(!outcome.is_success());
    assert!(told(&outcome).is_empty(), "{:#?}", told(&outcome));
    let failures = failures(&outcome);
    let named = |text: &String| text.contains("`Microsoft.Compute/virtualMachines/write`");
    assert!(
        !failures.is_empty() && failures.iter().all(named),
        "{failures:?}"
    );
    assert!(shop.web().await.is_empty());
    shop.azure
        .arm
        .allow("Microsoft.Compute/virtualMachines/write");
    let outcome = shop.run(Mode::Apply).await;
    assert!(outcome.is_success(), "once let in: {outcome:#?}");
    assert_eq!(shop.web().await.values().sum::<usize>(), WEB);
    assert!(shop.run(Mode::Destroy).await.is_success());
}

/// What nothing but a person can change: no machine goes to the other cloud for it, what was made stays, and
/// once it is changed the next apply goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_has_to_change_is_told_with_how_and_moves_nothing() {
    type Act = fn(&Shop, bool);
    let cases: [(&str, Act, &str); 3] = [
        (
            "MissingSubscriptionRegistration",
            |shop, on| shop.azure.arm.set_registered("Microsoft.Compute", !on),
            "az provider register --namespace Microsoft.Compute",
        ),
        (
            "ReadOnlyDisabledSubscription",
            |shop, on| shop.azure.arm.set_read_only(on),
            "",
        ),
        (
            "RequestDisallowedByPolicy",
            |shop, on| {
                shop.azure
                    .arm
                    .policy_denies("Microsoft.Compute/virtualMachines", on);
            },
            "exemption",
        ),
    ];
    for (code, act, way) in cases {
        let shop = Shop::new().await;
        let outcome = shop.run_after(Mode::Apply, |shop| act(shop, true)).await;
        assert!(!outcome.is_success(), "{code}");
        assert!(told(&outcome).is_empty(), "{code}: {:?}", told(&outcome));
        let failures = failures(&outcome);
        let says = |text: &String| text.contains(code) && text.contains(way);
        assert!(failures.iter().any(says), "{code}: {failures:#?}");
        act(&shop, false);
        assert!(shop.web().await.is_empty(), "{code}");
        let outcome = shop.run(Mode::Apply).await;
        assert!(outcome.is_success(), "{code}, once changed: {outcome:#?}");
        assert_eq!(shop.web().await.values().sum::<usize>(), WEB, "{code}");
        assert!(shop.run(Mode::Destroy).await.is_success(), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_stops_a_destroy_and_is_told_with_how_to_take_it_off() {
    let shop = Shop::new().await;
    assert!(shop.run(Mode::Apply).await.is_success());
    let scope = format!("/subscriptions/{SUBSCRIPTION}");
    shop.azure.arm.lock(&scope, "CanNotDelete");
    let outcome = shop.run(Mode::Destroy).await;
    assert!(!outcome.is_success());
    let failures = failures(&outcome);
    let says = |text: &String| text.contains("ScopeLocked") && text.contains("az lock delete");
    assert!(failures.iter().any(says), "{failures:#?}");
    let left = shop.web().await;
    assert_eq!(left.values().sum::<usize>(), WEB, "{left:?}");
    shop.azure.arm.unlock(&scope);
    assert!(shop.run(Mode::Destroy).await.is_success());
    assert!(shop.azure.arm.ids("virtualMachines").is_empty());
}
