//! A small world for the planner's tests: sites, a topology, and what the world would look like
//! had everything been applied.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::*;
use strat_planner::{Desired, place, resource_name};

pub(crate) type Facts = BTreeMap<Name, SiteFacts>;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect(text)
}

pub(crate) fn local(text: &str) -> LocalAddr {
    text.parse().expect(text)
}

pub(crate) fn addr(text: &str) -> Addr {
    text.parse().expect(text)
}

pub(crate) fn cloud(zones: &[&str], subnets: SubnetScope) -> SiteFacts {
    let zones: Vec<Name> = zones.iter().map(|zone| name(zone)).collect();
    let sizes = [
        ("small", 2_u32, 4_u64, 5),
        ("medium", 4, 16, 20),
        ("large", 8, 32, 40),
    ];
    let offers = zones.iter().flat_map(|zone| {
        sizes.map(|(machine_type, cpu, gib, cents)| Offer {
            zone: zone.clone(),
            machine_type: machine_type.to_owned(),
            family: "std".to_owned(),
            cpu,
            memory: Bytes::gib(gib),
            arch: "x86_64".to_owned(),
            gpus: 0,
            gpu: None,
            burstable: false,
            capacity: CapacityKind::OnDemand,
            price_hour: format!("0.{cents:02} USD").parse().ok(),
        })
    });
    SiteFacts {
        offers: offers.collect(),
        zones,
        capabilities: Capabilities {
            kinds: Kind::ALL.into_iter().collect(),
            subnets,
            sizing: Sizing::Catalogue,
            idempotency: Idempotency::Token { window_ms: 600_000 },
            marks: MarkStore::Metadata,
            labels: strat_model::LabelRules::Any,
            unreadable: BTreeMap::new(),
            create_batch: 10,
            ids_per_call: 10,
            delete_shuts_down: false,
            consistency_window_ms: 0,
            user_data_max: Bytes(16_384),
            public_ips: false,
            internet: strat_model::InternetWays::default(),
            reserved_addresses: ReservedAddresses::default(),
            limits: Limits::default(),
        },
        changes: Changes::new(LiveFields::usual(Kind::ALL)),
        free: None,
        quotas: vec![Quota {
            family: None,
            cpu_limit: 400,
            cpu_used: 0,
        }],
        images: [("debian-12".to_owned(), ResourceId::from("img-1"))]
            .into_iter()
            .collect(),
    }
}

pub(crate) fn owned(cpu: u64, gib: u64) -> SiteFacts {
    let mut facts = cloud(&["rack1", "rack2"], SubnetScope::Regional);
    facts.offers.clear();
    facts.quotas.clear();
    facts.capabilities.sizing = Sizing::Flexible {
        max_cpu: 64,
        max_memory: Bytes::gib(256),
    };
    facts.free = Some(Pool {
        cpu,
        memory: Bytes::gib(gib),
        disk: Bytes::gib(8192),
        ..Pool::default()
    });
    facts
}

/// `dc1` with two racks, `east` with zonal subnets in three zones, `west` with regional ones.
pub(crate) fn facts() -> Facts {
    BTreeMap::from([
        (name("dc1"), owned(64, 256)),
        (name("east"), cloud(&["a", "b", "c"], SubnetScope::Zonal)),
        (name("west"), cloud(&["w1", "w2"], SubnetScope::Regional)),
    ])
}

pub(crate) fn common(text: &str) -> Common {
    Common {
        addr: local(text),
        labels: Labels::new(),
        protect: false,
        disposable: false,
        ignore: Default::default(),
        depends_on: std::sync::Arc::default(),
        origins: std::sync::Arc::default(),
    }
}

pub(crate) fn sites() -> Vec<Name> {
    ["dc1", "east", "west"].map(name).to_vec()
}

pub(crate) fn machines(text: &str, count: u32) -> MachineIntent {
    MachineIntent {
        common: common(text),
        count,
        size: Size::AtLeast {
            cpu: 4,
            memory: Bytes::gib(16),
        },
        hardware: HardwareIntent::default(),
        image: Ok("debian-12".to_owned()),
        subnet: local("subnet.app"),
        public_ip: None,
        firewalls: strat_model::Shared::from([local("firewall.web")]),
        keypair: Some(local("keypair.ops")),
        user_data: Some(UserData::text("#cloud-config")),
        disks: vec![DiskSpec {
            size: Bytes::gib(40),
            class: DiskClass::Ssd,
        }],
        placement: PlacementIntent {
            sites: sites(),
            spread: Spread::Zone,
            ..PlacementIntent::default()
        }
        .into(),
        rollout: RolloutIntent::default(),
    }
}

pub(crate) fn rule(text: &str, peer: Peer<LocalAddr>, port: u16) -> RuleIntent {
    FirewallRule {
        name: name(text),
        direction: Direction::Ingress,
        peers: BTreeSet::from([peer]),
        protocol: Protocol::Tcp,
        ports: BTreeSet::from([PortRange {
            first: port,
            last: port,
        }]),
    }
}

pub(crate) fn firewall(text: &str, rules: Vec<RuleIntent>) -> FirewallIntent {
    FirewallIntent {
        common: common(text),
        network: local("network.core"),
        rules: rules.into_iter().collect(),
    }
}

pub(crate) fn subnet(text: &str) -> SubnetIntent {
    SubnetIntent {
        common: common(text),
        network: local("network.core"),
        newbits: 3,
        internet: None,
    }
}

pub(crate) fn volume(text: &str, machine: &str) -> VolumeIntent {
    VolumeIntent {
        common: common(text),
        size: Bytes::gib(200),
        class: DiskClass::Ssd,
        target: AttachIntent::Machine(local(machine)),
    }
}

/// A shop over three sites, like the reference topology.
pub(crate) fn shop() -> Intent {
    let mut db = machines("machine.db", 1);
    db.placement.sites = vec![name("dc1")];
    db.firewalls = strat_model::Shared::from([local("firewall.db")]);
    Intent {
        owner: "shop".parse().expect("owner"),
        sites: BTreeMap::new(),
        networks: vec![NetworkIntent {
            common: common("network.core"),
            cidr: "10.20.0.0/16".parse().expect("cidr"),
            site_prefix: Some(20),
            sites: sites(),
        }],
        subnets: vec![subnet("subnet.app"), subnet("subnet.data")],
        firewalls: vec![
            firewall(
                "firewall.db",
                vec![rule("pg", Peer::Firewall(local("firewall.web")), 5432)],
            ),
            firewall("firewall.web", vec![rule("http", Peer::Internet, 80)]),
        ],
        addresses: Vec::new(),
        keypairs: vec![KeypairIntent {
            common: common("keypair.ops"),
            public_key: "ssh-ed25519 AAAA".to_owned(),
        }],
        images: Vec::new(),
        machines: vec![db, machines("machines.web", 6)],
        volumes: vec![volume("volume.db", "machine.db")],
        buckets: vec![BucketIntent {
            common: common("bucket.assets"),
            site: name("east"),
            versioning: true,
        }],
        budgets: Vec::new(),
        reaches: Vec::new(),
        bursts: Vec::new(),
        moves: strat_model::Moves::default(),
        removed: Vec::new(),
        lookups: Vec::new(),
        lease: None,
    }
}

pub(crate) fn empty() -> Inventory {
    let site = |site: &Name| (site.clone(), site_inventory(Vec::new()));
    Inventory {
        sites: sites().iter().map(site).collect(),
        ..Inventory::default()
    }
}

fn site_inventory(resources: Vec<Resource>) -> SiteInventory {
    SiteInventory {
        observed_at: jiff::Timestamp::UNIX_EPOCH,
        coverage: Kind::ALL
            .into_iter()
            .map(|kind| (kind, Coverage::Complete))
            .collect(),
        resources,
        missed: Vec::new(),
        left: BTreeSet::new(),
        lookups: Vec::new(),
    }
}

/// The id of the first thing at an address in [`realise`]'s world.
pub(crate) fn id(addr: &Addr) -> ResourceId {
    ResourceId::from(format!("{addr}#0"))
}

/// The world once everything desired is there.
pub(crate) fn realise(desired: &Desired) -> Inventory {
    let mut inventory = empty();
    for (addr, entry) in &desired.entries {
        let mut number = 0;
        for goal in &entry.goals {
            for _ in 0..goal.count {
                let mark = Mark {
                    owner: desired.owner.clone(),
                    addr: addr.clone(),
                    spec: goal.digest(),
                    generation: 1,
                    origin: None,
                    protect: entry.protect,
                    disposable: entry.disposable,
                    notes: goal.notes.clone(),
                };
                let mut spec = goal
                    .spec
                    .try_map_refs(|other| Ok::<_, ()>(id(other)))
                    .expect("maps");
                if let Spec::Machine(machine) = &mut spec {
                    machine.user_data = None;
                    if let ImageRef::Named { name, .. } = &mut machine.image {
                        name.clear();
                    }
                }
                let resource = Resource {
                    id: ResourceId::from(format!("{addr}#{number}")),
                    name: resource_name(&desired.owner, addr, 1),
                    mark: Some(mark),
                    witness: strat_model::Witness::Held,
                    state: ResourceState::Ready,
                    spec,
                    attributes: Attributes::new(),
                    created: None,
                };
                let site = inventory.sites.get_mut(&addr.site).expect("site");
                site.resources.push(resource);
                number += 1;
            }
        }
    }
    inventory
}

/// Places an intent in a world.
pub(crate) fn placed(intent: &Intent, inventory: &Inventory) -> Desired {
    place(intent, &facts(), inventory).expect("everything finds a place")
}

/// What of ours is at an address, to be changed behind Stratiform's back.
pub(crate) fn at<'a>(inventory: &'a mut Inventory, text: &str) -> &'a mut Resource {
    let addr = addr(text);
    let site = inventory.sites.get_mut(&addr.site).expect("site");
    let is =
        |resource: &&mut Resource| resource.mark.as_ref().is_some_and(|mark| mark.addr == addr);
    site.resources.iter_mut().find(is).expect(text)
}
