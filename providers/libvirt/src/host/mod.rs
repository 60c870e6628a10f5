//! One host: the connection to its libvirt, and what is known of it.

mod bridging;
mod devices;
mod events;
mod guests;
mod pool;
mod probe;
mod shell;
mod sidecar;
mod stream;
mod traits;
mod uri;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use strat_model::{Name, Result};

pub(crate) use bridging::{BRIDGED_HELP, Bridged};
pub(crate) use devices::gpu_xml;
use events::Events;
pub(crate) use events::{Event, Patience, Watch};
pub(crate) use guests::{Guest, MachineBody};
pub(crate) use pool::{NewVolume, Pool};
pub(crate) use sidecar::Shelf;
pub(crate) use traits::{HostTraits, Version};
pub(crate) use uri::Uri;

use crate::config::{HostConfig, HostState, PciAddress};
use crate::error::Explain as _;
use crate::rpc::Connect;

/// One host of the pool.
///
/// Every call here blocks: they are made on threads that may. One connection serves all threads;
/// libvirt sends their calls over it side by side. A connection that died (libvirtd was restarted,
/// the network broke) is replaced at the next call; the call that noticed fails as `Transient`.
pub(crate) struct Host {
    config: HostConfig,
    link: Mutex<Option<Connect>>,
    /// What its libvirt tells by itself.
    events: Events,
    traits: OnceLock<HostTraits>,
    /// Whether KVM was proved to work, or not to.
    pub(crate) kvm: Mutex<Option<bool>>,
    /// The text of sidecars by their file names, which say their content's digest.
    pub(crate) sidecars: Mutex<BTreeMap<String, Arc<str>>>,
    /// Held while the site's pool is looked for and made.
    making: Mutex<()>,
    /// For each of its GPUs, a device that is not there.
    missing_gpus: OnceLock<Vec<Option<PciAddress>>>,
    /// Whether its filters hold between machines on one bridge.
    bridged: OnceLock<Bridged>,
    /// Held while what a libvirtd that died left is taken down.
    pub(crate) mending: Mutex<()>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Host {
    pub(crate) fn new(config: HostConfig) -> Self {
        Self {
            events: Events::default(),
            config,
            link: Mutex::new(None),
            traits: OnceLock::new(),
            kvm: Mutex::new(None),
            sidecars: Mutex::new(BTreeMap::new()),
            making: Mutex::new(()),
            missing_gpus: OnceLock::new(),
            bridged: OnceLock::new(),
            mending: Mutex::new(()),
        }
    }

    pub(crate) const fn name(&self) -> &Name {
        &self.config.name
    }

    pub(crate) const fn zone(&self) -> &Name {
        &self.config.zone
    }

    pub(crate) fn uri(&self) -> &str {
        &self.config.uri
    }

    /// Whether it is to be emptied.
    pub(crate) fn is_draining(&self) -> bool {
        self.config.state == HostState::Drain
    }

    /// The connection; a new one if there is none or the old one died.
    pub(crate) fn connect(&self) -> Result<Connect> {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = &*link
            && connection.is_alive()
        {
            return Ok(connection.clone());
        }
        *link = None;
        let opened = Connect::open(&self.config.uri, self.events.teller());
        let connection = opened.map_err(|error| {
            let message = format!(
                "connecting to the host {} ({})",
                self.config.name, self.config.uri
            );
            crate::error::refused(&message, &error)
        })?;
        *link = Some(connection.clone());
        Ok(connection)
    }

    /// Drops the connection if it is dead, and says whether it was.
    pub(crate) fn forget_if_dead(&self) -> bool {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        let dead = link
            .as_ref()
            .is_some_and(|connection| !connection.is_alive());
        if dead {
            *link = None;
        }
        dead
    }

    /// Asks the host's libvirt to tell what happens to its machines, once for each connection. One
    /// that does not is asked how they are instead.
    pub(crate) fn listen(&self) {
        if self.events.are_told() {
            return;
        }
        let listening = self.connect().map(|connection| connection.listen());
        match listening {
            Ok(Ok(())) => self.events.begin(),
            Ok(Err(error)) => tracing::debug!(host = %self.name(), "no events: {error}"),
            Err(error) => tracing::debug!(host = %self.name(), "no events: {error}"),
        }
    }

    /// A place in what is told of a machine, by its name: taken before the call whose outcome is
    /// awaited.
    pub(crate) fn watch<'a>(&'a self, machine: &'a str) -> Watch<'a> {
        self.events.watch(machine)
    }

    /// What the host is; read once.
    pub(crate) fn traits(&self) -> Result<&HostTraits> {
        if let Some(traits) = self.traits.get() {
            return Ok(traits);
        }
        let traits = traits::read(self)?;
        Ok(self.traits.get_or_init(|| traits))
    }

    /// A name that nothing else on this host has, for something that lives for a moment.
    pub(crate) fn hostname(&self) -> Result<String> {
        self.connect()?
            .hostname()
            .on(self, || "asking for the host's name".to_owned())
    }
}
