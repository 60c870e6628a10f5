//! A copy of the reference topology and the simulated clouds it is applied to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use strat_sim::{Disturbance, Fault, SimControl, SimFactory};
use stratiform::model::{ErrorKind, Kind};
use stratiform::provider::{Clock, Registry, TokioClock};
use stratiform::{
    ApplyOptions, EventSink, Inputs, PlanOptions, Planned, RunOptions, Session, Workspace,
};

/// A folder with a topology of its own, gone at the end.
pub(crate) struct Shop {
    dir: tempfile::TempDir,
    factory: SimFactory,
    clock: Arc<dyn Clock>,
    inputs: Inputs,
}

impl Shop {
    /// The reference topology, copied.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        for file in ["shop.hcl", "ops.pub", "web-init.yaml"] {
            std::fs::copy(reference().join(file), dir.path().join(file)).expect("a copy");
        }
        Self {
            dir,
            factory: SimFactory::new(),
            clock: Arc::new(TokioClock::system()),
            inputs: Inputs::default(),
        }
    }

    /// The reference topology, applied.
    pub(crate) async fn applied() -> Self {
        let shop = Self::new();
        assert!(shop.apply().await, "not everything was made");
        shop
    }

    /// Gives a variable its value.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.inputs.vars.insert(name.to_owned(), value.to_owned());
    }

    /// Changes the topology's text.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let path = self.dir.path().join("shop.hcl");
        let text = std::fs::read_to_string(&path).expect("the topology");
        assert!(text.contains(from), "the topology has no `{from}`");
        std::fs::write(&path, text.replace(from, to)).expect("written");
    }

    /// Cuts the topology's text off before a word.
    pub(crate) fn cut(&self, from: &str) {
        let path = self.dir.path().join("shop.hcl");
        let mut text = std::fs::read_to_string(&path).expect("the topology");
        text.truncate(text.find(from).expect("the word"));
        std::fs::write(&path, text).expect("written");
    }

    async fn session(&self) -> Session {
        let registry = Registry::new().with(self.factory.clone());
        let path = self.dir.path().join("shop.hcl");
        let workspace = Workspace::load(&path, self.inputs.clone(), registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("{error:#?}"));
        Session::connect_with(workspace, EventSink::none(), Arc::clone(&self.clock))
            .await
            .expect("connects")
    }

    async fn planned(&self, options: &PlanOptions) -> Planned {
        self.session().await.plan(options).await.expect("a plan")
    }

    /// The plan as it is written to disk and answered by `plan --json`.
    pub(crate) async fn plan(&self, options: &PlanOptions) -> Value {
        self.planned(options).await.saved.to_json()
    }

    /// Applies; whether all of it was done.
    pub(crate) async fn apply(&self) -> bool {
        let session = self.session().await;
        let run = session.begin(&RunOptions::new("test")).await;
        let run = run.expect("begins");
        let planned = run.plan(&PlanOptions::default()).await.expect("a plan");
        let outcome = run.apply(&planned, &ApplyOptions::default()).await;
        run.end().await.expect("ends");
        outcome.expect("is not refused").is_success()
    }

    fn control(&self) -> SimControl {
        let world = self.factory.worlds().into_values().next();
        SimControl::new(world.expect("a world, since a session connected"))
    }

    /// Lets the next calls of an operation at a site fail.
    pub(crate) async fn forbid(&self, site: &str, operation: &str, times: u32) {
        drop(self.session().await);
        let control = self.control();
        let region = control.find(site).expect("the region");
        let fault = Fault::fail(ErrorKind::Forbidden);
        control
            .inject(&region, Some(operation), fault, times)
            .expect("a fault");
    }

    /// Deletes a machine of the fleet behind Stratiform's back.
    pub(crate) async fn lose_a_machine(&self, site: &str) {
        drop(self.session().await);
        let control = self.control();
        let region = control.find(site).expect("the region");
        let machines = control.resources(&region, Some(Kind::Machine));
        let machines = machines.expect("machines");
        let fleet = machines.iter().find(|m| m.name.contains("web"));
        let which = fleet.expect("a machine of the fleet").id.to_string();
        let kind = Kind::Machine;
        let deleted = control.disturb(&region, &Disturbance::Delete { kind, which });
        deleted.expect("deleted");
    }

    /// The lines of the journal.
    pub(crate) fn journal(&self) -> Vec<Value> {
        let mut lines = Vec::new();
        let mut open = vec![self.dir.path().join(".stratiform")];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).expect("a folder");
                open.extend(entries.map(|entry| entry.expect("an entry").path()));
            } else if path.ends_with("journal.jsonl") {
                let text = std::fs::read_to_string(&path).expect("the journal");
                let values = text.lines().map(serde_json::from_str);
                lines.extend(values.map(|line| line.expect("a line of JSON")));
            }
        }
        lines
    }
}

fn reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hybrid-shop")
}
