//! How the tests reach a site.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use serde_json::{Value, json};
use strat_arm::{Arm, Options};
use strat_azure::AzureFactory;
use strat_conformance::{Harness, OutsideRows, Partners};
use strat_model::{
    Bytes, CapacityKind, Field, ImageRef, Kind, Labels, MachineSpec, Name, Offer, Resource,
    ResourceId, SiteSpec,
};
use strat_provider::{ConnectContext, Provider, ProviderFactory, TokioClock};

use crate::azurite::Azurite;
use crate::outside::{self, Hand};

/// The subscription of all tests.
pub(crate) const SUBSCRIPTION: &str = "00000000-0000-4000-8000-00000000a2e0";
/// The region of all tests.
pub(crate) const REGION: &str = "westeurope";
/// The zone of what tests make.
pub(crate) const ZONE: &str = "westeurope-1";
/// The group that the conformance suite works in: one for several owners.
pub(crate) const GROUP: &str = "conformance";
/// A size that is sold in every zone.
pub(crate) const SIZE: &str = "Standard_B1s";

/// A site on a double of its own.
pub(crate) struct Azure {
    pub(crate) arm: Arm,
    pub(crate) folder: tempfile::TempDir,
    run_id: String,
    /// The token for blobs, where they are another server's.
    blob_token: Option<String>,
    /// One client for all that is done past the provider.
    client: OnceLock<reqwest::Client>,
    /// Somebody with Microsoft's own clients, once there is anything to do.
    hand: Mutex<Option<Hand>>,
}

/// The token that the double takes, and another one for blobs where they are another server's.
#[derive(Debug, Default)]
pub(crate) struct Token {
    blobs: Option<String>,
}

#[async_trait]
impl TokenCredential for Token {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let end =
            azure_core::time::OffsetDateTime::now_utc() + azure_core::time::Duration::hours(1);
        let blobs = self.blobs.as_ref();
        let blobs = blobs.filter(|_| scopes == ["https://storage.azure.com/.default"]);
        let token = blobs.map_or(strat_arm::TOKEN, String::as_str);
        Ok(AccessToken::new(token.to_owned(), end))
    }
}

/// A factory whose sites are believed by the double.
pub(crate) fn factory() -> AzureFactory {
    AzureFactory::with_credential(Arc::new(Token::default()))
}

/// Where Microsoft's own clients and what their types say are.
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
        .join("azure")
}

impl Azure {
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// A site whose blobs are this server's, where one is named.
    pub(crate) async fn start_with(blobs: Option<&Azurite>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut options =
            Options::new(SUBSCRIPTION).with_description(peers().join("description.json"));
        options.blobs = blobs.map(Azurite::blobs);
        let arm = Arm::start(&options).await.expect("a double");
        let folder = tempfile::tempdir().expect("a folder");
        let other = blobs.map_or("", Azurite::root);
        let roots = format!("{}{other}", arm.root_pem());
        std::fs::write(folder.path().join("root.pem"), roots).expect("written");
        let azure = Self {
            arm,
            folder,
            blob_token: blobs.map(|blobs| blobs.token.clone()),
            client: OnceLock::new(),
            hand: Mutex::default(),
            run_id: format!("run{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        };
        azure
            .put(&group(GROUP), "2025-04-01", json!({ "location": REGION }))
            .await;
        azure
    }

    /// The settings that reach the double. Its lists do not lag.
    pub(crate) fn settings(&self) -> Value {
        json!({
            "endpoint": self.arm.endpoint(),
            "root_certificates": "root.pem",
            "consistency_ms": 0,
        })
    }

    /// The site's block.
    pub(crate) fn site(&self) -> SiteSpec {
        let mut settings = self.settings();
        settings["resource_group"] = json!(GROUP);
        site(&settings)
    }

    /// A call past the provider, as anybody makes it; waits until it is done.
    pub(crate) async fn put(&self, path: &str, version: &str, body: Value) -> Value {
        let url = format!("{}{path}?api-version={version}", self.arm.endpoint());
        let client = self.client();
        let sent = client
            .put(&url)
            .bearer_auth(strat_arm::TOKEN)
            .json(&body)
            .send();
        let answer = sent.await.expect("an answer");
        assert!(
            answer.status().is_success(),
            "{path}: {}",
            answer.text().await.expect("text")
        );
        loop {
            let got = client.get(&url).bearer_auth(strat_arm::TOKEN).send().await;
            let seen: Value = got.expect("an answer").json().await.expect("JSON");
            let state = seen["properties"]["provisioningState"]
                .as_str()
                .unwrap_or("Succeeded");
            match state {
                "Succeeded" => return seen,
                "Failed" => panic!("{path}: {seen}"),
                _ => tokio::task::yield_now().await,
            }
        }
    }

    /// From now on, whoever connects gives a token for blobs that is for somebody else.
    pub(crate) fn forget_blob_token(&mut self) {
        self.blob_token = None;
    }

    /// A client of HTTP that believes the double.
    pub(crate) fn client(&self) -> reqwest::Client {
        let make = || {
            // As the provider does; whoever is first sets it for all.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let roots = std::fs::read(self.folder.path().join("root.pem")).expect("the roots");
            let roots = reqwest::Certificate::from_pem_bundle(&roots).expect("roots");
            let client = reqwest::Client::builder().tls_certs_merge(roots).build();
            client.expect("a client")
        };
        self.client.get_or_init(make).clone()
    }

    /// Connects to a site.
    pub(crate) async fn connect(&self, site: &SiteSpec) -> Arc<dyn Provider> {
        let context = ConnectContext {
            base_dir: self.folder.path().to_owned(),
            clock: Arc::new(TokioClock::system()),
        };
        let token = Token {
            blobs: self.blob_token.clone(),
        };
        let factory = AzureFactory::with_credential(Arc::new(token));
        factory.connect(site, &context).await.expect("a site")
    }
}

/// A block with these settings.
pub(crate) fn site(settings: &Value) -> SiteSpec {
    SiteSpec {
        region: Some(REGION.to_owned()),
        account: Some(SUBSCRIPTION.to_owned()),
        settings: settings.as_object().expect("an object").clone(),
        ..SiteSpec::new(Name::new("here").expect("a name"), "azure")
    }
}

/// The path of a resource group.
pub(crate) fn group(name: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}")
}

/// The path of a thing of the group of tests.
pub(crate) fn thing(of: &str, name: &str) -> String {
    format!("{}/providers/{of}/{name}", group(GROUP))
}

/// Whatever a test is about, Microsoft's own types take every request that was sent, and what was
/// answered; and what was refused changed nothing.
impl Drop for Azure {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.arm.violations(), Vec::<String>::new());
            assert_eq!(self.arm.flaws(), Vec::<String>::new());
        }
    }
}

/// A small machine in a subnet.
pub(crate) fn machine_spec(subnet: &ResourceId, image: &ResourceId) -> MachineSpec<ResourceId> {
    MachineSpec {
        machine_type: SIZE.to_owned(),
        cpu: 1,
        memory: Bytes::gib(1),
        capacity: CapacityKind::OnDemand,
        zone: ZONE.parse().expect("a zone"),
        image: ImageRef::Named {
            name: "debian-12".to_owned(),
            id: image.clone(),
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

const NETWORK: &str = "2026-03-01";

#[async_trait]
impl Harness for Azure {
    async fn provider(&self) -> Arc<dyn Provider> {
        self.connect(&self.site()).await
    }

    fn run_id(&self) -> String {
        self.run_id.clone()
    }

    fn patience(&self) -> std::time::Duration {
        std::time::Duration::from_secs(60)
    }

    fn may_buy(&self, offer: &Offer) -> bool {
        offer.cpu <= 2 && offer.machine_type.starts_with("Standard_B")
    }

    async fn make_foreign(&self, kind: Kind, name: &str) -> Option<ResourceId> {
        let at = json!({ "location": REGION });
        let with = |key: &str, value: Value| {
            let mut body = at.clone();
            body[key] = value;
            body
        };
        let network = thing("Microsoft.Network/virtualNetworks", "foreign-net");
        let space = json!({ "addressSpace": { "addressPrefixes": ["10.88.0.0/16"] } });
        match kind {
            Kind::Network => {
                let path = thing("Microsoft.Network/virtualNetworks", name);
                self.put(&path, NETWORK, with("properties", space)).await;
            }
            Kind::Subnet => {
                self.put(&network, NETWORK, with("properties", space)).await;
                let body = json!({ "properties": { "addressPrefix": "10.88.1.0/24" } });
                self.put(&format!("{network}/subnets/{name}"), NETWORK, body)
                    .await;
                return Some(ResourceId::from(format!("{GROUP}/foreign-net/{name}")));
            }
            Kind::Firewall => {
                let path = thing("Microsoft.Network/applicationSecurityGroups", name);
                self.put(&path, NETWORK, with("properties", json!({})))
                    .await;
            }
            Kind::Address => {
                let path = thing("Microsoft.Network/publicIPAddresses", name);
                let mut body = with(
                    "properties",
                    json!({ "publicIPAllocationMethod": "Static" }),
                );
                body["sku"] = json!({ "name": "Standard" });
                self.put(&path, NETWORK, body).await;
            }
            Kind::Keypair => {
                let path = thing("Microsoft.Compute/sshPublicKeys", name);
                let key = json!({ "publicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9fKq1D1dR5N8T0nF2eJ4F1yZ5Xv0aQ7b8d3h6k2m9P" });
                self.put(&path, "2026-04-01", with("properties", key)).await;
            }
            Kind::Volume => {
                let path = thing("Microsoft.Compute/disks", name);
                let disk = json!({ "creationData": { "createOption": "Empty" }, "diskSizeGB": 8 });
                let mut body = with("properties", disk);
                body["zones"] = json!(["1"]);
                self.put(&path, "2026-03-02", body).await;
            }
            Kind::Bucket => {
                let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
                let account: String = letters.chars().take(24).collect();
                let path = thing("Microsoft.Storage/storageAccounts", &account);
                let mut body = at.clone();
                body["kind"] = json!("StorageV2");
                body["sku"] = json!({ "name": "Standard_LRS" });
                self.put(&path, "2026-09-01", body).await;
                return Some(ResourceId::from(format!("{GROUP}/{account}")));
            }
            Kind::Machine | Kind::Image => return None,
        }
        Some(ResourceId::from(format!("{GROUP}/{name}")))
    }

    async fn lose_next_answer(&self, operation: &str) -> bool {
        let call = match operation {
            "create_network" => "virtualNetworks/write",
            "create_subnet" => "virtualNetworks/subnets/write",
            "create_firewall" => "applicationSecurityGroups/write",
            "create_address" => "publicIPAddresses/write",
            "create_keypair" => "sshPublicKeys/write",
            "create_machines" => "virtualMachines/write",
            "create_volume" => "disks/write",
            "create_bucket" => "storageAccounts/write",
            _ => return false,
        };
        self.arm.lose(call, 1);
        true
    }

    async fn leave_stock(&self, machine_type: &str, zone: &Name, left: u64) -> bool {
        self.arm.leave_stock(machine_type, zone.as_str(), left);
        true
    }

    async fn leave_quota(&self, cpus: u64) -> bool {
        self.arm.set_quota(REGION, "cores", cpus);
        true
    }

    async fn stop_machine(&self, id: &ResourceId) -> bool {
        let (group_name, name) = id.as_str().split_once('/').expect("a machine's id");
        let of = "Microsoft.Compute/virtualMachines";
        let path = format!("{}/providers/{of}/{name}", group(group_name));
        self.arm.set_power(&path, "stopped")
    }

    fn outside_rows(&self) -> Option<OutsideRows> {
        Some(outside::ROWS)
    }

    async fn change_outside(&self, thing: &Resource, field: Field, partners: &Partners) -> bool {
        let Some(what) = outside::of(thing, field, partners) else {
            return false;
        };
        // The double answers on the runtime of this thread: the clients are waited for on another.
        let hand = || self.hand.lock().unwrap_or_else(PoisonError::into_inner);
        let known = hand().take();
        let mut started = known.unwrap_or_else(|| Hand::start(self));
        let changed = tokio::task::spawn_blocking(move || {
            started.change(&what);
            started
        });
        let changed = changed.await.expect("the change is made");
        *hand() = Some(changed);
        true
    }

    async fn fill_bucket(&self, id: &ResourceId, full: bool) -> bool {
        let (method, body) = match full {
            true => (reqwest::Method::PUT, "some content"),
            false => (reqwest::Method::DELETE, ""),
        };
        let answer = self.blob(id, method, "an-object", body).await;
        assert!(answer.status().is_success(), "{answer:?}");
        true
    }
}

impl Azure {
    /// A call of a blob of a bucket, past the provider.
    pub(crate) async fn blob(
        &self,
        id: &ResourceId,
        method: reqwest::Method,
        name: &str,
        body: &'static str,
    ) -> reqwest::Response {
        let (group_name, account) = id.as_str().split_once('/').expect("a bucket's id");
        let of = "Microsoft.Storage/storageAccounts";
        let path = format!("{}/providers/{of}/{account}", group(group_name));
        let account = self.arm.thing(&path).expect("an account");
        let base = account["properties"]["primaryEndpoints"]["blob"]
            .as_str()
            .expect("an address");
        let bucket = account["tags"]["stratiform:name"].as_str().expect("a name");
        let token = self.blob_token.as_deref().unwrap_or(strat_arm::TOKEN);
        let url = format!("{}/{bucket}/{name}", base.trim_end_matches('/'));
        let request = self.client().request(method, url).bearer_auth(token);
        let request = request
            .header("x-ms-version", "2025-11-05")
            .header("x-ms-blob-type", "BlockBlob");
        request.body(body).send().await.expect("an answer")
    }
}
