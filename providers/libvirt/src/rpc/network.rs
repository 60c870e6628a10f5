//! Networks, the filters of machines' traffic, and the host's interfaces.

use std::sync::Arc;

use super::error::Error;
use super::link::Link;
use super::procedure as p;
use super::wire::{Decode, Encode, Uuid};

/// How networks and filters are named in calls: name and UUID.
pub(super) type NamedId = (String, Uuid);

fn borrowed((name, uuid): &NamedId) -> (&str, Uuid) {
    (name, *uuid)
}

/// A network, running or not.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    link: Arc<Link>,
    id: NamedId,
}

impl Network {
    pub(super) const fn new(link: Arc<Link>, id: NamedId) -> Self {
        Self { link, id }
    }

    fn call<R: Decode>(&self, procedure: u32, args: impl Encode) -> Result<R, Error> {
        self.link.call(procedure, &(borrowed(&self.id), args))
    }

    pub(crate) fn is_active(&self) -> Result<bool, Error> {
        self.call(p::NETWORK_IS_ACTIVE, ())
    }

    pub(crate) fn is_persistent(&self) -> Result<bool, Error> {
        self.call(p::NETWORK_IS_PERSISTENT, ())
    }

    pub(crate) fn xml_desc(&self, flags: u32) -> Result<String, Error> {
        self.call(p::NETWORK_GET_XML_DESC, flags)
    }

    pub(crate) fn autostart(&self) -> Result<bool, Error> {
        self.call(p::NETWORK_GET_AUTOSTART, ())
    }

    pub(crate) fn set_autostart(&self, autostart: bool) -> Result<(), Error> {
        self.call(p::NETWORK_SET_AUTOSTART, autostart)
    }

    pub(crate) fn create(&self) -> Result<(), Error> {
        self.call(p::NETWORK_CREATE, ())
    }

    pub(crate) fn destroy(&self) -> Result<(), Error> {
        self.call(p::NETWORK_DESTROY, ())
    }

    pub(crate) fn undefine(&self) -> Result<(), Error> {
        self.call(p::NETWORK_UNDEFINE, ())
    }

    pub(crate) fn update(
        &self,
        command: u32,
        section: u32,
        parent: i32,
        xml: &str,
        flags: u32,
    ) -> Result<(), Error> {
        self.call(p::NETWORK_UPDATE, (command, section, parent, xml, flags))
    }
}

/// A filter.
#[derive(Debug)]
pub(crate) struct Nwfilter {
    link: Arc<Link>,
    id: NamedId,
}

impl Nwfilter {
    pub(super) const fn new(link: Arc<Link>, id: NamedId) -> Self {
        Self { link, id }
    }

    pub(crate) fn xml_desc(&self) -> Result<String, Error> {
        let id = borrowed(&self.id);
        self.link.call(p::NWFILTER_GET_XML_DESC, &(id, 0_u32))
    }

    pub(crate) fn undefine(&self) -> Result<(), Error> {
        self.link.call(p::NWFILTER_UNDEFINE, &borrowed(&self.id))
    }
}

/// An interface of the host's.
#[derive(Debug)]
pub(crate) struct Interface {
    link: Arc<Link>,
    /// Name and hardware address.
    id: (String, String),
}

impl Interface {
    pub(super) const fn new(link: Arc<Link>, id: (String, String)) -> Self {
        Self { link, id }
    }

    /// Its hardware address.
    pub(crate) fn mac(&self) -> &str {
        &self.id.1
    }

    pub(crate) fn xml_desc(&self, flags: u32) -> Result<String, Error> {
        let id = (self.id.0.as_str(), self.id.1.as_str());
        self.link.call(p::INTERFACE_GET_XML_DESC, &(id, flags))
    }
}
