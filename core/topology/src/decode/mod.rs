//! From evaluated blocks to the model's intents.

mod budget;
mod burst;
mod burst_settings;
mod burst_signals;
mod compute;
pub(crate) mod guards;
mod ignore;
mod item;
mod labels;
mod lease;
mod link;
mod lookup;
mod moved;
pub(crate) mod nested;
mod network;
mod order;
mod placement;
mod read;
mod rollout;
mod rules;
mod site;
mod storage;
mod topology;

use strat_model::{Common, Intent, LocalAddr, Name, Noun, Owner};

use crate::eval::Evaluator;
use crate::report::Outcome;
use item::Item;
pub(crate) use site::is_secret;
pub(crate) use topology::owner;

/// Decodes the whole topology as far as it can be: what is wrong is reported, and is not in it.
pub(crate) fn decode(ev: &mut Evaluator<'_>, owner: Outcome<Owner>) -> Intent {
    let sites = site::sites(ev);
    let lease = lease::lease(ev);
    let lazy = ev.lazy;
    if lazy {
        // Of what lacks a variable only the sites, and whose all is, are needed.
        ev.sink.hush();
    }
    let budgets = budget::budgets(ev);
    let mut parts = Parts::for_blocks(ev);
    for block in 0..ev.program.things.len() {
        let thing = &ev.program.things[block];
        let Ok(instances) = ev.instances(block, thing.block.head) else {
            continue;
        };
        for (at, instance) in instances.items.iter().enumerate() {
            let mut item = Item::new(ev, block, at, instance);
            // A failure has been reported; the others are still looked at.
            let _ = match thing.lookup() {
                Some(by) => lookup::lookup(&mut item, by).map(|found| parts.lookups.push(found)),
                None => parts.add(thing.noun, &mut item),
            };
        }
        guards::of_thing(ev, block);
    }
    link::link(ev, &sites, &mut parts);
    let bursts = burst::bursts(ev, &parts.machines);
    if lazy {
        ev.sink.loud();
    }
    let moves = moved::moves(ev, owner.as_ref().map_err(|failed| *failed), &parts);
    let removed = moved::removed(ev);
    Intent {
        owner: owner.unwrap_or_else(|_| nobody()),
        sites,
        lease,
        networks: parts.networks,
        subnets: parts.subnets,
        firewalls: parts.firewalls,
        addresses: parts.addresses,
        keypairs: parts.keypairs,
        images: parts.images,
        machines: parts.machines,
        volumes: parts.volumes,
        buckets: parts.buckets,
        budgets: budgets.unwrap_or_default(),
        bursts: bursts.unwrap_or_default(),
        lookups: parts.lookups,
        moves,
        removed,
    }
}

/// Whose the things are of a topology whose own block is wrong.
fn nobody() -> Owner {
    Owner {
        realm: None,
        topology: Name::unnamed(),
        lineage: None,
    }
}

/// The intents that could be decoded, each list sorted by address.
#[derive(Default)]
struct Parts {
    networks: Vec<strat_model::NetworkIntent>,
    subnets: Vec<strat_model::SubnetIntent>,
    firewalls: Vec<strat_model::FirewallIntent>,
    addresses: Vec<strat_model::AddressIntent>,
    keypairs: Vec<strat_model::KeypairIntent>,
    images: Vec<strat_model::ImageIntent>,
    machines: Vec<strat_model::MachineIntent>,
    volumes: Vec<strat_model::VolumeIntent>,
    buckets: Vec<strat_model::BucketIntent>,
    lookups: Vec<strat_model::LookupIntent>,
}

impl Parts {
    /// With room for an instance of each block: so large a list is not moved while it grows.
    fn for_blocks(ev: &Evaluator<'_>) -> Self {
        let mut parts = Self::default();
        let nouns = ev.program.things.iter().map(|thing| thing.noun);
        let machines = nouns
            .clone()
            .filter(|noun| matches!(noun, Noun::Machine | Noun::Machines));
        parts.machines.reserve_exact(machines.count());
        parts
            .volumes
            .reserve_exact(nouns.filter(|noun| *noun == Noun::Volume).count());
        parts
    }

    /// Those of kinds that refer to nothing.
    fn alone(&self) -> impl Iterator<Item = &Common> {
        let networks = self.networks.iter().map(|of| &of.common);
        networks
            .chain(self.keypairs.iter().map(|of| &of.common))
            .chain(self.images.iter().map(|of| &of.common))
            .chain(self.buckets.iter().map(|of| &of.common))
    }

    /// What all of them have in common.
    fn commons(&self) -> impl Iterator<Item = &Common> {
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

    fn add(&mut self, noun: Noun, item: &mut Item<'_, '_>) -> Outcome<()> {
        match noun {
            Noun::Network => self.networks.push(network::network(item)?),
            Noun::Subnet => self.subnets.push(network::subnet(item)?),
            Noun::Firewall => self.firewalls.push(rules::firewall(item)?),
            Noun::Address => self.addresses.push(network::address(item)?),
            Noun::Keypair => self.keypairs.push(compute::keypair(item)?),
            Noun::Image => self.images.push(storage::image(item)?),
            Noun::Machine | Noun::Machines => self.machines.push(compute::machine(item)?),
            Noun::Volume => self.volumes.push(storage::volume(item)?),
            Noun::Bucket => self.buckets.push(storage::bucket(item)?),
        }
        Ok(())
    }
}

/// The intent of an address in a list sorted by address.
fn find<'a, T>(list: &'a [T], addr: &LocalAddr, of: impl Fn(&T) -> &LocalAddr) -> Option<&'a T> {
    let at = list.binary_search_by(|intent| of(intent).cmp(addr)).ok()?;
    list.get(at)
}
