//! A double of Google's Compute Engine and of Cloud Storage: a server with state, for tests only.
//!
//! **It is our reading of Google's REST reference, and proves nothing about Google itself.** Two
//! things hold it to the reference from outside: it refuses every request that Google's own
//! description of the API does not know (`describe`), and Google's own client for Python does a
//! whole life through it (`tests/gce/life`).
//!
//! - Projects, regions, zones, machine types, disk types, public images; networks, subnets,
//!   firewall rules, addresses, disks, machines; labels, fingerprints, metadata, tags.
//! - The operations model: a change answers with an operation that ends later, with or without an
//!   error. The same `requestId` leads to the same operation.
//! - Lists: filters, pages, all scopes at once.
//! - Tokens for users, workloads, machines and service accounts that are acted as; who may call at all.
//! - Quotas, stock, throttling, lost answers, denied permissions and a service that is switched off,
//!   as a test arranges them ([`Gce`]).
//!
//! What it leaves out it refuses with `notImplemented`, and never takes without doing it.

mod access;
mod arrange;
mod call;
mod catalogue;
mod describe;
mod filter;
mod identity;
mod kinds;
mod list;
mod operations;
mod quota;
mod refusal;
mod render;
mod rules;
mod server;
mod storage;
mod text;
mod world;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use arrange::Recorded;
use describe::Description;
use strat_provider::TokioClock;
use world::World;

/// The refresh token that the double takes.
pub const REFRESH: &str = "1//refresh-hush-hush";
/// The token of another provider of identities that the double takes.
pub const SUBJECT: &str = "subject-hush-hush";

/// What a double is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of `scripts/peers/gcp`, in which Google's description of its API is.
    pub peers: PathBuf,
    /// The port on the loopback; 0 for any that is free.
    pub port: u16,
    /// The projects that there are, besides those of public images.
    pub projects: Vec<String>,
}

impl Options {
    /// A double on any free port, with one project.
    #[must_use]
    pub fn new(peers: impl Into<PathBuf>, project: &str) -> Self {
        Self {
            peers: peers.into(),
            port: 0,
            projects: vec![project.to_owned()],
        }
    }
}

/// A running double. It ends with the runtime that it was started on.
#[derive(Clone)]
pub struct Gce {
    port: u16,
    world: Arc<Mutex<World>>,
    compute: Arc<Description>,
    storage: Arc<Description>,
    clock: TokioClock,
}

impl fmt::Debug for Gce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gce at {}", self.endpoint())
    }
}

impl Gce {
    /// Starts a double.
    ///
    /// # Errors
    /// A missing description, with what installs it; a port that is taken.
    pub async fn start(options: &Options) -> Result<Self, String> {
        let compute = Description::load(&document(options, "compute.v1")?)?;
        let storage = Description::load(&document(options, "storage.v1")?)?;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.port)).await;
        let listener = listener.map_err(|error| format!("port {}: {error}", options.port))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let clock = TokioClock::system();
        let projects: BTreeSet<String> = options.projects.iter().cloned().collect();
        let gce = Self {
            port: address.port(),
            world: Arc::new(Mutex::new(World::new(server::now(&clock), projects))),
            compute,
            storage,
            clock,
        };
        tokio::spawn(server::serve(gce.clone(), listener));
        Ok(gce)
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a discovery document is in the folder of Google's client for Python.
fn document(options: &Options, name: &str) -> Result<PathBuf, String> {
    let library = options.peers.join("lib");
    let missing = || {
        format!(
            "Google's client for Python is not in {}: run scripts/peers/gcp once",
            options.peers.display()
        )
    };
    let pythons = std::fs::read_dir(&library).map_err(|_| missing())?;
    let rest = format!("site-packages/googleapiclient/discovery_cache/documents/{name}.json");
    let mut found = pythons.filter_map(|python| Some(python.ok()?.path().join(&rest)));
    found.find(|path| path.exists()).ok_or_else(missing)
}
