//! A cloud that must not be asked, planned with what is built in and with what was remembered.

use std::sync::Arc;

use async_trait::async_trait;
use strat_model::{Capabilities, Kind, SiteSpec};
use strat_provider::{ConnectContext, Provider, ProviderFactory, Registry, SettingError};
use strat_topology::Inputs;

use super::*;
use crate::SavedPlan;

/// As a cloud's factory without a network.
#[derive(Debug)]
struct Unreachable {
    name: &'static str,
    capabilities: Option<Capabilities>,
}

#[async_trait]
impl ProviderFactory for Unreachable {
    fn name(&self) -> &'static str {
        self.name
    }

    fn check(&self, _site: &SiteSpec) -> Result<(), Vec<SettingError>> {
        Ok(())
    }

    fn capabilities(&self, _site: &SiteSpec) -> Option<Capabilities> {
        self.capabilities.clone()
    }

    async fn connect(
        &self,
        site: &SiteSpec,
        _context: &ConnectContext,
    ) -> strat_model::Result<Arc<dyn Provider>> {
        panic!("{} was to be asked by nobody", site.name)
    }
}

const TOPOLOGY: &str = r#"
topology "t" {}
site "here" {
  provider = "PROVIDER"
  region   = "eu-central-1"
}
network "n" {
  cidr  = "10.0.0.0/16"
  sites = [site.here]
}
subnet "s" {
  network = network.n
  newbits = 4
}
machines "web" {
  count  = 2
  cpu    = 2
  memory = "8GiB"
  image  = "debian-12"
  subnet = subnet.s
}
"#;

struct Bench {
    folder: tempfile::TempDir,
    workspace: Workspace,
}

impl Bench {
    fn new(provider: &'static str, capabilities: Option<Capabilities>) -> Self {
        Self::of(provider, capabilities, TOPOLOGY)
    }

    fn of(provider: &'static str, capabilities: Option<Capabilities>, text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = text.replace("PROVIDER", provider);
        std::fs::write(folder.path().join("t.hcl"), text).expect("written");
        let registry = Registry::new().with(Unreachable {
            name: provider,
            capabilities,
        });
        let workspace = Workspace::load(folder.path(), Inputs::default(), registry);
        Self {
            workspace: workspace.unwrap_or_else(|error| panic!("{error:#?}")),
            folder,
        }
    }

    fn cache(&self) -> OfferCache {
        OfferCache::below(&self.folder.path().join("caches"))
    }

    async fn plan(&self) -> Result<OfflinePlan, Error> {
        self.workspace.plan_offline(&self.cache(), &[]).await
    }
}

/// What a cloud can do.
pub(super) fn capabilities() -> Capabilities {
    let all = serde_json::json!({
        "kinds": Kind::ALL, "subnets": "regional", "sizing": "catalogue",
        "idempotency": { "token": { "window_ms": 600_000 } }, "marks": "metadata",
        "unreadable": {}, "create_batch": 10, "ids_per_call": 10,
        "consistency_window_ms": 0, "user_data_max": 16_384,
    });
    serde_json::from_value(all).expect("capabilities")
}

#[tokio::test]
async fn a_cloud_is_planned_with_the_snapshot_and_not_asked() {
    let bench = Bench::new("aws", Some(capabilities()));
    let planned = bench.plan().await.expect("a plan");
    let here = planned.facts.values().next().expect("the site");
    assert_eq!(here.source, FactsSource::Snapshot);
    assert_eq!(here.facts.zones.len(), 3, "{:?}", here.facts.zones);
    let day = here.as_of.expect("a day").to_string();
    assert!(day.ends_with("T00:00:00Z"), "{day}");
    let offers = &here.facts.offers;
    assert!(
        offers
            .iter()
            .all(|offer| !offer.machine_type.contains("metal"))
    );
    assert!(offers.is_sorted_by_key(|o| (o.zone.clone(), o.machine_type.clone(), o.capacity)));
    // 730 hours of the cheapest x86_64 size, t3a.large at 0.0864, times two.
    let cost = planned.plan.cost.monthly_after.expect("a cost");
    assert_eq!(cost.normalize().to_string(), "126.144");
    assert_eq!(planned.plan.summary.create, 4);
    let json = planned.to_json();
    assert_eq!(json["offline"]["sites"]["here"]["source"], "snapshot");
    assert!(SavedPlan::from_json(json).is_err(), "it cannot be applied");
}

#[tokio::test]
async fn what_was_remembered_comes_before_the_snapshot() {
    let bench = Bench::new("aws", Some(capabilities()));
    let site = bench
        .workspace
        .intent()
        .sites
        .values()
        .next()
        .expect("it")
        .clone();
    let mut facts = bench.plan().await.expect("a plan").facts;
    let mut facts = facts.remove(&site.name).expect("the site").facts;
    let large = |offer: &strat_model::Offer| offer.machine_type == "m5.large";
    facts.offers.retain(large);
    let at = Timestamp::from_second(1_750_000_000).expect("a time");
    bench.cache().write(&site, facts, at).expect("written");
    let planned = bench.plan().await.expect("a plan");
    let here = planned.facts.values().next().expect("the site");
    assert_eq!((here.source, here.as_of), (FactsSource::Cache, Some(at)));
    // m5.large, at 0.115.
    let cost = planned.plan.cost.monthly_after.expect("a cost");
    assert_eq!(cost.normalize().to_string(), "167.9");
}

#[tokio::test]
async fn a_site_of_which_nothing_is_known_is_told() {
    for (provider, capabilities) in [("moon", Some(capabilities())), ("aws", None)] {
        let error = Bench::new(provider, capabilities)
            .plan()
            .await
            .expect_err("unknown");
        assert!(matches!(error, Error::NothingKnown { .. }), "{error:?}");
        assert!(error.help().is_some_and(|help| help.contains("refresh")));
        assert_ne!(error.to_string().find("`here`"), None);
    }
}

/// A budget that cannot pay the fewest machines is refused at its place, by the prices that are built in;
/// one that can is not, and neither is one of a fleet that may be where no price is known.
#[tokio::test]
async fn a_budget_that_cannot_pay_the_fewest_machines_is_refused() {
    // Two of t3a.large at 0.0864 cost 0.1728 in an hour, and 116.12 in a February.
    let checked = async |cost: &str, provider: &'static str| {
        let folder = tempfile::tempdir().expect("a folder");
        let burst = format!(
            "burst \"web\" {{\n  fleet = machines.web\n  max = 9\n  demand = \"q\"\n  each = 1\n  {cost}\n}}\n"
        );
        let text = TOPOLOGY.replace("PROVIDER", provider) + &burst;
        std::fs::write(folder.path().join("t.hcl"), &text).expect("written");
        let registry = Registry::new().with(Unreachable {
            name: provider,
            capabilities: Some(capabilities()),
        });
        let checked = Workspace::validate(folder.path(), Inputs::default(), registry).await;
        checked.map(|_| ()).map_err(|error| {
            let (findings, _) = error.findings().expect("findings");
            let one = &findings[0];
            assert_eq!(one.code, "unpaid_min");
            let origin = &one.labels[0].origin;
            let start = usize::try_from(origin.start).expect("a place");
            assert!(origin.file.ends_with("t.hcl"), "{origin:?}");
            assert!(text[start..].starts_with("burst \"web\""), "{origin:?}");
            one.message.clone()
        })
    };
    let window = "window \"sale\" {\n from = \"2026-11-10T22:00\"\n for = \"2h\"\n tz = \"UTC\"\n min = 5\n }";
    for (cost, says) in [
        ("cost {\n hourly = \"0.18 USD\"\n }", None),
        (
            "cost {\n hourly = \"0.17 USD\"\n }",
            Some("0.17 USD in an hour"),
        ),
        ("cost {\n monthly = \"117 USD\"\n }", None),
        (
            "cost {\n monthly = \"116 USD\"\n }",
            Some("cost 116.12 USD at least"),
        ),
        (
            &format!("cost {{\n hourly = \"0.40 USD\"\n }}\n {window}"),
            Some("the 5 machines that the window `sale` asks for"),
        ),
        (
            &format!("cost {{\n monthly = \"200 USD\"\n }}\n {window}"),
            None,
        ),
    ] {
        let found = checked(cost, "aws").await;
        match says {
            None => assert_eq!(found, Ok(()), "{cost}"),
            Some(says) => {
                let found = found.expect_err(cost);
                assert!(found.contains(says), "{found}");
            }
        }
    }
    assert_eq!(
        checked("cost {\n hourly = \"0.01 USD\"\n }", "moon").await,
        Ok(())
    );
}

/// What a topology asks for is made to measure, also beside offers that were remembered, which have none of
/// it; and what runs has its place and price.
#[tokio::test]
async fn what_is_made_to_measure_is_on_sale_offline_and_remembered_or_not() {
    let odd = TOPOLOGY
        .replace("eu-central-1", "europe-west4")
        .replace("cpu    = 2", "cpu    = 6")
        .replace("8GiB", "20GiB");
    let bench = Bench::of("gcp", Some(capabilities()), &odd);
    let chosen = |planned: &OfflinePlan| {
        let mut changes = planned.plan.changes.iter();
        let fleet = changes.find(|change| change.kind == Kind::Machine);
        let goal = &fleet.expect("a fleet").goals[0];
        let strat_model::Spec::Machine(spec) = &goal.spec else {
            panic!("{goal:?}");
        };
        (spec.machine_type.clone(), goal.price_hour.is_some())
    };
    let expect = ("e2-custom-6-20480".to_owned(), true);
    let planned = bench.plan().await.expect("a plan");
    assert_eq!(chosen(&planned), expect);
    let (name, known) = planned.facts.into_iter().next().expect("the site");
    let mut facts = known.facts;
    facts
        .offers
        .retain(|offer| !offer.machine_type.contains("custom"));
    let site = bench.workspace.intent().sites[&name].clone();
    let at = "2026-11-01T00:00:00Z".parse().expect("a time");
    let cache = bench.cache();
    cache.write(&site, facts.clone(), at).expect("written");
    let planned = bench.plan().await.expect("a plan");
    let source = planned.facts.values().next().expect("the site").source;
    assert_eq!((chosen(&planned), source), (expect, FactsSource::Cache));

    let runs = ["custom-4-8192", "n2-standard-2", "gone-custom-2-2048"];
    let intent = bench.workspace.intent();
    crate::measure::add(intent, &site, &mut facts.offers, runs.into_iter());
    let of_runs = |name: &str| {
        let offer = facts.offers.iter().find(|one| one.machine_type == name);
        offer.map(|offer| (offer.cpu, offer.price_hour.is_some()))
    };
    assert_eq!(of_runs(runs[0]), Some((4, true)));
    assert_eq!(of_runs(runs[2]), None);
    let keys: Vec<_> = facts
        .offers
        .iter()
        .map(|offer| (&offer.zone, &offer.machine_type, offer.capacity))
        .collect();
    assert!(keys.is_sorted(), "{keys:?}");
}
