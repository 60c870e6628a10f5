//! What a simulated cloud allows, and what it does: plain functions of a transaction.

mod check;
mod compute;
mod create;
mod delete;
mod network;
mod read;
mod resize;
mod storage;
mod update;

use std::sync::Arc;

use strat_model::{
    Capabilities, CapacityKind, Changes, Error, ImageSpec, Internet, Kind, Name, Offer,
    PublicImages, Resource, ResourceId, ResourceState, Result, Spec,
};

use crate::error::Trouble;
use crate::faults::Times;
use crate::world::{Region, RegionKey, Thing, Tx};
use crate::{Profile, SimSite, catalogue};

pub(crate) use create::Request;
pub(crate) use update::Change;

/// The cloud behind one site: its rules, its catalogue, its behaviour. The things are in the world.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) site: SimSite,
    pub(crate) key: RegionKey,
    pub(crate) capabilities: Capabilities,
    pub(crate) changes: Changes,
    pub(crate) offers: Vec<Offer>,
    pub(crate) images: PublicImages,
}

impl Cloud {
    pub(crate) fn new(site: SimSite) -> Self {
        let (offers, images) = match &site.facts {
            Some(facts) => (facts.offers.clone(), facts.images.clone()),
            None => (
                match &site.capacity {
                    Some(capacity) => catalogue::owned(capacity, &site.zones),
                    None => catalogue::offers(site.profile, &site.region, &site.zones),
                },
                catalogue::images(site.profile, &site.region),
            ),
        };
        Self {
            key: site.region_key(),
            capabilities: site.capabilities(),
            changes: site.changes(&offers),
            offers,
            images,
            site,
        }
    }

    pub(crate) const fn profile(&self) -> Profile {
        self.site.profile
    }

    /// An error in this cloud's words.
    fn fail(&self, trouble: Trouble, message: impl Into<String>) -> Error {
        trouble.error(self.profile(), message)
    }

    /// The family by which quotas count a type.
    fn family<'a>(&'a self, machine_type: &'a str) -> &'a str {
        let mut sold = self.site.facts.iter().flat_map(|facts| &facts.offers);
        let sold = sold.find(|offer| offer.machine_type == machine_type);
        sold.map_or_else(
            || catalogue::family_of(self.profile(), machine_type),
            |offer| &offer.family,
        )
    }

    /// The families that have a quota of their own, after that of all; none where there are no
    /// quotas.
    fn quota_families(&self) -> Vec<Option<&str>> {
        if let Some(facts) = &self.site.facts {
            let quotas = facts.quotas.iter();
            return quotas.map(|quota| quota.family.as_deref()).collect();
        }
        let families = catalogue::quota_families(self.profile());
        if families.is_empty() {
            return Vec::new();
        }
        std::iter::once(None)
            .chain(families.into_iter().map(Some))
            .collect()
    }

    /// The offer of a type in a zone.
    fn offer(&self, zone: &Name, machine_type: &str, capacity: CapacityKind) -> Option<&Offer> {
        let wanted = (zone, machine_type, capacity);
        let at = self.offers.binary_search_by(|offer| {
            (&offer.zone, offer.machine_type.as_str(), offer.capacity).cmp(&wanted)
        });
        self.offers.get(at.ok()?)
    }

    /// How long things take now.
    fn times(&self, tx: &Tx<'_>) -> Times {
        tx.region().record.trials.pace.of(&self.site.behaviour)
    }

    /// How long a kind of thing takes, where a machine takes `machine_ms`.
    fn delay(&self, kind: Kind, machine_ms: u64) -> u64 {
        match kind {
            Kind::Machine => machine_ms,
            kind if self.profile().is_slow(kind) => machine_ms / 3,
            _ => 0,
        }
    }

    /// The thing of an id, fit for use by something else.
    fn need(&self, tx: &Tx<'_>, kind: Kind, id: &ResourceId) -> Result<Arc<Thing>> {
        let thing = self.existing(tx, kind, id)?;
        let state = thing.state(tx.now, false);
        if matches!(state, ResourceState::Pending | ResourceState::Deleting) {
            let message = format!("the {kind} {id} is {}", state.as_str());
            return Err(self.fail(Trouble::NotReady, message));
        }
        Ok(thing)
    }

    /// The thing of an id, not on its way out.
    fn existing(&self, tx: &Tx<'_>, kind: Kind, id: &ResourceId) -> Result<Arc<Thing>> {
        let Some(thing) = tx.region().get(kind, id) else {
            return Err(self.fail(Trouble::Missing, format!("there is no {kind} {id}")));
        };
        if read::is_hidden(tx, thing) {
            return Err(read::hidden(tx));
        }
        if !thing.is_wanted() {
            let message = format!("the {kind} {id} is being deleted");
            return Err(self.fail(Trouble::NotReady, message));
        }
        Ok(Arc::clone(thing))
    }

    /// What a fresh read reports of a thing.
    pub(crate) fn report(&self, tx: &Tx<'_>, thing: &Thing) -> Resource {
        let region = tx.region();
        self.finish(region, thing.report(tx.now, is_down(region, thing)))
    }

    /// What a list reports of a thing.
    pub(crate) fn report_listed(&self, tx: &Tx<'_>, thing: &Thing) -> Option<Resource> {
        let region = tx.region();
        let resource = thing.report_listed(tx.now, is_down(region, thing))?;
        Some(self.finish(region, resource))
    }

    /// Adds what follows from other things, and takes out what this cloud does not tell.
    fn finish(&self, region: &Region, mut resource: Resource) -> Resource {
        match &mut resource.spec {
            Spec::Subnet(subnet) => {
                // What was made before subnets had ways was open at a cloud, and let out elsewhere.
                let ways = &self.capabilities.internet;
                let legacy = match ways.machines_choose() {
                    true => Internet::Public,
                    false => ways.own,
                };
                subnet.internet.get_or_insert(legacy);
            }
            Spec::Machine(machine) => {
                if self.capabilities.internet.machines_choose() {
                    machine.public_ip = Some(resource.attributes.contains_key("public_ip"));
                }
                let address = region.addresses(&resource.id).next();
                if let Some(ip) = address.and_then(|address| address.attributes.get("ip")) {
                    resource
                        .attributes
                        .insert("public_ip".to_owned(), ip.clone());
                }
            }
            Spec::Image(image) if self.capabilities.unreadable.contains_key(&Kind::Image) => {
                *image = ImageSpec {
                    source: String::new(),
                    sha256: String::new(),
                    labels: std::mem::take(&mut image.labels),
                };
            }
            _ => {}
        }
        resource
    }
}

fn is_down(region: &Region, thing: &Thing) -> bool {
    region.record.trials.is_down(zone_of(&thing.spec))
}

/// The zone that a spec is bound to.
pub(crate) const fn zone_of(spec: &Spec<ResourceId>) -> Option<&Name> {
    match spec {
        Spec::Machine(spec) => Some(&spec.zone),
        Spec::Volume(spec) => Some(&spec.zone),
        Spec::Subnet(spec) => spec.zone.as_ref(),
        _ => None,
    }
}
