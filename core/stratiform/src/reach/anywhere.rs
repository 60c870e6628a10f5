//! The world in which everything is where it may be, as far as traffic is concerned.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{
    Bytes, Capabilities, HardwareIntent, Intent, Inventory, Kind, LabelRules, Limits, LocalAddr,
    MachineIntent, Name, Noun, PlacementIntent, Pool, Preference, PublicImages, ResourceId,
    SiteFacts, SiteSpec, Size, Sizing, SpotIntent, Spread,
};
use strat_planner::place;
use strat_provider::uniform_capabilities;

use super::Anywhere;
use crate::{Error, Workspace, offline};

/// What every machine is made from here.
const IMAGE: &str = "any";
/// A size that any site has.
const SMALL: Size = Size::AtLeast {
    cpu: 1,
    memory: Bytes(1 << 30),
};

/// Places all of a topology, at sites of which these facts are known without a network.
pub(super) fn of(
    workspace: &Workspace,
    mut known: BTreeMap<Name, SiteFacts>,
) -> Result<Anywhere, Error> {
    let intent = workspace.intent();
    let named = zones_named(intent);
    let mut facts = BTreeMap::new();
    for site in intent.sites.values() {
        let known = known.remove(&site.name);
        let named = named.get(&site.name);
        facts.insert(site.name.clone(), facts_of(workspace, site, known, named));
    }
    let roomy = facts
        .iter()
        .map(|(site, facts)| (site.clone(), roomy(facts)));
    let roomy: BTreeMap<Name, SiteFacts> = roomy.collect();
    let zones = facts.values().map(|facts| facts.zones.len()).max();
    let everywhere = everywhere(intent, zones.unwrap_or(1));
    let desired = place(&everywhere, &roomy, &Inventory::default());
    let desired = desired.map_err(|unplaced| workspace.no_place(unplaced))?;
    Ok(Anywhere { desired, facts })
}

/// The zones that a topology names, by site.
fn zones_named(intent: &Intent) -> BTreeMap<Name, BTreeSet<Name>> {
    let mut named: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    for machine in &intent.machines {
        if let Some(zone) = &machine.placement.zone {
            for site in &machine.placement.sites {
                named.entry(site.clone()).or_default().insert(zone.clone());
            }
        }
    }
    named
}

/// What is known of a site without asking it. One whose provider says nothing of itself without being asked
/// is hardware that somebody owns.
fn facts_of(
    workspace: &Workspace,
    site: &SiteSpec,
    known: Option<SiteFacts>,
    named: Option<&BTreeSet<Name>>,
) -> SiteFacts {
    let known = known.or_else(|| offline::of_snapshot(workspace, site).map(|known| known.facts));
    let mut facts = known.unwrap_or_else(|| {
        let factory = workspace.registry().get(&site.provider);
        let told = factory.and_then(|factory| factory.capabilities(site));
        let is_owned = told.is_none();
        SiteFacts {
            capabilities: told.unwrap_or_else(|| uniform_capabilities(Kind::ALL)),
            changes: Default::default(),
            zones: site.zones.clone(),
            offers: Vec::new(),
            free: is_owned.then(Pool::default),
            quotas: Vec::new(),
            images: PublicImages::default(),
        }
    });
    facts.zones.extend(named.into_iter().flatten().cloned());
    facts.zones.sort();
    facts.zones.dedup();
    if facts.zones.is_empty() {
        facts.zones.push(site.name.clone());
    }
    facts
}

/// The same site with room for everything.
fn roomy(facts: &SiteFacts) -> SiteFacts {
    let image = (IMAGE.to_owned(), ResourceId::from(IMAGE));
    SiteFacts {
        capabilities: Capabilities {
            subnets: facts.capabilities.subnets,
            internet: facts.capabilities.internet.clone(),
            public_ips: facts.capabilities.public_ips,
            sizing: Sizing::Flexible {
                max_cpu: u32::MAX,
                max_memory: Bytes(u64::MAX),
            },
            labels: LabelRules::Any,
            limits: Limits::default(),
            ..uniform_capabilities(Kind::ALL)
        },
        changes: Default::default(),
        zones: facts.zones.clone(),
        offers: Vec::new(),
        free: None,
        quotas: Vec::new(),
        images: [image].into_iter().collect(),
    }
}

/// The same topology with each fleet at every site of its placement, in every zone, and without what does
/// not matter to traffic.
fn everywhere(intent: &Intent, zones: usize) -> Intent {
    let mut intent = intent.clone();
    intent.volumes.clear();
    intent.buckets.clear();
    intent.keypairs.clear();
    intent.images.clear();
    intent.bursts.clear();
    intent.budgets.clear();
    let left: BTreeSet<LocalAddr> = {
        let kinds = [
            Kind::Machine,
            Kind::Network,
            Kind::Subnet,
            Kind::Firewall,
            Kind::Address,
        ];
        let commons = intent.commons().map(|common| &common.addr);
        commons
            .filter(|addr| kinds.contains(&addr.noun.kind()))
            .cloned()
            .collect()
    };
    for machine in &mut intent.machines {
        anywhere(machine, zones);
        let waits = machine.common.depends_on.iter();
        machine.common.depends_on = waits.filter(|one| left.contains(one)).cloned().collect();
    }
    intent
}

fn anywhere(machine: &mut MachineIntent, zones: usize) {
    machine.size = SMALL;
    machine.hardware = HardwareIntent::default();
    machine.image = Ok(IMAGE.to_owned());
    machine.keypair = None;
    machine.user_data = None;
    machine.disks.clear();
    let asked = &machine.placement;
    if machine.common.addr.noun == Noun::Machines {
        let places = asked.sites.len() * zones.max(1);
        machine.count = u32::try_from(places).unwrap_or(u32::MAX);
    }
    machine.placement = PlacementIntent {
        sites: asked.sites.clone(),
        require: asked.require.clone(),
        zone: asked.zone.clone(),
        spread: Spread::Zone,
        prefer: Preference::Balance,
        weights: BTreeMap::new(),
        max_price: None,
        spot: SpotIntent::default(),
        survive: false,
        unit: 1,
        move_threshold: None,
        anti_affinity: None,
    }
    .into();
}
