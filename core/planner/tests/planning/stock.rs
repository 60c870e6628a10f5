//! The book of what ran out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use strat_model::{CapacityKind, Error, ErrorKind, Name, Scope, SiteFacts};
use strat_planner::{MachineOffer, Shortage, StockBook};

use crate::common::{facts, local, name};

const CAPACITIES: [CapacityKind; 2] = [CapacityKind::OnDemand, CapacityKind::Spot];

/// A site with five types of two families in two zones, bought two ways.
fn shop() -> BTreeMap<Name, SiteFacts> {
    let (east, mut site) = facts()
        .into_iter()
        .find(|(_, facts)| !facts.offers.is_empty())
        .expect("a site that sells");
    let one = site.offers[0].clone();
    site.zones = vec![name("a"), name("b")];
    site.offers.clear();
    for zone in &site.zones {
        for (family, types) in [
            ("m5", ["m5.large", "m5.xlarge", "m5.huge"].as_slice()),
            ("c5", &["c5.large"]),
            ("r5", &["r5.large"]),
            ("x1", &["x1.large"]),
        ] {
            for machine_type in types {
                for capacity in CAPACITIES {
                    site.offers.push(strat_model::Offer {
                        zone: zone.clone(),
                        machine_type: (*machine_type).to_owned(),
                        family: family.to_owned(),
                        capacity,
                        ..one.clone()
                    });
                }
            }
        }
    }
    BTreeMap::from([(east, site)])
}

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a moment")
}

fn after(minutes: i64) -> Timestamp {
    start() + SignedDuration::from_mins(minutes)
}

struct Asker {
    facts: BTreeMap<Name, SiteFacts>,
    book: StockBook,
}

impl Asker {
    fn new() -> Self {
        Self {
            facts: shop(),
            book: StockBook::default(),
        }
    }

    fn refused(
        &mut self,
        machine_type: &str,
        zone: &str,
        (kind, scope): (ErrorKind, Scope),
        minute: i64,
    ) -> Option<Shortage> {
        let (site, facts) = self.facts.first_key_value().expect("one");
        let zone = name(zone);
        let asked = MachineOffer {
            machine_type,
            zone: &zone,
            capacity: CapacityKind::OnDemand,
            subnet: None,
        };
        let error = Error::new(kind, "none").with_scope(scope);
        self.book
            .learn(site, &asked, Some(facts), &error, after(minute))
    }

    /// What is tried, in words: `a m5.large spot`.
    fn tried(&self, minute: i64) -> Vec<String> {
        let facts = self.book.without(&self.facts, after(minute));
        let offers = facts.values().flat_map(|facts| &facts.offers);
        offers
            .map(|offer| {
                let (zone, how) = (&offer.zone, offer.capacity.as_str());
                format!("{zone} {} {how}", offer.machine_type)
            })
            .collect()
    }

    fn missing(&self, minute: i64) -> Vec<String> {
        let tried = self.tried(minute);
        let all = Self::new().tried(minute);
        all.into_iter()
            .filter(|offer| !tried.contains(offer))
            .collect()
    }
}

#[test]
fn a_refusal_reaches_as_far_as_its_scope_and_quota_as_far_as_the_family() {
    let capacity = ErrorKind::Capacity;
    for (error, missing) in [
        ((capacity, Scope::Offer), 1),
        ((capacity, Scope::Call), 1),
        // Six types, bought two ways.
        ((capacity, Scope::Zone), 12),
        // Nobody knows which subnet: as far as the zone.
        ((capacity, Scope::Subnet), 12),
        ((capacity, Scope::Region), 24),
        // Three types in two zones, but not those of the spot market.
        ((ErrorKind::Quota, Scope::Offer), 6),
        ((ErrorKind::Quota, Scope::Region), 6),
        ((ErrorKind::Quota, Scope::Call), 0),
        ((ErrorKind::Throttled, Scope::Account), 0),
        ((ErrorKind::Unauthenticated, Scope::Account), 0),
        ((ErrorKind::Forbidden, Scope::Account), 0),
        ((ErrorKind::Transient, Scope::Region), 0),
    ] {
        let mut asker = Asker::new();
        let learned = asker.refused("m5.large", "a", error, 0);
        assert_eq!(learned.is_some(), missing > 0, "{error:?}");
        assert_eq!(asker.missing(1).len(), missing, "{error:?}");
    }
}

#[test]
fn it_is_tried_again_after_ten_minutes_and_later_with_each_refusal_up_to_an_hour() {
    let stock = (ErrorKind::Capacity, Scope::Offer);
    let mut asker = Asker::new();
    let mut minute = 0;
    for pause in [10, 20, 40, 60, 60] {
        asker.refused("m5.large", "a", stock, minute);
        assert_eq!(asker.missing(minute + pause - 1), ["a m5.large on_demand"]);
        minute += pause;
        assert!(asker.missing(minute).is_empty(), "{pause}");
    }
    // Long after, it begins anew.
    asker.refused("m5.large", "a", stock, minute + 300);
    assert!(asker.missing(minute + 310).is_empty());
}

#[test]
fn what_is_sold_after_all_is_struck_out() {
    let mut asker = Asker::new();
    asker.refused("m5.large", "a", (ErrorKind::Capacity, Scope::Zone), 0);
    let (site, facts) = asker.facts.first_key_value().expect("one");
    let sold = facts.offers.iter().find(|offer| offer.zone == name("a"));
    asker.book.sold(site, sold.expect("an offer"));
    assert!(asker.missing(1).is_empty());
}

#[test]
fn three_types_of_a_zone_stand_for_all_of_it_and_three_families_for_the_account() {
    let mut asker = Asker::new();
    for machine_type in ["m5.large", "m5.xlarge", "c5.large"] {
        asker.refused(machine_type, "a", (ErrorKind::Capacity, Scope::Offer), 0);
    }
    // But not for the spot market, nor for the other zone.
    assert_eq!(asker.missing(1).len(), 6, "{:?}", asker.missing(1));
    let mut asker = Asker::new();
    for machine_type in ["m5.large", "c5.large", "r5.large"] {
        asker.refused(machine_type, "a", (ErrorKind::Quota, Scope::Region), 0);
    }
    assert_eq!(asker.missing(1).len(), 12, "{:?}", asker.missing(1));
}

#[test]
fn a_full_subnet_is_that_subnet_alone() {
    let mut asker = Asker::new();
    let (site, zone) = (asker.facts.keys().next().expect("one").clone(), name("a"));
    let full = local("subnet.app").at(&site).in_zone(&zone);
    let asked = MachineOffer {
        machine_type: "m5.large",
        zone: &zone,
        capacity: CapacityKind::OnDemand,
        subnet: Some(&full),
    };
    let error = Error::new(ErrorKind::Capacity, "none").with_scope(Scope::Subnet);
    let learned = asker.book.learn(&site, &asked, None, &error, after(0));
    let subnet = full.clone();
    assert_eq!(learned, Some(Shortage::Subnet { subnet }));
    assert!(asker.missing(1).is_empty(), "all is on sale as before");
    assert_eq!(asker.book.full(after(9)), BTreeSet::from([full.clone()]));
    assert!(asker.book.full(after(10)).is_empty());
    let said = asker.book.entries().next().expect("one").to_string();
    assert_eq!(said, format!("{full} had no address left"));
    let json = serde_json::to_string(&asker.book.entries().collect::<Vec<_>>()).expect("JSON");
    let back: Vec<strat_planner::StockEntry> = serde_json::from_str(&json).expect("entries");
    assert_eq!(StockBook::of(back), asker.book);
    asker.book.got_address(&full);
    assert!(asker.book.full(after(1)).is_empty());
}

#[test]
fn it_survives_the_disk_and_stays_small() {
    let mut asker = Asker::new();
    for number in 0..2_000 {
        let machine_type = format!("t{number}");
        asker.refused(
            &machine_type,
            "a",
            (ErrorKind::Capacity, Scope::Offer),
            number,
        );
    }
    assert_eq!(asker.book.entries().count(), 512);
    let json = serde_json::to_string(&asker.book.entries().collect::<Vec<_>>()).expect("JSON");
    let back: Vec<strat_planner::StockEntry> = serde_json::from_str(&json).expect("entries");
    assert_eq!(StockBook::of(back), asker.book);
    let kept = asker.book.entries().all(|entry| entry.seen >= after(1_488));
    assert!(kept, "those that expire last are kept");
}
