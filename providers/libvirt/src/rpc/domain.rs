//! Domains: libvirt's word for machines.

use std::sync::Arc;

use super::error::Error;
use super::link::Link;
use super::procedure as p;
use super::wire::{Decode, Encode, Uuid};

/// How a domain is named in calls: name, UUID, number while it runs.
pub(super) type DomainId = (String, Uuid, i32);

/// A domain, running or not.
#[derive(Debug, Clone)]
pub(crate) struct Domain {
    link: Arc<Link>,
    id: DomainId,
}

/// `virDomainState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DomainState {
    Running,
    Blocked,
    Paused,
    Shutdown,
    Shutoff,
    Crashed,
    PmSuspended,
    /// One that this program does not know.
    Other,
}

impl DomainState {
    const fn of(number: i32) -> Self {
        match number {
            1 => Self::Running,
            2 => Self::Blocked,
            3 => Self::Paused,
            4 => Self::Shutdown,
            5 => Self::Shutoff,
            6 => Self::Crashed,
            7 => Self::PmSuspended,
            _ => Self::Other,
        }
    }
}

impl Domain {
    pub(super) const fn new(link: Arc<Link>, id: DomainId) -> Self {
        Self { link, id }
    }

    fn call<R: Decode>(&self, procedure: u32, args: impl Encode) -> Result<R, Error> {
        let (name, uuid, number) = &self.id;
        let domain = (name.as_str(), *uuid, *number);
        self.link.call(procedure, &(domain, args))
    }

    /// Its state and the reason, whose numbers depend on the state.
    pub(crate) fn state(&self) -> Result<(DomainState, i32), Error> {
        let (state, reason) = self.call::<(i32, i32)>(p::DOMAIN_GET_STATE, 0_u32)?;
        Ok((DomainState::of(state), reason))
    }

    pub(crate) fn xml_desc(&self, flags: u32) -> Result<String, Error> {
        self.call(p::DOMAIN_GET_XML_DESC, flags)
    }

    pub(crate) fn is_active(&self) -> Result<bool, Error> {
        self.call(p::DOMAIN_IS_ACTIVE, ())
    }

    pub(crate) fn create(&self) -> Result<(), Error> {
        self.call(p::DOMAIN_CREATE, ())
    }

    pub(crate) fn create_with_flags(&self, flags: u32) -> Result<(), Error> {
        self.call::<DomainId>(p::DOMAIN_CREATE_WITH_FLAGS, flags)
            .map(drop)
    }

    pub(crate) fn destroy(&self) -> Result<(), Error> {
        self.call(p::DOMAIN_DESTROY, ())
    }

    /// Asks its system to shut down, by the power button.
    pub(crate) fn shutdown(&self) -> Result<(), Error> {
        self.call(p::DOMAIN_SHUTDOWN, ())
    }

    pub(crate) fn undefine(&self) -> Result<(), Error> {
        self.call(p::DOMAIN_UNDEFINE, ())
    }

    pub(crate) fn undefine_flags(&self, flags: u32) -> Result<(), Error> {
        self.call(p::DOMAIN_UNDEFINE_FLAGS, flags)
    }

    /// Whether it starts with its host.
    pub(crate) fn autostart(&self) -> Result<bool, Error> {
        self.call(p::DOMAIN_GET_AUTOSTART, ())
    }

    /// Lets one that is paused go on.
    pub(crate) fn resume(&self) -> Result<(), Error> {
        self.call(p::DOMAIN_RESUME, ())
    }

    pub(crate) fn set_autostart(&self, autostart: bool) -> Result<(), Error> {
        self.call(p::DOMAIN_SET_AUTOSTART, autostart)
    }

    /// Sets how many processors it has, or may have, by the flags.
    pub(crate) fn set_vcpus(&self, count: u32, flags: u32) -> Result<(), Error> {
        self.call(p::DOMAIN_SET_VCPUS_FLAGS, (count, flags))
    }

    /// Sets how much memory it has, or may have, by the flags; in KiB.
    pub(crate) fn set_memory(&self, kib: u64, flags: u32) -> Result<(), Error> {
        self.call(p::DOMAIN_SET_MEMORY_FLAGS, (kib, flags))
    }

    pub(crate) fn set_metadata(
        &self,
        kind: i32,
        metadata: Option<&str>,
        key: Option<&str>,
        uri: Option<&str>,
        flags: u32,
    ) -> Result<(), Error> {
        self.call(p::DOMAIN_SET_METADATA, (kind, metadata, key, uri, flags))
    }

    pub(crate) fn attach_device_flags(&self, xml: &str, flags: u32) -> Result<(), Error> {
        self.call(p::DOMAIN_ATTACH_DEVICE_FLAGS, (xml, flags))
    }

    pub(crate) fn detach_device_flags(&self, xml: &str, flags: u32) -> Result<(), Error> {
        self.call(p::DOMAIN_DETACH_DEVICE_FLAGS, (xml, flags))
    }

    /// Changes what a device is like that it has.
    pub(crate) fn update_device_flags(&self, xml: &str, flags: u32) -> Result<(), Error> {
        self.call(p::DOMAIN_UPDATE_DEVICE_FLAGS, (xml, flags))
    }

    pub(crate) fn block_resize(&self, disk: &str, size: u64, flags: u32) -> Result<(), Error> {
        self.call(p::DOMAIN_BLOCK_RESIZE, (disk, size, flags))
    }
}
