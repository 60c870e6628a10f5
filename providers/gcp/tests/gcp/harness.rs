//! How the tests reach a site.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};
use strat_conformance::{Harness, OutsideRows, Partners};
use strat_gce::{Gce, Options};
use strat_gcp::GcpFactory;
use strat_model::{
    Bytes, CapacityKind, Field, ImageRef, Kind, Labels, MachineSpec, Name, Offer, Resource,
    ResourceId, SiteSpec,
};
use strat_provider::{ConnectContext, Provider, ProviderFactory, TokioClock};

use crate::outside::{self, Hand};

/// The project of all tests.
pub(crate) const PROJECT: &str = "my-project";
/// The region of all tests.
pub(crate) const REGION: &str = "europe-west4";
/// The zone of what tests make.
pub(crate) const ZONE: &str = "europe-west4-a";

/// A site on a double of its own.
pub(crate) struct Google {
    pub(crate) gce: Gce,
    run_id: String,
    /// Somebody with Google's own client, once there is anything to do.
    hand: Mutex<Option<Hand>>,
}

/// Where Google's description of its API is.
#[expect(
    clippy::disallowed_methods,
    reason = "tests look where the peers were installed"
)]
pub(crate) fn peers() -> PathBuf {
    let own = || {
        PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/stratiform/peers")
    };
    std::env::var_os("STRAT_PEERS_DIR")
        .map_or_else(own, PathBuf::from)
        .join("gcp")
}

impl Google {
    pub(crate) async fn start() -> Self {
        Self::with_projects(&[PROJECT]).await
    }

    pub(crate) async fn with_projects(projects: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let options = Options {
            projects: projects.iter().map(|one| (*one).to_owned()).collect(),
            ..Options::new(peers(), PROJECT)
        };
        let gce = Gce::start(&options).await;
        Self {
            gce: gce.expect("a double"),
            run_id: format!("run{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            hand: Mutex::default(),
        }
    }

    /// Changes something as somebody does with Google's own client.
    pub(crate) async fn by_hand(&self, what: Value) {
        // The double answers on the runtime of this thread: the client is waited for on another.
        let hand = || self.hand.lock().unwrap_or_else(PoisonError::into_inner);
        let known = hand().take();
        let mut started = known.unwrap_or_else(|| Hand::start(self));
        let changed = tokio::task::spawn_blocking(move || {
            started.change(&what);
            started
        });
        let changed = changed.await.expect("the change is made");
        *hand() = Some(changed);
    }

    /// The site's block. The double's lists do not lag.
    pub(crate) fn site(&self) -> SiteSpec {
        let settings = json!({ "endpoint": self.gce.endpoint(), "consistency_ms": 0 });
        SiteSpec {
            region: Some(REGION.to_owned()),
            account: Some(PROJECT.to_owned()),
            settings: settings.as_object().expect("an object").clone(),
            ..SiteSpec::new(Name::new("here").expect("a name"), "gcp")
        }
    }

    /// A call past the provider, as anybody makes it.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/{path}", self.gce.endpoint());
        let answer = client().post(url).json(&body).send().await;
        let answer: Value = answer.expect("an answer").json().await.expect("JSON");
        assert!(answer.get("error").is_none(), "{path}: {answer}");
        answer
    }

    /// What the double has of a project.
    pub(crate) async fn project(&self, project: &str) -> Value {
        let url = format!("{}/compute/v1/projects/{project}", self.gce.endpoint());
        let answer = client().get(url).send().await;
        answer.expect("an answer").json().await.expect("JSON")
    }

    /// The same, of something that Compute Engine makes; waits until it is made.
    async fn make(&self, scope: &str, collection: &str, body: Value) {
        let path = format!("compute/v1/projects/{PROJECT}/{scope}");
        let operation = self.post(&format!("{path}/{collection}"), body).await;
        let name = operation["name"].as_str().expect("an operation");
        let done = self
            .post(&format!("{path}/operations/{name}/wait"), json!({}))
            .await;
        assert_eq!(done["status"], "DONE", "{done}");
        assert!(done.get("error").is_none(), "{done}");
    }

    fn url(collection: &str, name: &str) -> String {
        format!("projects/{PROJECT}/{collection}/{name}")
    }
}

/// Whatever a test is about, Google's description of its API takes every request that was sent.
impl Drop for Google {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.gce.violations(), Vec::<String>::new());
        }
    }
}

/// A small machine in a subnet.
pub(crate) fn machine_spec(subnet: &ResourceId) -> MachineSpec<ResourceId> {
    let image = "projects/debian-cloud/global/images/family/debian-12";
    MachineSpec {
        machine_type: "e2-small".to_owned(),
        cpu: 2,
        memory: Bytes::gib(2),
        capacity: CapacityKind::OnDemand,
        zone: ZONE.parse().expect("a zone"),
        image: ImageRef::Named {
            name: "debian-12".to_owned(),
            id: ResourceId::from(image),
        },
        subnet: subnet.clone(),
        firewalls: strat_model::Shared::new(),
        keypair: None,
        user_data: None,
        disks: Vec::new(),
        public_ip: None,
        labels: Labels::new(),
    }
}

/// A client of HTTP.
fn client() -> reqwest::Client {
    // As the provider does; whoever is first sets it for all.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Connects to a site.
pub(crate) async fn connect(site: &SiteSpec) -> Arc<dyn Provider> {
    let context = ConnectContext {
        base_dir: PathBuf::new(),
        clock: Arc::new(TokioClock::system()),
    };
    GcpFactory::new()
        .connect(site, &context)
        .await
        .expect("a site")
}

#[async_trait]
impl Harness for Google {
    async fn provider(&self) -> Arc<dyn Provider> {
        connect(&self.site()).await
    }

    fn run_id(&self) -> String {
        self.run_id.clone()
    }

    fn patience(&self) -> std::time::Duration {
        std::time::Duration::from_secs(20)
    }

    fn may_buy(&self, offer: &Offer) -> bool {
        offer.cpu <= 2 && offer.machine_type.starts_with("e2-")
    }

    async fn make_foreign(&self, kind: Kind, name: &str) -> Option<ResourceId> {
        let network = Self::url("global/networks", &format!("{}-ground-net", self.run_id));
        let subnet = format!("{}-ground-sub", self.run_id);
        let subnet = Self::url(&format!("regions/{REGION}/subnetworks"), &subnet);
        let (region, zone) = (format!("regions/{REGION}"), format!("zones/{ZONE}"));
        match kind {
            Kind::Network => {
                let body = json!({ "name": name, "autoCreateSubnetworks": false });
                self.make("global", "networks", body).await;
            }
            Kind::Subnet => {
                let body =
                    json!({ "name": name, "network": network, "ipCidrRange": "10.77.99.0/24" });
                self.make(&region, "subnetworks", body).await;
            }
            Kind::Firewall => {
                let body = json!({
                    "name": name, "network": network, "sourceRanges": ["10.0.0.0/8"],
                    "allowed": [{ "IPProtocol": "tcp", "ports": ["22"] }],
                });
                self.make("global", "firewalls", body).await;
            }
            Kind::Address => {
                let body = json!({ "name": name });
                self.make(&region, "addresses", body).await;
            }
            Kind::Volume => {
                let body = json!({ "name": name, "sizeGb": "10" });
                self.make(&zone, "disks", body).await;
                return Some(ResourceId::from(format!("{ZONE}/{name}")));
            }
            Kind::Machine => {
                let image = "projects/debian-cloud/global/images/family/debian-12";
                let body = json!({
                    "name": name,
                    "machineType": Self::url(&format!("{zone}/machineTypes"), "e2-small"),
                    "disks": [{
                        "boot": true, "autoDelete": true,
                        "initializeParams": { "sourceImage": image },
                    }],
                    "networkInterfaces": [{ "subnetwork": subnet }],
                });
                self.make(&zone, "instances", body).await;
                return Some(ResourceId::from(format!("{ZONE}/{name}")));
            }
            Kind::Bucket => {
                let body = json!({ "name": name, "location": REGION });
                self.post(&format!("storage/v1/b?project={PROJECT}"), body)
                    .await;
            }
            Kind::Keypair | Kind::Image => return None,
        }
        Some(ResourceId::from(name))
    }

    async fn lose_next_answer(&self, operation: &str) -> bool {
        let method = match operation {
            "create_network" => "networks.insert",
            "create_subnet" => "subnetworks.insert",
            "create_firewall" => "firewalls.insert",
            "create_address" => "addresses.insert",
            "create_keypair" => "projects.setCommonInstanceMetadata",
            "create_machines" => "instances.insert",
            "create_volume" => "disks.insert",
            "create_bucket" => "storage.buckets.insert",
            _ => return false,
        };
        self.gce.lose(method, 1);
        true
    }

    async fn leave_stock(&self, machine_type: &str, zone: &Name, left: u64) -> bool {
        self.gce.leave_stock(machine_type, zone.as_str(), left);
        true
    }

    async fn leave_quota(&self, cpus: u64) -> bool {
        let more = f64::from(u32::try_from(cpus).expect("a small number"));
        self.gce.set_quota(REGION, "CPUS", more);
        true
    }

    async fn stop_machine(&self, id: &ResourceId) -> bool {
        let (zone, name) = id.as_str().split_once('/').expect("a machine's id");
        let path = format!("compute/v1/projects/{PROJECT}/zones/{zone}");
        let operation = self
            .post(&format!("{path}/instances/{name}/stop"), json!({}))
            .await;
        let operation = operation["name"].as_str().expect("an operation").to_owned();
        self.post(&format!("{path}/operations/{operation}/wait"), json!({}))
            .await;
        true
    }

    fn outside_rows(&self) -> Option<OutsideRows> {
        Some(outside::ROWS)
    }

    async fn change_outside(&self, thing: &Resource, field: Field, partners: &Partners) -> bool {
        let Some(what) = outside::of(thing, field, partners) else {
            return false;
        };
        self.by_hand(what).await;
        true
    }

    async fn fill_bucket(&self, id: &ResourceId, full: bool) -> bool {
        let base = self.gce.endpoint();
        if full {
            let path = format!("upload/storage/v1/b/{id}/o?uploadType=media&name=an-object");
            self.post(&path, json!({ "some": "content" })).await;
        } else {
            let url = format!("{base}/storage/v1/b/{id}/o/an-object");
            let gone = client().delete(url).send().await.expect("an answer");
            assert!(gone.status().is_success(), "{gone:?}");
        }
        true
    }
}
