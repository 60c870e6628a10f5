//! The reference topology, its sites led to the peers, and what is done with it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use strat_arm::Arm;
use strat_aws::AwsFactory;
use strat_azure::AzureFactory;
use strat_gce::Gce;
use strat_gcp::GcpFactory;
use strat_libvirt::LibvirtFactory;
use strat_model::Kind;
use strat_provider::{Registry, TokioClock};
use stratiform::engine::{ExecuteOptions, Report};
use stratiform::planner::Change;
use stratiform::{
    AllowDataLoss, ApplyOptions, ApplyOutcome, EventSink, Inputs, Mode, Plan, PlanOptions,
    RunOptions, Session, Workspace,
};

use crate::support::filter::Filter;
use crate::support::moto::Moto;
use crate::support::peer::Peer;
use crate::support::{Token, at_aws, bystanders, peers};

const SUBSCRIPTION: &str = "00000000-0000-4000-8000-00000000a2e0";
const PROJECT: &str = "my-project";
/// How much of the memory of a rack is the shop's: a database and one of the fleet.
const ROOM_MIB: u64 = 512 + 1024 + 256;

/// The shop and all that it runs on.
pub(crate) struct Shop {
    folder: tempfile::TempDir,
    racks: [Peer; 2],
    before: Vec<Vec<String>>,
    pub(crate) azure: Arm,
    pub(crate) google: Gce,
    aws: Filter,
    // It ends with this.
    _moto: Moto,
}

/// The site of a change.
pub(crate) fn site_of(change: &Change) -> String {
    change.addr.site.to_string()
}

/// What is told of machines that could not be had where they were to be.
pub(crate) fn told(outcome: &ApplyOutcome) -> Vec<String> {
    let told = outcome.relocations.iter();
    told.map(ToString::to_string).collect()
}

/// How many machines of what is so called there are at each site, once that was applied.
fn machines(outcome: &ApplyOutcome, start: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (site, thing) in outcome.observation.inventory.resources() {
        let addr = thing.mark.as_ref().map(|mark| mark.addr.local.to_string());
        let is_it = thing.kind() == Kind::Machine;
        if is_it && addr.is_some_and(|addr| addr.starts_with(start)) {
            *found.entry(site.to_string()).or_default() += 1;
        }
    }
    found
}

/// How many of the fleet there are at each site.
pub(crate) fn web(outcome: &ApplyOutcome) -> Vec<String> {
    let found = machines(outcome, "machines.web").into_iter();
    found
        .map(|(site, count)| format!("{site}: {count}"))
        .collect()
}

/// The sites that have a gate.
pub(crate) fn gates(outcome: &ApplyOutcome) -> Vec<String> {
    machines(outcome, "machine.gate").into_keys().collect()
}

/// The memory of this machine, in MiB, as libvirt has it of a host.
fn memory_mib() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").expect("the machine's memory");
    let line = text.lines().find(|line| line.starts_with("MemTotal:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.expect("a number") / 1024
}

/// The reference topology with one block taken out and another put in.
fn with_block(text: &str, start: &str, block: &str) -> String {
    let (before, rest) = text.split_once(start).expect("the block is there");
    let (_, after) = rest.split_once("\n}\n").expect("it ends");
    format!("{before}{block}{after}")
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

impl Shop {
    pub(crate) async fn start() -> Self {
        let hosts = tokio::task::spawn_blocking(|| {
            let other = std::thread::spawn(|| Peer::start("rack2"));
            let first = Peer::start("rack1");
            ([first, other.join().expect("a host")], Moto::start())
        });
        let description = peers().join("azure/description.json");
        let options = strat_arm::Options::new(SUBSCRIPTION).with_description(description);
        let azure = Arm::start(&options).await.expect("a double of Azure");
        let options = strat_gce::Options::new(peers().join("gcp"), PROJECT);
        let google = Gce::start(&options).await.expect("a double of Google");
        let (racks, moto) = hosts.await.expect("hosts");
        let looks = racks.iter().map(|rack| bystanders::look(&rack.connect()));
        let shop = Self {
            folder: tempfile::tempdir().expect("a folder"),
            before: looks.collect(),
            racks,
            azure,
            google,
            aws: Filter::start(moto.port).await,
            _moto: moto,
        };
        shop.write();
        shop
    }

    /// Writes the reference topology: smaller, so that one machine can have both racks, with one zone and
    /// a gate in each cloud, and a third cloud.
    fn write(&self) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hybrid-shop");
        for file in ["ops.pub", "web-init.yaml"] {
            std::fs::copy(example.join(file), self.folder.path().join(file)).expect("a copy");
        }
        let root = self.folder.path().join("root.pem");
        std::fs::write(&root, self.azure.root_pem()).expect("written");
        let mut text = std::fs::read_to_string(example.join("shop.hcl")).expect("the example");
        for (from, to) in [
            (
                "cpu       = 8\n  memory    = \"32GiB\"",
                "cpu       = 1\n  memory    = \"512MiB\"",
            ),
            (
                "cpu       = 4\n  memory    = \"16GiB\"",
                "cpu       = 1\n  memory    = \"1GiB\"",
            ),
            (
                "subnet \"app\" {\n  network = network.core\n  newbits = 3\n}",
                "subnet \"app\" {\n  network = network.core\n  newbits = 3\n  internet = \"public\"\n}",
            ),
            ("size  = \"40GiB\"", "size  = \"4GiB\""),
            ("size     = \"200GiB\"", "size     = \"2GiB\""),
            ("default     = 6", "default     = 4"),
            (
                "sites       = [site.dc1, site.east, site.west]",
                "sites       = [site.dc1, site.east, site.west, site.north]",
            ),
            (
                "sites  = [site.dc1, site.east, site.west]",
                "sites  = [site.dc1, site.west, site.north, site.east]",
            ),
        ] {
            text = replaced(&text, from, to);
        }
        let [first, second] = self.racks.each_ref().map(Peer::uri);
        let reserve = memory_mib().saturating_sub(ROOM_MIB);
        let racks = format!(
            "site \"dc1\" {{\n  provider = \"libvirt\"\n  accel = \"tcg\"\n  reserve = \"{reserve}MiB\"\n  \
             overcommit = {{ cpu = 64, disk = 100 }}\n  pool_path = \"{}\"\n  \
             images = {{ debian-12 = \"debian-12.img\" }}\n  hosts = {{\n    \
             rack1 = [{{ name = \"kvm1\", uri = \"{first}\" }}]\n    \
             rack2 = [{{ name = \"kvm2\", uri = \"{second}\" }}]\n  }}\n}}\n",
            Peer::POOL_PATH
        );
        let aws = format!(
            "site \"east\" {{\n  provider = \"aws\"\n  region = \"us-east-1\"\n  \
             zones = [\"us-east-1a\"]\n  \
             endpoint = \"http://127.0.0.1:{}\"\n  consistency_ms = 0\n}}\n",
            self.aws.port
        );
        let azure = format!(
            "site \"west\" {{\n  provider = \"azure\"\n  account = \"{SUBSCRIPTION}\"\n  \
             region = \"westeurope\"\n  zones = [\"westeurope-1\"]\n  endpoint = \"{}\"\n  root_certificates = \"{}\"\n  \
             consistency_ms = 0\n}}\n",
            self.azure.endpoint(),
            root.display()
        );
        let google = format!(
            "site \"north\" {{\n  provider = \"gcp\"\n  account = \"{PROJECT}\"\n  \
             region = \"europe-west4\"\n  zones = [\"europe-west4-a\"]\n  endpoint = \"{}\"\n  consistency_ms = 0\n}}\n",
            self.google.endpoint()
        );
        text = with_block(&text, "site \"dc1\" {", &racks);
        text = with_block(&text, "site \"east\" {", &aws);
        text = with_block(&text, "site \"west\" {", &format!("{azure}\n{google}"));
        for site in ["west", "north", "east"] {
            text += &format!(
                "\nmachine \"gate-{site}\" {{\n  cpu = 2\n  memory = \"4GiB\"\n  image = \"debian-12\"\n  \
                 subnet = subnet.app\n  firewalls = [firewall.web]\n  keypair = keypair.ops\n  \
                 placement {{\n    sites = [site.{site}]\n  }}\n}}\n\
                 address \"gate-{site}\" {{\n  attach = machine.gate-{site}\n}}\n\
                 volume \"gate-{site}\" {{\n  size = \"20GiB\"\n  class = \"ssd\"\n  \
                 attach = machine.gate-{site}\n}}\n"
            );
        }
        std::fs::write(self.folder.path().join("shop.hcl"), text).expect("written");
    }

    /// The fleet is to have so many from now on, and nothing is protected any more.
    pub(crate) fn grow(&self, count: u32) {
        let file = self.folder.path().join("shop.hcl");
        let text = std::fs::read_to_string(&file).expect("the topology");
        let text = replaced(&text, "default     = 4", &format!("default     = {count}"));
        let text = replaced(&text, "protect  = true", "protect  = false");
        std::fs::write(file, text).expect("written");
    }

    async fn session(&self) -> Session {
        let keys = strat_s3::Credentials::new("test", "test", None, None, "tests");
        let registry = Registry::new()
            .with(LibvirtFactory::new())
            .with(AwsFactory::with_credentials(keys))
            .with(AzureFactory::with_credential(Arc::new(Token)))
            .with(GcpFactory::new());
        let workspace = Workspace::load(self.folder.path(), Inputs::default(), registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("the topology: {error:#?}"));
        let clock = Arc::new(TokioClock::system());
        let session = Session::connect_with(workspace, EventSink::none(), clock).await;
        session.unwrap_or_else(|error| panic!("the sites: {error:#?}"))
    }

    pub(crate) async fn plan(&self) -> Plan {
        let planned = self.session().await.plan(&PlanOptions::default()).await;
        planned
            .unwrap_or_else(|error| panic!("{error:#?}"))
            .saved
            .plan
    }

    /// Applies, and everything comes to be as it is to be.
    pub(crate) async fn apply(&self, mode: Mode) -> ApplyOutcome {
        let session = self.session().await;
        let run = session.begin(&RunOptions::new("test")).await;
        let run = run.unwrap_or_else(|error| panic!("{error:#?}"));
        let options = PlanOptions {
            mode,
            ..PlanOptions::default()
        };
        let planned = run.plan(&options).await;
        let planned = planned.unwrap_or_else(|error| panic!("{error:#?}"));
        let changes = planned.saved.plan.changes.iter().map(|change| &change.addr);
        let machines = changes.chain(planned.desired.entries.keys());
        let machines = machines.filter(|addr| addr.kind() == Kind::Machine);
        let options = ApplyOptions {
            allow_deletes: true,
            allow_data_loss: AllowDataLoss::all_of(&planned.saved),
            // The racks' guests have nothing that would shut them down.
            force_stop: machines.cloned().collect(),
            execute: ExecuteOptions {
                stop_deadline: Duration::from_secs(1),
                ..ExecuteOptions::default()
            },
            ..ApplyOptions::default()
        };
        let outcome = run.apply(&planned, &options).await;
        let outcome = outcome.unwrap_or_else(|error| panic!("{error:#?}"));
        run.end().await.expect("ends");
        let failures = outcome.reports.iter().flat_map(Report::failures);
        let failures: Vec<_> = failures
            .map(|(step, why)| format!("{}: {why}", step.addr))
            .collect();
        let relocated = told(&outcome);
        assert!(
            outcome.is_success(),
            "{mode:?}: {failures:#?} {relocated:#?}"
        );
        outcome
    }

    /// Changes something at each of the four behind the shop's back.
    pub(crate) async fn disturb(&self) {
        let gates = self.azure.ids("virtualMachines");
        let gate = gates.iter().find(|id| id.contains("gate"));
        let is_done = self.azure.edit(gate.expect("a gate"), |one| {
            one["tags"]["team"] = json!("others");
        });
        assert!(is_done);
        let firewalls = self.google.paths(PROJECT, "firewalls");
        let rules: Vec<_> = firewalls
            .iter()
            .filter(|path| path.contains("-web-"))
            .collect();
        assert!(!rules.is_empty(), "{firewalls:?}");
        for rule in rules {
            let is_done = self.google.edit(rule, |one| {
                one.insert("disabled".to_owned(), json!(true));
            });
            assert!(is_done);
        }
        let domains = self.racks[0].connect().list_all_domains(0);
        let mut domains = domains.expect("the machines").into_iter();
        let database = domains.find(|one| one.name().is_ok_and(|name| name.contains("db")));
        database.expect("a database").destroy().expect("it is off");
        at_aws(self.aws.port, "disturb");
    }

    /// Fails if anything of the shop is left anywhere, or anything else is not as it was.
    pub(crate) async fn is_gone(&self) {
        for word in [
            "virtualMachines",
            "networkInterfaces",
            "disks",
            "publicIPAddresses",
            "networkSecurityGroups",
            "applicationSecurityGroups",
            "virtualNetworks",
            "sshPublicKeys",
        ] {
            assert_eq!(self.azure.ids(word), Vec::<String>::new());
        }
        for collection in [
            "instances",
            "disks",
            "addresses",
            "firewalls",
            "subnetworks",
            "networks",
        ] {
            assert_eq!(self.google.paths(PROJECT, collection), Vec::<String>::new());
        }
        at_aws(self.aws.port, "gone");
        for (rack, before) in self.racks.iter().zip(&self.before) {
            let connection = rack.connect();
            let domains = connection.list_all_domains(0).expect("the machines");
            assert_eq!(domains.len(), 1, "the bystander");
            let networks = connection.list_all_networks(0).expect("the networks");
            let names: Vec<_> = networks
                .iter()
                .map(|one| one.name().expect("a name"))
                .collect();
            assert!(
                names.contains(&"bystander".to_owned()) && names.len() <= 2,
                "{names:?}"
            );
            assert_eq!(bystanders::look(&connection), *before);
        }
    }
}
