//! On-demand prices from AWS's price list, for sites that ask for it with `prices = "live"`.
//!
//! The service answers in a few regions only, of all regions' prices, some hundred kilobytes a page:
//! <https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html>.

use std::collections::BTreeMap;

use aws_sdk_pricing::types::{Filter, FilterType};
use rust_decimal::Decimal;
use serde_json::Value;
use strat_model::{ErrorKind, Money, Result};

use crate::config::Prices;
use crate::error::{failed, lacking};
use crate::provider::AwsProvider;

/// What makes a product a plain Linux machine by the hour. `Used` is what runs, unlike what a
/// capacity reservation holds.
const PLAIN: [(&str, &str); 5] = [
    // Not a local zone, which has prices of its own.
    ("locationType", "AWS Region"),
    ("operatingSystem", "Linux"),
    ("tenancy", "Shared"),
    ("preInstalledSw", "NA"),
    ("capacitystatus", "Used"),
];

impl AwsProvider {
    /// The price of an hour of each type in this region, asked once for as long as the site is
    /// connected. `None` where the site does not ask for it, or AWS does not tell it.
    pub(super) async fn live_prices(&self) -> Result<Option<&BTreeMap<String, Money>>> {
        if self.settings.prices == Prices::Snapshot {
            return Ok(None);
        }
        match self.prices.get_or_try_init(|| self.ask_prices()).await {
            Ok(prices) => Ok(Some(prices)),
            Err(error) if error.kind() == ErrorKind::Forbidden => Ok(None),
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn ask_prices(&self) -> Result<BTreeMap<String, Money>> {
        let region = ("regionCode", self.settings.region.as_str());
        let filters = PLAIN.into_iter().chain([region]).map(|(field, value)| {
            let filter = Filter::builder().r#type(FilterType::TermMatch);
            filter.field(field).value(value).build()
        });
        let filters: std::result::Result<Vec<_>, _> = filters.collect();
        let filters = filters.map_err(|_| lacking("pricing:GetProducts", "filter"))?;
        let mut products = self
            .access
            .pricing
            .get_products()
            .service_code("AmazonEC2")
            .format_version("aws_v1")
            .set_filters(Some(filters))
            .max_results(100)
            .into_paginator()
            .items()
            .send();
        let mut prices = BTreeMap::new();
        while let Some(product) = products.next().await {
            let product = product.map_err(failed("pricing:GetProducts"))?;
            prices.extend(price(&product));
        }
        Ok(prices)
    }
}

/// The type and the hourly price of one product; `None` for what is no machine or has no price in
/// dollars by the hour.
///
/// Each product is a JSON document in a string, in the form of the offer files:
/// <https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html>.
fn price(product: &str) -> Option<(String, Money)> {
    let product: Value = serde_json::from_str(product).ok()?;
    let attributes = &product["product"]["attributes"];
    let machine_type = attributes["instanceType"].as_str()?;
    let terms = product["terms"]["OnDemand"].as_object()?.values();
    let dimensions = terms.filter_map(|term| term["priceDimensions"].as_object());
    let mut dimensions = dimensions.flat_map(|dimensions| dimensions.values());
    let hourly = dimensions.find(|dimension| dimension["unit"] == "Hrs")?;
    let amount: Decimal = hourly["pricePerUnit"]["USD"].as_str()?.parse().ok()?;
    // What is told as free is a type that is not sold this way.
    (!amount.is_zero()).then(|| (machine_type.to_owned(), Money::usd(amount.normalize())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// In the documented form, cut to what is read.
    fn product(unit: &str, usd: &str) -> String {
        json!({
            "product": {
                "productFamily": "Compute Instance",
                "attributes": { "instanceType": "m5.large", "regionCode": "eu-central-1" },
                "sku": "ABCDEFGHIJKLMNOP",
            },
            "serviceCode": "AmazonEC2",
            "terms": { "OnDemand": { "ABCDEFGHIJKLMNOP.JRTCKXETXF": {
                "priceDimensions": { "ABCDEFGHIJKLMNOP.JRTCKXETXF.6YS6EN2CT7": {
                    "unit": unit,
                    "endRange": "Inf",
                    "description": "per On Demand Linux m5.large Instance Hour",
                    "beginRange": "0",
                    "pricePerUnit": { "USD": usd },
                } },
                "offerTermCode": "JRTCKXETXF",
            } } },
        })
        .to_string()
    }

    #[test]
    fn the_price_of_an_hour_is_read() {
        let (machine_type, money) = price(&product("Hrs", "0.1150000000")).expect("a price");
        assert_eq!(
            (machine_type.as_str(), money.to_string()),
            ("m5.large", "0.115 USD".to_owned())
        );
    }

    #[test]
    fn what_is_no_price_of_an_hour_is_left_out() {
        assert_eq!(price(&product("Quantity", "100.0")), None);
        assert_eq!(price(&product("Hrs", "0.0000000000")), None, "never zero");
        assert_eq!(price("{}"), None);
        assert_eq!(price("no JSON"), None);
    }
}
