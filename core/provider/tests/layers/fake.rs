//! A provider whose every method asks one function how to end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use strat_model::{
    AddressSpec, Attributes, BucketSpec, Bytes, Capabilities, Error, ErrorKind, FirewallSpec,
    Idempotency, ImageSpec, KeypairSpec, Kind, Labels, MachineSpec, Mark, MarkStore, Name,
    NetworkSpec, Offer, Pool, PublicImages, Quota, Resource, ResourceId, ResourceState, Result,
    Shared, Sizing, Spec, SubnetScope, SubnetSpec, Token, VolumeSpec,
};
use strat_provider::{
    Clock, Compute, Create, CreateMachines, Filter, Identity, Images, MachineBatch, Network,
    Observe, Offers, Page, PageToken, PermissionCheck, Provider, Shutdown, Storage, TokioClock,
    Update,
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
                in_place: BTreeMap::new(),
                unreadable: BTreeMap::new(),
                create_batch: 10,
                delete_batch: 10,
                delete_shuts_down: false,
                consistency_window_ms: 0,
                user_data_max: Bytes::gib(1),
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
    let request = Create {
        spec: &network_spec(),
        name: "core",
        mark: &mark(),
        token: &token(),
    };
    provider.network().create_network(request).await
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
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        self.end("check_permissions").await?;
        Ok(Vec::new())
    }
    fn observe(&self) -> &dyn Observe {
        self
    }
    fn network(&self) -> &dyn Network {
        self
    }
    fn compute(&self) -> &dyn Compute {
        self
    }
    fn storage(&self) -> &dyn Storage {
        self
    }
    fn images(&self) -> &dyn Images {
        self
    }
    fn offers(&self) -> &dyn Offers {
        self
    }
}

/// Implements a trait: `nouns` get the three methods of a noun, `lists` are reads that give the
/// default of their type, `acts` are writes that give nothing; the rest is written out.
macro_rules! implement {
    ($trait:ident {
        nouns: [$($variant:ident($spec:ty) $create:ident $update:ident $delete:ident)*]
        lists: [$($list:ident -> $answer:ty)*]
        acts: [$($act:ident($($arg:ident: $of:ty),*))*]
        rest: { $($rest:tt)* }
    }) => {
        #[async_trait]
        impl $trait for Fake {
            $(
                async fn $create(&self, request: Create<'_, $spec>) -> Result<Resource> {
                    self.end(stringify!($create)).await?;
                    Ok(resource(Spec::$variant(request.spec.clone())))
                }
                async fn $update(&self, request: Update<'_, $spec>) -> Result<Resource> {
                    self.end(stringify!($update)).await?;
                    Ok(resource(Spec::$variant(request.spec.clone())))
                }
                async fn $delete(&self, _id: &ResourceId) -> Result<()> {
                    self.end(stringify!($delete)).await
                }
            )*
            $(
                async fn $list(&self) -> Result<$answer> {
                    self.end(stringify!($list)).await?;
                    Ok(<$answer>::default())
                }
            )*
            $(
                async fn $act(&self $(, $arg: $of)*) -> Result<()> {
                    $(let _ = $arg;)*
                    self.end(stringify!($act)).await
                }
            )*
            $($rest)*
        }
    };
}

implement!(Network {
    nouns: [
        Network(NetworkSpec) create_network update_network delete_network
        Subnet(SubnetSpec<ResourceId>) create_subnet update_subnet delete_subnet
        Firewall(FirewallSpec<ResourceId>) create_firewall update_firewall delete_firewall
        Address(AddressSpec<ResourceId>) create_address update_address delete_address
    ]
    lists: []
    acts: []
    rest: {}
});

implement!(Storage {
    nouns: [
        Volume(VolumeSpec<ResourceId>) create_volume update_volume delete_volume
        Bucket(BucketSpec) create_bucket update_bucket delete_bucket
    ]
    lists: []
    acts: [
        attach_volume(id: &ResourceId, machine: &ResourceId)
        detach_volume(id: &ResourceId)
    ]
    rest: {}
});

implement!(Images {
    nouns: [Image(ImageSpec) create_image update_image delete_image]
    lists: [public_images -> PublicImages]
    acts: []
    rest: {}
});

implement!(Offers {
    nouns: []
    lists: [
        zones -> Vec<Name>
        list_offers -> Vec<Offer>
        free -> Option<Pool>
        quotas -> Vec<Quota>
    ]
    acts: []
    rest: {}
});

implement!(Compute {
    nouns: [Keypair(KeypairSpec) create_keypair update_keypair delete_keypair]
    lists: []
    acts: [
        start_machines(ids: &[ResourceId])
        stop_machines(ids: &[ResourceId], how: Shutdown)
        delete_machines(ids: &[ResourceId])
    ]
    rest: {
        async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
            self.end("create_machines").await?;
            let created = vec![resource(Spec::Machine(request.spec.clone())); request.names.len()];
            Ok(MachineBatch { created, shortfall: None })
        }
        async fn update_machine(
            &self,
            request: Update<'_, MachineSpec<ResourceId>>,
        ) -> Result<Resource> {
            self.end("update_machine").await?;
            Ok(resource(Spec::Machine(request.spec.clone())))
        }
    }
});

implement!(Observe {
    nouns: []
    lists: []
    acts: []
    rest: {
        async fn list(&self, _: Kind, _: &Filter, _: Option<&PageToken>) -> Result<Page> {
            self.end("list").await?;
            Ok(Page { items: Vec::new(), next: None })
        }
        async fn get(&self, _: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
            self.end("get").await?;
            Ok(vec![resource(Spec::Network(network_spec())); ids.len()])
        }
    }
});

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
