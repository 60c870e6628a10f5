//! A topology in a folder of its own over simulated clouds, and what is told of it: for golden texts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use strat_sim::{Disturbance, Fault, SimControl, SimFactory};
use stratiform::answer::Versioned;
use stratiform::provider::{Clock, TokioClock};
use stratiform::{
    ApplyOptions, ApplyOutcome, Error, EventSink, Inputs, PlanOptions, Planned, RunOptions,
    Session, Workspace,
};

use super::diagnostics::{Look, diagnostics};
use super::{failure, report};
use crate::failure::Failure;
use crate::providers;

pub(super) const TOPOLOGY: &str = r#"
topology "shop" {}

site "east" {
  provider = "sim"
  profile  = "aws"
  region   = "us-east-1"
}

site "west" {
  provider = "sim"
  profile  = "azure"
  region   = "westeurope"
}

network "core" {
  cidr        = "10.20.0.0/16"
  site_prefix = 20
  sites       = [site.east, site.west]
}

subnet "app" {
  network = network.core
  newbits = 4
}

machines "web" {
  count  = 4
  cpu    = 2
  memory = "8GiB"
  image  = "debian-12"
  subnet = subnet.app
  PLACEMENT
}
"#;

pub(super) const EAST: &str = "placement { sites = [site.east] }";
pub(super) const BOTH: &str = "placement { sites = [site.east, site.west] }";

/// A topology in a folder of its own, over simulated clouds.
pub(super) struct Bench {
    dir: tempfile::TempDir,
    pub(super) clock: Arc<dyn Clock>,
}

impl Bench {
    pub(super) fn new(placement: &str) -> Self {
        let bench = Self {
            dir: tempfile::tempdir().expect("a folder"),
            clock: Arc::new(TokioClock::starting_at(TokioClock::system().now())),
        };
        bench.write(&TOPOLOGY.replace("PLACEMENT", placement));
        bench
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn write(&self, text: &str) {
        std::fs::write(self.path().join("shop.hcl"), text).expect("written");
    }

    pub(super) async fn session(&self) -> Session {
        let loaded = Workspace::load(self.path(), Inputs::default(), providers::registry());
        let workspace = loaded.expect("a topology");
        let clock = Arc::clone(&self.clock);
        let session = Session::connect_with(workspace, EventSink::none(), clock).await;
        session.expect("sites")
    }

    /// Does something to the world at a site.
    pub(super) fn disturb(&self, site: &str, what: &Disturbance) {
        let world = SimFactory::default_world(self.path());
        let control = SimControl::open(&world, Arc::clone(&self.clock)).expect("a world");
        let region = control.find(site).expect("a region");
        control.disturb(&region, what).expect("disturbed");
    }

    /// Has the next calls of an operation at a site fail.
    pub(super) fn fail(&self, site: &str, operation: &str, fault: Fault, times: u32) {
        let world = SimFactory::default_world(self.path());
        let control = SimControl::open(&world, Arc::clone(&self.clock)).expect("a world");
        let region = control.find(site).expect("a region");
        let injected = control.inject(&region, Some(operation), fault, times);
        injected.expect("injected");
    }

    /// Applies, and tells what came of it in both forms.
    pub(super) async fn apply(&self, session: &Session) -> String {
        let run = session
            .begin(&RunOptions::new("apply"))
            .await
            .expect("begun");
        let planned = run.plan(&PlanOptions::default()).await.expect("a plan");
        // One call after another, so that what fails first is the same each time.
        let mut options = ApplyOptions::default();
        options.execute.parallelism = 1;
        let outcome = run.apply(&planned, &options).await;
        run.end().await.expect("ended");
        told_outcome(&outcome.expect("an outcome"))
    }

    pub(super) async fn plan(&self, session: &Session) -> Planned {
        let planned = session.plan(&PlanOptions::default()).await;
        planned.expect("a plan")
    }

    /// Tells an error in both forms.
    pub(super) fn told(&self, error: &Error) -> String {
        let mut failure = Failure::of_library(error);
        let mut text = failure::failure(&failure, 100);
        if let Some((findings, sources)) = error.findings() {
            let look = Look {
                fancy: false,
                width: 100,
            };
            text = diagnostics(&findings, sources, look);
        }
        if let Error::NoPlace { unplaced, .. } = error {
            failure.unplaced = serde_json::to_value(unplaced).ok();
        }
        let json = serde_json::to_value(Versioned::of(failure.answer())).expect("JSON");
        let json = serde_json::to_string_pretty(&json).expect("JSON");
        let text = anstream::adapter::strip_str(&text).to_string();
        let here = self.path().display().to_string();
        format!("{text}---\n{json}\n").replace(&here, "<folder>")
    }
}

pub(super) fn told_outcome(outcome: &ApplyOutcome) -> String {
    let text = report::report(outcome, "apply", Duration::ZERO, 100);
    let outputs = std::collections::BTreeMap::new();
    let json = report::applied(outcome, &outputs, Vec::new());
    let json = serde_json::to_value(json).expect("JSON");
    let json = serde_json::to_string_pretty(&without_ids(json)).expect("JSON");
    let text = anstream::adapter::strip_str(&text).to_string();
    format!("{text}---\n{json}\n")
}

/// Of the things that were made, how many: their ids are drawn.
fn without_ids(mut report: Value) -> Value {
    let steps = report["steps"].as_array_mut().expect("steps");
    // What is done is counted, and of no interest here.
    steps.retain(|step| step["outcome"] != "done");
    for step in steps {
        step["ids"] = step["ids"].as_array().map(Vec::len).into();
    }
    // The first ones tell how the others look.
    let relocations = report["relocations"].as_array_mut();
    relocations.expect("relocations").truncate(2);
    report
}

/// Moments are of the day of the test.
pub(super) fn without_times(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-:.".contains(c);
    let mut told = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_time = word.parse::<jiff::Timestamp>().is_ok();
        told.push_str(if is_time { "<time>" } else { word });
        let end = after.find(is_part).unwrap_or(after.len());
        told.push_str(&after[..end]);
        rest = &after[end..];
    }
    told
}
