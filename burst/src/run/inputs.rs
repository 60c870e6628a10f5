//! What a decision is made of, from what was measured and seen.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use strat_burst_policy::{
    BatchMachine, Expected, History, Inputs, Machine, Offer, Place, RanOut, Sample, State,
};
use strat_model::burst::{BurstClass, BurstIntent};
use strat_model::{CapacityKind, Currency, Name};
use stratiform::Workspace;
use stratiform::planner::FleetPlace;
use stratiform::planner::StockBook;

use super::boots;
use super::machines::{Look, Seen, forget, unseen};
use crate::log::Learnt;

/// What is known besides what is seen.
pub(super) struct Known<'a> {
    pub(super) signals: &'a BTreeMap<String, Sample>,
    pub(super) expected: Option<Expected>,
    pub(super) history: History,
    pub(super) epoch: u64,
    pub(super) paused: bool,
    /// The machines as they were last seen, for the sites that are not seen now.
    pub(super) last: &'a [Machine],
    /// Since when sites have not been seen.
    pub(super) unseen: &'a BTreeMap<String, Timestamp>,
}

/// What was seen for a burst.
pub(super) struct Built {
    pub(super) inputs: Inputs,
    pub(super) seen: Vec<Seen>,
    /// The machines of batch fleets that may give way.
    pub(super) batch: Vec<(BatchMachine, Seen, BurstIntent)>,
}

impl Look<'_> {
    /// Puts together what a decision for a burst is made of; but not what was spent.
    pub(super) async fn build(
        &mut self,
        burst: &BurstIntent,
        known: Known<'_>,
        learnt: &mut Learnt,
    ) -> Built {
        let policy = &burst.policy;
        let fleet = &burst.fleet;
        let mut seen = self.machines(fleet, policy, learnt).await;
        for one in &mut seen {
            known_price(&mut one.machine, known.last);
        }
        let mut machines: Vec<Machine> = seen.iter().map(|one| one.machine.clone()).collect();
        let mut blind: BTreeMap<String, Timestamp> = BTreeMap::new();
        for site in unseen(self.session, self.observation, fleet) {
            let since = known.unseen.get(site.as_str()).copied();
            blind.insert(site.to_string(), since.unwrap_or(self.now));
        }
        let there = |id: &str| machines.iter().any(|one| one.id == id);
        let hidden = known
            .last
            .iter()
            .filter(|one| blind.contains_key(&one.place.site));
        let hidden: Vec<Machine> = hidden.filter(|one| !there(&one.id)).cloned().collect();
        machines.extend(hidden);
        machines.sort_by(|a, b| a.id.cmp(&b.id));
        forget(learnt, &machines);
        let batch = self.batch(burst, learnt).await;
        let mut inputs = Inputs::new(self.now);
        inputs.epoch = known.epoch;
        inputs.paused = known.paused;
        inputs.signals = known.signals.clone();
        inputs.expected = known.expected;
        inputs.machines = machines;
        inputs.unseen = blind;
        inputs.batch = batch.iter().map(|(one, ..)| one.clone()).collect();
        inputs.offers = self.offers(burst, learnt);
        inputs.history = known.history;
        Built {
            inputs,
            seen,
            batch,
        }
    }

    /// What can be had for a fleet.
    fn offers(&mut self, burst: &BurstIntent, learnt: &Learnt) -> Vec<Offer> {
        let places = self.session.fleet_places(self.observation, &burst.fleet);
        let book = self.session.stock_book();
        let mut offers: Vec<Offer> = Vec::new();
        let mut unpriced: Vec<String> = Vec::new();
        let any_priced = places.iter().any(|place| dollars(place).is_some());
        for place in places {
            let price = dollars(&place);
            if price.is_none() && any_priced {
                unpriced.push(format!("{} {}", place.site, place.machine_type));
                continue;
            }
            let ran_out = self.ran_out(&book, &place);
            let room = place.room;
            let place = Place {
                site: place.site.to_string(),
                zone: place.zone.to_string(),
                machine_type: place.machine_type,
                capacity: place.capacity,
                usd_hour: price.unwrap_or_default(),
                billed_s: 1,
            };
            offers.push(Offer {
                boot_p90_s: boots::p90_s(&learnt.boots_s, &place),
                place,
                room,
                ran_out,
            });
        }
        if !unpriced.is_empty() {
            self.alarms.push(format!(
                "nobody says what they cost, so they are not bought: {}",
                unpriced.join(", ")
            ));
        }
        share_room(&mut offers);
        offers
    }

    fn ran_out(&self, book: &StockBook, place: &FleetPlace) -> Option<RanOut> {
        let facts = self.observation.facts.get(&place.site)?;
        let mut sold = facts.offers.iter();
        let offer = sold.find(|offer| {
            (&offer.zone, &offer.machine_type, offer.capacity)
                == (&place.zone, &place.machine_type, place.capacity)
        })?;
        let entries = book.entries();
        let refusals = entries.filter(|entry| {
            entry.covers(&place.site, offer) || entry.subnet() == Some(&place.subnet)
        });
        let last = refusals.max_by_key(|entry| entry.seen)?;
        Some(RanOut {
            at: last.seen,
            times: last.times,
        })
    }

    /// The machines of batch fleets on owned hardware where this fleet may be, too.
    async fn batch(
        &mut self,
        burst: &BurstIntent,
        learnt: &Learnt,
    ) -> Vec<(BatchMachine, Seen, BurstIntent)> {
        if burst.policy.class != BurstClass::Online {
            return Vec::new();
        }
        let workspace = self.session.workspace();
        let sites = sites_of(workspace, burst);
        let mut all = Vec::new();
        for other in &workspace.intent().bursts {
            if other.policy.class != BurstClass::Batch || other.fleet == burst.fleet {
                continue;
            }
            let drain = &other.policy.drain;
            let mut scratch = learnt.clone();
            for one in self
                .machines(&other.fleet, &other.policy, &mut scratch)
                .await
            {
                let machine = &one.machine;
                let owned = machine.place.capacity == CapacityKind::Owned;
                if !owned || !sites.contains(&one.site) {
                    continue;
                }
                let giving_way = match machine.state {
                    State::Draining { since, .. } => Some(since),
                    State::Pending | State::Ready { .. } => None,
                };
                let batch = BatchMachine {
                    id: machine.id.clone(),
                    site: machine.place.site.clone(),
                    zone: machine.place.zone.clone(),
                    priority: other.policy.priority,
                    made: machine.made,
                    grace_s: drain.deadline_s,
                    giving_way,
                };
                all.push((batch, one, other.clone()));
            }
        }
        all.sort_by(|(a, ..), (b, ..)| a.id.cmp(&b.id));
        all
    }
}

/// What is sold no more costs what it cost before.
fn known_price(machine: &mut Machine, last: &[Machine]) {
    let place = &mut machine.place;
    if place.capacity != CapacityKind::Owned && place.usd_hour == Decimal::ZERO {
        let before = last.iter().find(|one| one.id == machine.id);
        place.usd_hour = before.map_or(Decimal::ZERO, |one| one.place.usd_hour);
    }
}

/// Where a burst's fleet may be.
fn sites_of(workspace: &Workspace, burst: &BurstIntent) -> Vec<Name> {
    let mut machines = workspace.intent().machines.iter();
    let fleet = machines.find(|one| one.common.addr == burst.fleet);
    fleet.map_or_else(Vec::new, |fleet| fleet.placement.sites.clone())
}

/// The price of an hour; owned hardware without one is paid for.
fn dollars(place: &FleetPlace) -> Option<Decimal> {
    let price = place.price_hour.filter(|one| one.currency == Currency::Usd);
    let owned = place.capacity == CapacityKind::Owned;
    price
        .map(|price| price.amount)
        .or(owned.then_some(Decimal::ZERO))
}

/// The zones of a site share its hardware and quotas: each is offered its part, so that together they
/// are offered no more than there is.
fn share_room(offers: &mut [Offer]) {
    let mut zones: BTreeMap<(String, CapacityKind), u32> = BTreeMap::new();
    let bounded = |offer: &Offer| offer.room.is_some();
    for offer in offers.iter().filter(|offer| bounded(offer)) {
        let key = (offer.place.site.clone(), offer.place.capacity);
        *zones.entry(key).or_default() += 1;
    }
    let mut nth: BTreeMap<(String, CapacityKind), u32> = BTreeMap::new();
    for offer in offers.iter_mut().filter(|offer| bounded(offer)) {
        let key = (offer.place.site.clone(), offer.place.capacity);
        let of = zones.get(&key).copied().unwrap_or(1);
        let at = nth.entry(key).or_default();
        let room = offer.room.unwrap_or(0);
        offer.room = Some(room / of + u32::from(*at < room % of));
        *at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(site: &str, zone: &str, room: Option<u32>) -> Offer {
        Offer {
            place: Place {
                site: site.to_owned(),
                zone: zone.to_owned(),
                machine_type: "m".to_owned(),
                capacity: CapacityKind::Owned,
                usd_hour: Decimal::ZERO,
                billed_s: 1,
            },
            room,
            boot_p90_s: 60,
            ran_out: None,
        }
    }

    #[test]
    fn zones_are_offered_no_more_than_there_is() {
        let mut offers = [
            offer("east", "a", Some(5)),
            offer("east", "b", Some(5)),
            offer("west", "a", Some(3)),
            offer("north", "a", None),
        ];
        share_room(&mut offers);
        let rooms: Vec<_> = offers.iter().map(|offer| offer.room).collect();
        assert_eq!(rooms, [Some(3), Some(2), Some(3), None]);
    }
}
