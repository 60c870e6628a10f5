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
mod reach;
mod read;
mod rollout;
mod rules;
mod site;
mod storage;
mod topology;

use std::collections::BTreeMap;

use strat_model::{Common, Intent, LocalAddr, Moves, Name, Noun, Owner};

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
    let mut parts = empty(ev);
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
                None => add(&mut parts, thing.noun, &mut item),
            };
        }
        guards::of_thing(ev, block);
    }
    link::link(ev, &sites, &mut parts);
    let bursts = burst::bursts(ev, &parts.machines);
    let reaches = reach::reaches(ev, &parts.machines);
    if lazy {
        ev.sink.loud();
    }
    let moves = moved::moves(ev, owner.as_ref().map_err(|failed| *failed), &parts);
    let removed = moved::removed(ev);
    Intent {
        owner: owner.unwrap_or_else(|_| nobody()),
        sites,
        lease,
        budgets: budgets.unwrap_or_default(),
        reaches,
        bursts: bursts.unwrap_or_default(),
        moves,
        removed,
        ..parts
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

/// Nothing yet, with room for an instance of each block: so large a list is not moved while it grows.
fn empty(ev: &Evaluator<'_>) -> Intent {
    let mut parts = Intent {
        owner: nobody(),
        sites: BTreeMap::new(),
        lease: None,
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
        lookups: Vec::new(),
        moves: Moves::default(),
        removed: Vec::new(),
    };
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
fn alone(parts: &Intent) -> impl Iterator<Item = &Common> {
    let networks = parts.networks.iter().map(|of| &of.common);
    networks
        .chain(parts.keypairs.iter().map(|of| &of.common))
        .chain(parts.images.iter().map(|of| &of.common))
        .chain(parts.buckets.iter().map(|of| &of.common))
}

fn add(parts: &mut Intent, noun: Noun, item: &mut Item<'_, '_>) -> Outcome<()> {
    match noun {
        Noun::Network => parts.networks.push(network::network(item)?),
        Noun::Subnet => parts.subnets.push(network::subnet(item)?),
        Noun::Firewall => parts.firewalls.push(rules::firewall(item)?),
        Noun::Address => parts.addresses.push(network::address(item)?),
        Noun::Keypair => parts.keypairs.push(compute::keypair(item)?),
        Noun::Image => parts.images.push(storage::image(item)?),
        Noun::Machine | Noun::Machines => parts.machines.push(compute::machine(item)?),
        Noun::Volume => parts.volumes.push(storage::volume(item)?),
        Noun::Bucket => parts.buckets.push(storage::bucket(item)?),
    }
    Ok(())
}

/// The intent of an address in a list sorted by address.
fn find<'a, T>(list: &'a [T], addr: &LocalAddr, of: impl Fn(&T) -> &LocalAddr) -> Option<&'a T> {
    let at = list.binary_search_by(|intent| of(intent).cmp(addr)).ok()?;
    list.get(at)
}
