//! How many machines of each demand go into each of its lanes, at the least dislike.
//!
//! A demand's best answer for itself is found first. Where no limit that demands share is exceeded
//! by all of them together, that is the best answer of all, and nothing else is computed. Where one
//! is, the demands that have to do with it are solved together as a mixed integer program (crate
//! `microlp`): exactly where the program is small, and by rounding its linear relaxation where it
//! is large; the distance to the bound of the relaxation is then told.

mod fill;
mod mip;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

/// What is to be shared out, and what bounds it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problem {
    pub(crate) demands: Vec<Demand>,
    /// What is left of each limit, in units of its own.
    pub(crate) limits: Vec<u64>,
}

/// Some machines that want a place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Demand {
    /// How many.
    pub(crate) want: u32,
    /// Where they may go. Of equals, the first is best.
    pub(crate) lanes: Vec<Lane>,
    /// The most that may go into spot lanes.
    pub(crate) spot_most: u32,
    /// Whether `want` must still be there when all lanes of any one domain are lost.
    pub(crate) survive: bool,
    /// What the machines of a domain come in multiples of.
    pub(crate) unit: u32,
    /// How many each domain should have at most; empty if that does not matter.
    pub(crate) targets: BTreeMap<u32, u32>,
    /// How much each machine above a target is disliked, besides.
    pub(crate) excess: f64,
}

/// One way to place a machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Lane {
    /// What one machine here counts; not negative.
    pub(crate) dislike: f64,
    /// The most that go here.
    pub(crate) most: u32,
    /// What one machine takes of the problem's limits.
    pub(crate) uses: Vec<Use>,
    /// Whether it is spot capacity.
    pub(crate) spot: bool,
    /// What is lost together: a site, or a zone.
    pub(crate) domain: u32,
}

/// So much of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) limit: usize,
    pub(crate) amount: u64,
}

/// What goes where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// By demand and lane.
    pub(crate) counts: Vec<Vec<u32>>,
    /// By demand, how many found no place.
    pub(crate) missing: Vec<u32>,
    /// How far, relative to the least dislike possible, this may be above it. 0 is proven best;
    /// `None`, that no bound was found.
    pub(crate) gap: Option<f64>,
}

impl Demand {
    /// Whether taking the best lane that has room, over and over, is the best answer.
    fn is_simple(&self) -> bool {
        !self.survive && self.unit <= 1
    }
}

/// Shares out. The same problem has the same answer.
pub(crate) fn allot(problem: &Problem) -> Answer {
    let mut answer = Answer {
        counts: Vec::with_capacity(problem.demands.len()),
        missing: Vec::with_capacity(problem.demands.len()),
        gap: Some(0.0),
    };
    for demand in &problem.demands {
        let (counts, missing) = if demand.is_simple() {
            fill::fill(demand, &mut fill::Left::unbounded())
        } else {
            let own = Problem {
                demands: vec![unlimited(demand)],
                limits: Vec::new(),
            };
            let mut own = mip::solve(&own);
            answer.gap = worse(answer.gap, own.gap);
            (own.counts.remove(0), own.missing[0])
        };
        answer.counts.push(counts);
        answer.missing.push(missing);
    }
    let exceeded = exceeded(problem, &answer.counts);
    if exceeded.is_empty() {
        return answer;
    }
    for group in groups(problem, &exceeded) {
        let part = Problem {
            demands: group.iter().map(|d| problem.demands[*d].clone()).collect(),
            limits: problem.limits.clone(),
        };
        let part = mip::solve(&part);
        answer.gap = worse(answer.gap, part.gap);
        for ((d, counts), missing) in group.iter().zip(part.counts).zip(part.missing) {
            answer.counts[*d] = counts;
            answer.missing[*d] = missing;
        }
    }
    answer
}

fn unlimited(demand: &Demand) -> Demand {
    let mut demand = demand.clone();
    for lane in &mut demand.lanes {
        lane.uses.clear();
    }
    demand
}

fn worse(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a?.max(b?))
}

/// The limits of which more is taken than there is.
fn exceeded(problem: &Problem, counts: &[Vec<u32>]) -> Vec<usize> {
    let mut taken = vec![0_u128; problem.limits.len()];
    for (demand, counts) in problem.demands.iter().zip(counts) {
        for (lane, count) in demand.lanes.iter().zip(counts) {
            for Use { limit, amount } in &lane.uses {
                taken[*limit] += u128::from(*amount) * u128::from(*count);
            }
        }
    }
    (0..taken.len())
        .filter(|limit| taken[*limit] > u128::from(problem.limits[*limit]))
        .collect()
}

/// The demands that have to do with exceeded limits, directly or through limits that they share
/// with others that do; those that have nothing to do with each other apart.
fn groups(problem: &Problem, exceeded: &[usize]) -> Vec<Vec<usize>> {
    let mut root: Vec<usize> = (0..problem.limits.len()).collect();
    fn find(root: &mut [usize], mut at: usize) -> usize {
        while root[at] != at {
            root[at] = root[root[at]];
            at = root[at];
        }
        at
    }
    let mut first = vec![None; problem.demands.len()];
    for (d, demand) in problem.demands.iter().enumerate() {
        for of in demand.lanes.iter().flat_map(|lane| &lane.uses) {
            let at = *first[d].get_or_insert(of.limit);
            let (a, b) = (find(&mut root, at), find(&mut root, of.limit));
            root[a.max(b)] = a.min(b);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for limit in exceeded {
        groups.entry(find(&mut root, *limit)).or_default();
    }
    for (d, first) in first.iter().enumerate() {
        if let Some(limit) = first
            && let Some(group) = groups.get_mut(&find(&mut root, *limit))
        {
            group.push(d);
        }
    }
    groups.into_values().collect()
}
