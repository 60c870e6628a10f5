//! Least cost, against every possible answer of small cases.

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
