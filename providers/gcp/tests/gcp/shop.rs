//! A topology of a test's own over a double of its own, planned and applied by the library. What is not
//! on Google Cloud is simulated: a provider knows no other.

use std::sync::Arc;

use strat_gcp::GcpFactory;
use strat_provider::{Registry, TokioClock};
use strat_sim::SimFactory;
use stratiform::{
    ApplyOptions, ApplyOutcome, EventSink, Inputs, Mode, Plan, PlanOptions, RunOptions, Session,
    Workspace,
};

use crate::harness::{Google, PROJECT, REGION};

/// A folder with a topology, and the clouds that it is over.
pub(crate) struct Shop {
    folder: tempfile::TempDir,
    /// What stands before the text of a test.
    head: String,
    pub(crate) google: Google,
    pub(crate) other: SimFactory,
}

/// The block of a site on Google Cloud.
pub(crate) fn site(name: &str, project: &str, endpoint: &str) -> String {
    format!(
        r#"
site "{name}" {{
  provider       = "gcp"
  account        = "{project}"
  region         = "{REGION}"
  endpoint       = "{endpoint}"
  consistency_ms = 0
}}
"#
    )
}

impl Shop {
    /// The site `google`, and what `text` says besides.
    pub(crate) async fn new(text: &str) -> Self {
        let google = Google::start().await;
        let own = site("google", PROJECT, &google.gce.endpoint());
        Self::with(google, &own, text)
    }

    /// What `text` says, over a double.
    pub(crate) fn of(google: Google, text: &str) -> Self {
        Self::with(google, "", text)
    }

    fn with(google: Google, sites: &str, text: &str) -> Self {
        let topology = "topology \"shop\" {\n  lineage = \"aaaaaaaaaaaaaaaa\"\n  labels = { cost-center = \"1\" }\n}\n";
        let shop = Self {
            folder: tempfile::tempdir().expect("a folder"),
            head: format!("{topology}{sites}"),
            google,
            other: SimFactory::new(),
        };
        shop.write(text);
        shop
    }

    /// Writes the topology anew, below its sites.
    pub(crate) fn write(&self, text: &str) {
        let text = format!("{}{text}", self.head);
        std::fs::write(self.folder.path().join("shop.hcl"), text).expect("written");
    }

    /// Why the sites cannot be had, or a session with them.
    pub(crate) async fn try_session(&self) -> Result<Session, stratiform::Error> {
        let registry = Registry::new()
            .with(self.other.clone())
            .with(GcpFactory::new());
        let workspace = Workspace::load(self.folder.path(), Inputs::default(), registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("the topology: {error:#?}"));
        let clock = Arc::new(TokioClock::system());
        Session::connect_with(workspace, EventSink::none(), clock).await
    }

    pub(crate) async fn session(&self) -> Session {
        self.try_session().await.expect("the sites answer")
    }

    pub(crate) async fn plan(&self) -> Plan {
        let planned = self.session().await.plan(&PlanOptions::default()).await;
        planned.expect("a plan").saved.plan
    }

    /// Plans and applies, with consent to all that it takes.
    pub(crate) async fn run(&self, mode: Mode) -> ApplyOutcome {
        self.run_after(mode, || ()).await
    }

    /// The same, where something becomes otherwise once it is planned.
    pub(crate) async fn run_after(&self, mode: Mode, meanwhile: impl FnOnce()) -> ApplyOutcome {
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
        meanwhile();
        let options = ApplyOptions {
            allow_deletes: true,
            allow_data_loss: stratiform::AllowDataLoss::all_of(&planned.saved),
            ..ApplyOptions::default()
        };
        let outcome = run.apply(&planned, &options).await.expect("applies");
        run.end().await.expect("ends");
        outcome
    }

    /// The same, and all of it succeeds.
    pub(crate) async fn done(&self, mode: Mode) {
        let outcome = self.run(mode).await;
        assert!(outcome.is_success(), "{:#?}", failures(&outcome));
    }
}

/// What failed in a run, with the help that is given.
pub(crate) fn failures(outcome: &ApplyOutcome) -> Vec<String> {
    let all = outcome.reports.iter();
    let all = all.flat_map(stratiform::engine::Report::failures);
    all.map(|(step, why)| format!("{}: {why} {}", step.addr, why.help().unwrap_or_default()))
        .collect()
}
