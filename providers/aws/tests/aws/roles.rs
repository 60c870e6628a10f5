//! Roles: several accounts as sites of one topology, and credentials that end during a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use serde_json::json;
use strat_aws::AwsFactory;
use strat_model::{Kind, SiteSpec};
use strat_provider::{
    ConnectContext, Filter, Provider, ProviderExt as _, ProviderFactory as _, Registry, TokioClock,
};
use stratiform::{
    ApplyOptions, EventSink, Inputs, Mode, PlanOptions, RunOptions, Session, Workspace,
};

use crate::harness::{Moto, REGION, connect, credentials};
use crate::moto;

const ACCOUNTS: [(&str, &str); 2] = [("shop", "111111111111"), ("lab", "222222222222")];

/// One network, one machine; at both sites.
fn topology(endpoint: &str) -> String {
    let site = |(name, account): (&str, &str)| {
        format!(
            r#"
site "{name}" {{
  provider       = "aws"
  region         = "{REGION}"
  zones          = ["{REGION}a"]
  endpoint       = "{endpoint}"
  consistency_ms = 0
  assume_role    = "arn:aws:iam::{account}:role/stratiform"
  external_id    = "we-two"
}}
"#
        )
    };
    let sites: String = ACCOUNTS.into_iter().map(site).collect();
    format!(
        r#"
topology "two-accounts" {{}}
{sites}
network "core" {{
  cidr        = "10.0.0.0/8"
  site_prefix = 16
  sites       = [site.shop, site.lab]
}}
subnet "app" {{
  network = network.core
  newbits = 8
}}
machine "shop" {{
  image  = "debian-12"
  cpu    = 2
  memory = "1GiB"
  subnet = subnet.app
  placement {{ sites = [site.shop] }}
}}
machine "lab" {{
  image  = "debian-12"
  cpu    = 2
  memory = "1GiB"
  subnet = subnet.app
  placement {{ sites = [site.lab] }}
}}
"#
    )
}

async fn apply(folder: &std::path::Path, factory: AwsFactory, mode: Mode) -> usize {
    let registry = Registry::new().with(factory);
    let workspace = Workspace::load(folder, Inputs::default(), registry);
    let workspace = workspace.unwrap_or_else(|error| panic!("the topology: {error:#?}"));
    let clock = Arc::new(TokioClock::system());
    let session = Session::connect_with(workspace, EventSink::none(), clock).await;
    let session = session.expect("the sites answer");
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
    assert!(outcome.is_success(), "{:#?}", outcome.reports);
    planned.saved.plan.changes.len()
}

/// The connection to one of the two accounts.
async fn account(moto: &Moto, number: &str) -> Arc<dyn Provider> {
    let mut site: SiteSpec = moto.site();
    let role = format!("arn:aws:iam::{number}:role/stratiform");
    site.settings.insert("assume_role".to_owned(), json!(role));
    connect(&site, credentials()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_accounts_are_two_sites_of_one_topology() {
    let server = moto::Moto::start();
    let moto = Moto::on(server.port).await;
    let folder = tempfile::tempdir().expect("a folder");
    let text = topology(&format!("http://127.0.0.1:{}", moto.filter.port));
    std::fs::write(folder.path().join("two.hcl"), text).expect("written");
    let factory = || AwsFactory::with_credentials(credentials());

    apply(folder.path(), factory(), Mode::Apply).await;
    assert_eq!(moto.filter.sessions_asked(), 2, "one for each role");
    let owner = || Filter::Owner("two-accounts".parse().expect("an owner"));
    for (name, number) in ACCOUNTS {
        let site = account(&moto, number).await;
        let identity = site.identity().await.expect("who we are");
        assert_eq!(identity.account, number);
        assert!(
            identity.principal.contains("assumed-role/stratiform/"),
            "{identity:?}"
        );
        let machines = site.list_all(Kind::Machine, &owner()).await;
        let machines = machines.expect("machines");
        let addrs: Vec<_> = machines
            .iter()
            .filter_map(|machine| Some(machine.mark.as_ref()?.addr.to_string()))
            .collect();
        assert_eq!(addrs, [format!("machine.{name}@{name}")], "each its own");
    }
    // The account whose credentials took on the roles has nothing.
    let own = connect(&moto.site(), credentials()).await;
    for kind in [Kind::Network, Kind::Machine] {
        let list = own.list_all(kind, &owner()).await.expect("a list");
        assert!(list.is_empty(), "{list:#?}");
    }
    let left = apply(folder.path(), factory(), Mode::Apply).await;
    assert_eq!(left, 0, "apply, then plan");
    apply(folder.path(), factory(), Mode::Destroy).await;
    for (_, number) in ACCOUNTS {
        let site = account(&moto, number).await;
        let list = site.list_all(Kind::Network, &owner()).await;
        assert!(list.expect("a list").is_empty());
    }
}

#[tokio::test]
async fn a_session_that_ends_is_asked_for_again() {
    let moto = Moto::start().await;
    let number = ACCOUNTS[0].1;
    let site = account(&moto, number).await;
    for _ in 0..4 {
        site.identity().await.expect("who we are");
    }
    assert_eq!(moto.filter.sessions_asked(), 1, "it lasts for an hour");

    moto.filter.end_sessions_in(Duration::from_secs(1));
    let site = account(&moto, number).await;
    for _ in 0..4 {
        site.identity().await.expect("who we are");
    }
    assert_eq!(
        moto.filter.sessions_asked(),
        1 + 4,
        "each call finds it ended"
    );
    assert_eq!(
        moto.filter.keys_used("ASIA").len(),
        1 + 4,
        "each with its own"
    );
}

/// Gives out a new key each time it is asked.
#[derive(Debug, Clone)]
struct Counting {
    asked: Arc<AtomicU32>,
    lasts: Duration,
}

impl Counting {
    fn lasting(lasts: Duration) -> Self {
        Self {
            asked: Arc::default(),
            lasts,
        }
    }
}

impl ProvideCredentials for Counting {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let end = SystemTime::UNIX_EPOCH + now() + self.lasts;
        let key = format!("KEY{number}");
        let made = Credentials::new(key, "secret", None, Some(end), "tests");
        future::ProvideCredentials::ready(Ok(made))
    }
}

/// The time since 1970.
fn now() -> Duration {
    let seconds = strat_provider::Clock::now(&TokioClock::system()).as_second();
    Duration::from_secs(u64::try_from(seconds).expect("after 1970"))
}

#[tokio::test]
async fn a_long_run_goes_on_with_new_credentials() {
    let moto = Moto::start().await;
    let context = || ConnectContext {
        base_dir: std::path::PathBuf::new(),
        clock: Arc::new(TokioClock::system()),
    };
    let lists = async |counting: &Counting| {
        let factory = AwsFactory::with_credentials(counting.clone());
        let site = factory.connect(&moto.site(), &context()).await;
        let site = site.expect("a site");
        for kind in [Kind::Network, Kind::Subnet, Kind::Machine, Kind::Volume] {
            site.list_all(kind, &Filter::All).await.expect("a list");
        }
    };
    let long = Counting::lasting(Duration::from_secs(3600));
    lists(&long).await;
    assert_eq!(long.asked.load(Ordering::Relaxed), 1);
    assert_eq!(moto.filter.keys_used("KEY").len(), 1);

    let short = Counting::lasting(Duration::from_secs(1));
    lists(&short).await;
    let asked = short.asked.load(Ordering::Relaxed);
    assert!(asked >= 4, "asked {asked} times");
    assert!(
        moto.filter.keys_used("KEY3").contains("KEY3"),
        "the later calls carry the later keys"
    );
}
