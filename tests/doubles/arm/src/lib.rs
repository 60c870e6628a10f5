//! A double of Azure Resource Manager: a server with state, for tests only.
//!
//! **It is our reading of Microsoft's REST reference, and proves nothing about Azure itself.** Two
//! things hold it to the reference from outside: it refuses every request that the types of
//! Microsoft's own clients do not know (`describe`), and Microsoft's own clients for Python do a
//! whole life through it (`tests/arm/life`).
//!
//! - Subscriptions, locations, resource groups; networks, subnets, security groups and their rules,
//!   application security groups, public addresses, interfaces; disks, machines, keys, images, sizes;
//!   storage accounts, containers and, as far as leases need them, blobs; retail prices.
//! - Asynchronous operations, provisioning states, versions of the API, pages, entity tags.
//! - What refers to what, locks, policies, quotas, stock, throttling, lost answers, late lists,
//!   denied actions, providers that are not registered, as a test arranges them ([`Arm`]).
//!
//! What it leaves out it refuses with 501 `NotImplemented`, and never takes without doing it.

mod access;
mod arrange;
mod blobs;
mod call;
mod catalogue;
mod describe;
mod disturb;
mod extensions;
mod id;
mod kinds;
mod list;
mod merge;
mod operations;
mod quota;
mod refusal;
mod rules;
mod server;
mod tags;
mod text;
mod tls;
mod token;
mod world;

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use arrange::{Recorded, StockOut};
use describe::Description;
use strat_provider::TokioClock;
pub use tls::{Certificate, certificate};
use world::World;

/// The tenant of every subscription that the double has.
pub const TENANT: &str = "11111111-aaaa-4bbb-8ccc-222222222222";

/// The bearer token that is taken besides those that the token endpoint gives.
pub const TOKEN: &str = "token-of-the-double";

/// Blobs that are not the double's own but another server's, such as Microsoft's emulator: every
/// account says that its blobs are there, and a container that is made at the double is made there.
#[derive(Clone)]
pub struct Blobs {
    base: String,
    make: Arc<dyn Fn(String) -> Making + Send + Sync>,
}

/// The making of a container.
type Making = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Blobs {
    /// Blobs at an address. `make` makes a container of a name there, and passes over one that is
    /// there already.
    pub fn new<F>(
        base: impl Into<String>,
        make: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self {
            base: base.into(),
            make: Arc::new(move |name| Box::pin(make(name))),
        }
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blobs at {}", self.base)
    }
}

/// What a double is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// The description of the API that `scripts/peers/azure` makes from Microsoft's own types;
    /// without one, requests are held against the double's rules alone.
    pub description: Option<PathBuf>,
    /// The port on the loopback; 0 for any that is free.
    pub port: u16,
    /// The subscriptions that there are, each a GUID.
    pub subscriptions: Vec<String>,
    /// Where blobs are, where they are not the double's own.
    pub blobs: Option<Blobs>,
}

impl Options {
    /// A double on any free port, with one subscription.
    #[must_use]
    pub fn new(subscription: &str) -> Self {
        Self {
            description: None,
            port: 0,
            subscriptions: vec![subscription.to_owned()],
            blobs: None,
        }
    }

    /// The same, whose blobs are another server's.
    #[must_use]
    pub fn with_blobs(mut self, blobs: Blobs) -> Self {
        self.blobs = Some(blobs);
        self
    }

    /// The same, whose requests are held against the types of Microsoft's own clients.
    #[must_use]
    pub fn with_description(mut self, path: impl Into<PathBuf>) -> Self {
        self.description = Some(path.into());
        self
    }
}

/// A running double. It ends with the runtime that it was started on.
#[derive(Clone)]
pub struct Arm {
    port: u16,
    root: Arc<str>,
    world: Arc<Mutex<World>>,
    description: Option<Arc<Description>>,
    blobs: Option<Blobs>,
    clock: TokioClock,
}

impl fmt::Debug for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arm at {}", self.endpoint())
    }
}

impl Arm {
    /// Starts a double.
    ///
    /// # Errors
    /// A missing description, with what makes it; a port that is taken.
    pub async fn start(options: &Options) -> Result<Self, String> {
        let description = match &options.description {
            Some(path) => Some(Description::load(path)?),
            None => None,
        };
        let (root, config) = tls::identity()?;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.port)).await;
        let listener = listener.map_err(|error| format!("port {}: {error}", options.port))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let clock = TokioClock::system();
        let endpoint = format!("https://127.0.0.1:{}", address.port());
        let mut world = World::new(server::now(&clock), endpoint, &options.subscriptions);
        world.blobs = options.blobs.as_ref().map(|blobs| blobs.base.clone());
        let arm = Self {
            port: address.port(),
            root: root.into(),
            world: Arc::new(Mutex::new(world)),
            description,
            blobs: options.blobs.clone(),
            clock,
        };
        tokio::spawn(server::serve(arm.clone(), listener, config));
        Ok(arm)
    }

    /// Where it is: `https://127.0.0.1:PORT`. Azure Resource Manager, the token endpoint, retail
    /// prices and blobs all are there.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The root that a client has to trust, as PEM. Each double makes one of its own.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
