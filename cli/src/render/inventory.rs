//! What there is, for people and as JSON.

use std::collections::BTreeMap;

use stratiform::answer::{BareSpec, LookupState, Shown, ShownLookup, ShownThing, ThingOfOthers};
use stratiform::model::{
    Found, Inventory, LookedUp, Mark, Name, Resource, ResourceId, ResourceState, Spec,
};

use super::style::{BOLD, DIM, paint};
use super::table::table;
use super::wrap::count;

/// Everything that carries a mark, site by site.
pub(crate) fn inventory(inventory: &Inventory, width: Option<usize>) -> String {
    let mut sites: BTreeMap<&Name, Vec<(&Mark, &Resource)>> = BTreeMap::new();
    for (site, mark, resource) in marked(inventory) {
        sites.entry(site).or_default().push((mark, resource));
    }
    if sites.is_empty() {
        return format!("Nothing is there.\n{}", lookups(inventory, width));
    }
    let mut text = String::new();
    let mut total = 0;
    let names: BTreeMap<(&Name, &ResourceId), String> = marked(inventory)
        .map(|(site, mark, resource)| ((site, &resource.id), mark.addr.local.to_string()))
        .collect();
    for (site, mut things) in sites {
        total += things.len();
        things.sort_by(|a, b| (&a.0.addr, &a.1.id).cmp(&(&b.0.addr, &b.1.id)));
        let tally = count(things.len(), "resource");
        text.push_str(&format!("{}  {}\n", paint(BOLD, site), paint(DIM, tally)));
        let rows = things.into_iter().map(|(mark, resource)| {
            row(mark, resource, |id| {
                names
                    .get(&(site, id))
                    .cloned()
                    .unwrap_or_else(|| id.to_string())
            })
        });
        text.push_str(&table(
            &["address", "what", "state", "zone", "id"],
            rows,
            width,
        ));
        text.push('\n');
    }
    text.push_str(&format!("{}.\n", count(total, "resource")));
    text + &lookups(inventory, width)
}

/// What others own and the topology refers to.
fn lookups(inventory: &Inventory, width: Option<usize>) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (site, seen) in &inventory.sites {
        for one in &seen.lookups {
            let found = one.things(site).map(|(addr, thing)| {
                let state = thing.state.as_str().to_owned();
                let what = what(thing, ToString::to_string);
                vec![
                    addr.to_string(),
                    what,
                    state,
                    short(thing.id.as_str()).to_owned(),
                ]
            });
            let before = rows.len();
            rows.extend(found);
            if rows.len() == before {
                let addr = one.addr.at(site).to_string();
                let state = unfound(&one.found).to_owned();
                rows.push(vec![addr, String::new(), state, String::new()]);
            }
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let rows = table(&["address", "what", "state", "id"], rows, width);
    format!("\n{}\n{rows}", paint(BOLD, "Looked up; others own it"))
}

/// What came of looking for something.
const fn state(found: &Found) -> LookupState {
    match found {
        Found::Things { .. } => LookupState::Found,
        Found::Missing => LookupState::Missing,
        Found::Ambiguous { .. } => LookupState::Ambiguous,
        Found::Own { .. } => LookupState::Own,
        Found::Unsupported => LookupState::Unsupported,
        Found::Unseen { .. } => LookupState::Unseen,
    }
}

/// Why there is nothing to show of what is looked up.
const fn unfound(found: &Found) -> &'static str {
    match state(found) {
        LookupState::Found => "found",
        LookupState::Missing => "missing",
        LookupState::Ambiguous => "ambiguous",
        LookupState::Own => "own",
        LookupState::Unsupported => "unsupported",
        LookupState::Unseen => "unseen",
    }
}

fn row(mark: &Mark, resource: &Resource, name: impl Fn(&ResourceId) -> String) -> Vec<String> {
    let zone = resource
        .zone()
        .map_or_else(String::new, ToString::to_string);
    let mut state = resource.state.as_str().to_owned();
    if mark.protect {
        state.push_str(", protected");
    }
    vec![
        mark.addr.local.to_string(),
        what(resource, name),
        state,
        zone,
        short(resource.id.as_str()).to_owned(),
    ]
}

/// What tells an id apart: of a path, its last part. `--json` has it whole.
fn short(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// What matters most about a thing, in few words. `name` gives the address behind an id.
fn what(resource: &Resource, name: impl Fn(&ResourceId) -> String) -> String {
    let attribute = |name: &str| resource.attributes.get(name).cloned();
    let parts: Vec<Option<String>> = match &resource.spec {
        Spec::Network(spec) => vec![Some(spec.cidr.to_string())],
        Spec::Subnet(spec) => vec![
            Some(spec.cidr.to_string()),
            spec.internet
                .map(|way| format!("internet {}", way.as_str())),
        ],
        Spec::Firewall(spec) => vec![Some(count(spec.rules.len(), "rule"))],
        Spec::Address(spec) => vec![
            attribute("ip"),
            spec.attach.as_ref().map(|to| format!("to {}", name(to))),
        ],
        Spec::Machine(spec) => vec![
            Some(spec.machine_type.clone()),
            attribute("private_ip"),
            attribute("public_ip").map(|ip| format!("public {ip}")),
        ],
        Spec::Volume(spec) => vec![
            Some(format!("{} {}", spec.size, spec.class.as_str())),
            spec.attach.as_ref().map(|to| format!("on {}", name(to))),
        ],
        Spec::Bucket(_) => vec![attribute("url")],
        _ => vec![Some(resource.name.clone())],
    };
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// One entry for each real thing, sorted by site, kind and id.
pub(crate) fn shown(inventory: &Inventory) -> Shown<'_> {
    let sites = inventory.sites.iter();
    let lookups = sites.flat_map(|(site, seen)| {
        let looked_up = seen.lookups.iter();
        looked_up.map(move |one| lookup(site, one))
    });
    Shown {
        resources: marked(inventory).map(entry).collect(),
        lookups: lookups.collect(),
    }
}

/// What was looked up at a site, with what it is now.
fn lookup<'a>(site: &'a Name, one: &'a LookedUp) -> ShownLookup<'a> {
    let things = one.things(site).map(|(addr, thing)| ThingOfOthers {
        addr,
        id: &thing.id,
        name: &thing.name,
        zone: thing.zone(),
        state: thing.state,
        attributes: &thing.attributes,
    });
    ShownLookup {
        addr: one.addr.at(site),
        kind: one.addr.noun.kind(),
        site,
        found: state(&one.found),
        things: things.collect(),
    }
}

/// The names of a thing's own fields: what its cloud gave it under one of these is only among its
/// attributes.
const OURS: [&str; 12] = [
    "addr",
    "kind",
    "site",
    "id",
    "name",
    "zone",
    "state",
    "protect",
    "generation",
    "created",
    "attributes",
    "spec",
];

fn entry<'a>((site, mark, resource): (&'a Name, &'a Mark, &'a Resource)) -> ShownThing<'a> {
    let given = resource.attributes.iter();
    let given = given.filter(|(key, _)| !OURS.contains(&key.as_str()));
    ShownThing {
        addr: &mark.addr,
        kind: resource.kind(),
        site,
        id: &resource.id,
        name: &resource.name,
        zone: resource.zone(),
        state: resource.state,
        protect: mark.protect,
        generation: mark.generation,
        created: resource.created,
        attributes: &resource.attributes,
        spec: BareSpec::of(&resource.spec),
        given: given
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect(),
    }
}

/// What carries a mark and is not gone.
fn marked(inventory: &Inventory) -> impl Iterator<Item = (&Name, &Mark, &Resource)> {
    inventory
        .resources()
        .filter(|(_, resource)| resource.state != ResourceState::Deleting)
        .filter_map(|(site, resource)| Some((site, resource.mark.as_ref()?, resource)))
}
