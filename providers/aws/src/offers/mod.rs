//! What is on sale, and the account's limits.
//!
//! - Sizes and the zones that have them: `DescribeInstanceTypes` and
//!   `DescribeInstanceTypeOfferings`, page by page, of both instruction sets ([`crate::arch`]).
//!   Bare metal is left out.
//! - Prices: the catalogue's dated snapshot; where a site asks for it, AWS's price list. For spot,
//!   the price history's latest.
//! - Limits: Service Quotas, one for each group of families that AWS counts together, where that is to be
//!   had and allowed; else none is known.

mod live;
mod quotas;
mod spot;
mod types;

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_ec2::types::LocationType;
use futures::future::try_join3;
use strat_catalogue::{Cloud, Snapshot};
use strat_model::{CapacityKind, ErrorKind, Name, Offer, Pool, Quota, Result};
use strat_provider::Offers;

pub(crate) use quotas::STANDARD;
pub(crate) use types::{TypeCache, TypeSize};

use crate::error::{failed, refuse};
use crate::provider::{AwsProvider, filter};

impl AwsProvider {
    /// Which type is to be had in which zone.
    async fn offerings(&self, zones: &[Name]) -> Result<BTreeSet<(Name, String)>> {
        let mut pages = self
            .ec2()
            .describe_instance_type_offerings()
            .location_type(LocationType::AvailabilityZone)
            .filters(filter("location", zones.iter().map(Name::as_str)))
            .max_results(1000)
            .into_paginator()
            .items()
            .send();
        let mut found = BTreeSet::new();
        while let Some(offering) = pages.next().await {
            let offering = offering.map_err(failed("ec2:DescribeInstanceTypeOfferings"))?;
            let zone = offering.location().and_then(|zone| Name::new(zone).ok());
            if let (Some(zone), Some(kind)) = (zone, offering.instance_type()) {
                found.insert((zone, kind.as_str().to_owned()));
            }
        }
        Ok(found)
    }

    /// The zones that the site names, or else that the account has in the region.
    async fn find_zones(&self) -> Result<Vec<Name>> {
        if !self.settings.zones.is_empty() {
            let zones: BTreeSet<&Name> = self.settings.zones.iter().collect();
            return Ok(zones.into_iter().cloned().collect());
        }
        let call = self
            .ec2()
            .describe_availability_zones()
            .filters(filter("state", ["available"]))
            .filters(filter("zone-type", ["availability-zone"]));
        let answer = call.send().await;
        let answer = answer.map_err(failed("ec2:DescribeAvailabilityZones"))?;
        let zones = answer.availability_zones().iter();
        let names = zones.filter_map(|zone| Name::new(zone.zone_name()?).ok());
        let zones: BTreeSet<Name> = names.collect();
        if zones.is_empty() {
            let message = format!("the region {} has no zone for us", self.settings.region);
            return Err(refuse(ErrorKind::Invalid, message));
        }
        Ok(zones.into_iter().collect())
    }
}

#[async_trait]
impl Offers for AwsProvider {
    async fn zones(&self) -> Result<Vec<Name>> {
        let zones = self.zones.get_or_try_init(|| self.find_zones());
        zones.await.cloned()
    }

    async fn list_offers(&self) -> Result<Vec<Offer>> {
        let zones = self.zones().await?;
        let spot = async {
            match self.settings.spot {
                true => self.spot_prices(&zones).await,
                false => Ok(Default::default()),
            }
        };
        let (sizes, offerings, spot) =
            try_join3(self.all_sizes(), self.offerings(&zones), spot).await?;
        let snapshot = Snapshot::of(Cloud::Aws).prices(&self.settings.region);
        let live = self.live_prices().await?;
        let mut offers = Vec::new();
        for (zone, machine_type) in offerings {
            let Some(size) = sizes.get(&machine_type) else {
                continue;
            };
            let offer = |capacity, price_hour| Offer {
                zone: zone.clone(),
                family: quotas::family(&machine_type, capacity),
                machine_type: machine_type.clone(),
                cpu: size.cpu,
                memory: size.memory,
                arch: size.arch.to_owned(),
                gpus: size.gpus,
                gpu: size.gpu.clone(),
                burstable: Cloud::Aws.is_burstable(&machine_type),
                capacity,
                price_hour,
            };
            let listed = live.and_then(|live| live.get(&machine_type));
            let price = listed.or_else(|| snapshot.get(machine_type.as_str()));
            let price = price.copied();
            offers.push(offer(CapacityKind::OnDemand, price));
            if let Some(price) = spot.get(&(zone.clone(), machine_type.clone())) {
                offers.push(offer(CapacityKind::Spot, Some(*price)));
            }
        }
        Ok(offers)
    }

    async fn free(&self) -> Result<Option<Pool>> {
        Ok(None)
    }

    async fn quotas(&self) -> Result<Vec<Quota>> {
        self.vcpu_quotas().await
    }
}
