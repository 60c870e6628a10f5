//! Subnets: what machines are plugged into.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use strat_model::{
    Attributes, Digest, ErrorKind, Field, Internet, Kind, ReservedShare, Resource, ResourceId,
    ResourceState, Result, Spec, SubnetSpec,
};

use super::layout::{subnet_xml, way_of};
use super::nets::{check_range, cidr_of};
use super::stripped::{is_stripped, stripped_of};
use super::{Net, NetBody};
use crate::changes::STAYS;
use crate::config::Uplink;
use crate::error::{Explain as _, fail, missing};
use crate::host::Host;
use crate::provider::{OwnedCreate, OwnedUpdate};
use crate::rpc::sys;
use crate::site::{Site, check_fields};
use crate::thing::{Phase, Thing, taken};
use crate::xml::Element;

impl Site {
    pub(crate) fn create_subnet(
        &self,
        request: &OwnedCreate<SubnetSpec<ResourceId>>,
    ) -> Result<Resource> {
        let spec = Spec::Subnet(request.spec.clone());
        let digest = request.digest(&spec);
        let birth = request.birth(Kind::Subnet, &spec, &digest, self.now());
        let (name, cidr) = (&request.name, request.spec.cidr);
        let _definitions = self.lock_definitions();
        let thing = match self.nets()?.remove(name) {
            Some(Net {
                thing: Some(thing), ..
            }) => {
                thing.check_repeated(birth)?;
                thing
            }
            Some(_) => return Err(taken(Kind::Subnet, name)),
            None => {
                self.check_new_subnet(&request.spec)?;
                let network = request.spec.network.to_string();
                Thing::new(birth, Phase::Made, NetBody::Subnet { network, cidr })
            }
        };
        let uplink = match request.spec.internet {
            Some(Internet::None) => &Uplink::Isolated,
            Some(Internet::Public | Internet::Outbound) | None => &self.settings.uplink,
        };
        let mut xml = subnet_xml(name, cidr, uplink);
        thing.put_into(&mut xml)?;
        let is_new = |host: &Host| -> Result<bool> {
            let is_new = host.network_xml(name)?.is_none();
            if is_new {
                host.define_network(&xml)?;
            }
            Ok(is_new)
        };
        self.each(|host| {
            let is_new = is_new(host)?;
            let started = host.start_network(name);
            if let (true, Err(error)) = (is_new, &started)
                && !error.kind().is_retryable()
            {
                // What could never start is not left behind.
                host.remove_network(name)?;
            }
            started
        })?;
        let net = Net {
            id: name.clone(),
            thing: Some(thing),
            xml,
            hosts: Vec::new(),
        };
        subnet_of(&net).ok_or_else(|| missing(format!("subnet {name}")))
    }

    fn check_new_subnet(&self, spec: &SubnetSpec<ResourceId>) -> Result<()> {
        let invalid = |message: String| Err(fail(ErrorKind::Invalid, message));
        check_range(spec.cidr)?;
        if spec.zone.is_some() {
            return invalid("a subnet here spans all zones".to_owned());
        }
        if spec.cidr.prefix_len() > 29 {
            return invalid(format!(
                "{} has no room for a router and machines",
                spec.cidr
            ));
        }
        let network = self.need_network(&spec.network)?;
        let Some(Thing {
            body: NetBody::Network { cidr },
            ..
        }) = &network.thing
        else {
            return invalid(format!("the network {} is not Stratiform's", spec.network));
        };
        if !cidr.contains(&spec.cidr) {
            return invalid(format!("{} is not within {cidr} of its network", spec.cidr));
        }
        for (id, subnet) in self
            .nets()?
            .iter()
            .filter_map(|(id, net)| Some((id, subnet_body(net)?)))
        {
            let overlaps = subnet.1.contains(&spec.cidr) || spec.cidr.contains(&subnet.1);
            if subnet.0 == spec.network.as_str() && overlaps {
                let message = format!("{} overlaps with the subnet {id}", spec.cidr);
                return Err(fail(ErrorKind::Conflict, message));
            }
        }
        Ok(())
    }

    pub(crate) fn update_subnet(
        &self,
        request: &OwnedUpdate<SubnetSpec<ResourceId>>,
    ) -> Result<Resource> {
        check_fields(&self.live, Kind::Subnet, &request.fields)?;
        if request.fields.contains(&Field::Internet) {
            return Err(fail(ErrorKind::Unsupported, STAYS));
        }
        let _definitions = self.lock_definitions();
        let stripped = self.nets()?.remove(request.id.as_str());
        let mut net = match stripped.filter(is_stripped) {
            Some(mut net) => {
                let spec = Spec::Subnet(request.spec.clone());
                let body = NetBody::Subnet {
                    network: request.spec.network.to_string(),
                    cidr: cidr_of(&net.xml).unwrap_or(request.spec.cidr),
                };
                net.thing = Some(request.adopted(&net.id, &spec, self.now(), body)?);
                net
            }
            None => self.need_subnet(request.id.as_str())?,
        };
        if let Some(thing) = &mut net.thing {
            thing.set_mark(request.mark.as_ref());
            if request.fields.contains(&Field::Labels) {
                thing.labels.clone_from(&request.spec.labels);
            }
            let thing = thing.clone();
            self.rewrite_net(&net, &thing)?;
        }
        if request.fields.contains(&Field::Setup) {
            self.run_again(&net)?;
        }
        subnet_of(&net).ok_or_else(|| missing(format!("subnet {}", request.id)))
    }

    pub(crate) fn delete_subnet(&self, id: &ResourceId) -> Result<()> {
        let _definitions = self.lock_definitions();
        let found = self.nets()?.remove(id.as_str());
        if found.as_ref().and_then(subnet_body).is_none() {
            return Ok(());
        }
        if let Some((_, guest)) = self
            .guests()?
            .iter()
            .find(|(_, g)| g.networks.iter().any(|n| n == id.as_str()))
        {
            return Err(fail(
                ErrorKind::Conflict,
                format!("the machine {} is in the subnet {id}", guest.name),
            ));
        }
        self.each(|host| host.remove_network(id.as_str()))?;
        Ok(())
    }

    pub(crate) fn list_subnets(&self) -> Result<Vec<Resource>> {
        let nets = self.nets()?;
        let stripped = nets.values().filter(|net| is_stripped(net));
        let stripped = stripped.map(|net| stripped_of(net, &nets));
        let mut subnets: Vec<_> = nets.values().filter_map(subnet_of).collect();
        self.tell_stopped(&mut subnets)?;
        Ok(subnets.into_iter().chain(stripped).collect())
    }

    /// The subnet of an id.
    pub(crate) fn need_subnet(&self, id: &str) -> Result<Net> {
        let found = self
            .nets()?
            .remove(id)
            .filter(|net| subnet_body(net).is_some());
        found.ok_or_else(|| missing(format!("subnet {id}")))
    }

    /// Sees to it that a subnet runs on a host. A host that joined the site later gets it now.
    pub(crate) fn ensure_subnet(&self, host: &Host, subnet: &Net) -> Result<()> {
        if host.network_xml(&subnet.id)?.is_none() {
            let _definitions = self.lock_definitions();
            self.define_subnet(host, subnet)?;
        }
        host.start_network(&subnet.id)
    }

    /// Defines a subnet on a host that has it not, and its network. Who calls holds the definitions.
    pub(super) fn define_subnet(&self, host: &Host, subnet: &Net) -> Result<()> {
        if let Some((network, _)) = subnet_body(subnet)
            && host.network_xml(network)?.is_none()
            && let Some(network) = self.nets()?.remove(network)
        {
            host.define_network(&network.xml)?;
        }
        let mut xml = subnet.xml.clone();
        // Reservations are each host's own.
        if let Some(dhcp) = xml
            .children
            .iter_mut()
            .find(|c| c.name == "ip")
            .and_then(|ip| ip.children.first_mut())
        {
            dhcp.children.retain(|child| child.name != "host");
        }
        host.define_network(&xml)
    }
}

impl Host {
    /// Keeps an address for a machine's interface, or gives it back.
    pub(crate) fn reserve_address(
        &self,
        subnet: &str,
        mac: &str,
        ip: Ipv4Addr,
        keep: bool,
    ) -> Result<()> {
        let doing = || format!("keeping the address {ip} in {subnet}");
        let Some(xml) = self.network_xml(subnet)? else {
            return Ok(());
        };
        let Some(dhcp) = xml.at(&["ip", "dhcp"]) else {
            return Ok(());
        };
        let is_kept = dhcp.all("host").any(|host| host.get("mac") == Some(mac));
        if is_kept == keep {
            return Ok(());
        }
        let network = self
            .connect()?
            .lookup_network_by_name(subnet)
            .on(self, doing)?;
        let command = if keep {
            sys::VIR_NETWORK_UPDATE_COMMAND_ADD_LAST
        } else {
            sys::VIR_NETWORK_UPDATE_COMMAND_DELETE
        };
        let mut flags = sys::VIR_NETWORK_UPDATE_AFFECT_CONFIG;
        if network.is_active().on(self, doing)? {
            flags |= sys::VIR_NETWORK_UPDATE_AFFECT_LIVE;
        }
        let entry = Element::new("host")
            .with("mac", mac)
            .with("ip", ip)
            .to_string();
        network
            .update(
                command,
                sys::VIR_NETWORK_SECTION_IP_DHCP_HOST,
                -1,
                &entry,
                flags,
            )
            .on(self, doing)
    }
}

/// The network and the range, if it is a subnet of ours.
pub(crate) fn subnet_body(net: &Net) -> Option<(&str, Ipv4Net)> {
    match &net.thing {
        Some(Thing {
            body: NetBody::Subnet { network, cidr },
            ..
        }) => Some((network, *cidr)),
        _ => None,
    }
}

/// The first address that a machine may get, out of `taken` none; and none of those that libvirt
/// gives to strangers.
pub(crate) fn free_address(cidr: Ipv4Net, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let strangers = strangers(cidr);
    // The first host address is the router's.
    cidr.hosts().skip(1).find(|ip| {
        !taken.contains(ip) && !strangers.is_some_and(|(first, last)| (first..=last).contains(ip))
    })
}

/// The addresses that DHCP gives to whom it does not know: the last eighth, where there is room.
pub(super) fn strangers(cidr: Ipv4Net) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let size = 1_u64 << (32 - cidr.prefix_len());
    let last = u32::from(cidr.broadcast()) - 1;
    let share = u32::try_from(size / u64::from(STRANGERS.one_in)).unwrap_or(u32::MAX);
    let count = share.min(STRANGERS.most);
    (size >= u64::from(STRANGERS.from))
        .then(|| (Ipv4Addr::from(last - (count - 1)), Ipv4Addr::from(last)))
}

/// How many addresses of a subnet DHCP gives to whom it does not know.
pub(crate) const STRANGERS: ReservedShare = ReservedShare {
    one_in: 8,
    from: 32,
    most: 1024,
};

/// A bridge's name: at most 15 characters, the kernel's limit for an interface.
pub(super) fn bridge_name(subnet: &str) -> String {
    format!("st-{}", &Digest::of(subnet.as_bytes()).as_str()[..10])
}

fn subnet_of(net: &Net) -> Option<Resource> {
    let (network, cidr) = subnet_body(net)?;
    let thing = net.thing.as_ref()?;
    Some(Resource {
        id: ResourceId::from(&net.id),
        name: thing.name.clone(),
        mark: thing.mark(),
        witness: thing.witness(),
        state: ResourceState::Ready,
        spec: Spec::Subnet(SubnetSpec {
            network: ResourceId::from(network),
            // What libvirt serves, where it serves anything.
            cidr: cidr_of(&net.xml).unwrap_or(cidr),
            zone: None,
            internet: Some(way_of(&net.xml)),
            labels: thing.labels.clone(),
        }),
        attributes: Attributes::new(),
        created: Some(thing.created),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().expect("a range")
    }

    #[test]
    fn machines_and_strangers_keep_apart() {
        let (first, last) = strangers(net("10.0.0.0/24")).expect("room");
        assert_eq!(
            (first.to_string(), last.to_string()),
            ("10.0.0.223".to_owned(), "10.0.0.254".to_owned())
        );
        let mut taken = BTreeSet::new();
        while let Some(ip) = free_address(net("10.0.0.0/24"), &taken) {
            assert!(ip < first && taken.insert(ip));
        }
        assert_eq!(taken.len(), 221);
        assert_eq!(
            taken.first().map(ToString::to_string).as_deref(),
            Some("10.0.0.2")
        );
    }

    /// What the plan counts with is what is given.
    #[test]
    fn as_many_machines_get_an_address_as_the_capabilities_say() {
        let reserved = crate::site::general().reserved_addresses;
        for prefix in 22..=30 {
            let cidr = net(&format!("10.0.0.0/{prefix}"));
            let mut taken = BTreeSet::new();
            while let Some(ip) = free_address(cidr, &taken) {
                taken.insert(ip);
            }
            assert_eq!(taken.len() as u64, reserved.usable(prefix), "/{prefix}");
        }
    }

    #[test]
    fn a_small_subnet_is_all_machines() {
        assert_eq!(strangers(net("10.0.0.0/28")), None);
        let taken = (2..14).map(|n| Ipv4Addr::new(10, 0, 0, n)).collect();
        assert_eq!(
            free_address(net("10.0.0.0/28"), &taken),
            Some(Ipv4Addr::new(10, 0, 0, 14))
        );
    }

    #[test]
    fn bridges_fit_the_kernel() {
        let name = bridge_name("shop-a-very-long-name-of-a-subnet-0a1b2c3d");
        assert!(name.len() <= 15, "{name}");
    }
}
