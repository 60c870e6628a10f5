//! A site of a pair of hosts, and what a test makes there past any planner.

use std::sync::Arc;

use strat_model::{
    Bytes, CapacityKind, DiskClass, ImageRef, Kind, MachineSpec, Mark, Name, NetworkSpec, Resource,
    ResourceId, Result, Spec, SubnetSpec, Token, VolumeSpec,
};
use strat_provider::{CreateMachines, Filter, MachineBatch, Provider, ProviderExt};

use super::slots::Pair;

/// A site and what is made there.
pub(crate) struct Lab {
    pub(crate) provider: Arc<dyn Provider>,
}

impl Lab {
    pub(crate) async fn new(pair: &Pair, racks: bool, extra: serde_json::Value) -> Self {
        let hosts: Vec<_> = pair.hosts().iter().collect();
        Self {
            provider: super::connect(&super::site(&hosts, racks, extra)).await,
        }
    }

    pub(crate) fn mark(kind: Kind, word: &str) -> Mark {
        Mark {
            owner: "hosts".parse().expect("an owner"),
            addr: format!("{kind}.{word}@dc1").parse().expect("an address"),
            spec: "0".to_owned(),
            generation: 1,
            origin: None,
            protect: false,
            disposable: false,
            notes: strat_model::Shared::new(),
        }
    }

    pub(crate) async fn try_make(&self, spec: Spec<ResourceId>, word: &str) -> Result<Resource> {
        let mark = Self::mark(spec.kind(), word);
        let token = Token::derive("hosts", &mark.addr, 1, 1, 0, word);
        self.provider.create(&spec, word, &mark, &token).await
    }

    pub(crate) async fn make(&self, spec: Spec<ResourceId>, word: &str) -> Resource {
        self.try_make(spec, word).await.expect("it is made")
    }

    /// A subnet in a network.
    pub(crate) async fn subnet(&self, word: &str, third: u8) -> ResourceId {
        self.try_subnet(word, third).await.expect("it is made")
    }

    /// The same, which may fail.
    pub(crate) async fn try_subnet(&self, word: &str, third: u8) -> Result<ResourceId> {
        let cidr = |prefix| format!("10.{third}.0.0/{prefix}").parse().expect("a range");
        let network = NetworkSpec {
            cidr: cidr(16),
            labels: strat_model::Labels::new(),
        };
        let network = self
            .make(Spec::Network(network), &format!("{word}-net"))
            .await
            .id;
        let subnet = SubnetSpec {
            network,
            cidr: cidr(24),
            zone: None,
            internet: None,
            labels: strat_model::Labels::new(),
        };
        let name = format!("{word}-sub");
        let made = self.try_make(Spec::Subnet(subnet), &name).await;
        made.map(|subnet| subnet.id)
    }

    /// A small volume that is attached to nothing.
    pub(crate) async fn volume(&self, zone: &str, word: &str) -> Resource {
        let volume = VolumeSpec {
            size: Bytes(64 << 20),
            class: DiskClass::Ssd,
            zone: Name::new(zone).expect("a name"),
            attach: None,
            labels: strat_model::Labels::new(),
        };
        self.make(Spec::Volume(volume), word).await
    }

    pub(crate) fn machine(subnet: &ResourceId, zone: &str) -> MachineSpec<ResourceId> {
        MachineSpec {
            machine_type: "flex-1-128".to_owned(),
            cpu: 1,
            memory: Bytes(128 << 20),
            capacity: CapacityKind::Owned,
            zone: Name::new(zone).expect("a name"),
            image: ImageRef::Named {
                name: "debian-12".to_owned(),
                id: ResourceId::from("public/debian-12"),
            },
            subnet: subnet.clone(),
            firewalls: strat_model::Shared::new(),
            keypair: None,
            user_data: None,
            disks: Vec::new(),
            public_ip: None,
            labels: strat_model::Labels::new(),
        }
    }

    pub(crate) async fn fleet(
        &self,
        spec: &MachineSpec<ResourceId>,
        word: &str,
        count: u32,
    ) -> Vec<Resource> {
        let batch = self.try_fleet(spec, word, count).await.expect("a batch");
        assert!(batch.shortfall.is_none(), "{:?}", batch.shortfall);
        batch.created
    }

    pub(crate) async fn try_fleet(
        &self,
        spec: &MachineSpec<ResourceId>,
        word: &str,
        count: u32,
    ) -> Result<MachineBatch> {
        let mark = Self::mark(Kind::Machine, word);
        let token = Token::derive("hosts", &mark.addr, 1, 1, 0, word);
        let names: Vec<_> = (0..count).map(|n| format!("{word}-{n}")).collect();
        let request = CreateMachines {
            spec,
            names: &names,
            mark: &mark,
            token: &token,
        };
        self.provider.create_machines(request).await
    }

    pub(crate) async fn clear(&self) {
        for kind in [Kind::Machine, Kind::Volume, Kind::Subnet, Kind::Network] {
            let filter = Filter::Owner("hosts".parse().expect("an owner"));
            let things = self.provider.list_all(kind, &filter).await.expect("a list");
            let ids: Vec<_> = things.into_iter().map(|thing| thing.id).collect();
            self.provider.delete_all(kind, &ids).await.expect("deleted");
        }
    }
}

pub(crate) fn host_of(machine: &Resource) -> &str {
    machine.attributes.get("host").expect("it is on a host")
}
