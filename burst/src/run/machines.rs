//! The machines of fleets, as the policy sees them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use rust_decimal::Decimal;
use strat_burst_policy::{Machine, Place, State};
use strat_model::burst::{BurstPolicy, Drain};
use strat_model::{
    CapacityKind, Currency, Field, HealthAddress, HealthCheck, LocalAddr, Name, Resource,
    ResourceId, ResourceState, SiteFacts, Spec,
};
use stratiform::engine::Observation;
use stratiform::planner::InventoryIndex;
use stratiform::{Question, Session};

use super::boots;
use super::drain::{Drained, Hook, Hooks, Notice};
use crate::log::Learnt;

/// For so long a machine counts as starting, in seconds: how busy it is says nothing yet.
const WARM_S: i64 = 60;
/// What a mark notes of a machine that no longer drains.
pub(super) const NOT_DRAINING: &str = "no";

/// A machine, and the real thing that it is.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) machine: Machine,
    pub(super) site: Name,
    pub(super) id: ResourceId,
}

/// Who can be asked about machines, and what is known of them.
pub(super) struct Look<'a> {
    pub(super) session: &'a Session,
    pub(super) observation: &'a Observation,
    pub(super) hooks: Arc<dyn Hooks>,
    pub(super) now: Timestamp,
    pub(super) alarms: Vec<String>,
}

/// What a mark says of draining: since when, and for which burst.
pub(super) fn drains(resource: &Resource) -> Option<(Timestamp, &str)> {
    let notes = &resource.mark.as_ref()?.notes;
    let (since, by) = notes.get(&Field::Drain)?.split_once(' ')?;
    Some((since.parse().ok()?, by))
}

/// What a mark is to say of a machine that drains.
pub(super) fn note(since: Timestamp, burst: &str) -> String {
    format!("{since:.0} {burst}")
}

/// The name of a machine in decisions.
pub(super) fn name(site: &Name, id: &ResourceId) -> String {
    format!("{site}/{id}")
}

impl Look<'_> {
    /// The machines of a fleet that were seen, sorted by name.
    pub(super) async fn machines(
        &mut self,
        fleet: &LocalAddr,
        policy: &BurstPolicy,
        learnt: &mut Learnt,
    ) -> Vec<Seen> {
        let (burst, drain) = (policy.name.as_str(), &policy.drain);
        let workspace = self.session.workspace();
        let inventory = &self.observation.inventory;
        let index = InventoryIndex::new(inventory, workspace.owner());
        let intents = &workspace.intent().machines;
        let intent = intents.iter().find(|one| one.common.addr == *fleet);
        let health = intent.and_then(|intent| intent.rollout.health.clone());
        let mut all: Vec<(&Name, &Resource)> = Vec::new();
        for addr in index.places(fleet) {
            all.extend(index.at(addr).iter().map(|one| (&addr.site, *one)));
        }
        let asked = all
            .iter()
            .map(|(_, one)| self.is_healthy(one, health.as_ref()));
        let healthy = join_all(asked).await;
        let emptied = all.iter().map(|(_, one)| self.is_empty(one, drain));
        let emptied = join_all(emptied).await;
        let noticed = all.iter().map(|(_, one)| self.is_taken_back(one, policy));
        let noticed = join_all(noticed).await;
        let grace_s = i64::try_from(drain.deadline_s).unwrap_or(i64::MAX);
        let mut seen = Vec::new();
        let said = healthy.into_iter().zip(emptied).zip(noticed);
        for ((site, one), ((healthy, (empty, alarm)), (taken, doubt))) in all.into_iter().zip(said)
        {
            self.alarms.extend(alarm.into_iter().chain(doubt));
            let name = name(site, &one.id);
            let Some(place) = self.place(site, one) else {
                continue;
            };
            let made = one.created.unwrap_or(self.now);
            let said = (healthy, empty);
            let (state, healthy) =
                self.state(one, (&name, made), &place, said, (burst, grace_s), learnt);
            // One that gives way to another fleet is not put back to work.
            let reclaimed = taken || drains(one).is_some_and(|(_, by)| by != burst);
            seen.push(Seen {
                machine: Machine {
                    id: name,
                    place,
                    state,
                    made,
                    healthy,
                    reclaimed,
                },
                site: site.clone(),
                id: one.id.clone(),
            });
        }
        seen.sort_by(|a, b| a.machine.id.cmp(&b.machine.id));
        seen
    }

    fn state(
        &mut self,
        one: &Resource,
        (name, made): (&str, Timestamp),
        place: &Place,
        (healthy, empty): (bool, bool),
        (burst, grace_s): (&str, i64),
        learnt: &mut Learnt,
    ) -> (State, bool) {
        if let Some((since, by)) = drains(one) {
            // Who gives way for another has its time, and no more.
            let over = self.now.duration_since(since).as_secs() >= grace_s;
            let done = empty || (by != burst && over);
            return (State::Draining { since, done }, true);
        }
        match one.state {
            // Broken for good, or on a host that nobody looks at: it does not become ready, and goes as
            // one that is late, if it may.
            ResourceState::Pending
            | ResourceState::Deleting
            | ResourceState::Failed
            | ResourceState::Unseen => (State::Pending, false),
            ResourceState::Stopped => {
                self.alarms
                    .push(format!("{name} is switched off: an apply starts it"));
                (State::Ready { warm: false }, false)
            }
            ResourceState::Ready => {
                let known = learnt.ready.get(name).copied();
                if !healthy && known.is_none() {
                    return (State::Pending, false);
                }
                let since = known.unwrap_or_else(|| {
                    learnt.ready.insert(name.to_owned(), self.now);
                    let took_s = self.now.duration_since(made).as_secs();
                    // What was there before this looked says nothing of how long it took.
                    if let (true, Ok(took_s)) = (took_s < 3600, u64::try_from(took_s)) {
                        boots::note(&mut learnt.boots_s, place, took_s);
                    }
                    self.now
                });
                let warm = self.now.duration_since(since).as_secs() >= WARM_S
                    || self.now.duration_since(made).as_secs() >= 3600;
                (State::Ready { warm }, healthy)
            }
        }
    }

    /// Whether a machine that runs does its work, as far as it can be asked.
    async fn is_healthy(&self, one: &Resource, health: Option<&HealthCheck>) -> bool {
        let (ResourceState::Ready, Some(health)) = (one.state, health) else {
            return one.state == ResourceState::Ready;
        };
        let attribute = match health.address {
            HealthAddress::Private => "private_ip",
            HealthAddress::Public => "public_ip",
        };
        let address = one.attributes.get(attribute);
        let Some(address) = address.and_then(|text| text.parse::<IpAddr>().ok()) else {
            return false;
        };
        let question = Question {
            address,
            port: health.port,
            path: health.path.clone(),
            patience: Duration::from_millis(health.interval_ms),
        };
        self.session.health().ask(&question).await.is_ok()
    }

    /// Whether a spot machine's cloud takes it back, as far as it can be asked; and what should be looked
    /// at. Who does not know is not taken back.
    async fn is_taken_back(&self, one: &Resource, policy: &BurstPolicy) -> (bool, Option<String>) {
        let Spec::Machine(spec) = &one.spec else {
            return (false, None);
        };
        let spot = spec.capacity == CapacityKind::Spot && one.state == ResourceState::Ready;
        let Some(text) = policy.notice.as_ref().filter(|_| spot) else {
            return (false, None);
        };
        let ip = one.attributes.get("private_ip");
        let Some(ip) = ip.or_else(|| one.attributes.get("public_ip")) else {
            let why = format!("{} has no address to ask it for a notice", one.id);
            return (false, Some(why));
        };
        match self.hooks.notice(&text.replace("{ip}", ip)).await {
            Notice::Given => (true, None),
            Notice::None => (false, None),
            Notice::Unknown(why) => {
                let why = format!("{} does not say whether it is taken back: {why}", one.id);
                (false, Some(why))
            }
        }
    }

    /// Whether a machine that drains is empty; and what should be looked at.
    async fn is_empty(&self, one: &Resource, drain: &Drain) -> (bool, Option<String>) {
        let Some((since, _)) = drains(one) else {
            return (false, None);
        };
        let Some(hook) = Hook::of(drain, one) else {
            return (true, None);
        };
        let Some(hook) = hook else {
            // Nobody can ask it: it is given its time.
            let late = self.now.duration_since(since).as_secs();
            let over = late >= i64::try_from(drain.deadline_s).unwrap_or(i64::MAX);
            return (
                over,
                Some(format!("{} has no address to ask it to drain", one.id)),
            );
        };
        match self.hooks.drain(&hook).await {
            Drained::Yes => (true, None),
            Drained::Working => (false, None),
            Drained::Unknown(why) => (
                false,
                Some(format!("{} does not say that it drains: {why}", one.id)),
            ),
        }
    }

    /// Where a machine is and what it costs; nothing for what is no machine.
    pub(super) fn place(&self, site: &Name, one: &Resource) -> Option<Place> {
        let Spec::Machine(spec) = &one.spec else {
            return None;
        };
        let facts = self.observation.facts.get(site);
        let price =
            facts.and_then(|facts| price(facts, &spec.zone, &spec.machine_type, spec.capacity));
        Some(Place {
            site: site.to_string(),
            zone: spec.zone.to_string(),
            machine_type: spec.machine_type.clone(),
            capacity: spec.capacity,
            usd_hour: price.unwrap_or_default(),
            billed_s: 1,
        })
    }
}

/// The price of an hour in US dollars, as a site sells it.
fn price(
    facts: &SiteFacts,
    zone: &Name,
    machine_type: &str,
    capacity: CapacityKind,
) -> Option<Decimal> {
    let mut offers = facts.offers.iter();
    let offer = offers.find(|offer| {
        (&offer.zone, offer.machine_type.as_str(), offer.capacity) == (zone, machine_type, capacity)
    })?;
    let price = offer.price_hour?;
    (price.currency == Currency::Usd).then_some(price.amount)
}

/// The sites of a fleet that were not seen whole.
pub(super) fn unseen(session: &Session, observation: &Observation, fleet: &LocalAddr) -> Vec<Name> {
    let intents = &session.workspace().intent().machines;
    let Some(intent) = intents.iter().find(|one| one.common.addr == *fleet) else {
        return Vec::new();
    };
    let sites = intent.placement.sites.iter();
    let blind = sites.filter(|site| {
        !observation.facts.contains_key(*site)
            || !observation
                .inventory
                .is_complete(site, strat_model::Kind::Machine)
    });
    blind.cloned().collect()
}

/// Forgets machines that are not there any more.
pub(super) fn forget(learnt: &mut Learnt, machines: &[Machine]) {
    let there: BTreeMap<&str, ()> = machines.iter().map(|one| (one.id.as_str(), ())).collect();
    learnt.ready.retain(|id, _| there.contains_key(id.as_str()));
}
