//! Placement of 10,000 machines over 20 sites that sell 500 offers each: time, cost and gap.
//!
//! `cargo bench -p strat-planner --bench placement`

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::time::Instant;

use rust_decimal::Decimal;
use strat_model::*;
use strat_planner::place;

use common::{Facts, cloud, machines, name, shop};

const SITES: u32 = 20;
const OFFERS: u32 = 500;
const ZONES: [&str; 5] = ["a", "b", "c", "d", "e"];
const MACHINES: u32 = 10_000;

#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it prints what it measures, by the clock"
)]
fn main() {
    println!("{MACHINES} machines, {SITES} sites, {OFFERS} offers each\n");
    println!("demands          shared limits       seconds  machines  gap");
    for fleets in [10, 200, MACHINES] {
        for bounded in [false, true] {
            let facts = facts(bounded);
            let intent = intent(fleets);
            let nothing = unseen(&facts);
            let start = Instant::now();
            let desired = place(&intent, &facts, &nothing).unwrap_or_else(|findings| {
                panic!(
                    "{} findings: {}",
                    findings.len(),
                    findings[0].finding.message
                )
            });
            let took = start.elapsed().as_secs_f64();
            let machines = desired.entries.iter();
            let machines = machines.filter(|(addr, _)| addr.kind() == Kind::Machine);
            let count: u32 = machines.map(|(_, entry)| entry.count()).sum();
            let gap = desired.gap.map_or("unknown".to_owned(), |gap| {
                format!("{} %", (gap * Decimal::ONE_HUNDRED).round_dp(4).normalize())
            });
            let what = match fleets {
                MACHINES => "single machines".to_owned(),
                n => format!("{n} fleets"),
            };
            let limits = if bounded { "pools and quotas" } else { "none" };
            println!("{what:16} {limits:18} {took:8.3}  {count:8}  {gap}");
        }
    }
}

/// Sites whose prices differ by site, zone and type; where bounded, half are owned hardware and the
/// others have quotas by family, and both are too small for what would like to be there.
fn facts(bounded: bool) -> Facts {
    let mut random = 1_u64;
    let mut next = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) % below
    };
    let mut all = Facts::new();
    for site in 0..SITES {
        let mut facts = cloud(&ZONES, SubnetScope::Regional);
        let sample = facts.offers[0].clone();
        facts.offers.clear();
        facts.quotas.clear();
        for number in 0..OFFERS / 5 {
            let cpu = 1 << next(6);
            let gib = cpu * (2 << next(3));
            let cents = cpu * 4 + gib / 2 + next(40);
            for zone in ZONES {
                facts.offers.push(Offer {
                    zone: name(zone),
                    machine_type: format!("t{number}"),
                    family: format!("f{}", number % 10),
                    cpu: u32::try_from(cpu).unwrap_or(1),
                    memory: Bytes::gib(gib),
                    price_hour: Some(Money::usd(Decimal::new((cents * 10 + next(5)) as i64, 3))),
                    ..sample.clone()
                });
            }
        }
        facts.offers.sort_by(|a, b| {
            (&a.zone, &a.machine_type, a.capacity).cmp(&(&b.zone, &b.machine_type, b.capacity))
        });
        if bounded && site % 2 == 0 {
            facts.free = Some(Pool {
                cpu: 3_000,
                memory: Bytes::gib(16_000),
                disk: Bytes::gib(1 << 20),
                ..Pool::default()
            });
        } else if bounded {
            facts.quotas = (0..10)
                .map(|family| Quota {
                    family: Some(format!("f{family}")),
                    cpu_limit: 900,
                    cpu_used: 0,
                })
                .collect();
        }
        all.insert(name(&format!("site{site:02}")), facts);
    }
    all
}

/// So many fleets, or single machines, of 100 sizes that may be anywhere, the cheapest first.
fn intent(demands: u32) -> Intent {
    let mut intent = shop();
    let sites: Vec<Name> = (0..SITES)
        .map(|site| name(&format!("site{site:02}")))
        .collect();
    intent.networks[0].sites.clone_from(&sites);
    intent.networks[0].cidr = "10.0.0.0/8".parse().expect("a range");
    intent.networks[0].site_prefix = Some(13);
    intent.volumes.clear();
    intent.buckets.clear();
    intent.firewalls.clear();
    intent.machines = (0..demands)
        .map(|number| {
            let noun = if demands == MACHINES {
                "machine"
            } else {
                "machines"
            };
            let mut machine = machines(&format!("{noun}.m{number:05}"), MACHINES / demands);
            let size = u64::from(number % 100);
            machine.size = Size::AtLeast {
                cpu: 1 << (size % 5),
                memory: Bytes::gib(1 + size / 5),
            };
            machine.disks.clear();
            machine.firewalls.clear();
            *machine.placement = PlacementIntent {
                sites: sites.clone(),
                prefer: Preference::Cost,
                unit: 1,
                ..PlacementIntent::default()
            };
            machine
        })
        .collect();
    intent
}

fn unseen(facts: &Facts) -> Inventory {
    let site = SiteInventory {
        observed_at: jiff::Timestamp::UNIX_EPOCH,
        coverage: Kind::ALL
            .into_iter()
            .map(|kind| (kind, Coverage::Complete))
            .collect(),
        resources: Vec::new(),
        missed: Vec::new(),
        left: std::collections::BTreeSet::new(),
        lookups: Vec::new(),
    };
    Inventory {
        sites: facts
            .keys()
            .map(|name| (name.clone(), site.clone()))
            .collect::<BTreeMap<_, _>>(),
        ..Inventory::default()
    }
}
