//! What traffic is to pass, and what is not.

use std::collections::BTreeSet;

use ipnet::IpNet;
use strat_model::{
    Asked, Diagnostic, End, LocalAddr, MachineIntent, Name, Noun, Peer, Protocol, ReachIntent,
    ReachWants,
};

use super::item::Arg;
use super::{read, rules};
use crate::ast::Block;
use crate::eval::Evaluator;
use crate::report::{Failed, Outcome, suggest};
use crate::value::{Ref, Value};

/// What an end is, in words.
const ENDS: &str = "`machine.db`, `machines.web`, `\"machines.web@east\"`, `\"internet\"`, a range, a network, or a list of them";

/// Reads all checks of what traffic passes. What is wrong is reported.
pub(super) fn reaches(ev: &mut Evaluator<'_>, machines: &[MachineIntent]) -> Vec<ReachIntent> {
    let program = ev.program;
    let all = program.reaches.iter();
    // A failure has been reported; the others are still looked at.
    all.filter_map(|((wants, name), block)| reach(ev, *wants, name, block, machines).ok())
        .collect()
}

fn reach<'p>(
    ev: &mut Evaluator<'p>,
    wants: ReachWants,
    name: &Name,
    block: &'p Block,
    machines: &[MachineIntent],
) -> Outcome<ReachIntent> {
    let from = Arg::required_at_root(ev, block, "from").and_then(|arg| ends(ev, &arg, machines));
    let to = Arg::required_at_root(ev, block, "to").and_then(|arg| ends(ev, &arg, machines));
    let asked = asked(ev, block);
    let message = Arg::at_root(ev, block, "message")?;
    let message = message.map(|arg| read::text(ev, &arg)).transpose()?;
    let (from, to) = (from?, to?);
    let is_machine = |end: &End| matches!(end, End::Machines { .. });
    if let (Some(a), Some(b)) = (
        from.iter().find(|end| !is_machine(end)),
        to.iter().find(|end| !is_machine(end)),
    ) {
        let message = format!("neither {a} nor {b} is a machine of the topology");
        let finding = Diagnostic::error("reach_of_strangers", message)
            .at(
                &ev.files.origin(block.head),
                "nothing of it stands between them",
            )
            .help("name machines on one side; write a block for each of the other pairs");
        return Err(ev.report(finding));
    }
    Ok(ReachIntent {
        name: name.clone(),
        wants,
        from,
        to,
        asked: asked?,
        message,
        origin: Some(ev.files.origin(block.head)),
    })
}

fn asked<'p>(ev: &mut Evaluator<'p>, block: &'p Block) -> Outcome<Asked> {
    let protocol = Arg::at_root(ev, block, "protocol")?;
    let named = protocol.map(|arg| rules::protocol(ev, &arg)).transpose()?;
    let mut ports = BTreeSet::new();
    let mut place = None;
    for name in ["port", "ports"] {
        if let Some(arg) = Arg::at_root(ev, block, name)? {
            place = Some(arg.span);
            ports.extend(rules::ports(ev, &arg)?);
        }
    }
    let protocol = match (named, ports.is_empty()) {
        (Some(protocol), _) => protocol,
        (None, true) => Protocol::Any,
        (None, false) => Protocol::Tcp,
    };
    match (place, protocol) {
        (Some(span), Protocol::Icmp | Protocol::Any) => {
            let word = if protocol == Protocol::Icmp {
                "icmp"
            } else {
                "any"
            };
            Err(ev.fail(
                span,
                "ports_without_protocol",
                format!("the protocol `{word}` has no ports"),
                "not possible",
                Some("leave the ports out, or use `tcp` or `udp`".to_owned()),
            ))
        }
        _ => Ok(Asked { protocol, ports }),
    }
}

fn ends(
    ev: &mut Evaluator<'_>,
    arg: &Arg<'_>,
    machines: &[MachineIntent],
) -> Outcome<BTreeSet<End>> {
    let mut ends = BTreeSet::new();
    add(ev, arg, &arg.value, machines, &mut ends)?;
    if ends.is_empty() {
        let message = format!("`{}` names nobody", arg.name);
        return Err(read::bad(
            ev,
            arg,
            "no_ends",
            message,
            &format!("write {ENDS}"),
        ));
    }
    Ok(ends)
}

fn add(
    ev: &mut Evaluator<'_>,
    arg: &Arg<'_>,
    value: &Value,
    machines: &[MachineIntent],
    ends: &mut BTreeSet<End>,
) -> Outcome<()> {
    match value {
        Value::List(items) => items
            .iter()
            .try_for_each(|item| add(ev, arg, item, machines, ends)),
        Value::Map(items) => items
            .values()
            .try_for_each(|item| add(ev, arg, item, machines, ends)),
        Value::Ref(Ref::Thing { addr, .. })
            if matches!(addr.noun, Noun::Machine | Noun::Machines) =>
        {
            ends.insert(End::Machines {
                local: addr.as_ref().clone(),
                site: None,
            });
            Ok(())
        }
        Value::Ref(Ref::Thing {
            block,
            instance,
            addr,
        }) if addr.noun == Noun::Network => {
            let peer = rules::network(ev, arg, *block, *instance)?;
            ends.extend(end_of(&peer));
            Ok(())
        }
        Value::String(text) => {
            ends.insert(written(ev, arg, text, machines)?);
            Ok(())
        }
        _ => Err(read::wrong(
            ev,
            arg,
            "an end of traffic",
            Some(format!("write {ENDS}")),
        )),
    }
}

fn end_of(peer: &Peer<LocalAddr>) -> Option<End> {
    match peer {
        Peer::Internet => Some(End::Internet),
        Peer::Cidr(range) => Some(End::Range(*range)),
        Peer::Firewall(_) => None,
    }
}

/// What is written in quotes: the internet, a range, or machines at one site.
fn written(
    ev: &mut Evaluator<'_>,
    arg: &Arg<'_>,
    text: &str,
    machines: &[MachineIntent],
) -> Outcome<End> {
    let end = text.parse::<End>().map_err(|error| {
        ev.fail(
            arg.span,
            "bad_end",
            error.to_string(),
            "not an end of traffic",
            None,
        )
    })?;
    match &end {
        End::Range(range) => {
            // Bits beyond a prefix are told as in a firewall's rules.
            if text.parse::<IpNet>().is_ok_and(|written| written != *range) {
                return rules::range(ev, arg, text).and_then(|peer| end_of(&peer).ok_or(Failed));
            }
        }
        End::Machines { local, site } => {
            let is_meant = |machine: &&MachineIntent| {
                let addr = &machine.common.addr;
                (addr.noun, &addr.name) == (local.noun, &local.name)
                    && (local.key.is_none() || addr.key == local.key)
            };
            let mut meant = machines.iter().filter(is_meant).peekable();
            if meant.peek().is_none() {
                let known: BTreeSet<String> = machines
                    .iter()
                    .map(|one| one.common.addr.to_string())
                    .collect();
                let wanted = local.to_string();
                let help = suggest(&wanted, "there are", known.iter().map(String::as_str));
                let message = format!("there are no machines `{local}`");
                return Err(ev.fail(
                    arg.span,
                    "unknown_reference",
                    message,
                    "nothing of this name",
                    help,
                ));
            }
            let mut may_be = |site: &Name| meant.any(|one| one.placement.sites.contains(site));
            if let Some(site) = site
                && !may_be(site)
            {
                let message = format!("{local} is never at the site `{site}`");
                let help = format!("its `placement` has no `site.{site}`");
                return Err(ev.fail(arg.span, "never_there", message, "not there", Some(help)));
            }
        }
        End::Internet => {}
    }
    Ok(end)
}
