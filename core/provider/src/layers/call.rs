//! What a layer may know of a call.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use strat_model::{Addr, Error, Kind, Name, ResourceId, Service};

/// The part of a cloud's API that a call goes to. Clouds meter these apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// Who we are, and what we may.
    Identity,
    /// Lists and gets.
    Observe,
    /// Networks, subnets, firewalls, addresses.
    Network,
    /// Machines and key pairs.
    Compute,
    /// Volumes and buckets.
    Storage,
    /// Images.
    Images,
    /// Offers, zones, quotas.
    Offers,
    /// Who may write.
    Leases,
}

impl Api {
    /// The part that writes of a kind go to.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        match (kind, kind.service()) {
            (Kind::Image, _) => Self::Images,
            (_, Service::Network) => Self::Network,
            (_, Service::Compute) => Self::Compute,
            (_, Service::Storage) => Self::Storage,
        }
    }

    /// The word in logs and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Observe => "observe",
            Self::Network => "network",
            Self::Compute => "compute",
            Self::Storage => "storage",
            Self::Images => "images",
            Self::Offers => "offers",
            Self::Leases => "leases",
        }
    }
}

/// What a call does to the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Nothing.
    Read,
    /// It may change something. Without an answer, nobody knows whether it did.
    Write,
}

impl Effect {
    /// The word in logs and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// One call of a provider's method, as layers and observers see it: what is called, and about
/// what; never a spec, user data or a token.
#[derive(Debug)]
pub struct Call<'a> {
    /// The provider's name.
    pub provider: &'static str,
    /// The site's name.
    pub site: &'a Name,
    /// The part of the API.
    pub api: Api,
    /// The method, such as `create_machines`.
    pub operation: &'static str,
    /// The kind of thing, where it is about one kind.
    pub kind: Option<Kind>,
    /// What it does to the cloud.
    pub effect: Effect,
    /// The address it is about, where it carries a mark.
    pub addr: Option<&'a Addr>,
    /// The thing it is about, where it is about a single one that is there already.
    pub id: Option<&'a ResourceId>,
    /// How many things it is about: the size of a batch, else 1.
    pub items: u32,
    attempt: AtomicU32,
    waited_ns: AtomicU64,
    lost_answer: AtomicBool,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        provider: &'static str,
        site: &'a Name,
        api: Api,
        operation: &'static str,
        effect: Effect,
    ) -> Self {
        Self {
            provider,
            site,
            api,
            operation,
            kind: None,
            effect,
            addr: None,
            id: None,
            items: 1,
            attempt: AtomicU32::new(1),
            waited_ns: AtomicU64::new(0),
            lost_answer: AtomicBool::new(false),
        }
    }

    pub(super) fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    pub(super) fn at(mut self, addr: &'a Addr) -> Self {
        self.addr = Some(addr);
        self
    }

    pub(super) fn on(mut self, id: &'a ResourceId) -> Self {
        self.id = Some(id);
        self
    }

    /// About the one thing of a list, where it is one.
    pub(super) fn on_only(self, ids: &'a [ResourceId]) -> Self {
        match ids {
            [id] => self.on(id),
            _ => self,
        }
    }

    pub(super) fn batch(mut self, items: usize) -> Self {
        self.items = u32::try_from(items).unwrap_or(u32::MAX);
        self
    }

    /// Which attempt is under way, or was the last; from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt.load(Ordering::Relaxed)
    }

    /// How long its attempts have waited for permits so far.
    #[must_use]
    pub fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited_ns.load(Ordering::Relaxed))
    }

    /// Says which attempt begins. For layers that repeat.
    pub fn begin_attempt(&self, attempt: u32) {
        self.attempt.store(attempt, Ordering::Relaxed);
    }

    /// Adds to the time waited. For layers that hold calls back.
    pub fn add_wait(&self, wait: Duration) {
        let wait_ns = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        self.waited_ns.fetch_add(wait_ns, Ordering::Relaxed);
    }

    /// Says that an attempt got no answer after another had got one, which is the one that counts:
    /// what that one said was not done may be done by now.
    pub fn lose_answer(&self) {
        self.lost_answer.store(true, Ordering::Relaxed);
    }

    /// Whether that is so.
    #[must_use]
    pub fn has_lost_answer(&self) -> bool {
        self.lost_answer.load(Ordering::Relaxed)
    }

    /// Says on an error which call it is of, where it does not say so itself.
    pub(super) fn name_in(&self, error: Error) -> Error {
        let error = error
            .with_operation(self.operation)
            .with_provider(self.provider);
        match self.addr {
            Some(addr) => error.with_addr(addr),
            None => error,
        }
    }
}
