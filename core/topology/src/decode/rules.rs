//! Firewalls and their rules.

use std::collections::BTreeSet;

use ipnet::IpNet;
use strat_model::{
    Diagnostic, Direction, FirewallIntent, FirewallRule, LocalAddr, Name, Noun, Peer, PortRange,
    Protocol,
};

use super::item::{Arg, Item};
use super::nested::{Nested, repeated};
use super::read;
use crate::eval::Evaluator;
use crate::report::{Failed, Outcome};
use crate::value::{Ref, Value, text_of};

pub(super) fn firewall(item: &mut Item<'_, '_>) -> Outcome<FirewallIntent> {
    let common = item.common();
    let network = item.required("network", read::network);
    let mut rules = BTreeSet::new();
    let mut result = Ok(());
    for block in &repeated(item, &["ingress", "egress"])? {
        let direction = match block.keyword {
            "ingress" => Direction::Ingress,
            _ => Direction::Egress,
        };
        match rule(item, block, direction) {
            Ok(rule) => {
                rules.insert(rule);
            }
            Err(failed) => result = Err(failed),
        }
    }
    result?;
    Ok(FirewallIntent {
        common: common?,
        network: network?,
        rules,
    })
}

fn rule(
    item: &mut Item<'_, '_>,
    block: &Nested<'_>,
    direction: Direction,
) -> Outcome<FirewallRule<LocalAddr>> {
    let label = block.label.as_ref().ok_or(Failed)?;
    let name = Name::new(&label.text).map_err(|error| {
        item.ev.fail(
            label.span,
            "bad_name",
            error.to_string(),
            "not a name",
            None,
        )
    });
    let peers = match direction {
        Direction::Ingress => item.of_nested_required(block, "from", peers),
        Direction::Egress => item.of_nested_required(block, "to", peers),
    };
    let protocol = item.of_nested(block, "protocol", protocol);
    let ports = item.of_nested(block, "ports", ports);
    let protocol = protocol?.unwrap_or(Protocol::Tcp);
    let ports = ports?.unwrap_or_default();
    if !ports.is_empty() && matches!(protocol, Protocol::Icmp | Protocol::Any) {
        let word = if protocol == Protocol::Icmp {
            "icmp"
        } else {
            "any"
        };
        let place = block
            .body
            .attribute("ports")
            .map_or(block.head, |a| a.value.span);
        let origin = item.ev.files.origin(place);
        let finding = Diagnostic::error(
            "ports_without_protocol",
            format!("the protocol `{word}` has no ports"),
        )
        .at(&origin, "not possible")
        .help("remove `ports`, or use `tcp` or `udp`");
        return Err(item.report(finding));
    }
    Ok(FirewallRule {
        name: name?,
        direction,
        peers: peers?,
        protocol,
        ports,
    })
}

pub(super) fn protocol(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Protocol> {
    let text = read::text(ev, arg)?;
    let choices = [Protocol::Tcp, Protocol::Udp, Protocol::Icmp, Protocol::Any];
    let at = read::choice(ev, arg, &text, &["tcp", "udp", "icmp", "any"])?;
    Ok(choices[at])
}

fn peers(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<BTreeSet<Peer<LocalAddr>>> {
    let peers = match &arg.value {
        Value::List(_) => read::each(ev, arg, "a list of peers", peer)?,
        _ => vec![peer(ev, arg)?],
    };
    if peers.is_empty() {
        let message = format!("`{}` names nobody", arg.name);
        let help = "name at least one: `\"internet\"`, a range, a firewall";
        return Err(read::bad(ev, arg, "no_peers", message, help));
    }
    Ok(peers.into_iter().collect())
}

fn peer(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Peer<LocalAddr>> {
    match &arg.value {
        Value::String(text) => range(ev, arg, text),
        Value::Ref(Ref::Thing { addr, .. }) if addr.noun == Noun::Firewall => {
            Ok(Peer::Firewall(addr.as_ref().clone()))
        }
        Value::Ref(Ref::Thing {
            block,
            instance,
            addr,
        }) if addr.noun == Noun::Network => network(ev, arg, *block, *instance),
        _ => {
            let help =
                "write `\"internet\"`, a range such as `\"10.20.0.0/16\"`, or `firewall.name`";
            Err(read::wrong(ev, arg, "a peer", Some(help.to_owned())))
        }
    }
}

/// A network stands for its range.
pub(super) fn network(
    ev: &mut Evaluator<'_>,
    arg: &Arg<'_>,
    block: usize,
    instance: usize,
) -> Outcome<Peer<LocalAddr>> {
    let thing = &ev.program.things[block];
    let (number, ..) = thing.attribute("cidr").ok_or(Failed)?;
    let value = ev.argument(block, instance, number, arg.span)?;
    let text = text_of(&value).ok_or(Failed)?;
    range(ev, arg, &text)
}

pub(super) fn range(ev: &mut Evaluator<'_>, arg: &Arg<'_>, text: &str) -> Outcome<Peer<LocalAddr>> {
    if text == "internet" {
        return Ok(Peer::Internet);
    }
    let net = text.parse::<IpNet>();
    let net = net.or_else(|error| {
        text.parse::<std::net::IpAddr>()
            .map(IpNet::from)
            .map_err(|_| error)
    });
    let Ok(net) = net else {
        return Err(ev.fail(
            arg.span,
            "bad_cidr",
            format!("`{text}` is neither `internet` nor a range of addresses"),
            "not a peer",
            Some(
                "write `\"internet\"`, a range such as `\"10.20.0.0/16\"`, or `firewall.name`"
                    .to_owned(),
            ),
        ));
    };
    if net.trunc() != net {
        return Err(ev.fail(
            arg.span,
            "bad_cidr",
            format!("`{text}` has bits set beyond its prefix"),
            "host bits are set",
            Some(format!("did you mean `{}`?", net.trunc())),
        ));
    }
    Ok(if net.prefix_len() == 0 {
        Peer::Internet
    } else {
        Peer::Cidr(net)
    })
}

pub(super) fn ports(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<BTreeSet<PortRange>> {
    let ports = match &arg.value {
        Value::List(_) => read::each(ev, arg, "a list of ports", port)?,
        _ => vec![port(ev, arg)?],
    };
    Ok(ports.into_iter().collect())
}

fn port(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<PortRange> {
    let text = read::text(ev, arg)?;
    text.parse().map_err(|_| {
        ev.fail(
            arg.span,
            "bad_port",
            format!("`{text}` is neither a port nor a range of ports"),
            "in these ports",
            Some("a port is 1 to 65535, a range `\"5432-5433\"`".to_owned()),
        )
    })
}
