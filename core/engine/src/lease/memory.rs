//! Leases within one process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use strat_model::{Error, ErrorKind, Result};
use strat_provider::{Clock, Kept, LeaseKey, LeaseVersion, Leases};

use super::{Claim, HeldLeases, Holder, LeaseError, LeasePolicy, Spot, take};
use crate::{EventSink, lock};

/// Leases that are gone with the process: for tests and rehearsals. Clones are one store.
#[derive(Debug, Clone, Default)]
pub struct MemoryLeases(Arc<Mutex<BTreeMap<LeaseKey, (u64, String)>>>);

impl HeldLeases {
    /// The leases of a run that nobody else can meet: for tests, benchmarks and rehearsals.
    ///
    /// # Errors
    /// None that a store in memory could give.
    pub async fn alone(command: &str, clock: &Arc<dyn Clock>) -> Result<Self, LeaseError> {
        let spot = Spot {
            store: Arc::new(MemoryLeases::default()),
            key: LeaseKey::of("folder", ""),
            place: "memory".to_owned(),
            window: Duration::ZERO,
        };
        let claim = Claim {
            holder: Holder::this_process(command, clock.now()),
            policy: LeasePolicy::default(),
            folder: None,
            may_make: true,
        };
        let none = EventSink::none();
        let folder = take(&spot, &claim, Duration::ZERO, clock, &none).await?;
        Ok(Self::new(folder, Vec::new()))
    }
}

#[async_trait]
impl Leases for MemoryLeases {
    async fn places(&self) -> Result<Vec<String>> {
        Ok(vec!["memory".to_owned()])
    }

    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>> {
        let kept = lock(&self.0).get(key).cloned();
        Ok(kept.map(|(version, text)| Kept {
            text,
            version: LeaseVersion(version.to_string()),
        }))
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        let mut kept = lock(&self.0);
        let before = kept.get(key).map(|(version, _)| *version);
        if before.map(|version| version.to_string()) != seen.map(|version| version.0.clone()) {
            return Err(Error::new(ErrorKind::Precondition, "it was written since"));
        }
        let version = before.unwrap_or(0) + 1;
        kept.insert(key.clone(), (version, text.to_owned()));
        Ok(LeaseVersion(version.to_string()))
    }

    async fn prove(&self, _key: &LeaseKey, _kept: &Kept) -> Result<bool> {
        Ok(false)
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}
