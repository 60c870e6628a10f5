//! The example `examples/hybrid-shop-azure`, from nothing to nothing, looked at from outside. AWS is
//! simulated here: a provider knows no other.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use strat_provider::{Registry, TokioClock};
use strat_sim::SimFactory;
use stratiform::{
    ApplyOptions, EventSink, Inputs, Mode, Plan, PlanOptions, RunOptions, Session, Workspace,
};

use crate::harness::{Azure, REGION, SUBSCRIPTION, factory, group};

/// Machines of the fleet: twelve fit the racks, the rest goes to the cloud.
const WEB: u32 = 20;

struct Shop {
    folder: tempfile::TempDir,
    azure: Azure,
    others: SimFactory,
}

impl Shop {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let example =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hybrid-shop-azure");
        for file in ["shop.hcl", "ops.pub", "web-init.yaml"] {
            std::fs::copy(example.join(file), folder.path().join(file)).expect("a copy");
        }
        let shop = Self {
            folder,
            azure: Azure::start().await,
            others: SimFactory::new(),
        };
        let simulated = "provider = \"sim\"\n  profile  = \"aws\"\n  consistency_ms = 0";
        shop.rewrite("provider = \"aws\"", simulated);
        let root = shop.azure.folder.path().join("root.pem");
        let more = format!(
            "consistency_ms = 0\n  root_certificates = \"{}\"",
            root.display()
        );
        let endpoint = "endpoint = var.endpoint";
        shop.rewrite(endpoint, &format!("{endpoint}\n  {more}"));
        shop
    }

    fn rewrite(&self, from: &str, to: &str) {
        let file = self.folder.path().join("shop.hcl");
        let text = std::fs::read_to_string(&file).expect("the example");
        assert!(text.contains(from), "{from}");
        std::fs::write(file, text.replace(from, to)).expect("written");
    }

    async fn session(&self) -> Session {
        let registry = Registry::new().with(self.others.clone()).with(factory());
        let mut inputs = Inputs::default();
        inputs
            .vars
            .insert("endpoint".to_owned(), self.azure.arm.endpoint());
        inputs
            .vars
            .insert("subscription".to_owned(), SUBSCRIPTION.to_owned());
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

    /// Changes every thing of a type whose path has this word.
    fn edit(&self, of: &str, word: &str, change: impl Fn(&mut serde_json::Map<String, Value>)) {
        let paths = self.azure.arm.ids(of);
        let meant: Vec<_> = paths.iter().filter(|path| path.contains(word)).collect();
        assert!(!meant.is_empty(), "{word} in {paths:?}");
        for path in meant {
            assert!(self.azure.arm.edit(path, &change), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_is_applied_drifts_is_repaired_and_goes() {
    let shop = Shop::new().await;
    let foreign = format!(
        "{}/providers/Microsoft.Network/publicIPAddresses/not-ours",
        group("ops")
    );
    shop.azure
        .put(&group("ops"), "2025-04-01", json!({ "location": REGION }))
        .await;
    let body = json!({
        "location": REGION, "sku": { "name": "Standard" },
        "properties": { "publicIPAllocationMethod": "Static" },
    });
    shop.azure.put(&foreign, "2026-03-01", body).await;

    shop.apply(Mode::Apply).await;
    let again = shop.plan().await;
    assert!(again.is_empty(), "apply, then plan: {:#?}", again.changes);
    let machines = shop.azure.arm.ids("virtualMachines");
    assert_eq!(
        machines.len(),
        9,
        "eight of the fleet, and the gate: {machines:?}"
    );
    assert!(
        machines
            .iter()
            .all(|id| id.contains("/stratiform_shop_west/")),
        "{machines:?}"
    );

    // What others do in the portal, in each thing that can be read.
    shop.edit("virtualMachines", "gate", |one| {
        one["tags"]["team"] = json!("others");
    });
    for (of, kind) in [("disks", "volume."), ("publicIPAddresses", "address.")] {
        shop.edit(of, "/shop-gate-", |one| {
            let addr = one["tags"]["stratiform:addr"].as_str().unwrap_or_default();
            if addr.starts_with(kind) {
                one["tags"]["env"] = json!("others");
            }
        });
    }
    shop.edit("virtualNetworks", "core", |one| {
        one["tags"]["env"] = json!("others");
    });
    shop.edit("securityRules", ".in.http", |one| {
        one["properties"]["access"] = json!("Deny");
    });
    let drift = shop.plan().await;
    assert!(drift.drift().count() >= 4, "{:#?}", drift.changes);
    shop.apply(Mode::Apply).await;
    let again = shop.plan().await;
    assert!(
        again.is_empty(),
        "repaired, then planned: {:#?}",
        again.changes
    );

    shop.rewrite("protect  = true", "protect  = false");
    shop.apply(Mode::Apply).await;
    shop.apply(Mode::Destroy).await;
    for of in [
        "virtualMachines",
        "networkInterfaces",
        "disks",
        "networkSecurityGroups",
        "applicationSecurityGroups",
        "virtualNetworks",
        "sshPublicKeys",
    ] {
        assert_eq!(shop.azure.arm.ids(of), Vec::<String>::new());
    }
    let left = shop.azure.arm.ids("publicIPAddresses");
    assert!(
        left.len() == 1 && left[0].ends_with("/not-ours"),
        "{left:?}"
    );
    // The account of the leases stays, and no other.
    assert_eq!(shop.azure.arm.ids("storageAccounts").len(), 1);
}
