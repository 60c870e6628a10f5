//! The leases of a run: the folder's, and one for each place where it writes.

use std::sync::Arc;
use std::time::Duration;

use strat_model::Name;
use strat_provider::layers::WritePermit;

use super::{Lease, LeaseError, LeaseGuard};

/// The leases of a run.
#[derive(Debug)]
pub struct HeldLeases {
    folder: LeaseGuard,
    places: Vec<(LeaseGuard, Vec<Name>)>,
}

impl HeldLeases {
    /// The leases of a run: its folder's, and those of places, each with the sites that share it.
    #[must_use]
    pub fn new(folder: LeaseGuard, places: Vec<(LeaseGuard, Vec<Name>)>) -> Self {
        Self { folder, places }
    }

    /// The folder's, which every run has.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] if it is ours no more.
    pub fn folder(&self) -> Result<Lease, LeaseError> {
        self.folder.check()
    }

    /// The leases of places, each with the sites that share it.
    pub fn places(&self) -> impl Iterator<Item = (&LeaseGuard, &[Name])> {
        self.places.iter().map(|(guard, sites)| (guard, &**sites))
    }

    /// The leases of a site: one for each place where it writes that keeps one.
    pub fn site(&self, site: &Name) -> impl Iterator<Item = &LeaseGuard> {
        let places = self.places.iter();
        let found = places.filter(move |(_, sites)| sites.contains(site));
        found.map(|(guard, _)| guard)
    }

    /// Whether this run may still write at a site.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] if it may not.
    pub fn check(&self, site: &Name) -> Result<(), LeaseError> {
        self.site(site)
            .try_for_each(|guard| guard.check().map(drop))
    }

    /// The right to write at a site: it holds as long as the folder's lease and all of the site's.
    #[must_use]
    pub fn permit(&self, site: &Name) -> Arc<dyn WritePermit> {
        let own = self.site(site).map(LeaseGuard::permit);
        Arc::new(All(own.chain([self.folder.permit()]).collect()))
    }

    /// Gives all of them back, the folder's last. Where `unfinished` says that calls to a site were
    /// given up half-way, its lease ends by itself.
    ///
    /// # Errors
    /// The first that could not be written; the others are given back all the same.
    pub async fn release(self, unfinished: impl Fn(&Name) -> bool) -> Result<(), LeaseError> {
        let mut result = Ok(());
        for (guard, sites) in self.places {
            if sites.iter().any(&unfinished) {
                guard.abandon();
            } else {
                result = result.and(guard.release().await);
            }
        }
        result.and(self.folder.release().await)
    }
}

/// Rights that are all needed.
#[derive(Debug)]
struct All(Vec<Arc<dyn WritePermit>>);

impl WritePermit for All {
    fn left(&self) -> Result<Duration, String> {
        let mut least = Duration::MAX;
        for permit in &self.0 {
            least = least.min(permit.left()?);
        }
        Ok(least)
    }
}
