//! A provider whose every method asks one function how to end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use strat_model::{
    AddressSpec, Attributes, BucketSpec, Bytes, Capabilities, Changes, Error, ErrorKind,
    FirewallSpec, Idempotency, ImageSpec, KeypairSpec, Kind, Labels, Limits, LiveFields,
    MachineSpec, Mark, MarkStore, Name, NetworkSpec, Offer, Pool, PublicImages, Quota,
    ReservedAddresses, Resource, ResourceId, ResourceState, Result, Shared, Sizing, Spec,
    SubnetScope, SubnetSpec, Token, VolumeSpec,
};
use strat_provider::{
    Attachment, Clock, Contents, Create, CreateMachines, Emptied, Filter, Identity, Images, Kept,
    LeaseKey, LeaseVersion, Leases, MachineBatch, Machines, Observe, Offers, Outcome, Page,
    PageToken, PermissionCheck, Permissions, Provider, ProviderExt, Shutdown, Sought, TokioClock,
    Update, Writes,
};

/// How a call of this name ends.
pub(crate) type Handler = Box<dyn Fn(&'static str) -> BoxFuture<'static, Result<()>> + Send + Sync>;
pub(crate) struct Fake {
    site: Name,
    capabilities: Capabilities,
    handler: Handler,
    /// The methods that ran to their end, in order.
    done: Mutex<Vec<&'static str>>,
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl Fake {
    /// Ends as `handler` says.
    pub(crate) fn new(
        handler: impl Fn(&'static str) -> BoxFuture<'static, Result<()>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            site: name("dc1"),
            capabilities: Capabilities {
                kinds: Kind::ALL.into(),
                subnets: SubnetScope::Regional,
                sizing: Sizing::Catalogue,
                idempotency: Idempotency::Name,
                marks: MarkStore::Metadata,
                labels: strat_model::LabelRules::Any,
                unreadable: BTreeMap::new(),
                create_batch: 10,
                ids_per_call: 10,
                delete_shuts_down: false,
                consistency_window_ms: 0,
                user_data_max: Bytes::gib(1),
                public_ips: false,
                internet: strat_model::InternetWays::default(),
                reserved_addresses: ReservedAddresses::default(),
                limits: Limits::default(),
            },
            handler: Box::new(handler),
            done: Mutex::default(),
        })
    }

    /// Always succeeds, at once.
    pub(crate) fn ok() -> Arc<Self> {
        Self::new(|_| Box::pin(async { Ok(()) }))
    }

    /// The first calls end with these errors, in order; all others succeed. Each takes 100 ms.
    pub(crate) fn failing(errors: impl IntoIterator<Item = Error>) -> Arc<Self> {
        let mut errors: Vec<Error> = errors.into_iter().collect();
        errors.reverse();
        let errors = Mutex::new(errors);
        Self::new(move |_| {
            let error = errors.lock().expect("errors").pop();
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                error.map_or(Ok(()), Err)
            })
        })
    }

    /// The first calls end so, in order; all others succeed.
    pub(crate) fn script(ends: impl IntoIterator<Item = Option<Error>>) -> Arc<Self> {
        let ends = Mutex::new(ends.into_iter().collect::<std::collections::VecDeque<_>>());
        Self::new(move |_| {
            let error = ends.lock().expect("ends").pop_front().flatten();
            Box::pin(async { error.map_or(Ok(()), Err) })
        })
    }

    pub(crate) fn done(&self) -> Vec<&'static str> {
        self.done.lock().expect("done").clone()
    }

    async fn end(&self, operation: &'static str) -> Result<()> {
        let result = (self.handler)(operation).await;
        self.done.lock().expect("done").push(operation);
        result
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH))
}

pub(crate) fn error(kind: ErrorKind) -> Error {
    Error::new(kind, "the fake said so").with_request_id("r-1")
}

pub(crate) fn mark() -> Mark {
    Mark {
        owner: "shop".parse().expect("an owner"),
        addr: "network.core@dc1".parse().expect("an address"),
        spec: "0".to_owned(),
        generation: 1,
        origin: None,
        protect: false,
        disposable: false,
        notes: strat_model::Shared::new(),
    }
}

pub(crate) fn token() -> Token {
    serde_json::from_value("0123".into()).expect("a token")
}

pub(crate) fn network_spec() -> NetworkSpec {
    NetworkSpec {
        cidr: "10.0.0.0/16".parse().expect("a range"),
        labels: Labels::new(),
    }
}

/// Makes a network with the provider.
pub(crate) async fn create_network(provider: &dyn Provider) -> Result<Resource> {
    let spec = Spec::Network(network_spec());
    provider.create(&spec, "core", &mark(), &token()).await
}

/// Lists networks: the read of these tests.
pub(crate) async fn list(provider: &dyn Provider) -> Result<Page> {
    provider
        .observe()
        .list(Kind::Network, &Filter::All, None)
        .await
}

fn resource(spec: Spec<ResourceId>) -> Resource {
    Resource {
        id: ResourceId::from("id-1"),
        name: "core".to_owned(),
        mark: Some(mark()),
        witness: strat_model::Witness::Held,
        state: ResourceState::Ready,
        spec,
        attributes: Attributes::new(),
        created: None,
    }
}

#[async_trait]
impl Provider for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn site(&self) -> &Name {
        &self.site
    }
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
    async fn identity(&self) -> Result<Identity> {
        self.end("identity").await?;
        Ok(Identity {
            account: "a".to_owned(),
            principal: "p".to_owned(),
        })
    }
    fn changes(&self) -> Changes {
        Changes::new(LiveFields::default())
    }
    fn observe(&self) -> &dyn Observe {
        self
    }
    fn network(&self) -> &dyn Writes {
        self
    }
    fn compute(&self) -> &dyn Writes {
        self
    }
    fn storage(&self) -> &dyn Writes {
        self
    }
    fn machines(&self) -> Option<&dyn Machines> {
        Some(self)
    }
    fn contents(&self) -> Option<&dyn Contents> {
        Some(self)
    }
    fn attachment(&self) -> Option<&dyn Attachment> {
        Some(self)
    }
    fn images(&self) -> Option<&dyn Images> {
        Some(self)
    }
    fn offers(&self) -> Option<&dyn Offers> {
        Some(self)
    }
    fn permissions(&self) -> Option<&dyn Permissions> {
        Some(self)
    }
    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }
}

#[async_trait]
impl Leases for Fake {
    async fn places(&self) -> Result<Vec<String>> {
        self.end("lease_places").await?;
        Ok(vec!["fake/a".to_owned()])
    }
    async fn missing(&self) -> Result<Option<String>> {
        self.end("lease_missing").await?;
        Ok(None)
    }
    async fn make(&self) -> Result<()> {
        self.end("make_lease_store").await
    }
    async fn read(&self, _: &LeaseKey) -> Result<Option<Kept>> {
        self.end("read_lease").await?;
        Ok(None)
    }
    async fn replace(
        &self,
        _: &LeaseKey,
        text: &str,
        _: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        self.end("replace_lease").await?;
        Ok(LeaseVersion(text.to_owned()))
    }
    async fn prove(&self, _: &LeaseKey, _: &Kept) -> Result<bool> {
        self.end("prove_lease").await?;
        Ok(true)
    }
    fn term(&self) -> Option<Duration> {
        None
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}

impl Fake {
    /// One outcome an id, each asked for under the operation's name.
    async fn end_each(&self, operation: &'static str, ids: &[ResourceId]) -> Vec<Outcome> {
        Outcome::of_each(ids, |_| self.end(operation)).await
    }
}

#[async_trait]
impl Writes for Fake {
    async fn create(&self, request: Create<'_>) -> Result<Resource> {
        self.end(request.spec.kind().operations().create).await?;
        Ok(resource(request.spec.clone()))
    }
    async fn update(&self, request: Update<'_>) -> Result<Resource> {
        self.end(request.spec.kind().operations().update).await?;
        Ok(resource(request.spec.clone()))
    }
    async fn delete(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        Ok(self.end_each(kind.operations().delete, ids).await)
    }
}

#[async_trait]
impl Machines for Fake {
    /// Makes machines until one is refused.
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        let mut batch = MachineBatch {
            created: Vec::new(),
            shortfall: None,
        };
        for _ in request.names {
            match self.end("create_machines").await {
                Ok(()) => batch
                    .created
                    .push(resource(Spec::Machine(request.spec.clone()))),
                Err(error) if batch.created.is_empty() => return Err(error),
                Err(error) => {
                    batch.shortfall = Some(error);
                    break;
                }
            }
        }
        Ok(batch)
    }
    async fn start_machines(&self, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        Ok(self.end_each("start_machines", ids).await)
    }
    async fn stop_machines(&self, ids: &[ResourceId], _: Shutdown) -> Result<Vec<Outcome>> {
        Ok(self.end_each("stop_machines", ids).await)
    }
}

#[async_trait]
impl Attachment for Fake {
    async fn attach_volume(&self, _: &ResourceId, _: &ResourceId) -> Result<()> {
        self.end("attach_volume").await
    }
    async fn detach_volume(&self, _: &ResourceId) -> Result<()> {
        self.end("detach_volume").await
    }
}

#[async_trait]
impl Contents for Fake {
    async fn empty_bucket(&self, _: &ResourceId) -> Result<Emptied> {
        self.end("empty_bucket").await?;
        Ok(Emptied::default())
    }
}

#[async_trait]
impl Permissions for Fake {
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        self.end("check_permissions").await?;
        Ok(Vec::new())
    }
}

#[async_trait]
impl Images for Fake {
    async fn public_images(&self) -> Result<PublicImages> {
        self.end("public_images").await?;
        Ok(PublicImages::default())
    }
}

#[async_trait]
impl Offers for Fake {
    async fn zones(&self) -> Result<Vec<Name>> {
        self.end("zones").await?;
        Ok(Vec::new())
    }
    async fn list_offers(&self) -> Result<Vec<Offer>> {
        self.end("list_offers").await?;
        Ok(Vec::new())
    }
    async fn free(&self) -> Result<Option<Pool>> {
        self.end("free").await?;
        Ok(None)
    }
    async fn quotas(&self) -> Result<Vec<Quota>> {
        self.end("quotas").await?;
        Ok(Vec::new())
    }
}

#[async_trait]
impl Observe for Fake {
    async fn list(&self, _: Kind, _: &Filter, _: Option<&PageToken>) -> Result<Page> {
        self.end("list").await?;
        Ok(Page {
            items: Vec::new(),
            next: None,
        })
    }
    async fn get(&self, _: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        self.end("get").await?;
        Ok(vec![resource(Spec::Network(network_spec())); ids.len()])
    }
    async fn find(&self, _: Kind, sought: Sought<'_>) -> Result<Vec<Resource>> {
        self.end("find").await?;
        Ok(vec![resource(Spec::Network(network_spec())); sought.len()])
    }
}

/// One spec of every kind.
pub(crate) fn specs() -> Vec<Spec<ResourceId>> {
    let labels = Labels::new;
    let id = || ResourceId::from("id-1");
    vec![
        Spec::Network(network_spec()),
        Spec::Subnet(SubnetSpec {
            network: id(),
            cidr: "10.0.1.0/24".parse().expect("a range"),
            zone: None,
            internet: None,
            labels: labels(),
        }),
        Spec::Firewall(FirewallSpec {
            network: id(),
            rules: BTreeSet::new(),
            labels: labels(),
        }),
        Spec::Address(AddressSpec {
            attach: None,
            labels: labels(),
        }),
        Spec::Keypair(KeypairSpec {
            public_key: "ssh-ed25519 AAAA".to_owned(),
            labels: labels(),
        }),
        Spec::Image(ImageSpec {
            source: "a.qcow2".to_owned(),
            sha256: "00".to_owned(),
            labels: labels(),
        }),
        Spec::Machine(MachineSpec {
            machine_type: "small".to_owned(),
            cpu: 1,
            memory: Bytes::gib(1),
            capacity: strat_model::CapacityKind::OnDemand,
            zone: name("a"),
            image: strat_model::ImageRef::Managed(id()),
            subnet: id(),
            firewalls: Shared::new(),
            keypair: None,
            user_data: Some(strat_model::UserData::text("hunter2")),
            disks: Vec::new(),
            public_ip: None,
            labels: labels(),
        }),
        Spec::Volume(VolumeSpec {
            size: Bytes::gib(1),
            class: strat_model::DiskClass::Ssd,
            zone: name("a"),
            attach: None,
            labels: labels(),
        }),
        Spec::Bucket(BucketSpec {
            versioning: false,
            labels: labels(),
        }),
    ]
}
