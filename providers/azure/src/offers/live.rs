//! Prices from Microsoft's own list of retail prices, for sites that ask for it with `prices = "live"`:
//! on demand and spot, of the whole region, asked for once.
//!
//! Nobody has to be known for it, so no token goes there. It is the list of Microsoft's public cloud, in
//! US dollars, in which Microsoft prices everything:
//! <https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices>.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Number;
use strat_model::{ErrorKind, Money, Result};

use crate::config::{Cloud, Prices};
use crate::error::{of_answer, refuse, unanswered};
use crate::provider::AzureProvider;

/// Where the list is.
const PLACE: &str = "https://prices.azure.com";
/// What a failure says that the call was.
const CALL: &str = "retail prices";
/// The longest list that is followed, in pages of up to a thousand: a region has a few.
const PAGES_MAX: usize = 500;

/// What an hour of each size costs in a region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RetailPrices {
    pub(super) on_demand: BTreeMap<String, Money>,
    pub(super) spot: BTreeMap<String, Money>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    items: Vec<Item>,
    #[serde(default)]
    next_page_link: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    arm_sku_name: String,
    arm_region_name: String,
    sku_name: String,
    product_name: String,
    currency_code: String,
    unit_of_measure: String,
    #[serde(rename = "type")]
    sort: String,
    retail_price: Number,
    effective_start_date: String,
    #[serde(default)]
    effective_end_date: Option<String>,
}

/// How a machine is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    OnDemand,
    Spot,
}

impl Item {
    /// How what it prices is bought: a plain Linux machine by the hour, or nothing of that. Batch's
    /// low-priority machines are none that are sold here.
    fn way(&self, region: &str) -> Option<Way> {
        let is_plain = self.sort == "Consumption"
            && self.unit_of_measure == "1 Hour"
            && self.currency_code == "USD"
            && self.arm_region_name == region
            && self.product_name.starts_with("Virtual Machines ")
            && !self.product_name.ends_with("Windows");
        if !is_plain || self.sku_name.contains("Low Priority") {
            return None;
        }
        match self.sku_name.ends_with(" Spot") {
            true => Some(Way::Spot),
            false => Some(Way::OnDemand),
        }
    }

    /// Since when it holds, if it holds now.
    fn since(&self, now: Timestamp) -> Option<Timestamp> {
        let start: Timestamp = self.effective_start_date.parse().ok()?;
        let end = self.effective_end_date.as_deref();
        let end = end.and_then(|text| text.parse::<Timestamp>().ok());
        (start <= now && end.is_none_or(|end| now < end)).then_some(start)
    }

    /// The amount, as it is written; what is told as free is not sold this way.
    fn price(&self) -> Option<Money> {
        let text = self.retail_price.to_string();
        let amount = Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text));
        let amount = amount.ok().filter(|amount| *amount > Decimal::ZERO)?;
        Some(Money::usd(amount.normalize()))
    }
}

/// The prices in a list that hold now, the latest of each size.
fn read(items: &[Item], region: &str, now: Timestamp) -> RetailPrices {
    let mut found: BTreeMap<(bool, &str), (Timestamp, Money)> = BTreeMap::new();
    for item in items {
        let (Some(way), Some(since)) = (item.way(region), item.since(now)) else {
            continue;
        };
        let Some(price) = item.price() else {
            continue;
        };
        let key = (way == Way::Spot, item.arm_sku_name.as_str());
        let known = found.get(&key);
        if known.is_none_or(|(other, _)| *other < since) {
            found.insert(key, (since, price));
        }
    }
    let mut prices = RetailPrices::default();
    for ((is_spot, size), (_, price)) in found {
        let of = match is_spot {
            true => &mut prices.spot,
            false => &mut prices.on_demand,
        };
        of.insert(size.to_owned(), price);
    }
    prices
}

impl AzureProvider {
    /// The prices of the region, asked for once as long as the site is connected. `None` where the site
    /// does not ask for them.
    pub(super) async fn live_prices(&self) -> Result<Option<&RetailPrices>> {
        // The list has no other cloud's prices.
        if self.settings.prices == Prices::Snapshot || self.settings.cloud != Cloud::Public {
            return Ok(None);
        }
        let prices = self.prices.get_or_try_init(|| self.ask_prices());
        prices.await.map(Some)
    }

    async fn ask_prices(&self) -> Result<RetailPrices> {
        let place = self.settings.endpoint.as_deref().unwrap_or(PLACE);
        let own = reqwest::Url::parse(place);
        let own =
            own.map_err(|_| refuse(ErrorKind::Invalid, format!("`{place}` is no address")))?;
        let mut url = own.clone();
        url.set_path("/api/retail/prices");
        // Values have their case since this version.
        url.query_pairs_mut()
            .append_pair("api-version", "2023-01-01-preview")
            .append_pair(
                "$filter",
                &format!(
                    "serviceName eq 'Virtual Machines' and priceType eq 'Consumption' and \
                     armRegionName eq '{}'",
                    self.settings.region
                ),
            );
        let mut items = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = self.price_page(url).await?;
            items.extend(page.items);
            let Some(next) = page.next_page_link.filter(|next| !next.is_empty()) else {
                return Ok(read(&items, &self.settings.region, self.clock.now()));
            };
            let next = reqwest::Url::parse(&next).ok();
            let is_own = |next: &reqwest::Url| {
                (next.scheme(), next.host_str()) == (own.scheme(), own.host_str())
            };
            url = next.filter(is_own).ok_or_else(|| {
                refuse(
                    ErrorKind::Internal,
                    "the list of retail prices leads elsewhere",
                )
            })?;
        }
        let message = "the list of retail prices did not end";
        Err(refuse(ErrorKind::Internal, message))
    }

    /// One page. Nobody's token goes with it.
    async fn price_page(&self, url: reqwest::Url) -> Result<Page> {
        let answer = self.access.http.get(url).send().await;
        let answer = answer.map_err(|error| unanswered(&error))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|error| unanswered(&error))?;
        if !(200..300).contains(&status) {
            return Err(of_answer(CALL, status, &headers, &body));
        }
        serde_json::from_slice(&body).map_err(|error| {
            let message = format!("the list of retail prices could not be read: {error}");
            refuse(ErrorKind::Transient, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// In the documented form.
    fn item(size: &str, sku: &str, price: f64, since: &str) -> Value {
        json!({
            "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price,
            "unitPrice": price, "armRegionName": "westeurope", "location": "EU West",
            "effectiveStartDate": since, "meterName": sku,
            "productName": "Virtual Machines DSv5 Series", "skuName": sku,
            "serviceName": "Virtual Machines", "unitOfMeasure": "1 Hour", "type": "Consumption",
            "isPrimaryMeterRegion": true, "armSkuName": size,
        })
    }

    fn prices(items: Vec<Value>) -> RetailPrices {
        let items: Vec<Item> = items
            .into_iter()
            .map(|item| serde_json::from_value(item).expect("an item"))
            .collect();
        read(
            &items,
            "westeurope",
            "2026-11-30T00:00:00Z".parse().expect("a time"),
        )
    }

    const SINCE: &str = "2026-10-01T00:00:00Z";

    #[test]
    fn what_a_plain_machine_costs_is_read_and_the_rest_left_out() {
        let size = "Standard_D2s_v5";
        let plain = || item(size, "D2s v5", 0.115, SINCE);
        let but = |field: &str, value: Value| {
            let mut other = item(size, "D2s v5", 9.5, SINCE);
            other[field] = value;
            other
        };
        let found = prices(vec![
            plain(),
            item(size, "D2s v5 Spot", 0.0000001, SINCE),
            item(size, "D2s v5 Low Priority", 0.02, SINCE),
            but("productName", json!("Virtual Machines DSv5 Series Windows")),
            but("productName", json!("DSv3 Series Dedicated Host")),
            but("type", json!("Reservation")),
            but("unitOfMeasure", json!("1 Year")),
            but("armRegionName", json!("eastus")),
            but("currencyCode", json!("EUR")),
            but("effectiveEndDate", json!("2026-11-01T00:00:00Z")),
            but("effectiveStartDate", json!("2027-01-01T00:00:00Z")),
            item("Standard_Free", "Free", 0.0, SINCE),
        ]);
        let told = |prices: &BTreeMap<String, Money>| {
            let pairs = prices.iter();
            pairs
                .map(|(size, price)| format!("{size} {price}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&found.on_demand), ["Standard_D2s_v5 0.115 USD"]);
        assert_eq!(told(&found.spot), ["Standard_D2s_v5 0.0000001 USD"]);
    }

    #[test]
    fn of_several_the_latest_holds() {
        let size = "Standard_D2s_v5";
        let old = item(size, "D2s v5", 0.2, "2020-01-01T00:00:00Z");
        let new = item(size, "D2s v5", 0.115, SINCE);
        for items in [vec![old.clone(), new.clone()], vec![new, old]] {
            let found = prices(items).on_demand;
            assert_eq!(found[size].to_string(), "0.115 USD");
        }
    }
}
