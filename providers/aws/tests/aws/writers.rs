//! One writer on AWS: leases in a bucket, and folders that apply one topology at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ec2::types::Reservation;
use futures::future::join_all;
use strat_aws::AwsFactory;
use strat_conformance::{Round, rounds};
use strat_provider::{Registry, TokioClock};
use strat_s3::{S3LeaseFactory, SharedCredentialsProvider};
use stratiform::{
    ApplyOptions, ApplyOutcome, EventSink, Inputs, PlanOptions, RunOptions, Session, Workspace,
};

use crate::harness::{Moto, REGION, credentials};
use crate::moto;

/// How many machines there are to be.
const MACHINES: usize = 100;
/// How many zones the region has, of which each has a subnet.
const ZONES: usize = 3;
/// The subnet that their network's NAT gateway stands in.
const NAT: usize = 1;

/// A folder of a topology, whose site is on a moto.
struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    fn new(moto: &Moto, count: usize) -> Self {
        Self::with_lease(moto, count, "")
    }

    /// The same, whose topology has a `lease` block.
    fn with_lease(moto: &Moto, count: usize, lease: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let port = moto.filter.port;
        let text = format!(
            r#"
topology "writers" {{
  lineage = "aaaaaaaaaaaaaaaa"
  {lease}
}}
site "aws" {{
  provider       = "aws"
  region         = "{REGION}"
  endpoint       = "http://127.0.0.1:{port}"
  consistency_ms = 0
}}
network "core" {{
  cidr        = "10.50.0.0/16"
  site_prefix = 20
  sites       = [site.aws]
}}
subnet "app" {{
  network = network.core
  newbits = 2
}}
machines "web" {{
  count  = {count}
  cpu    = 2
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.app
}}
machine "db" {{
  cpu    = 2
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.app
}}
volume "spare" {{
  size = "8GiB"
  site = site.aws
  zone = "{REGION}a"
}}
"#
        );
        std::fs::write(dir.path().join("shop.hcl"), text).expect("written");
        Self { dir }
    }

    async fn session(&self) -> Session {
        let keys = SharedCredentialsProvider::new(credentials());
        let registry = Registry::new()
            .with(AwsFactory::with_credentials(credentials()))
            .with_lease_store(S3LeaseFactory::with_credentials(keys));
        let workspace = Workspace::load(self.dir.path(), Inputs::default(), registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("the topology: {error:#?}"));
        let clock = Arc::new(TokioClock::system());
        let session = Session::connect_with(workspace, EventSink::none(), clock).await;
        session.expect("the site answers")
    }

    async fn apply(&self) -> ApplyOutcome {
        let session = self.session().await;
        let options = RunOptions {
            lock_timeout: Duration::from_secs(1800),
            ..RunOptions::new("apply")
        };
        let run = session.begin(&options).await.expect("begins");
        let planned = run.plan(&PlanOptions::default()).await.expect("a plan");
        let outcome = run.apply(&planned, &ApplyOptions::default()).await;
        run.end().await.expect("ends");
        outcome.expect("applies")
    }
}

/// The calls that leases made, of all that were counted.
fn of_leases(calls: &BTreeMap<String, u32>) -> u32 {
    let objects = [":GetObject", ":PutObject"];
    let is_lease = |action: &str| objects.iter().any(|object| action.ends_with(object));
    let calls = calls.iter().filter(|(action, _)| is_lease(action));
    calls.map(|(_, count)| count).sum()
}

/// How many of each kind there are, past the provider: of all that is not there from the beginning.
async fn there(moto: &Moto) -> [usize; 4] {
    let ec2 = moto.ec2().await;
    let instances = ec2.describe_instances().send().await.expect("a list");
    let instances = instances
        .reservations()
        .iter()
        .flat_map(Reservation::instances);
    let networks = ec2.describe_vpcs().send().await.expect("a list");
    let made = networks
        .vpcs()
        .iter()
        .filter(|vpc| vpc.is_default() != Some(true));
    let subnets = ec2.describe_subnets().send().await.expect("a list");
    let in_made = subnets
        .subnets()
        .iter()
        .filter(|subnet| subnet.default_for_az() != Some(true));
    let volumes = ec2.describe_volumes().send().await.expect("a list");
    let unattached = volumes
        .volumes()
        .iter()
        .filter(|volume| volume.attachments().is_empty());
    [
        made.count(),
        in_made.count(),
        instances.count(),
        unattached.count(),
    ]
}

/// Fresh folders of one topology, in an account in which nothing is, not even the bucket of leases.
async fn one_round(server: &moto::Moto, round: u32, count: usize) {
    let _told = Round(round);
    server.reset();
    let moto = Moto::on(server.port).await;
    let folders: Vec<Folder> = (0..count).map(|_| Folder::new(&moto, 3)).collect();
    let applies = folders.iter().zip(0..).map(|(folder, number): (_, u64)| {
        let later = Duration::from_millis((u64::from(round) * 97 + number * 331) % 1000);
        async move {
            tokio::time::sleep(later).await;
            folder.apply().await
        }
    });
    for outcome in join_all(applies).await {
        assert!(outcome.is_success(), "{outcome:#?}");
    }
    assert_eq!(
        there(&moto).await,
        [1, ZONES + NAT, 3 + 1, 1],
        "networks, subnets, machines, volumes"
    );
    let last = folders.last().expect("a folder").session().await;
    let planned = last.plan(&PlanOptions::default()).await;
    let planned = planned.expect("a plan");
    let (plan, problems) = (&planned.saved.plan, &planned.observation.problems);
    assert!(
        plan.is_empty() && plan.withheld.is_empty(),
        "{problems:#?} {plan:#?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_or_four_fresh_folders_at_once_nothing_is_made_twice() {
    let server = moto::Moto::start();
    for round in 0..rounds(2) {
        let count = if round % 2 == 0 { 2 } else { 4 };
        one_round(&server, round, count).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_the_topology_names_stands_in_for_the_sites_own() {
    let server = moto::Moto::start();
    let moto = Moto::on(server.port).await;
    let port = moto.filter.port;
    let lease = format!(
        "lease {{\n    store    = \"s3\"\n    bucket   = \"our-leases\"\n    \
         endpoint = \"http://127.0.0.1:{port}\"\n  }}"
    );
    let folders = [(); 2].map(|()| Folder::with_lease(&moto, 3, &lease));
    let session = folders[0].session().await;
    let missing = session.missing_lease_stores(|_| true).await;
    let missing: Vec<_> = missing
        .iter()
        .map(|one| (&*one.place, &*one.what))
        .collect();
    assert_eq!(missing, [("all sites", "the S3 bucket `our-leases`")]);
    for outcome in join_all(folders.each_ref().map(Folder::apply)).await {
        assert!(outcome.is_success(), "{outcome:#?}");
    }
    assert_eq!(there(&moto).await, [1, ZONES + NAT, 3 + 1, 1]);
    let s3 = moto.s3().await;
    let buckets = s3.list_buckets().send().await.expect("a list");
    let names: Vec<_> = buckets
        .buckets()
        .iter()
        .filter_map(|one| one.name())
        .collect();
    assert_eq!(names, ["our-leases"], "and none of the site's own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_costs_an_apply_of_a_hundred_machines_at_most_four_calls() {
    let server = moto::Moto::start();
    let moto = Moto::on(server.port).await;
    let folder = Folder::new(&moto, 1);
    // The bucket is made, and its conditions are put to the test, once.
    assert!(folder.apply().await.is_success());
    let folder = Folder::new(&moto, MACHINES);
    moto.filter.take_calls();
    assert!(folder.apply().await.is_success());
    let calls = moto.filter.take_calls();
    let leases = of_leases(&calls);
    assert!((1..=4).contains(&leases), "{calls:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ignores_conditions_is_refused() {
    for header in ["if-none-match", "if-match"] {
        let server = moto::Moto::start();
        let moto = Moto::on(server.port).await;
        moto.filter.ignore(header);
        let outcome = Folder::new(&moto, 1).session().await;
        let error = outcome.begin(&RunOptions::new("apply")).await;
        let error = error.expect_err("no lease can be kept").to_string();
        assert!(
            error.contains("leases cannot be kept at site.aws") && error.contains("ignores it"),
            "{error}"
        );
        let instances = moto.ec2().await.describe_instances().send().await;
        assert!(instances.expect("a list").reservations().is_empty());
    }
}
