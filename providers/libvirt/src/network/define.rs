//! libvirt's networks: reading, defining and starting them, on one host or on all.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use strat_model::Result;

use crate::error::Explain as _;
use crate::host::Host;
use crate::rpc::sys;
use crate::site::Site;
use crate::thing::Thing;
use crate::xml::Element;

/// What is kept in a network's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum NetBody {
    /// A network: a definition that never runs.
    Network {
        /// Its range.
        cidr: Ipv4Net,
    },
    /// A subnet of it, which runs.
    Subnet {
        /// The network's id.
        network: String,
        /// Its range.
        cidr: Ipv4Net,
    },
}

/// One of libvirt's networks, on the hosts that have it.
#[derive(Debug, Clone)]
pub(crate) struct Net {
    /// libvirt's name of it, which is our id.
    pub(crate) id: String,
    /// Our document; `None` for a foreign network.
    pub(crate) thing: Option<Thing<NetBody>>,
    /// Its definition, on the first host that has it.
    pub(crate) xml: Element,
    /// The hosts that have it, by their places in the site's list.
    pub(crate) hosts: Vec<usize>,
}

impl Host {
    /// The definitions of all networks.
    fn networks(&self) -> Result<Vec<Element>> {
        let doing = || "listing the networks".to_owned();
        let mut networks = Vec::new();
        for network in self.connect()?.list_all_networks().on(self, doing)? {
            let flags = self.definition_flags(&network)?;
            if let Some(text) = network.xml_desc(flags).found(self, doing)? {
                networks.push(Element::parse(&text)?);
            }
        }
        Ok(networks)
    }

    /// How the definition of a network is asked for: as it is at rest, where there is one. A
    /// transient network has none, and the mock driver knows no difference.
    fn definition_flags(&self, network: &crate::rpc::Network) -> Result<u32> {
        let at_rest = network.is_persistent().unwrap_or(false) && !self.traits()?.offers("test");
        Ok(if at_rest {
            sys::VIR_NETWORK_XML_INACTIVE
        } else {
            0
        })
    }

    /// The definition of a network.
    pub(crate) fn network_xml(&self, id: &str) -> Result<Option<Element>> {
        let doing = || format!("reading the network {id}");
        match self
            .connect()?
            .lookup_network_by_name(id)
            .found(self, doing)?
        {
            Some(network) => {
                let text = network
                    .xml_desc(self.definition_flags(&network)?)
                    .found(self, doing)?;
                text.map(|text| Element::parse(&text)).transpose()
            }
            None => Ok(None),
        }
    }

    /// Defines a network, or changes its definition.
    pub(crate) fn define_network(&self, xml: &Element) -> Result<()> {
        let name = xml.text_at(&["name"]).unwrap_or_default();
        let defined = self.connect()?.define_network_xml(&xml.to_string());
        defined
            .on(self, || format!("defining the network {name}"))
            .map(|_| ())
    }
}

impl Site {
    /// All networks of libvirt's, by name, as they are on all hosts.
    pub(crate) fn nets(&self) -> Result<BTreeMap<String, Net>> {
        let mut nets: BTreeMap<String, Net> = BTreeMap::new();
        for (index, list) in self.each(Host::networks)?.into_iter().enumerate() {
            for xml in list {
                let id = xml.text_at(&["name"]).unwrap_or_default().to_owned();
                let known = nets.get_mut(&id);
                match known {
                    Some(net) => {
                        net.hosts.push(index);
                        // On one host it may have lost what is kept beside it.
                        net.thing = net.thing.take().or_else(|| Thing::from_xml(&xml));
                    }
                    None => {
                        let thing = Thing::from_xml(&xml);
                        nets.insert(
                            id.clone(),
                            Net {
                                id,
                                thing,
                                xml,
                                hosts: vec![index],
                            },
                        );
                    }
                }
            }
        }
        Ok(nets)
    }

    /// Writes a network's document into its definition, on every host that has it.
    pub(crate) fn rewrite_net(&self, net: &Net, thing: &Thing<NetBody>) -> Result<()> {
        self.each(|host| {
            let Some(mut xml) = host.network_xml(&net.id)? else {
                return Ok(());
            };
            if Thing::<NetBody>::from_xml(&xml).as_ref() == Some(thing) {
                return Ok(());
            }
            thing.put_into(&mut xml)?;
            host.define_network(&xml)
        })?;
        Ok(())
    }
}
