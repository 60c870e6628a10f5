//! Against every possible answer of small problems, and the bounds of large ones.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn lane(dislike: f64, domain: u32, uses: &[(usize, u64)]) -> Lane {
    Lane {
        dislike,
        most: u32::MAX,
        uses: uses
            .iter()
            .map(|(limit, amount)| Use {
                limit: *limit,
                amount: *amount,
            })
            .collect(),
        spot: false,
        domain,
    }
}

fn demand(want: u32, lanes: Vec<Lane>) -> Demand {
    Demand {
        want,
        lanes,
        unit: 1,
        ..Demand::default()
    }
}

fn arb_lane() -> impl Strategy<Value = Lane> {
    (
        0_u8..20,
        0_u32..3,
        0_u32..4,
        any::<bool>(),
        0_u64..3,
        0_u64..3,
    )
        .prop_map(|(dislike, domain, most, spot, first, second)| {
            let uses = [(0, first), (1, second)].into_iter();
            Lane {
                dislike: f64::from(dislike),
                most,
                uses: uses
                    .filter(|(_, amount)| *amount > 0)
                    .map(|(limit, amount)| Use { limit, amount })
                    .collect(),
                spot,
                domain,
            }
        })
}

fn arb_demand() -> impl Strategy<Value = Demand> {
    let lanes = prop::collection::vec(arb_lane(), 0..4);
    (
        0_u32..4,
        lanes,
        0_u32..4,
        any::<bool>(),
        1_u32..3,
        any::<bool>(),
    )
        .prop_map(|(want, lanes, spot_most, survive, unit, balanced)| Demand {
            // A unit rounds the count up, as the planner does.
            want: want.div_ceil(unit) * unit,
            lanes,
            spot_most,
            survive,
            unit,
            targets: if balanced && !survive {
                BTreeMap::from([(0, 1), (1, 1)])
            } else {
                BTreeMap::new()
            },
            excess: if balanced && !survive { 25.0 } else { 0.0 },
        })
}

fn arb_problem() -> impl Strategy<Value = Problem> {
    let demands = prop::collection::vec(arb_demand(), 0..3);
    let limits = prop::collection::vec(0_u64..9, 2);
    (demands, limits).prop_map(|(demands, limits)| Problem { demands, limits })
}

/// Whether an answer keeps to everything; how many are missing, how bad that is, and what it counts.
fn judge(problem: &Problem, counts: &[Vec<u32>]) -> Option<(u32, u32, f64)> {
    let (mut missing, mut gone, mut dislike) = (0, 0, 0.0);
    let mut left: Vec<i64> = problem.limits.iter().map(|l| *l as i64).collect();
    for (demand, counts) in problem.demands.iter().zip(counts) {
        let mut by_domain: BTreeMap<u32, u32> = BTreeMap::new();
        let mut spot = 0;
        for (lane, n) in demand.lanes.iter().zip(counts) {
            if *n > lane.most {
                return None;
            }
            spot += if lane.spot { *n } else { 0 };
            *by_domain.entry(lane.domain).or_default() += n;
            dislike += lane.dislike * f64::from(*n);
            for of in &lane.uses {
                left[of.limit] -= of.amount as i64 * i64::from(*n);
            }
        }
        let total: u32 = counts.iter().sum();
        let there = match demand.survive {
            true => total - by_domain.values().max().copied().unwrap_or(0),
            false if total > demand.want => return None,
            false => total,
        };
        missing += demand.want.saturating_sub(there);
        if demand.survive {
            gone += demand.want.saturating_sub(total);
        }
        if spot > demand.spot_most || by_domain.values().any(|n| n % demand.unit != 0) {
            return None;
        }
        if !demand.targets.is_empty() {
            for (domain, n) in by_domain {
                let target = demand.targets.get(&domain).copied().unwrap_or(0);
                dislike += demand.excess * f64::from(n.saturating_sub(target));
            }
        }
    }
    let worse = missing + 4 * gone;
    left.iter()
        .all(|l| *l >= 0)
        .then_some((missing, worse, dislike))
}

/// The least missing and dislike of all possible answers.
fn best(problem: &Problem) -> (u32, f64) {
    let shape: Vec<(usize, u32)> = problem
        .demands
        .iter()
        .flat_map(|d| d.lanes.iter().map(|lane| lane.most.min(d.want)))
        .enumerate()
        .collect();
    let mut flat = vec![0_u32; shape.len()];
    let mut best = (u32::MAX, f64::INFINITY);
    loop {
        let mut rest = flat.as_slice();
        let counts: Vec<Vec<u32>> = problem
            .demands
            .iter()
            .map(|d| {
                let (mine, others) = rest.split_at(d.lanes.len());
                rest = others;
                mine.to_vec()
            })
            .collect();
        if let Some(found) = judge(problem, &counts)
            && (found.1, found.2) < best
        {
            best = (found.1, found.2);
        }
        let Some((at, _)) = shape.iter().find(|(at, most)| flat[*at] < *most) else {
            return best;
        };
        flat[*at] += 1;
        flat[..*at].fill(0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn small_problems_are_solved_exactly(problem in arb_problem()) {
        let answer = allot(&problem);
        let found = judge(&problem, &answer.counts);
        prop_assert!(found.is_some(), "breaks a rule: {answer:?}");
        let (missing, worse, dislike) = found.expect("checked");
        prop_assert_eq!(answer.missing.iter().sum::<u32>(), missing);
        let (least_bad, least) = best(&problem);
        prop_assert_eq!(worse, least_bad);
        prop_assert!((dislike - least).abs() < 1e-6, "{dislike} where {least} is possible");
        prop_assert_eq!(answer.gap, Some(0.0));
    }

    #[test]
    fn the_same_problem_has_the_same_answer(problem in arb_problem()) {
        prop_assert_eq!(allot(&problem), allot(&problem));
    }
}

#[test]
fn what_shares_no_limit_takes_its_best_lane() {
    let lanes = || vec![lane(1.0, 0, &[(0, 4)]), lane(2.0, 1, &[])];
    let problem = Problem {
        demands: vec![demand(5, lanes()), demand(5, lanes())],
        limits: vec![40],
    };
    assert_eq!(allot(&problem).counts, vec![vec![5, 0], vec![5, 0]]);
}

#[test]
fn who_has_nowhere_else_to_go_gets_the_room() {
    let problem = Problem {
        demands: vec![
            demand(4, vec![lane(0.0, 0, &[(0, 1)]), lane(50.0, 1, &[])]),
            demand(4, vec![lane(0.0, 0, &[(0, 1)])]),
        ],
        limits: vec![5],
    };
    let answer = allot(&problem);
    assert_eq!(answer.counts, vec![vec![1, 3], vec![4]]);
    assert_eq!(answer.missing, vec![0, 0]);
}

#[test]
fn any_site_may_be_lost() {
    let mut web = demand(
        6,
        vec![lane(1.0, 0, &[]), lane(2.0, 1, &[]), lane(9.0, 2, &[])],
    );
    web.survive = true;
    let problem = Problem {
        demands: vec![web],
        limits: Vec::new(),
    };
    // 6 and 6 cost 18; with a third site 3 of each would cost 36.
    assert_eq!(allot(&problem).counts, vec![vec![6, 6, 0]]);
}

/// A problem too large to be solved in whole numbers is within the gap that it tells.
#[test]
fn a_large_problem_tells_its_gap() {
    let mut demands = Vec::new();
    for d in 0..300_u64 {
        let lanes = (0..20_u64).map(|site| {
            let price = ((d * 7919 + site * 104_729) % 997) as f64 / 100.0;
            lane(price, site as u32, &[(site as usize, 1 + (d + site) % 7)])
        });
        demands.push(demand(30 + (d % 5) as u32, lanes.collect()));
    }
    let problem = Problem {
        demands,
        limits: vec![1_800; 20],
    };
    let answer = allot(&problem);
    let (missing, ..) = judge(&problem, &answer.counts).expect("keeps to the limits");
    assert_eq!(missing, 0);
    let gap = answer.gap.expect("a bound");
    assert!(gap < 0.01, "{gap}");
}
