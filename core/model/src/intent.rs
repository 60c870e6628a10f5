//! An evaluated topology: no expression is left in it, but no place is chosen yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::Ipv4Net;

use crate::burst::BurstIntent;
use crate::{
    Bytes, DiskClass, DiskSpec, Field, FirewallRule, Internet, Labels, LeaseSpec, LocalAddr,
    LookupIntent, Money, Moves, Name, Origin, Owner, ReachIntent, RolloutIntent, Shared, SiteSpec,
    UserData,
};

/// What a topology asks for, in no provider's terms.
///
/// Every list is sorted by address, so that the order of blocks and files never matters.
/// Every reference names something that is in here; the evaluator saw to it.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Whose the things are.
    pub owner: Owner,
    /// The sites, by name.
    pub sites: BTreeMap<Name, SiteSpec>,
    /// Where leases are kept, if not at the sites themselves.
    pub lease: Option<LeaseSpec>,
    /// Networks.
    pub networks: Vec<NetworkIntent>,
    /// Subnets.
    pub subnets: Vec<SubnetIntent>,
    /// Firewalls.
    pub firewalls: Vec<FirewallIntent>,
    /// Public addresses.
    pub addresses: Vec<AddressIntent>,
    /// Key pairs.
    pub keypairs: Vec<KeypairIntent>,
    /// Images of the topology's own.
    pub images: Vec<ImageIntent>,
    /// Machines and fleets.
    pub machines: Vec<MachineIntent>,
    /// Volumes.
    pub volumes: Vec<VolumeIntent>,
    /// Buckets.
    pub buckets: Vec<BucketIntent>,
    /// What it may cost.
    pub budgets: Vec<BudgetIntent>,
    /// What traffic is to pass and what is not, sorted by keyword and name.
    pub reaches: Vec<ReachIntent>,
    /// How counts of fleets follow their load, sorted by name; no two of one fleet.
    pub bursts: Vec<BurstIntent>,
    /// What others own and is only referred to, sorted by address; no other list has the same.
    pub lookups: Vec<LookupIntent>,
    /// What was renamed.
    pub moves: Moves,
    /// What is let go: it stays as it is, and is the topology's no more.
    pub removed: Vec<LocalAddr>,
}

impl Intent {
    /// What all things have in common: of each kind in turn, those of each sorted by address.
    pub fn commons(&self) -> impl Iterator<Item = &Common> {
        let networks = self.networks.iter().map(|of| &of.common);
        networks
            .chain(self.subnets.iter().map(|of| &of.common))
            .chain(self.firewalls.iter().map(|of| &of.common))
            .chain(self.addresses.iter().map(|of| &of.common))
            .chain(self.keypairs.iter().map(|of| &of.common))
            .chain(self.images.iter().map(|of| &of.common))
            .chain(self.machines.iter().map(|of| &of.common))
            .chain(self.volumes.iter().map(|of| &of.common))
            .chain(self.buckets.iter().map(|of| &of.common))
    }
}

/// A ceiling for the monthly cost (730 hours) of some sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetIntent {
    /// Its name.
    pub name: Name,
    /// The most that a month may cost.
    pub monthly: Money,
    /// The sites that it counts; empty for all.
    pub sites: BTreeSet<Name>,
    /// Whether machines of unknown price are left out of the count. If not, a plan with such a
    /// machine is refused: nobody can say that it stays below.
    pub allow_unpriced: bool,
    /// Where it stands.
    pub origin: Option<Origin>,
}

/// What every block has.
#[derive(Debug, Clone)]
pub struct Common {
    /// The address, without a site.
    pub addr: LocalAddr,
    /// The topology's labels and the block's own, which win.
    pub labels: Labels,
    /// Whether deleting it is refused.
    pub protect: bool,
    /// Whether its data may go without being agreed to by name, once its mark says so.
    pub disposable: bool,
    /// The fields whose differences, from whatever side, are left as they are.
    pub ignore: Shared<BTreeSet<Field>>,
    /// What must be done before it, besides what it refers to; sorted. The address of a block with
    /// several instances, without a key, is all of them. Instances that say the same share it.
    pub depends_on: Arc<[LocalAddr]>,
    /// Where it stands, shared by all instances of a block.
    pub origins: Arc<Origins>,
}

impl Common {
    /// The place of an attribute, or of the block's head where it has none.
    #[must_use]
    pub fn origin(&self, attribute: &str) -> Option<&Origin> {
        let mut places = self.origins.attributes.iter();
        let own = places.find(|(name, _)| **name == *attribute);
        own.map(|(_, place)| place).or(self.origins.block.as_ref())
    }
}

/// The places of a block and its attributes. Nested blocks' attributes are `placement.zone`.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// The block's head.
    pub block: Option<Origin>,
    /// The name and the value's place of each attribute.
    pub attributes: Vec<(Arc<str>, Origin)>,
}

/// A network over some sites.
#[derive(Debug, Clone)]
pub struct NetworkIntent {
    /// What every block has.
    pub common: Common,
    /// The whole address space.
    pub cidr: Ipv4Net,
    /// The prefix length of each site's slice; `None` only with one site, which gets all of it.
    pub site_prefix: Option<u8>,
    /// The sites; never empty.
    pub sites: Vec<Name>,
}

/// A subnet of a network: one at each of its sites, or in each zone where subnets are zonal.
#[derive(Debug, Clone)]
pub struct SubnetIntent {
    /// What every block has.
    pub common: Common,
    /// The network.
    pub network: LocalAddr,
    /// How many bits longer than the site's slice its prefix is.
    pub newbits: u8,
    /// Its way to the internet; `None` for the usual one of each site.
    pub internet: Option<Internet>,
}

/// A firewall of a network, at each of its sites.
#[derive(Debug, Clone)]
pub struct FirewallIntent {
    /// What every block has.
    pub common: Common,
    /// The network.
    pub network: LocalAddr,
    /// The rules. A firewall named in one means its machines at every site.
    pub rules: BTreeSet<FirewallRule<LocalAddr>>,
}

/// One rule, as the file has it.
pub type RuleIntent = FirewallRule<LocalAddr>;

/// A public address.
#[derive(Debug, Clone)]
pub struct AddressIntent {
    /// What every block has.
    pub common: Common,
    /// The machine it leads to, or the site where it waits for one.
    pub target: AttachIntent,
}

/// Where something that can be attached is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachIntent {
    /// With this machine, at its site and in its zone.
    Machine(LocalAddr),
    /// At this site, unattached; in this zone, or the first.
    Site {
        /// The site.
        site: Name,
        /// The zone.
        zone: Option<Name>,
    },
}

/// A key pair, at each site where a machine that names it may run.
#[derive(Debug, Clone)]
pub struct KeypairIntent {
    /// What every block has.
    pub common: Common,
    /// The public key in OpenSSH's one-line form, without the comment.
    pub public_key: String,
}

/// An image, at each site where a machine that names it may run.
#[derive(Debug, Clone)]
pub struct ImageIntent {
    /// What every block has.
    pub common: Common,
    /// A path or URL.
    pub source: String,
    /// The SHA-256 of the content, 64 hex digits.
    pub sha256: String,
}

/// A machine, or a fleet of them.
#[derive(Debug, Clone)]
pub struct MachineIntent {
    /// What every block has. The noun says whether it is a machine or a fleet.
    pub common: Common,
    /// How many; 1 for a machine.
    pub count: u32,
    /// How large.
    pub size: Size,
    /// What else its hardware must be.
    pub hardware: HardwareIntent,
    /// A neutral image name, or an image of the topology's own.
    pub image: Result<String, LocalAddr>,
    /// The subnet.
    pub subnet: LocalAddr,
    /// Whether each has a public address of its own; `None` where nothing is said of it.
    pub public_ip: Option<bool>,
    /// The firewalls.
    pub firewalls: Shared<BTreeSet<LocalAddr>>,
    /// The key pair.
    pub keypair: Option<LocalAddr>,
    /// The user data.
    pub user_data: Option<UserData>,
    /// The boot disk, then others.
    pub disks: Vec<DiskSpec>,
    /// Where.
    pub placement: Shared<PlacementIntent>,
    /// How its machines give way to others.
    pub rollout: RolloutIntent,
}

/// How large a machine is to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Size {
    /// At least this much.
    AtLeast {
        /// Virtual CPUs.
        cpu: u32,
        /// Memory.
        memory: Bytes,
    },
    /// A cloud's own type, which must be on sale at the site.
    Type(String),
}

/// What a machine's hardware must be, besides its size. A cloud's own type settles all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct HardwareIntent {
    /// The instruction set: `x86_64` or `aarch64`. `None`: `x86_64` at a site that has it.
    pub arch: Option<String>,
    /// At most so many virtual CPUs.
    pub cpu_max: Option<u32>,
    /// At most so much memory.
    pub memory_max: Option<Bytes>,
    /// At least so many accelerators.
    pub gpus: u32,
    /// The accelerator's model, such as `T4`; any if left out.
    pub gpu: Option<String>,
    /// Whether it must be of a burstable type, or must not; either if left out.
    pub burstable: Option<bool>,
}

/// Where a machine may run, and where it would rather run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PlacementIntent {
    /// The sites, in order of preference; never empty, all of them of the subnet's network.
    pub sites: Vec<Name>,
    /// Labels that a site must have.
    pub require: Labels,
    /// The zone, if only one will do.
    pub zone: Option<Name>,
    /// How a fleet is laid out at a site.
    pub spread: Spread,
    /// Which of the permitted places is best.
    pub prefer: Preference,
    /// How much of a fleet each site should have, relative to the others; 1 where left out.
    pub weights: BTreeMap<Name, u32>,
    /// The most that a new machine may cost an hour.
    pub max_price: Option<Money>,
    /// How much of a fleet may be spot capacity.
    pub spot: SpotIntent,
    /// Whether any one site may be lost (or any one zone, where only one site is permitted) and
    /// what is left is still the whole count.
    pub survive: bool,
    /// The machines of one site come in multiples of this; at least 1.
    pub unit: u32,
    /// The share of the price, in percent, that moving what runs must save before it is moved.
    /// `None`: nothing is moved for its price.
    pub move_threshold: Option<u32>,
    /// Machines with the same word here never share a zone.
    pub anti_affinity: Option<Name>,
}

/// Which of the permitted places is best.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Preference {
    /// The first site that has room; there, the cheapest.
    #[default]
    Order,
    /// Owned hardware, then the cheapest.
    Owned,
    /// The cheapest. Owned hardware without a price counts as paid for.
    Cost,
    /// Each site its weight's share.
    Balance,
}

/// How much of a fleet may be spot capacity, which a cloud may take back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SpotIntent {
    /// So many machines are never spot.
    pub on_demand_base: u32,
    /// Of the others, so many in a hundred may be.
    pub share_percent: u32,
}

impl SpotIntent {
    /// The most spot machines of a fleet of `count`.
    #[must_use]
    pub fn most(self, count: u32) -> u32 {
        let above = u64::from(count.saturating_sub(self.on_demand_base));
        u32::try_from(above * u64::from(self.share_percent) / 100).unwrap_or(u32::MAX)
    }
}

/// How a fleet is laid out at a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Spread {
    /// Wherever it is cheapest, the first zone of equals.
    #[default]
    None,
    /// Evenly over the zones.
    Zone,
}

/// A volume.
#[derive(Debug, Clone)]
pub struct VolumeIntent {
    /// What every block has.
    pub common: Common,
    /// Its size.
    pub size: Bytes,
    /// What it is made of.
    pub class: DiskClass,
    /// The machine it is attached to, or where it waits for one.
    pub target: AttachIntent,
}

/// A bucket.
#[derive(Debug, Clone)]
pub struct BucketIntent {
    /// What every block has.
    pub common: Common,
    /// The site.
    pub site: Name,
    /// Whether older versions of an object are kept.
    pub versioning: bool,
}
