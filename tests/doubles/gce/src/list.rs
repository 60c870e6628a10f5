//! Lists: filtered, ordered, page by page.

use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::filter::Filter;
use crate::kinds::{Key, Kind, LINK, Scope};
use crate::refusal::Refusal;
use crate::render::Render;
use crate::text::{from_token, token};
use crate::world::World;

/// How many a page has at the most, and where nothing is asked for.
const PAGE_MAX: usize = 500;

/// A page of a list, and the token of the next.
struct Page {
    items: Vec<Value>,
    next: Option<String>,
}

/// What of the items is on the page that a call asks for.
fn cut(call: &Call<'_>, mut items: Vec<Value>) -> Result<Page, Refusal> {
    let filter = Filter::parse(call.query("filter").unwrap_or_default())?;
    items.retain(|item| filter.matches(item));
    let link = |item: &Value| item["selfLink"].as_str().unwrap_or_default().to_owned();
    items.sort_by_key(link);
    match call.query("orderBy") {
        None | Some("" | "name") => {}
        Some("creationTimestamp desc") => {
            // What was made later has the greater id.
            items.sort_by_key(|item| std::cmp::Reverse(item["id"].as_str().map(str::to_owned)));
        }
        Some(other) => {
            return Err(Refusal::invalid("orderBy", other, "It is not supported."));
        }
    }
    let start = match call.query("pageToken").filter(|text| !text.is_empty()) {
        None => 0,
        Some(text) => {
            let bad = || Refusal::invalid("pageToken", text, "Invalid page token.");
            let last = from_token(text).ok_or_else(bad)?;
            if !last.starts_with(LINK) {
                return Err(bad());
            }
            match call.query("orderBy") {
                Some("creationTimestamp desc") => {
                    let found = items.iter().position(|item| link(item) == last);
                    found.map_or(items.len(), |at| at + 1)
                }
                _ => items.partition_point(|item| link(item) <= last),
            }
        }
    };
    let asked = call.query("maxResults").and_then(|text| text.parse().ok());
    let most = match asked {
        None | Some(0) => PAGE_MAX,
        Some(most) if most <= PAGE_MAX => most,
        Some(most) => {
            let why = "Must be less than or equal to 500.";
            return Err(Refusal::invalid("maxResults", &most.to_string(), why));
        }
    };
    let mut items = items.split_off(start);
    let next = (items.len() > most).then(|| token(&link(&items[most - 1])));
    items.truncate(most);
    Ok(Page { items, next })
}

/// A page of a plain list. `word` is the kind of its items.
pub(crate) fn page(call: &Call<'_>, word: &str, items: Vec<Value>) -> Result<Value, Refusal> {
    let page = cut(call, items)?;
    let mut answer = json!({ "kind": format!("compute#{word}List"), "id": call.method });
    // A list of nothing has no items.
    if !page.items.is_empty() {
        answer["items"] = json!(page.items);
    }
    if let Some(next) = page.next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer)
}

/// The things of one scope.
pub(crate) fn list(world: &World, call: &Call<'_>, kind: &Kind) -> Result<Value, Refusal> {
    let scope = call.scope();
    let collection = crate::kinds::of_collection(kind.collection).expect("a kind");
    let render = Render::of(world, &call.project, kind.collection);
    let things = world.all(&call.project, collection.collection);
    // Custom machine types are there for whoever asks for one, and on no list.
    let is_listed = |key: &Key| key.collection != "machineTypes" || !key.name.contains("custom-");
    let here = things.filter(|(key, _)| key.scope == scope && is_listed(key));
    let items = here.map(|(key, fields)| render.show(key, fields)).collect();
    page(call, kind.word, items)
}

/// The things of all scopes, by scope. A scope with nothing on the page says so.
pub(crate) fn aggregated(world: &World, call: &Call<'_>, kind: &Kind) -> Result<Value, Refusal> {
    let collection = crate::kinds::of_collection(kind.collection).expect("a kind");
    let render = Render::of(world, &call.project, kind.collection);
    let things = world.all(&call.project, collection.collection);
    let items = things
        .map(|(key, fields)| render.show(key, fields))
        .collect();
    let page = cut(call, items)?;
    let is_regional = matches!(kind.collection, "subnetworks" | "addresses");
    let places = if is_regional { "regions" } else { "zones" };
    let all = world.all(&call.project, places);
    let mut scopes: Map<String, Value> = all
        .map(|(key, _)| (format!("{places}/{}", key.name), json!({})))
        .collect();
    if kind.collection == "addresses" {
        scopes.insert(
            Scope::Global.prefix().trim_end_matches('/').to_owned(),
            json!({}),
        );
    }
    for item in page.items {
        let link = item["selfLink"].as_str().unwrap_or_default();
        let words: Vec<&str> = link.rsplit('/').collect();
        let scope = format!("{}/{}", words[3], words[2]);
        let of_scope = &mut scopes.entry(scope).or_insert_with(|| json!({}))[kind.collection];
        match of_scope.as_array_mut() {
            Some(items) => items.push(item),
            None => *of_scope = json!([item]),
        }
    }
    for (scope, items) in &mut scopes {
        if items == &json!({}) {
            *items = json!({ "warning": {
                "code": "NO_RESULTS_ON_PAGE",
                "message": format!("There are no results for scope '{scope}' on this page."),
                "data": [{ "key": "scope", "value": scope }],
            } });
        }
    }
    let kind = format!("compute#{}AggregatedList", kind.word);
    let mut answer = json!({ "kind": kind, "id": call.method, "items": scopes });
    if let Some(next) = page.next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer)
}
