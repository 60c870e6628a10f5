//! Things that others own: looked for at each observation, and told where they are not there.

use std::collections::BTreeMap;

use futures::future::join_all;
use strat_engine::Sites;
use strat_model::{
    Diagnostic, Error as CloudError, Found, Intent, Inventory, Kind, LookedUp, LookupBy,
    LookupIntent, Name, Resource, ResourceId, Spec,
};
use strat_provider::{Filter, Provider, ProviderExt as _};

use crate::{Error, Workspace};

/// Looks for everything that a topology refers to and others own, and adds it to what was seen: by
/// id in one call a kind, else by one list a kind. Nothing is written.
pub(crate) async fn look_up(intent: &Intent, sites: &Sites, seen: &mut Inventory) {
    let mut wanted: BTreeMap<(&Name, Kind), Vec<&LookupIntent>> = BTreeMap::new();
    for lookup in &intent.lookups {
        let kind = lookup.addr.noun.kind();
        wanted.entry((&lookup.site, kind)).or_default().push(lookup);
    }
    let looks = wanted.into_iter().filter_map(|((site, kind), lookups)| {
        let provider = sites.get(site)?;
        Some(async move { (site, of_kind(intent, &**provider, kind, &lookups).await) })
    });
    for (site, found) in join_all(looks).await {
        if let Some(inventory) = seen.sites.get_mut(site) {
            inventory.lookups.extend(found);
            inventory.lookups.sort_by(|a, b| a.addr.cmp(&b.addr));
        }
    }
}

/// What there is of one kind at one site.
async fn of_kind(
    intent: &Intent,
    provider: &dyn Provider,
    kind: Kind,
    lookups: &[&LookupIntent],
) -> Vec<LookedUp> {
    let all = match provider.capabilities().kinds.contains(&kind) {
        true => Some(candidates(provider, kind, lookups).await),
        false => None,
    };
    let mut found: Vec<LookedUp> = lookups
        .iter()
        .map(|lookup| LookedUp {
            addr: lookup.addr.clone(),
            found: match &all {
                None => Found::Unsupported,
                Some(Err(error)) => Found::Unseen {
                    why: error.to_string(),
                },
                Some(Ok(all)) => Found::among(lookup, all, &intent.owner, &intent.removed),
            },
        })
        .collect();
    if kind == Kind::Network {
        with_ranges(intent, provider, &mut found).await;
    }
    found
}

/// All that may be meant.
async fn candidates(
    provider: &dyn Provider,
    kind: Kind,
    lookups: &[&LookupIntent],
) -> Result<Vec<Resource>, CloudError> {
    let mut ids = Vec::new();
    let mut by_id = true;
    for lookup in lookups {
        match &lookup.by {
            LookupBy::Id(id) => ids.push(id.clone()),
            LookupBy::Having { .. } => by_id = false,
        }
    }
    ids.sort();
    ids.dedup();
    let mut all = match by_id {
        true => Vec::new(),
        false => provider.list_all(kind, &Filter::All).await?,
    };
    // A list may lag, and may leave out what is shared with an account and not in it.
    ids.retain(|id| !all.iter().any(|thing| thing.id == *id));
    if !ids.is_empty() {
        all.extend(provider.get_all(kind, &ids).await?);
    }
    Ok(all)
}

/// Notes of each network which ranges in it others have already, where the topology has subnets in it.
async fn with_ranges(intent: &Intent, provider: &dyn Provider, found: &mut [LookedUp]) {
    let divides = |one: &LookedUp| intent.subnets.iter().any(|s| s.network == one.addr);
    if !found.iter().any(divides) {
        return;
    }
    let all = provider.list_all(Kind::Subnet, &Filter::All).await;
    for one in found.iter_mut().filter(|one| divides(one)) {
        let Found::Things { things, taken } = &mut one.found else {
            continue;
        };
        match &all {
            Ok(all) => {
                let is_own = |thing: &Resource| {
                    let mark = thing.mark.as_ref();
                    mark.is_some_and(|mark| intent.owner.owns(&mark.owner))
                };
                let others = all.iter().filter(|thing| !is_own(thing));
                taken.extend(others.filter_map(|thing| match &thing.spec {
                    Spec::Subnet(subnet) if things.iter().any(|n| n.id == subnet.network) => {
                        Some(subnet.cidr)
                    }
                    _ => None,
                }));
                taken.sort();
            }
            // Without them a subnet might be laid over somebody's.
            Err(error) => {
                let why = format!("the subnets in it cannot be listed: {error}");
                one.found = Found::Unseen { why };
            }
        }
    }
}

/// Tells of everything that is not there, or is several things. What could not be looked for is
/// withheld by the plan.
pub(crate) fn check(workspace: &Workspace, seen: &Inventory) -> Result<(), Error> {
    let lookups = workspace.intent().lookups.iter();
    let findings = lookups.filter(|lookup| !workspace.left_out().contains(&lookup.site));
    let findings: Vec<Diagnostic> = findings
        .filter_map(|lookup| {
            let at_site = seen.sites.get(&lookup.site)?.lookups.iter();
            let mut same = at_site.filter(|one| one.addr == lookup.addr);
            finding(workspace, lookup, &same.next()?.found)
        })
        .collect();
    if findings.is_empty() {
        return Ok(());
    }
    Err(Error::Lookup {
        diagnostics: findings,
        sources: workspace.sources().clone(),
    })
}

fn finding(workspace: &Workspace, lookup: &LookupIntent, found: &Found) -> Option<Diagnostic> {
    let (kind, site, by) = (lookup.addr.noun.kind(), &lookup.site, &lookup.by);
    let (code, message, label, help) = match found {
        Found::Things { .. } | Found::Unseen { .. } => return None,
        Found::Missing => (
            "lookup_missing",
            format!("there is no {kind} {by} at {site}"),
            "not there".to_owned(),
            "look it up by what it has: its id, its name as the cloud shows it, or its labels"
                .to_owned(),
        ),
        Found::Ambiguous { ids } => {
            let some: Vec<&str> = ids.iter().take(5).map(ResourceId::as_str).collect();
            let more = match ids.len().saturating_sub(some.len()) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            (
                "lookup_ambiguous",
                format!("{} {} {by} are at {site}", ids.len(), kind.plural()),
                "which one?".to_owned(),
                format!(
                    "say more of it, or name one by its id: {}{more}",
                    some.join(", ")
                ),
            )
        }
        Found::Own { id, addr } => (
            "lookup_own",
            format!("the {kind} {by} at {site} ({id}) is this topology's own: {addr}"),
            "not others'".to_owned(),
            format!(
                "refer to `{}`; or let it go first, by a `removed` block",
                addr.local
            ),
        ),
        Found::Unsupported => {
            let provider = workspace.intent().sites.get(site);
            let provider = provider.map_or("?", |site| site.provider.as_str());
            let help = if kind == Kind::Image {
                format!(
                    "name it where the machine is: an image that the `images` setting of `site \
                     \"{site}\"` gives a name needs no lookup"
                )
            } else {
                format!("look it up at a site whose provider has {}", kind.plural())
            };
            (
                "unsupported_kind",
                format!(
                    "`{}` is looked up at {site}, and its provider ({provider}) has no {}",
                    lookup.addr,
                    kind.plural()
                ),
                format!("no {} at {site}", kind.plural()),
                help,
            )
        }
    };
    let finding = Diagnostic::error(code, message).at(lookup.origin.as_ref(), label);
    Some(finding.help(help))
}
