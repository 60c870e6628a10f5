//! Specs of every kind, small and cheap, that make sense at any site.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use strat_model::{
    AddressSpec, BucketSpec, Bytes, CapacityKind, Direction, DiskClass, FirewallRule, FirewallSpec,
    ImageRef, InternetWays, KeypairSpec, Kind, Labels, MachineSpec, Name, NetworkSpec, Offer, Peer,
    PortRange, Protocol, Resource, ResourceId, Shared, Sizing, Spec, SubnetScope, SubnetSpec,
    VolumeSpec,
};

use crate::Bench;
use crate::bench::done;

use strat_provider::ProviderExt as _;
/// What machines stand on.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    /// A network.
    pub(crate) network: ResourceId,
    /// A subnet of it.
    pub(crate) subnet: ResourceId,
    /// The subnet's range.
    pub(crate) cidr: Ipv4Net,
}

/// A key of nobody.
const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9fKq1D1dR5N8T0nF2eJ4F1yZ5Xv0aQ7b8d3h6k2m9P";

/// A range of the suite's network: the `index`th /24.
pub(crate) fn range(index: u8) -> Ipv4Net {
    Ipv4Net::new_assert([10, 77, index, 0].into(), 24)
}

pub(crate) fn labels() -> Labels {
    Labels::from([("suite".to_owned(), "conformance".to_owned())])
}

/// A rule that admits a port from a range.
pub(crate) fn rule(name: &str, port: u16, peer: Peer<ResourceId>) -> FirewallRule<ResourceId> {
    FirewallRule {
        name: Name::new(name).expect("the words of the suite are names"),
        direction: Direction::Ingress,
        peers: BTreeSet::from([peer]),
        protocol: Protocol::Tcp,
        ports: BTreeSet::from([PortRange {
            first: port,
            last: port,
        }]),
    }
}

pub(crate) fn from_inside() -> Peer<ResourceId> {
    Peer::Cidr(range(0).into())
}

impl Bench<'_> {
    /// The zones in use.
    pub(crate) async fn zones(&self) -> Vec<Name> {
        done(self.provider.zones().await, "asking for zones")
    }

    /// The zone for everything that is in one.
    pub(crate) async fn zone(&self) -> Name {
        self.zones().await.swap_remove(0)
    }

    /// A network and a subnet, made at first use.
    pub(crate) async fn ground(&self) -> &Ground {
        self.ground
            .get_or_init(|| async {
                let network = self.create(&self.network(), "ground-net").await;
                let subnet = self.subnet(&network.id, 0).await;
                let subnet = self.create(&subnet, "ground-sub").await;
                Ground {
                    network: network.id,
                    subnet: subnet.id,
                    cidr: range(0),
                }
            })
            .await
    }

    pub(crate) fn network(&self) -> Spec<ResourceId> {
        Spec::Network(NetworkSpec {
            cidr: Ipv4Net::new_assert([10, 77, 0, 0].into(), 16),
            labels: labels(),
        })
    }

    /// Which ways to the internet subnets can have there.
    pub(crate) fn ways(&self) -> &InternetWays {
        &self.provider.capabilities().internet
    }

    /// A subnet of the `index`th range, in the first zone where subnets are zonal.
    pub(crate) async fn subnet(&self, network: &ResourceId, index: u8) -> Spec<ResourceId> {
        let zone = match self.provider.capabilities().subnets {
            SubnetScope::Zonal => Some(self.zone().await),
            SubnetScope::Regional => None,
        };
        Spec::Subnet(SubnetSpec {
            network: network.clone(),
            cidr: range(index),
            zone,
            internet: self.ways().resolve(None).unwrap_or_default(),
            labels: labels(),
        })
    }

    /// A firewall with two rules.
    pub(crate) async fn firewall(&self) -> FirewallSpec<ResourceId> {
        FirewallSpec {
            network: self.ground().await.network.clone(),
            rules: BTreeSet::from([
                rule("http", 80, Peer::Internet),
                rule("ssh", 22, from_inside()),
            ]),
            labels: labels(),
        }
    }

    pub(crate) fn keypair(&self) -> Spec<ResourceId> {
        Spec::Keypair(KeypairSpec {
            public_key: PUBLIC_KEY.to_owned(),
            labels: labels(),
        })
    }

    pub(crate) async fn volume(&self) -> VolumeSpec<ResourceId> {
        VolumeSpec {
            size: Bytes::gib(8),
            class: DiskClass::Ssd,
            zone: self.zone().await,
            attach: None,
            labels: labels(),
        }
    }

    /// The cheapest offer that the harness lets tests buy, in the zone for everything.
    pub(crate) async fn offer(&self) -> Offer {
        let zone = self.zone().await;
        if let Sizing::Flexible { .. } = self.provider.capabilities().sizing {
            return Offer {
                zone,
                machine_type: "flex-1-1024".to_owned(),
                family: "flex".to_owned(),
                cpu: 1,
                memory: Bytes::gib(1),
                arch: "x86_64".to_owned(),
                gpus: 0,
                gpu: None,
                burstable: false,
                capacity: CapacityKind::Owned,
                price_hour: None,
            };
        }
        let offers = done(self.provider.list_offers().await, "asking for offers");
        let allowed = offers.into_iter().filter(|offer| {
            offer.zone == zone
                && offer.capacity == CapacityKind::OnDemand
                && self.harness.may_buy(offer)
        });
        let cheapest = allowed.min_by_key(|o| (o.price_hour.map(|p| p.amount), o.cpu, o.memory));
        cheapest.expect("there is an offer that tests may buy")
    }

    /// What a small machine may become, if there is anything: of the same instruction set.
    pub(crate) async fn other_offer(&self) -> Option<Offer> {
        let offer = self.offer().await;
        if let Sizing::Flexible { .. } = self.provider.capabilities().sizing {
            return Some(Offer {
                machine_type: "flex-2-1536".to_owned(),
                cpu: 2,
                memory: Bytes(1536 << 20),
                ..offer
            });
        }
        let offers = done(self.provider.list_offers().await, "asking for offers");
        let mut others = offers.into_iter().filter(|other| {
            (&other.zone, &other.arch, other.capacity) == (&offer.zone, &offer.arch, offer.capacity)
                && other.machine_type != offer.machine_type
                && self.harness.may_buy(other)
        });
        others.next()
    }

    /// A small machine.
    pub(crate) async fn machine(&self) -> MachineSpec<ResourceId> {
        let offer = self.offer().await;
        let images = done(self.provider.public_images().await, "asking for images");
        let image = images.get("debian-12", Some(&offer.arch));
        let image = image.expect("there is a debian-12 for what is on sale");
        MachineSpec {
            machine_type: offer.machine_type,
            cpu: offer.cpu,
            memory: offer.memory,
            capacity: offer.capacity,
            zone: offer.zone,
            image: ImageRef::Named {
                name: "debian-12".to_owned(),
                id: image.clone(),
            },
            subnet: self.ground().await.subnet.clone(),
            firewalls: Shared::new(),
            keypair: None,
            user_data: None,
            disks: Vec::new(),
            public_ip: self.ways().machines_choose().then_some(false),
            labels: labels(),
        }
    }

    /// A small thing of any kind.
    pub async fn spec(&self, kind: Kind) -> Spec<ResourceId> {
        match kind {
            Kind::Network => self.network(),
            Kind::Subnet => {
                let network = self.ground().await.network.clone();
                self.subnet(&network, 1).await
            }
            Kind::Firewall => Spec::Firewall(self.firewall().await),
            Kind::Address => Spec::Address(AddressSpec {
                attach: None,
                labels: labels(),
            }),
            Kind::Keypair => self.keypair(),
            Kind::Image => {
                let mut image = self.harness.image();
                image.labels = labels();
                Spec::Image(image)
            }
            Kind::Machine => Spec::Machine(self.machine().await),
            Kind::Volume => Spec::Volume(self.volume().await),
            Kind::Bucket => Spec::Bucket(BucketSpec {
                versioning: false,
                labels: labels(),
            }),
        }
    }

    /// A small machine, made and ready.
    pub(crate) async fn running(&self, word: &str) -> Resource {
        let spec = Spec::Machine(self.machine().await);
        self.create(&spec, word).await
    }

    /// The wanted spec as it must read back: without what this provider cannot tell.
    pub(crate) fn readable(&self, wanted: &Spec<ResourceId>) -> Spec<ResourceId> {
        let mut wanted = wanted.clone();
        let capabilities = self.provider.capabilities();
        match &mut wanted {
            Spec::Machine(machine) => {
                machine.user_data = None;
                let id = match &machine.image {
                    ImageRef::Named { id, .. } | ImageRef::Managed(id) => id.clone(),
                };
                machine.image = ImageRef::Named {
                    name: String::new(),
                    id,
                };
            }
            Spec::Image(image) => {
                if !capabilities.can_read(Kind::Image, strat_model::Field::Source) {
                    image.source.clear();
                }
                if !capabilities.can_read(Kind::Image, strat_model::Field::Sha256) {
                    image.sha256.clear();
                }
            }
            _ => {}
        }
        wanted
    }

    /// Fails unless a thing reads back as it was wanted.
    pub(crate) fn check_spec(&self, thing: &Resource, wanted: &Spec<ResourceId>) {
        let (mut read, mut wanted) = (thing.spec.clone(), self.readable(wanted));
        if let (Spec::Machine(read), Spec::Machine(wanted)) = (&mut read, &mut wanted) {
            // An image cannot be read back, whatever stands there.
            read.image = wanted.image.clone();
            let capabilities = self.provider.capabilities();
            if !capabilities.can_read(Kind::Machine, strat_model::Field::Disks) {
                read.disks.clone_from(&wanted.disks);
            }
            if !capabilities.can_read(Kind::Machine, strat_model::Field::Keypair) {
                read.keypair.clone_from(&wanted.keypair);
            }
        }
        // What leaves the site no choice is not asked for.
        if let (Spec::Subnet(read), Spec::Subnet(wanted)) = (&mut read, &wanted) {
            read.internet = read.internet.filter(|_| wanted.internet.is_some());
        }
        if let (Spec::Machine(read), Spec::Machine(wanted)) = (&mut read, &wanted) {
            read.public_ip = read.public_ip.filter(|_| wanted.public_ip.is_some());
        }
        assert_eq!(
            read,
            wanted,
            "what reads back of {} {}",
            thing.kind(),
            thing.id
        );
    }
}

/// Labels of letters that are not plain, within every cloud's limits.
pub(crate) fn unusual_labels() -> Labels {
    Labels::from([
        ("team".to_owned(), "Zürich Plattform".to_owned()),
        ("city".to_owned(), "東京".to_owned()),
        ("empty".to_owned(), String::new()),
        ("long".to_owned(), "x".repeat(200)),
    ])
}
