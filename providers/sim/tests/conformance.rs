//! The simulated clouds keep the provider contract, each in its own way.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use strat_conformance::{Harness, OutsideRows, Partners, conformance};
use strat_model::{
    Bytes, Field, Internet, Kind, MachineSpec, Name, Peer, Resource, ResourceId, SiteCapacity, Spec,
};
use strat_provider::{Clock, Provider, ProviderExt as _, TokioClock};
use strat_sim::{Behaviour, Disturbance, Fault, Profile, RegionKey, SimControl, SimSite, World};

/// The rows of simulated clouds. What no cloud changes, none of them does.
const CLOUD: OutsideRows = OutsideRows {
    promised: &[],
    immutable: IMMUTABLE.split_at(2).1,
    changed: 20,
};

/// The same of hardware of one's own.
const HARDWARE: OutsideRows = OutsideRows {
    promised: &[],
    immutable: IMMUTABLE,
    changed: 15,
};

/// Why nobody changes a row of the simulator.
const FIXED: &str = "the simulator's clouds change it in nothing that is there, as few real ones do: docs/changes.md";

const IMMUTABLE: &[(Kind, &str, &str)] = &[
    (Kind::Image, "source", FIXED),
    (Kind::Image, "sha256", FIXED),
    (Kind::Network, "cidr", FIXED),
    (Kind::Subnet, "network", FIXED),
    (Kind::Subnet, "cidr", FIXED),
    (Kind::Subnet, "zone", FIXED),
    (Kind::Firewall, "network", FIXED),
    (Kind::Keypair, "public_key", FIXED),
    (Kind::Machine, "capacity", FIXED),
    (Kind::Machine, "zone", FIXED),
    (Kind::Machine, "subnet", FIXED),
    (Kind::Machine, "keypair", FIXED),
    (Kind::Machine, "disks", FIXED),
    (Kind::Volume, "class", FIXED),
    (Kind::Volume, "zone", FIXED),
];

/// A world of one site, with lists that lag, on a clock that jumps over every wait.
struct SimHarness {
    control: SimControl,
    site: SimSite,
    folder: Option<tempfile::TempDir>,
}

impl SimHarness {
    fn new(profile: Profile) -> Self {
        tokio::time::pause();
        let start = "2026-01-01T00:00:00Z".parse().expect("a time");
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_at(start));
        let behaviour = Behaviour {
            consistency_ms: 2000,
            page_size: Some(3),
            ..Behaviour::realistic(profile)
        };
        let name = Name::new("here").expect("a name");
        let mut site = SimSite::new(name, profile, "region-1").behaving(behaviour);
        if profile == Profile::Onprem {
            site = site.with_capacity(SiteCapacity {
                cpu: 512,
                memory: Bytes::gib(1024),
                disk: Some(Bytes::gib(8192)),
                gpus: std::collections::BTreeMap::new(),
            });
        }
        let control = SimControl::new(World::in_memory(11, clock));
        Self {
            control,
            site,
            folder: None,
        }
    }

    /// The same in a folder, where each connection is as good as another process.
    fn in_folder(profile: Profile) -> Self {
        let harness = Self::new(profile);
        let folder = tempfile::tempdir().expect("a folder");
        let world = World::open(folder.path(), 11, harness.clock()).expect("a world");
        world.connect(harness.site.clone()).expect("a site");
        Self {
            control: SimControl::new(world),
            folder: Some(folder),
            ..harness
        }
    }

    fn key(&self) -> RegionKey {
        self.site.region_key()
    }

    /// A type with other CPUs and memory than a machine's, in its zone.
    async fn another_size(&self, machine: &MachineSpec<ResourceId>) -> Option<String> {
        let world = self.control.world();
        let provider = world.connect(self.site.clone()).ok()?;
        let offers = provider.offers()?.list_offers().await.ok()?;
        let other = offers.into_iter().find(|offer| {
            offer.zone == machine.zone
                && offer.capacity == machine.capacity
                && offer.cpu != machine.cpu
                && offer.memory != machine.memory
        });
        Some(other?.machine_type)
    }

    fn disturb(&self, what: &Disturbance) -> bool {
        self.control.disturb(&self.key(), what).is_ok()
    }
}

#[async_trait]
impl Harness for SimHarness {
    async fn provider(&self) -> Arc<dyn Provider> {
        let world = match &self.folder {
            None => self.control.world().clone(),
            Some(folder) => World::open(folder.path(), 11, self.clock()).expect("a world"),
        };
        world.connect(self.site.clone()).expect("a site")
    }

    fn run_id(&self) -> String {
        "suite".to_owned()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.control.world().clock())
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn page_size(&self) -> Option<usize> {
        self.site.behaviour.page_size
    }

    fn machines_max(&self) -> u32 {
        200
    }

    async fn make_foreign(&self, kind: Kind, name: &str) -> Option<ResourceId> {
        let spec = Box::new(self.control.plausible(&self.key(), kind).ok()?);
        let name = name.to_owned();
        let what = Disturbance::Create {
            name,
            spec,
            mark: None,
        };
        let made = self.control.disturb(&self.key(), &what).ok()?;
        Some(made.into_iter().next()?.id)
    }

    async fn lose_next_answer(&self, operation: &str) -> bool {
        let lost = Fault::lost_answer();
        self.control
            .inject(&self.key(), Some(operation), lost, 1)
            .is_ok()
    }

    async fn leave_stock(&self, machine_type: &str, zone: &Name, left: u64) -> bool {
        self.disturb(&Disturbance::SetStock {
            machine_type: Some(machine_type.to_owned()),
            zone: Some(zone.clone()),
            capacity: None,
            left: Some(left),
        })
    }

    async fn leave_quota(&self, cpus: u64) -> bool {
        let bought = self.site.profile != Profile::Onprem;
        bought
            && self.disturb(&Disturbance::SetQuota {
                family: None,
                cpu_limit: Some(cpus),
            })
    }

    async fn stop_machine(&self, id: &ResourceId) -> bool {
        let which = id.to_string();
        self.disturb(&Disturbance::StopMachine { which })
    }

    fn outside_rows(&self) -> Option<OutsideRows> {
        Some(match self.site.profile {
            Profile::Aws | Profile::Azure | Profile::Gcp => CLOUD,
            // It has no addresses and no buckets, and tells what an image was made of.
            Profile::Onprem => HARDWARE,
        })
    }

    async fn change_outside(&self, thing: &Resource, field: Field, partners: &Partners) -> bool {
        let changed = self.change(thing, field, partners).await;
        changed.unwrap_or(false)
    }

    async fn fill_bucket(&self, id: &ResourceId, full: bool) -> bool {
        let which = id.to_string();
        let objects = u64::from(full);
        self.disturb(&Disturbance::FillBucket { which, objects })
    }
}

impl SimHarness {
    /// Changes a field, as somebody does who has the cloud's own tools. `None` where the cloud refuses it.
    async fn change(&self, thing: &Resource, field: Field, partners: &Partners) -> Option<bool> {
        let which = thing.id.to_string();
        let mut spec = thing.spec.clone();
        match (&mut spec, field) {
            (_, Field::Labels) => {
                let changed = self.disturb(&Disturbance::SetLabel {
                    kind: thing.kind(),
                    which,
                    key: "cost-center".to_owned(),
                    value: Some("7".to_owned()),
                });
                return Some(changed);
            }
            (Spec::Firewall(firewall), Field::Rules) => {
                let mut rule = firewall.rules.first()?.clone();
                rule.peers = [Peer::Cidr("192.0.2.0/24".parse().ok()?)].into();
                let rule = Box::new(rule);
                let changed = self.disturb(&Disturbance::SetRule { which, rule });
                return Some(changed);
            }
            (Spec::Machine(machine), Field::MachineType | Field::Cpu | Field::Memory) => {
                let machine_type = match self.site.profile {
                    // Back and forth, so that each row is another size than the one before.
                    Profile::Onprem if machine.cpu == 6 => "flex-4-8192".to_owned(),
                    Profile::Onprem => "flex-6-12288".to_owned(),
                    _ => self.another_size(machine).await?,
                };
                let changed = self.disturb(&Disturbance::ResizeMachine {
                    which,
                    machine_type,
                });
                return Some(changed);
            }
            (Spec::Volume(volume), Field::Size) => {
                let size = Bytes(volume.size.0 * 2);
                let changed = self.disturb(&Disturbance::ResizeVolume { which, size });
                return Some(changed);
            }
            (Spec::Bucket(bucket), Field::Versioning) => bucket.versioning = !bucket.versioning,
            (Spec::Subnet(subnet), Field::Internet) => subnet.internet = Some(Internet::None),
            (Spec::Machine(machine), Field::PublicIp) => {
                machine.public_ip = machine.public_ip.map(|has| !has);
            }
            (Spec::Machine(machine), Field::Firewalls) => {
                machine.firewalls.insert(partners.firewall.clone());
            }
            (Spec::Volume(_), Field::Attach) => {
                let provider = self.provider().await;
                provider
                    .attach_volume(&thing.id, &partners.machine)
                    .await
                    .ok()?;
                return Some(true);
            }
            (Spec::Address(address), Field::Attach) => {
                address.attach = Some(partners.machine.clone());
            }
            _ => return Some(false),
        }
        // Somebody with the same rights calls the cloud as we do.
        let fields = [field].into();
        let mark = thing.mark.as_ref()?;
        let provider = self.provider().await;
        provider
            .update(&thing.id, &spec, &fields, mark)
            .await
            .ok()?;
        Some(true)
    }
}

conformance!(aws, SimHarness::new(Profile::Aws));
conformance!(azure, SimHarness::new(Profile::Azure));
conformance!(gcp, SimHarness::new(Profile::Gcp));
conformance!(onprem, SimHarness::new(Profile::Onprem));
conformance!(aws_in_a_folder, SimHarness::in_folder(Profile::Aws));
conformance!(onprem_in_a_folder, SimHarness::in_folder(Profile::Onprem));

#[test]
fn the_page_on_changes_says_what_the_profiles_say() {
    let columns = Profile::ALL.map(|profile| strat_conformance::table::Column {
        name: format!("sim, `{profile}`"),
        kinds: profile.kinds(),
        changes: profile.changes(),
    });
    strat_conformance::table::check(&columns);
}
