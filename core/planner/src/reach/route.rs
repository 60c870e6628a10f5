//! How packets get from one end to the other.

use std::collections::BTreeSet;

use strat_model::{Addr, Internet, Name, Spec};

use super::hop::{Hop, HopAt, Passes};
use super::party::{Host, Party, Who, World};
use super::traffic::Traffic;

/// How a machine gets to the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It has a public address: the internet reaches it, and it reaches the internet.
    Public,
    /// Out alone, under an address that its subnet shares.
    Outbound,
    /// Its subnet has a way for public addresses alone, and it has none.
    Unaddressed,
    /// There is none.
    None,
    /// It is for whoever owns the hardware to say: the topology does not.
    Unsaid,
}

/// A route, and whether packets take it under public addresses.
pub(super) struct Route {
    pub(super) hop: Hop,
    /// Whether the ends know each other by public addresses alone, which the topology does not know.
    pub(super) is_public: bool,
}

fn route(passes: Passes, why: String) -> Route {
    let traffic = match passes {
        Passes::No => Traffic::default(),
        Passes::May | Passes::Yes => Traffic::all(),
    };
    Route {
        hop: Hop {
            at: HopAt::Route,
            passes,
            traffic,
            assumed: false,
            why,
            firewalls: BTreeSet::new(),
            rules: Vec::new(),
        },
        is_public: false,
    }
}

fn assumed(why: String) -> Route {
    let mut route = route(Passes::Yes, why);
    route.hop.assumed = true;
    route
}

impl World<'_> {
    /// How packets get from one to the other; one of them is a machine.
    pub(super) fn route(self, from: &Party<'_>, to: &Party<'_>) -> Route {
        match (&from.who, &to.who) {
            (Who::Machines(a), Who::Machines(b)) if a.addr == b.addr && !a.is_many => route(
                Passes::Yes,
                format!("{} is one machine: it talks to itself", a.addr),
            ),
            (Who::Machines(a), Who::Machines(b)) => match (a.network, b.network) {
                (Some(x), Some(y)) => between(x, y).unwrap_or_else(|| self.over_internet(a, b)),
                _ => unknown_network(if a.network.is_none() { a } else { b }),
            },
            (Who::Machines(host), Who::Inside(network))
            | (Who::Inside(network), Who::Machines(host)) => match host.network {
                Some(own) => between(own, network).unwrap_or_else(|| self.apart(own, network)),
                None => unknown_network(host),
            },
            (Who::Machines(host), Who::Private) | (Who::Private, Who::Machines(host)) => {
                assumed(format!(
                    "these private addresses are in no network of the topology; it is assumed that something joins \
                 them to {}",
                    network_of(host)
                ))
            }
            (Who::Machines(host), Who::Internet) => self.out(host),
            (Who::Internet, Who::Machines(host)) => self.inward(host),
            (Who::Ipv6, _) | (_, Who::Ipv6) => {
                route(Passes::No, "machines have IPv4 addresses alone".to_owned())
            }
            (
                Who::Inside(_) | Who::Private | Who::Internet,
                Who::Inside(_) | Who::Private | Who::Internet,
            ) => route(
                Passes::May,
                "no machine of the topology is at either end".to_owned(),
            ),
        }
    }

    /// Between two networks, by private addresses.
    fn apart(self, a: &Addr, b: &Addr) -> Route {
        let owned = [a, b]
            .into_iter()
            .find(|network| self.is_owned(&network.site));
        match owned {
            Some(network) => route(
                Passes::May,
                format!(
                    "nothing in the topology joins {a} and {b}, but who owns the hardware of {} may",
                    network.site
                ),
            ),
            None => route(Passes::No, format!("nothing joins {a} and {b}")),
        }
    }

    /// Between machines of two networks: by their public addresses, if they have them.
    fn over_internet(self, a: &Host<'_>, b: &Host<'_>) -> Route {
        let (Some(x), Some(y)) = (a.network, b.network) else {
            return unknown_network(a);
        };
        let private = self.apart(x, y);
        let (out, inward) = (self.out(a), self.inward(b));
        let public = out.hop.passes.min(inward.hop.passes);
        if private.hop.passes >= public {
            return private;
        }
        let mut over = route(
            public,
            format!(
                "{}; they meet over the internet: {}, {}",
                private.hop.why, out.hop.why, inward.hop.why
            ),
        );
        over.is_public = true;
        over
    }

    fn out(self, host: &Host<'_>) -> Route {
        let (addr, subnet, site) = (host.addr, host.subnet, &host.addr.site);
        let (passes, why) = match self.way(host) {
            Way::Public => (Passes::Yes, format!("{addr} has a public address")),
            Way::Outbound => (
                Passes::Yes,
                format!("{addr} has no public address, and {subnet} leads out by NAT"),
            ),
            Way::Unaddressed => (
                Passes::No,
                format!("{addr} has no public address, and {subnet} is for those that have one"),
            ),
            Way::None => (Passes::No, format!("{subnet} has no way to the internet")),
            Way::Unsaid => (
                Passes::May,
                format!("the topology does not say whether {site} leads to the internet"),
            ),
        };
        route(passes, why)
    }

    fn inward(self, host: &Host<'_>) -> Route {
        let (addr, subnet, site) = (host.addr, host.subnet, &host.addr.site);
        let (passes, why) = match self.way(host) {
            Way::Public => (Passes::Yes, format!("{addr} has a public address")),
            Way::Outbound | Way::Unaddressed if !self.is_owned(site) => {
                (Passes::No, format!("{addr} has no public address"))
            }
            Way::None => (Passes::No, format!("{subnet} has no way to the internet")),
            Way::Outbound | Way::Unaddressed | Way::Unsaid => (
                Passes::May,
                format!(
                    "{addr} has no public address, but who owns the hardware of {site} may lead the internet to it"
                ),
            ),
        };
        route(passes, why)
    }

    /// How a machine gets to the internet: by an address of its own, or as its subnet does.
    fn way(self, host: &Host<'_>) -> Way {
        let Some(facts) = self.facts.get(&host.addr.site) else {
            return Way::Unsaid;
        };
        let capabilities = &facts.capabilities;
        let subnet = match self.spec(host.subnet) {
            Some(Spec::Subnet(subnet)) => Some(subnet),
            _ => None,
        };
        let way = match subnet {
            Some(subnet) => capabilities.way_out(subnet),
            None if capabilities.internet.choices.is_empty() => capabilities.internet.own,
            None => return Way::Unsaid,
        };
        let leads_here = self.addressed.contains(host.addr);
        let has_address = leads_here || capabilities.gives_public_ip(host.spec);
        match way {
            Internet::None => Way::None,
            _ if has_address => Way::Public,
            // One way for all, on hardware whose owner joins it to what he likes.
            _ if self.is_owned(&host.addr.site) && capabilities.internet.choices.is_empty() => {
                Way::Unsaid
            }
            Internet::Outbound => Way::Outbound,
            Internet::Public => Way::Unaddressed,
        }
    }

    /// Whether the site is hardware that somebody owns, whose networks he may join as he likes; so counts
    /// one of which nothing is known.
    fn is_owned(self, site: &Name) -> bool {
        self.facts
            .get(site)
            .is_none_or(|facts| facts.free.is_some())
    }
}

fn network_of(host: &Host<'_>) -> String {
    host.network
        .map_or_else(|| host.addr.site.to_string(), ToString::to_string)
}

fn unknown_network(host: &Host<'_>) -> Route {
    route(
        Passes::May,
        format!(
            "it is not known which network {} is in: {} was not seen",
            host.addr, host.subnet
        ),
    )
}

/// In one network, at one of its sites or at two. `None` in two networks.
fn between(a: &Addr, b: &Addr) -> Option<Route> {
    if a == b {
        return Some(route(Passes::Yes, format!("both are in {a}")));
    }
    (a.local == b.local).then(|| {
        assumed(format!(
            "both are in {}, at {} and {}; it is assumed that something joins the two sites",
            a.local, a.site, b.site
        ))
    })
}
