//! Connections to a host's daemon, and what is found by them.

use std::sync::Arc;

use super::domain::{Domain, DomainId};
use super::error::Error;
use super::link::{Link, Sink};
use super::network::{Interface, NamedId, Network, Nwfilter};
use super::procedure as p;
use super::storage::StoragePool;
use super::sys;
use super::transport::Transport;
use super::wire::{Decode, Encode};
use crate::host::Uri;

/// `remote_auth_type`.
const AUTH_NONE: u32 = 0;
const AUTH_POLKIT: u32 = 2;

/// A connection, which all threads share.
#[derive(Debug, Clone)]
pub(crate) struct Connect {
    link: Arc<Link>,
}

/// What a daemon tells of a machine, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// It does not run any more, or is not there any more.
    Ended(String),
    /// It let go of the device of this alias.
    Released(String, String),
    /// It refuses to let go of the device of this alias.
    Refused(String, String),
    /// Nothing more is told: the connection is over.
    Closed,
}

/// What a host is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeInfo {
    /// Its instruction set.
    pub(crate) model: String,
    /// Its memory, in KiB.
    pub(crate) memory: u64,
    /// Its processors.
    pub(crate) cpus: u32,
}

/// A text of 32 characters at most, each of which is sent as a number.
struct Model(String);

impl Decode for Model {
    fn decode(from: &mut &[u8]) -> Result<Self, Error> {
        let all: Result<Vec<u32>, _> = (0..32).map(|_| u32::decode(from)).collect();
        let letters = all?.into_iter().take_while(|letter| *letter != 0);
        Ok(Self(letters.filter_map(char::from_u32).collect()))
    }
}

impl Connect {
    /// Opens a connection. What the daemon tells of machines, once it is asked to, goes to `told`,
    /// on a thread that reads everything: it must not wait.
    pub(crate) fn open(uri: &str, told: impl Fn(Told) + Send + 'static) -> Result<Self, Error> {
        let uri = Uri::parse(uri).ok_or_else(|| Error::unsupported("it is no connection URI"))?;
        let sink: Sink = Box::new(move |message| {
            let event = match message {
                Some((procedure, payload)) => read_event(procedure, payload),
                None => Some(Told::Closed),
            };
            event.into_iter().for_each(&told);
        });
        let link = Link::over(Transport::open(&uri)?, sink)?;
        authenticate(&link)?;
        let name = uri.name();
        link.call::<()>(p::CONNECT_OPEN, &(Some(name.as_str()), 0_u32))?;
        Ok(Self {
            link: Arc::new(link),
        })
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.link.is_alive()
    }

    fn call<R: Decode>(&self, procedure: u32, args: &impl Encode) -> Result<R, Error> {
        self.link.call(procedure, args)
    }

    fn link(&self) -> Arc<Link> {
        Arc::clone(&self.link)
    }

    /// Asks the daemon to tell what happens to machines.
    pub(crate) fn listen(&self) -> Result<(), Error> {
        let events = [
            sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE,
            sys::VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
            sys::VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
        ];
        for event in events {
            let procedure = p::CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY;
            // Of all machines.
            self.call::<i32>(procedure, &(event, None::<u32>))?;
        }
        Ok(())
    }

    pub(crate) fn node_info(&self) -> Result<NodeInfo, Error> {
        let (Model(model), memory, cpus) = self.call(p::NODE_GET_INFO, &())?;
        Ok(NodeInfo {
            model,
            memory,
            cpus,
        })
    }

    pub(crate) fn capabilities(&self) -> Result<String, Error> {
        self.call(p::CONNECT_GET_CAPABILITIES, &())
    }

    pub(crate) fn hostname(&self) -> Result<String, Error> {
        self.call(p::CONNECT_GET_HOSTNAME, &())
    }

    /// The version of the daemon's library.
    pub(crate) fn lib_version(&self) -> Result<u32, Error> {
        let version: u64 = self.call(p::CONNECT_GET_LIB_VERSION, &())?;
        Ok(u32::try_from(version).unwrap_or(u32::MAX))
    }

    fn list<T: Decode, R>(
        &self,
        procedure: u32,
        made: impl Fn(Arc<Link>, T) -> R,
    ) -> Result<Vec<R>, Error> {
        // The things themselves and not only their number; without any filter.
        let all: Vec<T> = self.call(procedure, &(1_u32, 0_u32))?;
        Ok(all.into_iter().map(|id| made(self.link(), id)).collect())
    }

    pub(crate) fn list_all_domains(&self) -> Result<Vec<Domain>, Error> {
        self.list::<DomainId, _>(p::CONNECT_LIST_ALL_DOMAINS, Domain::new)
    }

    pub(crate) fn list_all_networks(&self) -> Result<Vec<Network>, Error> {
        self.list::<NamedId, _>(p::CONNECT_LIST_ALL_NETWORKS, Network::new)
    }

    pub(crate) fn list_all_storage_pools(&self) -> Result<Vec<StoragePool>, Error> {
        self.list::<NamedId, _>(p::CONNECT_LIST_ALL_STORAGE_POOLS, StoragePool::new)
    }

    pub(crate) fn define_domain_xml(&self, xml: &str) -> Result<Domain, Error> {
        let id = self.call(p::DOMAIN_DEFINE_XML, &xml)?;
        Ok(Domain::new(self.link(), id))
    }

    pub(crate) fn define_network_xml(&self, xml: &str) -> Result<Network, Error> {
        let id = self.call(p::NETWORK_DEFINE_XML, &xml)?;
        Ok(Network::new(self.link(), id))
    }

    pub(crate) fn define_storage_pool_xml(&self, xml: &str) -> Result<StoragePool, Error> {
        let id = self.call(p::STORAGE_POOL_DEFINE_XML, &(xml, 0_u32))?;
        Ok(StoragePool::new(self.link(), id))
    }

    pub(crate) fn define_nwfilter_xml(&self, xml: &str) -> Result<Nwfilter, Error> {
        let id = self.call(p::NWFILTER_DEFINE_XML, &xml)?;
        Ok(Nwfilter::new(self.link(), id))
    }

    /// The domain of a UUID, as people write it.
    pub(crate) fn lookup_domain_by_uuid_string(&self, uuid: &str) -> Result<Domain, Error> {
        let bytes = uuid_bytes(uuid);
        let bytes = bytes.ok_or_else(|| {
            let message = format!("`{uuid}` is no UUID");
            Error::told(sys::VIR_ERR_INVALID_ARG, 0, message)
        })?;
        let id = self.call(p::DOMAIN_LOOKUP_BY_UUID, &bytes)?;
        Ok(Domain::new(self.link(), id))
    }

    pub(crate) fn lookup_network_by_name(&self, name: &str) -> Result<Network, Error> {
        let id = self.call(p::NETWORK_LOOKUP_BY_NAME, &name)?;
        Ok(Network::new(self.link(), id))
    }

    pub(crate) fn lookup_storage_pool_by_name(&self, name: &str) -> Result<StoragePool, Error> {
        let id = self.call(p::STORAGE_POOL_LOOKUP_BY_NAME, &name)?;
        Ok(StoragePool::new(self.link(), id))
    }

    pub(crate) fn lookup_nwfilter_by_name(&self, name: &str) -> Result<Nwfilter, Error> {
        let id = self.call(p::NWFILTER_LOOKUP_BY_NAME, &name)?;
        Ok(Nwfilter::new(self.link(), id))
    }

    /// Fails unless the host has a device of this name.
    pub(crate) fn lookup_node_device_by_name(&self, name: &str) -> Result<(), Error> {
        self.call::<String>(p::NODE_DEVICE_LOOKUP_BY_NAME, &name)
            .map(drop)
    }

    pub(crate) fn lookup_interface_by_name(&self, name: &str) -> Result<Interface, Error> {
        let id = self.call(p::INTERFACE_LOOKUP_BY_NAME, &name)?;
        Ok(Interface::new(self.link(), id))
    }
}

/// Says who we are, as far as the daemon wants to know: nothing, or what polkit on its host finds out
/// by itself.
fn authenticate(link: &Link) -> Result<(), Error> {
    let ways: Vec<u32> = link.call(p::AUTH_LIST, &())?;
    if ways.is_empty() || ways.contains(&AUTH_NONE) {
        return Ok(());
    }
    if ways.contains(&AUTH_POLKIT) {
        return link.call::<i32>(p::AUTH_POLKIT, &()).map(drop);
    }
    let message = "libvirt's daemon asks for a password (SASL), which is not spoken; have it take \
                   local connections by polkit or by the socket's own rights (`auth_unix_rw`)";
    Err(Error::unsupported(message))
}

/// The bytes of a UUID; dashes may be left out.
fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|letter| *letter != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok();
    number.filter(|_| digits.len() == 32).map(u128::to_be_bytes)
}

/// What a message tells; `None` for what nobody waits for.
fn read_event(procedure: u32, mut payload: &[u8]) -> Option<Told> {
    let from = &mut payload;
    // The number of the registration, and the machine.
    let (_, (machine, ..)) = <(i32, DomainId)>::decode(from).ok()?;
    match procedure {
        p::DOMAIN_EVENT_CALLBACK_LIFECYCLE => {
            let ended = [
                sys::VIR_DOMAIN_EVENT_UNDEFINED,
                sys::VIR_DOMAIN_EVENT_STOPPED,
                sys::VIR_DOMAIN_EVENT_CRASHED,
            ];
            let event = i32::decode(from).ok()?;
            ended.contains(&event).then_some(Told::Ended(machine))
        }
        p::DOMAIN_EVENT_CALLBACK_DEVICE_REMOVED => {
            Some(Told::Released(machine, String::decode(from).ok()?))
        }
        p::DOMAIN_EVENT_CALLBACK_DEVICE_REMOVAL_FAILED => {
            Some(Told::Refused(machine, String::decode(from).ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(procedure: u32, rest: impl Encode) -> Option<Told> {
        let mut payload = Vec::new();
        ((7_i32, ("web-1", [1; 16], 3_i32)), rest).encode(&mut payload);
        read_event(procedure, &payload)
    }

    #[test]
    fn events_of_machines_are_read() {
        let web = || "web-1".to_owned();
        let lifecycle = |event: i32| told(p::DOMAIN_EVENT_CALLBACK_LIFECYCLE, (event, 0_i32));
        assert_eq!(lifecycle(5), Some(Told::Ended(web())));
        assert_eq!(lifecycle(1), Some(Told::Ended(web())));
        assert_eq!(lifecycle(2), None, "it started");
        let disk = || "virtio-disk1".to_owned();
        let released = told(p::DOMAIN_EVENT_CALLBACK_DEVICE_REMOVED, "virtio-disk1");
        assert_eq!(released, Some(Told::Released(web(), disk())));
        let refused = told(
            p::DOMAIN_EVENT_CALLBACK_DEVICE_REMOVAL_FAILED,
            "virtio-disk1",
        );
        assert_eq!(refused, Some(Told::Refused(web(), disk())));
        assert_eq!(told(1, ()), None);
    }

    #[test]
    fn a_uuid_is_sixteen_bytes() {
        let bytes = uuid_bytes("00112233-4455-6677-8899-aabbccddeeff").expect("a UUID");
        assert_eq!((bytes[0], bytes[1], bytes[15]), (0, 0x11, 0xff));
        assert_eq!(uuid_bytes("web-1"), None);
    }
}
