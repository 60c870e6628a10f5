//! The best lane that has room, over and over.

use super::Demand;

/// What is left of the limits.
#[derive(Debug)]
pub(super) struct Left(Option<Vec<u64>>);

impl Left {
    /// As if there were no limits.
    pub(super) const fn unbounded() -> Self {
        Self(None)
    }

    pub(super) fn of(limits: &[u64]) -> Self {
        Self(Some(limits.to_vec()))
    }

    /// How many of `count` machines still fit into a lane.
    fn fits(&self, lane: &super::Lane, count: u32) -> u32 {
        let Some(left) = &self.0 else { return count };
        let bounds = lane.uses.iter();
        let bounds = bounds.filter_map(|of| left[of.limit].checked_div(of.amount));
        let most = bounds.min().unwrap_or(u64::MAX);
        count.min(u32::try_from(most).unwrap_or(u32::MAX))
    }

    /// Takes as much of `count` as fits, and says how much that is.
    pub(super) fn take(&mut self, lane: &super::Lane, count: u32) -> u32 {
        let fits = self.fits(lane, count);
        if let Some(left) = &mut self.0 {
            for of in &lane.uses {
                left[of.limit] -= of.amount * u64::from(fits);
            }
        }
        fits
    }
}

/// Fills a demand's lanes: first up to the targets, then whatever has room. Gives the counts by
/// lane, and how many found no place.
pub(super) fn fill(demand: &Demand, left: &mut Left) -> (Vec<u32>, u32) {
    let mut counts = vec![0; demand.lanes.len()];
    let missing = fill_up(demand, &mut counts, left);
    (counts, missing)
}

/// As [`fill`], where some are in their lanes already. A demand whose machines cannot be put one by
/// one (units, survival) is left as it is.
pub(super) fn fill_up(demand: &Demand, counts: &mut [u32], left: &mut Left) -> u32 {
    let mut missing = demand.want.saturating_sub(counts.iter().sum());
    if demand.unit > 1 || demand.survive {
        return missing;
    }
    let mut order: Vec<usize> = (0..demand.lanes.len()).collect();
    order.sort_by(|a, b| {
        demand.lanes[*a]
            .dislike
            .total_cmp(&demand.lanes[*b].dislike)
    });
    for within_targets in [true, false] {
        if within_targets && demand.targets.is_empty() {
            continue;
        }
        for at in &order {
            if missing == 0 {
                return 0;
            }
            let lane = &demand.lanes[*at];
            let mut most = missing.min(lane.most.saturating_sub(counts[*at]));
            if lane.spot {
                let spot = sum(demand, counts, |lane| lane.spot);
                most = most.min(demand.spot_most.saturating_sub(spot));
            }
            if within_targets {
                let target = demand.targets.get(&lane.domain).copied().unwrap_or(0);
                let there = sum(demand, counts, |other| other.domain == lane.domain);
                most = most.min(target.saturating_sub(there));
            }
            let taken = left.take(lane, most);
            counts[*at] += taken;
            missing -= taken;
        }
    }
    missing
}

fn sum(demand: &Demand, counts: &[u32], of: impl Fn(&super::Lane) -> bool) -> u32 {
    let lanes = demand.lanes.iter().zip(counts);
    lanes.filter(|(lane, _)| of(lane)).map(|(_, n)| n).sum()
}
