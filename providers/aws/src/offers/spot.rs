//! Spot prices.

use std::collections::BTreeMap;

use aws_sdk_ec2::primitives::DateTime;
use rust_decimal::Decimal;
use strat_model::{Money, Name, Result};

use crate::error::failed;
use crate::provider::{AwsProvider, filter};

impl AwsProvider {
    /// The price of each type in each zone now. Asked for the history since now, AWS gives the
    /// prices in force.
    ///
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSpotPriceHistory.html>
    pub(super) async fn spot_prices(
        &self,
        zones: &[Name],
    ) -> Result<BTreeMap<(Name, String), Money>> {
        let now = self.clock.now().as_second();
        let mut pages = self
            .ec2()
            .describe_spot_price_history()
            .start_time(DateTime::from_secs(now))
            .product_descriptions("Linux/UNIX")
            .filters(filter("availability-zone", zones.iter().map(Name::as_str)))
            .into_paginator()
            .items()
            .send();
        let mut prices = BTreeMap::new();
        while let Some(price) = pages.next().await {
            let price = price.map_err(failed("ec2:DescribeSpotPriceHistory"))?;
            let zone = price
                .availability_zone()
                .and_then(|zone| Name::new(zone).ok());
            let amount = price.spot_price().and_then(|p| p.parse::<Decimal>().ok());
            if let (Some(zone), Some(kind), Some(amount)) = (zone, price.instance_type(), amount) {
                let key = (zone, kind.as_str().to_owned());
                prices.entry(key).or_insert(Money::usd(amount.normalize()));
            }
        }
        Ok(prices)
    }
}
