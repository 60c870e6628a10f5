//! How a provider is reached, and what can be arranged there.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use strat_model::{Field, ImageSpec, Kind, Name, Offer, Resource, ResourceId};
use strat_provider::{Clock, Provider, TokioClock};

/// What somebody can change past Stratiform: one row for each field of each kind that can be read back, and
/// one for each thing that the provider sees to beyond fields. A row has the word of its field, or of what
/// [`Resource::departures`] are about.
#[derive(Debug, Clone, Copy)]
pub struct OutsideRows {
    /// What the provider sees to beyond the fields of a kind.
    pub promised: &'static [(Kind, &'static str)],
    /// The rows that nothing changes, each with the reason and the vendor's page that gives it. All the
    /// others are changed by the harness.
    pub immutable: &'static [(Kind, &'static str, &'static str)],
    /// How many rows are changed. A row that cannot be read any more makes it another number.
    pub changed: usize,
}

impl OutsideRows {
    /// Why nothing changes a row, if nothing does.
    #[must_use]
    pub fn why_immutable(&self, kind: Kind, word: &str) -> Option<&'static str> {
        let mut rows = self.immutable.iter();
        rows.find(|row| (row.0, row.1) == (kind, word))
            .map(|row| row.2)
    }

    /// Whether something that is told of a kind was promised. What is told host by host has
    /// the host behind the word.
    #[must_use]
    pub fn is_promised(&self, kind: Kind, what: &str) -> bool {
        let mut promised = self.promised.iter();
        promised.any(|(of, word)| *of == kind && is_about(what, word))
    }
}

/// Whether a departure is about what a word says.
pub(crate) fn is_about(what: &str, word: &str) -> bool {
    let rest = what.strip_prefix(word);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
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

    /// The rows that somebody can change past Stratiform, and those that nobody can. `None` where the harness
    /// changes nothing.
    fn outside_rows(&self) -> Option<OutsideRows> {
        None
    }

    /// Changes a field of a thing as somebody does with the cloud's own tools. `false` where the harness has
    /// no way to: the row is then missing.
    async fn change_outside(&self, thing: &Resource, field: Field, partners: &Partners) -> bool {
        let _ = (thing, field, partners);
        false
    }

    /// Changes what the provider sees to beyond the fields of a thing, in the same way.
    async fn upset_outside(&self, thing: &Resource, what: &str, partners: &Partners) -> bool {
        let _ = (thing, what, partners);
        false
    }

    /// Takes away what its changes made beside the things that were changed, once those are made good.
    async fn clear_outside(&self) {}

    /// Puts an object into a bucket, or takes it out again.
    async fn fill_bucket(&self, id: &ResourceId, full: bool) -> bool {
        let _ = (id, full);
        false
    }
}
