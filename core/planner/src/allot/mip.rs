//! Demands that share limits, as a mixed integer program.

use std::collections::{BTreeMap, BTreeSet};

use microlp::{
    ComparisonOp, OptimizationDirection, Problem as Program, Solution, SolutionStatus,
    SolveOptions, SolveOutcome, Variable,
};

use super::fill::{Left, fill_up};
use super::{Answer, Demand, Problem};

/// The most lanes of a program that is solved in whole numbers.
const LANES_EXACT: usize = 2_000;
/// How much is searched before the best answer so far is taken: lanes times nodes.
const EFFORT: usize = 400_000;

/// How much worse it is to have too few while nothing is lost than to have too few after a loss.
const GONE: f64 = 4.0;

/// The variables of one demand.
struct Variables {
    lanes: Vec<Variable>,
}

/// Solves demands together, as well as the effort allows.
pub(super) fn solve(problem: &Problem) -> Answer {
    let lanes: usize = problem.demands.iter().map(|d| d.lanes.len()).sum();
    let whole = lanes <= LANES_EXACT;
    let (program, variables) = program(problem, whole);
    let mut options = SolveOptions::default();
    // A budget of nodes, never of time: the same problem has the same answer.
    options.node_limit = Some((EFFORT / lanes.max(1)).max(20) as u64);
    let solution = match program.solve_with(options) {
        Ok(SolveOutcome::Solution(solution)) => Some(solution),
        Ok(SolveOutcome::Interrupted(_)) | Err(_) => None,
    };
    let counts = match &solution {
        Some(solution) => counts(problem, &variables, solution),
        None => problem
            .demands
            .iter()
            .map(|d| vec![0; d.lanes.len()])
            .collect(),
    };
    let (counts, missing) = hold(problem, counts);
    let gap = solution.and_then(|solution| gap(problem, &counts, &missing, whole, &solution));
    Answer {
        counts,
        missing,
        gap,
    }
}

/// What a machine without a place counts: more than any place.
fn penalty(problem: &Problem) -> f64 {
    let worst = |demand: &Demand| {
        let lanes = demand.lanes.iter().map(|lane| lane.dislike + demand.excess);
        lanes.fold(0.0, f64::max)
    };
    let worst = problem.demands.iter().map(worst).fold(0.0, f64::max);
    10.0 * worst + 10.0
}

fn program(problem: &Problem, whole: bool) -> (Program, Vec<Variables>) {
    let mut program = Program::new(OptimizationDirection::Minimize);
    let penalty = penalty(problem);
    let mut taken: BTreeMap<usize, Vec<(Variable, u64)>> = BTreeMap::new();
    let mut variables = Vec::new();
    for demand in &problem.demands {
        let number = |program: &mut Program, dislike: f64, most: u32| {
            let most = i32::try_from(most).unwrap_or(i32::MAX);
            if whole {
                program.add_integer_var(dislike, (0, most))
            } else {
                program.add_var(dislike, (0.0, f64::from(most)))
            }
        };
        let lanes = demand.lanes.iter();
        let lanes: Vec<Variable> = lanes
            .map(|lane| number(&mut program, lane.dislike, lane.most.min(demand.want)))
            .collect();
        let missing = number(&mut program, penalty, demand.want);
        for (lane, variable) in demand.lanes.iter().zip(&lanes) {
            for of in &lane.uses {
                taken
                    .entry(of.limit)
                    .or_default()
                    .push((*variable, of.amount));
            }
        }
        rows(&mut program, demand, &lanes, missing, penalty, whole);
        variables.push(Variables { lanes });
    }
    for (limit, uses) in taken {
        // Each row in units of its own largest amount: bytes beside CPUs would be ill-conditioned.
        let largest = uses
            .iter()
            .map(|(_, amount)| *amount)
            .max()
            .unwrap_or(1)
            .max(1) as f64;
        let row: Vec<_> = uses
            .iter()
            .map(|(v, amount)| (*v, *amount as f64 / largest))
            .collect();
        let left = problem.limits[limit] as f64 / largest;
        program.add_constraint(row, ComparisonOp::Le, left);
    }
    (program, variables)
}

/// What a demand asks for by itself.
fn rows(
    program: &mut Program,
    demand: &Demand,
    lanes: &[Variable],
    missing: Variable,
    penalty: f64,
    whole: bool,
) {
    let want = f64::from(demand.want);
    let domains: BTreeSet<u32> = demand.lanes.iter().map(|lane| lane.domain).collect();
    let of = |keep: &dyn Fn(&super::Lane) -> bool| -> Vec<(Variable, f64)> {
        let both = demand.lanes.iter().zip(lanes);
        both.filter(|(lane, _)| keep(lane))
            .map(|(_, variable)| (*variable, 1.0))
            .collect()
    };
    if demand.survive {
        // Where no loss can be made up for, what is wanted is there at least while nothing is lost.
        let most = i32::try_from(demand.want).unwrap_or(i32::MAX);
        let gone = if whole {
            program.add_integer_var(GONE * penalty, (0, most))
        } else {
            program.add_var(GONE * penalty, (0.0, want))
        };
        let mut all = of(&|_| true);
        all.push((gone, 1.0));
        program.add_constraint(all, ComparisonOp::Ge, want);
        for domain in &domains {
            let mut others = of(&|lane| lane.domain != *domain);
            others.push((missing, 1.0));
            program.add_constraint(others, ComparisonOp::Ge, want);
        }
        if domains.is_empty() {
            program.add_constraint([(missing, 1.0)], ComparisonOp::Ge, want);
        }
    } else {
        let mut all = of(&|_| true);
        all.push((missing, 1.0));
        program.add_constraint(all, ComparisonOp::Eq, want);
    }
    let spot = of(&|lane| lane.spot);
    if !spot.is_empty() {
        program.add_constraint(spot, ComparisonOp::Le, f64::from(demand.spot_most));
    }
    for domain in domains {
        let here = of(&|lane| lane.domain == domain);
        if demand.unit > 1 && whole {
            let units = program.add_integer_var(0.0, (0, i32::MAX));
            let mut row = here.clone();
            row.push((units, -f64::from(demand.unit)));
            program.add_constraint(row, ComparisonOp::Eq, 0.0);
        }
        if !demand.targets.is_empty() {
            let target = demand.targets.get(&domain).copied().unwrap_or(0);
            let over = program.add_var(demand.excess, (0.0, f64::INFINITY));
            let mut row = here;
            row.push((over, -1.0));
            program.add_constraint(row, ComparisonOp::Le, f64::from(target));
        }
    }
}

/// The solution in whole numbers: of a relaxation, what is whole of each.
fn counts(problem: &Problem, variables: &[Variables], solution: &Solution) -> Vec<Vec<u32>> {
    let both = problem.demands.iter().zip(variables);
    both.map(|(demand, variables)| {
        let lanes = variables.lanes.iter();
        lanes
            .map(|variable| {
                let whole = (solution.var_value(*variable) + 1e-6).floor().max(0.0);
                // At most the demand: the program's bounds say so.
                (whole as u32).min(demand.want)
            })
            .collect()
    })
    .collect()
}

/// Holds the solver's answer to the limits exactly, and finds places for what that leaves.
fn hold(problem: &Problem, proposed: Vec<Vec<u32>>) -> (Vec<Vec<u32>>, Vec<u32>) {
    let mut left = Left::of(&problem.limits);
    let mut held = Vec::with_capacity(proposed.len());
    for (demand, counts) in problem.demands.iter().zip(proposed) {
        let both = demand.lanes.iter().zip(counts);
        let counts: Vec<u32> = both.map(|(lane, n)| left.take(lane, n)).collect();
        held.push(counts);
    }
    let mut missing = Vec::with_capacity(held.len());
    for (demand, counts) in problem.demands.iter().zip(&mut held) {
        fill_up(demand, counts, &mut left);
        missing.push(short(demand, counts));
    }
    (held, missing)
}

/// How many are not there: in the worst loss, where one is to be survived.
fn short(demand: &Demand, counts: &[u32]) -> u32 {
    let total: u32 = counts.iter().sum();
    if !demand.survive {
        return demand.want.saturating_sub(total);
    }
    let mut by_domain: BTreeMap<u32, u32> = BTreeMap::new();
    for (lane, count) in demand.lanes.iter().zip(counts) {
        *by_domain.entry(lane.domain).or_default() += count;
    }
    let worst = by_domain.values().max().copied().unwrap_or(0);
    demand.want.saturating_sub(total - worst)
}

/// How far the answer is above the bound, relative to it.
fn gap(
    problem: &Problem,
    counts: &[Vec<u32>],
    missing: &[u32],
    whole: bool,
    solution: &Solution,
) -> Option<f64> {
    if whole {
        return match solution.status() {
            SolutionStatus::Optimal => Some(0.0),
            SolutionStatus::Feasible => solution.gap(),
        };
    }
    let penalty = penalty(problem);
    let mut total = 0.0;
    for ((demand, counts), missing) in problem.demands.iter().zip(counts).zip(missing) {
        total += penalty * f64::from(*missing);
        let mut by_domain: BTreeMap<u32, u32> = BTreeMap::new();
        for (lane, count) in demand.lanes.iter().zip(counts) {
            total += lane.dislike * f64::from(*count);
            *by_domain.entry(lane.domain).or_default() += count;
        }
        if !demand.targets.is_empty() {
            for (domain, count) in by_domain {
                let target = demand.targets.get(&domain).copied().unwrap_or(0);
                total += demand.excess * f64::from(count.saturating_sub(target));
            }
        }
    }
    let bound = solution.objective();
    Some(((total - bound) / bound.abs().max(1e-9)).max(0.0))
}
