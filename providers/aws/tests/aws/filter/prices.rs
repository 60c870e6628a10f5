//! AWS's price list, which moto has not: shaped after the example at
//! <https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html>.

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::Filter;
use super::rules::Verdict;
use super::server::Asked;

impl Filter {
    /// Lets the price list have these types, with their dollars an hour.
    pub(crate) fn set_prices(&self, prices: &[(&str, &str)]) {
        let prices = prices
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        self.state().prices = Some(prices.collect());
    }

    /// The price list, one product a page; refused where nothing was set, or where the simulated
    /// policy does not allow it.
    pub(super) fn products(&self, asked: &Asked) -> Verdict {
        let state = self.state();
        let denied = state
            .simulated
            .as_ref()
            .is_some_and(|allowed| !allowed.contains("pricing:GetProducts"));
        let Some(prices) = state.prices.as_ref().filter(|_| !denied) else {
            let message = "not authorized to perform: pricing:GetProducts".to_owned();
            return Verdict::Refuse(StatusCode::FORBIDDEN, "AccessDeniedException", message);
        };
        let request: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        let start = request["NextToken"]
            .as_str()
            .and_then(|token| token.parse().ok());
        let start: usize = start.unwrap_or(0);
        let page: Vec<String> = prices.iter().skip(start).take(1).map(product).collect();
        let next = (start + 1 < prices.len()).then(|| (start + 1).to_string());
        let answer = json!({ "FormatVersion": "aws_v1", "PriceList": page, "NextToken": next });
        Verdict::Answer(answer.to_string())
    }

    /// What the latest question for prices was about, by field.
    pub(crate) fn prices_asked(&self) -> BTreeMap<String, String> {
        let body = self.state().bodies.get("GetProducts").cloned();
        let request: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
        let filters = request["Filters"].as_array().cloned().unwrap_or_default();
        let pair = |filter: &Value| {
            let text = |key: &str| filter[key].as_str().map(str::to_owned);
            Some((text("Field")?, text("Value")?))
        };
        filters.iter().filter_map(pair).collect()
    }
}

fn product((machine_type, usd): (&String, &String)) -> String {
    json!({
        "product": { "attributes": { "instanceType": machine_type } },
        "terms": { "OnDemand": { "A.B": { "priceDimensions": { "A.B.C": {
            "unit": "Hrs", "pricePerUnit": { "USD": usd },
        } } } } },
    })
    .to_string()
}
