//! The other hand: what happens to a world without going through a provider.

mod carry;
mod disturbance;
mod foreign;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use strat_model::{Error, ErrorKind, Kind, Name, Resource, ResourceId, Result, Spec};
use strat_provider::Clock;

pub use disturbance::Disturbance;

use crate::error::PROVIDER;
use crate::rules::Cloud;
use crate::world::Tx;
use crate::{Behaviour, Fault, PlannedFault, RegionKey, SimSite, Trials, World};

/// What there is in one region of a world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegionView {
    /// Which region.
    pub region: RegionKey,
    /// The names of the sites that were ever connected to it.
    pub sites: BTreeSet<Name>,
    /// Its zones.
    pub zones: BTreeSet<Name>,
    /// How many things there are of each kind, foreign ones included.
    pub things: BTreeMap<Kind, u64>,
    /// What it is made to suffer.
    pub trials: Trials,
}

/// Looks into a world and disturbs it, as its owner, its other users and bad luck do.
#[derive(Debug, Clone)]
pub struct SimControl {
    world: World,
}

impl SimControl {
    /// Takes hold of a world.
    #[must_use]
    pub const fn new(world: World) -> Self {
        Self { world }
    }

    /// Takes hold of the world in a folder.
    ///
    /// # Errors
    /// `NotFound` where there is none, `Internal` where it cannot be used.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        if !folder.is_dir() {
            let message = format!("there is no simulated world in {}", folder.display());
            return Err(error(ErrorKind::NotFound, message));
        }
        Ok(Self::new(World::open(folder, 0, clock)?))
    }

    /// The world.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// Every region of the world, sorted.
    ///
    /// # Errors
    /// `Internal` where the world cannot be read.
    pub fn regions(&self) -> Result<Vec<RegionView>> {
        self.world.inspect(|regions| {
            regions
                .iter()
                .map(|(key, region)| {
                    let mut things = BTreeMap::new();
                    for thing in region.all() {
                        *things.entry(thing.kind()).or_default() += 1;
                    }
                    RegionView {
                        region: key.clone(),
                        sites: region.record.sites.clone(),
                        zones: region.record.zones.clone(),
                        things,
                        trials: region.record.trials.clone(),
                    }
                })
                .collect()
        })
    }

    /// The region that a word means: a site's name, a region's name, or `aws/main/us-east-1`.
    ///
    /// # Errors
    /// `NotFound` where it means none, `Invalid` where it means more than one.
    pub fn find(&self, word: &str) -> Result<RegionKey> {
        let views = self.regions()?;
        let means = |view: &RegionView| {
            view.region.to_string() == word
                || view.region.region == word
                || view.sites.contains(word)
        };
        let mut found = views.iter().filter(|view| means(view));
        match (found.next(), found.next()) {
            (Some(view), None) => Ok(view.region.clone()),
            (None, _) => {
                let known: Vec<_> = views.iter().map(|view| view.region.to_string()).collect();
                let message = format!(
                    "there is no site `{word}`; the world has: {}",
                    known.join(", ")
                );
                Err(error(ErrorKind::NotFound, message))
            }
            (Some(one), Some(other)) => {
                let message = format!("`{word}` may be {} or {}", one.region, other.region);
                Err(error(ErrorKind::Invalid, message))
            }
        }
    }

    /// The things in a region, foreign ones included, fresh, sorted by kind and id.
    ///
    /// # Errors
    /// `NotFound` where there is no such region.
    pub fn resources(&self, region: &RegionKey, kind: Option<Kind>) -> Result<Vec<Resource>> {
        self.transact(region, |cloud, tx| {
            let things = tx.region().all();
            let wanted = things.filter(|thing| kind.is_none_or(|kind| thing.kind() == kind));
            Ok(wanted.map(|thing| cloud.report(tx, thing)).collect())
        })
    }

    /// The volumes that were pulled off a machine that ran, by a call, in the order in which that
    /// happened.
    ///
    /// # Errors
    /// `NotFound` where there is no such region.
    pub fn pulled(&self, region: &RegionKey) -> Result<Vec<ResourceId>> {
        self.transact(region, |_, tx| Ok(tx.region().record.pulled.clone()))
    }

    /// Does something to a region, and gives back the things it touched, as they are now.
    ///
    /// # Errors
    /// `NotFound` where there is no such region or thing, `Invalid` where it makes no sense, and
    /// what the cloud's own rules give.
    pub fn disturb(&self, region: &RegionKey, what: &Disturbance) -> Result<Vec<Resource>> {
        self.transact(region, |cloud, tx| carry::out(cloud, tx, what))
    }

    /// Makes the next calls of an operation suffer a fault; `None` is any that changes something.
    ///
    /// # Errors
    /// `NotFound` where there is no such region.
    pub fn inject(
        &self,
        region: &RegionKey,
        operation: Option<&str>,
        fault: Fault,
        times: u32,
    ) -> Result<()> {
        let planned = PlannedFault {
            operation: operation.map(str::to_owned),
            fault,
            times,
            after: 0,
        };
        self.disturb(region, &Disturbance::Inject(planned))
            .map(|_| ())
    }

    /// A spec of some kind that makes sense in a region as it is, for a foreign thing.
    ///
    /// # Errors
    /// `Precondition` where something is missing that it would be in, such as a network.
    pub fn plausible(&self, region: &RegionKey, kind: Kind) -> Result<Spec<ResourceId>> {
        self.transact(region, |cloud, tx| foreign::plausible(cloud, tx, kind))
    }

    /// Forgets every thing and every trial of every region.
    ///
    /// # Errors
    /// `Internal` where the world cannot be written.
    pub fn reset(&self) -> Result<()> {
        self.world.reset()
    }

    fn transact<T>(
        &self,
        region: &RegionKey,
        work: impl FnOnce(&Cloud, &mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        self.world.transact(region, |tx| {
            let record = &tx.region().record;
            let name = record.sites.first().cloned();
            let Some(name) = name.or_else(|| Name::new("somewhere").ok()) else {
                return Err(error(
                    ErrorKind::Internal,
                    "a region without a name".to_owned(),
                ));
            };
            let site = SimSite::new(name, region.profile, &region.region)
                .in_account(&region.account)
                .in_zones(record.zones.iter().cloned())
                .behaving(Behaviour::instant());
            work(&Cloud::new(site), tx)
        })
    }
}

fn error(kind: ErrorKind, message: String) -> Error {
    Error::new(kind, message).with_provider(PROVIDER)
}
