//! Leases.

use std::time::Duration;

use async_trait::async_trait;
use strat_model::{Error, ErrorKind, Result};

use super::{Api, Call, Effect, Layered};
use crate::{Kept, LeaseKey, LeaseVersion, Leases};

impl Layered {
    fn store(&self) -> Result<&dyn Leases> {
        let none = || Error::new(ErrorKind::Unsupported, "this site keeps no leases");
        self.inner.leases().ok_or_else(none)
    }

    fn lease_write(&self, operation: &'static str) -> Call<'_> {
        self.call(Api::Leases, operation, Effect::Write)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Leases for Layered {
    async fn places(&self) -> Result<Vec<String>> {
        let (call, store) = (self.read(Api::Leases, "lease_places"), self.store()?);
        self.forward(call, || store.places()).await
    }

    async fn missing(&self) -> Result<Option<String>> {
        let (call, store) = (self.read(Api::Leases, "lease_missing"), self.store()?);
        self.forward(call, || store.missing()).await
    }

    async fn make(&self) -> Result<()> {
        let (call, store) = (self.lease_write("make_lease_store"), self.store()?);
        self.forward(call, || store.make()).await
    }

    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>> {
        let (call, store) = (
            Layered::read(self, Api::Leases, "read_lease"),
            self.store()?,
        );
        self.forward(call, || store.read(key)).await
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        let (call, store) = (self.lease_write("replace_lease"), self.store()?);
        self.forward(call, || store.replace(key, text, seen)).await
    }

    fn term(&self) -> Option<Duration> {
        self.inner.leases().and_then(Leases::term)
    }

    fn lag(&self) -> Duration {
        self.inner.leases().map_or(Duration::ZERO, Leases::lag)
    }

    async fn prove(&self, key: &LeaseKey, kept: &Kept) -> Result<bool> {
        let (call, store) = (self.lease_write("prove_lease"), self.store()?);
        self.forward(call, || store.prove(key, kept)).await
    }
}
