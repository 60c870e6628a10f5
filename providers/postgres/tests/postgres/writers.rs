//! One writer: folders that apply one topology at once, whose sites keep no leases of their own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use strat_conformance::{Round, rounds};
use strat_model::Kind;
use strat_postgres::PostgresFactory;
use strat_provider::{Registry, TokioClock};
use strat_sim::SimFactory;
use stratiform::{
    ApplyOptions, ApplyOutcome, EventSink, Inputs, Mode, PlanOptions, RunOptions, Session,
    Workspace,
};

use crate::server::{PASSWORD, Server};

/// Two sites that have nothing to keep a lease in.
fn topology(server: &Server, dbname: &str, world: &Path) -> String {
    let site = |name: &str| {
        format!(
            r#"
site "{name}" {{
  provider       = "sim"
  profile        = "aws"
  account        = "main"
  region         = "{name}"
  world          = "{world}"
  leases         = "none"
  latency_ms     = 2
  consistency_ms = 20
}}
machines "{name}" {{
  count  = 3
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
  placement {{
    sites = [site.{name}]
  }}
}}
"#,
            world = world.display()
        )
    };
    format!(
        r#"
topology "shop" {{
  lineage = "aaaaaaaaaaaaaaaa"
  lease {{
    store       = "postgres"
    host        = "127.0.0.1"
    port        = {port}
    dbname      = "{dbname}"
    user        = "postgres"
    sslmode     = "verify-full"
    sslrootcert = "{ca}"
  }}
}}
network "core" {{
  cidr        = "10.50.0.0/16"
  site_prefix = 20
  sites       = [site.us-east-1, site.us-west-2]
}}
subnet "app" {{
  network = network.core
  newbits = 4
}}
{east}{west}"#,
        port = server.port,
        ca = server.dir.join("ca.pem").display(),
        east = site("us-east-1"),
        west = site("us-west-2"),
    )
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("shop.hcl"), text).expect("written");
        Self(dir)
    }

    async fn session(&self) -> Session {
        let registry = Registry::new().with(SimFactory::new());
        let registry = registry.with_lease_store(PostgresFactory::with_password(PASSWORD));
        let workspace = Workspace::load(self.0.path(), Inputs::default(), registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("the topology: {error:#?}"));
        let clock = Arc::new(TokioClock::system());
        let session = Session::connect_with(workspace, EventSink::none(), clock).await;
        session.expect("the sites answer")
    }

    async fn apply(&self, mode: Mode) -> ApplyOutcome {
        let session = self.session().await;
        let options = RunOptions {
            lock_timeout: Duration::from_secs(1800),
            ..RunOptions::new("apply")
        };
        let run = session.begin(&options).await.expect("begins");
        let options = PlanOptions {
            mode,
            ..PlanOptions::default()
        };
        let planned = run.plan(&options).await.expect("a plan");
        let outcome = run.apply(&planned, &ApplyOptions::default()).await;
        run.end().await.expect("ends");
        outcome.expect("applies")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_or_four_fresh_folders_at_once_nothing_is_made_twice() {
    let server = Server::shared();
    for round in 0..rounds(2) {
        let _told = Round(round);
        // With no table in it.
        let dbname = server.database().await;
        let world = tempfile::tempdir().expect("a folder");
        let text = topology(server, &dbname, world.path());
        let count = if round % 2 == 0 { 2 } else { 4 };
        let folders: Vec<Folder> = (0..count).map(|_| Folder::new(&text)).collect();
        let applies = folders.iter().map(|folder| {
            let later = Duration::from_millis(fastrand::u64(..500));
            async move {
                tokio::time::sleep(later).await;
                folder.apply(Mode::Apply).await
            }
        });
        for outcome in join_all(applies).await {
            assert!(outcome.is_success(), "{outcome:#?}");
        }
        let session = folders[0].session().await;
        let observed = session.observe().await.expect("observed");
        let count = |kind| {
            let there = observed.inventory.resources();
            there.filter(|(_, thing)| thing.kind() == kind).count()
        };
        let there = (count(Kind::Network), count(Kind::Machine));
        assert_eq!(there, (2, 6), "a network at each site, and three machines");
        for folder in &folders {
            let session = folder.session().await;
            let planned = session.plan(&PlanOptions::default()).await;
            let plan = planned.expect("a plan").saved.plan;
            assert!(plan.is_empty() && plan.withheld.is_empty(), "{plan:#?}");
        }
    }
}
