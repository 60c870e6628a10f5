//! The simulated copy of the world, as providers that a session connects to.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use strat_sim::{Disturbance, SimControl, SimSite, World};
use stratiform::engine::Observation;
use stratiform::model::{Error as CloudError, ErrorKind, Name, SiteInventory, SiteSpec};
use stratiform::provider::{
    Clock, ConnectContext, Provider, ProviderFactory, Registry, SettingError,
};
use stratiform::{HealthProbe, Question, Workspace};

use crate::loss::Lost;
use crate::{Error, Timing, timing};

/// Copies of sites by name.
type Copies = BTreeMap<Name, Arc<dyn Provider>>;

/// Copies of all sites that were seen whole.
#[derive(Debug)]
pub(crate) struct WorldCopy {
    pub(crate) registry: Registry,
    pub(crate) timing: BTreeMap<Name, Timing>,
}

/// Whether everything of a site was seen, so that it can be copied.
pub(crate) fn is_whole(seen: &Observation, site: &Name) -> bool {
    seen.facts.contains_key(site)
        && seen.inventory.sites.contains_key(site)
        && !seen.problems.iter().any(|problem| problem.site == *site)
}

/// Copies every site that was seen whole, and fails what is lost.
pub(crate) fn copy(
    workspace: &Workspace,
    seen: &Observation,
    lost: &Lost,
    clock: Arc<dyn Clock>,
) -> Result<WorldCopy, Error> {
    let world = World::in_memory(0, clock);
    let control = SimControl::new(world.clone());
    let (mut copies, mut timings) = (Copies::new(), BTreeMap::new());
    let sites = workspace.intent().sites.values();
    for spec in sites.filter(|spec| is_whole(seen, &spec.name)) {
        let failed = |source| Error::Copy {
            site: spec.name.clone(),
            source,
        };
        let facts = &seen.facts[&spec.name];
        let (behaviour, timing) = timing::behaviour(spec, facts);
        let mut site = SimSite::observed(spec.name.clone(), Arc::new(facts.clone()), behaviour);
        site.base_dir = workspace.base_dir();
        let key = site.region_key();
        let copy = world.copy(
            site,
            &with_lookups(&seen.inventory.sites[&spec.name], &spec.name),
        );
        copies.insert(spec.name.clone(), copy.map_err(failed)?);
        timings.insert(spec.name.clone(), timing);
        if lost.sites.contains(&spec.name) {
            let done = control.disturb(&key, &Disturbance::LoseRegion);
            done.map_err(failed)?;
        }
        for (_, zone) in lost.zones.iter().filter(|(site, _)| *site == spec.name) {
            let zone = zone.clone();
            let done = control.disturb(&key, &Disturbance::LoseZone { zone });
            done.map_err(failed)?;
        }
    }
    let copies = Arc::new(copies);
    let names = workspace.registry().names();
    let registry = names.fold(Registry::new(), |registry, name| {
        let copies = Arc::clone(&copies);
        registry.with(CopyFactory { name, copies })
    });
    Ok(WorldCopy {
        registry,
        timing: timings,
    })
}

/// What there is, with what others own and the topology refers to: a copy of that is there to be
/// found.
fn with_lookups(seen: &SiteInventory, site: &Name) -> SiteInventory {
    let mut all = seen.clone();
    for (_, thing) in seen.lookups.iter().flat_map(|one| one.things(site)) {
        if all.resources.iter().all(|other| other.id != thing.id) {
            all.resources.push(thing.clone());
        }
    }
    all
}

/// Gives the copies out under a real provider's name.
#[derive(Debug)]
struct CopyFactory {
    name: &'static str,
    copies: Arc<Copies>,
}

#[async_trait]
impl ProviderFactory for CopyFactory {
    fn name(&self) -> &'static str {
        self.name
    }

    /// The real provider's factory has checked them.
    fn check(&self, _: &SiteSpec) -> Result<(), Vec<SettingError>> {
        Ok(())
    }

    async fn connect(
        &self,
        site: &SiteSpec,
        _: &ConnectContext,
    ) -> Result<Arc<dyn Provider>, CloudError> {
        let copy = self.copies.get(&site.name).map(Arc::clone);
        copy.ok_or_else(|| {
            let message = "it was not seen whole before the rehearsal, so it has no copy";
            CloudError::new(ErrorKind::Transient, message)
        })
    }
}

/// Nobody is asked over the network: a machine of a copy runs nothing, and its address may be that
/// of a real one. Each is healthy once it is ready.
#[derive(Debug)]
pub(crate) struct Healthy;

#[async_trait]
impl HealthProbe for Healthy {
    async fn ask(&self, _: &Question) -> Result<(), String> {
        Ok(())
    }
}
