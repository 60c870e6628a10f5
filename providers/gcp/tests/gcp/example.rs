//! The example `examples/hybrid-shop-gcp`, from nothing to nothing, looked at from outside. AWS is
//! simulated here: a provider knows no other.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use strat_gcp::GcpFactory;
use strat_provider::{Registry, TokioClock};
use strat_sim::SimFactory;
use stratiform::{
    ApplyOptions, EventSink, Inputs, Mode, Plan, PlanOptions, RunOptions, Session, Workspace,
};

use crate::harness::{Google, PROJECT, REGION};
use crate::role::role;

/// Machines of the fleet: twelve fit the racks, the rest goes to the cloud.
const WEB: u32 = 20;

/// What of the least role this shop does not come to: images of one's own, a volume that is let go of, what
/// `strat doctor` asks, and a bucket that becomes another.
const SPARE: [&str; 6] = [
    "compute.images.get",
    "compute.images.getFromFamily",
    "compute.images.useReadOnly",
    "compute.instances.detachDisk",
    "resourcemanager.projects.get",
    "storage.buckets.update",
];

struct Shop {
    folder: tempfile::TempDir,
    google: Google,
    others: SimFactory,
}

impl Shop {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hybrid-shop-gcp");
        for file in ["shop.hcl", "ops.pub", "web-init.yaml"] {
            std::fs::copy(example.join(file), folder.path().join(file)).expect("a copy");
        }
        let shop = Self {
            folder,
            google: Google::start().await,
            others: SimFactory::new(),
        };
        // What is done here is done under the least role, and no permission more.
        let role = role();
        let role: Vec<&str> = role.iter().map(String::as_str).collect();
        shop.google.gce.grant_only(Some(&role));
        let simulated = "provider = \"sim\"\n  profile  = \"aws\"\n  consistency_ms = 0";
        shop.rewrite("provider = \"aws\"", simulated);
        shop.rewrite(
            "endpoint = var.endpoint",
            "endpoint = var.endpoint\n  consistency_ms = 0",
        );
        shop
    }

    fn rewrite(&self, from: &str, to: &str) {
        let file = self.folder.path().join("shop.hcl");
        let text = std::fs::read_to_string(&file).expect("the example");
        assert!(text.contains(from), "{from}");
        std::fs::write(file, text.replace(from, to)).expect("written");
    }

    async fn session(&self) -> Session {
        let registry = Registry::new()
            .with(self.others.clone())
            .with(GcpFactory::new());
        let mut inputs = Inputs::default();
        inputs
            .vars
            .insert("endpoint".to_owned(), self.google.gce.endpoint());
        inputs.vars.insert("web_count".to_owned(), WEB.to_string());
        let workspace = Workspace::load(self.folder.path(), inputs, registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("the example: {error:#?}"));
        let clock = Arc::new(TokioClock::system());
        let session = Session::connect_with(workspace, EventSink::none(), clock).await;
        session.expect("the sites answer")
    }

    async fn plan(&self) -> Plan {
        let planned = self.session().await.plan(&PlanOptions::default()).await;
        planned.expect("a plan").saved.plan
    }

    async fn apply(&self, mode: Mode) -> Plan {
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
        let options = ApplyOptions {
            allow_deletes: true,
            allow_data_loss: stratiform::AllowDataLoss::all_of(&planned.saved),
            ..ApplyOptions::default()
        };
        let outcome = run.apply(&planned, &options).await.expect("applies");
        run.end().await.expect("ends");
        let failures = outcome
            .reports
            .iter()
            .flat_map(stratiform::engine::Report::failures);
        let failures: Vec<_> = failures
            .map(|(step, why)| format!("{}: {why}", step.addr))
            .collect();
        assert!(outcome.is_success(), "{failures:#?}");
        planned.saved.plan
    }

    /// The paths of all things of a collection.
    fn paths(&self, collection: &str) -> Vec<String> {
        self.google.gce.paths(PROJECT, collection)
    }

    /// Changes every thing of a collection whose path has this word.
    fn edit(&self, collection: &str, word: &str, change: impl Fn(&mut serde_json::Value)) {
        let paths = self.paths(collection);
        let meant: Vec<_> = paths.iter().filter(|path| path.contains(word)).collect();
        assert!(!meant.is_empty(), "{word} in {paths:?}");
        for path in meant {
            self.google.gce.edit(path, |fields| {
                let mut value = json!(fields);
                change(&mut value);
                *fields = value.as_object().expect("an object").clone();
            });
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_is_applied_drifts_is_repaired_and_goes() {
    let shop = Shop::new().await;
    let foreign = json!({ "name": "not-ours" });
    let path = format!("compute/v1/projects/{PROJECT}/regions/{REGION}/addresses");
    shop.google.post(&path, foreign).await;

    shop.apply(Mode::Apply).await;
    let again = shop.plan().await;
    assert!(again.is_empty(), "apply, then plan: {:#?}", again.changes);
    assert_eq!(
        shop.paths("instances").len(),
        9,
        "eight of the fleet, and the gate"
    );
    assert_eq!(shop.paths("networks").len(), 1);

    // What others do by the console, in each thing that can be read.
    shop.edit("instances", "gate", |one| {
        one["labels"]["team"] = json!("others");
        one["tags"]["items"] = json!(["http-server"]);
    });
    // A machine's own disk has the machine's name; the volume is the one with a mark.
    shop.edit("disks", "gate", |one| {
        if one["labels"]["stratiform-owner"].is_string() {
            one["labels"]["env"] = json!("others");
        }
    });
    shop.edit("addresses", "shop-", |one| {
        one["labels"]["env"] = json!("others");
    });
    shop.edit("firewalls", "-web-", |one| one["disabled"] = json!(true));
    let drift = shop.plan().await;
    assert!(drift.drift().count() >= 4, "{:#?}", drift.changes);
    shop.apply(Mode::Apply).await;
    let again = shop.plan().await;
    assert!(
        again.is_empty(),
        "repaired, then planned: {:#?}",
        again.changes
    );

    // What is changed in place: a type, for which the machine stops, and a disk.
    shop.rewrite("memory    = \"4GiB\"", "memory    = \"8GiB\"");
    shop.rewrite("size   = \"20GiB\"", "size   = \"30GiB\"");
    shop.rewrite("protect  = true", "protect  = false");
    let gate = shop
        .paths("instances")
        .into_iter()
        .find(|path| path.contains("gate"));
    shop.apply(Mode::Apply).await;
    assert!(
        shop.paths("instances")
            .iter()
            .any(|path| Some(path) == gate.as_ref())
    );
    let again = shop.plan().await;
    assert!(
        again.is_empty(),
        "changed, then planned: {:#?}",
        again.changes
    );
    shop.apply(Mode::Destroy).await;
    for collection in ["instances", "disks", "firewalls", "subnetworks", "networks"] {
        assert_eq!(shop.paths(collection), Vec::<String>::new());
    }
    let left = shop.paths("addresses");
    assert!(
        left.len() == 1 && left[0].ends_with("/not-ours"),
        "{left:?}"
    );
    // Nothing of the role is too much but what no shop of this kind comes to.
    let needed = shop.google.gce.take_needed();
    let spare: Vec<String> = role().difference(&needed).cloned().collect();
    assert_eq!(spare, SPARE, "{needed:#?}");
    let project = shop.google.project(PROJECT).await;
    assert_eq!(project["name"], PROJECT, "{project}");
    let metadata = project["commonInstanceMetadata"].to_string();
    assert!(!metadata.contains("stratiform-key"), "{metadata}");
}
