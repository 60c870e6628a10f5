//! How a subnet is defined: its range, its router, and where it leads.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use strat_model::Internet;

use super::subnets::{bridge_name, strangers};
use crate::config::Uplink;
use crate::thing::uuid_of;
use crate::xml::Element;

/// The definition of a subnet.
pub(super) fn subnet_xml(name: &str, cidr: Ipv4Net, uplink: &Uplink) -> Element {
    let xml = Element::new("network")
        .holding(Element::leaf("name", name))
        .holding(Element::leaf("uuid", uuid_of("network", name)));
    let mode = match uplink {
        Uplink::Bridge { bridge, vlan, .. } => {
            let tag =
                |vlan: &u16| Element::new("vlan").holding(Element::new("tag").with("id", vlan));
            return xml
                .holding(Element::new("forward").with("mode", "bridge"))
                .holding(Element::new("bridge").with("name", bridge))
                .holding_all(vlan.iter().map(tag));
        }
        Uplink::Nat => Some("nat"),
        Uplink::Routed => Some("route"),
        Uplink::Isolated => None,
    };
    let router = cidr.hosts().next().unwrap_or_else(|| cidr.addr());
    let range = strangers(cidr)
        .map(|(first, last)| Element::new("range").with("start", first).with("end", last));
    // DHCP that knows nobody would not be started: a range of one address, the last, stands in.
    let only = || {
        Element::new("range")
            .with("start", last_of(cidr))
            .with("end", last_of(cidr))
    };
    let ip = Element::new("ip")
        .with("address", router)
        .with("prefix", cidr.prefix_len())
        .holding(Element::new("dhcp").holding(range.unwrap_or_else(only)));
    xml.holding_all(mode.map(|mode| Element::new("forward").with("mode", mode)))
        .holding(
            Element::new("bridge")
                .with("name", bridge_name(name))
                .with("stp", "on")
                .with("delay", 0),
        )
        .holding(ip)
}

/// The way to the internet of a subnet as it is defined: without a forward element nothing leaves the host.
///
/// <https://libvirt.org/formatnetwork.html#connectivity>
pub(super) fn way_of(xml: &Element) -> Internet {
    match xml.child("forward") {
        Some(_) => Internet::Outbound,
        None => Internet::None,
    }
}

fn last_of(cidr: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(cidr.broadcast()) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().expect("a range")
    }

    #[test]
    fn an_existing_bridge_serves_nothing() {
        let uplink = Uplink::Bridge {
            bridge: "br0".to_owned(),
            vlan: Some(20),
            gateway: None,
        };
        let xml = subnet_xml("s", net("10.0.0.0/24"), &uplink);
        assert!(xml.child("ip").is_none());
        assert_eq!(
            xml.at(&["vlan", "tag"]).and_then(|tag| tag.get("id")),
            Some("20")
        );
    }

    #[test]
    fn what_is_not_forwarded_has_no_way_out() {
        let check = |uplink: &Uplink, expect| {
            let xml = subnet_xml("s", net("10.0.0.0/24"), uplink);
            assert_eq!(way_of(&xml), expect, "{uplink:?}");
        };
        check(&Uplink::Nat, Internet::Outbound);
        check(&Uplink::Routed, Internet::Outbound);
        check(&Uplink::Isolated, Internet::None);
    }
}
