//! Retail prices, which nobody has to be known for.
//! <https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices>

use serde_json::{Value, json};

use super::{LOCATIONS, Size, sizes};
use crate::refusal::Refusal;
use crate::server::{Answer, Received};
use crate::text::{encode, guid};
use crate::world::World;

/// Currencies: what a US dollar is in them.
const CURRENCIES: [(&str, f64); 3] = [("USD", 1.0), ("EUR", 0.9), ("GBP", 0.8)];

/// How many items a page has.
const PAGE: usize = 1_000;

pub(crate) fn prices(world: &World, asked: &Received) -> Result<Answer, Refusal> {
    let refuse = |what: &str| {
        Refusal::new(
            400,
            "BadRequest",
            format!("Invalid OData parameters supplied: {what}"),
        )
    };
    if let Some(version) = asked
        .query("api-version")
        .filter(|version| *version != "2023-01-01-preview")
    {
        return Err(refuse(&format!("api-version {version}")));
    }
    let currency = asked
        .query("currencyCode")
        .unwrap_or("USD")
        .trim_matches('\'')
        .to_owned();
    let rate = CURRENCIES.iter().find(|(name, _)| *name == currency);
    let (_, rate) = rate.ok_or_else(|| refuse(&format!("currencyCode {currency}")))?;
    let filter = asked.query("$filter").unwrap_or_default();
    let mut items = Vec::new();
    for (location, display, _, times) in LOCATIONS {
        for size in sizes().filter(|size| size.is_in(location)) {
            for item in of_size(&size, location, display, times * rate, &currency) {
                if fits(&item, filter).ok_or_else(|| refuse(filter))? {
                    items.push(item);
                }
            }
        }
    }
    let skip: usize = match asked.query("$skip") {
        None => 0,
        Some(text) => text.parse().map_err(|_| refuse("$skip"))?,
    };
    let page = world.arranged.page.unwrap_or(PAGE);
    let total = items.len();
    let shown: Vec<Value> = items.into_iter().skip(skip).take(page).collect();
    let end = skip + shown.len();
    let next = (end < total).then(|| {
        let mut query: Vec<String> = asked
            .query
            .iter()
            .filter(|(name, _)| name != "$skip")
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        query.push(format!("$skip={end}"));
        format!("{}/api/retail/prices?{}", world.endpoint, query.join("&"))
    });
    let body = json!({
        "BillingCurrency": currency, "CustomerEntityId": "Default", "CustomerEntityType": "Retail",
        "Items": shown, "NextPageLink": next, "Count": shown.len(),
    });
    Ok(Answer::json(200, &body))
}

/// What a size costs: with Linux, with Windows, as spot, and as low priority.
fn of_size(size: &Size, location: &str, display: &str, times: f64, currency: &str) -> Vec<Value> {
    let words = size.name.trim_start_matches("Standard_").replace('_', " ");
    let series = size
        .family
        .trim_start_matches("standard")
        .trim_end_matches("Family");
    let product = format!("Virtual Machines {series} Series");
    let windows = format!("{product} Windows");
    let hour = size.cents / 100.0 * times;
    let mut rows = vec![
        (words.clone(), product.clone(), hour),
        (
            words.clone(),
            windows.clone(),
            hour + 0.046 * size.cpus as f64 * times,
        ),
    ];
    if size.is_spot() {
        rows.push((format!("{words} Spot"), product.clone(), hour * 0.2));
        rows.push((format!("{words} Spot"), windows, hour * 0.35));
        rows.push((format!("{words} Low Priority"), product, hour * 0.2));
    }
    let shown = rows.into_iter().map(|(sku, product, price)| {
        let price = (price * 1_000_000.0).round() / 1_000_000.0;
        let id = guid(&format!("{sku} {product} {location}"));
        json!({
            "currencyCode": currency, "tierMinimumUnits": 0.0, "retailPrice": price,
            "unitPrice": price, "armRegionName": location, "location": display,
            "effectiveStartDate": "2026-10-01T00:00:00Z", "meterId": id, "meterName": sku,
            "productId": "DZH318Z0BQPS", "skuId": "DZH318Z0BQPS/00TG", "productName": product,
            "skuName": sku, "serviceName": "Virtual Machines", "serviceId": "DZH313Z7MMC8",
            "serviceFamily": "Compute", "unitOfMeasure": "1 Hour", "type": "Consumption",
            "isPrimaryMeterRegion": true, "armSkuName": size.name,
        })
    });
    shown.collect()
}

/// Whether an item is as a filter asks: parts joined by `and`, each a comparison or, in parentheses,
/// some joined by `or`. Nothing where the filter is none.
fn fits(item: &Value, filter: &str) -> Option<bool> {
    let mut all = true;
    for part in filter
        .split(" and ")
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let inner = part
            .strip_prefix('(')
            .and_then(|part| part.strip_suffix(')'));
        let mut any = false;
        for one in inner.unwrap_or(part).split(" or ") {
            any |= compares(item, one.trim())?;
        }
        all &= any;
    }
    Some(all)
}

fn compares(item: &Value, part: &str) -> Option<bool> {
    let own = |name: &str| {
        let name = if name == "priceType" { "type" } else { name };
        item.get(name)?.as_str()
    };
    if let Some(inner) = part
        .strip_prefix("contains(")
        .and_then(|part| part.strip_suffix(')'))
    {
        let (name, value) = inner.split_once(',')?;
        return Some(own(name.trim())?.contains(value.trim().trim_matches('\'')));
    }
    let (name, operator) = if part.contains(" eq ") {
        (" eq ", true)
    } else {
        (" ne ", false)
    };
    let (field, value) = part.split_once(name)?;
    let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    Some((own(field.trim())? == value) == operator)
}
