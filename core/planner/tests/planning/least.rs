//! Least cost, against every possible answer of small cases.

use proptest::prelude::*;
use rust_decimal::Decimal;
use strat_model::*;
use strat_planner::*;

use crate::choosing::{fleet, reprice, web};
use crate::common::*;

/// The least that a fleet of four CPUs each may cost an hour, in thousandths of the price of one in the
/// east: of every way to share it out over the three sites.
fn least(count: u32, owned: u32, west: u32, survive: bool) -> u32 {
    let all = || 0..=2 * count;
    let ways = all().flat_map(|o| all().flat_map(move |e| all().map(move |w| [o, e, w])));
    let does = |way: &[u32; 3]| {
        let most = way.iter().max().copied().unwrap_or(0);
        let total: u32 = way.iter().sum();
        let left = if survive { total - most } else { total };
        way[0] <= owned && left >= count && (survive || total == count)
    };
    let costs = ways.filter(does).map(|[_, e, w]| e * 1000 + w * west * 10);
    costs.min().expect("the clouds have room")
}

#[test]
fn least_cost_is_least_of_all_ways_with_spread_and_survive() {
    for owned_machines in 0..=4 {
        for west in [90, 110] {
            for count in 1..=4 {
                for spread in [Spread::None, Spread::Zone] {
                    for survive in [false, true] {
                        let mut facts = facts();
                        let free = facts.get_mut(&name("dc1")).expect("dc1");
                        free.free = Some(Pool {
                            cpu: u64::from(owned_machines) * 4,
                            memory: Bytes::gib(1024),
                            disk: Bytes::gib(8192),
                            ..Pool::default()
                        });
                        reprice(&mut facts, "west", west);
                        let intent = fleet(count, |web| {
                            web.placement.prefer = Preference::Cost;
                            web.placement.spread = spread;
                            web.placement.survive = survive;
                        });
                        let desired = place(&intent, &facts, &empty()).expect("a place");
                        let goals = desired.entries.values().flat_map(|entry| &entry.goals);
                        let paid = goals.filter_map(|goal| match (&goal.spec, goal.price_hour) {
                            (Spec::Machine(_), Some(price)) => {
                                Some(price.amount * Decimal::from(goal.count))
                            }
                            _ => None,
                        });
                        let one = facts[&name("east")].offers.iter();
                        let one = one
                            .filter(|offer| offer.cpu == 4)
                            .filter_map(|o| o.price_hour);
                        let one = one.map(|price| price.amount).min().expect("a price");
                        let paid = paid.sum::<Decimal>() * Decimal::from(1000) / one;
                        let least = least(
                            count,
                            owned_machines,
                            west.try_into().expect("small"),
                            survive,
                        );
                        assert_eq!(
                            paid,
                            Decimal::from(least),
                            "{count} machines, {owned_machines} owned, west {west} %, {spread:?}, \
                             survive {survive}: {:?}",
                            web(&intent, &facts, &empty())
                        );
                    }
                }
            }
        }
    }
}

/// A cloud of a random case: for each zone what a medium and a large machine cost, in cents, and the CPUs
/// of its quota.
type Cloud = (Vec<(u8, u8)>, u64);

/// One way to buy a machine: the site, the zone, what it costs, and its CPUs.
type Way = (usize, usize, u32, u64);

/// What a random case is about.
#[derive(Debug, Clone)]
struct Case {
    /// Where it may be, of the owned site and the two clouds.
    sites: [bool; 3],
    owned: u64,
    clouds: [Cloud; 2],
    count: u32,
    spread: Spread,
    survive: bool,
}

impl Case {
    const SITES: [&'static str; 3] = ["dc1", "east", "west"];

    fn facts(&self) -> Facts {
        let mut facts = facts();
        let free = facts.get_mut("dc1").expect("dc1").free.as_mut();
        free.expect("it is bounded").cpu = self.owned;
        for (site, (zones, quota)) in Self::SITES[1..].iter().zip(&self.clouds) {
            let facts = facts.get_mut(*site).expect("a site");
            facts.zones.truncate(zones.len());
            facts
                .offers
                .retain(|offer| facts.zones.contains(&offer.zone));
            for offer in &mut facts.offers {
                let at = facts.zones.iter().position(|zone| *zone == offer.zone);
                let (medium, large) = zones[at.expect("its zone")];
                let cents = match offer.machine_type.as_str() {
                    "medium" => medium,
                    "large" => large,
                    _ => 1,
                };
                offer.price_hour = Some(Money::usd(Decimal::new(cents.into(), 2)));
            }
            facts.quotas[0].cpu_limit = *quota;
        }
        facts
    }

    fn intent(&self) -> Intent {
        fleet(self.count, |web| {
            let sites = Self::SITES.iter().zip(self.sites);
            let sites = sites.filter(|(_, may)| *may).map(|(site, _)| name(site));
            web.placement.sites = sites.collect();
            web.placement.prefer = Preference::Cost;
            web.placement.spread = self.spread;
            web.placement.survive = self.survive;
        })
    }

    /// Every way to buy a machine.
    fn ways(&self) -> Vec<Way> {
        let mut ways: Vec<Way> = (0..2).map(|rack| (0, rack, 0, 4)).collect();
        for (site, (zones, _)) in self.clouds.iter().enumerate() {
            for (zone, (medium, large)) in zones.iter().enumerate() {
                ways.push((site + 1, zone, (*medium).into(), 4));
                ways.push((site + 1, zone, (*large).into(), 8));
            }
        }
        ways.retain(|(site, ..)| self.sites[*site]);
        ways
    }

    fn zones(&self, site: usize) -> usize {
        match site {
            0 => 2,
            cloud => self.clouds[cloud - 1].0.len(),
        }
    }

    /// Whether a choice keeps to all that is asked for.
    fn does(&self, ways: &[Way], counts: &[u32]) -> bool {
        let of = |keep: &dyn Fn(&Way) -> bool| -> u32 {
            let both = ways.iter().zip(counts);
            both.filter(|(way, _)| keep(way)).map(|(_, n)| n).sum()
        };
        let total = of(&|_| true);
        let sites = (0..3).filter(|site| self.sites[*site]);
        let sites: Vec<usize> = sites.collect();
        let by_zone = sites.len() == 1;
        let lost: Vec<u32> = match by_zone {
            true => (0..self.zones(sites[0]))
                .map(|zone| of(&|way| way.1 == zone))
                .collect(),
            false => sites.iter().map(|site| of(&|way| way.0 == *site)).collect(),
        };
        let enough = match self.survive {
            true => total - lost.iter().max().copied().unwrap_or(0) >= self.count,
            false => total == self.count,
        };
        let fits = sites.iter().all(|site| {
            let both = ways.iter().zip(counts).filter(|(way, _)| way.0 == *site);
            let cpus: u64 = both.map(|(way, n)| way.3 * u64::from(*n)).sum();
            let most = match site {
                0 => self.owned,
                cloud => self.clouds[cloud - 1].1,
            };
            cpus <= most
        });
        let even = self.spread == Spread::None
            || (self.survive && by_zone)
            || sites.iter().all(|site| {
                let zones = 0..self.zones(*site);
                let there: Vec<u32> = zones
                    .map(|zone| of(&|way| (way.0, way.1) == (*site, zone)))
                    .collect();
                there.iter().max().copied().unwrap_or(0)
                    <= there.iter().min().copied().unwrap_or(0) + 1
            });
        enough && fits && even
    }

    /// The least that it may cost, in cents an hour, of every choice that there is.
    fn least(&self) -> Option<u32> {
        let ways = self.ways();
        let most = if self.survive {
            2 * self.count
        } else {
            self.count
        };
        let mut best = None;
        let mut counts = vec![0; ways.len()];
        self.try_all(&ways, &mut counts, 0, most, &mut best);
        best
    }

    fn try_all(
        &self,
        ways: &[Way],
        counts: &mut [u32],
        at: usize,
        left: u32,
        best: &mut Option<u32>,
    ) {
        if at == ways.len() {
            if self.does(ways, counts) {
                let cost = ways
                    .iter()
                    .zip(counts.iter())
                    .map(|(way, n)| way.2 * n)
                    .sum();
                *best = Some(best.map_or(cost, |best| best.min(cost)));
            }
            return;
        }
        for n in 0..=left.min(self.count) {
            counts[at] = n;
            self.try_all(ways, counts, at + 1, left - n, best);
        }
        counts[at] = 0;
    }
}

fn arb_case() -> impl Strategy<Value = Case> {
    let cloud = || {
        let prices = prop::collection::vec((1_u8..9, 1_u8..9), 1..=2);
        (prices, 4_u64..40)
    };
    let sites = any::<[bool; 3]>().prop_map(|sites| match sites {
        [false, false, false] => [true; 3],
        sites => sites,
    });
    (
        sites,
        0_u64..20,
        [cloud(), cloud()],
        1_u32..4,
        prop::bool::ANY,
        any::<bool>(),
    )
        .prop_map(|(sites, owned, mut clouds, count, spread, survive)| {
            // Zones that are filled evenly are reckoned at their mean, as the guide says.
            for (zones, _) in clouds.iter_mut().filter(|_| spread) {
                let first = zones[0];
                zones.fill(first);
            }
            Case {
                sites,
                owned,
                clouds,
                count,
                spread: if spread { Spread::Zone } else { Spread::None },
                survive,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever zones cost and quotas allow: nothing is cheaper than what is chosen, and what is refused
    /// is nowhere to be had.
    #[test]
    fn nothing_is_cheaper_than_what_is_chosen(case in arb_case()) {
        let (facts, intent) = (case.facts(), case.intent());
        let paid = place(&intent, &facts, &empty()).ok().map(|desired| {
            let goals = desired.entries.values().flat_map(|entry| &entry.goals);
            let machines = goals.filter(|goal| matches!(goal.spec, Spec::Machine(_)));
            let paid = machines.map(|goal| {
                let price = goal.price_hour.map_or(Decimal::ZERO, |price| price.amount);
                price * Decimal::from(goal.count) * Decimal::ONE_HUNDRED
            });
            paid.sum::<Decimal>()
        });
        let least = case.least().map(Decimal::from);
        prop_assert_eq!(paid, least, "{:?}", place(&intent, &facts, &empty()).is_ok().then(|| web(&intent, &facts, &empty())));
    }
}
