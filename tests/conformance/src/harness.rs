//! How a provider is reached, and what can be arranged there.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use strat_model::{Field, ImageSpec, Kind, Name, Offer, Resource, ResourceId};
use strat_provider::{Clock, Provider, TokioClock};

/// What came of a change from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// It was made.
    Changed,
    /// The cloud has no call that changes this field of a thing.
    Fixed,
}

/// What else is there, for changes that lead to something.
#[derive(Debug, Clone)]
pub struct Partners {
    /// A machine that runs.
    pub machine: ResourceId,
    /// A firewall.
    pub firewall: ResourceId,
}

/// What the suite needs to know of a provider under test.
///
/// The arranging methods answer whether they could; by default they cannot, and the behaviours
/// that need them are passed over.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A connection to the site. Each call gives another one, to the same site.
    async fn provider(&self) -> Arc<dyn Provider>;

    /// A short word of `[a-z0-9]`, a letter first, that no other harness in the account has, now or
    /// later: it begins every name and owns every thing, and what it owns is deleted afterwards.
    /// Tests run side by side, each with a harness of its own. The same at every call.
    fn run_id(&self) -> String;

    /// The time.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(TokioClock::system())
    }

    /// How long anything may take to be ready, to be gone or to be listed.
    fn patience(&self) -> Duration {
        Duration::from_secs(600)
    }

    /// How many things fill a page of a list; `None` where that is more than a test should make.
    fn page_size(&self) -> Option<usize> {
        None
    }

    /// The most machines that a test may make at once.
    fn machines_max(&self) -> u32 {
        4
    }

    /// An image that can be made here.
    fn image(&self) -> ImageSpec {
        ImageSpec {
            source: "https://images.example.com/small.qcow2".to_owned(),
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
            labels: strat_model::Labels::new(),
        }
    }

    /// Whether an offer is one that tests may buy.
    fn may_buy(&self, offer: &Offer) -> bool {
        offer.cpu <= 2
    }

    /// Makes a thing that carries no mark.
    async fn make_foreign(&self, kind: Kind, name: &str) -> Option<ResourceId> {
        let _ = (kind, name);
        None
    }

    /// Has the next call of an operation take effect, and its answer get lost.
    async fn lose_next_answer(&self, operation: &str) -> bool {
        let _ = operation;
        false
    }

    /// Leaves this many machines of an offer in stock.
    async fn leave_stock(&self, machine_type: &str, zone: &Name, left: u64) -> bool {
        let _ = (machine_type, zone, left);
        false
    }

    /// Forbids the account any more virtual CPUs than run now and these.
    async fn leave_quota(&self, cpus: u64) -> bool {
        let _ = cpus;
        false
    }

    /// Switches a machine off, as its owner might from within.
    async fn stop_machine(&self, id: &ResourceId) -> bool {
        let _ = id;
        false
    }

    /// Changes a field of a thing as somebody does with the cloud's own tools. `None` where the harness has
    /// no way to; a harness that has one for some fields says of every other that it is fixed.
    async fn change_outside(
        &self,
        thing: &Resource,
        field: Field,
        partners: &Partners,
    ) -> Option<Outside> {
        let _ = (thing, field, partners);
        None
    }

    /// Of the fields of all kinds that can be read back, how many [`Harness::change_outside`] changes at
    /// least, and how many there are: a field that is new, or is not read any more, is another number.
    /// `None` where nobody counts them.
    fn rows_outside(&self) -> Option<(usize, usize)> {
        None
    }

    /// Puts an object into a bucket, or takes it out again.
    async fn fill_bucket(&self, id: &ResourceId, full: bool) -> bool {
        let _ = (id, full);
        false
    }
}
