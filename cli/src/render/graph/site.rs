//! A site on the map: its networks, in them subnets, in them zones, in them machines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use stratiform::model::{Addr, Kind, Name};

use super::page::{escaped, sign};
use super::{Node, SiteNode};
use crate::render::reach::{Flow, block};
use crate::render::wrap::count;

/// How many cards of one zone are drawn; the rest is counted.
const CARDS_MAX: usize = 60;

/// A site, with all that is at it.
pub(super) fn site(
    text: &mut String,
    name: &Name,
    about: Option<&SiteNode>,
    nodes: &[&Node],
    flows: &[Flow],
) {
    let machines = nodes.iter().filter(|node| node.kind == Kind::Machine);
    let machines: u32 = machines.map(|node| node.count).sum();
    let about = about.map_or_else(String::new, |site| {
        let region = site.region.iter().map(String::as_str);
        let words: Vec<&str> = [site.provider.as_str()].into_iter().chain(region).collect();
        escaped(&words.join(" \u{b7} "))
    });
    let _ = writeln!(
        text,
        "<section class=\"site\">\n<h2>{}<small>{about}</small><span class=\"total\">{}</span></h2>",
        escaped(name.as_str()),
        count(machines as usize, "machine"),
    );
    let here = Here {
        nodes: nodes.iter().map(|node| (&node.addr, *node)).collect(),
        flows,
    };
    let mut drawn = BTreeSet::new();
    for (network, bands) in here.networks() {
        here.network(text, network, &bands, &mut drawn);
    }
    here.rest(text, &drawn);
    text.push_str("</section>\n");
}

/// The subnets that one block comes to.
type Bands<'n> = BTreeMap<String, BTreeSet<&'n Addr>>;

struct Here<'n> {
    nodes: BTreeMap<&'n Addr, &'n Node>,
    flows: &'n [Flow],
}

impl<'n> Here<'n> {
    fn of(&self, kind: Kind) -> impl Iterator<Item = &'n Node> {
        let nodes = self.nodes.values().copied();
        nodes.filter(move |node| node.kind == kind && node.count > 0)
    }

    /// The networks, and the subnets in each; those of others too, where something lies in them.
    fn networks(&self) -> BTreeMap<&'n Addr, Bands<'n>> {
        let mut networks: BTreeMap<&Addr, Bands<'_>> = BTreeMap::new();
        for network in self.of(Kind::Network) {
            networks.entry(&network.addr).or_default();
        }
        for subnet in self.of(Kind::Subnet) {
            for network in &subnet.lies_in {
                let bands = networks.entry(network).or_default();
                let band = bands.entry(subnet.addr.local.to_string()).or_default();
                band.insert(&subnet.addr);
            }
        }
        // A subnet that others own is in a network that is not known here: it stands for it.
        for machine in self.of(Kind::Machine) {
            for subnet in &machine.lies_in {
                if !self.nodes.contains_key(subnet) {
                    let bands = networks.entry(subnet).or_default();
                    let band = bands.entry(subnet.local.to_string()).or_default();
                    band.insert(subnet);
                }
            }
        }
        networks
    }

    fn network(
        &self,
        text: &mut String,
        addr: &'n Addr,
        bands: &Bands<'n>,
        drawn: &mut BTreeSet<&'n Addr>,
    ) {
        let node = self.nodes.get(addr);
        drawn.insert(addr);
        let (class, badge) = node.map_or_else(Default::default, |node| marked(node));
        let what = match node {
            Some(node) => node.what.first().map_or("", String::as_str),
            None => "others own it",
        };
        let _ = writeln!(
            text,
            "<div class=\"network {class}\"><h3>{}<small>{}</small>{badge}</h3>",
            escaped(&addr.local.to_string()),
            escaped(what),
        );
        for (name, subnets) in bands {
            self.band(text, name, subnets, drawn);
        }
        let firewalls = self.of(Kind::Firewall);
        let firewalls: Vec<&Node> = firewalls
            .filter(|firewall| firewall.lies_in.contains(addr))
            .collect();
        drawn.extend(firewalls.iter().map(|node| &node.addr));
        chips(text, &firewalls);
        text.push_str("</div>\n");
    }

    /// The subnets of one block, with a column for each zone.
    fn band(
        &self,
        text: &mut String,
        name: &str,
        subnets: &BTreeSet<&'n Addr>,
        drawn: &mut BTreeSet<&'n Addr>,
    ) {
        drawn.extend(subnets);
        let machines = self.of(Kind::Machine);
        let machines: Vec<&Node> = machines
            .filter(|machine| machine.lies_in.iter().any(|one| subnets.contains(one)))
            .collect();
        drawn.extend(machines.iter().map(|node| &node.addr));
        // A subnet of a zone has its range in its column, one of the whole site beside its name.
        let mut ranges: BTreeMap<Option<&Name>, (String, String)> = BTreeMap::new();
        let (mut whole, mut class, mut badge) = (String::new(), String::new(), String::new());
        for subnet in subnets {
            let node = self.nodes.get(*subnet);
            let range = node.and_then(|node| node.what.first()).cloned();
            let range = range.unwrap_or_else(|| "others own it".to_owned());
            let (its_class, its_badge) = node.map_or_else(Default::default, |node| marked(node));
            if let Some(zone) = &subnet.zone {
                ranges.insert(Some(zone), (range, its_badge));
            } else {
                (whole, class, badge) = (range, its_class, its_badge);
            }
        }
        let zones = machines.iter().flat_map(|machine| machine.zones.keys());
        for zone in zones {
            ranges.entry(Some(zone)).or_default();
        }
        let _ = writeln!(
            text,
            "<div class=\"subnet {class}\"><h4>{}<small>{}</small>{badge}</h4><div class=\"zones\">",
            escaped(name),
            escaped(&whole),
        );
        for (zone, (range, badge)) in &ranges {
            let zone_name = zone.map_or("", Name::as_str);
            let _ = writeln!(
                text,
                "<div class=\"zone\"><h5>{}<small>{}</small>{badge}</h5>",
                escaped(zone_name),
                escaped(range),
            );
            let there = machines.iter().filter_map(|machine| {
                let count = *machine.zones.get((*zone)?)?;
                (count > 0).then_some((*machine, count))
            });
            let there: Vec<(&Node, u32)> = there.collect();
            for (machine, count) in there.iter().take(CARDS_MAX) {
                self.card(text, machine, *count, drawn);
            }
            if let Some(more) = there.len().checked_sub(CARDS_MAX).filter(|more| *more > 0) {
                let _ = writeln!(text, "<p class=\"note\">and {more} more</p>");
            }
            if there.is_empty() {
                text.push_str("<p class=\"note\">no machines</p>\n");
            }
            text.push_str("</div>\n");
        }
        if ranges.is_empty() {
            text.push_str("<p class=\"note\">no machines</p>\n");
        }
        text.push_str("</div></div>\n");
    }

    /// A machine, or the members of a fleet in one zone.
    fn card(&self, text: &mut String, node: &'n Node, here: u32, drawn: &mut BTreeSet<&'n Addr>) {
        let (class, badge) = marked(node);
        let block = block(&node.addr);
        let times = match node.count {
            1 => String::new(),
            _ => format!("<span class=\"times\">\u{d7}{here}</span>"),
        };
        let _ = writeln!(
            text,
            "<article class=\"card {class}\" data-block=\"{}\"><h6>{}{times}{badge}</h6>",
            escaped(&block),
            escaped(&node.addr.local.to_string()),
        );
        for line in node.what.iter().take(2) {
            let _ = writeln!(text, "<p>{}</p>", escaped(line));
        }
        let attached = [Kind::Volume, Kind::Address].into_iter();
        let attached = attached.flat_map(|kind| self.of(kind));
        let attached: Vec<&Node> = attached
            .filter(|one| one.attached_to.as_ref() == Some(&node.addr))
            .collect();
        drawn.extend(attached.iter().map(|node| &node.addr));
        chips(text, &attached);
        for flow in self.flows.iter().filter(|flow| flow.to.contains(&block)) {
            let from: Vec<&str> = flow.from.iter().map(String::as_str).collect();
            let _ = writeln!(
                text,
                "<p class=\"in\"><span>\u{2190} {}</span> {}</p>",
                escaped(&from.join(", ")),
                escaped(&flow.ports),
            );
        }
        text.push_str("</article>\n");
    }

    /// What is in no network, and what goes.
    fn rest(&self, text: &mut String, drawn: &BTreeSet<&Addr>) {
        let others = self.nodes.values().copied();
        let others = others.filter(|node| !drawn.contains(&node.addr));
        let (stays, goes): (Vec<&Node>, Vec<&Node>) = others.partition(|node| node.count > 0);
        for (title, nodes) in [("Also here", stays), ("Goes", goes)] {
            if !nodes.is_empty() {
                let _ = writeln!(text, "<div class=\"rest\"><h3>{title}</h3>");
                chips(text, &nodes);
                text.push_str("</div>\n");
            }
        }
    }
}

/// Things with a line each.
fn chips(text: &mut String, nodes: &[&Node]) {
    if nodes.is_empty() {
        return;
    }
    text.push_str("<ul class=\"chips\">");
    for node in nodes {
        let (class, badge) = marked(node);
        let name = match &node.addr.zone {
            Some(zone) => format!("{}/{zone}", node.addr.local),
            None => node.addr.local.to_string(),
        };
        let what = match node.kind {
            Kind::Volume => node.what.first().map_or("", String::as_str),
            Kind::Firewall => match node.what.len() {
                1 => "1 rule",
                _ => "",
            },
            Kind::Network
            | Kind::Subnet
            | Kind::Address
            | Kind::Keypair
            | Kind::Image
            | Kind::Machine
            | Kind::Bucket => "",
        };
        let protect = match node.protect {
            true => "<small>protected</small>",
            false => "",
        };
        let title = escaped(&node.what.join("\n"));
        let _ = write!(
            text,
            "<li class=\"{class}\" title=\"{title}\">{}<small>{}</small>{protect}{badge}</li>",
            escaped(&name),
            escaped(what),
        );
    }
    text.push_str("</ul>\n");
}

/// The class of what becomes of a thing, and the words for it.
fn marked(node: &Node) -> (String, String) {
    let class = node.action().unwrap_or_default().to_owned();
    let badges = node.changes.iter().map(|(action, count)| {
        // Of a fleet that is in several zones, all of it, which each of its cards says.
        let times = match (count, node.zones.len()) {
            (1, 0 | 1) => String::new(),
            (count, 0 | 1) => format!(" {count}"),
            (count, _) => format!(" {count} at {}", escaped(node.addr.site.as_str())),
        };
        format!(
            "<span class=\"badge {action}\">{} {action}{times}</span>",
            sign(action)
        )
    });
    (class, badges.collect())
}
