//! Lists: filtered, page by page.

use serde_json::{Value, json};

use crate::call::Call;
use crate::refusal::Refusal;
use crate::text::{encode, from_token, token};
use crate::world::World;

/// How many a page has where nothing else was arranged.
const PAGE: usize = 1_000;

/// A page of items that are in an order, with the address of the next.
/// <https://learn.microsoft.com/rest/api/azure/#async-operations-throttling-and-paging>
pub(crate) fn page(world: &World, call: &Call<'_>, items: Vec<Value>) -> Result<Value, Refusal> {
    let asked = &call.asked;
    let start = match asked.query("$skiptoken").filter(|text| !text.is_empty()) {
        None => 0,
        Some(text) => {
            let place = from_token(text).and_then(|text| text.parse::<usize>().ok());
            let message = format!("The provided skip token '{text}' is invalid.");
            place.ok_or_else(|| Refusal::new(400, "InvalidSkipToken", message))?
        }
    };
    let top = asked
        .query("$top")
        .and_then(|text| text.parse::<usize>().ok());
    let size = world.arranged.page.unwrap_or(PAGE).max(1);
    let size = top.map_or(size, |top| top.min(size));
    let total = items.len();
    let shown: Vec<Value> = items.into_iter().skip(start).take(size).collect();
    let end = start + shown.len();
    let mut answer = json!({ "value": shown });
    if end < total {
        let mut query: Vec<String> = asked
            .query
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken"))
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        query.push(format!("$skiptoken={}", encode(&token(&end.to_string()))));
        let (endpoint, path) = (&world.endpoint, &asked.path);
        answer["nextLink"] = json!(format!("{endpoint}{path}?{}", query.join("&")));
    }
    Ok(answer)
}

/// A filter of resources, as far as it is used: `NAME eq 'VALUE'`, joined by `and`.
/// <https://learn.microsoft.com/rest/api/resources/resources/list>
pub(crate) struct Filter(Vec<(String, String)>);

impl Filter {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let refuse = || {
            let message = format!("Invalid $filter '{text}' specified in the query string.");
            Refusal::new(400, "InvalidFilterInQueryString", message)
        };
        let mut parts = Vec::new();
        for part in text.split(" and ").filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.split_once(" eq ").ok_or_else(refuse)?;
            let value = value
                .trim()
                .strip_prefix('\'')
                .and_then(|value| value.strip_suffix('\''));
            parts.push((
                name.trim().to_owned(),
                value.ok_or_else(refuse)?.replace("''", "'"),
            ));
        }
        Ok(Self(parts))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether it asks for nothing besides these names.
    pub(crate) fn knows(&self, names: &[&str]) -> Result<(), Refusal> {
        let stranger =
            |(own, _): &&(String, String)| !names.iter().any(|name| name.eq_ignore_ascii_case(own));
        match self.0.iter().find(stranger) {
            None => Ok(()),
            Some((name, _)) => {
                let message = format!("Invalid $filter: '{name}' cannot be filtered by.");
                Err(Refusal::new(400, "InvalidFilterInQueryString", message))
            }
        }
    }

    /// Whether tags are as it asks. Names have no case, values do.
    pub(crate) fn fits_tags(&self, tags: Option<&Value>) -> bool {
        let Some(name) = self.get("tagName") else {
            return true;
        };
        let mut tags = tags.and_then(Value::as_object).into_iter().flatten();
        let found = tags.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.is_some_and(|(_, value)| self.get("tagValue").is_none_or(|wanted| value == wanted))
    }
}
