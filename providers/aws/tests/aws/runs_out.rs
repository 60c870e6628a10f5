//! A whole apply that AWS refuses machines to, in AWS's own words: where they go then, and what is
//! told.

use std::collections::BTreeMap;
use std::sync::Arc;

use strat_aws::AwsFactory;
use strat_model::{Kind, Spec};
use strat_provider::{Registry, TokioClock};
use strat_sim::SimFactory;
use stratiform::{
    ApplyOptions, ApplyOutcome, EventSink, Inputs, Mode, PlanOptions, RunOptions, Session,
    Workspace,
};

use crate::harness::{Moto, REGION, credentials};

/// How many machines the fleet has that may run in both clouds.
pub(crate) const WEB: usize = 5;
/// Who is refused all of a batch asks once more for as many as there are.
const FOR_ALL_AND_FOR_ANY: u32 = 2;

pub(crate) struct Shop {
    folder: tempfile::TempDir,
    pub(crate) moto: Moto,
    other: SimFactory,
}

impl Shop {
    /// One topology for each word: the tests share an account.
    pub(crate) async fn new(word: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let moto = Moto::start().await;
        let endpoint = format!("http://127.0.0.1:{}", moto.filter.port);
        let text = format!(
            r#"
topology "{word}" {{ realm = "runs-out" }}
site "aws" {{
  provider       = "aws"
  region         = "{REGION}"
  endpoint       = "{endpoint}"
  consistency_ms = 0
}}
site "other" {{
  provider       = "sim"
  profile        = "gcp"
  region         = "europe-west1"
  latency_ms     = 0
  create_ms      = 0
  delete_ms      = 0
  consistency_ms = 0
}}
network "core" {{
  cidr        = "10.40.0.0/16"
  site_prefix = 20
  sites       = [site.aws, site.other]
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
  placement {{ sites = [site.aws, site.other] }}
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
            moto,
            other: SimFactory::new(),
        }
    }

    pub(crate) async fn session(&self) -> Session {
        let aws = AwsFactory::with_credentials(credentials());
        let registry = Registry::new().with(self.other.clone()).with(aws);
        let workspace = Workspace::load(self.folder.path(), Inputs::default(), registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("the topology: {error:#?}"));
        let clock = Arc::new(TokioClock::system());
        let session = Session::connect_with(workspace, EventSink::none(), clock).await;
        session.expect("the sites answer")
    }

    pub(crate) async fn run(&self, mode: Mode) -> ApplyOutcome {
        let session = self.session().await;
        let run = session.begin(&RunOptions::new("test")).await;
        let run = run.expect("begins");
        let options = PlanOptions {
            mode,
            ..PlanOptions::default()
        };
        let planned = run.plan(&options).await.expect("a plan");
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
    pub(crate) async fn web(&self) -> BTreeMap<(String, String, String), usize> {
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
    pub(crate) async fn first_choice(&self) -> (String, String) {
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

pub(crate) fn told(outcome: &ApplyOutcome) -> Vec<String> {
    let told = outcome.relocations.iter();
    told.map(ToString::to_string).collect()
}

fn family(machine_type: &str) -> &str {
    machine_type.split('.').next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_capacity_leads_to_another_offer_in_amazons_own_words() {
    for code in [
        "InsufficientInstanceCapacity",
        "InsufficientHostCapacity",
        "Unsupported",
    ] {
        let shop = Shop::new(&code.to_lowercase()).await;
        let (machine_type, zone) = shop.first_choice().await;
        shop.moto
            .filter
            .refuse("RunInstances", code, FOR_ALL_AND_FOR_ANY);
        let outcome = shop.run(Mode::Apply).await;
        assert!(outcome.is_success(), "{code}: {outcome:#?}");
        let web = shop.web().await;
        assert_eq!(web.values().sum::<usize>(), WEB, "{code}: {web:?}");
        let refused = ("aws".to_owned(), zone.clone(), machine_type.clone());
        assert!(!web.contains_key(&refused), "{code}: {web:?}");
        let start =
            format!("{WEB} of machines.web: aws {zone} had no {machine_type} ({code}); made at ");
        let told = told(&outcome);
        assert!(told.len() == 1 && told[0].starts_with(&start), "{told:?}");
        assert!(shop.run(Mode::Destroy).await.is_success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_leads_to_another_family_in_amazons_own_words() {
    for code in [
        "VcpuLimitExceeded",
        "InstanceLimitExceeded",
        "MaxSpotInstanceCountExceeded",
    ] {
        let shop = Shop::new(&code.to_lowercase()).await;
        let (machine_type, _) = shop.first_choice().await;
        shop.moto
            .filter
            .refuse("RunInstances", code, FOR_ALL_AND_FOR_ANY);
        let outcome = shop.run(Mode::Apply).await;
        assert!(outcome.is_success(), "{code}: {outcome:#?}");
        let web = shop.web().await;
        assert_eq!(web.values().sum::<usize>(), WEB, "{code}: {web:?}");
        let same = |sort: &str| family(sort) == family(&machine_type);
        assert!(
            web.keys().all(|(_, _, sort)| !same(sort)),
            "{code}: {web:?}"
        );
        let told = told(&outcome);
        assert!(told[0].contains(&format!("({code})")), "{told:?}");
        assert!(told[0].contains("allows no more"), "{told:?}");
        assert!(shop.run(Mode::Destroy).await.is_success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_calls_move_nothing() {
    let shop = Shop::new("throttled").await;
    let (machine_type, zone) = shop.first_choice().await;
    shop.moto
        .filter
        .refuse("RunInstances", "RequestLimitExceeded", 2);
    let outcome = shop.run(Mode::Apply).await;
    assert!(outcome.is_success(), "{outcome:#?}");
    assert!(told(&outcome).is_empty());
    let first = ("aws".to_owned(), zone, machine_type);
    assert_eq!(shop.web().await, BTreeMap::from([(first, WEB)]));
    assert!(shop.run(Mode::Destroy).await.is_success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_let_in_is_told_and_nothing_moves_to_the_other_cloud() {
    for code in ["AuthFailure", "UnauthorizedOperation"] {
        let shop = Shop::new(&code.to_lowercase()).await;
        shop.moto.filter.refuse("RunInstances", code, 1);
        let outcome = shop.run(Mode::Apply).await;
        assert!(!outcome.is_success());
        assert!(told(&outcome).is_empty(), "{:#?}", told(&outcome));
        assert_eq!(outcome.reports.len(), 1);
        let failures: Vec<String> = outcome.reports[0]
            .failures()
            .map(|(step, why)| format!("{}: {why}", step.addr))
            .collect();
        assert!(
            failures.len() == 1 && failures[0].contains(code),
            "{failures:?}"
        );
        assert!(shop.web().await.is_empty());
        let others = shop.other.worlds().into_values().next().expect("a world");
        assert_eq!(
            others.calls()["create_machines"],
            1,
            "the other fleet is made"
        );
        let outcome = shop.run(Mode::Apply).await;
        assert!(outcome.is_success(), "once let in: {outcome:#?}");
        assert_eq!(shop.web().await.values().sum::<usize>(), WEB);
        assert!(shop.run(Mode::Destroy).await.is_success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_that_gets_two_of_five_keeps_them() {
    let shop = Shop::new("partial").await;
    let (machine_type, zone) = shop.first_choice().await;
    shop.moto.filter.leave_stock(&machine_type, &zone, 2);
    let outcome = shop.run(Mode::Apply).await;
    assert!(outcome.is_success(), "{outcome:#?}");
    let web = shop.web().await;
    assert_eq!(
        web[&("aws".to_owned(), zone.clone(), machine_type.clone())],
        2
    );
    assert_eq!(web.values().sum::<usize>(), WEB, "{web:?}");
    let told = told(&outcome);
    let start = format!("3 of machines.web: aws {zone} had no {machine_type}");
    assert!(told[0].starts_with(&start), "{told:?}");
    assert!(shop.run(Mode::Destroy).await.is_success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_subnet_leads_to_another_zone_and_nobody_else_out_of_its_own() {
    let code = "InsufficientFreeAddressesInSubnet";
    let shop = Shop::new("full").await;
    let (machine_type, zone) = shop.first_choice().await;
    shop.moto
        .filter
        .refuse("RunInstances", code, FOR_ALL_AND_FOR_ANY);
    let outcome = shop.run(Mode::Apply).await;
    assert!(outcome.is_success(), "{outcome:#?}");
    let start = format!(
        "{WEB} of machines.web: aws {zone} had no address left in its subnet for {machine_type} \
         ({code}); made at aws "
    );
    let told = told(&outcome);
    assert!(told.len() == 1 && told[0].starts_with(&start), "{told:?}");
    let web = shop.web().await;
    assert_eq!(web.values().sum::<usize>(), WEB, "{web:?}");
    let elsewhere = |(site, at, _): &(String, String, String)| site == "aws" && *at != zone;
    assert!(web.keys().all(elsewhere), "{web:?}");
    // The zone is as good as before to who has a subnet of its own there.
    let book = shop.session().await.stock_book();
    let known: Vec<_> = book
        .entries()
        .map(|entry| entry.subnet().cloned())
        .collect();
    assert!(matches!(known.as_slice(), [Some(_)]), "{book:?}");
    assert!(shop.run(Mode::Destroy).await.is_success());
}
