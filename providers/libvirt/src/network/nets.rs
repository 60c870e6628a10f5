//! Networks: definitions that never run.

use ipnet::Ipv4Net;
use strat_model::{
    Attributes, ErrorKind, Field, Kind, Labels, NetworkSpec, Resource, ResourceId, ResourceState,
    Result, Spec, Witness,
};

use super::stripped::is_stripped;
use super::{Net, NetBody};
use crate::error::{fail, missing};
use crate::provider::{OwnedCreate, OwnedUpdate};
use crate::site::{Site, check_fields};
use crate::thing::{Phase, Thing, taken, uuid_of};
use crate::xml::Element;

impl Site {
    pub(crate) fn create_network(&self, request: &OwnedCreate<NetworkSpec>) -> Result<Resource> {
        let spec = Spec::Network(request.spec.clone());
        let digest = request.digest(&spec);
        let birth = request.birth(Kind::Network, &spec, &digest, self.now());
        check_range(request.spec.cidr)?;
        let _definitions = self.lock_definitions();
        let id = network_id(&request.name);
        let thing = match self.nets()?.remove(&id) {
            Some(Net {
                thing: Some(thing), ..
            }) => {
                thing.check_repeated(birth)?;
                thing
            }
            Some(_) => return Err(taken(Kind::Network, &request.name)),
            None => Thing::new(
                birth,
                Phase::Made,
                NetBody::Network {
                    cidr: request.spec.cidr,
                },
            ),
        };
        // `bridge` is the one kind of network for which libvirt sets nothing aside: this one
        // never runs.
        let mut xml = Element::new("network")
            .holding(Element::leaf("name", &id))
            .holding(Element::leaf("uuid", uuid_of("network", &id)))
            .holding(Element::new("forward").with("mode", "bridge"))
            .holding(Element::new("bridge").with("name", bridge_of(request.spec.cidr)));
        thing.put_into(&mut xml)?;
        self.each(|host| match host.network_xml(&id)? {
            Some(_) => Ok(()),
            None => host.define_network(&xml),
        })?;
        let net = Net {
            id,
            thing: Some(thing),
            xml,
            hosts: Vec::new(),
        };
        Ok(network_of(&net))
    }

    pub(crate) fn update_network(&self, request: &OwnedUpdate<NetworkSpec>) -> Result<Resource> {
        check_fields(&self.live, Kind::Network, &request.fields)?;
        let _definitions = self.lock_definitions();
        let mut net = self.need_network(&request.id)?;
        let mut thing = match net.thing.take() {
            Some(thing) => thing,
            None => {
                let spec = Spec::Network(request.spec.clone());
                let body = NetBody::Network {
                    cidr: range_of(&net.xml),
                };
                request.adopted(&net.id, &spec, self.now(), body)?
            }
        };
        thing.set_mark(request.mark.as_ref());
        if request.fields.contains(&Field::Labels) {
            thing.labels.clone_from(&request.spec.labels);
        }
        self.rewrite_net(&net, &thing)?;
        if request.fields.contains(&Field::Setup) {
            self.define_again(&net, &thing)?;
        }
        net.thing = Some(thing);
        Ok(network_of(&net))
    }

    pub(crate) fn delete_network(&self, id: &ResourceId) -> Result<()> {
        let _definitions = self.lock_definitions();
        let nets = self.nets()?;
        if !nets.get(id.as_str()).is_some_and(is_network) {
            return Ok(());
        }
        let in_it = |net: &&Net| matches!(&net.thing, Some(Thing { body: NetBody::Subnet { network, .. }, .. }) if network == id.as_str());
        if let Some(subnet) = nets.values().find(in_it) {
            return Err(fail(
                ErrorKind::Conflict,
                format!("the subnet {} is in the network {id}", subnet.id),
            ));
        }
        let firewalls = self.firewall_things()?;
        if let Some((name, _)) = firewalls
            .iter()
            .find(|(_, firewall)| firewall.body.network == id.as_str())
        {
            return Err(fail(
                ErrorKind::Conflict,
                format!("the firewall {name} is in the network {id}"),
            ));
        }
        if let Some((_, guest)) = self
            .guests()?
            .iter()
            .find(|(_, g)| g.networks.iter().any(|n| n == id.as_str()))
        {
            return Err(fail(
                ErrorKind::Conflict,
                format!("the machine {} is in the network {id}", guest.name),
            ));
        }
        self.each(|host| host.remove_network(id.as_str()))?;
        Ok(())
    }

    /// All networks: ours, and those that are not ours and could be taken for one.
    pub(crate) fn list_networks(&self) -> Result<Vec<Resource>> {
        let nets = self.nets()?;
        let networks = nets.values().filter(|net| is_network(net));
        let networks = networks.map(|net| {
            let mut network = network_of(net);
            self.tell_gone(net, &nets, &mut network);
            network
        });
        Ok(networks.collect())
    }

    /// The network of an id.
    pub(crate) fn need_network(&self, id: &ResourceId) -> Result<Net> {
        let found = self.nets()?.remove(id.as_str()).filter(is_network);
        found.ok_or_else(|| missing(format!("network {id}")))
    }
}

/// libvirt's name for the network of a name: a subnet may be called the same.
fn network_id(name: &str) -> String {
    format!("{name}.network")
}

/// What the bridge of a network is called, which is never made: it says the network's range, for who
/// takes the mark off leaves that.
fn bridge_of(cidr: Ipv4Net) -> String {
    format!(
        "sn{:08x}{:02}",
        u32::from(cidr.network()),
        cidr.prefix_len()
    )
}

/// The range that the bridge of a network says.
fn range_of_bridge(xml: &Element) -> Option<Ipv4Net> {
    let name = xml.child("bridge")?.get("name")?.strip_prefix("sn")?;
    let (network, prefix) = name.split_at_checked(8)?;
    let network = std::net::Ipv4Addr::from(u32::from_str_radix(network, 16).ok()?);
    Ipv4Net::new(network, prefix.parse().ok()?).ok()
}

/// Whether it is a network and not a subnet of ours.
pub(super) fn is_network(net: &Net) -> bool {
    !is_stripped(net)
        && !matches!(
            &net.thing,
            Some(Thing {
                body: NetBody::Subnet { .. },
                ..
            })
        )
}

/// Fails for a range that has bits set behind its prefix.
pub(super) fn check_range(cidr: Ipv4Net) -> Result<()> {
    if cidr == cidr.trunc() {
        return Ok(());
    }
    Err(fail(
        ErrorKind::Invalid,
        format!("{cidr} has bits set behind its prefix"),
    ))
}

/// The range of a network without a mark, as far as its definition says it.
fn range_of(xml: &Element) -> Ipv4Net {
    let range = cidr_of(xml).or_else(|| range_of_bridge(xml));
    range.unwrap_or_default()
}

/// The range of a definition's first address.
pub(super) fn cidr_of(xml: &Element) -> Option<Ipv4Net> {
    let ip = xml.all("ip").find(|ip| ip.get("family") != Some("ipv6"))?;
    let address: std::net::Ipv4Addr = ip.get("address")?.parse().ok()?;
    let prefix = match (ip.get("prefix"), ip.get("netmask")) {
        (Some(prefix), _) => prefix.parse().ok()?,
        (None, Some(mask)) => ipnet::ipv4_mask_to_prefix(mask.parse().ok()?).ok()?,
        (None, None) => return None,
    };
    Some(Ipv4Net::new(address, prefix).ok()?.trunc())
}

fn network_of(net: &Net) -> Resource {
    let cidr = match &net.thing {
        Some(Thing {
            body: NetBody::Network { cidr } | NetBody::Subnet { cidr, .. },
            ..
        }) => *cidr,
        None => range_of(&net.xml),
    };
    let thing = net.thing.as_ref();
    Resource {
        id: ResourceId::from(&net.id),
        // One that lost its mark is still called so.
        name: thing.map_or_else(
            || net.id.trim_end_matches(".network").to_owned(),
            |thing| thing.name.clone(),
        ),
        mark: thing.and_then(Thing::mark),
        witness: thing.map_or(Witness::Lacking, Thing::witness),
        state: ResourceState::Ready,
        spec: Spec::Network(NetworkSpec {
            cidr,
            labels: thing.map_or_else(Labels::new, |thing| thing.labels.clone()),
        }),
        attributes: Attributes::new(),
        created: thing.map(|thing| thing.created),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_lost_its_mark_still_says_its_range() {
        let cidr: Ipv4Net = "10.94.0.0/16".parse().expect("a range");
        let name = bridge_of(cidr);
        assert!(name.len() <= 15, "{name}");
        let xml = format!("<network><bridge name='{name}'/></network>");
        assert_eq!(range_of(&Element::parse(&xml).expect("XML")), cidr);
    }

    #[test]
    fn the_range_of_a_foreign_network_is_read() {
        let check = |ip: &str, wanted: Option<&str>| {
            let xml = Element::parse(&format!("<network>{ip}</network>")).expect("XML");
            assert_eq!(
                cidr_of(&xml),
                wanted.map(|cidr| cidr.parse().expect("a range"))
            );
        };
        check(
            "<ip address='192.168.122.1' netmask='255.255.255.0'/>",
            Some("192.168.122.0/24"),
        );
        check(
            "<ip family='ipv6' address='fe80::1' prefix='64'/><ip address='10.0.0.1' prefix='8'/>",
            Some("10.0.0.0/8"),
        );
        check("<forward mode='bridge'/>", None);
    }
}
