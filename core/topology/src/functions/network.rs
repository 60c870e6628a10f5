//! Functions of address ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Args, FnResult, Function, pure};
use crate::value::Value;

pub(super) static TABLE: &[Function] = &[
    pure(
        "cidrcontains",
        (2, 2),
        contains,
        "cidrcontains(range, range or address)",
        "Whether the first holds all of the second.",
        "cidrcontains(\"10.0.0.0/8\", \"10.1.2.3\")",
    ),
    pure(
        "cidrhost",
        (2, 2),
        host,
        "cidrhost(range, number)",
        "An address of the range; negative numbers count from its end.",
        "cidrhost(\"10.20.0.0/16\", 5) == \"10.20.0.5\"",
    ),
    pure(
        "cidrnetmask",
        (1, 1),
        netmask,
        "cidrnetmask(range)",
        "The mask of an IPv4 range.",
        "cidrnetmask(\"10.20.0.0/16\") == \"255.255.0.0\"",
    ),
    pure(
        "cidrsubnet",
        (3, 3),
        subnet,
        "cidrsubnet(range, newbits, number)",
        "A part of the range, with so many more bits of prefix.",
        "cidrsubnet(\"10.20.0.0/16\", 4, 2) == \"10.20.32.0/20\"",
    ),
    pure(
        "cidrsubnets",
        (1, usize::MAX),
        subnets,
        "cidrsubnets(range, newbits...)",
        "Parts of the range, one after the other, each with so many more bits of prefix.",
        "cidrsubnets(\"10.20.0.0/16\", 4, 8) == [\"10.20.0.0/20\", \"10.20.16.0/24\"]",
    ),
];

fn range(args: &Args<'_>, at: usize) -> FnResult<IpNet> {
    let text = args.text(at)?;
    let net = text.parse::<IpNet>();
    match net {
        Ok(net) => Ok(net.trunc()),
        Err(_) => Args::error(at, "takes a range such as `\"10.20.0.0/16\"`"),
    }
}

fn contains(args: &Args<'_>) -> FnResult {
    let outer = range(args, 0)?;
    let text = args.text(1)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Value::Bool(outer.contains(&address)));
    }
    Ok(Value::Bool(outer.contains(&range(args, 1)?)))
}

/// The first address as a number, and how many bits of it may vary.
fn bits(net: IpNet) -> (u128, u32) {
    match net {
        IpNet::V4(net) => (
            u128::from(u32::from(net.network())),
            32 - u32::from(net.prefix_len()),
        ),
        IpNet::V6(net) => (u128::from(net.network()), 128 - u32::from(net.prefix_len())),
    }
}

fn address(like: IpNet, number: u128) -> IpAddr {
    match like {
        IpNet::V4(_) => Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).into(),
        IpNet::V6(_) => Ipv6Addr::from(number).into(),
    }
}

fn host(args: &Args<'_>) -> FnResult {
    let net = range(args, 0)?;
    let (first, free) = bits(net);
    let number = args.long(1)?;
    let last = 1_u128.checked_shl(free).map_or(u128::MAX, |size| size - 1);
    let offset = if number >= 0 {
        Some(number.unsigned_abs())
    } else {
        last.checked_sub(number.unsigned_abs() - 1)
    };
    match offset.filter(|offset| *offset <= last) {
        Some(offset) => Ok(Value::string(address(net, first + offset).to_string())),
        None => Args::error(1, format!("goes beyond {net}")),
    }
}

fn netmask(args: &Args<'_>) -> FnResult {
    match range(args, 0)? {
        IpNet::V4(net) => Ok(Value::string(net.netmask().to_string())),
        IpNet::V6(_) => Args::error(0, "takes an IPv4 range"),
    }
}

fn subnet(args: &Args<'_>) -> FnResult {
    let net = range(args, 0)?;
    let (first, free) = bits(net);
    let newbits = u32::try_from(args.size(1)?).ok().filter(|n| *n <= free);
    let Some(newbits) = newbits else {
        return Args::error(1, format!("takes at most {free} bits after {net}"));
    };
    let Ok(number) = u128::try_from(args.long(2)?) else {
        return Args::error(2, "must not be negative");
    };
    let count = 1_u128.checked_shl(newbits).unwrap_or(u128::MAX);
    if number >= count {
        return Args::error(2, format!("counts {count} parts, from 0 to {}", count - 1));
    }
    let start = first + number.checked_shl(free - newbits).unwrap_or(0);
    part(net, start, newbits, 1)
}

/// The part of a range that begins at an address, with so many more bits of prefix.
fn part(net: IpNet, start: u128, newbits: u32, argument: usize) -> FnResult {
    let prefix = u8::try_from(u32::from(net.prefix_len()) + newbits).unwrap_or(u8::MAX);
    let part = match address(net, start) {
        IpAddr::V4(start) => Ipv4Net::new(start, prefix).map(IpNet::V4),
        IpAddr::V6(start) => Ipv6Net::new(start, prefix).map(IpNet::V6),
    };
    match part {
        Ok(part) => Ok(Value::string(part.to_string())),
        Err(_) => Args::error(argument, "makes the prefix too long"),
    }
}

fn subnets(args: &Args<'_>) -> FnResult {
    let net = range(args, 0)?;
    let (first, free) = bits(net);
    let mut parts = Vec::new();
    // How far the range is given away, from its start.
    let mut next = 0_u128;
    for at in 1..args.len() {
        let newbits = u32::try_from(args.size(at)?).ok();
        let newbits = newbits.filter(|newbits| (1..=free.min(32)).contains(newbits));
        let Some(newbits) = newbits else {
            return Args::error(at, format!("takes 1 to {} bits after {net}", free.min(32)));
        };
        let size = 1_u128 << (free - newbits);
        let start = next.checked_next_multiple_of(size);
        let end = start.and_then(|start| start.checked_add(size - 1));
        let last = 1_u128.checked_shl(free).map_or(u128::MAX, |all| all - 1);
        let (Some(start), Some(end)) = (start, end.filter(|end| *end <= last)) else {
            return Args::error(at, format!("finds no room left in {net}"));
        };
        parts.push(part(net, first + start, newbits, at)?);
        next = end.saturating_add(1);
    }
    Ok(Value::list_of_one_type(parts))
}
