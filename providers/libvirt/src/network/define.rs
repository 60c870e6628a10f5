//! libvirt's networks: reading, defining and starting them, on one host or on all.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use strat_model::{ErrorKind, Result};
use virt::sys;

use super::subnets::bridge_name;
use crate::error::{Explain as _, explain, fail, missing};
use crate::host::Host;
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
        for network in self.connect()?.list_all_networks(0).on(self, doing)? {
            let flags = self.definition_flags(&network)?;
            if let Some(text) = network.xml_desc(flags).found(self, doing)? {
                networks.push(Element::parse(&text)?);
            }
        }
        Ok(networks)
    }

    /// How the definition of a network is asked for: as it is at rest, where there is one. A
    /// transient network has none, and the mock driver knows no difference.
    fn definition_flags(&self, network: &virt::network::Network) -> Result<u32> {
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

    /// Starts a network, now and whenever the host starts. One that runs is left alone.
    pub(crate) fn start_network(&self, id: &str) -> Result<()> {
        let doing = || format!("starting the network {id}");
        let network = self.connect()?.lookup_network_by_name(id).on(self, doing)?;
        if !network.autostart().on(self, doing)? {
            network.set_autostart(true).on(self, doing)?;
        }
        if network.is_active().on(self, doing)? {
            return Ok(());
        }
        match network.create() {
            Ok(()) => Ok(()),
            // Two threads may start it at once; one of them is told that it runs.
            Err(_) if network.is_active().unwrap_or(false) => Ok(()),
            Err(error) if error.message().contains("File exists") => {
                // A libvirtd that was killed while it started the network left the bridge behind,
                // and knows nothing of it.
                self.take_another_bridge(id)?;
                let network = self.connect()?.lookup_network_by_name(id).on(self, doing)?;
                network.create().on(self, doing)
            }
            Err(error) if error.message().contains("already in use") => {
                let message = format!(
                    "starting the network {id} on {}: {}",
                    self.name(),
                    error.message()
                );
                Err(fail(ErrorKind::Conflict, message).with_source(error))
            }
            Err(error) => Err(explain(self, &doing(), error)),
        }
    }

    /// Gives a network of ours another bridge.
    fn take_another_bridge(&self, id: &str) -> Result<()> {
        let Some(mut xml) = self.network_xml(id)? else {
            return Err(missing(format!("network {id}")));
        };
        let Some(mut bridge) = xml.child("bridge").cloned() else {
            return Ok(());
        };
        let old = bridge.get("name").unwrap_or_default().to_owned();
        let new = bridge_name(&old);
        tracing::warn!(host = %self.name(), "the bridge {old} was left behind; {id} gets {new}");
        bridge.attributes.retain(|(key, _)| key != "name");
        xml.put(bridge.with("name", new));
        self.define_network(&xml)
    }

    /// Stops and forgets a network. One that is not there is gone already.
    pub(crate) fn remove_network(&self, id: &str) -> Result<()> {
        let doing = || format!("deleting the network {id}");
        let Some(network) = self
            .connect()?
            .lookup_network_by_name(id)
            .found(self, doing)?
        else {
            return Ok(());
        };
        if network.is_active().on(self, doing)?
            && let Err(error) = network.destroy()
            && network.is_active().unwrap_or(false)
        {
            return Err(explain(self, &doing(), error));
        }
        // A transient network is gone with that.
        match network.undefine() {
            Err(error) if self.network_xml(id)?.is_some() => Err(explain(self, &doing(), error)),
            _ => Ok(()),
        }
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
                    Some(net) => net.hosts.push(index),
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
