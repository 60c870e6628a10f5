//! What policies are shown: the plan's JSON, and what it leaves out because it does not change it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use strat_model::{Intent, Name, SiteFacts, SiteSpec, Spec};
use strat_planner::{Desired, Goal, HOURS_A_MONTH, View};

use crate::saved::Amount;

/// The plan, with `sites` and `desired` beside its own fields.
pub(super) fn of(
    plan: Value,
    intent: &Intent,
    desired: &Desired,
    facts: &BTreeMap<Name, SiteFacts>,
) -> Value {
    let mut document = match plan {
        Value::Object(plan) => plan,
        _ => Map::new(),
    };
    let sites = intent.sites.values();
    let sites: Map<_, _> = sites.map(|one| (one.name.to_string(), site(one))).collect();
    document.insert("sites".to_owned(), sites.into());
    document.insert("desired".to_owned(), things(desired, facts));
    document.into()
}

/// A site's settings are left out: they may name credentials.
fn site(site: &SiteSpec) -> Value {
    json!({
        "provider": site.provider,
        "region": site.region,
        "account": site.account,
        "zones": site.zones,
        "labels": site.labels,
    })
}

/// One entry for each address; of a fleet one for each zone and size.
fn things(desired: &Desired, facts: &BTreeMap<Name, SiteFacts>) -> Value {
    let reached = desired.addressed();
    let mut things = Vec::new();
    for (addr, entry) in &desired.entries {
        let facts = facts.get(&addr.site);
        for goal in &entry.goals {
            let mut thing = json!({
                "addr": addr,
                "block": addr.local,
                "kind": addr.kind(),
                "site": addr.site,
                "count": goal.count,
                "protect": entry.protect,
                "spec": View::of_goal(Arc::clone(goal)),
            });
            if let (Spec::Machine(machine), Value::Object(thing)) = (&goal.spec, &mut thing) {
                let own = facts.is_some_and(|one| one.capabilities.gives_public_ip(machine));
                let public = own || reached.contains(addr);
                thing.insert("public_ip".to_owned(), public.into());
                thing.insert("monthly".to_owned(), json!(monthly(goal)));
            }
            things.push(thing);
        }
    }
    things.into()
}

/// What all machines of a goal cost a month in US dollars; `None` where that is not known.
fn monthly(goal: &Goal) -> Option<Amount> {
    let price = goal.price_hour?;
    let usd = price.currency == strat_model::Currency::Usd;
    let hours = Decimal::from(HOURS_A_MONTH) * Decimal::from(goal.count);
    usd.then(|| Amount(price.amount * hours))
}
