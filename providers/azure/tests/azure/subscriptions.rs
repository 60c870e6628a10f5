//! One topology over two subscriptions.

use std::sync::Arc;

use strat_provider::{Registry, TokioClock};
use stratiform::{
    ApplyOptions, EventSink, Inputs, Mode, Plan, PlanOptions, RunOptions, Session, Workspace,
};

use crate::harness::{Azure, REGION, SUBSCRIPTION, factory};

const OTHER: &str = "00000000-0000-4000-8000-00000000b0b0";

/// All that a site's resource group, and its lease, may have things of.
const KINDS: [&str; 9] = [
    "virtualMachines",
    "networkInterfaces",
    "disks",
    "publicIPAddresses",
    "networkSecurityGroups",
    "applicationSecurityGroups",
    "virtualNetworks",
    "sshPublicKeys",
    "storageAccounts",
];

struct Pair {
    folder: tempfile::TempDir,
    azure: Azure,
}

impl Pair {
    /// Two sites of one region, each of a subscription of its own, and the same things at both.
    async fn new() -> Self {
        let azure = Azure::start().await;
        azure.arm.add_subscription(OTHER);
        let folder = tempfile::tempdir().expect("a folder");
        let site = |name: &str, subscription: &str| {
            format!(
                r#"
site "{name}" {{
  provider          = "azure"
  account           = "{subscription}"
  region            = "{REGION}"
  zones             = ["{REGION}-1"]
  endpoint          = "{}"
  root_certificates = "{}"
  consistency_ms    = 0
}}
bucket "assets-{name}" {{
  site = site.{name}
}}
machine "gate-{name}" {{
  cpu       = 1
  memory    = "1GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  keypair   = keypair.ops
  placement {{ sites = [site.{name}] }}
}}
address "gate-{name}" {{
  attach = machine.gate-{name}
}}
volume "gate-{name}" {{
  size   = "8GiB"
  class  = "ssd"
  attach = machine.gate-{name}
}}
"#,
                azure.arm.endpoint(),
                azure.folder.path().join("root.pem").display()
            )
        };
        let text = format!(
            r#"
topology "pair" {{
  lineage = "aaaaaaaaaaaaaaaa"
  labels  = {{ team = "shop" }}
}}
{}{}
network "core" {{
  cidr        = "10.40.0.0/16"
  site_prefix = 20
  sites       = [site.first, site.second]
}}
subnet "app" {{
  network = network.core
  newbits = 4
}}
firewall "web" {{
  network = network.core
  ingress "http" {{
    from     = ["internet"]
    protocol = "tcp"
    ports    = [80]
  }}
}}
keypair "ops" {{
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9fKq1D1dR5N8T0nF2eJ4F1yZ5Xv0aQ7b8d3h6k2m9P"
}}
"#,
            site("first", SUBSCRIPTION),
            site("second", OTHER)
        );
        std::fs::write(folder.path().join("pair.hcl"), text).expect("written");
        Self { folder, azure }
    }

    async fn session(&self) -> Session {
        let registry = Registry::new().with(factory());
        let workspace = Workspace::load(self.folder.path(), Inputs::default(), registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("the topology: {error:#?}"));
        let clock = Arc::new(TokioClock::system());
        let session = Session::connect_with(workspace, EventSink::none(), clock).await;
        session.expect("the sites answer")
    }

    async fn plan(&self) -> Plan {
        let planned = self.session().await.plan(&PlanOptions::default()).await;
        planned.expect("a plan").saved.plan
    }

    async fn apply(&self, mode: Mode) {
        let session = self.session().await;
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
        assert!(outcome.is_success(), "{mode:?}");
    }

    /// The things of a kind below a path.
    fn below(&self, path: &str, of: &str) -> Vec<String> {
        let path = format!("{path}/").to_lowercase();
        let mut all = self.azure.arm.ids(of);
        all.retain(|id| id.to_lowercase().starts_with(&path));
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_subscriptions_are_one_topology_and_each_thing_is_in_its_own() {
    let pair = Pair::new().await;
    let sites = [("first", SUBSCRIPTION), ("second", OTHER)];
    pair.apply(Mode::Apply).await;
    let again = pair.plan().await;
    assert!(again.is_empty(), "apply, then plan: {:#?}", again.changes);
    for of in KINDS {
        let mut known = 0;
        for (site, subscription) in sites {
            let group =
                format!("/subscriptions/{subscription}/resourceGroups/stratiform_pair_{site}");
            let leases = format!("/subscriptions/{subscription}/resourceGroups/stratiform-leases");
            let (own, kept) = (pair.below(&group, of), pair.below(&leases, of));
            // A gate has two disks: its own, and the volume.
            let wanted = if of == "disks" { 2 } else { 1 };
            assert_eq!(own.len(), wanted, "{site}: {own:?}");
            assert_eq!(
                kept.len(),
                usize::from(of == "storageAccounts"),
                "{site}: {kept:?}"
            );
            known += own.len() + kept.len();
        }
        let all = pair.azure.arm.ids(of);
        assert_eq!(all.len(), known, "nothing is anywhere else: {all:?}");
    }

    // What somebody does in one of them is told of that site alone.
    let gate = format!(
        "/subscriptions/{OTHER}/resourceGroups/stratiform_pair_second/providers/\
         Microsoft.Compute/virtualMachines/"
    );
    let all = pair.azure.arm.ids("virtualMachines");
    let meant = all.iter().find(|id| id.starts_with(&gate));
    assert!(pair.azure.arm.edit(meant.expect("a gate"), |one| {
        one["tags"]["team"] = serde_json::json!("others");
    }));
    let drift = pair.plan().await;
    let told: Vec<String> = drift.drift().map(|one| one.addr.to_string()).collect();
    assert_eq!(told, ["machine.gate-second@second"]);

    pair.apply(Mode::Destroy).await;
    for of in KINDS {
        let left = pair.azure.arm.ids(of);
        let wanted = if of == "storageAccounts" { 2 } else { 0 };
        assert_eq!(left.len(), wanted, "the accounts of leases alone: {left:?}");
        assert!(
            left.iter().all(|id| id.contains("/stratiform-leases/")),
            "{left:?}"
        );
    }
}
