//! Leases: objects of one bucket for the account and region.

use std::time::Duration;

use async_trait::async_trait;
use strat_model::Result;
use strat_provider::{Kept, LeaseKey, LeaseVersion, Leases, Provider as _};
use strat_s3::S3Leases;

use crate::provider::AwsProvider;

impl AwsProvider {
    /// The store of this site's leases. The account is not asked for where it is known already.
    async fn lease_store(&self) -> Result<&S3Leases> {
        let make = || async {
            let account = match self.account.get() {
                Some(account) => account.clone(),
                None => self.identity().await?.account,
            };
            let region = self.settings.region.clone();
            let place = format!("aws/{account}/{region}");
            let is_any = self.settings.endpoint.is_some();
            let client = self.access.s3.clone();
            Ok(match self.settings.lease_bucket.clone() {
                Some(bucket) => S3Leases::new(client, bucket, region, place, is_any),
                None => {
                    let bucket = format!("stratiform-leases-{account}-{region}");
                    S3Leases::new(client, bucket, region, place, is_any).owned_by(account)
                }
            })
        };
        self.leases.get_or_try_init(make).await
    }
}

#[async_trait]
impl Leases for AwsProvider {
    async fn places(&self) -> Result<Vec<String>> {
        self.lease_store().await?.places().await
    }

    async fn missing(&self) -> Result<Option<String>> {
        self.lease_store().await?.missing().await
    }

    async fn make(&self) -> Result<()> {
        self.lease_store().await?.make().await
    }

    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>> {
        self.lease_store().await?.read(key).await
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        self.lease_store().await?.replace(key, text, seen).await
    }

    async fn prove(&self, key: &LeaseKey, kept: &Kept) -> Result<bool> {
        self.lease_store().await?.prove(key, kept).await
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}
