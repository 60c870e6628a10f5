//! A whole apply that Google refuses machines to, in Google's own words: where they go then, and what
//! is told.

use std::collections::BTreeMap;

use strat_model::{Kind, Spec};
use stratiform::{ApplyOutcome, Mode};

use crate::harness::REGION;
use crate::shop::{Shop, failures};

/// How many machines the fleet has that may run in both clouds.
const WEB: usize = 5;

/// A fleet that may run in both clouds, and a machine that may not.
async fn shop() -> Shop {
    Shop::new(&format!(
        r#"
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
  sites       = [site.google, site.other]
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
  placement {{ sites = [site.google, site.other] }}
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
    ))
    .await
}

impl Shop {
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
        let plan = self.plan().await;
        let web = plan.changes.iter().find(|change| {
            change.kind == Kind::Machine && change.addr.local.name.as_str() == "web"
        });
        match &web.expect("a fleet").goals[0].spec {
            Spec::Machine(spec) => (spec.machine_type.clone(), spec.zone.to_string()),
            other => panic!("{other:?}"),
        }
    }
}

fn told(outcome: &ApplyOutcome) -> Vec<String> {
    let told = outcome.relocations.iter();
    told.map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_capacity_leads_to_another_offer_in_googles_own_words() {
    for (with_details, code) in [
        (false, "ZONE_RESOURCE_POOL_EXHAUSTED"),
        (true, "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"),
    ] {
        let shop = shop().await;
        let (machine_type, zone) = shop.first_choice().await;
        shop.google.gce.stock_out_with_details(with_details);
        shop.google.gce.leave_stock(&machine_type, &zone, 0);
        let outcome = shop.run(Mode::Apply).await;
        assert!(outcome.is_success(), "{code}: {outcome:#?}");
        let web = shop.web().await;
        assert_eq!(web.values().sum::<usize>(), WEB, "{code}: {web:?}");
        let refused = ("google".to_owned(), zone.clone(), machine_type.clone());
        assert!(!web.contains_key(&refused), "{code}: {web:?}");
        let start = format!(
            "{WEB} of machines.web: google {zone} had no {machine_type} ({code}); made at "
        );
        let told = told(&outcome);
        assert!(told.len() == 1 && told[0].starts_with(&start), "{told:?}");
        assert!(shop.run(Mode::Destroy).await.is_success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_that_gets_two_of_five_keeps_them() {
    let shop = shop().await;
    let (machine_type, zone) = shop.first_choice().await;
    shop.google.gce.leave_stock(&machine_type, &zone, 2);
    let outcome = shop.run(Mode::Apply).await;
    assert!(outcome.is_success(), "{outcome:#?}");
    let web = shop.web().await;
    let first = ("google".to_owned(), zone.clone(), machine_type.clone());
    assert_eq!(web[&first], 2, "{web:?}");
    assert_eq!(web.values().sum::<usize>(), WEB, "{web:?}");
    let told = told(&outcome);
    let start = format!("3 of machines.web: google {zone} had no {machine_type}");
    assert!(told[0].starts_with(&start), "{told:?}");
    assert!(shop.run(Mode::Destroy).await.is_success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_left_at_all_leads_to_the_other_cloud() {
    let shop = shop().await;
    shop.google.gce.leave_stock("*", "*", 0);
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
async fn a_quota_leads_to_another_family_and_then_to_the_other_cloud() {
    let shop = shop().await;
    let (first, _) = shop.first_choice().await;
    assert!(first.starts_with("e2-"), "{first}");
    // Known before: the plan places by it.
    shop.google.gce.set_quota(REGION, "CPUS", 0.0);
    assert!(shop.run(Mode::Apply).await.is_success());
    let web = shop.web().await;
    let is_other = |(site, _, sort): &(String, String, String)| {
        site == "google" && !sort.starts_with("e2-") && !sort.starts_with("n1-")
    };
    assert!(web.keys().all(is_other), "{web:?}");
    assert!(shop.run(Mode::Destroy).await.is_success());
    shop.google.gce.set_quota("", "CPUS_ALL_REGIONS", 0.0);
    assert!(shop.run(Mode::Apply).await.is_success());
    let web = shop.web().await;
    assert!(web.keys().all(|(site, ..)| site == "other"), "{web:?}");
    assert!(shop.run(Mode::Destroy).await.is_success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_that_is_told_late_is_told_with_its_metric_and_region() {
    // It became less once the plan was made; and one that no plan counts.
    for metric in ["CPUS", "INSTANCES"] {
        let shop = shop().await;
        let less = || shop.google.gce.set_quota(REGION, metric, 0.0);
        let outcome = shop.run_after(Mode::Apply, less).await;
        let told = [failures(&outcome), told(&outcome)].concat().join(" ");
        assert!(told.contains(metric) && told.contains(REGION), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_calls_move_nothing() {
    for code in [403, 429] {
        let shop = shop().await;
        let (machine_type, zone) = shop.first_choice().await;
        shop.google.gce.throttle("instances.bulkInsert", 2, code);
        let outcome = shop.run(Mode::Apply).await;
        assert!(outcome.is_success(), "{outcome:#?}");
        assert!(told(&outcome).is_empty());
        let first = ("google".to_owned(), zone, machine_type);
        assert_eq!(shop.web().await, BTreeMap::from([(first, WEB)]));
        assert!(shop.run(Mode::Destroy).await.is_success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_is_told_the_permission_and_nothing_moves_to_the_other_cloud() {
    let shop = shop().await;
    shop.google.gce.deny("compute.instances.create");
    let outcome = shop.run(Mode::Apply).await;
    assert!(!outcome.is_success());
    assert!(told(&outcome).is_empty(), "{:#?}", told(&outcome));
    let failures = failures(&outcome);
    assert!(
        failures.len() == 1 && failures[0].contains("`compute.instances.create`"),
        "{failures:?}"
    );
    assert!(shop.web().await.is_empty());
    shop.google.gce.allow("compute.instances.create");
    let outcome = shop.run(Mode::Apply).await;
    assert!(outcome.is_success(), "once let in: {outcome:#?}");
    assert_eq!(shop.web().await.values().sum::<usize>(), WEB);
    assert!(shop.run(Mode::Destroy).await.is_success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_switched_off_is_told_with_how_to_switch_it_on_and_nothing_moves() {
    const SERVICE: &str = "compute.googleapis.com";
    const HOW: &str = "gcloud services enable compute.googleapis.com";
    let shop = shop().await;
    let off = |is_off| shop.google.gce.disable_service(SERVICE, is_off);
    let outcome = shop.run_after(Mode::Apply, || off(true)).await;
    let failed = failures(&outcome);
    assert!(!failed.is_empty(), "{outcome:#?}");
    assert!(failed.iter().all(|one| one.contains(HOW)), "{failed:#?}");
    assert!(told(&outcome).is_empty(), "{:#?}", told(&outcome));
    // From the beginning, it is a site that is not seen.
    let why = match shop.try_session().await {
        Err(error) => format!("{error:?}"),
        Ok(session) => format!("{:?}", session.observe().await),
    };
    assert!(why.contains(HOW), "{why}");
    off(false);
    shop.done(Mode::Apply).await;
    assert_eq!(shop.web().await.values().sum::<usize>(), WEB);
    shop.done(Mode::Destroy).await;
}
