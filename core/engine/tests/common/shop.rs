//! A shop over three sites.

use std::collections::BTreeSet;

use strat_model::*;

use super::name;

pub(crate) fn local(text: &str) -> LocalAddr {
    text.parse().expect(text)
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

pub(crate) fn machines(text: &str, count: u32, sites: &[&str]) -> MachineIntent {
    MachineIntent {
        common: common(text),
        count,
        size: Size::AtLeast {
            cpu: 2,
            memory: Bytes::gib(4),
        },
        hardware: HardwareIntent::default(),
        image: Ok("debian-12".to_owned()),
        subnet: local("subnet.app"),
        public_ip: Some(true),
        firewalls: strat_model::Shared::from([local("firewall.web")]),
        keypair: Some(local("keypair.ops")),
        user_data: Some(UserData::text("#cloud-config\n")),
        disks: Vec::new(),
        placement: PlacementIntent {
            sites: sites.iter().map(|site| name(site)).collect(),
            spread: Spread::Zone,
            ..PlacementIntent::default()
        }
        .into(),
        rollout: RolloutIntent::default(),
    }
}

fn rule(text: &str, peer: Peer<LocalAddr>, port: u16) -> RuleIntent {
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

fn firewall(text: &str, rules: Vec<RuleIntent>) -> FirewallIntent {
    FirewallIntent {
        common: common(text),
        network: local("network.core"),
        rules: rules.into_iter().collect(),
    }
}

pub(crate) fn empty() -> Intent {
    Intent {
        owner: "bank/shop".parse().expect("owner"),
        sites: std::collections::BTreeMap::new(),
        networks: Vec::new(),
        subnets: Vec::new(),
        firewalls: Vec::new(),
        addresses: Vec::new(),
        keypairs: Vec::new(),
        images: Vec::new(),
        machines: Vec::new(),
        volumes: Vec::new(),
        buckets: Vec::new(),
        budgets: Vec::new(),
        reaches: Vec::new(),
        bursts: Vec::new(),
        moves: strat_model::Moves::default(),
        removed: Vec::new(),
        lookups: Vec::new(),
        lease: None,
    }
}

/// A database with a volume, fleets in front of it, and everything they need, at some of the sites
/// `dc1`, `east` and `west`.
pub(crate) fn shop(sites: &[&str]) -> Intent {
    let first = sites[0];
    let cloud = *sites.last().expect("a site");
    let mut web = machines("machines.web", 4, &[cloud]);
    web.user_data = Some(UserData::new(vec![
        TemplatePart::Text("db=".to_owned()),
        TemplatePart::Attribute {
            of: local("machine.db"),
            attribute: "private_ip".to_owned(),
        },
    ]));
    let mut db = machines("machine.db", 1, &[first]);
    db.firewalls = strat_model::Shared::from([local("firewall.db")]);
    let db_peers = Peer::Firewall(local("firewall.web"));
    let mut intent = Intent {
        networks: vec![NetworkIntent {
            common: common("network.core"),
            cidr: "10.20.0.0/16".parse().expect("cidr"),
            site_prefix: Some(20),
            sites: sites.iter().map(|site| name(site)).collect(),
        }],
        subnets: vec![SubnetIntent {
            common: common("subnet.app"),
            network: local("network.core"),
            newbits: 3,
            internet: Some(strat_model::Internet::Public),
        }],
        firewalls: vec![
            firewall("firewall.db", vec![rule("pg", db_peers, 5432)]),
            firewall("firewall.web", vec![rule("http", Peer::Internet, 80)]),
        ],
        keypairs: vec![KeypairIntent {
            common: common("keypair.ops"),
            public_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJd0bXkgc2ltdWxhdGVkIGtleSBvbmx5ICE="
                .to_owned(),
        }],
        machines: vec![db, web],
        volumes: vec![VolumeIntent {
            common: common("volume.db"),
            size: Bytes::gib(20),
            class: DiskClass::Ssd,
            target: AttachIntent::Machine(local("machine.db")),
        }],
        ..empty()
    };
    if first != "dc1" {
        intent.addresses = vec![AddressIntent {
            common: common("address.front"),
            target: AttachIntent::Machine(local("machine.db")),
        }];
    }
    if cloud != "dc1" {
        intent.buckets = vec![BucketIntent {
            common: common("bucket.assets"),
            site: name(cloud),
            versioning: true,
        }];
    }
    intent
}

/// The same with firewalls that name each other, so that one has to be made in two halves.
pub(crate) fn knotted(sites: &[&str]) -> Intent {
    let mut intent = shop(sites);
    let back = rule("back", Peer::Firewall(local("firewall.db")), 8080);
    intent.firewalls[1].rules.insert(back);
    intent
}
