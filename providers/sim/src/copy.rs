//! Copies of real sites: a simulated one that sells what a site was seen to sell, and holds what
//! was seen there.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use strat_model::{
    Bytes, Capabilities, Idempotency, Name, Pool, Resource, ResourceState, Result, SiteCapacity,
    SiteFacts, SiteInventory, Sizing, SubnetScope,
};
use strat_provider::Provider;

use crate::world::{Thing, Tx, Usage, after};
use crate::{Behaviour, Profile, SimSite, World};

impl Profile {
    /// The profile whose cloud is most like one that can do this: where subnets are zonal, sizes
    /// are free, or creates are repeated by name.
    #[must_use]
    pub const fn like(capabilities: &Capabilities) -> Self {
        match (
            &capabilities.sizing,
            capabilities.subnets,
            capabilities.idempotency,
        ) {
            (Sizing::Flexible { .. }, ..) => Self::Onprem,
            (_, SubnetScope::Zonal, _) => Self::Aws,
            (_, _, Idempotency::Name) => Self::Azure,
            (_, _, Idempotency::Token { .. }) => Self::Gcp,
        }
    }
}

impl SimSite {
    /// A site with the zones, offers, images, limits and abilities that another was seen to have,
    /// in a region of its own. Where the facts do not tell, it is like the nearest profile.
    #[must_use]
    pub fn observed(name: Name, facts: Arc<SiteFacts>, behaviour: Behaviour) -> Self {
        let region = name.to_string();
        Self {
            zones: facts.zones.clone(),
            account: "copy".to_owned(),
            ..Self::new(name, Profile::like(&facts.capabilities), &region)
        }
        .behaving(behaviour)
        .with_facts(facts)
    }
}

impl World {
    /// Connects to a copy of a site that was observed, and puts there what was seen, by the same
    /// ids and with the same marks: what is pending becomes ready, what is being deleted goes. The
    /// room that is left is what the site said, less what was not seen of it. How many machines are
    /// in stock no site tells; here it is as the behaviour says.
    ///
    /// # Errors
    /// `Internal` when the world cannot be written.
    pub fn copy(&self, site: SimSite, seen: &SiteInventory) -> Result<Arc<dyn Provider>> {
        let Some(facts) = site.facts.clone() else {
            return self.connect(site);
        };
        let families = facts.offers.iter();
        let families: FxHashMap<_, _> = families
            .map(|offer| (offer.machine_type.clone(), offer.family.clone()))
            .collect();
        let mut usage = Usage::new(site.profile);
        usage.name_families(families.clone());
        for resource in &seen.resources {
            usage.add(&resource.spec);
        }
        let mut site = site;
        site.capacity = (facts.free.as_ref()).map(|free| capacity(free, usage.pool()));
        let (key, behaviour) = (site.region_key(), site.behaviour.clone());
        let provider = self.connect(site)?;
        self.transact(&key, |tx| {
            tx.region_mut().usage.name_families(families);
            tx.change_record(|record| {
                let quotas = &mut record.trials.quotas;
                for quota in &facts.quotas {
                    // What others run under the same limit is not there; so much less is allowed.
                    let ours = usage.cpu(quota.family.as_deref());
                    let others = quota.cpu_used.saturating_sub(ours);
                    let word = quota.family.clone().unwrap_or_else(|| "total".to_owned());
                    quotas.insert(word, quota.cpu_limit.saturating_sub(others));
                }
            });
            for resource in &seen.resources {
                let thing = thing(tx, resource, &behaviour);
                tx.put(thing);
            }
            Ok(())
        })?;
        Ok(provider)
    }
}

/// What there is, where so much is free and so much in use.
fn capacity(free: &Pool, used: &Pool) -> SiteCapacity {
    let mut gpus = free.gpus.clone();
    for (model, used) in &used.gpus {
        *gpus.entry(model.clone()).or_default() += used;
    }
    SiteCapacity {
        cpu: free.cpu.saturating_add(used.cpu),
        memory: Bytes(free.memory.0.saturating_add(used.memory.0)),
        disk: Some(Bytes(free.disk.0.saturating_add(used.disk.0))),
        gpus,
    }
}

fn thing(tx: &Tx<'_>, seen: &Resource, behaviour: &Behaviour) -> Thing {
    let pending = seen.state == ResourceState::Pending;
    let deleting = seen.state == ResourceState::Deleting;
    let full = seen
        .attributes
        .get(Resource::EMPTY)
        .is_some_and(|empty| empty == "false");
    Thing {
        id: seen.id.clone(),
        serial: tx.region().record.next_serial,
        name: seen.name.clone(),
        mark: seen.mark.clone(),
        spec: seen.spec.clone(),
        attributes: seen.attributes.clone(),
        created: seen.created.unwrap_or(tx.now),
        ready_at: after(tx.now, if pending { behaviour.create_ms } else { 0 }),
        gone_at: deleting.then(|| after(tx.now, behaviour.delete_ms)),
        remembered_until: None,
        stopped: seen.state == ResourceState::Stopped,
        resized: false,
        hangs: false,
        failed: seen.state == ResourceState::Failed,
        request: String::new(),
        token: None,
        copied: false,
        vouched: seen.witness.is_held(),
        objects: u64::from(full),
        stale: None,
    }
}
