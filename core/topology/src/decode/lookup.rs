//! Things that others own, found by a `lookup` block, and what may refer to them.

use strat_model::{
    AttachIntent, Diagnostic, FirewallIntent, Intent, LocalAddr, LookupBy, LookupIntent,
    MachineIntent, Name, Peer, ResourceId,
};

use super::item::Item;
use super::{find, labels, read};
use crate::ast::Block;
use crate::eval::Evaluator;
use crate::report::Outcome;

/// One instance of a block with a `lookup` in it.
pub(super) fn lookup(item: &mut Item<'_, '_>, block: &Block) -> Outcome<LookupIntent> {
    let site = item.nested_required(block, "site", read::site);
    let id = item.nested(block, "id", read::text);
    let name = item.nested(block, "name", read::text);
    let labels = item.nested(block, "labels", labels::labels);
    let (site, id, name) = (site?, id?, name?);
    let labels = labels?.unwrap_or_default();
    let origin = item.ev.files.origin(block.head);
    let others = name.is_some() || !labels.is_empty();
    let blank = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
    let finding = if blank(&id) || blank(&name) {
        Diagnostic::error("bad_lookup", "this `lookup` looks for an empty text")
            .at(&origin, "everything or nothing is like that")
            .help("give it the whole id or name")
    } else if id.is_some() && others {
        Diagnostic::error(
            "bad_lookup",
            "an id says which one it is: nothing else can be said",
        )
        .at(&origin, "by `id` and by something else")
        .help("keep `id`, or the rest")
    } else if id.is_none() && !others {
        Diagnostic::error(
            "bad_lookup",
            "this `lookup` does not say what is looked for",
        )
        .at(&origin, "needs `id`, `name` or `labels`")
        .help("add `id = \"…\"`, `name = \"…\"` or `labels = { … }`")
    } else {
        let by = match id {
            Some(id) => LookupBy::Id(ResourceId::from(id)),
            None => LookupBy::Having { name, labels },
        };
        return Ok(LookupIntent {
            addr: item.addr().clone(),
            site,
            by,
            origin: Some(origin),
        });
    };
    Err(item.report(finding))
}

pub(super) fn of<'p>(parts: &'p Intent, addr: &LocalAddr) -> Option<&'p LookupIntent> {
    find(&parts.lookups, addr, |lookup| &lookup.addr)
}

/// A machine is where the things of others are that it refers to; `network` is where the network of
/// its subnet is, if that is the topology's own. Fills in the site of one that names none.
pub(super) fn placement(
    ev: &mut Evaluator<'_>,
    machine: &mut MachineIntent,
    network: Option<&[Name]>,
    parts: &Intent,
) {
    if parts.lookups.is_empty() {
        return;
    }
    let subnet = find(&parts.subnets, &machine.subnet, |s| &s.common.addr);
    let around = subnet.map(|subnet| &subnet.network);
    let named = [(&machine.subnet, "subnet")].into_iter();
    let named = named
        .chain(around.map(|network| (network, "subnet")))
        .chain(machine.firewalls.iter().map(|one| (one, "firewalls")))
        .chain(machine.keypair.iter().map(|one| (one, "keypair")))
        .chain(machine.image.as_ref().err().map(|one| (one, "image")));
    let given: Vec<(&LookupIntent, &str)> = named
        .filter_map(|(addr, attribute)| Some((of(parts, addr)?, attribute)))
        .collect();
    let Some((first, attribute)) = given.first().copied() else {
        return;
    };
    let sites = &machine.placement.sites;
    let open = sites.is_empty();
    let mut elsewhere = sites.iter().find_map(|site| {
        let other = given.iter().find(|(lookup, _)| lookup.site != *site)?;
        Some((other.0, other.1, site.clone()))
    });
    if open {
        let other = given.iter().find(|(lookup, _)| lookup.site != first.site);
        elsewhere = other.map(|(lookup, attribute)| (*lookup, *attribute, first.site.clone()));
        let outside = network.is_some_and(|sites| !sites.contains(&first.site));
        if let (None, true, Some(sites)) = (&elsewhere, outside, network) {
            let site = sites.first().cloned().unwrap_or_else(Name::unnamed);
            elsewhere = Some((first, attribute, site));
        }
    }
    if let Some((lookup, attribute, site)) = elsewhere {
        let common = &machine.common;
        let (addr, at) = (&lookup.addr, &lookup.site);
        let message = format!("`{addr}` is looked up at {at}, and this machine may run at {site}");
        let place = if open { attribute } else { "placement.sites" };
        let finding = Diagnostic::error("lookup_elsewhere", message)
            .at(common.origin(place), format!("not at {at} alone"))
            .at(lookup.origin.as_ref(), format!("looked up at {at}"));
        ev.report(finding.help(format!(
            "keep it at {at}: `placement {{ sites = [site.{at}] }}`; a machine elsewhere needs what is there"
        )));
        return;
    }
    if open {
        machine.placement.sites = vec![first.site.clone()];
    }
}

/// Who carries a firewall of others is known at its own site alone.
pub(super) fn peers(ev: &mut Evaluator<'_>, firewall: &FirewallIntent, parts: &Intent) {
    if parts.lookups.is_empty() {
        return;
    }
    let network = find(&parts.networks, &firewall.network, |n| &n.common.addr);
    let around = of(parts, &firewall.network);
    for rule in &firewall.rules {
        for lookup in rule.peers.iter().filter_map(Peer::firewall) {
            let Some(lookup) = of(parts, lookup) else {
                continue;
            };
            let sites = network.map(|network| network.sites.as_slice());
            let sites = sites.or_else(|| around.map(|one| std::slice::from_ref(&one.site)));
            let mut others = sites.unwrap_or_default().iter();
            let Some(other) = others.find(|site| **site != lookup.site) else {
                continue;
            };
            let (addr, at) = (&lookup.addr, &lookup.site);
            let finding = Diagnostic::error(
                "lookup_elsewhere",
                format!("`{addr}` is looked up at {at}, and this firewall is at {other}, too"),
            )
            .at(firewall.common.origin("network"), format!("at {other}"))
            .at(lookup.origin.as_ref(), format!("looked up at {at}"));
            ev.report(finding.help(
                "who carries a firewall of others is known at its own site alone: name ranges of \
                 addresses, or keep this firewall's network there",
            ));
        }
    }
}

/// Nothing is attached to a machine of others, and none of their volumes or addresses is led elsewhere.
pub(super) fn attachments(ev: &mut Evaluator<'_>, parts: &Intent) {
    let addresses = parts.addresses.iter().map(|one| (&one.common, &one.target));
    let volumes = parts.volumes.iter().map(|one| (&one.common, &one.target));
    for (common, target) in addresses.chain(volumes) {
        let AttachIntent::Machine(machine) = target else {
            continue;
        };
        let Some(lookup) = of(parts, machine) else {
            continue;
        };
        let finding = Diagnostic::error(
            "lookup_is_read_only",
            format!("`{machine}` is looked up: nothing is attached to what others own"),
        )
        .at(common.origin("attach"), "a machine of others")
        .at(lookup.origin.as_ref(), "looked up here");
        ev.report(finding.help("attach it to a machine of the topology's own"));
    }
}
